/* Values that jobs write: what completed steps mean for a device's record, and the folds, which say what is still to be
 * done about that. A reader finds the values of one device that are not folded yet.
 */
#include "sqlite_internal.h"

#include "fail.h"
#include "mem.h"
#include "rows.h"

#include <string.h>

static_assert(TRANCHE_DEVICE_COMPLETED == 1, "DONE_RANGE");

/* ---- a device's record ---- */

/* The JSON paths of a step: of the value, of its component's object (NULL for the root's), and of its stamp. */
struct paths {
    struct text value, component, stamp;
};

static void paths_of(const struct tranche_step *step, struct paths *paths)
{
    bool root = step->component[0] == '\0';
    text_clear(&paths->value);
    text_clear(&paths->component);
    text_clear(&paths->stamp);
    if (!root)
        text_printf(&paths->component, "$.\"%s\"", step->component);
    text_printf(&paths->value, "%s.\"%s\"", root ? "$" : paths->component.bytes, step->name);
    text_printf(&paths->stamp, "$.\"%s%s%s\"", step->component, root ? "" : ".", step->name);
}

static enum tranche_code device_set(struct tranche_store *store, uint32_t no, const struct tranche_step *step,
                                    const struct paths *paths, int64_t at_us, struct tranche_err *err)
{
    if (paths->value.failed || paths->component.failed || paths->stamp.failed)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    sqlite3_stmt *set = change_take(store, STATEMENT_DEVICE_SET);
    bind_integer(set, 1, no);
    bind_text(set, 2, paths->value.bytes);
    bind_text(set, 3, step->component[0] == '\0' ? NULL : paths->component.bytes);
    bind_bytes(set, 4, step->value, step->value_bytes);
    bind_text(set, 5, paths->stamp.bytes);
    bind_integer(set, 6, at_us);
    return change_run(store, STATEMENT_DEVICE_SET, err);
}

static enum tranche_code device_assign(struct tranche_store *store, enum statement statement, uint32_t no,
                                       const char *target, struct tranche_err *err)
{
    sqlite3_stmt *assign = change_take(store, statement);
    bind_integer(assign, 1, no);
    bind_text(assign, 2, target);
    return change_run(store, statement, err);
}

static enum tranche_code device_apply(struct tranche_store *store, uint32_t no, const struct tranche_step *steps,
                                      uint16_t step_count, int64_t at_us, struct tranche_err *err)
{
    struct paths paths = { 0 };
    enum tranche_code code = TRANCHE_OK;
    for (uint16_t i = 0; i < step_count && code == TRANCHE_OK; i++) {
        switch (steps[i].kind) {
        case TRANCHE_STEP_PROPERTY:
        case TRANCHE_STEP_CLOUD_PROPERTY:
            paths_of(&steps[i], &paths);
            code = device_set(store, no, &steps[i], &paths, at_us, err);
            break;
        case TRANCHE_STEP_TEMPLATE_MIGRATION:
            code = device_assign(store, STATEMENT_DEVICE_ASSIGN, no, steps[i].target, err);
            break;
        case TRANCHE_STEP_MANIFEST_MIGRATION:
            code = device_assign(store, STATEMENT_DEVICE_DEPLOY, no, steps[i].target, err);
            break;
        case TRANCHE_STEP_COMMAND:
        case TRANCHE_STEP_KIND_COUNT:
            break;
        }
    }
    text_free(&paths.value);
    text_free(&paths.component);
    text_free(&paths.stamp);
    return code;
}

/* ---- folds ---- */

static enum tranche_code fold_put(struct tranche_store *store, int64_t job, uint32_t next, struct tranche_err *err)
{
    sqlite3_stmt *put = change_take(store, STATEMENT_FOLD_PUT);
    bind_integer(put, 1, job);
    bind_integer(put, 2, next);
    return change_run(store, STATEMENT_FOLD_PUT, err);
}

static enum tranche_code fold_drop(struct tranche_store *store, int64_t job, struct tranche_err *err)
{
    bind_integer(change_take(store, STATEMENT_FOLD_DROP), 1, job);
    return change_run(store, STATEMENT_FOLD_DROP, err);
}

