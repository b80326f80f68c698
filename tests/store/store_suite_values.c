/* Cases: values that jobs write, and the folds. */
#include "store_suite.h"

#include "mem.h"

#include <criterion/criterion.h>
#include <string.h>

static struct tranche_step step(enum tranche_step_kind kind, const char *component, const char *name, const char *value)
{
    return (struct tranche_step){ .kind = kind, .target = "dtmi:x;2", .component = component, .name = name,
                                  .value = value, .value_bytes = value == NULL ? 0 : strlen(value) };
}

static uint32_t device(struct suite *s, const char *id, const char *properties, int64_t properties_us)
{
    struct tranche_device_record device = { .properties = properties, .properties_us = properties_us };
    bool created;
    strcpy(device.id, id);
    suite_begin(s);
    must(s->to->device_put(s->store, &device, &created, &s->err));
    suite_commit(s);
    return device.no;
}

static void apply(struct suite *s, uint32_t no, const struct tranche_step *steps, uint16_t count, int64_t at_us)
{
    suite_begin(s);
    must(s->to->device_apply(s->store, no, steps, count, at_us, &s->err));
    suite_commit(s);
}

/* The record as it stands; its strings live until the reader's next call. */
static struct tranche_device_record found(struct suite *s, const char *id)
{
    struct tranche_device_record record;
    must(s->from->device_find(s->reader, id, &record, &s->err));
    return record;
}

/* ---- a device's record ---- */

void store_case_values_keep_every_byte(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t no = device(s, "d", NULL, 0);
    const struct tranche_step steps[] = {
        step(TRANCHE_STEP_PROPERTY, "", "a", "-0"),
        step(TRANCHE_STEP_CLOUD_PROPERTY, "", "b", "123456789012345678901234567890"),
        step(TRANCHE_STEP_PROPERTY, "c", "d", "[1e400,\"\\u00e4 \\\"\",{}]"),
    };

    apply(s, no, steps, 3, 5);
    cr_assert_str_eq(found(s, "d").properties, "{\"a\":-0,\"b\":123456789012345678901234567890,"
                                               "\"c\":{\"d\":[1e400,\"\\u00e4 \\\"\",{}]}}");
    cr_assert_eq(found(s, "d").revision, 1); /* properties are no part of the device's own record */
    suite_close(s);
}

void store_case_components_beside_values(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t no = device(s, "d", "{\"c\":5,\"e\":{\"old\":true}}", 1);
    const struct tranche_step steps[] = {
        step(TRANCHE_STEP_PROPERTY, "c", "d", "1"),
        step(TRANCHE_STEP_PROPERTY, "e", "new", "2"),
    };

    apply(s, no, steps, 1, 5); /* a value that stands where the component must be makes room */
    cr_assert_str_eq(found(s, "d").properties, "{\"e\":{\"old\":true},\"c\":{\"d\":1}}");
    apply(s, no, steps + 1, 1, 5);
    struct tranche_device_record record = found(s, "d");
    cr_assert_not_null(strstr(record.properties, "\"old\":true"));
    cr_assert_not_null(strstr(record.properties, "\"new\":2"));
    suite_close(s);
}

void store_case_only_younger_values_are_set(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t no = device(s, "d", "{\"a\":0}", 10);
    struct tranche_step value = step(TRANCHE_STEP_PROPERTY, "", "a", "1");

    apply(s, no, &value, 1, 10); /* as old as the properties */
    cr_assert_str_eq(found(s, "d").properties, "{\"a\":0}");
    apply(s, no, &value, 1, 20);
    cr_assert_str_eq(found(s, "d").properties, "{\"a\":1}");
    value = step(TRANCHE_STEP_PROPERTY, "", "a", "2");
    apply(s, no, &value, 1, 15);
    apply(s, no, &value, 1, 20);
    cr_assert_str_eq(found(s, "d").properties, "{\"a\":1}");
    cr_assert_str_eq(found(s, "d").stamps, "{\"a\":20}");
    value = step(TRANCHE_STEP_PROPERTY, "", "b", "3");
    apply(s, no, &value, 1, 15); /* each value has its own stamp */
    cr_assert_not_null(strstr(found(s, "d").properties, "\"b\":3"));
    suite_close(s);
}

