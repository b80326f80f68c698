/* Objects, which the engine does not act on, and the audit. */
#include "sqlite_internal.h"

#include "fail.h"
#include "rows.h"

#define TEXT_COLUMN 2 /* of OBJECT_COLUMNS: the body */

static const char *const kinds[] = {
    [TRANCHE_TEMPLATE] = "template",
    [TRANCHE_ORGANIZATION] = "organization",
    [TRANCHE_TOKEN] = "token",
};
static_assert(sizeof kinds / sizeof kinds[0] == TRANCHE_OBJECT_COUNT, "every kind has a word");

/* ---- objects ---- */

static enum tranche_code row_object(struct connection *connection, enum statement statement,
                                    enum tranche_object kind, struct tranche_object_record *out,
                                    struct tranche_err *err)
{
    sqlite3_stmt *row = connection->statements[statement];
    const char **const strings[] = { &out->body };
    *out = (struct tranche_object_record){ .kind = kind, .revision = sqlite3_column_int64(row, 1) };
    if (!column_copy(row, 0, out->id, sizeof out->id))
        return row_damaged(connection, statement, err);
    return connection_keep(connection, row, TEXT_COLUMN, 1, strings, err);
}

static enum tranche_code find(struct connection *connection, enum tranche_object kind, const char *id,
                              struct tranche_object_record *out, struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(connection, STATEMENT_OBJECT_FIND);
    bind_text(row, 1, kinds[kind]);
    bind_text(row, 2, id);
    enum tranche_code code = statement_row(connection, STATEMENT_OBJECT_FIND, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "there is no %s \"%s\"", kinds[kind], id);
    if (code != TRANCHE_OK)
        return code;
    code = row_object(connection, STATEMENT_OBJECT_FIND, kind, out, err);
    statement_end(connection, STATEMENT_OBJECT_FIND);
    return code;
}

