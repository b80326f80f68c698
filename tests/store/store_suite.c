#include "store_suite.h"

#include "batch.h"
#include "mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- scaffolding ---- */

void suite_open(struct suite *s, struct store_place *place)
{
    *s = (struct suite){ .place = place };
    s->store = place->open(place);
    s->to = s->store->functions;
    must(s->to->reader_open(s->store, &s->reader, &s->err));
    s->from = s->reader->functions;
    must(s->to->commit_number(s->store, &s->number, &s->err));
}

void suite_close(struct suite *s)
{
    s->from->close(s->reader);
    s->to->close(s->store);
}

void suite_reopen(struct suite *s)
{
    suite_close(s);
    suite_open(s, s->place);
}

/* Being busy is no trouble, but it ends. */
void suite_begin(struct suite *s)
{
    enum tranche_code code = TRANCHE_UNAVAILABLE;
    s->number++;
    for (int i = 0; code == TRANCHE_UNAVAILABLE && i < 5000; i++) {
        code = s->to->begin(s->store, s->number, &s->err);
        if (code == TRANCHE_UNAVAILABLE)
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    must(code);
}

void suite_commit(struct suite *s)
{
    must(s->to->commit_start(s->store, &s->err));
    enum tranche_commit end = s->to->commit_ended(s->store, &s->err);
    while (end == TRANCHE_COMMIT_PENDING)
        end = s->to->commit_ended(s->store, &s->err);
    cr_assert_eq(end, TRANCHE_COMMIT_DONE, "%s", s->err.text);
}

static void fill_job(struct tranche_job_record *job, const char *id, enum tranche_job_state state)
{
    *job = (struct tranche_job_record){ .definition = (char *)"\"group\":\"all\"", .state = state, .created_us = 1 };
    snprintf(job->id, sizeof job->id, "%s", id);
    snprintf(job->group, sizeof job->group, "all");
}

static void put_members(struct suite *s, const struct tranche_job_record *job, uint32_t first_device)
{
    uint32_t total = job->tally.total, size = job->batch_devices;
    for (uint32_t chunk = 0; chunk < chunk_count(total, size); chunk++) {
        struct span span = chunk_span(total, size, chunk);
        uint32_t devices[TRANCHE_CHUNK];
        for (uint32_t i = 0; i < span.count; i++)
            devices[i] = first_device + span.first + i;
        must(s->to->chunk_put(s->store, job->no, chunk, chunk_batch(size, chunk), devices, span.count, &s->err));
    }
}

void suite_job(struct suite *s, const char *id, uint32_t first_device, uint32_t total, uint32_t batch_devices,
               struct tranche_job_record *job)
{
    fill_job(job, id, TRANCHE_JOB_RUNNING);
    job->frozen = true;
    job->batch_devices = batch_devices;
    job->tally.total = total;
    suite_begin(s);
    must(s->to->job_insert(s->store, job, &s->err));
    put_members(s, job, first_device);
    suite_commit(s);
}

uint32_t suite_devices(struct suite *s, const char *prefix, uint32_t count)
{
    uint32_t first = 0;
    suite_begin(s);
    for (uint32_t i = 0; i < count; i++) {
        struct tranche_device_record device = { .enabled = true, .provisioned = true };
        bool created = false;
        snprintf(device.id, sizeof device.id, "%s%04u", prefix, i);
        must(s->to->device_put(s->store, &device, &created, &s->err));
        cr_assert(created);
        first = i == 0 ? device.no : first;
        cr_assert_eq(device.no, first + i);
    }
    suite_commit(s);
    return first;
}

struct tranche_result_record suite_result(uint32_t ordinal, enum tranche_device_state state)
{
    return (struct tranche_result_record){
        .ordinal = ordinal, .attempt = 1, .final = true, .state = state, .reason = "", .at_us = 1000 + ordinal,
    };
}

static void assert_same_job(const struct tranche_job_record *a, const struct tranche_job_record *b)
{
    cr_assert_eq(a->no, b->no);
    cr_assert_str_eq(a->id, b->id);
    cr_assert_str_eq(a->group, b->group);
    cr_assert_str_eq(a->schedule, b->schedule);
    cr_assert_eq(a->origin, b->origin);
    cr_assert_str_eq(a->definition, b->definition);
    cr_assert_eq(a->reason == NULL, b->reason == NULL);
    if (a->reason != NULL)
        cr_assert_str_eq(a->reason, b->reason);
    cr_assert_eq(a->state, b->state);
    cr_assert_eq(a->created_us, b->created_us);
    cr_assert_eq(a->started_us, b->started_us);
    cr_assert_eq(a->ended_us, b->ended_us);
    cr_assert_eq(a->estimate, b->estimate);
    cr_assert_eq(a->frozen, b->frozen);
    cr_assert_eq(a->next, b->next);
    cr_assert_eq(a->batch_devices, b->batch_devices);
    cr_assert_eq(a->batch, b->batch);
    cr_assert_eq(a->intent_seq, b->intent_seq);
    cr_assert_eq(a->calls, b->calls);
    cr_assert_eq(a->resumed, b->resumed);
    cr_assert_eq(memcmp(&a->tally, &b->tally, sizeof a->tally), 0);
}

/* What a visitor has been shown, one line each. */
static void note_job(void *context, const struct tranche_job_record *job)
{
    text_printf(context, "%s ", job->id);
}

static void note_intent(void *context, int64_t job, const struct tranche_intent_record *intent)
{
    text_printf(context, "%lld/%lld step %u attempt %u:", (long long)job, (long long)intent->seq, intent->step,
                intent->attempt);
    for (uint32_t i = 0; i < intent->count; i++)
        text_printf(context, " %u", intent->ordinals[i]);
    text_puts(context, "\n");
}

static void note_retry(void *context, const struct tranche_retry_record *retry)
{
    text_printf(context, "%u step %u attempt %u due %lld\n", retry->ordinal, retry->step, retry->attempt,
                (long long)retry->due_us);
}

static void note_batch(void *context, const struct tranche_batch_record *batch)
{
    text_printf(context, "%u (%u) ", batch->index, batch->tally.completed);
}

static void note_device(void *context, const struct tranche_job_device *device)
{
    text_printf(context, "%u %s batch %u state %d attempt %u code %d \"%s\" \"%.*s\" at %lld\n", device->ordinal,
                device->device, device->batch, (int)device->state, device->attempt, device->code, device->reason,
                (int)device->answer_bytes, device->answer, (long long)device->at_us);
}

static void count_device(void *context, const struct tranche_job_device *device)
{
    (void)device;
    ++*(uint32_t *)context;
}

/* Compares and empties. */
static void assert_noted(struct text *noted, const char *expected)
{
    text_puts(noted, "");
    cr_assert_str_eq(noted->bytes, expected, "noted:\n%s\nexpected:\n%s", noted->bytes, expected);
    text_free(noted);
}

/* ---- jobs ---- */

void store_case_new_store_is_empty(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);

    cr_assert_eq(s->number, 0);
    must(s->to->jobs_in(s->store, ~0u, note_job, &noted, &s->err));
    must(s->to->intents_open(s->store, note_intent, &noted, &s->err));
    must(s->from->jobs_page(s->reader, 0, 100, note_job, &noted, &s->err));
    assert_noted(&noted, "");
    struct tranche_job_record job = { 0 };
    cr_assert_eq(s->to->job_find(s->store, "none", &job, &s->err), TRANCHE_NOTFOUND);
    cr_assert_eq(s->from->job_find(s->reader, "none", &job, &s->err), TRANCHE_NOTFOUND);
    cr_assert_not_null(strstr(s->err.text, "none"));

    suite_close(s);
}