void store_case_new_properties_end_the_stamps(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t no = device(s, "d", NULL, 10);
    struct tranche_step value = step(TRANCHE_STEP_PROPERTY, "", "a", "1");
    apply(s, no, &value, 1, 20);

    suite_begin(s); /* what was loaded is put again: the record changes, the properties do not */
    struct tranche_device_record record;
    bool created;
    must(s->to->device_load(s->store, no, &record, &s->err));
    record.enabled = true;
    must(s->to->device_put(s->store, &record, &created, &s->err));
    suite_commit(s);
    cr_assert_str_eq(found(s, "d").stamps, "{\"a\":20}");

    device(s, "d", "{}", 30);
    cr_assert_null(found(s, "d").stamps);
    apply(s, no, &value, 1, 25);
    cr_assert_str_eq(found(s, "d").properties, "{}");
    suite_close(s);
}

void store_case_migrations_assign(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t no = device(s, "d", NULL, 0);
    struct tranche_step migration = step(TRANCHE_STEP_TEMPLATE_MIGRATION, "", "", NULL);

    apply(s, no, &migration, 1, 5);
    cr_assert_str_eq(found(s, "d").template_id, "dtmi:x;2");
    cr_assert_eq(found(s, "d").revision, 2);
    migration = step(TRANCHE_STEP_MANIFEST_MIGRATION, "", "", NULL);
    migration.target = "edge-7";
    apply(s, no, &migration, 1, 5);
    cr_assert_str_eq(found(s, "d").manifest, "edge-7");
    cr_assert_str_eq(found(s, "d").template_id, "dtmi:x;2");

    struct tranche_step command = step(TRANCHE_STEP_COMMAND, "", "reboot", NULL);
    apply(s, no, &command, 1, 6);
    cr_assert_eq(found(s, "d").revision, 3);
    suite_close(s);
}

void store_case_tombstones_keep_their_values(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t no = device(s, "d", "{}", 1);
    suite_begin(s);
    must(s->to->device_drop(s->store, no, &s->err));
    suite_commit(s);
    struct tranche_step value = step(TRANCHE_STEP_PROPERTY, "", "a", "1");

    apply(s, no, &value, 1, 5);
    struct tranche_device_record record;
    must(s->to->device_load(s->store, no, &record, &s->err));
    cr_assert_str_eq(record.properties, "{}");
    suite_close(s);
}

/* ---- folds ---- */

static void note_fold(void *context, const struct tranche_job_record *job, uint32_t next)
{
    text_printf(context, "%s from %u of %u\n", job->id, next, job->tally.total);
}

static void note_done(void *context, const struct tranche_done_record *done)
{
    text_printf(context, "%u step %u %s at %lld\n", done->ordinal, done->step, done->final ? "final" : "more",
                (long long)done->at_us);
}

static void note_value(void *context, const struct tranche_job_record *job, const struct tranche_done_record *done)
{
    text_printf(context, "%s: ", job->id);
    note_done(context, done);
}

static void assert_noted(struct text *noted, const char *expected)
{
    cr_assert_str_eq(noted->length == 0 ? "" : noted->bytes, expected);
    text_clear(noted);
}

void store_case_folds_are_kept_by_job(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record a, b;
    uint32_t first = suite_devices(s, "d", 3);
    suite_job(s, "a", first, 3, 3, &a);
    suite_job(s, "b", first, 2, 2, &b);

    suite_begin(s);
    must(s->to->fold_put(s->store, b.no, 0, &s->err));
    must(s->to->fold_put(s->store, a.no, 0, &s->err));
    must(s->to->fold_put(s->store, a.no, 2, &s->err));
    suite_commit(s);
    suite_reopen(s);
    must(s->to->folds(s->store, 0, UINT32_MAX, note_fold, &noted, &s->err));
    assert_noted(&noted, "a from 2 of 3\nb from 0 of 2\n");

    must(s->to->folds(s->store, 0, 1, note_fold, &noted, &s->err));
    assert_noted(&noted, "a from 2 of 3\n");
    must(s->to->folds(s->store, a.no, 9, note_fold, &noted, &s->err));
    assert_noted(&noted, "b from 0 of 2\n");

    suite_begin(s);
    must(s->to->fold_drop(s->store, a.no, &s->err));
    must(s->to->fold_drop(s->store, a.no, &s->err)); /* what is not there */
    must(s->to->folds(s->store, 0, UINT32_MAX, note_fold, &noted, &s->err));
    assert_noted(&noted, "b from 0 of 2\n");
    s->to->rollback(s->store);
    must(s->to->folds(s->store, 0, UINT32_MAX, note_fold, &noted, &s->err));
    assert_noted(&noted, "a from 2 of 3\nb from 0 of 2\n");
    text_free(&noted);
    suite_close(s);
}

