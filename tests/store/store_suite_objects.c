/* Cases: objects, schedules, the audit. */
#include "store_suite.h"

#include "mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int64_t put_object(struct suite *s, enum tranche_object kind, const char *id, const char *body)
{
    struct tranche_object_record object = { .kind = kind, .body = body };
    strcpy(object.id, id);
    suite_begin(s);
    must(s->to->object_put(s->store, &object, &s->err));
    suite_commit(s);
    return object.revision;
}

static void drop_object(struct suite *s, enum tranche_object kind, const char *id)
{
    suite_begin(s);
    must(s->to->object_drop(s->store, kind, id, &s->err));
    suite_commit(s);
}

static struct tranche_schedule_record schedule_named(const char *id, int64_t due_us)
{
    struct tranche_schedule_record schedule = {
        .definition = "\"group\":\"g\",\"data\":[]",
        .rule = "{\"start\":\"2026-03-09T02:00:00Z\"}",
        
        .estimate = 7,
        .enabled = true,
        .next = 3,
        .due_us = due_us,
        .runs = 2,
    };
    strcpy(schedule.id, id);
    strcpy(schedule.instance, "last");
    return schedule;
}

static int64_t put_schedule(struct suite *s, struct tranche_schedule_record schedule)
{
    suite_begin(s);
    must(s->to->schedule_put(s->store, &schedule, &s->err));
    suite_commit(s);
    return schedule.revision;
}

static void note_object(void *context, const struct tranche_object_record *object)
{
    text_printf(context, "%s=%s ", object->id, object->body);
}

static void note_schedule(void *context, const struct tranche_schedule_record *schedule)
{
    text_printf(context, "%s ", schedule->id);
}

static void note_job(void *context, const struct tranche_job_record *job)
{
    text_printf(context, "%s ", job->id);
}

static void note_audit(void *context, const struct tranche_audit_record *audit)
{
    text_printf(context, "%lld:%s ", (long long)audit->no, audit->operation);
}

static void assert_noted(struct text *noted, const char *expected)
{
    cr_assert_str_eq(noted->length == 0 ? "" : noted->bytes, expected);
    text_free(noted);
}

void store_case_objects_are_kept_by_kind_and_id(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_object_record found;
    struct text noted = { 0 };
    suite_open(s, place);
    put_object(s, TRANCHE_TEMPLATE, "b", "1");
    put_object(s, TRANCHE_ORGANIZATION, "b", "2");
    put_object(s, TRANCHE_TEMPLATE, "a", "3");
    int64_t revision = put_object(s, TRANCHE_TEMPLATE, "b", "4");
    suite_reopen(s);

    must(s->from->object_find(s->reader, TRANCHE_TEMPLATE, "b", &found, &s->err));
    cr_assert_str_eq(found.id, "b");
    cr_assert_str_eq(found.body, "4");
    cr_assert_eq(found.revision, revision);
    cr_assert_eq(s->from->object_find(s->reader, TRANCHE_TOKEN, "b", &found, &s->err), TRANCHE_NOTFOUND);
    must(s->to->object_find(s->store, TRANCHE_ORGANIZATION, "b", &found, &s->err));
    cr_assert_str_eq(found.body, "2");
    must(s->to->objects(s->store, TRANCHE_TEMPLATE, note_object, &noted, &s->err));
    assert_noted(&noted, "a=3 b=4 ");
    must(s->from->objects_page(s->reader, TRANCHE_TEMPLATE, "a", 10, note_object, &noted, &s->err));
    assert_noted(&noted, "b=4 ");
    must(s->from->objects_page(s->reader, TRANCHE_TEMPLATE, NULL, 1, note_object, &noted, &s->err));
    assert_noted(&noted, "a=3 ");

    drop_object(s, TRANCHE_TEMPLATE, "b");
    suite_begin(s);
    cr_assert_eq(s->to->object_drop(s->store, TRANCHE_TEMPLATE, "b", &s->err), TRANCHE_NOTFOUND);
    suite_commit(s);
    must(s->from->objects_page(s->reader, TRANCHE_TEMPLATE, NULL, 10, note_object, &noted, &s->err));
    assert_noted(&noted, "a=3 ");
    suite_close(s);
}

void store_case_revisions_never_come_back(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    int64_t first = put_object(s, TRANCHE_TEMPLATE, "t", "1");
    int64_t second = put_object(s, TRANCHE_TEMPLATE, "t", "2");
    cr_assert_gt(second, first);
    drop_object(s, TRANCHE_TEMPLATE, "t");
    cr_assert_gt(put_object(s, TRANCHE_TEMPLATE, "t", "3"), second);

    first = put_schedule(s, schedule_named("s", 1));
    second = put_schedule(s, schedule_named("s", 1));
    cr_assert_gt(second, first);
    suite_begin(s);
    must(s->to->schedule_drop(s->store, "s", &s->err));
    suite_commit(s);
    cr_assert_gt(put_schedule(s, schedule_named("s", 1)), second);
    suite_close(s);
}