void store_case_job_comes_back_as_written(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job = {
        .id = "job-014", .group = "thermostats", .schedule = "nightly", .origin = 7,
        .definition = (char *)"\"displayName\":\"Größe \\u0041 🌡\",\"data\":[]", .reason = (char *)"it \"broke\"",
        .state = TRANCHE_JOB_HELD, .created_us = 1770000000123456, .started_us = 2, .ended_us = 3, .estimate = 4,
        .resumed = true, .frozen = true, .next = UINT32_MAX, .batch_devices = 5, .batch = 6, .intent_seq = INT64_MAX, .calls = 1 << 30,
        .tally = { .total = 40, .completed = 3, .failed = 2, .unknown = 1 },
    };

    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    cr_assert_gt(job.no, 0);
    struct tranche_job_record found = { 0 };
    must(s->to->job_find(s->store, "job-014", &found, &s->err));
    assert_same_job(&found, &job);
    tranche_job_record_free(&found);
    cr_assert_null(found.definition);
    suite_commit(s);

    suite_reopen(s);
    must(s->from->job_find(s->reader, "job-014", &found, &s->err));
    assert_same_job(&found, &job);
    tranche_job_record_free(&found);
    suite_close(s);
}

void store_case_job_id_is_taken_once(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record first, second, third;
    fill_job(&first, "a", TRANCHE_JOB_PENDING);
    fill_job(&second, "a", TRANCHE_JOB_RUNNING);
    fill_job(&third, "A", TRANCHE_JOB_PENDING);

    suite_begin(s);
    must(s->to->job_insert(s->store, &first, &s->err));
    cr_assert_eq(s->to->job_insert(s->store, &second, &s->err), TRANCHE_CONFLICT);
    cr_assert_not_null(strstr(s->err.text, "\"a\""), "%s", s->err.text);
    must(s->to->job_insert(s->store, &third, &s->err)); /* the transaction goes on */
    suite_commit(s);

    struct tranche_job_record found = { 0 };
    must(s->to->job_find(s->store, "a", &found, &s->err));
    assert_same_job(&found, &first);
    tranche_job_record_free(&found);
    cr_assert_gt(third.no, first.no);
    suite_close(s);
}

