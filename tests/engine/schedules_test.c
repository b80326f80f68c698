/* Stories of schedules in the simulated world: days pass in moments, calendars step, the engine dies. What
 * happened is read from the store. */
#include "mem.h"
#include "scheduler.h"
#include "sim_check.h"
#include "when.h"

#include <assert.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US   (3600 * SECOND_US)
#define DAY_US    (24 * HOUR_US)
#define DEFINITION                                                                                     \
    "\"displayName\":\"Nightly\",\"group\":\"all\",\"data\":[{\"type\":\"property\",\"target\":\"t\"," \
    "\"path\":\"p\",\"value\":1}]"

static struct sim sim;
static int64_t latency_us;
static int64_t start_us; /* of the schedule, in virtual time */

static struct sim_verdict well(struct sim *world, const struct sim_call *call)
{
    (void)world, (void)call;
    return (struct sim_verdict){ .transport = TRANCHE_ANSWERED, .status = 202, .latency_us = latency_us };
}

static void begin(void)
{
    latency_us = 10000;
    sim_open(&sim, 1);
    sim.gateway = well;
    sim.watch = sim_check_request;
    sim.config.call_timeout_property_ms = 3600000;
    sim_devices(&sim, 10, false);
    sim_start(&sim);
}

/* ---- a schedule ---- */

/* What the next write puts: the start is so far from now. */
static struct {
    int64_t start_in_us;
    const char *rest; /* of the rule, behind its start */
    bool enabled;
    bool keeps_rule;        /* as it is stored */
    const char *definition; /* NULL: DEFINITION */
} wanted;

static enum tranche_code put(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                             struct tranche_err *err)
{
    (void)command;
    char start[WHEN_TEXT_BYTES], text[256];
    struct tranche_schedule_record record = { 0 };
    struct json_document document;
    struct schedule rule;
    *more = false;
    store->functions->schedule_find(store, "nightly", &record, NULL);
    start_us = sim.mono_us + wanted.start_in_us;
    when_rfc3339((now_us + wanted.start_in_us) / 1000 * 1000, start);
    snprintf(text, sizeof text, "{\"start\":\"%s\"%s}", start, wanted.rest);
    if (wanted.keeps_rule)
        snprintf(text, sizeof text, "%s", record.rule);
    enum tranche_code code = json_parse(text, strlen(text), &document, err);
    if (code == TRANCHE_OK)
        code = schedule_parse(document.root, &rule, err);
    json_free(&document);
    if (code == TRANCHE_OK)
        code = scheduler_begin(&record, &rule, now_us, err);
    strcpy(record.id, "nightly");
    record.definition = wanted.definition != NULL ? wanted.definition : DEFINITION;
    record.rule = text;
    record.organization = NULL;
    record.enabled = wanted.enabled;
    record.estimate = 10;
    return code == TRANCHE_OK ? store->functions->schedule_put(store, &record, err) : code;
}

static void put_schedule(int64_t start_in_us, const char *rest)
{
    wanted.start_in_us = start_in_us;
    wanted.rest = rest;
    wanted.enabled = true;
    wanted.keeps_rule = false;
    struct sim_order *order = sim_write(&sim, put);
    cr_assert(sim_run_order(&sim, order));
    cr_assert_eq(order->command.code, TRANCHE_OK, "%s", order->command.err.text);
}

static void set_enabled(bool enabled)
{
    wanted.enabled = enabled;
    wanted.keeps_rule = true;
    struct sim_order *order = sim_write(&sim, put);
    cr_assert(sim_run_order(&sim, order));
    cr_assert_eq(order->command.code, TRANCHE_OK, "%s", order->command.err.text);
}

/* ---- what became of it ---- */

static void note(void *context, const struct tranche_job_record *job)
{
    const char *name = strstr(job->definition, "\"displayName\":\"") + strlen("\"displayName\":\"");
    text_printf(context, "%.*s:%d ", (int)strcspn(name, "\""), name, job->state);
}

