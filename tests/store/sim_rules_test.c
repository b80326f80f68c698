/* What the simulated store does not let pass. Each test begins with the same lawful job of six devices in
 * batches of three: ordinal 0 is completed, 1 and 2 are in an open intent, 3 waits, 4 and 5 were never
 * issued. One thing is then done wrong.
 */
#include "sim_store.h"
#include "store_suite.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct rules {
    struct suite suite;
    struct tranche_job_record job;
    char first[512]; /* the first thing that was wrong */
    int reports;
};

static void note(void *context, const char *text)
{
    struct rules *r = context;
    if (r->reports++ == 0)
        snprintf(r->first, sizeof r->first, "%s", text);
}

static struct tranche_store *place_open(struct store_place *place)
{
    (void)place;
    struct tranche_store *store = NULL;
    cr_assert_eq(sim_store_open(&store, NULL), TRANCHE_OK);
    return store;
}

static struct store_place strict_place = { .open = place_open };

static void put_intent(struct rules *r, int64_t seq, uint32_t count, const uint32_t *ordinals)
{
    struct suite *s = &r->suite;
    struct tranche_intent_record intent = { .seq = seq, .attempt = 1, .count = count };
    memcpy(intent.ordinals, ordinals, count * sizeof *ordinals);
    must(s->to->intent_put(s->store, r->job.no, &intent, &s->err));
}

static void put_retry(struct rules *r, uint32_t ordinal)
{
    struct suite *s = &r->suite;
    must(s->to->retry_put(s->store, r->job.no,
                          &(struct tranche_retry_record){ .ordinal = ordinal, .attempt = 1 }, &s->err));
}

static void put_result(struct rules *r, uint32_t ordinal, uint16_t attempt, enum tranche_device_state state)
{
    struct suite *s = &r->suite;
    struct tranche_result_record result = suite_result(ordinal, state);
    result.attempt = attempt;
    must(s->to->result_put(s->store, r->job.no, &result, &s->err));
}

static void update(struct rules *r)
{
    struct suite *s = &r->suite;
    must(s->to->job_update(s->store, &r->job, &s->err));
}

static void open_lawful(struct rules *r)
{
    struct suite *s = &r->suite;
    *r = (struct rules){ 0 };
    suite_open(s, &strict_place);
    sim_store_on_wrong(s->store, note, r);
    suite_job(s, "job", suite_devices(s, "d", 6), 6, 3, &r->job);
    r->job.next = 4;
    r->job.intent_seq = 1;
    r->job.tally.completed = 1;
    suite_begin(s);
    update(r);
    put_result(r, 0, 1, TRANCHE_DEVICE_COMPLETED);
    put_intent(r, 0, 2, (const uint32_t[]){ 1, 2 });
    put_retry(r, 3);
    suite_commit(s);
    cr_assert_eq(r->reports, 0, "%s", r->first);
}

/* Does the wrong thing in a transaction; what is said first must contain the text. */
static void check(void (*wrong)(struct rules *r), const char *text)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    suite_begin(&r->suite);
    wrong(r);
    suite_commit(&r->suite);
    cr_assert_gt(r->reports, 0, "nothing was said, expected: %s", text);
    cr_assert_not_null(strstr(r->first, text), "said: %s\nexpected: %s", r->first, text);
    suite_close(&r->suite);
}

#define WRONG(name, text)                      \
    static void wrong_##name(struct rules *r); \
    Test(sim_rules, name)                      \
    {                                          \
        check(wrong_##name, text);             \
    }                                          \
    static void wrong_##name(struct rules *r)

/* ---- what is right ---- */

/* One device gets its last word, one goes on waiting, two are issued; an emptied intent goes. */
Test(sim_rules, lawful_commits_are_let_pass)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;

    suite_begin(s);
    put_intent(r, 1, 2, (const uint32_t[]){ 4, 5 }); /* in any order inside the transaction */
    put_retry(r, 1);
    must(s->to->intent_drop(s->store, r->job.no, 0, &s->err));
    put_result(r, 2, 1, TRANCHE_DEVICE_UNKNOWN);
    r->job.next = 6;
    r->job.intent_seq = 2;
    r->job.tally.unknown = 1;
    r->job.state = TRANCHE_JOB_STOPPING;
    update(r);
    suite_commit(s);

    suite_begin(s);
    r->job.state = TRANCHE_JOB_CANCELLED; /* by way of cancelling */
    put_retry(r, 4);
    put_retry(r, 5);
    must(s->to->intent_drop(s->store, r->job.no, 1, &s->err));
    update(r);
    suite_commit(s);
    cr_assert_eq(r->reports, 0, "%s", r->first);
    suite_close(s);
}

