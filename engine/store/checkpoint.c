#include "checkpoint.h"

#include "connection.h"
#include "fail.h"
#include "log.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* Often enough that a pass is short, seldom enough that pages written many times are copied once. */
#define PASS_BYTES (4 * 1024 * 1024)
#define FRAME_BYTES (CHECKPOINT_PAGE_BYTES + 24) /* SQLite's file format: a page and its head */
/* A whole checkpoint waits for the transaction that is under way, while the writer does not begin another ... */
#define WRITER_WAIT_MS 1000
/* ... and for readers, but not for one whose snapshot is older than this: it is no short list, and holds up the
 * writer. */
#define SNAPSHOT_SHORT_MS 100
#define SNAPSHOT_OLD_MS 60000 /* and then again as often */
#define RETRY_MS 100

struct checkpointer {
    /* fixed after start */
    int64_t wal_bytes_max;
    pthread_t thread;

    /* the thread's own */
    struct connection connection;
    bool failing;
    int64_t warned_ms;

    /* shared, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;
    int64_t frames;   /* length of the WAL after the last commit */
    int64_t seen;     /* what it was when the last pass began */
    int64_t retry_ms; /* the last pass was in vain: when to try again; 0: not before the WAL has grown */
    struct snapshot *snapshots;

    _Atomic bool asks; /* the writer is to stand back */
};

static int64_t mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what the others say ---- */

/* Above the limit any growth is enough: a pass that has worked lets the log begin anew. */
static bool is_due(const struct checkpointer *c)
{
    if (c->retry_ms != 0)
        return mono_ms() >= c->retry_ms;
    int64_t growth = (c->frames - c->seen) * FRAME_BYTES;
    return growth >= PASS_BYTES || (growth > 0 && c->frames * FRAME_BYTES > c->wal_bytes_max);
}

/* Relaxed, here and below, because the writer takes it as a hint and looks again before each transaction. */
static void ask(struct checkpointer *c, bool asks)
{
    atomic_store_explicit(&c->asks, asks, memory_order_relaxed);
}

/* Called by SQLite on the writer's thread, after a commit. */
static int checkpointer_committed(void *context, sqlite3 *writer, const char *database, int frames)
{
    struct checkpointer *c = context;
    (void)writer, (void)database;
    pthread_mutex_lock(&c->lock);
    c->frames = frames;
    if (c->seen > frames) /* the WAL has begun anew */
        c->seen = 0;
    if (c->retry_ms == 0 && c->frames * FRAME_BYTES > 2 * c->wal_bytes_max)
        ask(c, true); /* the writer is faster than the copying: until the end of the pass under way, or now due */
    if (is_due(c))
        pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return SQLITE_OK;
}

void checkpointer_watch(struct checkpointer *checkpointer, sqlite3 *writer)
{
    sqlite3_wal_hook(writer, checkpointer_committed, checkpointer);
}

bool checkpointer_asks(const struct checkpointer *checkpointer)
{
    return atomic_load_explicit(&checkpointer->asks, memory_order_relaxed);
}

void checkpointer_add(struct checkpointer *checkpointer, struct snapshot *snapshot)
{
    pthread_mutex_lock(&checkpointer->lock);
    snapshot->next = checkpointer->snapshots;
    checkpointer->snapshots = snapshot;
    pthread_mutex_unlock(&checkpointer->lock);
}

void checkpointer_remove(struct checkpointer *checkpointer, struct snapshot *snapshot)
{
    pthread_mutex_lock(&checkpointer->lock);
    struct snapshot **link = &checkpointer->snapshots;
    while (*link != snapshot)
        link = &(*link)->next;
    *link = snapshot->next;
    pthread_mutex_unlock(&checkpointer->lock);
}

/* Relaxed, because the age is for a warning and for a decision that is taken again. */
void snapshot_opened(struct snapshot *snapshot)
{
    atomic_store_explicit(&snapshot->since_ms, mono_ms(), memory_order_relaxed);
}

void snapshot_closed(struct snapshot *snapshot)
{
    atomic_store_explicit(&snapshot->since_ms, 0, memory_order_relaxed);
}

static int64_t snapshot_age_ms_max(struct checkpointer *c)
{
    int64_t now = mono_ms();
    int64_t age_ms_max = 0;
    pthread_mutex_lock(&c->lock);
    for (struct snapshot *s = c->snapshots; s != NULL; s = s->next) {
        int64_t since = atomic_load_explicit(&s->since_ms, memory_order_relaxed);
        if (since != 0 && now - since > age_ms_max)
            age_ms_max = now - since;
    }
    pthread_mutex_unlock(&c->lock);
    return age_ms_max;
}

/* ---- the thread ---- */

/* SQLite asks whether to go on waiting for a lock. */
static int checkpointer_waits(void *context, int waited_ms)
{
    if (waited_ms >= WRITER_WAIT_MS || snapshot_age_ms_max(context) > SNAPSHOT_SHORT_MS)
        return 0;
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    return 1;
}

