/* Schedules: the writer's side, which settles their occurrences, and the readers'. */
#include "sqlite_internal.h"

#include "fail.h"
#include "rows.h"

#define TEXT_COLUMN 9 /* of SCHEDULE_COLUMNS: definition, rule, organization */

static enum tranche_code row_schedule(struct connection *connection, enum statement statement,
                                      struct tranche_schedule_record *out, struct tranche_err *err)
{
    sqlite3_stmt *row = connection->statements[statement];
    const char **const strings[] = { &out->definition, &out->rule, &out->organization };
    *out = (struct tranche_schedule_record){
        .revision = sqlite3_column_int64(row, 1),
        .estimate = column_number(row, 2),
        .enabled = column_number(row, 3) != 0,
        .next = column_number(row, 4),
        .due_us = sqlite3_column_int64(row, 5),
        .queued = column_number(row, 6) != 0,
        .runs = column_number(row, 7),
    };
    if (!column_copy(row, 0, out->id, sizeof out->id) ||
        !column_copy(row, 8, out->instance, sizeof out->instance))
        return row_damaged(connection, statement, err);
    return connection_keep(connection, row, TEXT_COLUMN, 3, strings, err);
}

static enum tranche_code find(struct connection *connection, const char *id,
                              struct tranche_schedule_record *out, struct tranche_err *err)
{
    bind_text(statement_take(connection, STATEMENT_SCHEDULE_FIND), 1, id);
    enum tranche_code code = statement_row(connection, STATEMENT_SCHEDULE_FIND, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "there is no schedule \"%s\"", id);
    if (code != TRANCHE_OK)
        return code;
    code = row_schedule(connection, STATEMENT_SCHEDULE_FIND, out, err);
    statement_end(connection, STATEMENT_SCHEDULE_FIND);
    return code;
}

/* All rows of a statement that was taken. */
static enum tranche_code visit_all(struct connection *connection, enum statement statement,
                                   tranche_schedule_visit *visit, void *context, struct tranche_err *err)
{
    struct tranche_schedule_record schedule;
    enum tranche_code code;
    while ((code = statement_row(connection, statement, err)) == TRANCHE_OK) {
        code = row_schedule(connection, statement, &schedule, err);
        if (code != TRANCHE_OK) {
            statement_end(connection, statement);
            return code;
        }
        visit(context, &schedule);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

/* ---- the writer ---- */

static enum tranche_code schedule_find(struct tranche_store *store, const char *id,
                                       struct tranche_schedule_record *out, struct tranche_err *err)
{
    return find(&sqlite_store(store)->connection, id, out, err);
}

static enum tranche_code schedule_put(struct tranche_store *store, struct tranche_schedule_record *schedule,
                                      struct tranche_err *err)
{
    sqlite3_stmt *put = change_take(store, STATEMENT_SCHEDULE_PUT);
    bind_text(put, 1, schedule->id);
    bind_text(put, 2, schedule->definition);
    bind_text(put, 3, schedule->rule);
    bind_text(put, 4, schedule->organization);
    bind_integer(put, 5, schedule->estimate);
    bind_integer(put, 6, schedule->enabled);
    bind_integer(put, 7, schedule->next);
    bind_integer(put, 8, schedule->due_us);
    bind_integer(put, 9, schedule->queued);
    bind_integer(put, 10, schedule->runs);
    bind_text(put, 11, schedule->instance);
    bind_integer(put, 12, first_revision(store));
    struct connection *connection = &sqlite_store(store)->connection;
    enum tranche_code code = statement_row(connection, STATEMENT_SCHEDULE_PUT, err);
    if (code != TRANCHE_OK)
        return code;
    schedule->revision = sqlite3_column_int64(put, 0);
    statement_end(connection, STATEMENT_SCHEDULE_PUT);
    return TRANCHE_OK;
}

static enum tranche_code schedule_settle(struct tranche_store *store,
                                         const struct tranche_schedule_record *schedule,
                                         struct tranche_err *err)
{
    sqlite3_stmt *settle = change_take(store, STATEMENT_SCHEDULE_SETTLE);
    bind_text(settle, 1, schedule->id);
    bind_integer(settle, 2, schedule->next);
    bind_integer(settle, 3, schedule->due_us);
    bind_integer(settle, 4, schedule->queued);
    bind_integer(settle, 5, schedule->runs);
    bind_text(settle, 6, schedule->instance);
    enum tranche_code code = change_run(store, STATEMENT_SCHEDULE_SETTLE, err);
    if (code == TRANCHE_OK && sqlite3_changes(sqlite_store(store)->connection.db) == 0)
        return fail(err, TRANCHE_NOTFOUND, "there is no schedule \"%s\"", schedule->id);
    return code;
}

static enum tranche_code schedule_drop(struct tranche_store *store, const char *id, struct tranche_err *err)
{
    bind_text(change_take(store, STATEMENT_SCHEDULE_DROP), 1, id);
    enum tranche_code code = change_run(store, STATEMENT_SCHEDULE_DROP, err);
    if (code == TRANCHE_OK && sqlite3_changes(sqlite_store(store)->connection.db) == 0)
        return fail(err, TRANCHE_NOTFOUND, "there is no schedule \"%s\"", id);
    return code;
}

static enum tranche_code schedules_due(struct tranche_store *store, int64_t now_us, uint32_t limit,
                                       tranche_schedule_visit *visit, void *context, struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_SCHEDULES_DUE);
    bind_integer(row, 1, now_us);
    bind_integer(row, 2, limit);
    return visit_all(connection, STATEMENT_SCHEDULES_DUE, visit, context, err);
}

static enum tranche_code schedules_wake(struct tranche_store *store, int64_t *due_us, bool *queued,
                                        struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_SCHEDULES_WAKE);
    enum tranche_code code = statement_row(connection, STATEMENT_SCHEDULES_WAKE, err);
    if (code != TRANCHE_OK)
        return code;
    *due_us = sqlite3_column_int64(row, 0); /* 0 for NULL */
    *queued = column_number(row, 1) != 0;
    statement_end(connection, STATEMENT_SCHEDULES_WAKE);
    return TRANCHE_OK;
}

