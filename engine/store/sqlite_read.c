/* Readers: lists, look-ups and the recount. Each reader has a read-only connection of its own and is used by one thread
 * at a time. A call that needs several statements holds a snapshot for as long as it runs; selections, which hold one
 * between calls, are in sqlite_select.c.
 */
#include "sqlite_internal.h"

#include "batch.h"
#include "fail.h"
#include "rows.h"

#include <stdlib.h>
#include <string.h>

/* A reader never waits for the writer; this is for the moments in which the log is cut or begun anew. */
#define READ_WAIT_MS 1000

static_assert(TRANCHE_DEVICE_COMPLETED == 1, "RESULTS_COUNT");
static_assert(TRANCHE_DEVICE_FAILED == 2, "RESULTS_COUNT, FAILURES");
static_assert(TRANCHE_DEVICE_UNKNOWN == 3, "RESULTS_COUNT, FAILURES");

/* ---- open, close, snapshots ---- */

static void reader_close(struct tranche_reader *reader)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    reader->functions->select_close(reader);
    checkpointer_remove(r->checkpointer, &r->snapshot);
    connection_close(&r->connection);
    free(r);
}

enum tranche_code reader_snapshot_open(struct sqlite_reader *reader, bool *opened, struct tranche_err *err)
{
    *opened = false;
    if (!sqlite3_get_autocommit(reader->connection.db))
        return TRANCHE_OK;
    statement_take(&reader->connection, STATEMENT_SNAPSHOT_OPEN);
    enum tranche_code code = statement_run(&reader->connection, STATEMENT_SNAPSHOT_OPEN, err);
    *opened = code == TRANCHE_OK;
    if (*opened)
        snapshot_opened(&reader->snapshot);
    return code;
}

/* Ending a transaction that has read only cannot fail; SQLite may have ended it already, after an I/O error. */
void reader_snapshot_close(struct sqlite_reader *reader, bool opened)
{
    if (!opened)
        return;
    if (!sqlite3_get_autocommit(reader->connection.db))
        statement_run(&reader->connection, STATEMENT_SNAPSHOT_CLOSE, NULL);
    snapshot_closed(&reader->snapshot);
}

/* ---- jobs ---- */

static enum tranche_code reader_job_find(struct tranche_reader *reader, const char *id, struct tranche_job_record *out,
                                         struct tranche_err *err)
{
    return rows_job_find(&sqlite_reader(reader)->connection, id, out, err);
}

static enum tranche_code reader_jobs_page(struct tranche_reader *reader, int64_t before, uint32_t limit,
                                          tranche_job_visit *visit, void *context, struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_JOBS_PAGE);
    bind_integer(row, 1, before == 0 ? INT64_MAX : before);
    bind_integer(row, 2, limit);
    return rows_visit_jobs(connection, STATEMENT_JOBS_PAGE, visit, context, err);
}

static enum tranche_code reader_calls_page(struct tranche_reader *reader, const char *device, const char *call,
                                           int64_t before, uint32_t limit, tranche_job_visit *visit, void *context,
                                           struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_CALLS_PAGE);
    bind_text(row, 1, device);
    bind_text(row, 2, call);
    bind_integer(row, 3, before == 0 ? INT64_MAX : before);
    bind_integer(row, 4, limit);
    return rows_visit_jobs(connection, STATEMENT_CALLS_PAGE, visit, context, err);
}

