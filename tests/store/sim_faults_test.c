/* The simulated store's faults: each end of a commit, at once and late, and what a crash leaves. */
#include "sim_store.h"
#include "store_suite.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* What the script says next, and what it was asked. */
struct script {
    struct sim_store_begin begin;
    struct sim_store_commit commit;
    int64_t begin_number, commit_number;
};

static struct sim_store_begin script_begin(void *context, int64_t number)
{
    struct script *script = context;
    script->begin_number = number;
    return script->begin;
}

static struct sim_store_commit script_decide(void *context, int64_t number)
{
    struct script *script = context;
    script->commit_number = number;
    return script->commit;
}

static struct tranche_store *place_open(struct store_place *place)
{
    (void)place;
    struct tranche_store *store = NULL;
    cr_assert_eq(sim_store_open(&store, NULL), TRANCHE_OK);
    return store;
}

static struct store_place strict_place = { .open = place_open };

static void open_scripted(struct suite *s, struct script *script)
{
    *script = (struct script){ 0 };
    suite_open(s, &strict_place);
    sim_store_set_faults(s->store, &(struct sim_store_faults){ script, script_begin, script_decide });
}

static void insert_job(struct suite *s, const char *id)
{
    struct tranche_job_record job = { .definition = (char *)"\"data\":[]", .state = TRANCHE_JOB_PENDING };
    snprintf(job.id, sizeof job.id, "%s", id);
    must(s->to->job_insert(s->store, &job, &s->err));
}

/* Begins a transaction with one job in it and starts its commit. */
static enum tranche_commit commit_job(struct suite *s, const char *id)
{
    suite_begin(s);
    insert_job(s, id);
    must(s->to->commit_start(s->store, &s->err));
    return s->to->commit_ended(s->store, &s->err);
}

static int64_t stored_number(struct suite *s)
{
    int64_t number = -1;
    must(s->to->commit_number(s->store, &number, &s->err));
    return number;
}

static bool reader_has(struct suite *s, const char *id)
{
    struct tranche_job_record job = { 0 };
    enum tranche_code code = s->from->job_find(s->reader, id, &job, NULL);
    tranche_job_record_free(&job);
    return code == TRANCHE_OK;
}

static bool writer_has(struct suite *s, const char *id)
{
    struct tranche_job_record job = { 0 };
    enum tranche_code code = s->to->job_find(s->store, id, &job, NULL);
    tranche_job_record_free(&job);
    return code == TRANCHE_OK;
}

/* ---- the ends of a commit ---- */

Test(sim_faults, late_commit_is_pending_until_it_is_released)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    script.commit.late = true;

    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_PENDING);
    cr_assert_eq(s->to->commit_ended(s->store, &s->err), TRANCHE_COMMIT_PENDING);
    cr_assert_not(reader_has(s, "a"));
    sim_store_release(s->store);
    cr_assert_eq(s->to->commit_ended(s->store, &s->err), TRANCHE_COMMIT_DONE);
    cr_assert(reader_has(s, "a"));
    sim_store_release(s->store); /* nothing is underway */
    cr_assert_eq(s->to->commit_ended(s->store, &s->err), TRANCHE_COMMIT_DONE);
    suite_close(s);
}

Test(sim_faults, release_does_not_touch_an_open_transaction)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);

    suite_begin(s);
    insert_job(s, "a");
    sim_store_release(s->store);
    cr_assert_not(reader_has(s, "a"));
    suite_commit(s);
    cr_assert(reader_has(s, "a"));
    suite_close(s);
}

Test(sim_faults, failed_commit_is_rolled_back_and_the_next_is_fine)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    for (int late = 0; late < 2; late++) {
        int64_t before = stored_number(s);
        script.commit = (struct sim_store_commit){ .end = SIM_STORE_FAILED, .late = late };

        enum tranche_commit end = commit_job(s, "a");
        cr_assert_eq(end, late ? TRANCHE_COMMIT_PENDING : TRANCHE_COMMIT_FAILED);
        sim_store_release(s->store);
        cr_assert_eq(s->to->commit_ended(s->store, &s->err), TRANCHE_COMMIT_FAILED);
        cr_assert_eq(s->err.code, TRANCHE_IO);
        cr_assert_not(reader_has(s, "a"));
        cr_assert_not(writer_has(s, "a"));
        cr_assert_eq(stored_number(s), before);
    }
    script.commit = (struct sim_store_commit){ 0 };
    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_DONE);
    cr_assert_eq(stored_number(s), s->number);
    suite_close(s);
}

