/* Stories of what goes wrong around a job, in the simulated world: groups and devices that go, calendars that step back, rings
 * that are full, and a crash at each and every commit. */
#include "sim_check.h"

#include <criterion/criterion.h>
#include <string.h>

#define SECOND_US  INT64_C(1000000)
#define PROPERTY   "\"group\":\"all\",\"data\":[{\"type\":\"property\",\"target\":\"t\",\"path\":\"p0\",\"value\":1}]"
#define COMMAND    "\"group\":\"all\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"reboot\"}]"
#define BATCHES    ",\"batch\":{\"type\":\"number\",\"value\":7}"

static struct sim_verdict well(struct sim *sim, const struct sim_call *call)
{
    (void)sim, (void)call;
    return (struct sim_verdict){ .transport = TRANCHE_ANSWERED, .status = 202, .latency_us = 10000 };
}

static struct sim_verdict every_fourth_refuses(struct sim *sim, const struct sim_call *call)
{
    struct sim_verdict verdict = well(sim, call);
    verdict.status = call->ordinal % 4 == 3 ? 409 : 202;
    return verdict;
}

static void begin(struct sim *sim, uint32_t devices, struct sim_verdict (*gateway)(struct sim *, const struct sim_call *))
{
    sim_open(sim, 1);
    sim->gateway = gateway;
    sim->watch = sim_check_request;
    sim->config.in_flight = 8;
    sim_devices(sim, devices, false);
    sim_start(sim);
}

static void create(struct sim *sim, const char *id, const char *definition)
{
    struct sim_order *order = sim_create(sim, id, "all", definition);
    cr_assert(sim_run_order(sim, order));
    cr_assert_eq(order->command.code, TRANCHE_OK, "%s", order->command.err.text);
}

static const struct tranche_job_record *rest(struct sim *sim, const char *id)
{
    for (int i = 0; i < 600 && !sim_job_rests(sim, id); i++)
        sim_run(sim, SECOND_US, NULL);
    cr_assert(sim_job_rests(sim, id), "%s never rests", id);
    return sim_job(sim, id);
}

/* ---- the registry changes meanwhile ---- */

static enum tranche_code drop_group(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                                    struct tranche_err *err)
{
    (void)command, (void)now_us;
    *more = false;
    return store->functions->group_drop(store, "all", err);
}

static enum tranche_code drop_last_device(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                                          struct tranche_err *err)
{
    (void)command, (void)now_us;
    struct tranche_device_record device;
    *more = false;
    enum tranche_code code = store->functions->device_find(store, "dev-0099", &device, err);
    return code == TRANCHE_OK ? store->functions->device_drop(store, device.no, err) : code;
}

Test(trouble, a_job_whose_group_went_before_it_began_fails)
{
    static struct sim sim;
    sim_open(&sim, 1);
    sim.gateway = well;
    sim.config.jobs_running_max = 1;
    sim_devices(&sim, 100, false);
    sim_start(&sim);
    create(&sim, "first", PROPERTY);
    create(&sim, "second", PROPERTY); /* waits */
    sim_write(&sim, drop_group);

    cr_assert_eq(rest(&sim, "first")->state, TRANCHE_JOB_COMPLETE);
    const struct tranche_job_record *second = rest(&sim, "second");
    cr_assert_eq(second->state, TRANCHE_JOB_FAILED);
    cr_assert_str_eq(second->reason, "device group \"all\" does not exist any more");
    cr_assert_eq(sim.log_count, 100);
    sim_close(&sim);
}

Test(trouble, a_job_that_has_begun_does_not_miss_its_group)
{
    static struct sim sim;
    begin(&sim, 100, well);
    create(&sim, "job", PROPERTY);
    sim_run(&sim, 30000, NULL);
    cr_assert(sim_job(&sim, "job")->frozen);
    sim_write(&sim, drop_group);

    cr_assert_eq(rest(&sim, "job")->tally.completed, 100);
    sim_close(&sim);
}

static void note_reason(void *context, const struct tranche_job_device *device)
{
    strcpy(context, device->reason);
}

Test(trouble, a_device_deleted_before_its_turn_fails_and_is_not_called)
{
    static struct sim sim;
    char reason[TRANCHE_REASON_BYTES] = "";
    begin(&sim, 100, well);
    create(&sim, "job", COMMAND);
    sim_run(&sim, 30000, NULL);
    cr_assert(sim_run_order(&sim, sim_write(&sim, drop_last_device)));

    const struct tranche_job_record *job = rest(&sim, "job");
    cr_assert_eq(job->tally.completed, 99);
    cr_assert_eq(job->tally.failed, 1);
    cr_assert_eq(sim.log_count, 99);
    cr_assert_eq(sim.reader->functions->job_devices_page(sim.reader, job, 99, 1, note_reason, reason, NULL), TRANCHE_OK);
    cr_assert_str_eq(reason, "deleted");
    sim_close(&sim);
}