/* Not only rows of this transaction count: a rollback takes its rows out of the counts again. */
Test(sim_rules, what_was_rolled_back_is_not_held_against_the_next)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;

    suite_begin(s);
    put_retry(r, 1);
    put_intent(r, 0, 1, (const uint32_t[]){ 2 });
    put_intent(r, 0, 2, (const uint32_t[]){ 2, 3 });
    put_result(r, 3, 1, TRANCHE_DEVICE_FAILED);
    must(s->to->retry_drop(s->store, r->job.no, 3, &s->err));
    s->to->rollback(s->store);
    suite_begin(s);
    update(r);
    suite_commit(s);
    cr_assert_eq(r->reports, 0, "%s", r->first);
    suite_close(s);
}

Test(sim_rules, whoever_sets_no_hook_dies, .signal = SIGABRT)
{
    struct suite suite, *s = &suite;
    suite_open(s, &strict_place);
    s->to->device_drop(s->store, 1, &s->err); /* outside any transaction */
}

/* ---- misuse of the interface ---- */

Test(sim_rules, writes_belong_to_a_transaction)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;

    cr_assert_eq(s->to->job_update(s->store, &r->job, &s->err), TRANCHE_INTERNAL);
    cr_assert_str_eq(r->first, "job_update: no transaction is open");
    cr_assert_eq(s->to->commit_start(s->store, &s->err), TRANCHE_INTERNAL);
    cr_assert_eq(r->reports, 2);
    suite_close(s);
}

Test(sim_rules, transactions_do_not_nest_and_numbers_grow)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;

    suite_begin(s);
    cr_assert_eq(s->to->begin(s->store, s->number + 1, &s->err), TRANCHE_INTERNAL);
    cr_assert_eq(r->reports, 1);
    suite_commit(s);
    must(s->to->begin(s->store, s->number, &s->err));
    cr_assert_eq(r->reports, 2);
    s->to->rollback(s->store);
    suite_close(s);
}

static struct sim_store_begin second_write_fails(void *context, int64_t number)
{
    (void)context, (void)number;
    return (struct sim_store_begin){ .failing_write = 2 };
}

Test(sim_rules, after_trouble_only_rollback_helps)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;
    sim_store_set_faults(s->store, &(struct sim_store_faults){ .begin = second_write_fails });

    suite_begin(s);
    update(r);
    cr_assert_eq(s->to->job_update(s->store, &r->job, &s->err), TRANCHE_IO);
    cr_assert_eq(r->reports, 0);
    cr_assert_eq(s->to->job_update(s->store, &r->job, &s->err), TRANCHE_IO);
    cr_assert_eq(r->reports, 1);
    cr_assert_eq(s->to->commit_start(s->store, &s->err), TRANCHE_IO);
    cr_assert_eq(r->reports, 2);
    s->to->rollback(s->store);
    suite_close(s);
}

static struct sim_store_commit ends_late_and_unknown(void *context, int64_t number)
{
    (void)context, (void)number;
    return (struct sim_store_commit){ .end = SIM_STORE_UNKNOWN_LOST, .late = true };
}