static void check_unknown(enum sim_store_end end, bool late, bool applied)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    cr_assert_eq(commit_job(s, "before"), TRANCHE_COMMIT_DONE);
    script.commit = (struct sim_store_commit){ .end = end, .late = late, .recover_failures = 2 };

    cr_assert_eq(commit_job(s, "a"), late ? TRANCHE_COMMIT_PENDING : TRANCHE_COMMIT_UNKNOWN);
    sim_store_release(s->store);
    cr_assert_eq(s->to->commit_ended(s->store, &s->err), TRANCHE_COMMIT_UNKNOWN);
    cr_assert_eq(s->to->recover(s->store, &s->err), TRANCHE_IO);
    cr_assert_eq(s->to->recover(s->store, &s->err), TRANCHE_IO);
    must(s->to->recover(s->store, &s->err));
    cr_assert_eq(stored_number(s), applied ? s->number : s->number - 1);
    cr_assert_eq(writer_has(s, "a"), applied);
    cr_assert_eq(reader_has(s, "a"), applied);

    script.commit = (struct sim_store_commit){ 0 };
    cr_assert_eq(commit_job(s, "after"), TRANCHE_COMMIT_DONE);
    suite_close(s);
}

Test(sim_faults, after_an_unknown_end_recover_and_the_number_tell_the_truth)
{
    check_unknown(SIM_STORE_UNKNOWN_APPLIED, false, true);
    check_unknown(SIM_STORE_UNKNOWN_APPLIED, true, true);
    check_unknown(SIM_STORE_UNKNOWN_LOST, false, false);
    check_unknown(SIM_STORE_UNKNOWN_LOST, true, false);
}

Test(sim_faults, recover_waits_for_selections)
{
    struct suite suite, *s = &suite;
    struct script script;
    uint32_t count = 0;
    open_scripted(s, &script);
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    must(s->from->select_open(s->reader, &all, &count, &s->err));
    script.commit.end = SIM_STORE_UNKNOWN_APPLIED;

    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_UNKNOWN);
    cr_assert_eq(s->to->recover(s->store, &s->err), TRANCHE_UNAVAILABLE);
    s->from->select_close(s->reader);
    must(s->to->recover(s->store, &s->err));
    suite_close(s);
}

/* ---- before the commit ---- */

Test(sim_faults, refused_begin_begins_nothing)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    script.begin.refused = true;

    cr_assert_eq(s->to->begin(s->store, 1, &s->err), TRANCHE_UNAVAILABLE);
    cr_assert_eq(s->err.code, TRANCHE_UNAVAILABLE);
    s->to->rollback(s->store); /* without a transaction: nothing */
    script.begin.refused = false;
    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_DONE);
    suite_close(s);
}

Test(sim_faults, each_write_can_fail_and_the_rollback_leaves_nothing)
{
    struct suite suite, *s = &suite;
    struct script script;
    static const char *const ids[] = { "a", "b", "c" };
    open_scripted(s, &script);
    for (uint32_t failing = 1; failing <= 3; failing++) {
        script.begin.failing_write = failing;
        suite_begin(s);
        for (uint32_t i = 0; i < failing; i++) {
            struct tranche_job_record job = { .definition = (char *)"" };
            snprintf(job.id, sizeof job.id, "%s", ids[i]);
            enum tranche_code code = s->to->job_insert(s->store, &job, &s->err);
            cr_assert_eq(code, i + 1 == failing ? TRANCHE_IO : TRANCHE_OK);
        }
        s->to->rollback(s->store);
        cr_assert_not(writer_has(s, "a"));
        cr_assert_eq(stored_number(s), 0);
    }
    script.begin.failing_write = 2; /* one that does not come harms nobody */
    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_DONE);
    suite_close(s);
}

Test(sim_faults, refused_commit_starts_nothing)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    script.commit.end = SIM_STORE_REFUSED;

    suite_begin(s);
    insert_job(s, "a");
    cr_assert_eq(s->to->commit_start(s->store, &s->err), TRANCHE_IO);
    s->to->rollback(s->store);
    cr_assert_not(writer_has(s, "a"));
    script.commit.end = SIM_STORE_DONE;
    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_DONE);
    suite_close(s);
}

Test(sim_faults, script_is_asked_with_the_number_and_can_be_taken_away)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    s->number = 41;

    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_DONE);
    cr_assert_eq(script.begin_number, 42);
    cr_assert_eq(script.commit_number, 42);
    script.begin.refused = true;
    sim_store_set_faults(s->store, NULL);
    cr_assert_eq(commit_job(s, "b"), TRANCHE_COMMIT_DONE);
    cr_assert_eq(script.begin_number, 42);
    suite_close(s);
}

