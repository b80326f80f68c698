/* Stories of jobs in the simulated world: each a few sentences of a job's life, told in virtual time. */
#include "sim_check.h"
#include "state.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_US INT64_C(60000000)
#define PROPERTY \
    "\"group\":\"all\",\"data\":[{\"type\":\"property\",\"target\":\"t\",\"path\":\"level\",\"value\":1}]"
#define COMMAND "\"group\":\"all\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"reboot\"}]"

static struct sim_verdict answer(int status, int64_t latency_us)
{
    return (struct sim_verdict){ .transport = TRANCHE_ANSWERED, .status = status, .latency_us = latency_us };
}

static struct sim_verdict all_well(struct sim *sim, const struct sim_call *call)
{
    (void)call;
    return answer(200, random_between(&sim->random, 1000, 50000));
}

static struct sim_verdict every_tenth_refuses(struct sim *sim, const struct sim_call *call)
{
    (void)sim;
    return answer(call->ordinal % 10 == 9 ? 400 : 200, 20000);
}

/* Refuses in the job "first" only. */
static struct sim_verdict first_refuses_a_third(struct sim *sim, const struct sim_call *call)
{
    (void)sim;
    return answer(strcmp(call->job, "first") == 0 && call->ordinal % 3 == 0 ? 409 : 200, 10000);
}

static bool job_rests(struct sim *sim)
{
    return sim_job_rests(sim, "job");
}

static struct sim *begin(uint32_t devices,
                         struct sim_verdict (*gateway)(struct sim *, const struct sim_call *))
{
    static struct sim sim;
    sim_open(&sim, 1);
    sim.gateway = gateway;
    sim.watch = sim_check_request;
    sim.config.in_flight = 16;
    sim_devices(&sim, devices, false);
    sim_start(&sim);
    return &sim;
}

static const struct tranche_job_record *run_to_rest(struct sim *sim, const char *definition)
{
    struct sim_order *order = sim_create(sim, "job", "all", definition);
    cr_assert(sim_run_order(sim, order));
    cr_assert_eq(order->command.code, TRANCHE_OK, "%s", order->command.err.text);
    cr_assert(sim_run(sim, 10 * MINUTE_US, job_rests));
    return sim_job(sim, "job");
}

Test(stories, a_property_reaches_every_device_once)
{
    struct sim *sim = begin(1000, all_well);

    const struct tranche_job_record *job = run_to_rest(sim, PROPERTY);

    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(job->tally.completed, 1000);
    cr_assert_eq(sim->log_count, 1000);
    sim_check_job(sim, "job", false, 1);
    sim_close(sim);
}

Test(stories, failed_devices_do_not_fail_the_job)
{
    struct sim *sim = begin(100, every_tenth_refuses);

    const struct tranche_job_record *job = run_to_rest(sim, COMMAND);

    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(job->tally.failed, 10);
    sim_check_job(sim, "job", true, 1);
    sim_close(sim);
}

Test(stories, an_empty_group_is_complete_at_once)
{
    struct sim *sim = begin(0, all_well);

    const struct tranche_job_record *job = run_to_rest(sim, PROPERTY);

    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(job->tally.total, 0);
    sim_close(sim);
}

Test(stories, one_device_is_a_job)
{
    struct sim *sim = begin(1, all_well);

    const struct tranche_job_record *job =
        run_to_rest(sim, COMMAND ",\"batch\":{\"type\":\"percentage\",\"value\":1}");

    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(job->tally.completed, 1);
    sim_close(sim);
}

Test(stories, batches_of_one_run_strictly_one_after_the_other)
{
    struct sim *sim = begin(20, all_well);

    run_to_rest(sim, PROPERTY ",\"batch\":{\"type\":\"number\",\"value\":1}");

    for (uint32_t i = 0; i < sim->log_count; i++)
        cr_assert_eq(sim->log[i].ordinal, i);
    sim_close(sim);
}

