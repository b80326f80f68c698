/* Lists: of the registry, a page at a time, which begins behind the last item of the one before it, wherever that is, so
 * that nothing is counted off; and of a job's failures by reason. */
#include "sqlite_internal.h"

#include "fail.h"
#include "rows.h"

#include <string.h>

static enum tranche_code groups_page(struct tranche_reader *reader, const char *after, uint32_t limit,
                                     tranche_group_visit *visit, void *context, struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_GROUPS_PAGE);
    bind_text(row, 1, after == NULL ? "" : after);
    bind_integer(row, 2, limit);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_GROUPS_PAGE, err)) == TRANCHE_OK) {
        struct tranche_group_record group;
        if (!row_group(row, &group))
            return row_damaged(connection, STATEMENT_GROUPS_PAGE, err);
        visit(context, &group);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

/* ---- a job's open devices, and its failures ---- */

static enum tranche_code job_open(struct tranche_reader *reader, int64_t job, uint32_t *open, uint32_t *waiting,
                                  struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_JOB_OPEN);
    bind_integer(row, 1, job);
    enum tranche_code code = statement_row(connection, STATEMENT_JOB_OPEN, err);
    if (code != TRANCHE_OK)
        return code;
    *open = column_number(row, 0);
    *waiting = column_number(row, 1);
    statement_end(connection, STATEMENT_JOB_OPEN);
    return TRANCHE_OK;
}

static enum tranche_code visit_failures(struct connection *connection, const struct tranche_job_record *job, uint32_t limit,
                                        tranche_failure_visit *visit, void *context, struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(connection, STATEMENT_FAILURE_REASONS);
    bind_integer(row, 1, job->no);
    bind_integer(row, 2, limit);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_FAILURE_REASONS, err)) == TRANCHE_OK) {
        uint32_t no;
        char example[TRANCHE_DEVICE_BYTES];
        const char *reason = column_string(row, 1);
        struct tranche_failure failure = {
            .state = (enum tranche_device_state)sqlite3_column_int(row, 0),
            .reason = reason == NULL ? "" : reason,
            .count = column_number(row, 2),
            .last_us = sqlite3_column_int64(row, 3),
            .example = example,
        };
        code = rows_member(connection, job, column_number(row, 4), &no, example, err);
        if (code != TRANCHE_OK) {
            statement_end(connection, STATEMENT_FAILURE_REASONS);
            return code;
        }
        visit(context, &failure);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static enum tranche_code job_failures(struct tranche_reader *reader, const struct tranche_job_record *job, uint32_t limit,
                                      tranche_failure_visit *visit, void *context, struct tranche_err *err)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    bool opened = false;
    enum tranche_code code = reader_snapshot_open(r, &opened, err);
    if (code == TRANCHE_OK)
        code = visit_failures(&r->connection, job, limit, visit, context, err);
    reader_snapshot_close(r, opened);
    return code;
}

/* ---- devices ---- */

/* Behind the condition come the place and the limit; ?N and the following are bound after the filter's values. */
static void write_sql(const struct tranche_device_list *list, const struct filter_sql *filter, struct text *sql)
{
    int n = filter->value_count + 1;
    const char *index = filter->one_template ? "device_template" : "device_id";
    text_puts(sql, "SELECT " DEVICE_COLUMNS "FROM device ");
    if (list->order == TRANCHE_BY_ID)
        text_printf(sql, "INDEXED BY %s WHERE deleted = 0 AND (%s) AND id > ?%d ORDER BY id LIMIT ?%d", index,
                    filter->condition.bytes, n, n + 2);
    else if (list->order == TRANCHE_BY_NAME)
        text_printf(sql, "WHERE deleted = 0 AND (%s) AND (ifnull(display_name, id), id) > (?%d, ?%d) "
                    "ORDER BY ifnull(display_name, id), id LIMIT ?%d", filter->condition.bytes, n + 1, n, n + 2);
    else
        text_printf(sql, "WHERE deleted = 0 AND (%s) AND (?%d IS NULL OR (ifnull(display_name, id), id) < (?%d, ?%d)) "
                    "ORDER BY ifnull(display_name, id) DESC, id DESC LIMIT ?%d", filter->condition.bytes, n, n + 1, n,
                    n + 2);
}

static enum tranche_code visit_rows(struct connection *connection, sqlite3_stmt *row, tranche_device_visit *visit,
                                    void *context, struct tranche_err *err)
{
    int result;
    while ((result = sqlite3_step(row)) == SQLITE_ROW) {
        struct tranche_device_record device;
        if (!row_device(row, &device))
            return fail(err, TRANCHE_IO, "list devices: a row is damaged");
        visit(context, &device);
    }
    return result == SQLITE_DONE ? TRANCHE_OK : sqlite_fail(connection->db, "list devices", err);
}

static enum tranche_code run_list(struct connection *connection, const struct tranche_device_list *list,
                                  const struct filter_sql *filter, tranche_device_visit *visit, void *context,
                                  struct tranche_err *err)
{
    struct text sql = { 0 };
    sqlite3_stmt *row = NULL;
    write_sql(list, filter, &sql);
    enum tranche_code code = TRANCHE_OK;
    if (sql.failed)
        code = fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    else if (sqlite3_prepare_v2(connection->db, sql.bytes, -1, &row, NULL) != SQLITE_OK)
        code = sqlite_fail(connection->db, "list devices", err);
    text_free(&sql);
    if (code != TRANCHE_OK)
        return code;
    bool down = list->order == TRANCHE_BY_NAME_DOWN;
    int n = filter->value_count + 1;
    bind_filter(row, filter);
    bind_text(row, n, list->after_id == NULL && !down ? "" : list->after_id);
    if (list->order != TRANCHE_BY_ID)
        bind_text(row, n + 1, list->after_name == NULL ? "" : list->after_name);
    bind_integer(row, n + 2, list->limit);
    code = visit_rows(connection, row, visit, context, err);
    sqlite3_finalize(row);
    return code;
}

static enum tranche_code devices_page(struct tranche_reader *reader, const struct tranche_device_list *list,
                                      tranche_device_visit *visit, void *context, struct tranche_err *err)
{
    const char *text = list->filter == NULL ? "SELECT * FROM devices" : list->filter;
    struct filter filter;
    struct filter_sql sql = { 0 };
    enum tranche_code code = filter_parse(text, strlen(text), &filter, err);
    if (code != TRANCHE_OK)
        return code;
    bool opened = false;
    struct sqlite_reader *r = sqlite_reader(reader);
    code = filter_sql_write(&filter, &sql, err);
    if (code == TRANCHE_OK)
        code = reader_snapshot_open(r, &opened, err);
    if (code == TRANCHE_OK)
        code = run_list(&r->connection, list, &sql, visit, context, err);
    reader_snapshot_close(r, opened);
    filter_sql_free(&sql);
    filter_free(&filter);
    return code;
}

void sqlite_lists_functions(struct tranche_reader_functions *functions)
{
    functions->groups_page = groups_page;
    functions->job_open = job_open;
    functions->job_failures = job_failures;
    functions->devices_page = devices_page;
}