static enum tranche_code visit_folds(struct connection *connection, int64_t after, uint32_t limit,
                                     tranche_fold_visit *visit, void *context, struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(connection, STATEMENT_FOLDS);
    bind_integer(row, 1, after);
    bind_integer(row, 2, limit);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_FOLDS, err)) == TRANCHE_OK) {
        struct tranche_job_record job;
        if (!row_job(row, &job))
            return row_damaged(connection, STATEMENT_FOLDS, err);
        visit(context, &job, column_number(row, ROW_JOB_COLUMNS));
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static enum tranche_code folds(struct tranche_store *store, int64_t after, uint32_t limit, tranche_fold_visit *visit,
                               void *context, struct tranche_err *err)
{
    return visit_folds(&sqlite_store(store)->connection, after, limit, visit, context, err);
}

static enum tranche_code visit_done(struct connection *connection, int64_t job, uint32_t first, uint32_t count,
                                    tranche_done_visit *visit, void *context, struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(connection, STATEMENT_DONE_RANGE);
    bind_integer(row, 1, job);
    bind_integer(row, 2, first);
    bind_integer(row, 3, (int64_t)first + count);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_DONE_RANGE, err)) == TRANCHE_OK) {
        struct tranche_done_record done = {
            .ordinal = column_number(row, 0),
            .step = (uint16_t)sqlite3_column_int(row, 1),
            .final = column_number(row, 2) != 0,
            .at_us = sqlite3_column_int64(row, 3),
        };
        visit(context, &done);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static enum tranche_code job_done(struct tranche_store *store, int64_t job, uint32_t first, uint32_t count,
                                  tranche_done_visit *visit, void *context, struct tranche_err *err)
{
    return visit_done(&sqlite_store(store)->connection, job, first, count, visit, context, err);
}

void sqlite_values_functions(struct tranche_store_functions *functions)
{
    functions->device_apply = device_apply;
    functions->fold_put = fold_put;
    functions->fold_drop = fold_drop;
    functions->folds = folds;
    functions->job_done = job_done;
}

/* ---- one device's unfolded values ---- */

/* The walk along the folds of one device. */
struct search {
    struct connection *connection;
    const struct tranche_device_record *device;
    const struct tranche_job_record *job;
    tranche_value_visit *visit;
    void *context;
    enum tranche_code code;
    struct tranche_err *err;
};

/* Members are in the order of their ids, so the device's ordinal is found by halving; false: it is no member. */
static enum tranche_code find_ordinal(struct search *search, uint32_t *ordinal, bool *found)
{
    uint32_t low = 0, high = search->job->tally.total;
    *found = false;
    while (low < high && !*found) {
        uint32_t middle = low + (high - low) / 2, no;
        char id[TRANCHE_DEVICE_BYTES];
        enum tranche_code code = rows_member(search->connection, search->job, middle, &no, id, search->err);
        if (code != TRANCHE_OK)
            return code;
        int order = strcmp(id, search->device->id);
        if (order == 0 && no != search->device->no)
            return TRANCHE_OK; /* an earlier device of that id */
        *found = order == 0;
        *ordinal = middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return TRANCHE_OK;
}

static void visit_value(void *context, const struct tranche_done_record *done)
{
    const struct search *search = context;
    search->visit(search->context, search->job, done);
}

static void search_job(void *context, const struct tranche_job_record *job, uint32_t next)
{
    struct search *search = context;
    uint32_t ordinal = 0;
    bool found = false;
    if (search->code != TRANCHE_OK || next >= job->next)
        return; /* nothing beyond job->next has a result */
    search->job = job;
    search->code = find_ordinal(search, &ordinal, &found);
    if (search->code == TRANCHE_OK && found && ordinal >= next)
        search->code = visit_done(search->connection, job->no, ordinal, 1, visit_value, search, search->err);
}

static enum tranche_code device_values(struct tranche_reader *reader, const struct tranche_device_record *device,
                                       tranche_value_visit *visit, void *context, struct tranche_err *err)
{
    struct sqlite_reader *r = sqlite_reader(reader);
    struct search search = {
        .connection = &r->connection, .device = device, .visit = visit, .context = context, .err = err,
    };
    bool opened = false;
    enum tranche_code code = reader_snapshot_open(r, &opened, err);
    if (code == TRANCHE_OK)
        code = visit_folds(&r->connection, 0, UINT32_MAX, search_job, &search, err);
    reader_snapshot_close(r, opened);
    return code == TRANCHE_OK ? search.code : code;
}

void sqlite_values_reader_functions(struct tranche_reader_functions *functions)
{
    functions->device_values = device_values;
}