Test(sim_rules, nothing_may_be_asked_while_the_end_is_not_known)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;
    struct tranche_device_record device;
    sim_store_set_faults(s->store, &(struct sim_store_faults){ .decide = ends_late_and_unknown });
    suite_begin(s);
    must(s->to->commit_start(s->store, &s->err));

    s->to->device_load(s->store, 1, &device, &s->err);
    cr_assert_eq(r->reports, 1); /* pending */
    cr_assert_eq(s->to->recover(s->store, &s->err), TRANCHE_INTERNAL);
    s->to->rollback(s->store);
    cr_assert_eq(r->reports, 3);
    sim_store_release(s->store);
    s->to->device_load(s->store, 1, &device, &s->err);
    cr_assert_eq(r->reports, 4); /* unknown */
    cr_assert_eq(s->to->begin(s->store, s->number + 1, &s->err), TRANCHE_INTERNAL);
    cr_assert_eq(r->reports, 5);
    must(s->to->recover(s->store, &s->err));
    must(s->to->device_load(s->store, 1, &device, &s->err));
    cr_assert_eq(r->reports, 5);
    suite_close(s);
}

static void call_writer(struct suite *s)
{
    struct tranche_device_record device;
    s->to->device_load(s->store, 1, &device, &s->err);
}

static void call_reader(struct suite *s)
{
    struct tranche_device_record device;
    s->from->device_find(s->reader, "d0000", &device, &s->err);
}

static void visit_job(void *context, const struct tranche_job_record *job)
{
    (void)job;
    call_writer(context);
}

static void visit_intent(void *context, int64_t job, const struct tranche_intent_record *intent)
{
    (void)job, (void)intent;
    call_writer(context);
}

static void visit_retry(void *context, const struct tranche_retry_record *retry)
{
    (void)retry;
    call_writer(context);
}

static void visit_import(void *context, const struct tranche_import_record *import)
{
    (void)import;
    call_writer(context);
}

static void read_import(void *context, const struct tranche_import_record *import)
{
    (void)import;
    call_reader(context);
}

static void read_job(void *context, const struct tranche_job_record *job)
{
    (void)job;
    call_reader(context);
}

static void read_batch(void *context, const struct tranche_batch_record *batch)
{
    (void)batch;
    call_reader(context);
}

static void read_device(void *context, const struct tranche_job_device *device)
{
    (void)device;
    call_reader(context);
}

Test(sim_rules, callbacks_do_not_call_who_called_them)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;
    suite_begin(s);
    must(s->to->batch_put(s->store, r->job.no, &(struct tranche_batch_record){ .index = 0 }, &s->err));
    must(s->to->import_put(s->store, &(struct tranche_import_record){ .file = "f" }, &s->err));
    suite_commit(s);

    must(s->to->jobs_in(s->store, ~0u, visit_job, s, &s->err));
    cr_assert_eq(r->reports, 1);
    must(s->to->intents_open(s->store, visit_intent, s, &s->err));
    cr_assert_eq(r->reports, 2);
    must(s->to->retries_of(s->store, r->job.no, visit_retry, s, &s->err));
    cr_assert_eq(r->reports, 3);
    must(s->to->imports_open(s->store, visit_import, s, &s->err));
    cr_assert_eq(r->reports, 4);
    must(s->from->jobs_page(s->reader, 0, 1, read_job, s, &s->err));
    cr_assert_eq(r->reports, 5);
    must(s->from->batches_page(s->reader, r->job.no, 0, 1, read_batch, s, &s->err));
    cr_assert_eq(r->reports, 6);
    must(s->from->job_devices_page(s->reader, &r->job, 0, 1, read_device, s, &s->err));
    cr_assert_eq(r->reports, 7);
    must(s->from->imports_page(s->reader, 1, read_import, s, &s->err));
    cr_assert_eq(r->reports, 8);
    call_writer(s); /* afterwards it is fine again */
    call_reader(s);
    cr_assert_eq(r->reports, 8);
    suite_close(s);
}

Test(sim_rules, readers_are_closed_before_the_store, .signal = SIGABRT)
{
    struct suite suite, *s = &suite;
    suite_open(s, &strict_place);
    s->to->close(s->store);
}

static struct sim_store_commit is_refused(void *context, int64_t number)
{
    (void)context, (void)number;
    return (struct sim_store_commit){ .end = SIM_STORE_REFUSED };
}