void store_case_job_update_writes_what_may_change(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job, other, found = { 0 };
    fill_job(&job, "a", TRANCHE_JOB_PENDING);
    fill_job(&other, "b", TRANCHE_JOB_PENDING);
    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    must(s->to->job_insert(s->store, &other, &s->err));
    suite_commit(s);

    job.reason = (char *)"too many failures";
    job.state = TRANCHE_JOB_CANCELLED;
    job.started_us = 10, job.ended_us = 20, job.estimate = 30, job.frozen = true, job.next = 40;
    job.batch_devices = 50, job.batch = 60, job.intent_seq = 70, job.calls = 80, job.resumed = true;
    job.tally = (struct tranche_tally){ 90, 1, 2, 3 };
    suite_begin(s);
    must(s->to->job_update(s->store, &job, &s->err));
    suite_commit(s);
    must(s->from->job_find(s->reader, "a", &found, &s->err));
    assert_same_job(&found, &job);
    tranche_job_record_free(&found);

    job.reason = NULL;
    suite_begin(s);
    must(s->to->job_update(s->store, &job, &s->err));
    suite_commit(s);
    must(s->from->job_find(s->reader, "a", &found, &s->err));
    assert_same_job(&found, &job);
    tranche_job_record_free(&found);
    must(s->from->job_find(s->reader, "b", &found, &s->err));
    assert_same_job(&found, &other);
    tranche_job_record_free(&found);
    suite_close(s);
}

void store_case_jobs_are_found_by_state_oldest_first(struct store_place *place)
{
    static const char *const ids[] = { "pending", "running", "stopping", "stopped", "cancelling", "held",
                                       "complete", "cancelled", "failed" };
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record jobs[TRANCHE_JOB_STATE_COUNT];
    suite_begin(s);
    for (int i = TRANCHE_JOB_STATE_COUNT - 1; i >= 0; i--) { /* the last state is the oldest job */
        fill_job(&jobs[i], ids[i], (enum tranche_job_state)i);
        must(s->to->job_insert(s->store, &jobs[i], &s->err));
    }
    suite_commit(s);

    must(s->to->jobs_in(s->store, 1u << TRANCHE_JOB_RUNNING | 1u << TRANCHE_JOB_PENDING, note_job, &noted, &s->err));
    assert_noted(&noted, "running pending ");
    must(s->to->jobs_in(s->store, ~0u, note_job, &noted, &s->err));
    assert_noted(&noted, "failed cancelled complete held cancelling stopped stopping running pending ");
    must(s->to->jobs_in(s->store, 1u << TRANCHE_JOB_STOPPED | 1u << TRANCHE_JOB_STOPPING, note_job, &noted, &s->err));
    assert_noted(&noted, "stopped stopping ");

    jobs[TRANCHE_JOB_RUNNING].state = TRANCHE_JOB_COMPLETE;
    jobs[TRANCHE_JOB_STOPPED].state = TRANCHE_JOB_RUNNING;
    suite_begin(s);
    must(s->to->job_update(s->store, &jobs[TRANCHE_JOB_RUNNING], &s->err));
    must(s->to->job_update(s->store, &jobs[TRANCHE_JOB_STOPPED], &s->err));
    suite_commit(s);
    must(s->to->jobs_in(s->store, 1u << TRANCHE_JOB_RUNNING | 1u << TRANCHE_JOB_PENDING, note_job, &noted, &s->err));
    assert_noted(&noted, "stopped pending ");
    suite_close(s);
}