/* Ordinals 0 completed, 1 failed, 2 completed in two steps, 3 completed its first. */
static void put_results(struct suite *s, int64_t job)
{
    struct tranche_result_record results[] = {
        suite_result(0, TRANCHE_DEVICE_COMPLETED), suite_result(1, TRANCHE_DEVICE_FAILED),
        suite_result(2, TRANCHE_DEVICE_COMPLETED), suite_result(2, TRANCHE_DEVICE_COMPLETED),
        suite_result(3, TRANCHE_DEVICE_COMPLETED),
    };
    results[2].final = results[4].final = false;
    results[3].step = 1;
    suite_begin(s);
    for (uint32_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        results[i].at_us = 100 + i;
        must(s->to->result_put(s->store, job, &results[i], &s->err));
    }
    suite_commit(s);
}

void store_case_completed_steps_come_in_order(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record job;
    suite_job(s, "a", suite_devices(s, "d", 5), 5, 5, &job);
    put_results(s, job.no);

    must(s->to->job_done(s->store, job.no, 0, 3, note_done, &noted, &s->err));
    assert_noted(&noted, "0 step 0 final at 100\n2 step 0 more at 102\n2 step 1 final at 103\n");
    must(s->to->job_done(s->store, job.no, 3, 100, note_done, &noted, &s->err));
    assert_noted(&noted, "3 step 0 more at 104\n");
    must(s->to->job_done(s->store, job.no + 7, 0, 100, note_done, &noted, &s->err));
    assert_noted(&noted, "");
    text_free(&noted);
    suite_close(s);
}

void store_case_a_devices_unfolded_values_are_found(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_job_record a, b, c;
    uint32_t first = suite_devices(s, "d", 700);
    suite_devices(s, "e", 1); /* a member of none */
    suite_job(s, "a", first, 700, 300, &a);
    suite_job(s, "b", first + 1, 4, 4, &b);
    suite_job(s, "c", first, 4, 4, &c);
    put_results(s, a.no);
    put_results(s, b.no);
    put_results(s, c.no);
    suite_begin(s);
    a.next = 700;
    b.next = c.next = 4;
    must(s->to->job_update(s->store, &a, &s->err));
    must(s->to->job_update(s->store, &b, &s->err));
    must(s->to->job_update(s->store, &c, &s->err));
    struct tranche_result_record last = suite_result(699, TRANCHE_DEVICE_COMPLETED);
    must(s->to->result_put(s->store, a.no, &last, &s->err));
    must(s->to->fold_put(s->store, a.no, 0, &s->err));
    must(s->to->fold_put(s->store, b.no, 2, &s->err)); /* c was folded wholly, or has no values */
    suite_commit(s);

    const struct {
        const char *id, *values;
    } expected[] = {
        { "d0000", "a: 0 step 0 final at 100\n" },
        { "d0001", "" },                                                          /* failed in a, folded in b */
        { "d0002", "a: 2 step 0 more at 102\na: 2 step 1 final at 103\n" },       /* failed in b */
        { "d0003", "a: 3 step 0 more at 104\nb: 2 step 0 more at 102\nb: 2 step 1 final at 103\n" },
        { "d0004", "b: 3 step 0 more at 104\n" },
        { "e0000", "" },
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct tranche_device_record record = found(s, expected[i].id);
        must(s->from->device_values(s->reader, &record, note_value, &noted, &s->err));
        assert_noted(&noted, expected[i].values);
    }
    struct tranche_device_record record = found(s, "d0699");
    must(s->from->device_values(s->reader, &record, note_value, &noted, &s->err));
    cr_assert_eq(strncmp(noted.bytes, "a: 699 step 0 final", 19), 0);
    text_clear(&noted);

    suite_begin(s); /* an id that is used again is another device */
    must(s->to->device_drop(s->store, first, &s->err));
    suite_commit(s);
    suite_devices(s, "d", 1);
    record = found(s, "d0000");
    must(s->from->device_values(s->reader, &record, note_value, &noted, &s->err));
    assert_noted(&noted, "");
    text_free(&noted);
    suite_close(s);
}
