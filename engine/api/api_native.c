/* Tranche's own view of jobs, under /v1: what the contract's objects have no member for.
 *
 *     GET /v1/jobs/{job}/progress[?check=true]
 *         {"id","status","state","frozen","tally":{"total","pending","completed","failed","unknown"},
 *          "batch":{"index","count","tally","start"?,"end"?}?,"open","waiting","inFlightMax","limitedBy"?,"calls","created","start"?,"end"?,"reason"?,"check"?}
 *     GET /v1/jobs/{job}/devices
 *         {"value":[{"id","status","outcome","batch","attempt","code"?,"reason"?,"answer"?,"at"?}],"nextLink"?}
 *         ?outcome=failed (pending, completed, unknown): only those
 *     GET /v1/jobs/{job}/failures
 *         {"value":[{"reason","outcome","count","example","last"}]}, the most frequent first
 *     GET /v1/jobs/{job}/batches[?from=INDEX]
 *         {"value":[{"index","tally","start"?,"end"?}],"nextLink"?}: those that have begun
 *
 * `open` devices are in flight or about to be called, `waiting` ones wait for a retry, a busy device or their next step.
 * `status` is the contract's word, `state` and `outcome` are ours. Batches are numbered from 0. Before the
 * membership is frozen the tally is an estimate and there is no batch.
 *
 * With check=true the rows are counted too: "check":{"exact","agrees","tally","batch"} tells what they say.
 * Counters and rows are only comparable when nothing was committed between reading them, so they are read
 * counters, rows, counters, and again while the two counters differ. `exact`: they were the same at last.
 * Otherwise `agrees` says that the rows lie between them, which is what a job under way can promise.
 */
#include "handlers.h"

#include "batch.h"
#include "fail.h"
#include "job_json.h"
#include "paging.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* When the rows take long to count against the time between two commits, no try helps. */
#define CHECK_TRIES_MAX  5
#define DEVICES_PAGE     100
#define DEVICES_PAGE_MAX 1000
#define BATCHES_PAGE     100
#define BATCHES_PAGE_MAX 1000
#define REASONS_MAX      100 /* most frequent first; a connector has few distinct ones */

/* ---- devices ---- */

static void print_answer(const struct tranche_job_device *device, struct text *out)
{
    struct arena memory = { 0 };
    char *answer = arena_copy(&memory, device->answer, device->answer_bytes);
    text_puts(out, ",\"answer\":");
    text_json(out, answer != NULL ? answer : "");
    out->failed |= memory.failed;
    arena_free(&memory);
}

static void print_device(const struct tranche_job_device *device, struct text *out)
{
    text_puts(out, "{\"id\":");
    text_json(out, device->device);
    text_printf(out, ",\"status\":\"%s\",\"outcome\":\"%s\",\"batch\":%" PRIu32 ",\"attempt\":%u",
                device_state_on_wire(device->state), device_state_name(device->state), device->batch,
                (unsigned)device->attempt);
    if (device->code != 0)
        text_printf(out, ",\"code\":%" PRId32, device->code);
    if (device->reason != NULL && device->reason[0] != '\0') {
        text_puts(out, ",\"reason\":");
        text_json(out, device->reason);
    }
    if (device->answer_bytes > 0)
        print_answer(device, out);
    job_json_time("at", device->at_us, out);
    text_puts(out, "}");
}

static enum tranche_code read_outcome(const struct request *request, enum tranche_device_state *outcome,
                                      struct tranche_err *err)
{
    const char *text;
    enum tranche_code code = request_query(request, "outcome", &text, err);
    *outcome = ALL_OUTCOMES;
    if (code != TRANCHE_OK || text == NULL)
        return code;
    for (int i = 0; i < TRANCHE_DEVICE_STATE_COUNT; i++)
        if (strcmp(text, device_state_name((enum tranche_device_state)i)) == 0)
            *outcome = (enum tranche_device_state)i;
    if (*outcome == ALL_OUTCOMES)
        return fail(err, TRANCHE_INVALID, "outcome: expected pending, completed, failed or unknown, found \"%.40s\".", text);
    return TRANCHE_OK;
}

