#include "store_suite.h"

#include "mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_same_text(const char *a, const char *b)
{
    cr_assert_eq(a == NULL, b == NULL);
    if (a != NULL)
        cr_assert_str_eq(a, b);
}

static void assert_same_device(const struct tranche_device_record *a, const struct tranche_device_record *b)
{
    cr_assert_eq(a->no, b->no);
    cr_assert_eq(a->revision, b->revision);
    cr_assert_eq(a->enabled, b->enabled);
    cr_assert_eq(a->provisioned, b->provisioned);
    cr_assert_eq(a->simulated, b->simulated);
    cr_assert_eq(a->deleted, b->deleted);
    cr_assert_str_eq(a->id, b->id);
    assert_same_text(a->display_name, b->display_name);
    assert_same_text(a->template_id, b->template_id);
    assert_same_text(a->organization, b->organization);
    assert_same_text(a->properties, b->properties);
}

static bool put(struct suite *s, struct tranche_device_record *device)
{
    bool created = false;
    suite_begin(s);
    must(s->to->device_put(s->store, device, &created, &s->err));
    suite_commit(s);
    return created;
}

static void drop(struct suite *s, uint32_t no)
{
    suite_begin(s);
    must(s->to->device_drop(s->store, no, &s->err));
    suite_commit(s);
}

/* ---- devices ---- */

void store_case_device_keeps_its_number(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_device_record device = {
        .id = "Pump-7", .enabled = true, .simulated = true, .display_name = "Pumpe \"Süd\"",
        .template_id = "dtmi:x;1", .organization = "south", .properties = "{\"a\": [1, \"ü\"]}",
    };
    struct tranche_device_record plain = { .id = "pump-7", .provisioned = true }, found;

    cr_assert(put(s, &device));
    cr_assert_gt(device.no, 0);
    cr_assert(put(s, &plain)); /* ids are compared by bytes */
    cr_assert_neq(plain.no, device.no);
    must(s->to->device_load(s->store, device.no, &found, &s->err));
    assert_same_device(&found, &device);
    must(s->from->device_find(s->reader, "pump-7", &found, &s->err));
    assert_same_device(&found, &plain);
    struct tranche_device_brief brief;
    must(s->to->device_brief(s->store, device.no, &brief, &s->err));
    cr_assert_str_eq(brief.id, "Pump-7");
    cr_assert(brief.enabled && brief.simulated && !brief.deleted);

    struct tranche_device_record changed = { .id = "Pump-7", .provisioned = true, .properties = "{}" };
    cr_assert_not(put(s, &changed));
    cr_assert_eq(changed.no, device.no);
    cr_assert_gt(changed.revision, device.revision);
    suite_reopen(s);
    must(s->from->device_find(s->reader, "Pump-7", &found, &s->err));
    assert_same_device(&found, &changed);
    cr_assert_eq(s->from->device_find(s->reader, "Pump-8", &found, &s->err), TRANCHE_NOTFOUND);
    cr_assert_eq(s->to->device_load(s->store, 999, &found, &s->err), TRANCHE_NOTFOUND);
    cr_assert_eq(s->to->device_brief(s->store, 999, &brief, &s->err), TRANCHE_NOTFOUND);

    must(s->to->device_load(s->store, changed.no, &found, &s->err));
    cr_assert_not(put(s, &found)); /* what was loaded can be put */
    suite_close(s);
}

void store_case_deleted_device_leaves_a_tombstone(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_device_record device = { .id = "d", .display_name = "old" }, found;
    put(s, &device);
    uint32_t old = device.no;
    drop(s, old);

    must(s->to->device_load(s->store, old, &found, &s->err));
    cr_assert(found.deleted);
    cr_assert_str_eq(found.id, "d");
    struct tranche_device_brief brief;
    must(s->to->device_brief(s->store, old, &brief, &s->err));
    cr_assert(brief.deleted && !brief.simulated);
    cr_assert_eq(s->from->device_find(s->reader, "d", &found, &s->err), TRANCHE_NOTFOUND);
    suite_begin(s);
    cr_assert_eq(s->to->device_drop(s->store, old, &s->err), TRANCHE_NOTFOUND);
    suite_commit(s);

    cr_assert(put(s, &device)); /* the id is free, the number is not */
    cr_assert_gt(device.no, old);
    uint32_t second = device.no;
    drop(s, second);
    suite_reopen(s);
    cr_assert(put(s, &device));
    cr_assert_gt(device.no, second);
    must(s->from->device_find(s->reader, "d", &found, &s->err));
    assert_same_device(&found, &device);
    suite_close(s);
}

