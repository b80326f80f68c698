#include "connection.h"

#include "fail.h"

#include <assert.h>
#include <string.h>

/* The strings that one record can have. */
#define KEEP_MAX 6

static const struct {
    unsigned roles;
    const char *what;
    const char *sql;
} rows[] = {
#define X(name, roles, what, sql) [STATEMENT_##name] = { roles, what, sql },
    STATEMENTS(X)
#undef X
};

/* Full synchronization, because an acknowledged write survives power loss. Checkpoints are a matter of their own thread.
 * The writer's cache holds the pages that a run of commits touches: the ends of the tables and the window's rows.
 * Debian's SQLite overwrites deleted rows with zeros; there is nothing secret in ours. */
static const char writer_setup[] =
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA secure_delete = OFF;"
    "PRAGMA cache_size = -16384;"
    "PRAGMA wal_autocheckpoint = 0;";

static const char reader_setup[] =
    "PRAGMA query_only = ON;";

enum tranche_code sqlite_fail(sqlite3 *db, const char *what, struct tranche_err *err)
{
    int result = sqlite3_extended_errcode(db);
    int system = 0;
    enum tranche_code code = TRANCHE_INTERNAL; /* unless below: an error in our SQL, or in how we use the library */
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
        code = TRANCHE_UNAVAILABLE;
        break;
    case SQLITE_NOMEM:
        code = TRANCHE_NOMEM;
        break;
    case SQLITE_CONSTRAINT:
        code = result == SQLITE_CONSTRAINT_DATATYPE ? TRANCHE_INVALID : TRANCHE_CONFLICT;
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        system = sqlite3_system_errno(db);
        code = TRANCHE_IO;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
        code = TRANCHE_IO;
        break;
    }
    if (system == 0)
        return fail(err, code, "%s: %s", what, sqlite3_errmsg(db));
    return fail(err, code, "%s: %s (%s)", what, sqlite3_errmsg(db), strerrordesc_np(system));
}

static enum tranche_code run_text(sqlite3 *db, const char *sql, const char *what, struct tranche_err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? TRANCHE_OK : sqlite_fail(db, what, err);
}

static int take_word(void *word, int columns, char **values, char **names)
{
    (void)columns, (void)names;
    strncat(word, values[0], 15);
    return 0;
}

/* A new file gets pages of the size that the checkpointer reckons with. The second pragma does not fail when the file
 * system or the VFS cannot do it: it answers with the mode that is in force. */
static enum tranche_code set_wal(sqlite3 *db, struct tranche_err *err)
{
    char mode[16] = "";
    if (sqlite3_exec(db, "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL", take_word, mode, NULL) != SQLITE_OK)
        return sqlite_fail(db, "turn on the write-ahead log", err);
    if (strcmp(mode, "wal") != 0)
        return fail(err, TRANCHE_IO, "this file system cannot hold a write-ahead log (the mode stays \"%s\")", mode);
    return TRANCHE_OK;
}

static enum tranche_code set_up(sqlite3 *db, bool readonly, struct tranche_err *err)
{
    sqlite3_extended_result_codes(db, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    enum tranche_code code = readonly ? TRANCHE_OK : set_wal(db, err);
    if (code == TRANCHE_OK)
        code = run_text(db, readonly ? reader_setup : writer_setup, "set up the store's connection", err);
    return code;
}

enum tranche_code connection_open(struct connection *connection, const char *path, const char *vfs, bool readonly,
                                  int busy_ms, struct tranche_err *err)
{
    *connection = (struct connection){ 0 };
    int flags = SQLITE_OPEN_NOMUTEX | (readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    enum tranche_code code = TRANCHE_OK;
    int result = sqlite3_open_v2(path, &connection->db, flags, vfs);
    if (connection->db == NULL)
        code = fail(err, TRANCHE_NOMEM, "open %s: out of memory", path);
    else if (result != SQLITE_OK)
        code = sqlite_fail(connection->db, path, err);
    if (code == TRANCHE_OK) {
        sqlite3_busy_timeout(connection->db, busy_ms);
        code = set_up(connection->db, readonly, err);
    }
    if (code != TRANCHE_OK)
        connection_close(connection);
    return code;
}

enum tranche_code connection_prepare(struct connection *connection, unsigned roles, struct tranche_err *err)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if ((rows[i].roles & roles) != 0 &&
            sqlite3_prepare_v3(connection->db, rows[i].sql, -1, SQLITE_PREPARE_PERSISTENT, &connection->statements[i],
                               NULL) != SQLITE_OK)
            return sqlite_fail(connection->db, rows[i].what, err);
    return TRANCHE_OK;
}

void connection_close(struct connection *connection)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(connection->statements[i]);
    int result = sqlite3_close(connection->db);
    assert(result == SQLITE_OK); /* else a statement was left behind */
    text_free(&connection->strings);
    *connection = (struct connection){ 0 };
}