/* ---- readers ---- */

static enum tranche_code reader_schedule_find(struct tranche_reader *reader, const char *id,
                                              struct tranche_schedule_record *out, struct tranche_err *err)
{
    return find(&sqlite_reader(reader)->connection, id, out, err);
}

static enum tranche_code reader_schedules_page(struct tranche_reader *reader, const char *after,
                                               uint32_t limit, tranche_schedule_visit *visit, void *context,
                                               struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_SCHEDULES_PAGE);
    bind_text(row, 1, after == NULL ? "" : after);
    bind_integer(row, 2, limit);
    return visit_all(connection, STATEMENT_SCHEDULES_PAGE, visit, context, err);
}

static enum tranche_code reader_schedule_jobs_page(struct tranche_reader *reader, const char *schedule,
                                                   int64_t before, uint32_t limit, tranche_job_visit *visit,
                                                   void *context, struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_SCHEDULE_JOBS_PAGE);
    bind_text(row, 1, schedule);
    bind_integer(row, 2, before == 0 ? INT64_MAX : before);
    bind_integer(row, 3, limit);
    return rows_visit_jobs(connection, STATEMENT_SCHEDULE_JOBS_PAGE, visit, context, err);
}

void sqlite_schedules_functions(struct tranche_store_functions *functions)
{
    functions->schedule_find = schedule_find;
    functions->schedule_put = schedule_put;
    functions->schedule_settle = schedule_settle;
    functions->schedule_drop = schedule_drop;
    functions->schedules_due = schedules_due;
    functions->schedules_wake = schedules_wake;
}

void sqlite_schedules_reader_functions(struct tranche_reader_functions *functions)
{
    functions->schedule_find = reader_schedule_find;
    functions->schedules_page = reader_schedules_page;
    functions->schedule_jobs_page = reader_schedule_jobs_page;
}
