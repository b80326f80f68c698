/* The writer's side of jobs: job, batch, chunk, intent, result, retry. Each function binds one statement of statements.h
 * and runs it. result_put is the hot path: one insert, and usually no look-up for its texts.
 */
#include "sqlite_internal.h"

#include "fail.h"
#include "rows.h"
#include "state.h"

#include <string.h>

/* ---- jobs and batches ---- */

/* The values that JOB_INSERT and JOB_UPDATE share keep the same places in both. */
static void bind_job(sqlite3_stmt *statement, const struct tranche_job_record *record)
{
    bind_text(statement, 5, record->reason);
    bind_text(statement, 6, job_state_name(record->state));
    bind_integer(statement, 7, job_state_is_open(record->state));
    bind_integer(statement, 9, record->started_us);
    bind_integer(statement, 10, record->ended_us);
    bind_integer(statement, 11, record->estimate);
    bind_integer(statement, 12, record->frozen);
    bind_integer(statement, 13, record->next);
    bind_integer(statement, 14, record->batch_devices);
    bind_integer(statement, 15, record->batch);
    bind_integer(statement, 16, record->intent_seq);
    bind_integer(statement, 17, record->calls);
    bind_integer(statement, 18, record->tally.total);
    bind_integer(statement, 19, record->tally.completed);
    bind_integer(statement, 20, record->tally.failed);
    bind_integer(statement, 21, record->tally.unknown);
    bind_integer(statement, 22, record->resumed);
}

static enum tranche_code job_insert(struct tranche_store *store, struct tranche_job_record *record,
                                    struct tranche_err *err)
{
    sqlite3_stmt *insert = change_take(store, STATEMENT_JOB_INSERT);
    bind_text(insert, 1, record->id);
    bind_text(insert, 2, record->group);
    bind_text(insert, 3, record->schedule);
    bind_integer(insert, 4, record->origin);
    bind_integer(insert, 8, record->created_us);
    bind_text(insert, 23, record->organization);
    bind_text(insert, 24, record->device);
    bind_text(insert, 25, record->call);
    bind_job(insert, record);
    enum tranche_code code = change_run(store, STATEMENT_JOB_INSERT, err);
    if (code == TRANCHE_CONFLICT)
        return fail(err, code, "there is a job \"%s\" already", record->id);
    if (code != TRANCHE_OK)
        return code;
    record->no = sqlite3_last_insert_rowid(sqlite_store(store)->connection.db);

    sqlite3_stmt *definition = change_take(store, STATEMENT_DEFINITION_INSERT);
    bind_integer(definition, 1, record->no);
    bind_text(definition, 2, record->definition);
    return change_run(store, STATEMENT_DEFINITION_INSERT, err);
}

static enum tranche_code job_update(struct tranche_store *store, const struct tranche_job_record *record,
                                    struct tranche_err *err)
{
    sqlite3_stmt *update = change_take(store, STATEMENT_JOB_UPDATE);
    bind_job(update, record);
    bind_integer(update, 23, record->no);
    enum tranche_code code = change_run(store, STATEMENT_JOB_UPDATE, err);
    assert(code != TRANCHE_OK || sqlite3_changes(sqlite_store(store)->connection.db) == 1); /* job_insert came first */
    return code;
}

static enum tranche_code job_find(struct tranche_store *store, const char *id, struct tranche_job_record *out,
                                  struct tranche_err *err)
{
    return rows_job_find(&sqlite_store(store)->connection, id, out, err);
}

/* The states whose jobs have the column open set. */
static uint32_t open_states(void)
{
    uint32_t states = 0;
    for (int state = 0; state < TRANCHE_JOB_STATE_COUNT; state++)
        if (job_state_is_open((enum tranche_job_state)state))
            states |= 1u << state;
    return states;
}