Test(stories, a_threshold_of_a_number_trips_at_the_next_failure)
{
    struct sim *sim = begin(1000, every_tenth_refuses);

    const struct tranche_job_record *job =
        run_to_rest(sim, COMMAND ",\"cancellationThreshold\":{\"type\":\"number\",\"value\":10}");

    cr_assert_eq(job->state, TRANCHE_JOB_CANCELLED);
    cr_assert_geq(job->tally.failed, 11);
    cr_assert_leq(job->tally.failed, 11 + 24 / 10 + 1, "calls in flight are bounded by the window");
    cr_assert_gt(tranche_tally_pending(&job->tally), 0);
    sim_check_job(sim, "job", true, 1);
    sim_close(sim);
}

Test(stories, a_threshold_of_0_trips_at_the_first_failure_and_100_percent_never)
{
    struct sim *sim = begin(200, every_tenth_refuses);
    const struct tranche_job_record *job =
        run_to_rest(sim, COMMAND ",\"cancellationThreshold\":{\"type\":\"number\",\"value\":0}");
    cr_assert_eq(job->state, TRANCHE_JOB_CANCELLED);
    sim_close(sim);

    sim = begin(200, every_tenth_refuses);
    job = run_to_rest(sim, COMMAND ",\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":100}");
    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    sim_close(sim);
}

/* 10 % of each batch fail: 4 of 40, and in the last batch 1 of 15. */
Test(stories, a_threshold_in_batch_scope_counts_each_batch_anew)
{
    struct sim *sim = begin(95, every_tenth_refuses);
    const char *batches = ",\"batch\":{\"type\":\"number\",\"value\":40}";
    char definition[512];

    snprintf(definition, sizeof definition,
             COMMAND "%s,\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":10,\"batch\":true}",
             batches);
    const struct tranche_job_record *job = run_to_rest(sim, definition);

    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE, "10 %% is not over 10 %%");
    sim_check_job(sim, "job", true, 1);
    sim_close(sim);

    sim = begin(95, every_tenth_refuses);
    snprintf(definition, sizeof definition,
             COMMAND "%s,\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":9.9,\"batch\":true}",
             batches);
    job = run_to_rest(sim, definition);
    cr_assert_eq(job->state, TRANCHE_JOB_CANCELLED);
    cr_assert_eq(job->batch, 0);
    sim_check_job(sim, "job", true, 1);
    sim_close(sim);
}

static bool half_done(struct sim *sim)
{
    const struct tranche_job_record *job = sim_job(sim, "job");
    return job != NULL && job->tally.completed >= 250;
}

