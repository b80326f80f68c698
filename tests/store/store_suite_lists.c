/* Cases: lists of the registry. */
#include "store_suite.h"

#include "mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void put_group(struct suite *s, const char *id)
{
    struct tranche_group_record group = { .display_name = id, .filter = "SELECT * FROM devices" };
    strcpy(group.id, id);
    suite_begin(s);
    must(s->to->group_put(s->store, &group, &s->err));
    suite_commit(s);
}

static uint32_t put_device(struct suite *s, const char *id, const char *name, const char *template_id)
{
    struct tranche_device_record device = { .display_name = name, .template_id = template_id };
    bool created;
    strcpy(device.id, id);
    suite_begin(s);
    must(s->to->device_put(s->store, &device, &created, &s->err));
    suite_commit(s);
    return device.no;
}

static void note_group(void *context, const struct tranche_group_record *group)
{
    text_printf(context, "%s:%s ", group->id, group->display_name);
}

static void note_device(void *context, const struct tranche_device_record *device)
{
    text_printf(context, "%s ", device->id);
}

static void assert_noted(struct text *noted, const char *expected)
{
    cr_assert_str_eq(noted->length == 0 ? "" : noted->bytes, expected);
    text_clear(noted);
}

static void assert_listed(struct suite *s, struct tranche_device_list list, const char *expected)
{
    struct text noted = { 0 };
    must(s->from->devices_page(s->reader, &list, note_device, &noted, &s->err));
    assert_noted(&noted, expected);
    text_free(&noted);
}

void store_case_dropped_group_is_gone(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_group_record found;
    suite_open(s, place);
    put_group(s, "a");
    put_group(s, "b");

    suite_begin(s);
    must(s->to->group_drop(s->store, "a", &s->err));
    cr_assert_eq(s->to->group_drop(s->store, "a", &s->err), TRANCHE_NOTFOUND);
    suite_commit(s);
    cr_assert_eq(s->from->group_find(s->reader, "a", &found, &s->err), TRANCHE_NOTFOUND);
    must(s->from->group_find(s->reader, "b", &found, &s->err));
    suite_close(s);
}

void store_case_groups_page_goes_by_id(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    must(s->from->groups_page(s->reader, NULL, 10, note_group, &noted, &s->err));
    assert_noted(&noted, "");
    const char *ids[] = { "c", "B", "a", "b", "a1" };
    for (int i = 0; i < 5; i++)
        put_group(s, ids[i]);

    must(s->from->groups_page(s->reader, NULL, 3, note_group, &noted, &s->err));
    assert_noted(&noted, "B:B a:a a1:a1 ");
    must(s->from->groups_page(s->reader, "a1", 3, note_group, &noted, &s->err));
    assert_noted(&noted, "b:b c:c ");
    must(s->from->groups_page(s->reader, "aa", 1, note_group, &noted, &s->err)); /* a place, not a group */
    assert_noted(&noted, "b:b ");
    text_free(&noted);
    suite_close(s);
}

void store_case_device_lists_go_by_id_or_by_name(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    put_device(s, "d4", "Alpha", "t1");
    put_device(s, "d2", "Beta", "t2");
    put_device(s, "d1", NULL, "t1"); /* goes by its id */
    put_device(s, "d3", "Alpha", "t1");

    assert_listed(s, (struct tranche_device_list){ .limit = 3 }, "d1 d2 d3 ");
    assert_listed(s, (struct tranche_device_list){ .limit = 3, .after_id = "d3" }, "d4 ");
    assert_listed(s, (struct tranche_device_list){ .limit = 9, .filter = "SELECT * FROM dtmi:t;1" }, "");
    assert_listed(s, (struct tranche_device_list){ .limit = 9, .filter = "SELECT * FROM devices WHERE $template = 't1'",
                                                   .after_id = "d1" }, "d3 d4 ");
    assert_listed(s, (struct tranche_device_list){ .limit = 9, .order = TRANCHE_BY_NAME }, "d3 d4 d2 d1 ");
    assert_listed(s, (struct tranche_device_list){ .limit = 2, .order = TRANCHE_BY_NAME, .after_id = "d3",
                                                   .after_name = "Alpha" }, "d4 d2 ");
    assert_listed(s, (struct tranche_device_list){ .limit = 3, .order = TRANCHE_BY_NAME_DOWN }, "d1 d2 d4 ");
    assert_listed(s, (struct tranche_device_list){ .limit = 3, .order = TRANCHE_BY_NAME_DOWN, .after_id = "d4",
                                                   .after_name = "Alpha" }, "d3 ");
    struct tranche_device_list broken = { .filter = "SELECT", .limit = 1 };
    cr_assert_eq(s->from->devices_page(s->reader, &broken, note_device, NULL, &s->err), TRANCHE_INVALID);
    suite_close(s);
}

