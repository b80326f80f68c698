/* The writer: opening, transactions, and what to do when a commit's end is not known.
 *
 * COMMIT writes the transaction's pages to the write-ahead log and syncs it. When SQLite says before that, or of a full
 * disk, that it cannot, then the log has no valid commit in it: the transaction has failed, for sure. When the sync
 * itself fails, or anything after it, the pages may be on the disk or not, and the kernel has forgotten which: a second
 * sync that succeeds proves nothing. Then the end is unknown, and recover does not believe the log: it opens the database
 * anew, and goes on only when everything that was acknowledged before has been copied out of the log into the database
 * file, that file has been synced, and the log has been cut to nothing.
 */
#include "sqlite_internal.h"

#include "directory.h"
#include "fail.h"
#include "schema.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAL_BYTES_MAX (64 * 1024 * 1024)
/* For opening, and for a token beside a running server: a migration or a checkpoint may be under way. */
#define OPEN_WAIT_MS 5000
/* A checkpoint or a short read under way may end; a longer one is waited for by trying again. */
#define RECOVER_WAIT_MS 100

/* ---- transactions ---- */

static void transaction_over(struct sqlite_store *s)
{
    if (!sqlite3_get_autocommit(s->connection.db)) {
        sqlite3_step(statement_take(&s->connection, STATEMENT_ROLLBACK));
        statement_end(&s->connection, STATEMENT_ROLLBACK);
    }
    assert(sqlite3_get_autocommit(s->connection.db)); /* in WAL mode a rollback needs no disk, it only forgets */
    s->connection.writing = false;
    s->connection.failed = false;
}

static void store_rollback(struct tranche_store *store)
{
    struct sqlite_store *s = sqlite_store(store);
    if (!s->connection.writing)
        return;
    transaction_over(s);
    texts_forget(&s->texts);
}

static enum tranche_code store_begin(struct tranche_store *store, int64_t number, struct tranche_err *err)
{
    struct sqlite_store *s = sqlite_store(store);
    assert(!s->connection.writing);
    assert(!s->unknown);
    if (checkpointer_asks(s->checkpointer))
        return fail(err, TRANCHE_UNAVAILABLE, "the store is emptying its log");
    statement_take(&s->connection, STATEMENT_BEGIN);
    enum tranche_code code = statement_run(&s->connection, STATEMENT_BEGIN, err);
    if (code != TRANCHE_OK)
        return code;
    s->connection.writing = true;
    s->number = number;
    bind_integer(change_take(store, STATEMENT_NUMBER_PUT), 1, number);
    code = change_run(store, STATEMENT_NUMBER_PUT, err);
    if (code != TRANCHE_OK)
        store_rollback(store);
    return code;
}

/* Whether the commit that ended with this result certainly left nothing valid in the log. */
static bool is_certain(int result)
{
    return (result & 0xff) == SQLITE_FULL || (result & 0xff) == SQLITE_BUSY;
}

static enum tranche_code store_commit_start(struct tranche_store *store, struct tranche_err *err)
{
    struct sqlite_store *s = sqlite_store(store);
    assert(s->connection.writing);
    if (s->connection.failed)
        return fail(err, TRANCHE_IO, "the transaction has failed before");
    int result = sqlite3_step(statement_take(&s->connection, STATEMENT_COMMIT));
    if (result != SQLITE_DONE)
        sqlite_fail(s->connection.db, statement_what(STATEMENT_COMMIT), &s->trouble);
    statement_end(&s->connection, STATEMENT_COMMIT);
    s->ended = result == SQLITE_DONE ? TRANCHE_COMMIT_DONE
               : is_certain(result)  ? TRANCHE_COMMIT_FAILED
                                     : TRANCHE_COMMIT_UNKNOWN;
    s->unknown = s->ended == TRANCHE_COMMIT_UNKNOWN;
    transaction_over(s);
    if (s->ended != TRANCHE_COMMIT_DONE)
        texts_forget(&s->texts);
    return TRANCHE_OK;
}