static enum tranche_code reader_batches_page(struct tranche_reader *reader, int64_t job, uint32_t first, uint32_t limit,
                                             tranche_batch_visit *visit, void *context, struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_BATCHES_PAGE);
    bind_integer(row, 1, job);
    bind_integer(row, 2, first);
    bind_integer(row, 3, limit);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_BATCHES_PAGE, err)) == TRANCHE_OK) {
        struct tranche_batch_record record;
        row_batch(row, &record);
        visit(context, &record);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

/* ---- the devices of a job ---- */

/* A page under way: chunk after chunk, with the results of the whole page beside them in the same order. */
struct page {
    struct connection *connection;
    const struct tranche_job_record *job;
    tranche_job_device_visit *visit;
    void *context;
    sqlite3_stmt *results;
    bool results_left;
    struct tranche_err *err;
};

static enum tranche_code page_next_result(struct page *page)
{
    enum tranche_code code = statement_row(page->connection, STATEMENT_RESULTS_FINAL, page->err);
    page->results_left = code == TRANCHE_OK;
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static void page_take_result(const struct page *page, struct tranche_job_device *device)
{
    const char *reason = column_string(page->results, 4);
    device->attempt = (uint16_t)sqlite3_column_int(page->results, 1);
    device->state = (enum tranche_device_state)sqlite3_column_int(page->results, 2);
    device->code = sqlite3_column_int(page->results, 3);
    device->reason = reason == NULL ? "" : reason;
    device->answer = sqlite3_column_blob(page->results, 5);
    device->answer_bytes = (size_t)sqlite3_column_bytes(page->results, 5);
    device->at_us = sqlite3_column_int64(page->results, 6);
}

static enum tranche_code page_device(struct page *page, uint32_t ordinal, uint32_t device_no)
{
    struct tranche_job_device device = {
        .ordinal = ordinal,
        .batch = batch_of(page->job->batch_devices, ordinal),
        .reason = "",
        .answer = "",
    };
    enum tranche_code code = TRANCHE_OK;
    while (code == TRANCHE_OK && page->results_left && column_number(page->results, 0) < ordinal)
        code = page_next_result(page);
    if (code != TRANCHE_OK)
        return code;
    if (page->results_left && column_number(page->results, 0) == ordinal)
        page_take_result(page, &device);

    sqlite3_stmt *name = statement_take(page->connection, STATEMENT_DEVICE_NAME);
    bind_integer(name, 1, device_no);
    code = statement_row(page->connection, STATEMENT_DEVICE_NAME, page->err);
    if (code == TRANCHE_NOTFOUND)
        return fail(page->err, TRANCHE_IO, "job \"%s\" has device number %u, which is not in the store", page->job->id,
                    device_no);
    if (code != TRANCHE_OK)
        return code;
    device.device = column_string(name, 0);
    page->visit(page->context, &device);
    statement_end(page->connection, STATEMENT_DEVICE_NAME);
    return TRANCHE_OK;
}

/* The devices of one chunk from `first` on, up to `end`. */
static enum tranche_code page_chunk(struct page *page, uint32_t chunk, uint32_t first, uint32_t end)
{
    const struct tranche_job_record *job = page->job;
    uint32_t members[TRANCHE_CHUNK], count = 0;
    struct span span = chunk_span(job->tally.total, job->batch_devices, chunk);
    enum tranche_code code = rows_chunk_load(page->connection, job->no, chunk, members, &count, page->err);
    if (code == TRANCHE_OK && count != span.count)
        code = TRANCHE_NOTFOUND;
    if (code == TRANCHE_NOTFOUND)
        return fail(page->err, TRANCHE_IO, "job \"%s\" lacks members of its chunk %u", job->id, chunk);
    for (uint32_t ordinal = first; code == TRANCHE_OK && ordinal < end && ordinal < span.first + span.count; ordinal++)
        code = page_device(page, ordinal, members[ordinal - span.first]);
    return code;
}

static enum tranche_code page_run(struct page *page, uint32_t first, uint32_t end)
{
    const struct tranche_job_record *job = page->job;
    page->results = statement_take(page->connection, STATEMENT_RESULTS_FINAL);
    bind_integer(page->results, 1, job->no);
    bind_integer(page->results, 2, first);
    bind_integer(page->results, 3, end);
    enum tranche_code code = page_next_result(page);
    while (code == TRANCHE_OK && first < end) {
        uint32_t chunk = chunk_of(job->batch_devices, first);
        struct span span = chunk_span(job->tally.total, job->batch_devices, chunk);
        code = page_chunk(page, chunk, first, end);
        first = span.first + span.count;
    }
    if (page->results_left)
        statement_end(page->connection, STATEMENT_RESULTS_FINAL);
    return code;
}

static enum tranche_code reader_job_devices_page(struct tranche_reader *reader, const struct tranche_job_record *job,
                                                 uint32_t first, uint32_t limit, tranche_job_device_visit *visit,
                                                 void *context, struct tranche_err *err)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    if (!job->frozen || first >= job->tally.total)
        return TRANCHE_OK;
    uint32_t left = job->tally.total - first;
    struct page page = { .connection = &r->connection, .job = job, .visit = visit, .context = context, .err = err };
    bool opened = false;
    enum tranche_code code = reader_snapshot_open(r, &opened, err);
    if (code == TRANCHE_OK)
        code = page_run(&page, first, first + (limit < left ? limit : left));
    reader_snapshot_close(r, opened);
    return code;
}

/* ---- the recount ---- */

static enum tranche_code count_results(struct connection *connection, int64_t job, int64_t first, int64_t end,
                                       struct tranche_tally *tally, struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(connection, STATEMENT_RESULTS_COUNT);
    bind_integer(row, 1, job);
    bind_integer(row, 2, first);
    bind_integer(row, 3, end);
    enum tranche_code code = statement_row(connection, STATEMENT_RESULTS_COUNT, err);
    if (code != TRANCHE_OK)
        return code;
    tally->completed = column_number(row, 0);
    tally->failed = column_number(row, 1);
    tally->unknown = column_number(row, 2);
    statement_end(connection, STATEMENT_RESULTS_COUNT);
    return TRANCHE_OK;
}

static enum tranche_code count_members(struct connection *connection, int64_t job, uint32_t *total,
                                       struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(connection, STATEMENT_MEMBERS_COUNT);
    bind_integer(row, 1, job);
    enum tranche_code code = statement_row(connection, STATEMENT_MEMBERS_COUNT, err);
    if (code != TRANCHE_OK)
        return code;
    *total = column_number(row, 0);
    statement_end(connection, STATEMENT_MEMBERS_COUNT);
    return TRANCHE_OK;
}

static enum tranche_code reader_recount(struct tranche_reader *reader, int64_t job, uint32_t first, uint32_t count,
                                        struct tranche_tally *whole, struct tranche_tally *batch,
                                        struct tranche_err *err)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    bool opened = false;
    *whole = *batch = (struct tranche_tally){ 0 };
    enum tranche_code code = reader_snapshot_open(r, &opened, err);
    if (code == TRANCHE_OK)
        code = count_members(&r->connection, job, &whole->total, err);
    if (code == TRANCHE_OK)
        code = count_results(&r->connection, job, 0, INT64_MAX, whole, err);
    if (code == TRANCHE_OK)
        code = count_results(&r->connection, job, first, (int64_t)first + count, batch, err);
    reader_snapshot_close(r, opened);
    uint32_t left = first < whole->total ? whole->total - first : 0;
    batch->total = count < left ? count : left;
    return code;
}