static enum tranche_code jobs_in(struct tranche_store *store, uint32_t states, tranche_job_visit *visit, void *context,
                                 struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    enum statement list = (states & ~open_states()) == 0 ? STATEMENT_JOBS_OPEN : STATEMENT_JOBS_ALL;
    sqlite3_stmt *row = statement_take(connection, list);
    enum tranche_code code;
    while ((code = statement_row(connection, list, err)) == TRANCHE_OK) {
        struct tranche_job_record record;
        if (!row_job(row, &record))
            return row_damaged(connection, list, err);
        if ((1u << record.state & states) != 0)
            visit(context, &record);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static enum tranche_code batch_put(struct tranche_store *store, int64_t job, const struct tranche_batch_record *batch,
                                   struct tranche_err *err)
{
    sqlite3_stmt *put = change_take(store, STATEMENT_BATCH_PUT);
    bind_integer(put, 1, job);
    bind_integer(put, 2, batch->index);
    bind_integer(put, 3, batch->started_us);
    bind_integer(put, 4, batch->ended_us);
    bind_integer(put, 5, batch->tally.total);
    bind_integer(put, 6, batch->tally.completed);
    bind_integer(put, 7, batch->tally.failed);
    bind_integer(put, 8, batch->tally.unknown);
    return change_run(store, STATEMENT_BATCH_PUT, err);
}

static enum tranche_code batch_load(struct tranche_store *store, int64_t job, uint32_t index,
                                    struct tranche_batch_record *out, struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    sqlite3_stmt *load = statement_take(connection, STATEMENT_BATCH_LOAD);
    bind_integer(load, 1, job);
    bind_integer(load, 2, index);
    enum tranche_code code = statement_row(connection, STATEMENT_BATCH_LOAD, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "job %lld has no batch %u", (long long)job, index);
    if (code != TRANCHE_OK)
        return code;
    row_batch(load, out);
    statement_end(connection, STATEMENT_BATCH_LOAD);
    return TRANCHE_OK;
}

/* ---- members ---- */

static enum tranche_code chunk_put(struct tranche_store *store, int64_t job, uint32_t chunk, uint32_t batch,
                                   const uint32_t *devices, uint32_t count, struct tranche_err *err)
{
    assert(count > 0);
    assert(count <= TRANCHE_CHUNK);
    unsigned char packed[TRANCHE_CHUNK * 4];
    numbers_pack(devices, count, packed);
    sqlite3_stmt *put = change_take(store, STATEMENT_CHUNK_PUT);
    bind_integer(put, 1, job);
    bind_integer(put, 2, chunk);
    bind_integer(put, 3, batch);
    bind_blob(put, 4, packed, count * 4);
    return change_run(store, STATEMENT_CHUNK_PUT, err);
}

static enum tranche_code chunk_load(struct tranche_store *store, int64_t job, uint32_t chunk,
                                    uint32_t devices[TRANCHE_CHUNK], uint32_t *count, struct tranche_err *err)
{
    return rows_chunk_load(&sqlite_store(store)->connection, job, chunk, devices, count, err);
}

static enum tranche_code chunks_drop(struct tranche_store *store, int64_t job, struct tranche_err *err)
{
    bind_integer(change_take(store, STATEMENT_CHUNKS_DROP), 1, job);
    return change_run(store, STATEMENT_CHUNKS_DROP, err);
}

/* ---- intents ---- */

static enum tranche_code intent_put(struct tranche_store *store, int64_t job, const struct tranche_intent_record *intent,
                                    struct tranche_err *err)
{
    assert(intent->count > 0); /* an emptied row is dropped */
    assert(intent->count <= TRANCHE_INTENT);
    unsigned char packed[TRANCHE_INTENT * 4];
    numbers_pack(intent->ordinals, intent->count, packed);
    sqlite3_stmt *put = change_take(store, STATEMENT_INTENT_PUT);
    bind_integer(put, 1, job);
    bind_integer(put, 2, intent->seq);
    bind_integer(put, 3, intent->step);
    bind_integer(put, 4, intent->attempt);
    bind_blob(put, 5, packed, intent->count * 4);
    return change_run(store, STATEMENT_INTENT_PUT, err);
}

static enum tranche_code intent_drop(struct tranche_store *store, int64_t job, int64_t seq, struct tranche_err *err)
{
    sqlite3_stmt *drop = change_take(store, STATEMENT_INTENT_DROP);
    bind_integer(drop, 1, job);
    bind_integer(drop, 2, seq);
    return change_run(store, STATEMENT_INTENT_DROP, err);
}

static enum tranche_code intents_open(struct tranche_store *store, tranche_intent_visit *visit, void *context,
                                      struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_INTENTS_OPEN);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_INTENTS_OPEN, err)) == TRANCHE_OK) {
        struct tranche_intent_record intent = {
            .seq = sqlite3_column_int64(row, 1),
            .step = (uint16_t)sqlite3_column_int(row, 2),
            .attempt = (uint16_t)sqlite3_column_int(row, 3),
        };
        if (!numbers_unpack(row, 4, intent.ordinals, TRANCHE_INTENT, &intent.count))
            return row_damaged(connection, STATEMENT_INTENTS_OPEN, err);
        visit(context, sqlite3_column_int64(row, 0), &intent);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

/* ---- results ---- */

/* No text is no number: NULL takes no room. */
static void bind_text_id(sqlite3_stmt *statement, int position, int64_t id)
{
    if (id != 0) /* else it stays unbound, which is NULL */
        bind_integer(statement, position, id);
}

static enum tranche_code result_put(struct tranche_store *store, int64_t job, const struct tranche_result_record *result,
                                    struct tranche_err *err)
{
    struct sqlite_store *s = sqlite_store(store);
    int64_t reason = 0, answer = 0;
    enum tranche_code code = texts_id(&s->texts, &s->connection, result->reason, strlen(result->reason), &reason, err);
    if (code == TRANCHE_OK)
        code = texts_id(&s->texts, &s->connection, result->answer, result->answer_bytes, &answer, err);
    if (code != TRANCHE_OK)
        return code;

    sqlite3_stmt *put = change_take(store, STATEMENT_RESULT_PUT);
    bind_integer(put, 1, job);
    bind_integer(put, 2, result->ordinal);
    bind_integer(put, 3, result->step);
    bind_integer(put, 4, result->attempt);
    bind_integer(put, 5, result->final);
    bind_integer(put, 6, result->state);
    bind_integer(put, 7, result->code);
    bind_text_id(put, 8, reason);
    bind_text_id(put, 9, answer);
    bind_integer(put, 10, result->at_us);
    return change_run(store, STATEMENT_RESULT_PUT, err);
}

/* ---- devices that wait ---- */

static enum tranche_code retry_put(struct tranche_store *store, int64_t job, const struct tranche_retry_record *retry,
                                   struct tranche_err *err)
{
    sqlite3_stmt *put = change_take(store, STATEMENT_RETRY_PUT);
    bind_integer(put, 1, job);
    bind_integer(put, 2, retry->ordinal);
    bind_integer(put, 3, retry->step);
    bind_integer(put, 4, retry->attempt);
    bind_integer(put, 5, retry->due_us);
    return change_run(store, STATEMENT_RETRY_PUT, err);
}

static enum tranche_code retry_drop(struct tranche_store *store, int64_t job, uint32_t ordinal, struct tranche_err *err)
{
    sqlite3_stmt *drop = change_take(store, STATEMENT_RETRY_DROP);
    bind_integer(drop, 1, job);
    bind_integer(drop, 2, ordinal);
    return change_run(store, STATEMENT_RETRY_DROP, err);
}

static enum tranche_code retries_of(struct tranche_store *store, int64_t job, tranche_retry_visit *visit, void *context,
                                    struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_RETRIES_OF);
    bind_integer(row, 1, job);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_RETRIES_OF, err)) == TRANCHE_OK) {
        struct tranche_retry_record retry = {
            .ordinal = column_number(row, 0),
            .step = (uint16_t)sqlite3_column_int(row, 1),
            .attempt = (uint16_t)sqlite3_column_int(row, 2),
            .due_us = sqlite3_column_int64(row, 3),
        };
        visit(context, &retry);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

void sqlite_jobs_functions(struct tranche_store_functions *functions)
{
    functions->job_insert = job_insert;
    functions->job_update = job_update;
    functions->job_find = job_find;
    functions->jobs_in = jobs_in;
    functions->batch_put = batch_put;
    functions->batch_load = batch_load;
    functions->chunk_put = chunk_put;
    functions->chunk_load = chunk_load;
    functions->chunks_drop = chunks_drop;
    functions->intent_put = intent_put;
    functions->intent_drop = intent_drop;
    functions->intents_open = intents_open;
    functions->result_put = result_put;
    functions->retry_put = retry_put;
    functions->retry_drop = retry_drop;
    functions->retries_of = retries_of;
}