void store_case_batch_is_replaced(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job;
    fill_job(&job, "a", TRANCHE_JOB_RUNNING);
    struct tranche_batch_record batch = { .index = 3, .started_us = 5, .tally = { .total = 100 } }, found = { 0 };

    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    must(s->to->batch_put(s->store, job.no, &batch, &s->err));
    batch.ended_us = 9;
    batch.tally = (struct tranche_tally){ 100, 97, 2, 1 };
    must(s->to->batch_put(s->store, job.no, &batch, &s->err));
    suite_commit(s);

    must(s->to->batch_load(s->store, job.no, 3, &found, &s->err));
    cr_assert_eq(found.index, 3);
    cr_assert_eq(found.started_us, 5);
    cr_assert_eq(found.ended_us, 9);
    cr_assert_eq(memcmp(&found.tally, &batch.tally, sizeof found.tally), 0);
    cr_assert_eq(s->to->batch_load(s->store, job.no, 2, &found, &s->err), TRANCHE_NOTFOUND);
    suite_close(s);
}

/* ---- members, intents, waiting devices, results ---- */

void store_case_members_come_back_in_order(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t devices[TRANCHE_CHUNK], found[TRANCHE_CHUNK] = { 0 }, count = 0;
    for (uint32_t i = 0; i < TRANCHE_CHUNK; i++)
        devices[i] = UINT32_MAX - i * 0x01020304;

    suite_begin(s);
    must(s->to->chunk_put(s->store, 1, 0, 0, devices, TRANCHE_CHUNK, &s->err));
    must(s->to->chunk_put(s->store, 1, 1, 1, devices + 7, 1, &s->err));
    must(s->to->chunk_put(s->store, 2, 0, 0, devices + 9, 3, &s->err));
    suite_commit(s);
    suite_reopen(s);

    must(s->to->chunk_load(s->store, 1, 0, found, &count, &s->err));
    cr_assert_eq(count, TRANCHE_CHUNK);
    cr_assert_eq(memcmp(found, devices, sizeof devices), 0);
    must(s->to->chunk_load(s->store, 1, 1, found, &count, &s->err));
    cr_assert_eq(count, 1);
    cr_assert_eq(found[0], devices[7]);

    suite_begin(s);
    must(s->to->chunks_drop(s->store, 1, &s->err));
    suite_commit(s);
    cr_assert_eq(s->to->chunk_load(s->store, 1, 0, found, &count, &s->err), TRANCHE_NOTFOUND);
    cr_assert_eq(s->to->chunk_load(s->store, 1, 1, found, &count, &s->err), TRANCHE_NOTFOUND);
    must(s->to->chunk_load(s->store, 2, 0, found, &count, &s->err)); /* another job's are there still */
    cr_assert_eq(count, 3);
    suite_close(s);
}

void store_case_intents_are_replaced_and_dropped(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_intent_record full = { .seq = 12, .step = 1, .attempt = 2, .count = TRANCHE_INTENT };
    for (uint32_t i = 0; i < TRANCHE_INTENT; i++)
        full.ordinals[i] = i * 1000003;
    struct tranche_intent_record small = { .seq = 3, .step = 0, .attempt = 1, .count = 2, .ordinals = { 5, 9 } };

    suite_begin(s);
    must(s->to->intent_put(s->store, 2, &small, &s->err));
    must(s->to->intent_put(s->store, 1, &full, &s->err));
    must(s->to->intent_put(s->store, 1, &small, &s->err));
    full.count = 3; /* the others have been struck */
    full.ordinals[1] = 4000000000;
    full.ordinals[2] = 4000000001;
    must(s->to->intent_put(s->store, 1, &full, &s->err));
    suite_commit(s);
    suite_reopen(s);
    must(s->to->intents_open(s->store, note_intent, &noted, &s->err));
    assert_noted(&noted, "1/3 step 0 attempt 1: 5 9\n"
                         "1/12 step 1 attempt 2: 0 4000000000 4000000001\n"
                         "2/3 step 0 attempt 1: 5 9\n");

    suite_begin(s);
    must(s->to->intent_drop(s->store, 1, 3, &s->err));
    must(s->to->intent_drop(s->store, 1, 999, &s->err)); /* not there: fine */
    suite_commit(s);
    must(s->to->intents_open(s->store, note_intent, &noted, &s->err));
    assert_noted(&noted, "1/12 step 1 attempt 2: 0 4000000000 4000000001\n2/3 step 0 attempt 1: 5 9\n");
    suite_close(s);
}