/* ---- the registry ---- */

static enum tranche_code reader_group_find(struct tranche_reader *reader, const char *id,
                                           struct tranche_group_record *out, struct tranche_err *err)
{
    return rows_group_find(&sqlite_reader(reader)->connection, id, out, err);
}

static enum tranche_code reader_device_find(struct tranche_reader *reader, const char *id,
                                            struct tranche_device_record *out, struct tranche_err *err)
{
    return rows_device_find(&sqlite_reader(reader)->connection, id, out, err);
}

static const struct tranche_reader_functions reader_functions = {
    .close = reader_close,
    .job_find = reader_job_find,
    .jobs_page = reader_jobs_page,
    .calls_page = reader_calls_page,
    .job_devices_page = reader_job_devices_page,
    .batches_page = reader_batches_page,
    .recount = reader_recount,
    .group_find = reader_group_find,
    .device_find = reader_device_find,
};

/* Any thread: of the store it touches only what is fixed after open, and the checkpointer's list, which has a lock. */
enum tranche_code sqlite_reader_open(struct tranche_store *store, struct tranche_reader **reader,
                                     struct tranche_err *err)
{
    struct sqlite_store *s = sqlite_store(store);
    struct sqlite_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    r->functions = reader_functions;
    sqlite_select_functions(&r->functions);
    sqlite_values_reader_functions(&r->functions);
    sqlite_lists_functions(&r->functions);
    sqlite_imports_reader_functions(&r->functions);
    sqlite_objects_reader_functions(&r->functions);
    sqlite_schedules_reader_functions(&r->functions);
    r->reader.functions = &r->functions;
    r->checkpointer = s->checkpointer;
    enum tranche_code code = connection_open(&r->connection, s->path, s->vfs, true, READ_WAIT_MS, err);
    if (code == TRANCHE_OK)
        code = connection_prepare(&r->connection, ROLE_READER, err);
    if (code != TRANCHE_OK) {
        connection_close(&r->connection);
        free(r);
        return fail_in(err, code, "open a reader");
    }
    checkpointer_add(r->checkpointer, &r->snapshot);
    *reader = &r->reader;
    return TRANCHE_OK;
}