Test(sim_rules, a_refused_commit_is_rolled_back)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;
    sim_store_set_faults(s->store, &(struct sim_store_faults){ .decide = is_refused });

    suite_begin(s);
    cr_assert_eq(s->to->commit_start(s->store, &s->err), TRANCHE_IO);
    cr_assert_eq(r->reports, 0);
    cr_assert_eq(s->to->commit_start(s->store, &s->err), TRANCHE_IO);
    cr_assert_eq(r->reports, 1);
    s->to->rollback(s->store);
    suite_close(s);
}

Test(sim_rules, a_reader_selects_one_thing_at_a_time)
{
    struct rules rules, *r = &rules;
    open_lawful(r);
    struct suite *s = &r->suite;
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    uint32_t count = 0, device;

    cr_assert_eq(s->from->select_next(s->reader, &device, 1, &count, &s->err), TRANCHE_INTERNAL);
    must(s->from->select_open(s->reader, &all, &count, &s->err));
    cr_assert_eq(s->from->select_open(s->reader, &all, &count, &s->err), TRANCHE_INTERNAL);
    cr_assert_eq(s->from->select_count(s->reader, &all, &count, &s->err), TRANCHE_INTERNAL);
    cr_assert_eq(r->reports, 3);
    suite_close(s);
}

WRONG(an_update_needs_a_job, "job 9 was never inserted")
{
    struct suite *s = &r->suite;
    struct tranche_job_record nobody = { .no = 9 };
    cr_assert_eq(s->to->job_update(s->store, &nobody, &s->err), TRANCHE_INTERNAL);
}

WRONG(rows_need_a_job, "job 9 has rows, but is not there")
{
    struct suite *s = &r->suite;
    must(s->to->batch_put(s->store, 9, &(struct tranche_batch_record){ .index = 0 }, &s->err));
}

WRONG(an_update_needs_an_import, "import 9 was never inserted")
{
    struct suite *s = &r->suite;
    cr_assert_eq(
        s->to->import_put(s->store, &(struct tranche_import_record){ .no = 9, .file = "f" }, &s->err),
        TRANCHE_INTERNAL);
}

WRONG(numbers_of_jobs_begin_at_one, "retry_drop: job 0 is not a number of ours")
{
    struct suite *s = &r->suite;
    cr_assert_eq(s->to->retry_drop(s->store, 0, 1, &s->err), TRANCHE_INTERNAL);
}

WRONG(ordinals_are_within_reason, "retry_put: job 1, ordinal 65536 is beyond any job")
{
    put_retry(r, SIM_ORDINALS_MAX);
}

/* ---- results ---- */

WRONG(an_attempt_has_one_result, "ordinal 0, step 0: attempt 1 has a result already")
{
    struct suite *s = &r->suite;
    struct tranche_result_record again = suite_result(0, TRANCHE_DEVICE_FAILED);
    cr_assert_eq(s->to->result_put(s->store, r->job.no, &again, &s->err), TRANCHE_CONFLICT);
}

WRONG(a_device_has_one_last_word, "ordinal 0 has its last word already")
{
    put_result(r, 0, 2, TRANCHE_DEVICE_FAILED);
}

WRONG(a_result_has_an_end, "ordinal 3: attempt 1, state pending")
{
    put_result(r, 3, 1, TRANCHE_DEVICE_PENDING);
}

WRONG(a_last_word_ends_the_intent, "ordinal 1 has its last word and is in an open intent")
{
    put_result(r, 1, 1, TRANCHE_DEVICE_COMPLETED);
    r->job.tally.completed++;
    update(r);
}

WRONG(a_last_word_ends_the_waiting, "ordinal 3 has its last word and waits")
{
    put_result(r, 3, 1, TRANCHE_DEVICE_COMPLETED);
    r->job.tally.completed++;
    update(r);
}

WRONG(a_result_was_issued, "ordinal 4 was never issued, next is 4")
{
    put_result(r, 4, 1, TRANCHE_DEVICE_COMPLETED);
}

/* ---- intents and waiting devices ---- */

WRONG(a_device_is_in_one_intent, "ordinal 2 is in 2 open intents")
{
    put_intent(r, 1, 1, (const uint32_t[]){ 2 });
    r->job.intent_seq = 2;
    update(r);
}