static void answer_devices(struct request *request)
{
    struct tranche_err err;
    enum tranche_device_state outcome;
    if (read_outcome(request, &outcome, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else
        request_job_devices(request, DEVICES_PAGE, DEVICES_PAGE_MAX, outcome, print_device);
}

/* One outcome may be far between: that is for the back room. */
void native_devices(struct request *request)
{
    const char *outcome;
    if (request_query(request, "outcome", &outcome, NULL) == TRANCHE_OK && outcome == NULL)
        answer_devices(request);
    else
        request_defer(request, answer_devices);
}

/* ---- failures ---- */

struct failure_list {
    struct text *out;
    uint32_t count;
};

static void print_failure(void *context, const struct tranche_failure *failure)
{
    struct failure_list *list = context;
    text_puts(list->out, list->count++ > 0 ? ",{\"reason\":" : "{\"reason\":");
    text_json(list->out, failure->reason);
    text_printf(list->out, ",\"outcome\":\"%s\",\"count\":%" PRIu32 ",\"example\":", device_state_name(failure->state),
                failure->count);
    text_json(list->out, failure->example);
    job_json_time("last", failure->last_us, list->out);
    text_puts(list->out, "}");
}

/* In the back room: a large job has a million rows. */
static void answer_failures(struct request *request)
{
    struct tranche_err err;
    struct tranche_job_record job = { 0 };
    if (!request_job(request, &job))
        return;
    struct failure_list list = { .out = request_answer(request, 200) };
    struct tranche_reader *reader = request->reader;
    text_puts(list.out, "{\"value\":[");
    if (reader->functions->job_failures(reader, &job, REASONS_MAX, print_failure, &list, &err) == TRANCHE_OK)
        text_puts(list.out, "]}");
    else
        request_refuse(request, &err);
    tranche_job_record_free(&job);
}

void native_failures(struct request *request)
{
    request_defer(request, answer_failures);
}

/* ---- progress ---- */

/* What the rows say, and how far that can be compared with the counters. */
struct check {
    bool exact, agrees;
    struct tranche_tally whole, batch;
};

/* A job as its row and its current batch's row say. */
struct progress {
    struct tranche_job_record job;
    struct tranche_batch_record batch;
    bool has_batch;
    uint32_t open, waiting;
    uint64_t in_flight, calls_max;
};

static void print_tally(const char *name, const struct tranche_tally *tally, struct text *out)
{
    text_printf(out,
                ",\"%s\":{\"total\":%" PRIu32 ",\"pending\":%" PRIu32 ",\"completed\":%" PRIu32
                ",\"failed\":%" PRIu32 ",\"unknown\":%" PRIu32 "}",
                name, tally->total, tranche_tally_pending(tally), tally->completed, tally->failed,
                tally->unknown);
}

static void print_batch(const struct progress *progress, struct text *out)
{
    const struct tranche_job_record *job = &progress->job;
    text_printf(out, ",\"batch\":{\"index\":%" PRIu32 ",\"count\":%" PRIu32, progress->batch.index,
                batch_count(job->tally.total, job->batch_devices));
    print_tally("tally", &progress->batch.tally, out);
    job_json_time("start", progress->batch.started_us, out);
    job_json_time("end", progress->batch.ended_us, out);
    text_puts(out, "}");
}

static void print_check(const struct check *check, struct text *out)
{
    text_printf(out, ",\"check\":{\"exact\":%s,\"agrees\":%s", check->exact ? "true" : "false",
                check->agrees ? "true" : "false");
    print_tally("tally", &check->whole, out);
    print_tally("batch", &check->batch, out);
    text_puts(out, "}");
}

/* Calls at once: what is configured, or what descriptors allow. */
static void print_cap(const struct progress *progress, struct text *out)
{
    bool clamped = progress->in_flight > progress->calls_max;
    text_printf(out, ",\"inFlightMax\":%" PRIu64 "%s", clamped ? progress->calls_max : progress->in_flight,
                clamped ? ",\"limitedBy\":\"descriptors\"" : "");
}

static void print_progress(const struct progress *progress, const struct check *check, struct text *out)
{
    const struct tranche_job_record *job = &progress->job;
    struct tranche_tally tally = job_json_tally(job);
    text_puts(out, "{\"id\":");
    text_json(out, job->id);
    text_printf(out, ",\"status\":\"%s\",\"state\":\"%s\",\"frozen\":%s", job_state_on_wire(job->state),
                job_state_name(job->state), job->frozen ? "true" : "false");
    print_tally("tally", &tally, out);
    if (progress->has_batch)
        print_batch(progress, out);
    text_printf(out, ",\"open\":%" PRIu32 ",\"waiting\":%" PRIu32, progress->open, progress->waiting);
    print_cap(progress, out);
    text_printf(out, ",\"calls\":%" PRId64, job->calls);
    job_json_time("created", job->created_us, out);
    job_json_time("start", job->started_us, out);
    job_json_time("end", job->ended_us, out);
    if (job->reason != NULL) {
        text_puts(out, ",\"reason\":");
        text_json(out, job->reason);
    }
    if (check != NULL)
        print_check(check, out);
    text_puts(out, "}");
}

static void note_batch(void *context, const struct tranche_batch_record *batch)
{
    struct progress *progress = context;
    progress->batch = *batch;
    progress->has_batch = true;
}

/* False after a refusal. */
static bool read_progress(struct request *request, struct progress *progress)
{
    *progress = (struct progress){ .in_flight = request->counter->config->in_flight,
                                   .calls_max = runner_calls_max(request->counter->runner) };
    if (!request_job(request, &progress->job))
        return false;
    struct tranche_err err;
    struct tranche_reader *reader = request->reader;
    const struct tranche_job_record *job = &progress->job;
    if (reader->functions->batches_page(reader, job->no, job->batch, 1, note_batch, progress, &err) == TRANCHE_OK &&
        reader->functions->job_open(reader, job->no, &progress->open, &progress->waiting, &err) == TRANCHE_OK)
        return true;
    request_refuse(request, &err);
    tranche_job_record_free(&progress->job);
    return false;
}

/* ---- batches ---- */

struct batch_list {
    struct text *out;
    uint32_t limit, count;
    bool more;
    uint32_t next;
};

static void list_batch(void *context, const struct tranche_batch_record *batch)
{
    struct batch_list *list = context;
    list->more |= list->count == list->limit;
    if (list->more)
        return; /* one more than the limit was asked for, only to know that there is one */
    text_printf(list->out, "%s{\"index\":%" PRIu32, list->count++ > 0 ? "," : "", batch->index);
    print_tally("tally", &batch->tally, list->out);
    job_json_time("start", batch->started_us, list->out);
    job_json_time("end", batch->ended_us, list->out);
    text_puts(list->out, "}");
    list->next = batch->index + 1;
}

/* "from": the index of the first batch, where no token says it. */
static enum tranche_code read_from(const struct request *request, struct page *page, struct tranche_err *err)
{
    const char *text;
    char *end;
    enum tranche_code code = request_query(request, "from", &text, err);
    if (code != TRANCHE_OK || text == NULL || page->from != 0)
        return code;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > UINT32_MAX)
        return fail(err, TRANCHE_INVALID, "from: expected the index of a batch, found \"%.40s\".", text);
    page->from = (int64_t)number;
    return TRANCHE_OK;
}

void native_batches(struct request *request)
{
    struct tranche_err err;
    struct page page;
    struct tranche_job_record job = { 0 };
    if (page_parse(request, PAGE_BATCHES, BATCHES_PAGE, BATCHES_PAGE_MAX, &page, &err) != TRANCHE_OK ||
        read_from(request, &page, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    if (!request_job(request, &job))
        return;
    struct batch_list list = { .out = request_answer(request, 200), .limit = page.limit };
    struct tranche_reader *reader = request->reader;
    text_puts(list.out, "{\"value\":[");
    if (reader->functions->batches_page(reader, job.no, (uint32_t)page.from, page.limit + 1, list_batch, &list, &err) !=
        TRANCHE_OK) {
        request_refuse(request, &err);
    } else {
        text_puts(list.out, "]");
        if (list.more)
            page_link(request, PAGE_BATCHES, list.next, list.out);
        text_puts(list.out, "}");
    }
    tranche_job_record_free(&job);
}

/* ---- the check ---- */

static bool lies_between(const struct tranche_tally *low, const struct tranche_tally *rows,
                         const struct tranche_tally *high)
{
    return rows->total == low->total && rows->total == high->total && low->completed <= rows->completed &&
           rows->completed <= high->completed && low->failed <= rows->failed &&
           rows->failed <= high->failed && low->unknown <= rows->unknown && rows->unknown <= high->unknown;
}

static bool same_tally(const struct tranche_tally *a, const struct tranche_tally *b)
{
    return lies_between(a, a, b) && lies_between(b, b, a);
}

static struct check compare(const struct progress *before, const struct progress *after,
                            const struct tranche_tally *whole, const struct tranche_tally *batch)
{
    struct check check = { .whole = *whole, .batch = *batch };
    bool same_batch = before->has_batch == after->has_batch && before->batch.index == after->batch.index;
    bool both = same_batch && before->has_batch; /* else there is no batch to compare */
    check.exact = same_batch && same_tally(&before->job.tally, &after->job.tally) &&
                  same_tally(&before->batch.tally, &after->batch.tally);
    check.agrees = lies_between(&before->job.tally, whole, &after->job.tally) &&
                   (!both || lies_between(&before->batch.tally, batch, &after->batch.tally));
    return check;
}

/* Counts the rows after `before` was read, reads the counters again into `after`. False after a refusal. */
static bool check_once(struct request *request, const struct progress *before, struct progress *after,
                       struct check *check)
{
    const struct tranche_job_record *job = &before->job;
    struct span span = { 0 };
    if (before->has_batch && job->batch < batch_count(job->tally.total, job->batch_devices))
        span = batch_span(job->tally.total, job->batch_devices, job->batch);
    struct tranche_tally whole = { 0 };
    struct tranche_tally batch = { 0 };
    struct tranche_err err;
    struct tranche_reader *reader = request->reader;
    if (reader->functions->recount(reader, job->no, span.first, span.count, &whole, &batch, &err) !=
        TRANCHE_OK) {
        request_refuse(request, &err);
        return false;
    }
    if (!read_progress(request, after))
        return false;
    batch.total = span.count;
    *check = compare(before, after, &whole, &batch);
    return true;
}

/* In the back room: a large job has a million rows. */
static void answer_checked(struct request *request)
{
    struct progress before;
    if (!read_progress(request, &before))
        return;
    struct check check = { 0 };
    bool is_counted = before.job.frozen;
    for (int i = 0; is_counted && i < CHECK_TRIES_MAX && !check.exact; i++) {
        struct progress after;
        bool done = check_once(request, &before, &after, &check);
        tranche_job_record_free(&before.job);
        if (!done)
            return;
        before = after;
    }
    print_progress(&before, is_counted ? &check : NULL, request_answer(request, 200));
    tranche_job_record_free(&before.job);
}

void native_progress(struct request *request)
{
    struct tranche_err err;
    bool check;
    if (request_query_flag(request, "check", &check, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    if (check) {
        request_defer(request, answer_checked);
        return;
    }
    struct progress progress;
    if (!read_progress(request, &progress))
        return;
    print_progress(&progress, NULL, request_answer(request, 200));
    tranche_job_record_free(&progress.job);
}
