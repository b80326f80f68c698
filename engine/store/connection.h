/* One SQLite connection with its prepared statements. A connection belongs to one thread at a time.
 *
 * The way of a statement: statement_take, bind, then either statement_run (no rows) or statement_row until it stops
 * answering TRANCHE_OK. Both leave the statement reset and its values unbound, so that nothing pins a snapshot or points
 * at the caller's memory; only after a statement_row that answered TRANCHE_OK and is not followed by another one,
 * statement_end is due. Bound texts and blobs are not copied: they must live until then.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "mem.h"
#include "statements.h"

#include <sqlite3.h>
#include <tranche/err.h>

struct connection {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* NULL: not for this role */
    bool writing;        /* a transaction was begun, and neither committed nor rolled back */
    bool failed;         /* something went wrong in it: SQLite may have rolled it back, and it must not be committed */
    struct text strings; /* of the last record whose strings live until the next call */
};

/* Opens and sets up, without statements. `readonly` connections never write. `busy_ms`: how long a lock is waited for. */
enum tranche_code connection_open(struct connection *connection, const char *path, const char *vfs, bool readonly,
                                  int busy_ms, struct tranche_err *err);
/* Prepares every statement of the roles. */
enum tranche_code connection_prepare(struct connection *connection, unsigned roles, struct tranche_err *err);
/* A zeroed connection is fine. */
void connection_close(struct connection *connection);

/* What SQLite says about the last call on `db`, as a failure of ours: "store a result: disk I/O error (...)". */
enum tranche_code sqlite_fail(sqlite3 *db, const char *what, struct tranche_err *err);

const char *statement_what(enum statement statement); /* "store a result" */
sqlite3_stmt *statement_take(struct connection *connection, enum statement statement);
/* Runs a statement that gives no rows. */
enum tranche_code statement_run(struct connection *connection, enum statement statement, struct tranche_err *err);
/* The next row. TRANCHE_NOTFOUND, without words in `err`: no more rows. */
enum tranche_code statement_row(struct connection *connection, enum statement statement, struct tranche_err *err);
void statement_end(struct connection *connection, enum statement statement);

/* Binding. Position counts from 1. NULL texts are bound as NULL. */
void bind_integer(sqlite3_stmt *statement, int position, int64_t value);
void bind_real(sqlite3_stmt *statement, int position, double value);
void bind_text(sqlite3_stmt *statement, int position, const char *text);
void bind_bytes(sqlite3_stmt *statement, int position, const char *text, size_t length); /* as text */
void bind_blob(sqlite3_stmt *statement, int position, const void *bytes, size_t length);

/* Columns of the present row count from 0. A text is NULL for NULL and lives until the next row. */
uint32_t column_number(sqlite3_stmt *statement, int column);
const char *column_string(sqlite3_stmt *statement, int column);
/* Copies a text; false when there is none that fits. */
bool column_copy(sqlite3_stmt *statement, int column, char *target, size_t size);

/* Copies `count` texts, from column `first` on, into the connection's memory, and points the targets at them. */
enum tranche_code connection_keep(struct connection *connection, sqlite3_stmt *statement, int first, int count,
                                  const char **const targets[], struct tranche_err *err);

#endif
