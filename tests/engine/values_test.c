/* Stories of values in the simulated world: jobs that only concern the registry, and property jobs whose values are
 * folded into it. */
#include "sim_check.h"

#include "mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define ENTRY(type, path, value) "{\"type\":\"" type "\",\"target\":\"t\",\"path\":\"" path "\",\"value\":" value "}"
#define JOB(group, entries) "\"group\":\"" group "\",\"data\":[" entries "]"

static struct sim_verdict all_well(struct sim *sim, const struct sim_call *call)
{
    (void)sim, (void)call;
    return (struct sim_verdict){ .transport = TRANCHE_ANSWERED, .status = 202, .latency_us = 10000 };
}

static struct sim_verdict third_device_refuses(struct sim *sim, const struct sim_call *call)
{
    struct sim_verdict verdict = all_well(sim, call);
    if (call->ordinal % 3 == 2)
        verdict.status = 404;
    return verdict;
}

static struct sim *begin(uint32_t devices, struct sim_verdict (*gateway)(struct sim *, const struct sim_call *))
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

static void create(struct sim *sim, const char *id, const char *group, const char *definition)
{
    struct sim_order *order = sim_create(sim, id, group, definition);
    cr_assert(sim_run_order(sim, order));
    cr_assert_eq(order->command.code, TRANCHE_OK, "%s", order->command.err.text);
}

static const struct tranche_job_record *run(struct sim *sim, const char *id, const char *group, const char *definition)
{
    create(sim, id, group, definition);
    for (int i = 0; i < 100 && !sim_job_rests(sim, id); i++)
        sim_run(sim, SECOND_US, NULL);
    cr_assert(sim_job_rests(sim, id));
    return sim_job(sim, id);
}

static struct tranche_device_record device(struct sim *sim, const char *id)
{
    struct tranche_device_record record;
    cr_assert_eq(sim->reader->functions->device_find(sim->reader, id, &record, NULL), TRANCHE_OK);
    return record;
}

static void add_group(struct sim *sim, const char *id, const char *filter)
{
    struct tranche_group_record group = { .display_name = id, .filter = filter, .revision = 1 };
    strcpy(group.id, id);
    sim_store_add_group(sim->store, &group);
}

static void count_fold(void *context, const struct tranche_job_record *job, uint32_t next)
{
    (void)job, (void)next;
    ++*(uint32_t *)context;
}

static uint32_t folds(struct sim *sim)
{
    uint32_t count = 0;
    sim->store->functions->folds(sim->store, 0, UINT32_MAX, count_fold, &count, NULL);
    return count;
}

/* ---- jobs without calls ---- */

Test(values, a_cloud_property_is_set_without_a_call)
{
    struct sim *sim = begin(700, all_well);

    const struct tranche_job_record *job =
        run(sim, "job", "all", JOB("all", ENTRY("cloudProperty", "owner", "\"ops\"") "," ENTRY("cloudProperty", "site.no", "7")));

    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(job->tally.completed, 700);
    cr_assert_eq(job->calls, 0);
    cr_assert_eq(sim->log_count, 0);
    cr_assert_str_eq(device(sim, "dev-0000").properties, "{\"owner\":\"ops\",\"site\":{\"no\":7}}");
    cr_assert_str_eq(device(sim, "dev-0699").properties, "{\"owner\":\"ops\",\"site\":{\"no\":7}}");
    sim_close(sim);
}

Test(values, a_migration_assigns_the_template)
{
    struct sim *sim = begin(10, all_well);

    run(sim, "job", "all", JOB("all", "{\"type\":\"deviceTemplateMigration\",\"template\":\"t2\"}"));
    cr_assert_str_eq(device(sim, "dev-0007").template_id, "t2");
    run(sim, "edge", "all", JOB("all", "{\"type\":\"deviceManifestMigration\",\"manifest\":\"m\"}"));
    cr_assert_null(device(sim, "dev-0007").manifest); /* nobody is in the group any more */
    add_group(sim, "moved", "SELECT * FROM devices WHERE $template = \"t2\"");
    run(sim, "edge2", "moved", JOB("moved", "{\"type\":\"deviceManifestMigration\",\"manifest\":\"m\"}"));
    cr_assert_str_eq(device(sim, "dev-0007").manifest, "m");
    cr_assert_eq(sim->log_count, 0);
    sim_close(sim);
}

Test(values, a_job_without_calls_survives_crashes_at_any_moment)
{
    for (int64_t crash_us = 0; crash_us < 60000; crash_us += 1500) {
        struct sim *sim = begin(1500, all_well);
        create(sim, "job", "all", JOB("all", ENTRY("cloudProperty", "p0", "1")));
        sim_run(sim, crash_us, NULL);
        sim_crash(sim);
        sim_start(sim);
        for (int i = 0; i < 100 && !sim_job_rests(sim, "job"); i++)
            sim_run(sim, SECOND_US, NULL);

        cr_assert_eq(sim_job(sim, "job")->tally.completed, 1500);
        sim_check_values(sim, (const char *const[]){ "job" }, 1, 1);
        sim_close(sim);
    }
}

/* ---- folding ---- */

Test(values, accepted_values_are_folded_when_the_job_rests)
{
    struct sim *sim = begin(100, third_device_refuses);

    run(sim, "job", "all", JOB("all", ENTRY("property", "p0", "1") "," ENTRY("property", "p1", "1")));
    sim_run(sim, SECOND_US, NULL);

    sim_check_values(sim, (const char *const[]){ "job" }, 1, 2);
    cr_assert_str_eq(device(sim, "dev-0001").properties, "{\"p0\":1,\"p1\":1}");
    cr_assert_null(device(sim, "dev-0002").properties);
    sim_close(sim);
}