void store_case_broken_properties_are_refused(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_device_record good = { .id = "good", .properties = "{\"a\":1}" };
    struct tranche_device_record broken = { .id = "broken", .properties = "{\"a\":1" }, found;
    bool created = false;

    suite_begin(s);
    cr_assert_eq(s->to->device_put(s->store, &broken, &created, &s->err), TRANCHE_INVALID);
    cr_assert_not_null(strstr(s->err.text, "broken"), "%s", s->err.text);
    must(s->to->device_put(s->store, &good, &created, &s->err));
    suite_commit(s);
    cr_assert_eq(s->from->device_find(s->reader, "broken", &found, &s->err), TRANCHE_NOTFOUND);
    must(s->from->device_find(s->reader, "good", &found, &s->err));
    suite_close(s);
}

/* ---- groups, imports ---- */

void store_case_group_is_replaced(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_group_record group = { .id = "g", .display_name = "All", .description = "every one",
                                          .filter = "SELECT * FROM devices", .organization = "south" };
    struct tranche_group_record found = { 0 };
    suite_begin(s);
    cr_assert_eq(s->to->group_find(s->store, "g", &found, &s->err), TRANCHE_NOTFOUND);
    must(s->to->group_put(s->store, &group, &s->err));
    must(s->to->group_find(s->store, "g", &found, &s->err));
    cr_assert_str_eq(found.id, "g");
    cr_assert_str_eq(found.display_name, "All");
    cr_assert_str_eq(found.description, "every one");
    cr_assert_str_eq(found.filter, group.filter);
    cr_assert_str_eq(found.organization, "south");
    int64_t revision = found.revision;
    suite_commit(s);

    group = (struct tranche_group_record){ .id = "g", .display_name = "Some",
                                           .filter = "SELECT * FROM devices WHERE a = 1" };
    suite_begin(s);
    must(s->to->group_put(s->store, &group, &s->err));
    suite_commit(s);
    must(s->from->group_find(s->reader, "g", &found, &s->err));
    cr_assert_str_eq(found.display_name, "Some");
    cr_assert_null(found.description);
    cr_assert_null(found.organization);
    cr_assert_str_eq(found.filter, group.filter);
    cr_assert_gt(found.revision, revision);
    cr_assert_eq(s->from->group_find(s->reader, "h", &found, &s->err), TRANCHE_NOTFOUND);
    suite_close(s);
}

static void note_import(void *context, const struct tranche_import_record *import)
{
    cr_expect_null(import->complaints);
    text_printf(context, "%s at %lld, %llu new, %llu old;", import->file, (long long)import->position,
                (unsigned long long)import->created, (unsigned long long)import->updated);
}

void store_case_imports_are_open_until_done(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_import_record first = { .id = "a", .file = "import-1", .complaints = "[1]" },
                                 second = { .id = "b", .file = "import-2", .position = 1ll << 40 };

    suite_begin(s);
    must(s->to->import_put(s->store, &first, &s->err));
    must(s->to->import_put(s->store, &second, &s->err));
    cr_assert_gt(first.no, 0);
    cr_assert_gt(second.no, first.no);
    first.position = 77, first.created = 5, first.updated = 6;
    must(s->to->import_put(s->store, &first, &s->err));
    suite_commit(s);
    suite_reopen(s);
    must(s->to->imports_open(s->store, note_import, &noted, &s->err));
    cr_assert_str_eq(noted.bytes, "import-1 at 77, 5 new, 6 old;import-2 at 1099511627776, 0 new, 0 old;");

    text_clear(&noted);
    first.done = true;
    suite_begin(s);
    must(s->to->import_put(s->store, &first, &s->err));
    suite_commit(s);
    must(s->to->imports_open(s->store, note_import, &noted, &s->err));
    cr_assert_str_eq(noted.bytes, "import-2 at 1099511627776, 0 new, 0 old;");
    text_free(&noted);
    suite_close(s);
}

