/* Selections: which devices a job is for, resolved on one snapshot.
 *
 * By filter: the living devices, bytewise by id. One of two indexes hands them out in that order, so nothing is sorted
 * and a page costs what it holds; INDEXED BY makes the planner's choice ours. By origin: the devices whose last word in
 * another job was failed or unknown, in that job's order, deleted ones too.
 */
#include "sqlite_internal.h"

#include "batch.h"
#include "fail.h"
#include "rows.h"

#include <string.h>

#define BY_TEMPLATE "FROM device INDEXED BY device_template WHERE deleted = 0 AND ("
#define BY_ID       "FROM device INDEXED BY device_id WHERE deleted = 0 AND ("

/* ---- by filter ---- */

void bind_filter(sqlite3_stmt *statement, const struct filter_sql *filter)
{
    int position = 1;
    for (const struct filter_sql_value *value = filter->values; value != NULL; value = value->next, position++) {
        if (value->type == FILTER_SQL_TEXT)
            bind_text(statement, position, value->text);
        else if (value->type == FILTER_SQL_INTEGER)
            bind_integer(statement, position, value->integer);
        else
            bind_real(statement, position, value->real);
    }
}

/* Prepares what to select, "FROM device WHERE" the filter, and how to order it. */
static enum tranche_code prepare(struct sqlite_reader *r, const char *what, const char *order, sqlite3_stmt **statement,
                                 struct tranche_err *err)
{
    const struct filter_sql *filter = &r->selection.filter;
    struct text sql = { 0 };
    text_puts(&sql, what);
    text_puts(&sql, filter->one_template ? BY_TEMPLATE : BY_ID);
    text_puts(&sql, filter->condition.bytes);
    text_puts(&sql, order);
    enum tranche_code code = TRANCHE_OK;
    if (sql.failed)
        code = fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    else if (sqlite3_prepare_v2(r->connection.db, sql.bytes, -1, statement, NULL) != SQLITE_OK)
        code = sqlite_fail(r->connection.db, "select devices", err);
    else
        bind_filter(*statement, filter);
    text_free(&sql);
    return code;
}

static enum tranche_code count_by_filter(struct sqlite_reader *r, uint32_t *count, struct tranche_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum tranche_code code = prepare(r, "SELECT count(*) ", ")", &statement, err);
    if (code != TRANCHE_OK)
        return code;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *count = column_number(statement, 0);
    else
        code = sqlite_fail(r->connection.db, "count devices", err);
    sqlite3_finalize(statement);
    return code;
}

static enum tranche_code next_by_filter(struct sqlite_reader *r, uint32_t *device, struct tranche_err *err)
{
    sqlite3_stmt *cursor = r->selection.by_filter;
    switch (sqlite3_step(cursor)) {
    case SQLITE_ROW:
        *device = column_number(cursor, 0);
        return TRANCHE_OK;
    case SQLITE_DONE:
        return TRANCHE_NOTFOUND;
    default:
        return sqlite_fail(r->connection.db, "select devices", err);
    }
}

/* ---- by origin ---- */

/* The origin's membership, as far as it is frozen. An origin that does not exist has no failures. */
static enum tranche_code load_origin(struct sqlite_reader *r, int64_t origin, struct tranche_err *err)
{
    sqlite3_stmt *load = statement_take(&r->connection, STATEMENT_JOB_SHAPE);
    bind_integer(load, 1, origin);
    enum tranche_code code = statement_row(&r->connection, STATEMENT_JOB_SHAPE, err);
    if (code == TRANCHE_NOTFOUND)
        return TRANCHE_OK;
    if (code != TRANCHE_OK)
        return code;
    r->selection.origin = origin;
    r->selection.total = column_number(load, 0);
    r->selection.batch_devices = column_number(load, 1);
    statement_end(&r->connection, STATEMENT_JOB_SHAPE);
    return TRANCHE_OK;
}

static enum tranche_code count_by_origin(struct sqlite_reader *r, const struct tranche_selection *selection,
                                         uint32_t *count, struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(&r->connection, STATEMENT_FAILURES_COUNT);
    bind_integer(row, 1, selection->origin);
    bind_integer(row, 2, selection->origin_until_us);
    enum tranche_code code = statement_row(&r->connection, STATEMENT_FAILURES_COUNT, err);
    if (code != TRANCHE_OK)
        return code;
    *count = column_number(row, 0);
    statement_end(&r->connection, STATEMENT_FAILURES_COUNT);
    return TRANCHE_OK;
}