Test(values, a_merged_write_is_one_call_and_folds_all_its_values)
{
    struct sim *sim = begin(20, all_well);
    sim_crash(sim);
    sim->connector.merges = true;
    sim_start(sim);

    run(sim, "job", "all", JOB("all", ENTRY("property", "p0", "1") "," ENTRY("property", "c.p1", "2")));
    sim_run(sim, SECOND_US, NULL);

    cr_assert_eq(sim->log_count, 20);
    cr_assert_str_eq(device(sim, "dev-0019").properties, "{\"p0\":1,\"c\":{\"p1\":2}}");
    sim_close(sim);
}

Test(values, a_stopped_job_is_folded_up_to_its_first_pending_device)
{
    struct sim *sim = begin(200, all_well);
    create(sim, "job", "all", JOB("all", ENTRY("property", "p0", "1")));
    sim_run(sim, 60000, NULL);
    cr_assert(sim_run_order(sim, sim_stop(sim, "job")));
    sim_run(sim, SECOND_US, NULL);

    cr_assert_eq(sim_job(sim, "job")->state, TRANCHE_JOB_STOPPED);
    cr_assert_eq(folds(sim), 1);
    cr_assert_str_eq(device(sim, "dev-0000").properties, "{\"p0\":1}");
    cr_assert_null(device(sim, "dev-0199").properties);

    cr_assert(sim_run_order(sim, sim_resume(sim, "job")));
    sim_run(sim, 10 * SECOND_US, NULL);
    sim_check_values(sim, (const char *const[]){ "job" }, 1, 1);
    sim_close(sim);
}

Test(values, the_younger_of_two_values_stays_whichever_is_folded_last)
{
    struct sim *sim = begin(40, all_well);
    create(sim, "old", "all", JOB("all", ENTRY("property", "p", "\"old\"")));
    sim_run(sim, 15000, NULL); /* it has begun */
    cr_assert(sim_run_order(sim, sim_stop(sim, "old")));
    run(sim, "young", "all", JOB("all", ENTRY("property", "p", "\"young\"")));
    sim_run(sim, SECOND_US, NULL);
    cr_assert_str_eq(device(sim, "dev-0000").properties, "{\"p\":\"young\"}");

    cr_assert(sim_run_order(sim, sim_resume(sim, "old"))); /* the devices it had not come to */
    sim_run(sim, 10 * SECOND_US, NULL);
    cr_assert_str_eq(device(sim, "dev-0000").properties, "{\"p\":\"young\"}");
    cr_assert_str_eq(device(sim, "dev-0039").properties, "{\"p\":\"old\"}");
    cr_assert_eq(folds(sim), 0);
    sim_close(sim);
}

Test(values, a_filter_on_a_property_sees_what_a_running_job_has_written)
{
    struct sim *sim = begin(600, all_well);
    add_group(sim, "warm", "SELECT * FROM devices WHERE warm = true");
    create(sim, "writer", "all", JOB("all", ENTRY("property", "warm", "true")));
    sim_run(sim, 100000, NULL);
    cr_assert_eq(sim_job(sim, "writer")->state, TRANCHE_JOB_RUNNING);
    uint32_t written = sim_job(sim, "writer")->tally.completed;
    cr_assert_gt(written, 50);

    create(sim, "reader", "warm", JOB("warm", ENTRY("cloudProperty", "seen", "true")));
    sim_run(sim, 200000, NULL);

    const struct tranche_job_record *reader = sim_job(sim, "reader");
    cr_assert_eq(reader->state, TRANCHE_JOB_COMPLETE);
    cr_assert_gt(reader->tally.total, written - 50); /* all but what lies beyond the first device in flight */
    cr_assert_lt(reader->tally.total, 600);
    cr_assert_eq(sim_job(sim, "writer")->state, TRANCHE_JOB_RUNNING);
    sim_close(sim);
}

Test(values, a_crash_while_folding_loses_nothing)
{
    for (int64_t crash_us = 0; crash_us < 40000; crash_us += 2000) {
        struct sim *sim = begin(1200, all_well);
        run(sim, "job", "all", JOB("all", ENTRY("property", "p0", "1")));
        sim_run(sim, crash_us, NULL);
        sim_crash(sim);
        sim_start(sim);
        sim_run(sim, 10 * SECOND_US, NULL);

        sim_check_values(sim, (const char *const[]){ "job" }, 1, 1);
        sim_close(sim);
    }
}

/* A job that comes to rest while another's values are being folded has its own folded too, though nothing else happens. */
Test(values, a_job_that_rests_during_a_round_is_not_forgotten)
{
    for (int64_t lead_us = 0; lead_us < 60000; lead_us += 1000) {
        struct sim *sim = begin(300, all_well);
        create(sim, "old", "all", JOB("all", ENTRY("property", "p0", "1")));
        sim_run(sim, lead_us, NULL);
        create(sim, "young", "all", JOB("all", ENTRY("property", "p1", "1")));
        sim_run(sim, 60 * SECOND_US, NULL);

        cr_assert(sim_job_rests(sim, "old") && sim_job_rests(sim, "young"));
        cr_assert_eq(folds(sim), 0, "with a lead of %lld us", (long long)lead_us);
        sim_close(sim);
    }
}
