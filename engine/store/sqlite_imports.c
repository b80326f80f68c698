/* Imports: the writer's side, which goes on with them, and the readers', which tells how they are. */
#include "sqlite_internal.h"

#include "fail.h"
#include "rows.h"

#define TEXT_COLUMN 11 /* of IMPORT_COLUMNS: file, reason, and then the complaints */

static enum tranche_code import_put(struct tranche_store *store, struct tranche_import_record *import,
                                    struct tranche_err *err)
{
    bool fresh = import->no == 0;
    enum statement statement = fresh ? STATEMENT_IMPORT_INSERT : STATEMENT_IMPORT_UPDATE;
    sqlite3_stmt *put = change_take(store, statement);
    bind_integer(put, 1, import->position);
    bind_integer(put, 2, (int64_t)import->created);
    bind_integer(put, 3, (int64_t)import->updated);
    bind_integer(put, 4, import->done);
    bind_text(put, 5, import->reason);
    bind_integer(put, 6, import->ended_us);
    if (fresh) {
        bind_text(put, 7, import->id);
        bind_text(put, 8, import->file);
        bind_integer(put, 9, (int64_t)import->lines);
        bind_integer(put, 10, (int64_t)import->bad);
        bind_integer(put, 11, (int64_t)import->devices);
        bind_integer(put, 12, import->begun_us);
        bind_text(put, 13, import->complaints);
    } else {
        bind_integer(put, 7, import->no);
    }
    enum tranche_code code = change_run(store, statement, err);
    if (code == TRANCHE_CONFLICT)
        return fail(err, code, "there is an import \"%s\" already", import->id);
    if (code == TRANCHE_OK && fresh)
        import->no = sqlite3_last_insert_rowid(sqlite_store(store)->connection.db);
    return code;
}

/* The statement's row; its strings live in the connection until others are kept there. */
static enum tranche_code row_import(struct connection *connection, enum statement statement,
                                    struct tranche_import_record *out, struct tranche_err *err)
{
    sqlite3_stmt *row = connection->statements[statement];
    *out = (struct tranche_import_record){
        .no = sqlite3_column_int64(row, 0),
        .position = sqlite3_column_int64(row, 2),
        .lines = (uint64_t)sqlite3_column_int64(row, 3),
        .bad = (uint64_t)sqlite3_column_int64(row, 4),
        .devices = (uint64_t)sqlite3_column_int64(row, 5),
        .created = (uint64_t)sqlite3_column_int64(row, 6),
        .updated = (uint64_t)sqlite3_column_int64(row, 7),
        .done = column_number(row, 8) != 0,
        .begun_us = sqlite3_column_int64(row, 9),
        .ended_us = sqlite3_column_int64(row, 10),
    };
    if (!column_copy(row, 1, out->id, sizeof out->id))
        return row_damaged(connection, statement, err);
    const char **const strings[] = { &out->file, &out->reason, &out->complaints };
    return connection_keep(connection, row, TEXT_COLUMN, 3, strings, err);
}

/* All rows of a statement that was taken. */
static enum tranche_code visit_all(struct connection *connection, enum statement statement,
                                   tranche_import_visit *visit, void *context, struct tranche_err *err)
{
    struct tranche_import_record import;
    enum tranche_code code;
    while ((code = statement_row(connection, statement, err)) == TRANCHE_OK) {
        code = row_import(connection, statement, &import, err);
        if (code != TRANCHE_OK) {
            statement_end(connection, statement);
            return code;
        }
        visit(context, &import);
    }
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static enum tranche_code imports_open(struct tranche_store *store, tranche_import_visit *visit, void *context,
                                      struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    statement_take(connection, STATEMENT_IMPORTS_OPEN);
    return visit_all(connection, STATEMENT_IMPORTS_OPEN, visit, context, err);
}

static enum tranche_code reader_import_find(struct tranche_reader *reader, const char *id,
                                            struct tranche_import_record *out, struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    bind_text(statement_take(connection, STATEMENT_IMPORT_FIND), 1, id);
    enum tranche_code code = statement_row(connection, STATEMENT_IMPORT_FIND, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "there is no import \"%s\"", id);
    if (code != TRANCHE_OK)
        return code;
    code = row_import(connection, STATEMENT_IMPORT_FIND, out, err);
    statement_end(connection, STATEMENT_IMPORT_FIND);
    return code;
}

static enum tranche_code reader_imports_page(struct tranche_reader *reader, uint32_t limit,
                                             tranche_import_visit *visit, void *context,
                                             struct tranche_err *err)
{
    struct connection *connection = &sqlite_reader(reader)->connection;
    bind_integer(statement_take(connection, STATEMENT_IMPORTS_PAGE), 1, limit);
    return visit_all(connection, STATEMENT_IMPORTS_PAGE, visit, context, err);
}

void sqlite_imports_functions(struct tranche_store_functions *functions)
{
    functions->import_put = import_put;
    functions->imports_open = imports_open;
}

void sqlite_imports_reader_functions(struct tranche_reader_functions *functions)
{
    functions->import_find = reader_import_find;
    functions->imports_page = reader_imports_page;
}