void store_case_imports_are_remembered_with_their_end(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct text noted = { 0 };
    suite_open(s, place);
    struct tranche_import_record first = { .id = "a",
                                           .file = "import-1",
                                           .lines = 9,
                                           .bad = 2,
                                           .devices = 7,
                                           .complaints = "[1]",
                                           .begun_us = 11 };
    struct tranche_import_record second = { .id = "b", .file = "import-2" }, taken = { .id = "a", .file = "import-3" };
    suite_begin(s);
    must(s->to->import_put(s->store, &first, &s->err));
    must(s->to->import_put(s->store, &second, &s->err));
    cr_assert_eq(s->to->import_put(s->store, &taken, &s->err), TRANCHE_CONFLICT);
    first = (struct tranche_import_record){
        .no = first.no, .position = 5, .created = 3, .updated = 1, .done = true, .reason = "why", .ended_us = 12
    };
    must(s->to->import_put(s->store, &first, &s->err)); /* the rest may not change */
    suite_commit(s);
    suite_reopen(s);

    struct tranche_import_record found;
    must(s->from->import_find(s->reader, "a", &found, &s->err));
    cr_expect_eq(found.no, first.no);
    cr_expect_str_eq(found.id, "a");
    cr_expect_str_eq(found.file, "import-1");
    cr_expect(found.lines == 9 && found.bad == 2 && found.devices == 7);
    cr_expect(found.position == 5 && found.created == 3 && found.updated == 1);
    cr_expect(found.done && found.begun_us == 11 && found.ended_us == 12);
    cr_expect_str_eq(found.reason, "why");
    cr_expect_str_eq(found.complaints, "[1]");
    must(s->from->import_find(s->reader, "b", &found, &s->err));
    cr_expect(!found.done && found.reason == NULL && found.complaints == NULL);
    cr_expect_eq(s->from->import_find(s->reader, "c", &found, &s->err), TRANCHE_NOTFOUND);

    must(s->from->imports_page(s->reader, 5, note_import, &noted, &s->err));
    cr_expect_str_eq(noted.bytes, "import-2 at 0, 0 new, 0 old;import-1 at 5, 3 new, 1 old;");
    text_clear(&noted);
    must(s->from->imports_page(s->reader, 1, note_import, &noted, &s->err));
    cr_expect_str_eq(noted.bytes, "import-2 at 0, 0 new, 0 old;");
    text_free(&noted);
    suite_close(s);
}

/* ---- selections ---- */

/* Everything that a selection hands out, `step` numbers at a time; checks the count against it. */
static uint32_t select_all(struct suite *s, const struct tranche_selection *selection, uint32_t step, uint32_t *devices,
                           uint32_t max)
{
    uint32_t announced = 0, counted = 0, taken = 0, total = 0;
    must(s->from->select_count(s->reader, selection, &counted, &s->err));
    must(s->from->select_open(s->reader, selection, &announced, &s->err));
    do {
        cr_assert_leq(total + step, max);
        must(s->from->select_next(s->reader, devices + total, step, &taken, &s->err));
        total += taken;
    } while (taken > 0);
    must(s->from->select_next(s->reader, devices + total, step, &taken, &s->err)); /* the end stays the end */
    cr_assert_eq(taken, 0);
    s->from->select_close(s->reader);
    cr_assert_eq(announced, total);
    cr_assert_eq(counted, total);
    return total;
}

void store_case_filter_selects_bytewise_by_id(struct store_place *place)
{
    static const char *const ids[] = { "b", "a10", "B", "a-1", "a9", "_", "a" };
    static const int order[] = { 2, 5, 6, 3, 1, 4, 0 }; /* B _ a a-1 a10 a9 b */
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t numbers[7], devices[16];
    for (int i = 0; i < 7; i++) {
        struct tranche_device_record device = { .enabled = true, .template_id = "t" };
        snprintf(device.id, sizeof device.id, "%s", ids[i]);
        put(s, &device);
        numbers[i] = device.no;
    }
    struct tranche_device_record gone = { .id = "a2", .enabled = true, .template_id = "t" };
    put(s, &gone);
    drop(s, gone.no);

    static const char *const filters[] = { "SELECT * FROM devices", "SELECT * FROM devices WHERE $template = 't'",
                                           "SELECT * FROM devices WHERE $enabled = true",
                                           "SELECT * FROM devices WHERE $id > 'A' OR $id < 'A'" };
    for (int f = 0; f < 4; f++) {
        struct tranche_selection selection = { .filter = filters[f] };
        cr_assert_eq(select_all(s, &selection, 3, devices, 16), 7);
        for (int i = 0; i < 7; i++)
            cr_assert_eq(devices[i], numbers[order[i]], "%s, place %d", filters[f], i);
    }
    struct tranche_selection none = { .filter = "SELECT * FROM devices WHERE $id = 'zz'" };
    cr_assert_eq(select_all(s, &none, 3, devices, 16), 0);
    suite_close(s);
}