void store_case_device_lists_leave_tombstones_out(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_device_record found;
    suite_open(s, place);
    uint32_t no = put_device(s, "a", NULL, "t");
    put_device(s, "b", NULL, "t");
    must(s->to->device_find(s->store, "a", &found, &s->err));
    cr_assert_eq(found.no, no);

    suite_begin(s);
    must(s->to->device_drop(s->store, no, &s->err));
    suite_commit(s);
    cr_assert_eq(s->to->device_find(s->store, "a", &found, &s->err), TRANCHE_NOTFOUND);
    assert_listed(s, (struct tranche_device_list){ .limit = 9 }, "b ");
    assert_listed(s, (struct tranche_device_list){ .limit = 9, .order = TRANCHE_BY_NAME }, "b ");
    suite_close(s);
}

static void note_failure(void *context, const struct tranche_failure *failure)
{
    text_printf(context, "%d \"%s\" x%u last %lld like %s\n", (int)failure->state, failure->reason, failure->count,
                (long long)failure->last_us, failure->example);
}

void store_case_failures_are_grouped_by_reason(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record job;
    suite_job(s, "a", suite_devices(s, "d", 700), 700, 300, &job);
    suite_begin(s);
    for (uint32_t i = 0; i < 600; i++) {
        enum tranche_device_state state = i % 6 == 0 ? TRANCHE_DEVICE_FAILED
                                        : i % 6 == 1 ? TRANCHE_DEVICE_UNKNOWN : TRANCHE_DEVICE_COMPLETED;
        struct tranche_result_record result = suite_result(i, state);
        result.reason = i % 12 == 0 ? "offline" : i == 306 ? "rejected" : i % 6 == 0 ? "" : i % 6 == 1 ? "no answer" : "";
        result.final = i != 12 && i != 24;
        result.at_us = 1000 + i;
        must(s->to->result_put(s->store, job.no, &result, &s->err));
    }
    suite_commit(s);

    must(s->from->job_failures(s->reader, &job, 10, note_failure, &noted, &s->err));
    assert_noted(&noted, "3 \"no answer\" x100 last 1595 like d0001\n"
                         "2 \"\" x49 last 1594 like d0006\n"
                         "2 \"offline\" x48 last 1588 like d0000\n"
                         "2 \"rejected\" x1 last 1306 like d0306\n");
    must(s->from->job_failures(s->reader, &job, 1, note_failure, &noted, &s->err));
    assert_noted(&noted, "3 \"no answer\" x100 last 1595 like d0001\n");
    text_free(&noted);
    suite_close(s);
}

void store_case_open_devices_are_counted(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job;
    suite_job(s, "a", suite_devices(s, "d", 100), 100, 100, &job);
    struct tranche_intent_record intent = { .seq = 1, .attempt = 1, .count = 3, .ordinals = { 1, 2, 3 } };
    struct tranche_intent_record more = { .seq = 2, .attempt = 1, .count = 2, .ordinals = { 7, 9 } };
    struct tranche_retry_record retry = { .ordinal = 20, .attempt = 2 };
    uint32_t open = 9, waiting = 9;
    must(s->from->job_open(s->reader, job.no, &open, &waiting, &s->err));
    cr_assert(open == 0 && waiting == 0);

    suite_begin(s);
    must(s->to->intent_put(s->store, job.no, &intent, &s->err));
    must(s->to->intent_put(s->store, job.no, &more, &s->err));
    must(s->to->retry_put(s->store, job.no, &retry, &s->err));
    suite_commit(s);
    must(s->from->job_open(s->reader, job.no, &open, &waiting, &s->err));
    cr_assert(open == 5 && waiting == 1);
    suite_close(s);
}
