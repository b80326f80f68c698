#include "import_offline.h"

#include "fail.h"
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

static enum tranche_code feed_all(struct import *import, FILE *input, struct tranche_err *err)
{
    static char piece[READ_BYTES];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, input)) > 0) {
        enum tranche_code code = import_feed(import, piece, got, err);
        if (code != TRANCHE_OK)
            return code;
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
    for (int i = 0; i < SLICES_PER_COMMIT && *more && code == TRANCHE_OK; i++)
        code = import_slice(import, store, when_now_us(), more, err);
    if (code != TRANCHE_OK) {
        store->functions->rollback(store);
        return code;
    }
    code = end_commit(store, err);
    if (code == TRANCHE_OK)
        import_committed(import);
    return code;
}

static enum tranche_code store_all(struct import *import, struct tranche_store *store, struct tranche_err *err)
{
    int64_t number = 0;
    bool more = true;
    enum tranche_code code = store->functions->commit_number(store, &number, err);
    while (code == TRANCHE_OK && more)
        code = store_slices(import, store, ++number, &more, err);
    return code;
}

/* ---- the summary ---- */

static void print_summary(const struct import_summary *summary, struct text *out)
{
    text_printf(out, "{\"lines\":%" PRIu64 ",\"devices\":%" PRIu64 ",\"created\":%" PRIu64 ",\"updated\":%" PRIu64
                     ",\"bad\":%" PRIu64 ",\"complaints\":[",
                summary->lines, summary->devices, summary->created, summary->updated, summary->bad);
    for (uint32_t i = 0; i < summary->complaint_count; i++) {
        text_printf(out, "%s{\"line\":%" PRIu64 ",\"text\":", i > 0 ? "," : "", summary->complaints[i].line);
        text_json(out, summary->complaints[i].text);
        text_puts(out, "}");
    }
    text_puts(out, "]}");
}

enum tranche_code import_offline(const struct import_wish *wish, FILE *input, struct text *summary,
                                 struct tranche_err *err)
{
    struct sqlite_options options = { .directory = wish->directory };
    struct tranche_store *store = NULL;
    struct import *import = NULL;
    enum tranche_code code = sqlite_store_open(&options, &store, err);
    if (code == TRANCHE_OK)
        code = import_open(&import, wish->directory, &wish->options, err);
    if (code == TRANCHE_OK)
        code = feed_all(import, input, err);
    bool complete = code == TRANCHE_OK;
    if (code == TRANCHE_OK)
        code = import_finish(import, wish->all_or_nothing, err);
    if (code == TRANCHE_OK)
        code = store_all(import, store, err);
    if (code == TRANCHE_OK || (complete && code == TRANCHE_INVALID))
        print_summary(import_summary(import), summary);
    import_close(import);
    if (store != NULL)
        store->functions->close(store);
    return code;
}