void store_case_waiting_devices_are_replaced_and_dropped(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);

    suite_begin(s);
    must(s->to->retry_put(s->store, 1, &(struct tranche_retry_record){ 900, 0, 2, 1770000000000001 }, &s->err));
    must(s->to->retry_put(s->store, 1, &(struct tranche_retry_record){ 30, 1, 1, 0 }, &s->err));
    must(s->to->retry_put(s->store, 2, &(struct tranche_retry_record){ 30, 0, 1, 0 }, &s->err));
    must(s->to->retry_put(s->store, 1, &(struct tranche_retry_record){ 900, 1, 3, 8 }, &s->err));
    must(s->to->retry_drop(s->store, 2, 30, &s->err));
    must(s->to->retry_drop(s->store, 2, 31, &s->err)); /* not there: fine */
    suite_commit(s);
    suite_reopen(s);

    must(s->to->retries_of(s->store, 1, note_retry, &noted, &s->err));
    assert_noted(&noted, "30 step 1 attempt 1 due 0\n900 step 1 attempt 3 due 8\n");
    must(s->to->retries_of(s->store, 2, note_retry, &noted, &s->err));
    assert_noted(&noted, "");
    suite_close(s);
}

void store_case_attempt_has_one_result(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job;
    suite_job(s, "a", suite_devices(s, "d", 3), 3, 3, &job);
    struct tranche_result_record result = suite_result(1, TRANCHE_DEVICE_COMPLETED);
    struct tranche_result_record again = suite_result(1, TRANCHE_DEVICE_FAILED);

    suite_begin(s);
    must(s->to->result_put(s->store, job.no, &result, &s->err));
    cr_assert_eq(s->to->result_put(s->store, job.no, &again, &s->err), TRANCHE_CONFLICT);
    suite_commit(s);

    struct tranche_tally whole, batch;
    must(s->from->recount(s->reader, job.no, 0, 3, &whole, &batch, &s->err));
    cr_assert_eq(whole.completed, 1);
    cr_assert_eq(whole.failed, 0);
    suite_close(s);
}

/* ---- transactions ---- */

void store_case_rollback_leaves_nothing(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record job, found = { 0 };
    fill_job(&job, "a", TRANCHE_JOB_PENDING);
    struct tranche_intent_record intent = { .seq = 1, .attempt = 1, .count = 1 };
    uint32_t devices[] = { 1 }, count = 0;

    s->to->rollback(s->store); /* without a transaction: nothing */
    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    must(s->to->intent_put(s->store, job.no, &intent, &s->err));
    must(s->to->chunk_put(s->store, job.no, 0, 0, devices, 1, &s->err));
    s->to->rollback(s->store);

    cr_assert_eq(s->to->job_find(s->store, "a", &found, &s->err), TRANCHE_NOTFOUND);
    must(s->to->intents_open(s->store, note_intent, &noted, &s->err));
    assert_noted(&noted, "");
    cr_assert_eq(s->to->chunk_load(s->store, job.no, 0, devices, &count, &s->err), TRANCHE_NOTFOUND);
    int64_t number = -1;
    must(s->to->commit_number(s->store, &number, &s->err));
    cr_assert_eq(number, s->number - 1);

    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err)); /* and the next transaction can do it */
    suite_commit(s);
    suite_close(s);
}