static char *jobs(void)
{
    struct text text = { 0 };
    struct tranche_reader *reader;
    cr_assert_eq(sim.store->functions->reader_open(sim.store, &reader, NULL), TRANCHE_OK);
    cr_assert_eq(reader->functions->schedule_jobs_page(reader, "nightly", 0, 1000, note, &text, NULL),
                 TRANCHE_OK);
    reader->functions->close(reader);
    return text.length > 0 ? text_take(&text) : strdup("");
}

/* Newest first. */
static void assert_jobs(const char *expected)
{
    char *found = jobs();
    cr_assert_str_eq(found, expected);
    free(found);
}

static struct tranche_schedule_record schedule(void)
{
    struct tranche_schedule_record found;
    cr_assert_eq(sim.store->functions->schedule_find(sim.store, "nightly", &found, NULL), TRANCHE_OK);
    return found;
}

#define COMPLETE(name) name ":6 "
static_assert(TRANCHE_JOB_COMPLETE == 6, "COMPLETE");

/* ---- stories ---- */

Test(schedules, each_day_has_its_job)
{
    begin();
    put_schedule(HOUR_US, ",\"recurrence\":\"daily\"");
    sim_run(&sim, HOUR_US / 2, NULL);
    assert_jobs("");
    sim_run(&sim, HOUR_US, NULL);
    assert_jobs(COMPLETE("Nightly - 1"));
    sim_run(&sim, 2 * DAY_US, NULL);
    assert_jobs(COMPLETE("Nightly - 3") COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    cr_assert_eq(sim.log_count, 30);
    sim_close(&sim);
}

Test(schedules, a_job_begins_when_it_is_due)
{
    begin();
    put_schedule(HOUR_US, "");
    sim_run(&sim, 2 * HOUR_US, NULL);
    cr_assert_eq(sim.log_count, 10);
    cr_assert_geq(sim.log[0].at_us, start_us - 1000); /* written in milliseconds */
    cr_assert_lt(sim.log[0].at_us, start_us + 50000);
    sim_close(&sim);
}

Test(schedules, without_recurrence_a_past_start_fires_at_once_and_once)
{
    begin();
    sim.config.schedule_late_s = 1;
    strcpy(sim.config.schedule_missed, "skip"); /* it was not missed: it was asked for now */
    sim_crash(&sim);
    sim_start(&sim);
    put_schedule(-DAY_US, "");
    sim_run(&sim, 2 * DAY_US, NULL);
    assert_jobs(COMPLETE("Nightly - 1"));
    cr_assert_eq(schedule().due_us, 0);
    set_enabled(true); /* the same again changes nothing */
    sim_run(&sim, DAY_US, NULL);
    assert_jobs(COMPLETE("Nightly - 1"));
    sim_close(&sim);
}

Test(schedules, recurrence_goes_on_from_its_grid_without_back_fill)
{
    begin();
    put_schedule(-10 * DAY_US + HOUR_US, ",\"recurrence\":\"daily\"");
    sim_run(&sim, HOUR_US / 2, NULL);
    assert_jobs("");
    sim_run(&sim, HOUR_US, NULL);
    assert_jobs(COMPLETE("Nightly - 1"));
    sim_close(&sim);
}

Test(schedules, a_disabled_one_passes_its_occurrences_over)
{
    begin();
    put_schedule(HOUR_US, ",\"recurrence\":\"daily\",\"end\":{\"type\":\"occurrences\",\"occurrences\":4}");
    set_enabled(false);
    sim_run(&sim, 2 * DAY_US, NULL);
    assert_jobs("");
    cr_assert_eq(schedule().next, 2);
    set_enabled(true);
    sim_run(&sim, 5 * DAY_US, NULL);
    assert_jobs(COMPLETE("Nightly - 2") COMPLETE("Nightly - 1")); /* the end has not moved */
    cr_assert_eq(schedule().due_us, 0);
    sim_close(&sim);
}

static void sleep_through(int64_t span_us, const char *policy)
{
    begin();
    strcpy(sim.config.schedule_missed, policy);
    sim_crash(&sim);
    sim_start(&sim);
    put_schedule(HOUR_US, ",\"recurrence\":\"daily\"");
    sim_run(&sim, 2 * HOUR_US, NULL);
    sim_crash(&sim);
    sim.mono_us += span_us;
    sim_start(&sim);
    sim_run(&sim, HOUR_US, NULL);
}

Test(schedules, what_was_missed_is_caught_up_once)
{
    sleep_through(5 * DAY_US, "once");
    assert_jobs(COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    sim_run(&sim, DAY_US, NULL);
    assert_jobs(COMPLETE("Nightly - 3") COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    sim_close(&sim);
}

Test(schedules, what_was_missed_is_skipped_by_policy)
{
    sleep_through(5 * DAY_US, "skip");
    assert_jobs(COMPLETE("Nightly - 1"));
    cr_assert_eq(schedule().next, 6);
    sim_run(&sim, DAY_US, NULL);
    assert_jobs(COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    sim_close(&sim);
}

Test(schedules, one_occurrence_waits_for_the_instance_before)
{
    begin();
    put_schedule(HOUR_US, ",\"recurrence\":\"daily\"");
    sim_run(&sim, HOUR_US / 2, NULL);
    latency_us = HOUR_US - SECOND_US;
    sim_run(&sim, HOUR_US, NULL); /* it is running */
    char *first = jobs();
    cr_assert_str_eq(first, "Nightly - 1:1 ");
    free(first);

    /* The calendar runs ahead by three days, in which three occurrences come due. */
    sim.step_us += DAY_US;
    sim_run(&sim, 10 * SECOND_US, NULL);
    cr_assert(schedule().queued);
    sim.step_us += 2 * DAY_US;
    sim_run(&sim, 10 * SECOND_US, NULL);
    cr_assert(schedule().queued);
    cr_assert_eq(schedule().next, 4);
    cr_assert_eq(schedule().runs, 1);
    latency_us = 10000;
    sim_run(&sim, HOUR_US, NULL);
    assert_jobs(COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    cr_assert_not(schedule().queued);
    sim_close(&sim);
}

Test(schedules, a_calendar_that_steps_back_finds_them_settled)
{
    begin();
    put_schedule(HOUR_US, ",\"recurrence\":\"daily\"");
    sim_run(&sim, DAY_US + 2 * HOUR_US, NULL);
    assert_jobs(COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    sim.step_us -= 2 * DAY_US;
    sim_run(&sim, 2 * DAY_US - 3 * HOUR_US, NULL);
    assert_jobs(COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    sim_crash(&sim);
    sim_start(&sim);
    sim_run(&sim, DAY_US + 3 * HOUR_US, NULL);
    assert_jobs(COMPLETE("Nightly - 3") COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    sim_close(&sim);
}

static enum tranche_code drop(struct command *command, struct tranche_store *store, int64_t now_us,
                              bool *more, struct tranche_err *err)
{
    (void)command, (void)now_us;
    *more = false;
    return store->functions->schedule_drop(store, "nightly", err);
}

Test(schedules, a_deleted_one_leaves_its_jobs_and_makes_no_more)
{
    begin();
    put_schedule(HOUR_US, ",\"recurrence\":\"daily\"");
    sim_run(&sim, 2 * HOUR_US, NULL);
    cr_assert(sim_run_order(&sim, sim_write(&sim, drop)));
    sim_run(&sim, 3 * DAY_US, NULL);
    assert_jobs(COMPLETE("Nightly - 1"));
    sim_close(&sim);
}

/* ---- a crash at each and every commit ---- */

/* The engine dies at this commit, which is in the store or not. */
static struct {
    int64_t at;
    bool durable, reached;
} death;

static struct sim_store_commit decide(void *context, int64_t number)
{
    (void)context;
    struct sim_store_commit commit = { .late = number == death.at, .durable_at_crash = death.durable };
    death.reached |= commit.late;
    return commit;
}

static bool is_dying(struct sim *world)
{
    (void)world;
    return death.reached;
}

/* Lives for a span, in steps: nothing wakes an engine whose commit never ends. Over a crash, when its time has come. */
static void live(int64_t span_us, bool *died)
{
    int64_t end_us = sim.mono_us + span_us;
    while (sim.mono_us < end_us) {
        if (!sim_run(&sim, SECOND_US, is_dying) || *died)
            continue;
        *died = true;
        sim_crash(&sim);
        sim_store_set_faults(sim.store, NULL);
        death.reached = false;
        sim_start(&sim);
    }
}

/* Two days of a daily schedule over a crash at the commit that comes as the `at`th behind its own; the calendar leaves out
 * what lies between its occurrences. False: there are not so many commits. */
static bool live_over(int64_t at, bool durable)
{
    bool died = false;
    begin();
    put_schedule(10 * SECOND_US, ",\"recurrence\":\"daily\"");
    sim.store->functions->commit_number(sim.store, &death.at, NULL);
    death.at += at;
    death.durable = durable;
    death.reached = false;
    sim_store_set_faults(sim.store, &(struct sim_store_faults){ .decide = decide });
    live(MINUTE_US, &died);
    sim.step_us += DAY_US - MINUTE_US;
    live(MINUTE_US, &died);
    assert_jobs(COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    cr_assert_eq(schedule().next, 2);
    cr_assert_eq(schedule().runs, 2);
    sim_close(&sim);
    return died;
}

Test(schedules, each_occurrence_is_settled_once_over_a_crash_at_any_commit)
{
    int64_t deaths = 0;
    for (int64_t at = 1; live_over(at, false); at++)
        deaths += live_over(at, true);
    cr_assert_gt(deaths, 5);
}

/* The engine dies when the instance has ended, and before the occurrence that waits for it is let go. */
Test(schedules, a_queued_occurrence_is_not_forgotten_over_a_crash)
{
    begin();
    put_schedule(10 * SECOND_US, ",\"recurrence\":\"daily\",\"end\":{\"type\":\"occurrences\",\"occurrences\":2}");
    latency_us = 20 * SECOND_US;
    sim_run(&sim, 15 * SECOND_US, NULL);
    sim.step_us += DAY_US;
    sim_run(&sim, 5 * SECOND_US, NULL);
    cr_assert(schedule().queued);
    cr_assert_eq(schedule().due_us, 0);
    while (sim_job(&sim, "named-1")->state != TRANCHE_JOB_COMPLETE)
        sim_run(&sim, 100, NULL);
    sim_crash(&sim);
    sim_start(&sim);
    sim_run(&sim, MINUTE_US, NULL);
    assert_jobs(COMPLETE("Nightly - 2") COMPLETE("Nightly - 1"));
    sim_close(&sim);
}

/* A name of the greatest length has no room for a number behind it; here the cut would fall into a character. */
Test(schedules, the_longest_name_is_cut_for_the_number)
{
    char name[1025] = "", definition[1300];
    for (int i = 0; i < 512; i++)
        strcat(name, "\u00fc");
    snprintf(definition, sizeof definition, "\"displayName\":\"%s\"%s", name, strchr(DEFINITION, ','));
    begin();
    wanted.definition = definition;
    put_schedule(SECOND_US, "");
    sim_run(&sim, MINUTE_US, NULL);
    const struct tranche_job_record *job = sim_job(&sim, "named-1");
    cr_assert_eq(job->state, TRANCHE_JOB_COMPLETE);
    cr_assert_eq(job->tally.completed, 10);
    cr_assert_not_null(strstr(job->definition, "\u00fc - 1\""), "%s", job->definition);
    sim_close(&sim);
}
