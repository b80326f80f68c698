#include "rows.h"

#include "batch.h"
#include "fail.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

enum tranche_code row_damaged(struct connection *connection, enum statement statement, struct tranche_err *err)
{
    statement_end(connection, statement);
    return fail(err, TRANCHE_IO, "%s: the row is damaged", statement_what(statement));
}

/* ---- numbers ---- */

void numbers_pack(const uint32_t *numbers, uint32_t count, unsigned char *packed)
{
    for (uint32_t i = 0; i < count; i++)
        for (int byte = 0; byte < 4; byte++)
            *packed++ = (unsigned char)(numbers[i] >> 8 * byte);
}

bool numbers_unpack(sqlite3_stmt *row, int column, uint32_t *numbers, uint32_t max, uint32_t *count)
{
    const unsigned char *packed = sqlite3_column_blob(row, column);
    size_t bytes = (size_t)sqlite3_column_bytes(row, column);
    if (bytes == 0 || bytes % 4 != 0 || bytes / 4 > max)
        return false;
    *count = (uint32_t)(bytes / 4);
    for (uint32_t i = 0; i < *count; i++, packed += 4)
        numbers[i] = (uint32_t)packed[0] | (uint32_t)packed[1] << 8 | (uint32_t)packed[2] << 16 |
                     (uint32_t)packed[3] << 24;
    return true;
}

enum tranche_code rows_chunk_load(struct connection *connection, int64_t job, uint32_t chunk,
                                  uint32_t devices[TRANCHE_CHUNK], uint32_t *count, struct tranche_err *err)
{
    sqlite3_stmt *load = statement_take(connection, STATEMENT_CHUNK_LOAD);
    bind_integer(load, 1, job);
    bind_integer(load, 2, chunk);
    enum tranche_code code = statement_row(connection, STATEMENT_CHUNK_LOAD, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "job %lld has no chunk %u of members", (long long)job, chunk);
    if (code != TRANCHE_OK)
        return code;
    if (!numbers_unpack(load, 0, devices, TRANCHE_CHUNK, count))
        return row_damaged(connection, STATEMENT_CHUNK_LOAD, err);
    statement_end(connection, STATEMENT_CHUNK_LOAD);
    return TRANCHE_OK;
}

/* ---- jobs ---- */

static void row_tally(sqlite3_stmt *row, int first, struct tranche_tally *tally)
{
    tally->total = column_number(row, first);
    tally->completed = column_number(row, first + 1);
    tally->failed = column_number(row, first + 2);
    tally->unknown = column_number(row, first + 3);
}

bool row_job(sqlite3_stmt *row, struct tranche_job_record *record)
{
    *record = (struct tranche_job_record){
        .no = sqlite3_column_int64(row, 0),
        .origin = sqlite3_column_int64(row, 4),
        .definition = (char *)column_string(row, 5), /* borrowed, like reason: for reading only */
        .reason = (char *)column_string(row, 6),
        .created_us = sqlite3_column_int64(row, 8),
        .started_us = sqlite3_column_int64(row, 9),
        .ended_us = sqlite3_column_int64(row, 10),
        .estimate = column_number(row, 11),
        .frozen = column_number(row, 12) != 0,
        .next = column_number(row, 13),
        .batch_devices = column_number(row, 14),
        .batch = column_number(row, 15),
        .intent_seq = sqlite3_column_int64(row, 16),
        .calls = sqlite3_column_int64(row, 17),
        .resumed = column_number(row, 22) != 0,
    };
    row_tally(row, 18, &record->tally);
    const char *state = column_string(row, 7);
    return state != NULL && job_state_parse(state, &record->state) && record->definition != NULL &&
           column_copy(row, 1, record->id, sizeof record->id) && column_copy(row, 2, record->group, sizeof record->group) &&
           column_copy(row, 3, record->schedule, sizeof record->schedule) &&
           column_copy(row, 23, record->organization, sizeof record->organization) &&
           column_copy(row, 24, record->device, sizeof record->device) &&
           column_copy(row, 25, record->call, sizeof record->call);
}