/* ---- crashes ---- */

/* A new engine on the same store, with a reader of its own. */
static void crash(struct suite *s)
{
    sim_store_crash(s->store);
    s->from->close(s->reader);
    must(s->to->reader_open(s->store, &s->reader, &s->err));
    s->from = s->reader->functions;
    s->number = stored_number(s);
}

Test(sim_faults, crash_drops_an_open_transaction)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    cr_assert_eq(commit_job(s, "kept"), TRANCHE_COMMIT_DONE);

    suite_begin(s);
    insert_job(s, "a");
    crash(s);
    cr_assert(writer_has(s, "kept"));
    cr_assert_not(writer_has(s, "a"));
    cr_assert_eq(s->number, 1);
    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_DONE);
    suite_close(s);
}

Test(sim_faults, crash_finds_a_late_commit_durable_or_not_as_decided)
{
    for (int durable = 0; durable < 2; durable++) {
        struct suite suite, *s = &suite;
        struct script script;
        open_scripted(s, &script);
        script.commit = (struct sim_store_commit){ .late = true, .durable_at_crash = durable };

        cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_PENDING);
        crash(s);
        cr_assert_eq(writer_has(s, "a"), durable);
        cr_assert_eq(reader_has(s, "a"), durable);
        cr_assert_eq(s->number, durable);
        script.commit.late = false;
        cr_assert_eq(commit_job(s, "b"), TRANCHE_COMMIT_DONE);
        suite_close(s);
    }
}

/* A store that is opened anew has nothing to recover from, and a selection that dies with its reader is in
 * nobody's way. */
Test(sim_faults, crash_ends_uncertainty)
{
    struct suite suite, *s = &suite;
    struct script script;
    uint32_t count = 0;
    open_scripted(s, &script);
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    must(s->from->select_open(s->reader, &all, &count, &s->err));
    script.commit = (struct sim_store_commit){ .end = SIM_STORE_UNKNOWN_LOST, .recover_failures = 9 };

    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_UNKNOWN);
    crash(s);
    cr_assert_eq(s->number, 0);
    script.commit = (struct sim_store_commit){ 0 };
    cr_assert_eq(commit_job(s, "a"), TRANCHE_COMMIT_DONE);
    suite_close(s);
}

/* ---- what is rolled back ---- */

/* One device was put over, one was new, one had the id of a tombstone, one was deleted: all is as before, and
 * numbers are given again. */
Test(sim_faults, rollback_brings_the_registry_back)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    uint32_t first = suite_devices(s, "d", 2);
    uint32_t no = sim_store_add_device(s->store, &(struct tranche_device_record){ .id = "x" });
    sim_store_delete_device(s->store, "x");
    struct tranche_device_record changed = { .id = "d0000", .display_name = "new name" },
                                 added = { .id = "c" }, found;
    struct tranche_device_record reborn = { .id = "x" };
    bool created = false;

    suite_begin(s);
    must(s->to->device_put(s->store, &changed, &created, &s->err));
    must(s->to->device_put(s->store, &changed, &created, &s->err));
    must(s->to->device_put(s->store, &added, &created, &s->err));
    must(s->to->device_put(s->store, &reborn, &created, &s->err));
    cr_assert_gt(reborn.no, no);
    must(s->to->device_drop(s->store, first + 1, &s->err));
    s->to->rollback(s->store);

    must(s->to->device_load(s->store, first, &found, &s->err));
    cr_assert_null(found.display_name);
    cr_assert_eq(found.revision, 1);
    must(s->from->device_find(s->reader, "d0001", &found, &s->err));
    cr_assert_eq(s->from->device_find(s->reader, "x", &found, &s->err), TRANCHE_NOTFOUND);
    cr_assert_eq(s->to->device_load(s->store, added.no, &found, &s->err), TRANCHE_NOTFOUND);
    uint32_t again = suite_devices(s, "b", 1), count = 0;
    cr_assert_eq(again, added.no);
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    must(s->from->select_count(s->reader, &all, &count, &s->err));
    cr_assert_eq(count, 3);

    suite_begin(s);
    must(s->to->device_drop(s->store, again, &s->err));
    suite_commit(s);
    must(s->to->device_load(s->store, again, &found, &s->err));
    cr_assert(found.deleted);
    cr_assert_eq(found.revision, 2);
    suite_close(s);
}