static enum tranche_code list(struct connection *connection, enum tranche_object kind, const char *after,
                              int64_t limit, tranche_object_visit *visit, void *context,
                              struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(connection, STATEMENT_OBJECTS);
    bind_text(row, 1, kinds[kind]);
    bind_text(row, 2, after == NULL ? "" : after);
    bind_integer(row, 3, limit);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_OBJECTS, err)) == TRANCHE_OK) {
        struct tranche_object_record object;
        code = row_object(connection, STATEMENT_OBJECTS, kind, &object, err);
        if (code != TRANCHE_OK) {
            statement_end(connection, STATEMENT_OBJECTS);
            return code;
        }
        visit(context, &object);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static enum tranche_code put(struct connection *connection, const struct tranche_object_record *object,
                             int64_t first, int64_t *revision, struct tranche_err *err)
{
    sqlite3_stmt *put = statement_take(connection, STATEMENT_OBJECT_PUT);
    bind_text(put, 1, kinds[object->kind]);
    bind_text(put, 2, object->id);
    bind_text(put, 3, object->body);
    bind_integer(put, 4, first);
    enum tranche_code code = statement_row(connection, STATEMENT_OBJECT_PUT, err);
    if (code != TRANCHE_OK)
        return code;
    *revision = sqlite3_column_int64(put, 0);
    statement_end(connection, STATEMENT_OBJECT_PUT);
    return TRANCHE_OK;
}

enum tranche_code object_insert(struct connection *connection, const struct tranche_object_record *object,
                                struct tranche_err *err)
{
    int64_t revision;
    struct tranche_object_record present;
    enum tranche_code code = find(connection, object->kind, object->id, &present, err);
    if (code == TRANCHE_OK)
        return fail(err, TRANCHE_CONFLICT, "there is a %s \"%s\" already", kinds[object->kind], object->id);
    return code == TRANCHE_NOTFOUND ? put(connection, object, 1, &revision, err) : code;
}

static enum tranche_code object_find(struct tranche_store *store, enum tranche_object kind, const char *id,
                                     struct tranche_object_record *out, struct tranche_err *err)
{
    return find(&sqlite_store(store)->connection, kind, id, out, err);
}

static enum tranche_code object_put(struct tranche_store *store, struct tranche_object_record *object,
                                    struct tranche_err *err)
{
    assert(sqlite_store(store)->connection.writing);
    return put(&sqlite_store(store)->connection, object, first_revision(store), &object->revision, err);
}

static enum tranche_code object_drop(struct tranche_store *store, enum tranche_object kind, const char *id,
                                     struct tranche_err *err)
{
    sqlite3_stmt *drop = change_take(store, STATEMENT_OBJECT_DROP);
    bind_text(drop, 1, kinds[kind]);
    bind_text(drop, 2, id);
    enum tranche_code code = change_run(store, STATEMENT_OBJECT_DROP, err);
    if (code == TRANCHE_OK && sqlite3_changes(sqlite_store(store)->connection.db) == 0)
        return fail(err, TRANCHE_NOTFOUND, "there is no %s \"%s\"", kinds[kind], id);
    return code;
}

static enum tranche_code objects(struct tranche_store *store, enum tranche_object kind,
                                 tranche_object_visit *visit, void *context, struct tranche_err *err)
{
    return list(&sqlite_store(store)->connection, kind, NULL, INT64_MAX, visit, context, err);
}

static enum tranche_code object_holds(struct tranche_store *store, enum tranche_object kind, const char *id,
                                      const char **what, struct tranche_err *err)
{
    static const char *const words[] = { NULL, "jobs", "schedules", "device groups", "devices" };
    struct connection *connection = &sqlite_store(store)->connection;
    *what = NULL;
    if (kind == TRANCHE_TOKEN)
        return TRANCHE_OK;
    enum statement statement =
        kind == TRANCHE_TEMPLATE ? STATEMENT_TEMPLATE_HOLDS : STATEMENT_ORGANIZATION_HOLDS;
    sqlite3_stmt *row = statement_take(connection, statement);
    bind_text(row, 1, id);
    enum tranche_code code = statement_row(connection, statement, err);
    if (code != TRANCHE_OK)
        return code;
    *what = words[column_number(row, 0)];
    statement_end(connection, statement);
    return TRANCHE_OK;
}

static enum tranche_code reader_object_find(struct tranche_reader *reader, enum tranche_object kind,
                                            const char *id, struct tranche_object_record *out,
                                            struct tranche_err *err)
{
    return find(&sqlite_reader(reader)->connection, kind, id, out, err);
}

static enum tranche_code reader_objects_page(struct tranche_reader *reader, enum tranche_object kind,
                                             const char *after, uint32_t limit, tranche_object_visit *visit,
                                             void *context, struct tranche_err *err)
{
    return list(&sqlite_reader(reader)->connection, kind, after, limit, visit, context, err);
}

/* ---- the audit ---- */

enum tranche_code audit_insert(struct connection *connection, const struct tranche_audit_record *audit,
                               struct tranche_err *err)
{
    sqlite3_stmt *put = statement_take(connection, STATEMENT_AUDIT_PUT);
    bind_integer(put, 1, audit->at_us);
    bind_text(put, 2, audit->who);
    bind_text(put, 3, audit->request);
    bind_text(put, 4, audit->operation);
    bind_text(put, 5, audit->object);
    bind_text(put, 6, audit->etag_before);
    bind_text(put, 7, audit->etag_after);
    bind_text(put, 8, audit->result);
    return statement_run(connection, STATEMENT_AUDIT_PUT, err);
}

static enum tranche_code audit_put(struct tranche_store *store, const struct tranche_audit_record *audit,
                                   struct tranche_err *err)
{
    assert(sqlite_store(store)->connection.writing);
    return audit_insert(&sqlite_store(store)->connection, audit, err);
}

static bool row_audit(sqlite3_stmt *row, struct tranche_audit_record *out)
{
    *out = (struct tranche_audit_record){ .no = sqlite3_column_int64(row, 0),
                                          .at_us = sqlite3_column_int64(row, 1) };
    return column_copy(row, 2, out->who, sizeof out->who) &&
           column_copy(row, 3, out->request, sizeof out->request) &&
           column_copy(row, 4, out->operation, sizeof out->operation) &&
           column_copy(row, 5, out->object, sizeof out->object) &&
           column_copy(row, 6, out->etag_before, sizeof out->etag_before) &&
           column_copy(row, 7, out->etag_after, sizeof out->etag_after) &&
           column_copy(row, 8, out->result, sizeof out->result);
}

static enum tranche_code reader_audit_page(struct tranche_reader *reader, int64_t before, uint32_t limit,
                                           tranche_audit_visit *visit, void *context, struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_AUDIT_PAGE);
    bind_integer(row, 1, before == 0 ? INT64_MAX : before);
    bind_integer(row, 2, limit);
    enum tranche_code code;
    while ((code = statement_row(connection, STATEMENT_AUDIT_PAGE, err)) == TRANCHE_OK) {
        struct tranche_audit_record audit;
        if (!row_audit(row, &audit))
            return row_damaged(connection, STATEMENT_AUDIT_PAGE, err);
        visit(context, &audit);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

void sqlite_objects_functions(struct tranche_store_functions *functions)
{
    functions->object_find = object_find;
    functions->object_put = object_put;
    functions->object_drop = object_drop;
    functions->objects = objects;
    functions->object_holds = object_holds;
    functions->audit_put = audit_put;
}

void sqlite_objects_reader_functions(struct tranche_reader_functions *functions)
{
    functions->object_find = reader_object_find;
    functions->objects_page = reader_objects_page;
    functions->audit_page = reader_audit_page;
}