/* A store that names texts by numbers must not keep a name for a text that was rolled back. */
void store_case_texts_survive_a_rollback(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record job;
    suite_job(s, "a", suite_devices(s, "d", 2), 2, 2, &job);
    struct tranche_result_record first = suite_result(0, TRANCHE_DEVICE_FAILED);
    struct tranche_result_record second = suite_result(1, TRANCHE_DEVICE_FAILED);
    first.reason = second.reason = "refused";
    second.answer = "other", second.answer_bytes = 5;

    suite_begin(s);
    must(s->to->result_put(s->store, job.no, &first, &s->err));
    s->to->rollback(s->store);
    suite_begin(s);
    must(s->to->result_put(s->store, job.no, &second, &s->err));
    must(s->to->result_put(s->store, job.no, &first, &s->err));
    suite_commit(s);

    must(s->from->job_devices_page(s->reader, &job, 0, 10, note_device, &noted, &s->err));
    assert_noted(&noted, "0 d0000 batch 0 state 2 attempt 1 code 0 \"refused\" \"\" at 1000\n"
                         "1 d0001 batch 0 state 2 attempt 1 code 0 \"refused\" \"other\" at 1001\n");
    suite_close(s);
}

void store_case_closing_rolls_back(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job, found = { 0 };
    fill_job(&job, "a", TRANCHE_JOB_PENDING);

    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    suite_reopen(s);

    cr_assert_eq(s->to->job_find(s->store, "a", &found, &s->err), TRANCHE_NOTFOUND);
    suite_close(s);
}

void store_case_reader_sees_what_is_committed(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job, found = { 0 };
    fill_job(&job, "a", TRANCHE_JOB_PENDING);

    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    cr_assert_eq(s->from->job_find(s->reader, "a", &found, &s->err), TRANCHE_NOTFOUND);
    must(s->to->job_find(s->store, "a", &found, &s->err)); /* the writer reads through its transaction */
    tranche_job_record_free(&found);
    suite_commit(s);
    must(s->from->job_find(s->reader, "a", &found, &s->err));
    tranche_job_record_free(&found);
    suite_close(s);
}

void store_case_commit_number_is_that_of_the_last_commit(struct store_place *place)
{
    struct suite suite, *s = &suite;
    int64_t number = -1;
    suite_open(s, place);

    suite_begin(s);
    suite_commit(s);
    must(s->to->commit_number(s->store, &number, &s->err));
    cr_assert_eq(number, 1);
    s->number = 41;
    suite_begin(s);
    suite_commit(s);
    suite_reopen(s);
    cr_assert_eq(s->number, 42);
    suite_close(s);
}

/* ---- lists ---- */

void store_case_clock_is_that_of_the_last_commit(struct store_place *place)
{
    struct suite suite, *s = &suite;
    int64_t now_us = -1;
    suite_open(s, place);
    must(s->to->clock_load(s->store, &now_us, &s->err));
    cr_assert_eq(now_us, 0);
    suite_begin(s);
    must(s->to->clock_put(s->store, 1772443281000000, &s->err));
    suite_commit(s);
    suite_begin(s);
    must(s->to->clock_put(s->store, 1772443299000000, &s->err));
    s->to->rollback(s->store);

    suite_reopen(s);
    must(s->to->clock_load(s->store, &now_us, &s->err));
    cr_assert_eq(now_us, 1772443281000000);
    suite_close(s);
}

void store_case_jobs_page_goes_back_in_time(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record jobs[5];
    suite_begin(s);
    for (int i = 0; i < 5; i++) {
        fill_job(&jobs[i], (const char *[]){ "a", "b", "c", "d", "e" }[i], TRANCHE_JOB_COMPLETE);
        must(s->to->job_insert(s->store, &jobs[i], &s->err));
    }
    suite_commit(s);

    must(s->from->jobs_page(s->reader, 0, 2, note_job, &noted, &s->err));
    assert_noted(&noted, "e d ");
    must(s->from->jobs_page(s->reader, jobs[3].no, 2, note_job, &noted, &s->err));
    assert_noted(&noted, "c b ");
    must(s->from->jobs_page(s->reader, jobs[1].no, 2, note_job, &noted, &s->err));
    assert_noted(&noted, "a ");
    must(s->from->jobs_page(s->reader, jobs[0].no, 2, note_job, &noted, &s->err));
    assert_noted(&noted, "");
    suite_close(s);
}