/* Makes the members hold the ordinal's chunk. */
static enum tranche_code load_members(struct sqlite_reader *r, uint32_t ordinal, struct tranche_err *err)
{
    struct selection *selection = &r->selection;
    if (ordinal >= selection->total)
        return fail(err, TRANCHE_IO, "job %lld has a result beyond its %u devices", (long long)selection->origin,
                    selection->total);
    uint32_t chunk = chunk_of(selection->batch_devices, ordinal);
    struct span span = chunk_span(selection->total, selection->batch_devices, chunk);
    enum tranche_code code =
        rows_chunk_load(&r->connection, selection->origin, chunk, selection->members, &selection->count, err);
    selection->first = span.first;
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && selection->count != span.count))
        return fail(err, TRANCHE_IO, "job %lld lacks members of its chunk %u", (long long)selection->origin, chunk);
    return code;
}

static enum tranche_code next_by_origin(struct sqlite_reader *r, uint32_t *device, struct tranche_err *err)
{
    struct selection *selection = &r->selection;
    enum tranche_code code = statement_row(&r->connection, STATEMENT_FAILURES, err);
    if (code != TRANCHE_OK)
        return code;
    uint32_t ordinal = column_number(r->connection.statements[STATEMENT_FAILURES], 0);
    if (ordinal < selection->first || ordinal - selection->first >= selection->count)
        code = load_members(r, ordinal, err);
    if (code == TRANCHE_OK)
        *device = selection->members[ordinal - selection->first];
    return code;
}

static void start_by_origin(struct sqlite_reader *r, const struct tranche_selection *selection)
{
    sqlite3_stmt *failures = statement_take(&r->connection, STATEMENT_FAILURES);
    bind_integer(failures, 1, selection->origin);
    bind_integer(failures, 2, selection->origin_until_us);
}

/* ---- either ---- */

static enum tranche_code take_filter(struct sqlite_reader *r, const char *text, struct tranche_err *err)
{
    enum tranche_code code = filter_parse(text, strlen(text), &r->selection.parsed, err);
    return code == TRANCHE_OK ? filter_sql_write(&r->selection.parsed, &r->selection.filter, err) : code;
}

static enum tranche_code count(struct sqlite_reader *r, const struct tranche_selection *selection, uint32_t *total,
                               struct tranche_err *err)
{
    if (selection->filter == NULL)
        return count_by_origin(r, selection, total, err);
    enum tranche_code code = take_filter(r, selection->filter, err);
    return code == TRANCHE_OK ? count_by_filter(r, total, err) : code;
}

static void select_close(struct tranche_reader *reader)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    struct selection *selection = &r->selection;
    sqlite3_finalize(selection->by_filter);
    if (selection->open && selection->by_filter == NULL)
        statement_end(&r->connection, STATEMENT_FAILURES);
    filter_sql_free(&selection->filter);
    filter_free(&selection->parsed);
    reader_snapshot_close(r, selection->open);
    *selection = (struct selection){ 0 };
}

static enum tranche_code select_count(struct tranche_reader *reader, const struct tranche_selection *selection,
                                      uint32_t *total, struct tranche_err *err)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    assert(!r->selection.open); /* one at a time */
    enum tranche_code code = count(r, selection, total, err);
    select_close(reader);
    return code;
}

static enum tranche_code select_open(struct tranche_reader *reader, const struct tranche_selection *selection,
                                     uint32_t *total, struct tranche_err *err)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    assert(!r->selection.open);
    enum tranche_code code = reader_snapshot_open(r, &r->selection.open, err);
    if (code == TRANCHE_OK)
        code = count(r, selection, total, err);
    if (code == TRANCHE_OK && selection->filter != NULL)
        code = prepare(r, "SELECT no ", ") ORDER BY id", &r->selection.by_filter, err);
    else if (code == TRANCHE_OK) {
        start_by_origin(r, selection);
        code = load_origin(r, selection->origin, err);
    }
    if (code != TRANCHE_OK)
        select_close(reader);
    return code;
}

static enum tranche_code select_next(struct tranche_reader *reader, uint32_t *devices, uint32_t max, uint32_t *taken,
                                     struct tranche_err *err)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    struct selection *selection = &r->selection;
    assert(selection->open);
    enum tranche_code code = TRANCHE_OK;
    *taken = 0;
    while (code == TRANCHE_OK && *taken < max && !selection->at_end) {
        code = selection->by_filter != NULL ? next_by_filter(r, &devices[*taken], err)
                                            : next_by_origin(r, &devices[*taken], err);
        if (code == TRANCHE_OK)
            ++*taken;
        selection->at_end = code == TRANCHE_NOTFOUND;
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

void sqlite_select_functions(struct tranche_reader_functions *functions)
{
    functions->select_count = select_count;
    functions->select_open = select_open;
    functions->select_next = select_next;
    functions->select_close = select_close;
}