Test(trouble, a_job_that_was_resumed_while_it_waits_may_be_resumed_again_after_a_crash)
{
    static struct sim sim;
    sim_open(&sim, 1);
    sim.gateway = well;
    sim.config.jobs_running_max = 1;
    sim.config.in_flight = 1;
    sim_devices(&sim, 500, false);
    sim_start(&sim);
    create(&sim, "first", COMMAND);
    create(&sim, "second", COMMAND); /* waits */
    cr_assert(sim_run_order(&sim, sim_stop(&sim, "second")));
    struct sim_order *resume = sim_resume(&sim, "second");
    cr_assert(sim_run_order(&sim, resume));
    cr_assert_eq(resume->command.code, TRANCHE_OK);
    cr_assert_eq(sim_job(&sim, "second")->state, TRANCHE_JOB_PENDING);

    sim_crash(&sim);
    sim_start(&sim);
    sim_run(&sim, 100000, NULL);
    resume = sim_resume(&sim, "second");
    cr_assert(sim_run_order(&sim, resume));
    cr_assert_eq(resume->command.code, TRANCHE_OK, "%s", resume->command.err.text);
    sim_close(&sim);
}

static enum tranche_code disable_last_device(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                                             struct tranche_err *err)
{
    (void)command, (void)now_us;
    struct tranche_device_record device;
    bool created;
    *more = false;
    enum tranche_code code = store->functions->device_find(store, "dev-0099", &device, err);
    device.enabled = false;
    return code == TRANCHE_OK ? store->functions->device_put(store, &device, &created, err) : code;
}

Test(trouble, a_disabled_device_fails_commands_and_takes_properties)
{
    static struct sim sim;
    begin(&sim, 100, well);
    cr_assert(sim_run_order(&sim, sim_write(&sim, disable_last_device)));
    create(&sim, "command", COMMAND);
    cr_assert_eq(rest(&sim, "command")->tally.failed, 1);
    cr_assert_eq(sim.log_count, 99);
    create(&sim, "property", PROPERTY);
    cr_assert_eq(rest(&sim, "property")->tally.completed, 100);
    sim_close(&sim);
}

/* ---- time ---- */

Test(trouble, a_rerun_after_the_calendar_stepped_back_still_has_all_that_failed)
{
    static struct sim sim;
    begin(&sim, 100, every_fourth_refuses);
    create(&sim, "first", COMMAND);
    cr_assert_eq(rest(&sim, "first")->tally.failed, 25);

    sim_crash(&sim);
    sim.step_us = -3600 * SECOND_US;
    sim_start(&sim);
    sim_run(&sim, SECOND_US, NULL);
    cr_assert(sim_run_order(&sim, sim_rerun(&sim, "first", "again")));

    const struct tranche_job_record *again = rest(&sim, "again");
    cr_assert_eq(again->tally.total, 25);
    cr_assert_geq(again->created_us, sim_job(&sim, "first")->ended_us);
    sim_close(&sim);
}

Test(trouble, a_rerun_of_a_rerun_has_what_failed_twice)
{
    static struct sim sim;
    begin(&sim, 160, every_fourth_refuses);
    create(&sim, "first", COMMAND);
    rest(&sim, "first");
    cr_assert(sim_run_order(&sim, sim_rerun(&sim, "first", "second")));
    cr_assert_eq(rest(&sim, "second")->tally.total, 40);
    cr_assert(sim_run_order(&sim, sim_rerun(&sim, "second", "third")));

    cr_assert_eq(rest(&sim, "third")->tally.total, 10);
    sim_check_job(&sim, "third", true, 1);
    sim_close(&sim);
}

/* ---- room ---- */

Test(trouble, rings_that_are_full_only_slow_a_job)
{
    static struct sim sim;
    sim_open(&sim, 1);
    sim.gateway = well;
    sim.watch = sim_check_request;
    sim.config.in_flight = 64;
    sim.world.worker_tasks_max = 3;
    sim_devices(&sim, 300, false);
    sim_start(&sim);
    create(&sim, "a", COMMAND);
    create(&sim, "b", PROPERTY);

    cr_assert_eq(rest(&sim, "a")->tally.completed, 300);
    cr_assert_eq(rest(&sim, "b")->tally.completed, 300);
    sim_check_job(&sim, "a", true, 1);
    sim_check_job(&sim, "b", false, 1);
    sim_close(&sim);
}

Test(trouble, a_stop_takes_unsent_tasks_back)
{
    static struct sim sim;
    begin(&sim, 200, well);
    create(&sim, "job", PROPERTY); /* its window is four times what is in flight */
    sim_run(&sim, 15000, NULL);
    cr_assert(sim_run_order(&sim, sim_stop(&sim, "job")));
    const struct tranche_job_record *job = rest(&sim, "job");
    cr_assert_eq(job->state, TRANCHE_JOB_STOPPED);
    cr_assert_gt(job->next, sim.log_count, "some were issued, and taken back");
    cr_assert_eq(job->tally.completed, sim.log_count);

    cr_assert(sim_run_order(&sim, sim_resume(&sim, "job")));
    cr_assert_eq(rest(&sim, "job")->tally.completed, 200);
    cr_assert_eq(sim.log_count, 200);
    sim_close(&sim);
}