static enum tranche_commit store_commit_ended(struct tranche_store *store, struct tranche_err *err)
{
    struct sqlite_store *s = sqlite_store(store);
    if (s->ended != TRANCHE_COMMIT_DONE && err != NULL)
        *err = s->trouble;
    return s->ended;
}

/* Of the one row that is about the store as a whole. */
static enum tranche_code load_integer(struct sqlite_store *s, enum statement statement, int64_t *value,
                                      struct tranche_err *err)
{
    sqlite3_stmt *load = statement_take(&s->connection, statement);
    enum tranche_code code = statement_row(&s->connection, statement, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, TRANCHE_IO, "the store has lost its engine row");
    if (code != TRANCHE_OK)
        return code;
    *value = sqlite3_column_int64(load, 0);
    statement_end(&s->connection, statement);
    return TRANCHE_OK;
}

static enum tranche_code store_commit_number(struct tranche_store *store, int64_t *number, struct tranche_err *err)
{
    return load_integer(sqlite_store(store), STATEMENT_NUMBER_LOAD, number, err);
}

static enum tranche_code store_clock_put(struct tranche_store *store, int64_t now_us, struct tranche_err *err)
{
    bind_integer(change_take(store, STATEMENT_CLOCK_PUT), 1, now_us);
    return change_run(store, STATEMENT_CLOCK_PUT, err);
}

static enum tranche_code store_clock_load(struct tranche_store *store, int64_t *now_us, struct tranche_err *err)
{
    return load_integer(sqlite_store(store), STATEMENT_CLOCK_LOAD, now_us, err);
}

/* ---- open ---- */

static enum tranche_code writer_open(const char *path, const char *vfs, struct connection *connection,
                                     struct tranche_err *err)
{
    enum tranche_code code = connection_open(connection, path, vfs, false, OPEN_WAIT_MS, err);
    if (code == TRANCHE_OK)
        code = schema_migrate(connection->db, err);
    if (code == TRANCHE_OK)
        code = connection_prepare(connection, ROLE_WRITER, err);
    if (code != TRANCHE_OK)
        connection_close(connection);
    return code;
}

