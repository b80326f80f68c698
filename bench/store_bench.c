/* The store on SQLite with full synchronization, without an engine: a job's whole life in it as the engine writes
 * it, an import, and a list's pages. */
#include "bench.h"

#include "batch.h"
#include "fail.h"
#include "fleet.h"
#include "machine.h"
#include "when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 4096
#define PAGE       100
#define ANSWER     "{\"$metadata\":{\"targetTemperature\":{\"desiredValue\":56}}}"

/* ---- a job's rows ---- */

/* A job as the engine would write it: chunk rows, then commit by commit the results of one group and the intents
 * of the next. */
struct rows {
    struct tranche_store *store;
    struct tranche_job_record job;
    uint32_t total, group; /* devices, and how many a commit */
    uint32_t *order;       /* in which results come; ordinals */
};

static enum tranche_code chunks_put(struct rows *rows, struct tranche_err *err)
{
    uint32_t devices[TRANCHE_CHUNK];
    enum tranche_code code = TRANCHE_OK;
    for (uint32_t chunk = 0; chunk < chunk_count(rows->total, rows->total) && code == TRANCHE_OK; chunk++) {
        struct span span = chunk_span(rows->total, rows->total, chunk);
        for (uint32_t i = 0; i < span.count; i++)
            devices[i] = span.first + i + 1;
        code = rows->store->functions->chunk_put(rows->store, rows->job.no, chunk, 0, devices, span.count, err);
    }
    return code;
}

static enum tranche_code job_begin(struct rows *rows, struct tranche_err *err)
{
    rows->job.definition = "\"group\":\"all\",\"data\":[]";
    rows->job.state = TRANCHE_JOB_RUNNING;
    rows->job.frozen = true;
    rows->job.created_us = rows->job.started_us = when_now_us();
    rows->job.batch_devices = rows->job.tally.total = rows->total;
    enum tranche_code code = fleet_begin(rows->store, err);
    if (code == TRANCHE_OK)
        code = rows->store->functions->job_insert(rows->store, &rows->job, err);
    if (code == TRANCHE_OK)
        code = chunks_put(rows, err);
    return code == TRANCHE_OK ? fleet_commit(rows->store, err) : code;
}

/* The intents of the group that begins at `first`; rows of 64. */
static enum tranche_code intents_put(struct rows *rows, uint32_t first, uint32_t end, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    while (first < end && code == TRANCHE_OK) {
        struct tranche_intent_record intent = { .seq = rows->job.intent_seq++, .attempt = 1 };
        while (first < end && intent.count < TRANCHE_INTENT)
            intent.ordinals[intent.count++] = first++;
        code = rows->store->functions->intent_put(rows->store, rows->job.no, &intent, err);
    }
    rows->job.next = end;
    return code;
}

static enum tranche_code results_put(struct rows *rows, uint32_t first, uint32_t end, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    int64_t now_us = when_now_us();
    for (uint32_t i = first; i < end && code == TRANCHE_OK; i++) {
        struct tranche_result_record result = {
            .ordinal = rows->order[i], .attempt = 1, .final = true, .state = TRANCHE_DEVICE_COMPLETED, .code = 202,
            .reason = "", .answer = ANSWER, .answer_bytes = sizeof ANSWER - 1, .at_us = now_us,
        };
        code = rows->store->functions->result_put(rows->store, rows->job.no, &result, err);
    }
    rows->job.tally.completed = end;
    return code;
}

static enum tranche_code intents_drop(struct rows *rows, int64_t first, int64_t end, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    for (int64_t seq = first; seq < end && code == TRANCHE_OK; seq++)
        code = rows->store->functions->intent_drop(rows->store, rows->job.no, seq, err);
    return code;
}

/* One commit: the group that ends at rows->job.next got its results, the next one is intended. */
static enum tranche_code group_put(struct rows *rows, struct tranche_err *err)
{
    uint32_t first = rows->job.tally.completed, end = rows->job.next;
    uint32_t next_end = rows->total - end > rows->group ? end + rows->group : rows->total;
    int64_t seq_end = rows->job.intent_seq, seq_first = seq_end - (end - first + TRANCHE_INTENT - 1) / TRANCHE_INTENT;
    enum tranche_code code = fleet_begin(rows->store, err);
    if (code == TRANCHE_OK)
        code = results_put(rows, first, end, err);
    if (code == TRANCHE_OK)
        code = intents_drop(rows, seq_first, seq_end, err);
    if (code == TRANCHE_OK)
        code = intents_put(rows, end, next_end, err);
    if (code == TRANCHE_OK)
        code = rows->store->functions->job_update(rows->store, &rows->job, err);
    return code == TRANCHE_OK ? fleet_commit(rows->store, err) : code;
}

