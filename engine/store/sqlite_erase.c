/* Removing jobs: the job's own row at once, the rest in slices, of which the table erasure knows how much is left to do. Texts
 * that no row names any more stay: they are few, and others may come to use them. */
#include "sqlite_internal.h"

#include "fail.h"
#include "rows.h"

#define RESULTS_A_SLICE 2000 /* about 5 ms */
#define CHUNKS_A_SLICE  32

static enum tranche_code job_expired(struct tranche_store *store, int64_t before_us, int64_t *no,
                                     char id[TRANCHE_ID_BYTES], struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_JOB_EXPIRED);
    bind_integer(row, 1, before_us);
    enum tranche_code code = statement_row(connection, STATEMENT_JOB_EXPIRED, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "no job has expired");
    if (code != TRANCHE_OK)
        return code;
    *no = sqlite3_column_int64(row, 0);
    if (!column_copy(row, 1, id, TRANCHE_ID_BYTES))
        return row_damaged(connection, STATEMENT_JOB_EXPIRED, err);
    statement_end(connection, STATEMENT_JOB_EXPIRED);
    return TRANCHE_OK;
}

static enum tranche_code check_free(struct connection *connection, int64_t no, struct tranche_err *err)
{
    bind_integer(statement_take(connection, STATEMENT_JOB_IS_FREE), 1, no);
    enum tranche_code code = statement_row(connection, STATEMENT_JOB_IS_FREE, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "there is no job number %lld", (long long)no);
    if (code != TRANCHE_OK)
        return code;
    bool is_free = column_number(connection->statements[STATEMENT_JOB_IS_FREE], 0) != 0;
    statement_end(connection, STATEMENT_JOB_IS_FREE);
    return is_free ? TRANCHE_OK : fail(err, TRANCHE_CONFLICT, "something still needs the job");
}

/* Runs a statement whose first value is the job's number, its second perhaps how much goes at once. */
static enum tranche_code run(struct tranche_store *store, enum statement statement, int64_t no, int64_t count,
                             struct tranche_err *err)
{
    sqlite3_stmt *change = change_take(store, statement);
    bind_integer(change, 1, no);
    if (count > 0)
        bind_integer(change, 2, count);
    return change_run(store, statement, err);
}

static enum tranche_code job_erase(struct tranche_store *store, int64_t no, struct tranche_err *err)
{
    enum tranche_code code = check_free(&sqlite_store(store)->connection, no, err);
    if (code == TRANCHE_OK)
        code = run(store, STATEMENT_ERASURE_PUT, no, 0, err);
    if (code == TRANCHE_OK)
        code = run(store, STATEMENT_DEFINITION_DROP, no, 0, err);
    return code == TRANCHE_OK ? run(store, STATEMENT_JOB_DROP, no, 0, err) : code;
}

/* The job that has rows left; 0: none. */
static enum tranche_code find_erasure(struct connection *connection, int64_t *no, struct tranche_err *err)
{
    *no = 0;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_ERASURE_FIND);
    enum tranche_code code = statement_row(connection, STATEMENT_ERASURE_FIND, err);
    if (code == TRANCHE_NOTFOUND)
        return TRANCHE_OK;
    if (code != TRANCHE_OK)
        return code;
    *no = sqlite3_column_int64(row, 0);
    statement_end(connection, STATEMENT_ERASURE_FIND);
    return TRANCHE_OK;
}

static enum tranche_code erase_some(struct tranche_store *store, bool *more, struct tranche_err *err)
{
    static const struct {
        enum statement statement;
        int64_t count;
    } tables[] = {
        { STATEMENT_RESULTS_ERASE, RESULTS_A_SLICE },
        { STATEMENT_CHUNKS_ERASE, CHUNKS_A_SLICE },
        { STATEMENT_BATCHES_ERASE, RESULTS_A_SLICE },
        { STATEMENT_RETRIES_ERASE, RESULTS_A_SLICE },
    };
    struct connection *connection = &sqlite_store(store)->connection;
    int64_t no;
    enum tranche_code code = find_erasure(connection, &no, err);
    *more = no != 0;
    if (no == 0)
        return code;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && code == TRANCHE_OK; i++) {
        code = run(store, tables[i].statement, no, tables[i].count, err);
        if (code == TRANCHE_OK && sqlite3_changes(connection->db) > 0)
            return TRANCHE_OK;
    }
    return code == TRANCHE_OK ? run(store, STATEMENT_ERASURE_DROP, no, 0, err) : code;
}

void sqlite_erase_functions(struct tranche_store_functions *functions)
{
    functions->job_expired = job_expired;
    functions->job_erase = job_erase;
    functions->erase_some = erase_some;
}