enum tranche_code rows_visit_jobs(struct connection *connection, enum statement statement, tranche_job_visit *visit,
                                  void *context, struct tranche_err *err)
{
    enum tranche_code code;
    while ((code = statement_row(connection, statement, err)) == TRANCHE_OK) {
        struct tranche_job_record record;
        if (!row_job(connection->statements[statement], &record))
            return row_damaged(connection, statement, err);
        visit(context, &record);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

void row_batch(sqlite3_stmt *row, struct tranche_batch_record *record)
{
    *record = (struct tranche_batch_record){
        .index = column_number(row, 0),
        .started_us = sqlite3_column_int64(row, 1),
        .ended_us = sqlite3_column_int64(row, 2),
    };
    row_tally(row, 3, &record->tally);
}

/* Gives the record strings of its own. */
static enum tranche_code job_own(struct tranche_job_record *record, struct tranche_err *err)
{
    const char *reason = record->reason;
    record->definition = strdup(record->definition);
    record->reason = reason == NULL ? NULL : strdup(reason);
    if (record->definition != NULL && (reason == NULL || record->reason != NULL))
        return TRANCHE_OK;
    tranche_job_record_free(record);
    return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

enum tranche_code rows_job_find(struct connection *connection, const char *id, struct tranche_job_record *out,
                                struct tranche_err *err)
{
    *out = (struct tranche_job_record){ 0 };
    sqlite3_stmt *find = statement_take(connection, STATEMENT_JOB_FIND);
    bind_text(find, 1, id);
    enum tranche_code code = statement_row(connection, STATEMENT_JOB_FIND, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "there is no job \"%s\"", id);
    if (code != TRANCHE_OK)
        return code;
    struct tranche_job_record record;
    if (!row_job(find, &record))
        return row_damaged(connection, STATEMENT_JOB_FIND, err);
    code = job_own(&record, err);
    if (code == TRANCHE_OK)
        *out = record;
    statement_end(connection, STATEMENT_JOB_FIND);
    return code;
}

enum tranche_code rows_member(struct connection *connection, const struct tranche_job_record *job, uint32_t ordinal,
                              uint32_t *no, char id[TRANCHE_DEVICE_BYTES], struct tranche_err *err)
{
    uint32_t members[TRANCHE_CHUNK], count = 0;
    uint32_t chunk = chunk_of(job->batch_devices, ordinal);
    uint32_t first = chunk_span(job->tally.total, job->batch_devices, chunk).first;
    enum tranche_code code = rows_chunk_load(connection, job->no, chunk, members, &count, err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && ordinal - first >= count))
        return fail(err, TRANCHE_IO, "job \"%s\" lacks members of its chunk %u", job->id, chunk);
    if (code != TRANCHE_OK)
        return code;
    *no = members[ordinal - first];
    sqlite3_stmt *name = statement_take(connection, STATEMENT_DEVICE_NAME);
    bind_integer(name, 1, *no);
    code = statement_row(connection, STATEMENT_DEVICE_NAME, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, TRANCHE_IO, "job \"%s\" has device number %u, which is not in the store", job->id, *no);
    if (code != TRANCHE_OK)
        return code;
    if (!column_copy(name, 0, id, TRANCHE_DEVICE_BYTES))
        return row_damaged(connection, STATEMENT_DEVICE_NAME, err);
    statement_end(connection, STATEMENT_DEVICE_NAME);
    return TRANCHE_OK;
}

/* ---- devices and groups ---- */

bool row_device(sqlite3_stmt *row, struct tranche_device_record *record)
{
    *record = (struct tranche_device_record){
        .no = column_number(row, 0),
        .enabled = column_number(row, 2) != 0,
        .provisioned = column_number(row, 3) != 0,
        .simulated = column_number(row, 4) != 0,
        .deleted = column_number(row, 5) != 0,
        .revision = sqlite3_column_int64(row, 6),
        .display_name = column_string(row, 7),
        .template_id = column_string(row, 8),
        .organization = column_string(row, 9),
        .manifest = column_string(row, 10),
        .properties = column_string(row, 11),
        .stamps = column_string(row, 12),
        .properties_us = sqlite3_column_int64(row, 13),
    };
    return column_copy(row, 1, record->id, sizeof record->id);
}

enum tranche_code rows_device(struct connection *connection, enum statement statement,
                              struct tranche_device_record *out, struct tranche_err *err)
{
    sqlite3_stmt *row = connection->statements[statement];
    enum tranche_code code = statement_row(connection, statement, err);
    if (code != TRANCHE_OK)
        return code;
    if (!row_device(row, out))
        return row_damaged(connection, statement, err);
    const char **const strings[] = { &out->display_name, &out->template_id, &out->organization,
                                     &out->manifest,     &out->properties,  &out->stamps };
    code = connection_keep(connection, row, 7, sizeof strings / sizeof strings[0], strings, err);
    statement_end(connection, statement);
    return code;
}

enum tranche_code rows_device_find(struct connection *connection, const char *id, struct tranche_device_record *out,
                                   struct tranche_err *err)
{
    bind_text(statement_take(connection, STATEMENT_DEVICE_FIND), 1, id);
    enum tranche_code code = rows_device(connection, STATEMENT_DEVICE_FIND, out, err);
    return code == TRANCHE_NOTFOUND ? fail(err, code, "there is no device \"%s\"", id) : code;
}

bool row_group(sqlite3_stmt *row, struct tranche_group_record *record)
{
    *record = (struct tranche_group_record){
        .revision = sqlite3_column_int64(row, 1),
        .display_name = column_string(row, 2),
        .description = column_string(row, 3),
        .filter = column_string(row, 4),
        .organization = column_string(row, 5),
    };
    return column_copy(row, 0, record->id, sizeof record->id);
}

enum tranche_code rows_group_find(struct connection *connection, const char *id, struct tranche_group_record *out,
                                  struct tranche_err *err)
{
    sqlite3_stmt *find = statement_take(connection, STATEMENT_GROUP_FIND);
    bind_text(find, 1, id);
    enum tranche_code code = statement_row(connection, STATEMENT_GROUP_FIND, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "there is no device group \"%s\"", id);
    if (code != TRANCHE_OK)
        return code;
    if (!row_group(find, out))
        return row_damaged(connection, STATEMENT_GROUP_FIND, err);
    const char **const strings[] = { &out->display_name, &out->description, &out->filter, &out->organization };
    code = connection_keep(connection, find, 2, 4, strings, err);
    statement_end(connection, STATEMENT_GROUP_FIND);
    return code;
}