void store_case_batches_page_goes_forward(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record job, other;
    fill_job(&job, "a", TRANCHE_JOB_RUNNING);
    fill_job(&other, "b", TRANCHE_JOB_RUNNING);
    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    must(s->to->job_insert(s->store, &other, &s->err));
    for (uint32_t i = 0; i < 5; i++) {
        struct tranche_batch_record batch = { .index = i, .tally = { .total = 10, .completed = i } };
        must(s->to->batch_put(s->store, job.no, &batch, &s->err));
    }
    must(s->to->batch_put(s->store, other.no, &(struct tranche_batch_record){ .index = 2 }, &s->err));
    suite_commit(s);

    must(s->from->batches_page(s->reader, job.no, 0, 2, note_batch, &noted, &s->err));
    assert_noted(&noted, "0 (0) 1 (1) ");
    must(s->from->batches_page(s->reader, job.no, 3, 9, note_batch, &noted, &s->err));
    assert_noted(&noted, "3 (3) 4 (4) ");
    must(s->from->batches_page(s->reader, job.no, 5, 9, note_batch, &noted, &s->err));
    assert_noted(&noted, "");
    suite_close(s);
}

/* Writes a result for some of the ordinals, and the line by which each of them is to be seen. The reasons are many, and
 * the answers few. */
static void put_mixed_results(struct suite *s, int64_t job, uint32_t total, uint32_t batch_devices, struct text *lines)
{
    suite_begin(s);
    for (uint32_t i = 0; i < total; i++) {
        if (i % 7 == 2 || i % 7 == 4) {
            text_printf(lines, "%u d%04u batch %u state 0 attempt 0 code 0 \"\" \"\" at 0\n", i, i, i / batch_devices);
            continue;
        }
        struct tranche_result_record result = suite_result(i, (enum tranche_device_state)(1 + i % 3));
        char reason[32];
        snprintf(reason, sizeof reason, "reason %u", i - i % 2); /* each twice, but then nothing to say */
        result.attempt = (uint16_t)(1 + i % 5);
        result.code = (int32_t)i - 300;
        result.reason = i % 3 == 0 ? "" : reason;
        result.answer = "{\"a\": 1}", result.answer_bytes = i % 9;
        must(s->to->result_put(s->store, job, &result, &s->err));
        text_printf(lines, "%u d%04u batch %u state %u attempt %u code %d \"%s\" \"%.*s\" at %u\n", i, i,
                    i / batch_devices, 1 + i % 3, 1 + i % 5, (int)i - 300, result.reason, (int)(i % 9), result.answer,
                    1000 + i);
    }
    suite_commit(s);
}

/* The lines [first, first + count) of a text. */
static void cut_lines(const struct text *text, uint32_t first, uint32_t count, struct text *out)
{
    const char *from = text->bytes;
    for (uint32_t i = 0; i < first && *from != '\0'; i++)
        from = strchr(from, '\n') + 1;
    const char *to = from;
    for (uint32_t i = 0; i < count && *to != '\0'; i++)
        to = strchr(to, '\n') + 1;
    text_add(out, from, (size_t)(to - from));
}

/* Batches of 300 are chunks of 256 and 44, so that pages begin, end and go on at every kind of border. */
void store_case_devices_page_shows_where_each_device_is(struct store_place *place)
{
    static const uint32_t firsts[] = { 0, 1, 250, 255, 256, 299, 300, 555, 556, 600, 699, 700 };
    static const uint32_t limits[] = { 0, 1, 2, 44, 300, 10000 };
    struct suite suite, *s = &suite;
    struct tranche_job_record job;
    struct text lines = { 0 };
    suite_open(s, place);
    suite_job(s, "a", suite_devices(s, "d", 700), 700, 300, &job);
    put_mixed_results(s, job.no, 700, 300, &lines);

    for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; f++)
        for (size_t l = 0; l < sizeof limits / sizeof limits[0]; l++) {
            struct text noted = { 0 }, expected = { 0 };
            must(s->from->job_devices_page(s->reader, &job, firsts[f], limits[l], note_device, &noted, &s->err));
            cut_lines(&lines, firsts[f], limits[l], &expected);
            assert_noted(&noted, expected.bytes);
            text_free(&expected);
        }
    text_free(&lines);
    suite_close(s);
}