void store_case_schedules_come_back_as_written(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_schedule_record written = schedule_named("nightly", 1234), found;
    struct text noted = { 0 };
    suite_open(s, place);
    written.organization = "north";
    written.queued = true;
    int64_t revision = put_schedule(s, written);
    suite_reopen(s);

    must(s->from->schedule_find(s->reader, "nightly", &found, &s->err));
    cr_assert_str_eq(found.id, "nightly");
    cr_assert_str_eq(found.definition, written.definition);
    cr_assert_str_eq(found.rule, written.rule);
    cr_assert_str_eq(found.organization, "north");
    cr_assert_str_eq(found.instance, "last");
    cr_assert_eq(found.estimate, 7);
    cr_assert(found.enabled && found.queued);
    cr_assert_eq(found.next, 3);
    cr_assert_eq(found.due_us, 1234);
    cr_assert_eq(found.runs, 2);
    cr_assert_eq(found.revision, revision);
    put_schedule(s, schedule_named("a", 5));
    must(s->from->schedules_page(s->reader, NULL, 10, note_schedule, &noted, &s->err));
    assert_noted(&noted, "a nightly ");
    must(s->from->schedules_page(s->reader, "a", 1, note_schedule, &noted, &s->err));
    assert_noted(&noted, "nightly ");
    suite_close(s);
}

void store_case_settling_leaves_the_revision(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_schedule_record found, settled = schedule_named("nightly", 1000);
    suite_open(s, place);
    int64_t revision = put_schedule(s, settled);

    settled.next = 4;
    settled.due_us = 0;
    settled.queued = true;
    settled.runs = 3;
    strcpy(settled.instance, "newer");
    settled.enabled = false; /* no part of it */
    suite_begin(s);
    must(s->to->schedule_settle(s->store, &settled, &s->err));
    strcpy(settled.id, "unknown");
    cr_assert_eq(s->to->schedule_settle(s->store, &settled, &s->err), TRANCHE_NOTFOUND);
    suite_commit(s);

    must(s->to->schedule_find(s->store, "nightly", &found, &s->err));
    cr_assert_eq(found.revision, revision);
    cr_assert_eq(found.next, 4);
    cr_assert_eq(found.due_us, 0);
    cr_assert(found.queued && found.enabled);
    cr_assert_eq(found.runs, 3);
    cr_assert_str_eq(found.instance, "newer");
    suite_close(s);
}

void store_case_due_schedules_come_in_order(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    int64_t due_us;
    bool queued;
    suite_open(s, place);
    must(s->to->schedules_wake(s->store, &due_us, &queued, &s->err));
    cr_assert(due_us == 0 && !queued);
    put_schedule(s, schedule_named("late", 300));
    put_schedule(s, schedule_named("early", 100));
    put_schedule(s, schedule_named("over", 0));
    put_schedule(s, schedule_named("middle", 200));
    must(s->to->schedules_wake(s->store, &due_us, &queued, &s->err));
    cr_assert(due_us == 100 && !queued);
    must(s->to->schedules_due(s->store, 99, 10, note_schedule, &noted, &s->err));
    assert_noted(&noted, "");
    must(s->to->schedules_due(s->store, 200, 10, note_schedule, &noted, &s->err));
    assert_noted(&noted, "early middle ");
    must(s->to->schedules_due(s->store, 300, 1, note_schedule, &noted, &s->err));
    assert_noted(&noted, "early ");

    struct tranche_schedule_record waits = schedule_named("over", 0);
    waits.queued = true;
    put_schedule(s, waits);
    must(s->to->schedules_wake(s->store, &due_us, &queued, &s->err));
    cr_assert(due_us == 100 && queued);
    must(s->to->schedules_due(s->store, 99, 10, note_schedule, &noted, &s->err));
    assert_noted(&noted, "over ");
    suite_close(s);
}

static void put_job(struct suite *s, const char *id, const char *schedule, const char *organization)
{
    struct tranche_job_record job = { .state = TRANCHE_JOB_PENDING, .definition = (char *)"\"group\":\"g\"" };
    strcpy(job.id, id);
    strcpy(job.group, "g");
    strcpy(job.schedule, schedule);
    strcpy(job.organization, organization);
    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    suite_commit(s);
}

