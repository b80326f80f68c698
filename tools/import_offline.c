#include "import_offline.h"

#include "fail.h"
#include "spool.h"
#include "sqlite.h"
#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define READ_BYTES        (256 * 1024)
#define SLICES_PER_COMMIT 10      /* nobody else waits for the store: fewer syncs */
#define POLL_US           2000    /* while the store is busy with itself */
#define BUSY_US_MAX       60000000 /* emptying a log takes moments; after a minute something is wrong */

/* ---- lines in ---- */

static void tick(const struct import_wish *wish, const struct import *import)
{
    if (wish->tick != NULL)
        wish->tick(wish->tick_context, import);
}

static enum tranche_code feed_all(struct import *import, const struct import_wish *wish, FILE *input,
                                  struct tranche_err *err)
{
    static char piece[READ_BYTES];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, input)) > 0) {
        enum tranche_code code = import_feed(import, piece, got, err);
        if (code != TRANCHE_OK)
            return code;
        tick(wish, import);
    }
    return ferror(input) ? fail(err, TRANCHE_IO, "read the devices: %s", strerror(errno)) : TRANCHE_OK;
}

/* ---- devices into the store ---- */

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = POLL_US * 1000 }, NULL);
}

/* Begins a transaction, after the store has done what it is at. */
static enum tranche_code begin(struct tranche_store *store, int64_t number, struct tranche_err *err)
{
    enum tranche_code code;
    int64_t waited_us = 0;
    while ((code = store->functions->begin(store, number, err)) == TRANCHE_UNAVAILABLE && waited_us < BUSY_US_MAX) {
        pause_briefly();
        waited_us += POLL_US;
    }
    return code;
}

static enum tranche_code end_commit(struct tranche_store *store, struct tranche_err *err)
{
    enum tranche_code code = store->functions->commit_start(store, err);
    if (code != TRANCHE_OK)
        return code;
    enum tranche_commit end;
    while ((end = store->functions->commit_ended(store, err)) == TRANCHE_COMMIT_PENDING)
        pause_briefly();
    return end == TRANCHE_COMMIT_DONE ? TRANCHE_OK : fail_in(err, TRANCHE_IO, "commit");
}

static enum tranche_code store_slices(struct import *import, struct tranche_store *store, int64_t number, bool *more,
                                      struct tranche_err *err)
{
    enum tranche_code code = begin(store, number, err);
    if (code != TRANCHE_OK)
        return code;
    int64_t now_us = 0;
    code = store->functions->clock_load(store, &now_us, err); /* stamps never go back, whatever the calendar does */
    now_us = when_now_us() > now_us ? when_now_us() : now_us;
    if (code == TRANCHE_OK)
        code = store->functions->clock_put(store, now_us, err);
    for (int i = 0; i < SLICES_PER_COMMIT && *more && code == TRANCHE_OK; i++)
        code = import_slice(import, store, now_us, more, err);
    if (code != TRANCHE_OK) {
        store->functions->rollback(store);
        return code;
    }
    code = end_commit(store, err);
    if (code == TRANCHE_OK)
        import_committed(import);
    return code;
}

/* Also when it ends through a fault of its own; import_end_code tells. */
static enum tranche_code store_all(struct import *import, const struct import_wish *wish, struct tranche_store *store,
                                   struct tranche_err *err)
{
    int64_t number = 0;
    bool more = true;
    enum tranche_code code = store->functions->commit_number(store, &number, err);
    while (code == TRANCHE_OK && more) {
        code = store_slices(import, store, ++number, &more, err);
        tick(wish, import);
    }
    return code;
}

/* ---- what a crash interrupted ---- */

struct oldest {
    struct tranche_import_record record;
    char file[SPOOL_FILE_BYTES];
};

static void note_oldest(void *context, const struct tranche_import_record *record)
{
    struct oldest *oldest = context;
    if (oldest->record.no != 0 || strlen(record->file) >= sizeof oldest->file)
        return;
    oldest->record = *record;
    strcpy(oldest->file, record->file);
    oldest->record.file = oldest->file;
    oldest->record.reason = oldest->record.complaints = NULL;
}

/* One after the other, the oldest first. */
static enum tranche_code store_interrupted(const struct import_wish *wish, struct tranche_store *store,
                                           struct tranche_err *err)
{
    for (;;) {
        struct oldest oldest = {0};
        struct import *import = NULL;
        enum tranche_code code = store->functions->imports_open(store, note_oldest, &oldest, err);
        if (code != TRANCHE_OK || oldest.record.no == 0)
            return code;
        code = import_reopen(&import, wish->directory, &oldest.record, err);
        if (code == TRANCHE_OK)
            code = store_all(import, wish, store, err);
        import_close(import);
        if (code != TRANCHE_OK)
            return code;
    }
}

/* ---- the whole ---- */

enum tranche_code import_offline(const struct import_wish *wish, FILE *input, struct text *summary,
                                 struct tranche_err *err)
{
    struct sqlite_options options = { .directory = wish->directory };
    struct tranche_store *store = NULL;
    struct import *import = NULL;
    enum tranche_code code = sqlite_store_open(&options, &store, err);
    if (code == TRANCHE_OK)
        code = store_interrupted(wish, store, err);
    if (code == TRANCHE_OK)
        code = import_open(&import, wish->directory, &wish->options, err);
    if (code == TRANCHE_OK)
        code = feed_all(import, wish, input, err);
    bool complete = code == TRANCHE_OK;
    if (code == TRANCHE_OK)
        code = import_finish(import, wish->all_or_nothing, err);
    if (code == TRANCHE_OK)
        code = store_all(import, wish, store, err);
    if (code == TRANCHE_OK)
        code = import_end_code(import, err);
    if (code == TRANCHE_OK || (complete && code == TRANCHE_INVALID))
        import_summary_print(import, summary);
    import_close(import);
    if (store != NULL)
        store->functions->close(store);
    return code;
}