/* The new connection comes before the old one goes: a store always has one. */
static enum tranche_code store_recover(struct tranche_store *store, struct tranche_err *err)
{
    struct sqlite_store *s = sqlite_store(store);
    assert(!s->connection.writing);
    struct connection fresh = { 0 };
    enum tranche_code code = writer_open(s->path, s->vfs, &fresh, err);
    if (code != TRANCHE_OK)
        return fail_in(err, code, "recover");
    sqlite3_busy_timeout(fresh.db, RECOVER_WAIT_MS);
    if (sqlite3_wal_checkpoint_v2(fresh.db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK) {
        code = sqlite_fail(fresh.db, "recover", err);
        connection_close(&fresh);
        return code;
    }
    sqlite3_busy_timeout(fresh.db, 0);
    connection_close(&s->connection);
    s->connection = fresh;
    checkpointer_watch(s->checkpointer, fresh.db);
    texts_forget(&s->texts);
    s->unknown = false;
    return TRANCHE_OK;
}

static void store_close(struct tranche_store *store)
{
    struct sqlite_store *s = sqlite_store(store);
    if (s->connection.db != NULL)
        store_rollback(store);
    checkpointer_close(s->checkpointer);
    connection_close(&s->connection);
    if (s->lock >= 0)
        close(s->lock);
    free(s->path);
    free(s->vfs);
    free(s);
}

static const struct tranche_store_functions store_functions = {
    .name = "sqlite",
    .close = store_close,
    .reader_open = sqlite_reader_open,
    .begin = store_begin,
    .commit_start = store_commit_start,
    .commit_ended = store_commit_ended,
    .rollback = store_rollback,
    .recover = store_recover,
    .commit_number = store_commit_number,
    .clock_put = store_clock_put,
    .clock_load = store_clock_load,
};

static enum tranche_code store_start(struct sqlite_store *s, const struct sqlite_options *options,
                                     struct tranche_err *err)
{
    enum tranche_code code = directory_make(options->directory, err);
    if (code == TRANCHE_OK)
        code = directory_lock(options->directory, &s->lock, err);
    if (code == TRANCHE_OK)
        code = writer_open(s->path, s->vfs, &s->connection, err);
    if (code == TRANCHE_OK)
        code = texts_open(&s->texts, &s->connection, err);
    if (code == TRANCHE_OK)
        code = checkpointer_open(s->path, s->vfs, options->wal_bytes_max != 0 ? options->wal_bytes_max : WAL_BYTES_MAX,
                                 &s->checkpointer, err);
    if (code != TRANCHE_OK)
        return code;
    checkpointer_watch(s->checkpointer, s->connection.db);
    sqlite3_busy_timeout(s->connection.db, 0); /* from here on the deciding thread waits for nobody */
    return TRANCHE_OK;
}

/* SQLite counts its memory under a mutex of the whole process, which is a tenth of a result's cost and which nobody reads.
 * A process that has begun to use SQLite before us keeps its way: the call is refused then, which is fine. */
static void leave_memory_uncounted(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum tranche_code sqlite_store_open(const struct sqlite_options *options, struct tranche_store **store,
                                    struct tranche_err *err)
{
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    pthread_once(&configured, leave_memory_uncounted);
    struct sqlite_store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    s->functions = store_functions;
    sqlite_jobs_functions(&s->functions);
    sqlite_fleet_functions(&s->functions);
    sqlite_values_functions(&s->functions);
    sqlite_imports_functions(&s->functions);
    sqlite_erase_functions(&s->functions);
    sqlite_objects_functions(&s->functions);
    sqlite_schedules_functions(&s->functions);
    s->store.functions = &s->functions;
    s->lock = -1;
    s->ended = TRANCHE_COMMIT_DONE;
    s->path = directory_path(options->directory, DIRECTORY_DATABASE);
    s->vfs = options->vfs == NULL ? NULL : strdup(options->vfs);
    enum tranche_code code = TRANCHE_OK;
    if (s->path == NULL || (options->vfs != NULL && s->vfs == NULL))
        code = fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (code == TRANCHE_OK)
        code = store_start(s, options, err);
    if (code != TRANCHE_OK) {
        store_close(&s->store);
        return code;
    }
    *store = &s->store;
    return TRANCHE_OK;
}

/* ---- a token beside a server ---- */

static enum tranche_code token_write(struct connection *connection, const struct tranche_object_record *token,
                                     const struct tranche_audit_record *audit, struct tranche_err *err)
{
    enum tranche_code code = statement_run(connection, STATEMENT_BEGIN, err);
    if (code != TRANCHE_OK)
        return code;
    code = object_insert(connection, token, err);
    if (code == TRANCHE_OK)
        code = audit_insert(connection, audit, err);
    if (code == TRANCHE_OK)
        return statement_run(connection, STATEMENT_COMMIT, err);
    if (!sqlite3_get_autocommit(connection->db))
        statement_run(connection, STATEMENT_ROLLBACK, NULL);
    return code;
}

enum tranche_code sqlite_token_put(const char *directory, const struct tranche_object_record *token,
                                   const struct tranche_audit_record *audit, struct tranche_err *err)
{
    enum tranche_code code = directory_make(directory, err);
    if (code != TRANCHE_OK)
        return code;
    char *path = directory_path(directory, DIRECTORY_DATABASE);
    if (path == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    struct connection connection = { 0 };
    code = writer_open(path, NULL, &connection, err);
    if (code == TRANCHE_OK)
        code = token_write(&connection, token, audit, err);
    connection_close(&connection);
    free(path);
    return code;
}