void store_case_instances_are_found_newest_first(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    put_job(s, "plain", "", "");
    put_job(s, "one", "nightly", "");
    put_job(s, "other", "weekly", "");
    put_job(s, "two", "nightly", "");
    must(s->from->schedule_jobs_page(s->reader, "nightly", 0, 10, note_job, &noted, &s->err));
    assert_noted(&noted, "two one ");
    must(s->from->schedule_jobs_page(s->reader, "nightly", 4, 10, note_job, &noted, &s->err));
    assert_noted(&noted, "one ");
    must(s->from->schedule_jobs_page(s->reader, "nightly", 0, 1, note_job, &noted, &s->err));
    assert_noted(&noted, "two ");
    must(s->from->schedule_jobs_page(s->reader, "yearly", 0, 10, note_job, &noted, &s->err));
    assert_noted(&noted, "");
    suite_close(s);
}

static void assert_holds(struct suite *s, const char *expected)
{
    const char *what = "?";
    must(s->to->object_holds(s->store, TRANCHE_ORGANIZATION, "north", &what, &s->err));
    if (expected == NULL)
        cr_assert_null(what);
    else
        cr_assert_str_eq(what, expected);
}

void store_case_organizations_hold_what_belongs_to_them(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_device_record device = { .id = "d", .organization = "north", .template_id = "dtmi:x;1" };
    struct tranche_group_record group = {
        .id = "g", .display_name = "G", .filter = "SELECT * FROM devices", .organization = "north"
    };
    struct tranche_schedule_record schedule = schedule_named("s", 1);
    bool created;
    suite_open(s, place);
    put_job(s, "elsewhere", "", "south");
    assert_holds(s, NULL);

    suite_begin(s);
    must(s->to->device_put(s->store, &device, &created, &s->err));
    suite_commit(s);
    assert_holds(s, "devices");
    const char *what;
    must(s->to->object_holds(s->store, TRANCHE_TEMPLATE, "dtmi:x;1", &what, &s->err));
    cr_assert_str_eq(what, "devices");
    must(s->to->object_holds(s->store, TRANCHE_TEMPLATE, "dtmi:x;2", &what, &s->err));
    cr_assert_null(what);
    suite_begin(s);
    must(s->to->device_drop(s->store, device.no, &s->err));
    suite_commit(s);
    assert_holds(s, NULL);

    suite_begin(s);
    must(s->to->group_put(s->store, &group, &s->err));
    suite_commit(s);
    assert_holds(s, "device groups");
    schedule.organization = "north";
    put_schedule(s, schedule);
    assert_holds(s, "schedules");
    put_job(s, "here", "", "north");
    assert_holds(s, "jobs");
    suite_close(s);
}

void store_case_audit_is_appended(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    struct tranche_audit_record audit = { .at_us = 5,
                                          .who = "ops",
                                          .request = "r",
                                          .object = "north/x",
                                          .etag_before = "a",
                                          .etag_after = "b",
                                          .result = "OK" };
    suite_open(s, place);
    for (int i = 1; i <= 3; i++) {
        snprintf(audit.operation, sizeof audit.operation, "Jobs_%d", i);
        suite_begin(s);
        must(s->to->audit_put(s->store, &audit, &s->err));
        suite_commit(s);
    }
    suite_reopen(s);
    must(s->from->audit_page(s->reader, 0, 2, note_audit, &noted, &s->err));
    assert_noted(&noted, "3:Jobs_3 2:Jobs_2 ");
    must(s->from->audit_page(s->reader, 2, 2, note_audit, &noted, &s->err));
    assert_noted(&noted, "1:Jobs_1 ");
    suite_close(s);
}

static void put_call(struct suite *s, const char *id, const char *device, const char *call)
{
    struct tranche_job_record job = { .state = TRANCHE_JOB_PENDING, .definition = (char *)"\"group\":\"-\"" };
    strcpy(job.id, id);
    strcpy(job.device, device);
    strcpy(job.call, call);
    suite_begin(s);
    must(s->to->job_insert(s->store, &job, &s->err));
    suite_commit(s);
}

void store_case_calls_are_no_jobs_of_the_list(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    struct tranche_job_record found = { 0 };
    suite_open(s, place);
    put_job(s, "plain", "", "");
    put_call(s, "one", "d1", "commands/reboot");
    put_call(s, "two", "d2", "commands/reboot");
    put_call(s, "three", "d1", "properties");
    put_call(s, "four", "d1", "commands/reboot");
    must(s->from->jobs_page(s->reader, 0, 10, note_job, &noted, &s->err));
    assert_noted(&noted, "plain ");
    must(s->from->calls_page(s->reader, "d1", "commands/reboot", 0, 10, note_job, &noted, &s->err));
    assert_noted(&noted, "four one ");
    must(s->from->calls_page(s->reader, "d1", "commands/reboot", 5, 10, note_job, &noted, &s->err));
    assert_noted(&noted, "one ");
    must(s->from->job_find(s->reader, "three", &found, &s->err));
    cr_assert_str_eq(found.device, "d1");
    cr_assert_str_eq(found.call, "properties");
    tranche_job_record_free(&found);
    suite_close(s);
}