void store_case_selection_keeps_its_snapshot(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    uint32_t first = suite_devices(s, "d", 3), devices[8], count = 0, taken = 0;
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    struct tranche_device_record found;

    must(s->from->select_open(s->reader, &all, &count, &s->err));
    must(s->from->select_next(s->reader, devices, 1, &taken, &s->err));
    drop(s, first + 1);
    struct tranche_device_record late = { .id = "d0001a" };
    put(s, &late);
    must(s->from->select_next(s->reader, devices + 1, 7, &taken, &s->err));
    cr_assert_eq(count, 3);
    cr_assert_eq(taken, 2);
    cr_assert_eq(devices[1], first + 1);
    cr_assert_eq(devices[2], first + 2);
    cr_assert_eq(s->from->device_find(s->reader, "d0001a", &found, &s->err), TRANCHE_NOTFOUND);
    s->from->select_close(s->reader);
    s->from->select_close(s->reader); /* without a selection: nothing */

    must(s->from->device_find(s->reader, "d0001a", &found, &s->err));
    cr_assert_eq(select_all(s, &all, 4, devices, 8), 3);
    cr_assert_eq(devices[1], late.no);
    suite_close(s);
}

void store_case_broken_filter_is_refused(struct store_place *place)
{
    struct suite suite, *s = &suite;
    uint32_t count = 0;
    suite_open(s, place);
    struct tranche_selection broken = { .filter = "SELECT * FROM devices WHERE a eq 5" };

    cr_assert_eq(s->from->select_open(s->reader, &broken, &count, &s->err), TRANCHE_INVALID);
    cr_assert_not_null(strstr(s->err.text, "position"), "%s", s->err.text);
    cr_assert_eq(s->from->select_count(s->reader, &broken, &count, &s->err), TRANCHE_INVALID);
    suite_devices(s, "d", 1); /* no snapshot is left behind */
    struct tranche_selection all = { .filter = "SELECT * FROM devices" };
    must(s->from->select_count(s->reader, &all, &count, &s->err));
    cr_assert_eq(count, 1);
    suite_close(s);
}

void store_case_origin_selects_its_failures(struct store_place *place)
{
    struct suite suite, *s = &suite;
    suite_open(s, place);
    struct tranche_job_record job, other;
    uint32_t first = suite_devices(s, "d", 700), devices[800], expected[700], count = 0;
    suite_job(s, "a", first, 700, 300, &job);
    suite_job(s, "b", first, 700, 700, &other);
    int64_t until = 0;
    suite_begin(s);
    for (uint32_t i = 0; i < 690; i++) {
        struct tranche_result_record result = suite_result(i, (enum tranche_device_state)(1 + i * 7 % 5 % 3));
        result.final = i % 11 != 0;
        result.at_us = 5000 + i * 13 % 700;
        must(s->to->result_put(s->store, job.no, &result, &s->err));
        if (i == 351) /* it failed: the moment itself counts */
            until = result.at_us;
    }
    must(s->to->result_put(s->store, other.no, &(struct tranche_result_record){ .ordinal = 1, .attempt = 1, .final = true,
                           .state = TRANCHE_DEVICE_FAILED, .reason = "", .at_us = 5000 }, &s->err));
    suite_commit(s);
    for (uint32_t i = 0; i < 690; i++)
        if (i % 11 != 0 && i * 7 % 5 % 3 != 0 && 5000 + (int64_t)i * 13 % 700 <= until)
            expected[count++] = first + i;
    drop(s, expected[count / 2]); /* deleted devices too: they fail later, with that reason */

    struct tranche_selection selection = { .origin = job.no, .origin_until_us = until };
    uint32_t total = select_all(s, &selection, 7, devices, 800);
    cr_assert_eq(total, count);
    cr_assert_gt(count, 100);
    cr_assert_eq(memcmp(devices, expected, count * sizeof devices[0]), 0);

    selection.origin_until_us = 0;
    cr_assert_eq(select_all(s, &selection, 7, devices, 800), 0);
    selection = (struct tranche_selection){ .origin = 999, .origin_until_us = INT64_MAX };
    cr_assert_eq(select_all(s, &selection, 7, devices, 800), 0);
    suite_close(s);
}