/* As long as a selection is open, its reader sees its moment, and others the present. */
Test(sim_faults, snapshot_keeps_what_was_replaced)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    uint32_t first = suite_devices(s, "d", 2), count = 0;
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    struct tranche_device_record changed = { .id = "d0000", .display_name = "new name" }, found;
    bool created = false;
    must(s->from->select_open(s->reader, &all, &count, &s->err));

    suite_begin(s);
    must(s->to->device_put(s->store, &changed, &created, &s->err));
    suite_commit(s);
    sim_store_delete_device(s->store, "d0001");

    must(s->from->device_find(s->reader, "d0000", &found, &s->err));
    cr_assert_null(found.display_name);
    must(s->from->device_find(s->reader, "d0001", &found, &s->err));
    must(s->to->device_load(s->store, first, &found, &s->err));
    cr_assert_str_eq(found.display_name, "new name");
    s->from->select_close(s->reader);
    must(s->from->device_find(s->reader, "d0000", &found, &s->err));
    cr_assert_str_eq(found.display_name, "new name");
    cr_assert_eq(s->from->device_find(s->reader, "d0001", &found, &s->err), TRANCHE_NOTFOUND);
    suite_close(s);
}

/* ---- the world's own hand ---- */

Test(sim_faults, world_changes_the_registry_while_a_commit_is_late)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    struct tranche_device_record device = { .id = "a", .enabled = true, .template_id = "t", .revision = 1 };
    struct tranche_device_record found;
    uint32_t no = sim_store_add_device(s->store, &device), count = 0;
    sim_store_add_group(s->store,
                        &(struct tranche_group_record){ .id = "g", .display_name = "G", .filter = "SELECT" });
    script.commit.late = true;
    cr_assert_eq(commit_job(s, "late"), TRANCHE_COMMIT_PENDING);

    sim_store_delete_device(s->store, "a");
    uint32_t second = sim_store_add_device(s->store, &device);
    cr_assert_gt(second, no);
    must(s->from->device_find(s->reader, "a", &found, &s->err));
    cr_assert_eq(found.no, second);
    struct tranche_selection all = { .filter = "SELECT * FROM devices WHERE $template = \"t\"" };
    must(s->from->select_count(s->reader, &all, &count, &s->err));
    cr_assert_eq(count, 1);
    struct tranche_group_record group;
    must(s->from->group_find(s->reader, "g", &group, &s->err));
    cr_assert_str_eq(group.filter, "SELECT");

    sim_store_release(s->store);
    cr_assert(reader_has(s, "late"));
    must(s->to->device_load(s->store, no, &found, &s->err));
    cr_assert(found.deleted);
    cr_assert_str_eq(found.id, "a");
    cr_assert_gt(found.revision, device.revision);
    suite_close(s);
}

/* ---- for checks ---- */

Test(sim_faults, checks_see_what_is_committed)
{
    struct suite suite, *s = &suite;
    struct script script;
    open_scripted(s, &script);
    struct tranche_job_record job;
    suite_job(s, "a", suite_devices(s, "d", 3), 3, 3, &job);
    struct tranche_result_record result = suite_result(0, TRANCHE_DEVICE_FAILED);
    job.next = 3;
    job.intent_seq = 1;
    job.tally.failed = 1;

    suite_begin(s);
    must(s->to->job_update(s->store, &job, &s->err));
    must(s->to->result_put(s->store, job.no, &result, &s->err));
    must(s->to->intent_put(s->store, job.no,
                           &(struct tranche_intent_record){ .attempt = 1, .count = 1, .ordinals = { 1 } },
                           &s->err));
    must(s->to->retry_put(s->store, job.no, &(struct tranche_retry_record){ .ordinal = 2, .attempt = 1 },
                          &s->err));
    cr_assert_eq(sim_store_job(s->store, "a")->next, 0);
    cr_assert_eq(sim_store_device_state(s->store, job.no, 0), TRANCHE_DEVICE_PENDING);
    cr_assert_eq(sim_store_count(s->store, job.no).results, 0);
    suite_commit(s);

    cr_assert_eq(sim_store_job(s->store, "a")->next, 3);
    cr_assert_null(sim_store_job(s->store, "b"));
    cr_assert_eq(sim_store_device_state(s->store, job.no, 0), TRANCHE_DEVICE_FAILED);
    cr_assert_eq(sim_store_device_state(s->store, job.no, 1), TRANCHE_DEVICE_PENDING);
    struct sim_store_count count = sim_store_count(s->store, job.no), expected = { 3, 1, 1, 1, 1, 1 };
    cr_assert_eq(memcmp(&count, &expected, sizeof count), 0);
    suite_close(s);
}
