/* The suite on SQLite, and what is SQLite's own: the directory's lock, the schema, tokens beside a server, waiting
 * and not waiting, the log's length, and commits that fail.
 */
#include "sqlite_place.h"

#include "directory.h"
#include "fault_vfs.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void run(void (*store_case)(struct store_place *place))
{
    struct sqlite_place place;
    sqlite_place_make(&place);
    store_case(&place.place);
    sqlite_place_remove(&place);
}

#define X(name)                 \
    Test(sqlite_suite, name)    \
    {                           \
        run(store_case_##name); \
    }
STORE_CASES(X)
#undef X

/* ---- scaffolding ---- */

static sqlite3 *raw_open(const struct sqlite_place *place)
{
    char path[128];
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(sqlite_place_path(place, DIRECTORY_DATABASE, path), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    return db;
}

static void raw_run(sqlite3 *db, const char *sql)
{
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static int64_t file_bytes(const struct sqlite_place *place, const char *name)
{
    char path[128];
    struct stat status;
    return stat(sqlite_place_path(place, name, path), &status) == 0 ? status.st_size : 0;
}

static enum tranche_code open_code(const struct sqlite_place *place, struct tranche_err *err)
{
    struct tranche_store *store = NULL;
    enum tranche_code code = sqlite_store_open(&place->options, &store, err);
    if (code == TRANCHE_OK)
        store->functions->close(store);
    return code;
}

static struct tranche_job_record pending_job(const char *id)
{
    struct tranche_job_record job = { .definition = (char *)"\"group\":\"all\"", .state = TRANCHE_JOB_PENDING };
    snprintf(job.id, sizeof job.id, "%s", id);
    return job;
}

static bool has_job(struct suite *s, const char *id)
{
    struct tranche_job_record found = { 0 };
    enum tranche_code code = s->from->job_find(s->reader, id, &found, &s->err);
    tranche_job_record_free(&found);
    return code == TRANCHE_OK;
}

static void open_on_faults(struct suite *s, struct sqlite_place *place, uint32_t wal_bytes_max)
{
    fault_vfs_register();
    sqlite_place_make(place);
    place->options.vfs = FAULT_VFS;
    place->options.wal_bytes_max = wal_bytes_max;
    suite_open(s, &place->place);
}

/* ---- the directory ---- */

Test(sqlite, directory_is_made_for_its_owner_alone)
{
    struct sqlite_place place;
    struct tranche_err err = { 0 };
    struct stat status;
    sqlite_place_make(&place);
    char path[128];
    place.options.directory = sqlite_place_path(&place, "new", path);

    cr_assert_eq(open_code(&place, &err), TRANCHE_OK, "%s", err.text);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0700);
    place.options.directory = "/tmp/tranche-store-nowhere/deeper";
    cr_assert_eq(open_code(&place, &err), TRANCHE_IO);
    cr_assert_not_null(strstr(err.text, "/tmp/tranche-store-nowhere/deeper"), "%s", err.text);
    sqlite_place_remove(&place);
}

/* The child holds the directory until the parent has tried. */
Test(sqlite, second_server_is_refused)
{
    struct sqlite_place place;
    struct tranche_err err = { 0 };
    int ready[2], leave[2];
    char byte = 0;
    sqlite_place_make(&place);
    cr_assert_eq(pipe(ready) | pipe(leave), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct tranche_store *store = NULL;
        close(leave[1]); /* so that a parent that fails lets it go too */
        byte = (char)sqlite_store_open(&place.options, &store, NULL);
        _exit(write(ready[1], &byte, 1) == 1 && read(leave[0], &byte, 1) == 1 ? 0 : 1);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(byte, TRANCHE_OK);

    char holder[16];
    snprintf(holder, sizeof holder, "(%ld)", (long)child);
    cr_assert_eq(open_code(&place, &err), TRANCHE_CONFLICT);
    cr_assert_not_null(strstr(err.text, place.directory), "%s", err.text);
    cr_assert_not_null(strstr(err.text, holder), "%s", err.text);

    cr_assert_eq(write(leave[1], &byte, 1), 1);
    waitpid(child, NULL, 0);
    cr_assert_eq(open_code(&place, &err), TRANCHE_OK, "%s", err.text); /* a lock dies with its holder */
    sqlite_place_remove(&place);
}

/* ---- the schema ---- */

static int take_number(void *number, int columns, char **values, char **names)
{
    (void)columns, (void)names;
    *(int *)number = atoi(values[0]);
    return 0;
}

Test(sqlite, empty_file_is_migrated_once)
{
    struct sqlite_place place;
    struct tranche_err err = { 0 };
    int version = 0, tables = 0, again = 0;
    sqlite_place_make(&place);
    sqlite3_close(raw_open(&place));

    cr_assert_eq(open_code(&place, &err), TRANCHE_OK, "%s", err.text);
    sqlite3 *db = raw_open(&place);
    sqlite3_exec(db, "PRAGMA user_version", take_number, &version, NULL);
    sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", take_number, &tables, NULL);
    cr_assert_gt(version, 0);
    cr_assert_gt(tables, 10);
    sqlite3_close(db);
    cr_assert_eq(open_code(&place, &err), TRANCHE_OK, "%s", err.text);
    db = raw_open(&place);
    sqlite3_exec(db, "PRAGMA user_version", take_number, &again, NULL);
    cr_assert_eq(again, version);
    sqlite3_close(db);
    sqlite_place_remove(&place);
}

Test(sqlite, newer_schema_is_refused_and_left_alone)
{
    struct sqlite_place place;
    struct tranche_err err = { 0 };
    int version = 0;
    sqlite_place_make(&place);
    cr_assert_eq(open_code(&place, &err), TRANCHE_OK, "%s", err.text);
    sqlite3 *db = raw_open(&place);
    raw_run(db, "PRAGMA user_version = 4711");
    sqlite3_close(db);

    cr_assert_eq(open_code(&place, &err), TRANCHE_INVALID);
    cr_assert_not_null(strstr(err.text, "4711"), "%s", err.text);
    db = raw_open(&place);
    sqlite3_exec(db, "PRAGMA user_version", take_number, &version, NULL);
    cr_assert_eq(version, 4711);
    sqlite3_close(db);
    sqlite_place_remove(&place);
}

Test(sqlite, foreign_file_is_refused)
{
    struct sqlite_place place;
    struct tranche_err err = { 0 };
    char path[128];
    sqlite_place_make(&place);
    FILE *file = fopen(sqlite_place_path(&place, DIRECTORY_DATABASE, path), "w");
    for (int i = 0; i < 1000; i++)
        fprintf(file, "this is no database\n");
    fclose(file);

    cr_assert_eq(open_code(&place, &err), TRANCHE_IO);
    cr_assert_not_null(strstr(err.text, "not a database"), "%s", err.text);
    cr_assert_eq(file_bytes(&place, DIRECTORY_DATABASE), 20000);
    sqlite_place_remove(&place);
}

/* ---- tokens, waiting ---- */

Test(sqlite, token_is_put_with_and_without_a_server)
{
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    struct tranche_object_record token = { .kind = TRANCHE_TOKEN, .id = "ci", .body = "{\"expires\":9}" }, found;
    struct tranche_audit_record audit = { .who = "command line", .operation = "ApiTokens_Create", .result = "OK" };
    sqlite_place_make(&place);
    suite.err = (struct tranche_err){ 0 };

    must(sqlite_token_put(place.directory, &token, &audit, &s->err)); /* makes what is missing */
    suite_open(s, &place.place);
    must(s->from->object_find(s->reader, TRANCHE_TOKEN, "ci", &found, &s->err));
    cr_assert_str_eq(found.id, "ci");
    cr_assert_str_eq(found.body, token.body);

    strcpy(token.id, "second");
    must(sqlite_token_put(place.directory, &token, &audit, &s->err));
    must(s->from->object_find(s->reader, TRANCHE_TOKEN, "second", &found, &s->err));
    cr_assert_eq(sqlite_token_put(place.directory, &token, &audit, &s->err), TRANCHE_CONFLICT);
    cr_assert_not_null(strstr(s->err.text, "second"), "%s", s->err.text);
    cr_assert_eq(s->from->object_find(s->reader, TRANCHE_TOKEN, "third", &found, &s->err), TRANCHE_NOTFOUND);
    suite_close(s);
    sqlite_place_remove(&place);
}

struct patient {
    struct sqlite_place *place;
    enum tranche_code code;
};

static void *put_patiently(void *context)
{
    struct patient *patient = context;
    struct tranche_object_record token = { .kind = TRANCHE_TOKEN, .id = "patient", .body = "{}" };
    struct tranche_audit_record audit = { .who = "command line", .result = "OK" };
    patient->code = sqlite_token_put(patient->place->directory, &token, &audit, NULL);
    return NULL;
}

/* Somebody holds the write lock: the deciding thread hears of it at once, a new token waits. */
Test(sqlite, begin_does_not_wait_but_a_token_does)
{
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    pthread_t thread;
    sqlite_place_make(&place);
    suite_open(s, &place.place);
    sqlite3 *other = raw_open(&place);
    raw_run(other, "BEGIN IMMEDIATE");
    struct patient patient = { .place = &place, .code = TRANCHE_INTERNAL };
    struct timespec before, after;

    clock_gettime(CLOCK_MONOTONIC, &before);
    cr_assert_eq(s->to->begin(s->store, 1, &s->err), TRANCHE_UNAVAILABLE);
    clock_gettime(CLOCK_MONOTONIC, &after);
    cr_assert_lt((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000, 500);
    cr_assert_eq(pthread_create(&thread, NULL, put_patiently, &patient), 0);
    sleep_ms(300);
    raw_run(other, "COMMIT");
    pthread_join(thread, NULL);
    cr_assert_eq(patient.code, TRANCHE_OK);
    must(s->to->begin(s->store, 1, &s->err));
    s->to->rollback(s->store);
    sqlite3_close(other);
    suite_close(s);
    sqlite_place_remove(&place);
}

/* ---- the log ---- */

static void write_results(struct suite *s, int64_t job, uint32_t first, uint32_t count)
{
    suite_begin(s);
    for (uint32_t i = first; i < first + count; i++) {
        struct tranche_result_record result = suite_result(i, TRANCHE_DEVICE_COMPLETED);
        char answer[256];
        memset(answer, 'x', sizeof answer); /* each a text of its own, so that the log grows */
        result.answer_bytes = (size_t)snprintf(answer, sizeof answer, "answer %u", i);
        answer[result.answer_bytes] = ' ';
        result.answer = answer, result.answer_bytes = sizeof answer;
        must(s->to->result_put(s->store, job, &result, &s->err));
    }
    suite_commit(s);
}

Test(sqlite, reader_never_blocks_the_writer)
{
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    uint32_t count = 0, taken = 0, devices[8];
    sqlite_place_make(&place);
    suite_open(s, &place.place);
    suite_devices(s, "d", 4);

    must(s->from->select_open(s->reader, &all, &count, &s->err));
    must(s->from->select_next(s->reader, devices, 1, &taken, &s->err));
    for (uint32_t i = 0; i < 50; i++) {
        must(s->to->begin(s->store, ++s->number, &s->err)); /* at the first try */
        struct tranche_retry_record retry = { .ordinal = i, .attempt = 1 };
        must(s->to->retry_put(s->store, 1, &retry, &s->err));
        suite_commit(s);
    }
    must(s->from->select_next(s->reader, devices, 8, &taken, &s->err));
    cr_assert_eq(taken, 3);
    s->from->select_close(s->reader);
    suite_close(s);
    sqlite_place_remove(&place);
}

struct lister {
    struct suite *suite;
    struct tranche_job_record *job;
    atomic_bool stop;
    uint32_t pages;
};

static void ignore_device(void *context, const struct tranche_job_device *device)
{
    (void)context, (void)device;
}

static void *list_all_the_time(void *context)
{
    struct lister *lister = context;
    struct suite *s = lister->suite;
    struct tranche_err err = { 0 };
    for (; !atomic_load(&lister->stop); lister->pages++)
        if (s->from->job_devices_page(s->reader, lister->job, lister->pages % 100, 100, ignore_device, NULL, &err) !=
            TRANCHE_OK)
            break;
    return NULL;
}

/* Long before the limit: the database file has the rows while the store is open. */
Test(sqlite, log_is_copied_beside_the_writer, .timeout = 120)
{
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    struct tranche_job_record job;
    sqlite_place_make(&place);
    suite_open(s, &place.place);
    suite_job(s, "a", suite_devices(s, "d", 4), 4, 4, &job);

    for (uint32_t i = 0; file_bytes(&place, DIRECTORY_DATABASE "-wal") < 12 << 20; i += 500)
        write_results(s, job.no, i, 500);
    for (int tries = 0; file_bytes(&place, DIRECTORY_DATABASE) < 1 << 20 && tries < 100; tries++)
        sleep_ms(50);
    cr_assert_geq(file_bytes(&place, DIRECTORY_DATABASE), 1 << 20);
    suite_close(s);
    sqlite_place_remove(&place);
}

/* Some 50 MB go through a log of 2 MiB, beside a reader that lists all the time. A pass may be in vain, when the machine
 * lets the reader sleep in the middle of a page, so the bound has some room. */
Test(sqlite, log_stays_bounded_beside_a_reader, .timeout = 120)
{
    enum { BYTES_MAX = 2 << 20, COMMITS = 200, RESULTS = 200 };
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    struct tranche_job_record job;
    pthread_t thread;
    int64_t bytes_max = 0, written = 0;
    sqlite_place_make(&place);
    place.options.wal_bytes_max = BYTES_MAX;
    suite_open(s, &place.place);
    suite_job(s, "a", suite_devices(s, "d", 200), 200, 200, &job);
    struct lister lister = { .suite = s, .job = &job };
    cr_assert_eq(pthread_create(&thread, NULL, list_all_the_time, &lister), 0);

    for (uint32_t i = 0; i < COMMITS; i++) {
        write_results(s, job.no, i * RESULTS, RESULTS);
        int64_t bytes = file_bytes(&place, DIRECTORY_DATABASE "-wal");
        bytes_max = bytes > bytes_max ? bytes : bytes_max;
    }
    atomic_store(&lister.stop, true);
    pthread_join(thread, NULL);
    written = file_bytes(&place, DIRECTORY_DATABASE);

    cr_assert_gt(lister.pages, 10);
    cr_assert_gt(written, 4 * BYTES_MAX); /* the log alone could not have held it */
    cr_assert_lt(bytes_max, 6 * BYTES_MAX, "the log grew to %lld bytes", (long long)bytes_max);
    suite_close(s);
    cr_assert_eq(file_bytes(&place, DIRECTORY_DATABASE "-wal"), 0);
    sqlite_place_remove(&place);
}

/* While the checkpointer copies and waits for a slow disk, the writer could go on for ten times the limit. */
Test(sqlite, writer_stands_back_from_a_slow_checkpoint, .timeout = 120)
{
    enum { BYTES_MAX = 1 << 20, COMMITS = 200, RESULTS = 50 };
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    struct tranche_job_record job;
    int64_t bytes_max = 0;
    open_on_faults(s, &place, BYTES_MAX);
    suite_job(s, "a", suite_devices(s, "d", 4), 4, 4, &job);
    atomic_store(&fault_database_sync_ms, 300);

    for (uint32_t i = 0; i < COMMITS; i++) {
        write_results(s, job.no, i * RESULTS, RESULTS);
        int64_t bytes = file_bytes(&place, DIRECTORY_DATABASE "-wal");
        bytes_max = bytes > bytes_max ? bytes : bytes_max;
    }
    cr_assert_gt(bytes_max, BYTES_MAX);
    cr_assert_lt(bytes_max, 3 * BYTES_MAX, "the log grew to %lld bytes", (long long)bytes_max);
    atomic_store(&fault_database_sync_ms, 0);
    suite_close(s);
    sqlite_place_remove(&place);
}

/* An old snapshot makes the log grow; when it ends, the log is cut back. */
Test(sqlite, log_recovers_from_an_old_snapshot, .timeout = 120)
{
    enum { BYTES_MAX = 1 << 20 };
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    struct tranche_job_record job;
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    uint32_t count = 0, i = 0;
    sqlite_place_make(&place);
    place.options.wal_bytes_max = BYTES_MAX;
    suite_open(s, &place.place);
    suite_job(s, "a", suite_devices(s, "d", 4), 4, 4, &job);

    must(s->from->select_open(s->reader, &all, &count, &s->err));
    for (; file_bytes(&place, DIRECTORY_DATABASE "-wal") < 16 * BYTES_MAX; i += 500)
        write_results(s, job.no, i, 500);
    s->from->select_close(s->reader);
    for (int tries = 0; file_bytes(&place, DIRECTORY_DATABASE "-wal") > 4 * BYTES_MAX && tries < 100; tries++, i += 10) {
        sleep_ms(50);
        write_results(s, job.no, i, 10);
    }
    cr_assert_leq(file_bytes(&place, DIRECTORY_DATABASE "-wal"), 4 * BYTES_MAX);
    suite_close(s);
    sqlite_place_remove(&place);
}

/* ---- commits that fail ---- */

Test(sqlite, failed_sync_is_unknown_until_recovered)
{
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    int64_t number = 0;
    open_on_faults(s, &place, 0);
    struct tranche_job_record first = pending_job("first"), second = pending_job("second");
    suite_begin(s);
    must(s->to->job_insert(s->store, &first, &s->err));
    suite_commit(s);

    suite_begin(s);
    must(s->to->job_insert(s->store, &second, &s->err));
    atomic_store(&fault_wal_sync, 1);
    must(s->to->commit_start(s->store, &s->err));
    cr_assert_eq(s->to->commit_ended(s->store, &s->err), TRANCHE_COMMIT_UNKNOWN);
    cr_assert_eq(s->err.code, TRANCHE_IO);
    cr_assert_neq(s->to->recover(s->store, &s->err), TRANCHE_OK); /* the disk is still broken */
    atomic_store(&fault_wal_sync, 0);
    must(s->to->recover(s->store, &s->err));

    /* Applied or not, the number tells which; in this process it is not. */
    must(s->to->commit_number(s->store, &number, &s->err));
    cr_assert_eq(number, s->number - 1);
    cr_assert(has_job(s, "first"));
    cr_assert_not(has_job(s, "second"));
    cr_assert_eq(file_bytes(&place, DIRECTORY_DATABASE "-wal"), 0);

    s->number = number;
    suite_begin(s);
    must(s->to->job_insert(s->store, &second, &s->err));
    suite_commit(s);
    suite_reopen(s);
    cr_assert(has_job(s, "first"));
    cr_assert(has_job(s, "second"));
    suite_close(s);
    sqlite_place_remove(&place);
}

Test(sqlite, recovery_waits_for_old_snapshots)
{
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    uint32_t count = 0;
    open_on_faults(s, &place, 0);
    suite_devices(s, "d", 4);
    must(s->from->select_open(s->reader, &all, &count, &s->err));

    suite_begin(s);
    atomic_store(&fault_wal_sync, 1);
    must(s->to->commit_start(s->store, &s->err));
    cr_assert_eq(s->to->commit_ended(s->store, &s->err), TRANCHE_COMMIT_UNKNOWN);
    atomic_store(&fault_wal_sync, 0);
    cr_assert_eq(s->to->recover(s->store, &s->err), TRANCHE_UNAVAILABLE);
    s->from->select_close(s->reader);
    must(s->to->recover(s->store, &s->err));
    suite_devices(s, "e", 4);
    suite_close(s);
    sqlite_place_remove(&place);
}

Test(sqlite, full_disk_fails_the_commit_for_sure)
{
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    open_on_faults(s, &place, 0);
    struct tranche_job_record job = pending_job("a");

    for (int write = 1; write <= 4; write++) { /* at every write of the commit: heads and pages */
        suite_begin(s);
        must(s->to->job_insert(s->store, &job, &s->err));
        atomic_store(&fault_wal_write, write);
        must(s->to->commit_start(s->store, &s->err));
        atomic_store(&fault_wal_write, 0);
        cr_assert_eq(s->to->commit_ended(s->store, &s->err), TRANCHE_COMMIT_FAILED);
        cr_assert_eq(s->err.code, TRANCHE_UNAVAILABLE);
        cr_assert_not_null(strstr(s->err.text, "full"), "%s", s->err.text);
        cr_assert_not(has_job(s, "a"));
    }
    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    suite_commit(s);
    suite_reopen(s);
    cr_assert(has_job(s, "a"));
    suite_close(s);
    sqlite_place_remove(&place);
}

/* More dirty pages than the cache holds go to the log before the commit, so that a full disk can hit any statement. */
Test(sqlite, failed_statement_spoils_its_transaction)
{
    struct sqlite_place place;
    struct suite suite, *s = &suite;
    open_on_faults(s, &place, 0);
    struct tranche_job_record job = pending_job("a");
    enum tranche_code code = TRANCHE_OK;
    uint32_t devices[TRANCHE_CHUNK] = { 1 };

    suite_begin(s);
    atomic_store(&fault_wal_write, 1);
    for (uint32_t i = 0; code == TRANCHE_OK && i < 100000; i++)
        code = s->to->chunk_put(s->store, 1, i, 0, devices, TRANCHE_CHUNK, &s->err);
    atomic_store(&fault_wal_write, 0);
    cr_assert_eq(code, TRANCHE_UNAVAILABLE, "%s", s->err.text);
    cr_assert_eq(s->to->job_insert(s->store, &job, &s->err), TRANCHE_IO); /* or it would be a transaction of its own */
    cr_assert_eq(s->to->commit_start(s->store, &s->err), TRANCHE_IO);
    s->to->rollback(s->store);
    cr_assert_not(has_job(s, "a"));

    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    suite_commit(s);
    cr_assert(has_job(s, "a"));
    suite_close(s);
    sqlite_place_remove(&place);
}