WRONG(a_device_is_called_or_waits, "ordinal 2 is in an open intent and waits")
{
    put_retry(r, 2);
}

WRONG(an_intent_was_issued, "ordinal 5 was never issued, next is 4")
{
    put_intent(r, 0, 3, (const uint32_t[]){ 1, 2, 5 });
}

WRONG(who_waits_was_issued, "ordinal 5 was never issued, next is 4")
{
    put_retry(r, 5);
}

WRONG(ordinals_ascend, "ordinal 2 stands before 1")
{
    put_intent(r, 0, 2, (const uint32_t[]){ 2, 1 });
}

WRONG(ordinals_ascend_strictly, "ordinal 2 stands before 2")
{
    put_intent(r, 0, 2, (const uint32_t[]){ 2, 2 });
}

WRONG(an_emptied_intent_is_dropped, "seq 0: 0 devices")
{
    struct suite *s = &r->suite;
    cr_assert_eq(
        s->to->intent_put(s->store, r->job.no, &(struct tranche_intent_record){ .attempt = 1 }, &s->err),
        TRANCHE_INTERNAL);
}

WRONG(an_intent_has_an_attempt, "seq 0 has no attempt")
{
    struct suite *s = &r->suite;
    struct tranche_intent_record intent = { .count = 2, .ordinals = { 1, 2 } };
    must(s->to->intent_put(s->store, r->job.no, &intent, &s->err));
}

WRONG(an_intent_took_its_number_from_the_job, "intent 1 is open, the next one is 1")
{
    struct suite *s = &r->suite;
    must(s->to->intent_drop(s->store, r->job.no, 0, &s->err));
    put_intent(r, 1, 2, (const uint32_t[]){ 1, 2 });
}

WRONG(nobody_gets_lost_from_an_intent, "4 devices were issued, 1 are in intents, 1 wait, 1 are final")
{
    put_intent(r, 0, 1, (const uint32_t[]){ 2 });
}

WRONG(nobody_gets_lost_from_waiting, "4 devices were issued, 2 are in intents, 0 wait, 1 are final")
{
    struct suite *s = &r->suite;
    must(s->to->retry_drop(s->store, r->job.no, 3, &s->err));
}

WRONG(nobody_is_passed_over, "5 devices were issued, 2 are in intents, 1 wait, 1 are final")
{
    r->job.next = 5;
    update(r);
}

/* ---- the membership ---- */

WRONG(a_chunk_is_put_once, "job 2 has chunk 0 already")
{
    struct suite *s = &r->suite;
    struct tranche_job_record job = { .id = "other", .definition = (char *)"" };
    uint32_t device = 1;
    must(s->to->job_insert(s->store, &job, &s->err));
    must(s->to->chunk_put(s->store, job.no, 0, 0, &device, 1, &s->err));
    cr_assert_eq(s->to->chunk_put(s->store, job.no, 0, 0, &device, 1, &s->err), TRANCHE_CONFLICT);
}

WRONG(a_chunk_has_devices, "job 1, chunk 2: 0 devices")
{
    struct suite *s = &r->suite;
    cr_assert_eq(s->to->chunk_put(s->store, r->job.no, 2, 0, NULL, 0, &s->err), TRANCHE_INTERNAL);
}

WRONG(a_frozen_membership_takes_no_more, "chunk_put: the membership of job job is frozen")
{
    struct suite *s = &r->suite;
    uint32_t device = 1;
    must(s->to->chunk_put(s->store, r->job.no, 2, 2, &device, 1, &s->err));
}

WRONG(a_frozen_membership_is_kept, "chunks_drop: the membership of job job is frozen")
{
    struct suite *s = &r->suite;
    must(s->to->chunks_drop(s->store, r->job.no, &s->err));
}

WRONG(a_frozen_membership_does_not_thaw, "its frozen membership thaws")
{
    r->job.frozen = false;
    update(r);
}