void store_case_devices_page_is_empty_before_the_freeze(struct store_place *place)
{
    struct suite suite, *s = &suite;
    uint32_t count = 0;
    suite_open(s, place);
    struct tranche_job_record job;
    suite_job(s, "a", suite_devices(s, "d", 3), 3, 3, &job);
    struct tranche_job_record unfrozen = job;
    unfrozen.frozen = false;
    unfrozen.tally.total = 0;
    unfrozen.batch_devices = 0;

    must(s->from->job_devices_page(s->reader, &unfrozen, 0, 10, count_device, &count, &s->err));
    cr_assert_eq(count, 0);
    must(s->from->job_devices_page(s->reader, &job, 0, 10, count_device, &count, &s->err));
    cr_assert_eq(count, 3);
    suite_close(s);
}

void store_case_devices_page_shows_the_last_word_only(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record job;
    suite_job(s, "a", suite_devices(s, "d", 2), 2, 2, &job);
    struct tranche_result_record tries[] = {
        { .ordinal = 0, .step = 0, .attempt = 1, .state = TRANCHE_DEVICE_FAILED, .reason = "busy", .at_us = 1 },
        { .ordinal = 0, .step = 0, .attempt = 2, .state = TRANCHE_DEVICE_COMPLETED, .reason = "", .at_us = 2 },
        { .ordinal = 0, .step = 1, .attempt = 3, .state = TRANCHE_DEVICE_COMPLETED, .reason = "", .at_us = 3 },
        { .ordinal = 1, .step = 0, .attempt = 1, .state = TRANCHE_DEVICE_FAILED, .reason = "busy", .at_us = 4 },
    };
    tries[2].final = true;

    suite_begin(s);
    for (int i = 0; i < 4; i++)
        must(s->to->result_put(s->store, job.no, &tries[i], &s->err));
    suite_commit(s);
    must(s->from->job_devices_page(s->reader, &job, 0, 10, note_device, &noted, &s->err));
    assert_noted(&noted, "0 d0000 batch 0 state 1 attempt 3 code 0 \"\" \"\" at 3\n"
                         "1 d0001 batch 0 state 0 attempt 0 code 0 \"\" \"\" at 0\n");
    suite_close(s);
}

void store_case_devices_page_keeps_the_ids_of_deleted_devices(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record job;
    uint32_t first = suite_devices(s, "d", 2);
    suite_job(s, "a", first, 2, 2, &job);

    suite_begin(s);
    must(s->to->device_drop(s->store, first + 1, &s->err));
    suite_commit(s);
    must(s->from->job_devices_page(s->reader, &job, 1, 1, note_device, &noted, &s->err));
    assert_noted(&noted, "1 d0001 batch 0 state 0 attempt 0 code 0 \"\" \"\" at 0\n");
    suite_close(s);
}

void store_case_recount_counts_rows(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job, other;
    uint32_t first = suite_devices(s, "d", 700);
    suite_job(s, "a", first, 700, 300, &job);
    suite_job(s, "b", first, 10, 10, &other);
    suite_begin(s);
    for (uint32_t i = 0; i < 650; i++) {
        struct tranche_result_record result = suite_result(i, (enum tranche_device_state)(1 + i % 10 % 3));
        result.final = i % 5 != 0;
        must(s->to->result_put(s->store, job.no, &result, &s->err));
    }
    struct tranche_result_record result = suite_result(0, TRANCHE_DEVICE_COMPLETED);
    must(s->to->result_put(s->store, other.no, &result, &s->err));
    suite_commit(s);

    /* Ordinals ending in 3, 6, 9 completed; 1, 4, 7 failed; 2, 8 unknown; 0 and 5 are not final. */
    struct tranche_tally whole, batch;
    must(s->from->recount(s->reader, job.no, 300, 300, &whole, &batch, &s->err));
    cr_assert_eq(memcmp(&whole, &(struct tranche_tally){ 700, 195, 195, 130 }, sizeof whole), 0);
    cr_assert_eq(memcmp(&batch, &(struct tranche_tally){ 300, 90, 90, 60 }, sizeof batch), 0);
    must(s->from->recount(s->reader, job.no, 600, 300, &whole, &batch, &s->err));
    cr_assert_eq(memcmp(&batch, &(struct tranche_tally){ 100, 15, 15, 10 }, sizeof batch), 0);
    must(s->from->recount(s->reader, job.no + 100, 0, 300, &whole, &batch, &s->err));
    cr_assert_eq(memcmp(&whole, &(struct tranche_tally){ 0 }, sizeof whole), 0);
    cr_assert_eq(memcmp(&batch, &(struct tranche_tally){ 0 }, sizeof batch), 0);
    suite_close(s);
}