static void warn_of_snapshot(struct checkpointer *c, int64_t age_ms, int64_t wal_bytes)
{
    int64_t now = mono_ms();
    if (age_ms < SNAPSHOT_OLD_MS || (c->warned_ms != 0 && now - c->warned_ms < SNAPSHOT_OLD_MS))
        return;
    c->warned_ms = now;
    log_warn("store", "an old snapshot keeps the write-ahead log from being emptied", "age_s=%lld wal_bytes=%lld",
             (long long)age_ms / 1000, (long long)wal_bytes);
}

/* Whether a checkpoint did what it should. Says so when that changes; being busy is no news. */
static bool checkpoint_worked(struct checkpointer *c, int result)
{
    if (result == SQLITE_BUSY)
        return false;
    if (result == SQLITE_OK && c->failing)
        log_info("store", "checkpoints work again", NULL);
    if (result != SQLITE_OK && !c->failing) {
        struct tranche_err err = { 0 };
        char quoted[LOG_QUOTED_BYTES];
        sqlite_fail(c->connection.db, "checkpoint", &err);
        log_error("store", "checkpoints fail, the write-ahead log grows", "err=%s", log_quote(err.text, quoted));
    }
    c->failing = result != SQLITE_OK;
    return !c->failing;
}

static bool checkpoint(struct checkpointer *c, int mode)
{
    return checkpoint_worked(c, sqlite3_wal_checkpoint_v2(c->connection.db, "main", mode, NULL, NULL));
}

/* Lets the log begin anew. The file keeps its length, since writing over it is cheaper than making it grow again, unless
 * a reader has let it become far too long. */
static bool checkpoint_whole(struct checkpointer *c, int64_t wal_bytes)
{
    ask(c, true);
    return checkpoint(c, wal_bytes > 3 * c->wal_bytes_max ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART);
}

/* One pass; false: try again soon. PASSIVE comes first in any case, so that little is left to be copied while the writer
 * stands back. */
static bool checkpointer_pass(struct checkpointer *c, int64_t wal_bytes)
{
    bool copied = checkpoint(c, SQLITE_CHECKPOINT_PASSIVE);
    int64_t age_ms = snapshot_age_ms_max(c);
    warn_of_snapshot(c, age_ms, wal_bytes);
    if (wal_bytes <= c->wal_bytes_max)
        return copied;
    return copied && age_ms <= SNAPSHOT_SHORT_MS && checkpoint_whole(c, wal_bytes);
}

static void wait_for_change(struct checkpointer *c)
{
    if (c->retry_ms == 0) {
        pthread_cond_wait(&c->changed, &c->lock);
        return;
    }
    struct timespec until = { .tv_sec = c->retry_ms / 1000, .tv_nsec = c->retry_ms % 1000 * 1000000 };
    pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

static void *checkpointer_main(void *context)
{
    struct checkpointer *c = context;
    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        if (!is_due(c)) {
            wait_for_change(c);
            continue;
        }
        c->seen = c->frames;
        int64_t wal_bytes = c->frames * FRAME_BYTES;
        pthread_mutex_unlock(&c->lock);
        bool done = checkpointer_pass(c, wal_bytes);
        pthread_mutex_lock(&c->lock);
        c->retry_ms = done ? 0 : mono_ms() + RETRY_MS;
        ask(c, false); /* even if in vain: then the log has to grow */
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- open and close ---- */

/* Waits by the clock that does not step. */
static void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* With all signals blocked: they are for the threads that expect them. */
static int thread_start(struct checkpointer *c)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&c->thread, NULL, checkpointer_main, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result == 0)
        pthread_setname_np(c->thread, "checkpointer");
    return result;
}

enum tranche_code checkpointer_open(const char *path, const char *vfs, int64_t wal_bytes_max,
                                    struct checkpointer **checkpointer, struct tranche_err *err)
{
    struct checkpointer *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    c->wal_bytes_max = wal_bytes_max;
    enum tranche_code code = connection_open(&c->connection, path, vfs, false, WRITER_WAIT_MS, err);
    if (code != TRANCHE_OK) {
        free(c);
        return fail_in(err, code, "checkpointer");
    }
    pthread_mutex_init(&c->lock, NULL);
    condition_init(&c->changed);
    sqlite3_busy_handler(c->connection.db, checkpointer_waits, c);
    if (thread_start(c) != 0) {
        connection_close(&c->connection);
        free(c);
        return fail(err, TRANCHE_UNAVAILABLE, "checkpointer: the system has no thread left");
    }
    *checkpointer = c;
    return TRANCHE_OK;
}

void checkpointer_close(struct checkpointer *checkpointer)
{
    if (checkpointer == NULL)
        return;
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->stop = true;
    pthread_cond_signal(&checkpointer->changed);
    pthread_mutex_unlock(&checkpointer->lock);
    pthread_join(checkpointer->thread, NULL);
    assert(checkpointer->snapshots == NULL); /* else a reader was left open */
    pthread_cond_destroy(&checkpointer->changed);
    pthread_mutex_destroy(&checkpointer->lock);
    connection_close(&checkpointer->connection);
    free(checkpointer);
}