/* ---- statements ---- */

const char *statement_what(enum statement statement)
{
    return rows[statement].what;
}

sqlite3_stmt *statement_take(struct connection *connection, enum statement statement)
{
    sqlite3_stmt *taken = connection->statements[statement];
    assert(taken != NULL);
    assert(!sqlite3_stmt_busy(taken)); /* a visitor called back, or an earlier use was not ended */
    return taken;
}

void statement_end(struct connection *connection, enum statement statement)
{
    sqlite3_reset(connection->statements[statement]);
    sqlite3_clear_bindings(connection->statements[statement]);
}

static enum tranche_code statement_fail(struct connection *connection, enum statement statement,
                                        struct tranche_err *err)
{
    enum tranche_code code = sqlite_fail(connection->db, rows[statement].what, err);
    /* A row that a constraint refuses undoes its own statement and nothing else. */
    if ((sqlite3_errcode(connection->db) & 0xff) != SQLITE_CONSTRAINT)
        connection->failed = connection->writing;
    statement_end(connection, statement);
    return code;
}

enum tranche_code statement_row(struct connection *connection, enum statement statement, struct tranche_err *err)
{
    if (connection->failed) { /* and perhaps rolled back: a change would now be a transaction of its own */
        statement_end(connection, statement);
        return fail(err, TRANCHE_IO, "%s: the transaction has failed before", rows[statement].what);
    }
    switch (sqlite3_step(connection->statements[statement])) {
    case SQLITE_ROW:
        return TRANCHE_OK;
    case SQLITE_DONE:
        statement_end(connection, statement);
        return TRANCHE_NOTFOUND;
    default:
        return statement_fail(connection, statement, err);
    }
}

enum tranche_code statement_run(struct connection *connection, enum statement statement, struct tranche_err *err)
{
    enum tranche_code code = statement_row(connection, statement, err);
    assert(code != TRANCHE_OK);
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

/* ---- values ---- */

/* Binding without a copy cannot fail but by misuse. */
static void bound(int result)
{
    assert(result == SQLITE_OK);
    (void)result;
}

void bind_integer(sqlite3_stmt *statement, int position, int64_t value)
{
    bound(sqlite3_bind_int64(statement, position, value));
}

void bind_real(sqlite3_stmt *statement, int position, double value)
{
    bound(sqlite3_bind_double(statement, position, value));
}

void bind_text(sqlite3_stmt *statement, int position, const char *text)
{
    bound(sqlite3_bind_text(statement, position, text, -1, SQLITE_STATIC));
}

void bind_bytes(sqlite3_stmt *statement, int position, const char *text, size_t length)
{
    bound(sqlite3_bind_text64(statement, position, text, length, SQLITE_STATIC, SQLITE_UTF8));
}

void bind_blob(sqlite3_stmt *statement, int position, const void *bytes, size_t length)
{
    bound(sqlite3_bind_blob64(statement, position, bytes, length, SQLITE_STATIC));
}

uint32_t column_number(sqlite3_stmt *statement, int column)
{
    return (uint32_t)sqlite3_column_int64(statement, column);
}

const char *column_string(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

bool column_copy(sqlite3_stmt *statement, int column, char *target, size_t size)
{
    const char *text = column_string(statement, column);
    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(target, text, strlen(text) + 1);
    return true;
}

enum tranche_code connection_keep(struct connection *connection, sqlite3_stmt *statement, int first, int count,
                                  const char **const targets[], struct tranche_err *err)
{
    assert(count <= KEEP_MAX);
    struct text *strings = &connection->strings;
    bool present[KEEP_MAX] = { false };
    size_t starts[KEEP_MAX] = { 0 };
    text_clear(strings);
    for (int i = 0; i < count; i++) {
        const char *text = column_string(statement, first + i);
        present[i] = text != NULL;
        starts[i] = strings->length;
        if (text != NULL)
            text_add(strings, text, (size_t)sqlite3_column_bytes(statement, first + i) + 1);
    }
    if (strings->failed)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    for (int i = 0; i < count; i++)
        *targets[i] = present[i] ? strings->bytes + starts[i] : NULL;
    return TRANCHE_OK;
}