Test(trouble, a_busy_device_is_free_again_when_its_job_is_stopped)
{
    static struct sim sim;
    begin(&sim, 8, well);
    create(&sim, "old", COMMAND);
    create(&sim, "young", COMMAND); /* over the same devices: each waits for the old job's call */
    cr_assert(sim_run_order(&sim, sim_stop(&sim, "old")));

    cr_assert_eq(rest(&sim, "young")->tally.completed, 8);
    sim_check_job(&sim, "young", true, 1);
    sim_close(&sim);
}

/* ---- a crash at every commit ---- */

enum when { BEFORE_IT, AFTER_IT };

/* The crash comes when the transaction with this number ends, and finds it in the store or not. */
struct crash {
    int64_t number;
    enum when when;
    bool reached;
};

static struct sim_store_commit crash_at(void *context, int64_t number)
{
    struct crash *crash = context;
    if (number != crash->number || crash->reached)
        return (struct sim_store_commit){ 0 };
    crash->reached = true;
    return (struct sim_store_commit){ .late = true, .durable_at_crash = crash->when == AFTER_IT };
}

static bool is_reached(struct sim *sim)
{
    return ((struct crash *)sim->context)->reached;
}

/* False: the life has no such commit. */
static bool live_with_crash(const char *definition, bool command, int64_t number, enum when when)
{
    static struct sim sim;
    struct crash crash = { .number = number, .when = when };
    struct sim_store_faults faults = { .context = &crash, .decide = crash_at };
    sim_open(&sim, 1);
    sim.gateway = every_fourth_refuses;
    sim.watch = sim_check_request;
    sim.context = &crash;
    sim.config.in_flight = 4;
    sim_devices(&sim, 20, false);
    sim_store_set_faults(sim.store, &faults);
    sim_start(&sim);
    sim_create(&sim, "job", "all", definition);
    if (sim_run(&sim, 20 * SECOND_US, is_reached)) {
        sim_crash(&sim);
        sim_start(&sim);
        sim_run(&sim, SECOND_US, NULL);
        if (sim_job(&sim, "job") == NULL) /* it was never acknowledged */
            create(&sim, "job", definition);
    }
    const struct tranche_job_record *job = rest(&sim, "job");
    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE, "crash at commit %lld", (long long)number);
    cr_assert_eq(tranche_tally_final(&job->tally), 20);
    sim_check_job(&sim, "job", command, 1);
    sim_run(&sim, 5 * SECOND_US, NULL);
    if (!command)
        sim_check_values(&sim, (const char *const[]){ "job" }, 1, 1);
    sim_close(&sim);
    return crash.reached;
}

static void crash_everywhere(const char *definition, bool command)
{
    int64_t number = 1;
    while (live_with_crash(definition, command, number, BEFORE_IT) && live_with_crash(definition, command, number, AFTER_IT))
        number++;
    cr_assert_gt(number, 10); /* that many commits there are at least */
    cr_assert_lt(number, 500);
}

Test(trouble, a_crash_at_any_commit_of_a_command_job_loses_nothing)
{
    crash_everywhere(COMMAND BATCHES, true);
}

Test(trouble, a_crash_at_any_commit_of_a_property_job_loses_nothing)
{
    crash_everywhere(PROPERTY BATCHES, false);
}

/* ---- jobs that have been over for long ---- */

#define DAY_US (INT64_C(86400) * SECOND_US)

Test(trouble, jobs_go_when_they_have_been_over_for_their_time)
{
    static struct sim sim;
    begin(&sim, 50, every_fourth_refuses);
    sim.config.job_retention_days = 30;
    sim_crash(&sim);
    sim_start(&sim);
    create(&sim, "old", PROPERTY);
    rest(&sim, "old");
    sim_run(&sim, 29 * DAY_US, NULL);
    cr_assert_not_null(sim_job(&sim, "old"));
    create(&sim, "young", COMMAND);
    rest(&sim, "young");
    sim_run(&sim, 2 * DAY_US, NULL);
    cr_assert_null(sim_job(&sim, "old"));
    cr_assert_not_null(sim_job(&sim, "young"));

    sim.watch = NULL; /* it tells jobs by their ids, and this one is free again */
    create(&sim, "old", COMMAND);
    cr_assert_eq(rest(&sim, "old")->tally.total, 50);
    sim_close(&sim);
}

Test(trouble, jobs_are_kept_for_ever_where_nobody_wants_them_removed)
{
    static struct sim sim;
    begin(&sim, 5, well);
    sim.config.job_retention_days = 0;
    sim_crash(&sim);
    sim_start(&sim);
    create(&sim, "job", COMMAND);
    rest(&sim, "job");
    sim_run(&sim, 400 * DAY_US, NULL);
    cr_assert_not_null(sim_job(&sim, "job"));
    sim_close(&sim);
}