WRONG(a_membership_is_frozen_whole, "job other is frozen without its chunk 1")
{
    struct suite *s = &r->suite;
    struct tranche_job_record job = {
        .id = "other", .definition = (char *)"", .frozen = true, .batch_devices = 2, .tally = { .total = 3 }
    };
    must(s->to->job_insert(s->store, &job, &s->err));
    must(s->to->chunk_put(s->store, job.no, 0, 0, (const uint32_t[]){ 1, 2 }, 2, &s->err));
}

WRONG(chunks_are_cut_along_batches, "chunk 0 has 3 devices of batch 0, not 2 of batch 0")
{
    struct suite *s = &r->suite;
    struct tranche_job_record job = {
        .id = "other", .definition = (char *)"", .frozen = true, .batch_devices = 2, .tally = { .total = 4 }
    };
    must(s->to->job_insert(s->store, &job, &s->err));
    must(s->to->chunk_put(s->store, job.no, 0, 0, (const uint32_t[]){ 1, 2, 3 }, 3, &s->err));
    must(s->to->chunk_put(s->store, job.no, 1, 1, (const uint32_t[]){ 4 }, 1, &s->err));
}

WRONG(nothing_is_issued_before_the_freeze, "next is 1, its membership is not frozen")
{
    struct suite *s = &r->suite;
    struct tranche_job_record job = { .id = "other", .definition = (char *)"", .next = 1 };
    must(s->to->job_insert(s->store, &job, &s->err));
}

/* ---- the job's row ---- */

WRONG(total_is_that_of_the_chunks, "job job says 7 devices, its chunks have 6")
{
    r->job.tally.total = 7;
    update(r);
}

WRONG(counters_are_those_of_the_rows, "says 1 completed, 1 failed, 0 unknown; its results say 1, 0, 0")
{
    r->job.tally.failed = 1;
    update(r);
}

WRONG(results_are_counted_in_the_same_commit,
      "says 1 completed, 0 failed, 0 unknown; its results say 1, 1, 0")
{
    struct suite *s = &r->suite;
    must(s->to->retry_drop(s->store, r->job.no, 3, &s->err));
    put_result(r, 3, 1, TRANCHE_DEVICE_FAILED);
}

WRONG(next_stays_within_the_total, "next is 7 of 6 devices")
{
    r->job.next = 7;
    update(r);
}

WRONG(next_never_goes_back, "next goes back from 4 to 3")
{
    r->job.next = 3;
    update(r);
}

WRONG(numbers_of_intents_never_come_back, "intent_seq goes back from 1 to 0")
{
    struct suite *s = &r->suite;
    must(s->to->intent_drop(s->store, r->job.no, 0, &s->err));
    put_retry(r, 1);
    put_retry(r, 2);
    r->job.intent_seq = 0;
    update(r);
}

WRONG(states_move_along_their_edges, "job other goes from complete to running")
{
    struct suite *s = &r->suite;
    struct tranche_job_record job = { .id = "other",
                                      .definition = (char *)"",
                                      .state = TRANCHE_JOB_COMPLETE };
    must(s->to->job_insert(s->store, &job, &s->err));
    suite_commit(s);
    suite_begin(s);
    job.state = TRANCHE_JOB_RUNNING;
    must(s->to->job_update(s->store, &job, &s->err));
}

WRONG(a_job_at_rest_has_nothing_in_flight, "job job is stopped with 2 devices in open intents")
{
    r->job.state = TRANCHE_JOB_STOPPED;
    update(r);
}

WRONG(a_complete_job_has_nobody_pending, "job job is complete with 5 devices pending")
{
    struct suite *s = &r->suite;
    must(s->to->intent_drop(s->store, r->job.no, 0, &s->err));
    put_retry(r, 1);
    put_retry(r, 2);
    r->job.state = TRANCHE_JOB_COMPLETE;
    update(r);
}

WRONG(a_batch_ends_with_what_its_rows_say, "batch 0 ended with 2, 0, 0; its results say 1, 0, 0")
{
    struct suite *s = &r->suite;
    struct tranche_batch_record batch = { .index = 0,
                                          .ended_us = 1,
                                          .tally = { .total = 3, .completed = 2 } };
    must(s->to->batch_put(s->store, r->job.no, &batch, &s->err));
}