Test(stories, stop_leaves_uncalled_devices_pending_and_resume_calls_exactly_them)
{
    struct sim *sim = begin(500, all_well);
    sim_create(sim, "job", "all", COMMAND);
    cr_assert(sim_run(sim, MINUTE_US, half_done));

    struct sim_order *stop = sim_stop(sim, "job");
    cr_assert(sim_run_order(sim, stop));
    cr_assert(sim_run(sim, MINUTE_US, job_rests));
    const struct tranche_job_record *job = sim_job(sim, "job");
    cr_assert_eq(job->state, TRANCHE_JOB_STOPPED);
    cr_assert_eq(sim->log_count, job->tally.completed, "what was called has its outcome");
    cr_assert_gt(tranche_tally_pending(&job->tally), 0);

    struct sim_order *resume = sim_resume(sim, "job");
    cr_assert(sim_run_order(sim, resume));
    cr_assert_eq(resume->command.code, TRANCHE_OK, "%s", resume->command.err.text);
    cr_assert(sim_run(sim, MINUTE_US, job_rests));
    cr_assert_eq(sim_job(sim, "job")->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(sim->log_count, 500);
    sim_check_job(sim, "job", true, 1);
    sim_close(sim);
}

static bool again_rests(struct sim *sim)
{
    return sim_job_rests(sim, "again");
}

static bool third_rests(struct sim *sim)
{
    return sim_job_rests(sim, "third");
}

static bool first_rests(struct sim *sim)
{
    return sim_job_rests(sim, "first");
}

Test(stories, a_rerun_calls_only_the_failed_and_a_rerun_of_it_calls_nobody)
{
    struct sim *sim = begin(300, first_refuses_a_third);
    sim_create(sim, "first", "all", COMMAND);
    cr_assert(sim_run(sim, MINUTE_US, first_rests));
    cr_assert_eq(sim_job(sim, "first")->tally.failed, 100);
    uint32_t before = sim->log_count;

    cr_assert(sim_run_order(sim, sim_rerun(sim, "first", "again")));
    cr_assert(sim_run(sim, MINUTE_US, again_rests));
    cr_assert_eq(sim_job(sim, "again")->tally.total, 100);
    cr_assert_eq(sim_job(sim, "again")->tally.completed, 100);
    cr_assert_eq(sim->log_count, before + 100);

    struct sim_order *third = sim_rerun(sim, "again", "third");
    cr_assert(sim_run_order(sim, third));
    cr_assert(sim_run(sim, MINUTE_US, third_rests));
    cr_assert_eq(sim_job(sim, "third")->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(sim_job(sim, "third")->tally.total, 0);
    cr_assert_eq(sim->log_count, before + 100);

    struct sim_order *same = sim_rerun(sim, "first", "again");
    cr_assert(sim_run_order(sim, same));
    cr_assert_eq(same->command.code, TRANCHE_OK, "the same rerun is no second run");
    struct sim_order *taken = sim_rerun(sim, "again", "first");
    cr_assert(sim_run_order(sim, taken));
    cr_assert_eq(taken->command.code, TRANCHE_CONFLICT);
    sim_close(sim);
}

Test(stories, the_same_put_again_is_no_second_run_and_another_is_a_conflict)
{
    struct sim *sim = begin(10, all_well);
    run_to_rest(sim, PROPERTY);

    struct sim_order *same = sim_create(sim, "job", "all", PROPERTY);
    cr_assert(sim_run_order(sim, same));
    cr_assert_eq(same->command.code, TRANCHE_OK);
    cr_assert_eq(same->command.job.state, TRANCHE_JOB_COMPLETE);
    struct sim_order *other = sim_create(sim, "job", "all", COMMAND);
    cr_assert(sim_run_order(sim, other));
    cr_assert_eq(other->command.code, TRANCHE_CONFLICT);
    cr_assert_str_eq(other->command.err.text,
                     "Job \"job\" exists with a different definition; it is complete.");
    cr_assert_eq(sim->log_count, 10);
    sim_close(sim);
}

Test(stories, after_a_crash_commands_in_flight_are_unknown_and_never_sent_again)
{
    struct sim *sim = begin(500, all_well);
    sim_create(sim, "job", "all", COMMAND);
    cr_assert(sim_run(sim, MINUTE_US, half_done));

    sim_crash(sim);
    sim_start(sim);
    cr_assert(sim_run(sim, MINUTE_US, job_rests));

    const struct tranche_job_record *job = sim_job(sim, "job");
    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    cr_assert_gt(job->tally.unknown, 0);
    cr_assert_leq(job->tally.unknown, 24, "the window of commands is 1.5 x in_flight");
    sim_check_job(sim, "job", true, 1);
    sim_close(sim);
}

Test(stories, after_a_crash_property_writes_in_flight_are_sent_again)
{
    struct sim *sim = begin(500, all_well);
    sim_create(sim, "job", "all", PROPERTY);
    cr_assert(sim_run(sim, MINUTE_US, half_done));

    sim_crash(sim);
    sim_start(sim);
    cr_assert(sim_run(sim, MINUTE_US, job_rests));

    const struct tranche_job_record *job = sim_job(sim, "job");
    cr_assert_eq(job->tally.completed, 500);
    cr_assert_gt(sim->log_count, 500);
    cr_assert_leq(sim->log_count, 500 + 64, "at most the window is sent again");
    sim_check_job(sim, "job", false, 1);
    sim_close(sim);
}

Test(stories, simulated_devices_are_answered_inside)
{
    struct sim sim;
    sim_open(&sim, 1);
    sim.gateway = all_well;
    sim_devices(&sim, 700, true);
    sim_start(&sim);

    const struct tranche_job_record *job =
        run_to_rest(&sim, COMMAND ",\"batch\":{\"type\":\"number\",\"value\":300}");

    cr_assert_eq(job->tally.completed, 700);
    cr_assert_eq(sim.log_count, 0);
    sim_close(&sim);
}

Test(stories, two_jobs_never_call_one_device_at_the_same_time)
{
    struct sim *sim = begin(200, all_well);
    sim_create(sim, "first", "all", COMMAND);
    sim_create(sim, "again", "all", COMMAND);

    cr_assert(sim_run(sim, MINUTE_US, first_rests));
    cr_assert(sim_run(sim, MINUTE_US, again_rests));

    cr_assert_eq(sim_job(sim, "first")->tally.completed, 200);
    cr_assert_eq(sim_job(sim, "again")->tally.completed, 200);
    for (uint32_t i = 0; i < sim->log_count; i++)
        for (uint32_t j = i + 1;
             j < sim->log_count && sim->log[j].at_us < sim->log[i].at_us + sim->log[i].verdict.latency_us;
             j++)
            cr_assert_neq(sim->log[i].ordinal, sim->log[j].ordinal, "two calls to one device overlap");
    sim_check_job(sim, "first", true, 1);
    sim_check_job(sim, "again", true, 1);
    sim_close(sim);
}

Test(stories, several_entries_are_steps_and_a_failed_one_is_the_last)
{
    struct sim *sim = begin(50, every_tenth_refuses);
    const char *definition =
        "\"group\":\"all\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"a\"},"
        "{\"type\":\"command\",\"target\":\"t\",\"path\":\"b\"}]";

    const struct tranche_job_record *job = run_to_rest(sim, definition);

    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(job->tally.failed, 5);
    cr_assert_eq(sim->log_count, 45 * 2 + 5);
    sim_check_job(sim, "job", true, 2);
    sim_close(sim);
}

static bool again_is_there(struct sim *sim)
{
    return sim_job(sim, "again") != NULL;
}

Test(stories, a_second_resume_of_a_job_that_waits_in_the_queue_changes_nothing)
{
    struct sim one_at_a_time, *sim = &one_at_a_time;
    sim_open(sim, 1);
    sim->gateway = all_well;
    sim->config.jobs_running_max = 1;
    sim_devices(sim, 2000, false);
    sim_start(sim);
    sim_create(sim, "first", "all", PROPERTY);
    sim_create(sim, "again", "all", PROPERTY);
    cr_assert(sim_run(sim, MINUTE_US, again_is_there));

    struct sim_order *never_resumed = sim_resume(sim, "again");
    cr_assert(sim_run_order(sim, never_resumed));
    cr_assert(sim_run_order(sim, sim_stop(sim, "again")));
    struct sim_order *resume = sim_resume(sim, "again");
    cr_assert(sim_run_order(sim, resume));
    struct sim_order *second = sim_resume(sim, "again");
    cr_assert(sim_run_order(sim, second));

    cr_assert_eq(never_resumed->command.code, TRANCHE_CONFLICT);
    cr_assert_str_eq(never_resumed->command.err.text, "Job \"again\" cannot be resumed: it is pending.");
    cr_assert_eq(resume->command.code, TRANCHE_OK);
    cr_assert_eq(sim_job(sim, "again")->state, TRANCHE_JOB_PENDING, "it still waits");
    cr_assert_eq(second->command.code, TRANCHE_OK);
    sim_close(sim);
}

/* Three jobs of which two together are too many: each begins when the one before it has ended. */
static void check_one_after_the_other(struct sim *sim)
{
    sim->gateway = all_well;
    sim_devices(sim, 50, false);
    sim_start(sim);
    sim_create(sim, "first", "all", PROPERTY);
    sim_create(sim, "again", "all", PROPERTY);
    sim_create(sim, "third", "all", PROPERTY);

    cr_assert(sim_run(sim, MINUTE_US, third_rests));

    uint32_t last_of_first = 0, first_of_again = UINT32_MAX, last_of_again = 0, first_of_third = UINT32_MAX;
    for (uint32_t i = 0; i < sim->log_count; i++) {
        if (strcmp(sim->log[i].job, "first") == 0)
            last_of_first = i;
        if (strcmp(sim->log[i].job, "again") == 0) {
            last_of_again = i;
            first_of_again = i < first_of_again ? i : first_of_again;
        }
        if (strcmp(sim->log[i].job, "third") == 0 && first_of_third == UINT32_MAX)
            first_of_third = i;
    }
    cr_assert_lt(last_of_first, first_of_again);
    cr_assert_lt(last_of_again, first_of_third);
    sim_close(sim);
}

Test(stories, jobs_beyond_the_limit_wait_in_order)
{
    static struct sim sim;
    sim_open(&sim, 1);
    sim.config.jobs_running_max = 1;
    check_one_after_the_other(&sim);
}

Test(stories, jobs_whose_calls_exceed_the_descriptors_wait_in_order)
{
    static struct sim sim;
    sim_open(&sim, 1);
    sim.config.in_flight = 16;
    sim.world.calls_max = 31;
    check_one_after_the_other(&sim);
}

Test(stories, a_job_that_wants_more_calls_than_there_are_runs_alone)
{
    static struct sim sim;
    sim_open(&sim, 1);
    sim.config.in_flight = 16;
    sim.world.calls_max = 10;
    check_one_after_the_other(&sim);
}

/* ---- calls to single devices ---- */

#define CALL "\"group\":\"-\",\"data\":[{\"type\":\"command\",\"target\":\"-\",\"path\":\"reboot\"}]"

static struct sim_verdict slow_job_quick_call(struct sim *sim, const struct sim_call *call)
{
    (void)sim;
    return answer(200, strcmp(call->job, "job") == 0 ? 5000000 : 10000);
}

Test(stories, a_call_reaches_its_device_and_is_answered_when_it_is_over)
{
    struct sim *sim = begin(100, all_well);

    struct sim_order *call = sim_call(sim, "call", "dev-0042", CALL);

    cr_assert(sim_run_order(sim, call));
    cr_assert_eq(call->command.code, TRANCHE_OK, "%s", call->command.err.text);
    cr_assert_eq(call->command.job.state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(call->command.job.tally.completed, 1);
    cr_assert_eq(sim->log_count, 1);
    cr_assert_str_eq(sim->log[0].job, "call");
    cr_assert_eq(sim_run_order(sim, sim_stop(sim, "call")), true);
    cr_assert_eq(sim->orders->command.code, TRANCHE_NOTFOUND); /* it is no job of anybody's */
    sim_close(sim);
}

Test(stories, a_call_waits_behind_no_job_but_for_its_device)
{
    struct sim *sim = begin(100, slow_job_quick_call);
    sim->config.jobs_running_max = 1;
    sim_crash(sim);
    sim_start(sim);
    sim_create(sim, "job", "all", COMMAND); /* five seconds a device; the first are spoken for */
    sim_create(sim, "queued", "all", COMMAND);
    sim_run(sim, 1000000, NULL);
    int64_t asked_us = sim->mono_us;

    struct sim_order *other = sim_call(sim, "other", "dev-0099", CALL), *busy = sim_call(sim, "busy", "dev-0000", CALL);

    cr_assert(sim_run_order(sim, other));
    cr_assert_lt(other->answered_us - asked_us, 1000000);
    cr_assert(sim_run_order(sim, busy));
    cr_assert_gt(busy->answered_us - asked_us, 3000000);
    cr_assert_eq(busy->command.job.state, TRANCHE_JOB_COMPLETE);
    sim_close(sim);
}

Test(stories, a_call_that_a_crash_interrupts_is_unknown_and_not_made_again)
{
    struct sim *sim = begin(5, slow_job_quick_call);
    sim_call(sim, "job", "dev-0003", CALL);
    while (sim->log_count == 0)
        sim_run(sim, 1000, NULL);
    sim_crash(sim);
    sim_start(sim);
    cr_assert(sim_run(sim, MINUTE_US, job_rests));
    cr_assert_eq(sim_job(sim, "job")->tally.unknown, 1);
    cr_assert_eq(sim->log_count, 1);
    sim_close(sim);
}