static enum tranche_code job_write(struct rows *rows, struct tranche_err *err)
{
    enum tranche_code code = job_begin(rows, err);
    while (code == TRANCHE_OK && rows->job.tally.completed < rows->total)
        code = group_put(rows, err);
    return code;
}

/* The order in which results come in: the rows' own, or any. */
static uint32_t *order_make(uint32_t total, bool shuffled)
{
    uint32_t *order = malloc(total * sizeof *order);
    uint64_t random = 88172645463325252u;
    for (uint32_t i = 0; order != NULL && i < total; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t at = shuffled ? (uint32_t)((random >> 32) % (i + 1)) : i;
        order[i] = order[at];
        order[at] = i;
    }
    return order;
}

/* ---- results ---- */

struct manner {
    uint32_t group;
    bool shuffled;
};

static const char *directory_of(const struct bench_run *run, const struct bench_variant *variant,
                                char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%u", run->directory, (uint32_t)(variant - run->group->variants));
    return path;
}

/* Of the database, when nobody has it open. */
static double file_bytes(const char *directory)
{
    char path[PATH_BYTES + 16];
    struct stat status;
    snprintf(path, sizeof path, "%s/tranche.db", directory);
    return stat(path, &status) == 0 ? (double)status.st_size : 0;
}

static enum tranche_code results_open(struct bench_run *run, struct tranche_err *err)
{
    char path[PATH_BYTES];
    enum tranche_code code = TRANCHE_OK;
    for (uint32_t i = 0; i < run->group->variant_count && code == TRANCHE_OK; i++)
        code = fleet_fill(directory_of(run, &run->group->variants[i], path), 1, err);
    return code;
}

static enum tranche_code job_measure(const struct bench_run *run, const struct manner *manner, const char *directory,
                                     struct usage *used, struct tranche_err *err)
{
    static uint32_t jobs;
    struct rows rows = { .total = (uint32_t)run->count, .group = manner->group };
    rows.order = order_make(rows.total, manner->shuffled);
    snprintf(rows.job.id, sizeof rows.job.id, "job-%u", jobs++);
    enum tranche_code code = rows.order != NULL ? fleet_store_open(directory, &rows.store, err)
                                                : fail(err, TRANCHE_NOMEM, "out of memory");
    struct usage start = usage_now();
    if (code == TRANCHE_OK)
        code = job_write(&rows, err);
    *used = usage_since(start);
    fleet_store_close(rows.store);
    free(rows.order);
    return code;
}

static enum tranche_code results_sample(struct bench_run *run, const struct bench_variant *variant,
                                        struct bench_sample *sample, struct tranche_err *err)
{
    char path[PATH_BYTES];
    struct usage used;
    double devices = (double)run->count, before = file_bytes(directory_of(run, variant, path));
    enum tranche_code code = job_measure(run, variant->what, path, &used, err);
    *sample = (struct bench_sample){ { used.cpu_us / devices, devices * 1e6 / used.wall_us,
                                       (file_bytes(path) - before) / devices } };
    return code;
}

static const struct manner ordered_256 = { 256, false }, ordered_1000 = { 1000, false }, shuffled_256 = { 256, true },
                           shuffled_1000 = { 1000, true };

static const struct bench_variant results_variants[] = {
    { .name = "256 a commit, in order", .what = &ordered_256 },
    { .name = "1,000 a commit, in order", .what = &ordered_1000, .bar = { .at_most = 4 } },
    { .name = "256 a commit, any order", .what = &shuffled_256 },
    { .name = "1,000 a commit, any order", .what = &shuffled_1000 },
};

/* ---- import ---- */

static enum tranche_code import_sample(struct bench_run *run, const struct bench_variant *variant,
                                       struct bench_sample *sample, struct tranche_err *err)
{
    static uint32_t imports;
    char path[PATH_BYTES];
    struct tranche_store *store = NULL;
    snprintf(path, sizeof path, "%s/%u", run->directory, imports++);
    enum tranche_code code = fleet_store_open(path, &store, err);
    struct usage start = usage_now();
    if (code == TRANCHE_OK)
        code = fleet_import_as(store, path, (uint32_t)run->count, (enum fleet_manner)variant->number, err);
    struct usage used = usage_since(start);
    fleet_store_close(store);
    double devices = (double)run->count;
    *sample = (struct bench_sample){ { devices * 1e6 / used.wall_us, used.cpu_us / devices,
                                       file_bytes(path) / devices } };
    return code;
}

