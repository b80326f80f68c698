/* Kills a writer at random instants, thirty times over one store, and looks at what is left.
 *
 * The child does what the engine does: a commit is a set of results, the counters that count them, an intent struck and
 * one written, all under one number. It tells the number only after the commit has ended well. So afterwards every number
 * that was told must be in the store, and the store must look exactly as after the last commit in it.
 * (SIGKILL keeps the page cache: this proves order and atomicity, not what a power cut leaves.)
 */
#include "sqlite_place.h"

#include "random.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS   30
#define DEVICES 1000000 /* never reached */
#define RESULTS 20      /* a commit */

static enum tranche_device_state state_of(uint32_t ordinal)
{
    return (enum tranche_device_state)(1 + ordinal % 3);
}

static void count_in(struct tranche_tally *tally, enum tranche_device_state state)
{
    tally->completed += state == TRANCHE_DEVICE_COMPLETED;
    tally->failed += state == TRANCHE_DEVICE_FAILED;
    tally->unknown += state == TRANCHE_DEVICE_UNKNOWN;
}

/* Commit `number` of the job settles the ordinals [(number - 1) * RESULTS, number * RESULTS). */
static void write_commit(struct suite *s, struct tranche_job_record *job, int64_t number)
{
    struct tranche_intent_record next = { .seq = number + 1, .attempt = 1, .count = RESULTS };
    uint32_t first = (uint32_t)(number - 1) * RESULTS;
    for (uint32_t i = 0; i < RESULTS; i++) {
        struct tranche_result_record result = suite_result(first + i, state_of(first + i));
        char reason[32];
        snprintf(reason, sizeof reason, "reason %u", (first + i) % 1000);
        result.reason = reason;
        must(s->to->result_put(s->store, job->no, &result, &s->err));
        count_in(&job->tally, result.state);
        next.ordinals[i] = first + RESULTS + i;
    }
    must(s->to->intent_drop(s->store, job->no, number, &s->err));
    must(s->to->intent_put(s->store, job->no, &next, &s->err));
    job->calls = number;
    must(s->to->job_update(s->store, job, &s->err));
}

static void child_main(struct sqlite_place *place, int told)
{
    struct suite suite, *s = &suite;
    struct tranche_job_record job = { 0 };
    suite_open(s, &place->place);
    if (s->to->job_find(s->store, "a", &job, &s->err) == TRANCHE_NOTFOUND) {
        job = (struct tranche_job_record){ .id = "a", .definition = strdup(""), .state = TRANCHE_JOB_RUNNING };
        job.tally.total = DEVICES;
        s->number = 0;
        suite_begin(s);
        must(s->to->job_insert(s->store, &job, &s->err));
        write_commit(s, &job, s->number);
        suite_commit(s);
    }
    for (;;) {
        if (write(told, &s->number, sizeof s->number) != sizeof s->number)
            _exit(1);
        suite_begin(s);
        write_commit(s, &job, s->number);
        suite_commit(s);
    }
}

/* Lets a child run for a while, counted from its first word or from its birth: then it may be killed while it opens the
 * store. Returns the last number it told, or 0. */
static int64_t write_until_killed(struct sqlite_place *place, bool from_first_word, long us)
{
    int told[2];
    int64_t number = 0, last = 0;
    cr_assert_eq(pipe(told), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        close(told[0]);
        child_main(place, told[1]);
    }
    close(told[1]);
    if (from_first_word && read(told[0], &number, sizeof number) == sizeof number)
        last = number;
    nanosleep(&(struct timespec){ us / 1000000, us % 1000000 * 1000 }, NULL);
    kill(child, SIGKILL);
    while (read(told[0], &number, sizeof number) == sizeof number) /* what it told is in the pipe still */
        last = number;
    close(told[0]);
    int status = 0;
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status), "the child ended by itself");
    return last;
}

static void expect_intent(void *context, int64_t job, const struct tranche_intent_record *intent)
{
    int64_t *number = context;
    (void)job;
    cr_assert_eq(intent->seq, *number + 1);
    cr_assert_eq(intent->count, RESULTS);
    cr_assert_eq(intent->ordinals[0], (uint32_t)*number * RESULTS);
    *number = -1; /* so that a second one is noticed */
}

static void check(struct sqlite_place *place, int64_t told)
{
    struct suite suite, *s = &suite;
    struct tranche_job_record job = { 0 };
    suite_open(s, &place->place);
    int64_t number = s->number, expected = number;
    cr_assert_geq(number, told, "commit %lld was told, %lld is the last there", (long long)told, (long long)number);
    cr_assert_leq(number, told + 1);
    if (number > 0) {
        struct tranche_tally whole, batch, counted = { 0 };
        must(s->from->job_find(s->reader, "a", &job, &s->err));
        must(s->from->recount(s->reader, job.no, 0, DEVICES, &whole, &batch, &s->err));
        for (uint32_t i = 0; i < (uint32_t)number * RESULTS; i++)
            count_in(&counted, state_of(i));
        cr_assert_eq(memcmp(&whole, &counted, sizeof whole), 0);
        counted.total = DEVICES;
        cr_assert_eq(memcmp(&job.tally, &counted, sizeof counted), 0);
        cr_assert_eq(job.calls, number);
        must(s->to->intents_open(s->store, expect_intent, &expected, &s->err));
        cr_assert_eq(expected, -1);
        tranche_job_record_free(&job);
    }
    suite_close(s);
}

Test(sqlite_crash, told_commits_are_there_and_none_is_half, .timeout = 120)
{
    struct random random = { 30 };
    struct sqlite_place place;
    int64_t told = 0;
    sqlite_place_make(&place);
    place.options.wal_bytes_max = 1 << 20; /* so that checkpoints are hit too */
    for (int i = 0; i < KILLS; i++) {
        int64_t last = write_until_killed(&place, i % 3 != 0, 1000 + random_below(&random, 120000));
        told = last > told ? last : told;
        struct suite suite;
        check(&place, told);
        suite_open(&suite, &place.place); /* the commit that was not told in time counts from now on */
        told = suite.number;
        suite_close(&suite);
    }
    cr_assert_gt(told, KILLS / 2); /* the children did write */
    sqlite_place_remove(&place);
}