static const struct bench_variant import_variants[] = {
    { .name = "sorted, with properties", .number = FLEET_SORTED, .bar = { .at_least = 100000 } },
    { .name = "the same as CSV", .number = FLEET_CSV, .bar = { .at_least = 100000 } },
    { .name = "shuffled GUIDs", .number = FLEET_GUIDS },
};

/* ---- pages ---- */

struct list {
    struct tranche_store *store;
    struct tranche_reader *reader;
    struct tranche_job_record job;
};

static enum tranche_code list_open(struct bench_run *run, struct tranche_err *err)
{
    static struct list list;
    char path[PATH_BYTES];
    struct usage used;
    run->state = &list;
    snprintf(path, sizeof path, "%s/store", run->directory);
    enum tranche_code code = fleet_fill(path, (uint32_t)run->count, err);
    if (code == TRANCHE_OK)
        code = job_measure(run, &ordered_1000, path, &used, err);
    if (code == TRANCHE_OK)
        code = fleet_store_open(path, &list.store, err);
    if (code == TRANCHE_OK)
        code = list.store->functions->reader_open(list.store, &list.reader, err);
    if (code == TRANCHE_OK)
        code = list.reader->functions->job_find(list.reader, "job-0", &list.job, err);
    return code;
}

static void list_close(struct bench_run *run)
{
    struct list *list = run->state;
    tranche_job_record_free(&list->job);
    if (list->reader != NULL)
        list->reader->functions->close(list->reader);
    fleet_store_close(list->store);
}

static void device_seen(void *context, const struct tranche_job_device *device)
{
    (void)device;
    ++*(uint64_t *)context;
}

/* Pages from the list's beginning, or to its end. */
static enum tranche_code list_sample(struct bench_run *run, const struct bench_variant *variant,
                                     struct bench_sample *sample, struct tranche_err *err)
{
    struct list *list = run->state;
    const uint32_t pages = run->scale == BENCH_QUICK ? 10 : 200;
    uint32_t first = variant->number == 0 ? 0 : (uint32_t)run->count - PAGE;
    uint64_t seen = 0;
    enum tranche_code code = TRANCHE_OK;
    struct usage start = usage_now();
    for (uint32_t i = 0; i < pages && code == TRANCHE_OK; i++)
        code = list->reader->functions->job_devices_page(list->reader, &list->job, first, PAGE, device_seen, &seen,
                                                         err);
    *sample = (struct bench_sample){ { usage_since(start).cpu_us / pages } };
    if (code == TRANCHE_OK && seen != (uint64_t)pages * PAGE)
        return fail(err, TRANCHE_INTERNAL, "the pages have %u devices in all", (unsigned)seen);
    return code;
}

static const struct bench_variant list_variants[] = {
    { .name = "first page" },
    { .name = "last page", .number = 1, .bar = { .ratio_at_most = 2 } },
};

static const struct bench_group groups[] = {
    {
        .name = "results",
        .about = "a job's rows: chunks, intents, results",
        .unit = "devices a sample",
        .counts = { 300, 50000, 1000000 },
        .rounds_max = 5,
        .metrics = { "CPU µs/device", "devices/s", "bytes on disk/device" },
        .variants = results_variants,
        .variant_count = BENCH_COUNT(results_variants),
        .base = 1,
        .open = results_open,
        .sample = results_sample,
    },
    {
        .name = "import",
        .about = "a fleet into an empty store",
        .unit = "devices a sample",
        .counts = { 300, 50000, 50000 },
        .rounds_max = 5,
        .metrics = { "devices/s", "CPU µs/device", "bytes on disk/device" },
        .variants = import_variants,
        .variant_count = BENCH_COUNT(import_variants),
        .base = BENCH_NO_BASE,
        .sample = import_sample,
    },
    {
        .name = "pages",
        .about = "a job's list of devices, 100 a page",
        .unit = "devices in it",
        .counts = { 300, 100000, 1000000 },
        .metrics = { "CPU µs/page" },
        .variants = list_variants,
        .variant_count = BENCH_COUNT(list_variants),
        .base = 0,
        .open = list_open,
        .sample = list_sample,
        .close = list_close,
    },
};

const struct bench_table store_benches = { groups, BENCH_COUNT(groups) };
