#include "import.h"

#include "fail.h"
#include "mem.h"
#include "spool.h"
#include "sqlite.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a store that remembers, and forgets what was not committed ---- */

struct shelf {
    struct tranche_store store;
    char **lines; /* what device_put was given, in words */
    size_t count, count_committed, room;
    struct tranche_import_record row, row_committed;
    char file[SPOOL_FILE_BYTES], reason[TRANCHE_ERR_BYTES];
    char known[TRANCHE_DEVICE_BYTES]; /* the id of a device that was there before */
    int fail_at; /* the device_put that fails, from 1; 0 for none */
    enum tranche_code fail_code;
    int puts;
};

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

static enum tranche_code shelf_device_put(struct tranche_store *store, struct tranche_device_record *device,
                                          bool *created, struct tranche_err *err)
{
    struct shelf *shelf = (struct shelf *)store;
    if (++shelf->puts == shelf->fail_at)
        return fail(err, shelf->fail_code, "the shelf fails");
    if (shelf->count == shelf->room) {
        shelf->room = shelf->room == 0 ? 64 : shelf->room * 2;
        shelf->lines = realloc(shelf->lines, shelf->room * sizeof *shelf->lines);
    }
    struct text text = {0};
    text_printf(&text, "%s %c%c%c name=%s template=%s organization=%s properties=%s", device->id,
                device->enabled ? 'e' : '-', device->provisioned ? 'p' : '-', device->simulated ? 's' : '-',
                or_dash(device->display_name), or_dash(device->template_id), or_dash(device->organization),
                or_dash(device->properties));
    shelf->lines[shelf->count++] = text_take(&text);
    *created = strcmp(device->id, shelf->known) != 0;
    return TRANCHE_OK;
}

static enum tranche_code shelf_import_put(struct tranche_store *store, struct tranche_import_record *import,
                                          struct tranche_err *err)
{
    (void)err;
    struct shelf *shelf = (struct shelf *)store;
    if (import->no == 0)
        import->no = 7;
    shelf->row = *import;
    snprintf(shelf->file, sizeof shelf->file, "%s", import->file);
    snprintf(shelf->reason, sizeof shelf->reason, "%s", import->reason != NULL ? import->reason : "");
    shelf->row.complaints = NULL;
    return TRANCHE_OK;
}

static const struct tranche_store_functions shelf_functions = {
    .name = "shelf",
    .device_put = shelf_device_put,
    .import_put = shelf_import_put,
};

static void shelf_commit(struct shelf *shelf)
{
    shelf->count_committed = shelf->count;
    shelf->row_committed = shelf->row;
    shelf->row_committed.file = shelf->file;
    shelf->row_committed.reason = shelf->row.done && shelf->reason[0] != '\0' ? shelf->reason : NULL;
}

static void shelf_rollback(struct shelf *shelf)
{
    while (shelf->count > shelf->count_committed)
        free(shelf->lines[--shelf->count]);
    shelf->row = shelf->row_committed;
}

/* ---- the bench every test works at ---- */

static char directory[] = "/tmp/tranche-import-XXXXXX";
static struct shelf shelf;
static struct import *import;
static struct tranche_err err;

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(directory));
    shelf = (struct shelf){ .store.functions = &shelf_functions, .fail_code = TRANCHE_IO };
}

static void start_with(const struct import_options *options)
{
    cr_assert_eq(import_open(&import, directory, options, &err), TRANCHE_OK, "%s", err.text);
}

static void start(const char *template_id)
{
    start_with(&(struct import_options){ .id = "i", .template_id = template_id });
}

static void start_csv(void)
{
    start_with(&(struct import_options){ .id = "i", .format = IMPORT_CSV, .template_id = "dtmi:given;1" });
}

static size_t files_in_spool(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/spool", directory);
    DIR *folder = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    if (folder != NULL)
        closedir(folder);
    return count;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
    (void)stat, (void)kind, (void)ftw;
    return remove(path);
}

static void tear_down(void)
{
    import_close(import);
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    shelf.count_committed = 0;
    shelf_rollback(&shelf);
    free(shelf.lines);
}

TestSuite(import, .init = set_up, .fini = tear_down);

static void feed(const char *text)
{
    cr_assert_eq(import_feed(import, text, strlen(text), &err), TRANCHE_OK, "%s", err.text);
}

static void finish(void)
{
    cr_assert_eq(import_finish(import, false, &err), TRANCHE_OK, "%s", err.text);
}

static bool slice(void)
{
    bool more = false;
    cr_assert_eq(import_slice(import, &shelf.store, 0, &more, &err), TRANCHE_OK, "%s", err.text);
    shelf_commit(&shelf);
    import_committed(import);
    return more;
}

static void slice_all(void)
{
    while (slice())
        ;
}

static void import_text(const char *text)
{
    start(NULL);
    feed(text);
    finish();
    slice_all();
}

static void expect_stored(const char *const *lines, size_t count)
{
    cr_expect_eq(shelf.count_committed, count, "%zu devices", shelf.count_committed);
    for (size_t i = 0; i < count && i < shelf.count_committed; i++)
        cr_expect_str_eq(shelf.lines[i], lines[i]);
}

static void expect_complaint(uint32_t index, uint64_t line, const char *text)
{
    const struct import_summary *summary = import_summary(import);
    cr_assert_lt(index, summary->complaint_count);
    cr_expect_eq(summary->complaints[index].line, line, "line %llu",
                 (unsigned long long)summary->complaints[index].line);
    cr_expect_str_eq(summary->complaints[index].text, text);
}

/* Devices from `first` on, `step` apart; every id has the same length, so that they sort by number. */
static void feed_numbers(unsigned first, unsigned count, int step, const char *properties)
{
    struct text text = {0};
    for (unsigned i = 0; i < count; i++)
        text_printf(&text, "{\"id\":\"d%06u\",\"properties\":%s}\n", (unsigned)((int)first + (int)i * step), properties);
    cr_assert_not(text.failed);
    feed(text.bytes);
    text_free(&text);
}

static void expect_numbers(unsigned count)
{
    cr_assert_eq(shelf.count_committed, count, "%zu devices", shelf.count_committed);
    for (unsigned i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "d%06u ", i);
        cr_assert_eq(strncmp(shelf.lines[i], id, strlen(id)), 0, "%s at %u", shelf.lines[i], i);
    }
}

/* ---- lines ---- */

Test(import, every_member_is_taken)
{
    import_text("{\"id\":\"a\",\"displayName\":\"North \\\"01\\\" \xc3\xa9\\u00e9\",\"template\":\"dtmi:meadow:pump;2\","
                "\"enabled\":false,\"provisioned\":false,\"simulated\":true,\"organizations\":[\"north\"],"
                "\"properties\":{\"site\" : \"no rth\", \"n\":[1.10, -0]}}\n");

    const char *lines[] = { "a --s name=North \"01\" \xc3\xa9\xc3\xa9 template=dtmi:meadow:pump;2 organization=north "
                            "properties={\"site\":\"no rth\",\"n\":[1.10,-0]}" };
    expect_stored(lines, 1);
}

Test(import, an_id_is_enough)
{
    import_text("{\"id\":\"a\"}\n"
                " {\"organizations\":[],\"displayName\":null,\"template\":null,\"properties\":null , \"id\":\"b\"} \n");

    const char *lines[] = { "a ep- name=- template=- organization=- properties=-",
                            "b ep- name=- template=- organization=- properties=-" };
    expect_stored(lines, 2);
}

Test(import, a_line_leaves_nothing_to_the_next)
{
    import_text("{\"id\":\"a\",\"displayName\":\"A\",\"template\":\"t\",\"enabled\":false,\"organizations\":[\"o\"],"
                "\"properties\":{}}\n{\"id\":\"b\"}\n");

    const char *lines[] = { "a -p- name=A template=t organization=o properties={}",
                            "b ep- name=- template=- organization=- properties=-" };
    expect_stored(lines, 2);
}

Test(import, the_template_is_given_to_devices_that_name_none)
{
    start("dtmi:given;1");
    feed("{\"id\":\"a\"}\n{\"id\":\"b\",\"template\":\"dtmi:own;1\"}\n");
    finish();
    slice_all();

    const char *lines[] = { "a ep- name=- template=dtmi:given;1 organization=- properties=-",
                            "b ep- name=- template=dtmi:own;1 organization=- properties=-" };
    expect_stored(lines, 2);
}

Test(import, bad_lines_are_told_with_their_numbers_and_the_rest_goes_in)
{
    import_text("{\"id\":\"a\"}\n"
                "\n"
                "{\"id\":\"b c\"}\n"
                "{\"id\":\"d\",\"colour\":1}\n"
                "{\"displayName\":\"nobody\"}\n"
                "{\"id\":\"e\"\n"
                "[1]\n"
                "{\"id\":7}\n"
                "{\"id\":\"f\",\"enabled\":\"yes\"}\n"
                "{\"id\":\"f\",\"template\":\"\"}\n"
                "{\"id\":\"f\",\"properties\":[1]}\n"
                "{\"id\":\"f\",\"organizations\":\"north\"}\n"
                "{\"id\":\"f\",\"organizations\":[\"north\",\"south\"]}\n"
                "{\"id\":\"f\",\"organizations\":[null]}\n"
                "{\"id\":\"g\"}\n");

    const struct import_summary *summary = import_summary(import);
    cr_expect_eq(summary->lines, 14);
    cr_expect_eq(summary->bad, 12);
    cr_expect_eq(summary->devices, 2);
    cr_expect_eq(summary->created, 2);
    cr_expect_eq(summary->complaint_count, 12);
    cr_expect_eq(summary->complaints[0].line, 3);
    cr_expect_not_null(strstr(summary->complaints[0].text, "id: "));
    cr_expect_not_null(strstr(summary->complaints[0].text, "\"b c\""));
    expect_complaint(1, 4, "\"colour\" is no member of a device; members are id, displayName, template, enabled, "
                           "provisioned, simulated, organizations and properties");
    expect_complaint(2, 5, "id: is missing");
    expect_complaint(3, 6, "unexpected end at offset 9");
    expect_complaint(4, 7, "expected an object such as {\"id\":\"pump-n01\"}");
    expect_complaint(5, 8, "id: expected a string, found number");
    expect_complaint(6, 9, "enabled: expected true or false, found string");
    expect_complaint(7, 10, "template: expected 1 to 1024 bytes, found 0");
    expect_complaint(8, 11, "properties: expected an object, found array");
    expect_complaint(9, 12, "organizations: expected an array of one string, found string");
    expect_complaint(10, 13, "organizations: a device is in one organization at most");
    expect_complaint(11, 14, "organizations: expected an array of one string, found null");
    const char *lines[] = { "a ep- name=- template=- organization=- properties=-",
                            "g ep- name=- template=- organization=- properties=-" };
    expect_stored(lines, 2);
}

Test(import, only_the_first_complaints_are_kept_but_all_are_counted)
{
    start(NULL);
    for (int i = 0; i < 3 * IMPORT_COMPLAINTS_MAX; i++)
        feed("{}\n");
    finish();

    cr_expect_eq(import_summary(import)->bad, 3 * IMPORT_COMPLAINTS_MAX);
    cr_expect_eq(import_summary(import)->complaint_count, IMPORT_COMPLAINTS_MAX);
    expect_complaint(IMPORT_COMPLAINTS_MAX - 1, IMPORT_COMPLAINTS_MAX, "id: is missing");
}

Test(import, all_or_nothing_refuses_a_single_bad_line)
{
    start(NULL);
    feed("{\"id\":\"a\"}\n{\"id\":\"b\"}\n{}\n");

    cr_expect_eq(import_finish(import, true, &err), TRANCHE_INVALID);
    cr_expect_str_eq(err.text, "1 of 3 lines are bad, so nothing was imported; line 3: id: is missing");
    import_close(import);
    cr_expect_eq(files_in_spool(), 0);

    start(NULL);
    feed("{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
    cr_expect_eq(import_finish(import, true, &err), TRANCHE_OK);
}

Test(import, blank_lines_carriage_returns_and_a_missing_newline_do_not_matter)
{
    import_text("\r\n \t\r\n{\"id\":\"a\"}\r\n\n{\"id\":\"b\"}\r\n{\"id\":\"c\"}");

    cr_expect_eq(import_summary(import)->lines, 3);
    cr_expect_eq(import_summary(import)->bad, 0);
    cr_expect_eq(shelf.count_committed, 3);
}

Test(import, nothing_is_a_good_import_too)
{
    import_text("");

    cr_expect_eq(import_summary(import)->lines, 0);
    cr_expect_eq(shelf.count_committed, 0);
    cr_expect(shelf.row_committed.done);
}

/* A line of exactly `bytes` bytes. */
static void add_long_line(struct text *text, const char *id, size_t bytes)
{
    size_t before = text->length;
    text_printf(text, "{\"id\":\"%s\",\"properties\":{\"p\":\"", id);
    while (text->length - before < bytes - 3)
        text_add(text, "x", 1);
    text_puts(text, "\"}}");
}

Test(import, a_line_may_be_as_long_as_the_limit_and_no_longer)
{
    struct text text = {0};
    add_long_line(&text, "a", IMPORT_LINE_BYTES_MAX);
    text_puts(&text, "\n");
    add_long_line(&text, "b", IMPORT_LINE_BYTES_MAX + 1);
    text_puts(&text, "\n{\"id\":\"c\"}\n");
    add_long_line(&text, "d", IMPORT_LINE_BYTES_MAX + 1);
    size_t pieces[] = { SIZE_MAX, 1, 7, 4096, IMPORT_LINE_BYTES_MAX, IMPORT_LINE_BYTES_MAX + 1 };

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        start(NULL);
        for (size_t at = 0; at < text.length;) {
            size_t left = text.length - at, count = left < pieces[i] ? left : pieces[i];
            cr_assert_eq(import_feed(import, text.bytes + at, count, &err), TRANCHE_OK);
            at += count;
        }
        finish();

        cr_expect_eq(import_summary(import)->lines, 4);
        cr_expect_eq(import_summary(import)->devices, 2, "pieces of %zu", pieces[i]);
        expect_complaint(0, 2, "the line is longer than 65536 bytes");
        expect_complaint(1, 4, "the line is longer than 65536 bytes");
        import_close(import);
        import = NULL;
    }
    text_free(&text);
}

Test(import, where_the_input_is_cut_does_not_matter)
{
    static const char text[] = "{\"id\":\"b\",\"displayName\":\"B\"}\r\n\r\n{oops}\n{\"id\":\"a\"}\n {\"id\":\"c\"}";
    const char *lines[] = { "a ep- name=- template=- organization=- properties=-",
                            "b ep- name=B template=- organization=- properties=-",
                            "c ep- name=- template=- organization=- properties=-" };
    const size_t count = sizeof text - 1;
    for (size_t cut = 0; cut <= count; cut++) { /* at each byte once; then, at last, at all of them */
        start(NULL);
        for (size_t at = 0, end = cut < count ? cut : 1; at < count; at = end, end = cut < count ? count : at + 1)
            cr_assert_eq(import_feed(import, text + at, end - at, &err), TRANCHE_OK);
        finish();
        slice_all();

        expect_stored(lines, 3);
        expect_complaint(0, 3, "unexpected character at offset 1");
        import_close(import);
        import = NULL;
        shelf.count_committed = 0;
        shelf_rollback(&shelf);
    }
}

/* ---- rows of CSV ---- */

Test(import, rows_of_csv_become_devices)
{
    start_csv();
    feed("\xef\xbb\xbfid,displayName,template,site,floor:json\r\n"
         "b,\"North, \"\"01\"\"\nupper\",,north,3\r\n"
         "a,,dtmi:own;1,,\r\n");
    finish();
    slice_all();

    const char *lines[] = { "a ep- name=- template=dtmi:own;1 organization=- properties=-",
                            "b ep- name=North, \"01\"\nupper template=dtmi:given;1 organization=- "
                            "properties={\"site\":\"north\",\"floor\":3}" };
    expect_stored(lines, 2);
    cr_expect_eq(import_summary(import)->lines, 2);
}

Test(import, a_bad_row_is_told_with_line_and_column_and_the_rest_goes_in)
{
    start_csv();
    feed("id,displayName,enabled\n"
         "a,\"two\nlines\",true\n"
         "b,,maybe\n"
         "c,\"x\" y,true\n"
         "\n"
         "d,,\n"
         "e,\"never closed\nf,,\n");
    finish();
    slice_all();

    cr_expect_eq(import_summary(import)->lines, 5);
    cr_expect_eq(import_summary(import)->bad, 3);
    expect_complaint(0, 4, "column 3, enabled: expected true or false, found \"maybe\"");
    expect_complaint(1, 5, "a field with quotes in it must be quoted, and those quotes doubled");
    expect_complaint(2, 8, "a closing quote is missing");
    cr_expect_eq(shelf.count_committed, 2);
}

Test(import, csv_without_a_header_is_refused)
{
    start_csv();
    cr_expect_eq(import_feed(import, "name,site\n", 10, &err), TRANCHE_INVALID);
    cr_expect_str_eq(err.text,
                     "line 1: the first row names no column for the id; it should be like id,displayName,template,site");
    import_close(import);

    start_csv();
    cr_expect_eq(import_feed(import, "\nid,\"si\"te\n", 11, &err), TRANCHE_INVALID);
    cr_expect_str_eq(err.text, "line 2: a field with quotes in it must be quoted, and those quotes doubled");
    import_close(import);

    start_csv();
    feed("\n\n");
    cr_expect_eq(import_finish(import, false, &err), TRANCHE_INVALID);
    cr_expect_str_eq(err.text, "there is no row that names the columns, such as id,displayName,template");
    import_close(import);
    import = NULL;
    cr_expect_eq(files_in_spool(), 0);
}

Test(import, a_header_alone_is_a_good_table)
{
    start_csv();
    feed("id");
    finish();
    slice_all();
    cr_expect_eq(import_summary(import)->lines, 0);
    cr_expect(shelf.row_committed.done);
}

/* ---- order ---- */

Test(import, devices_go_in_sorted_by_id_and_the_last_line_of_an_id_wins)
{
    import_text("{\"id\":\"b\",\"displayName\":\"1\"}\n{\"id\":\"a-2\"}\n{\"id\":\"a\"}\n{\"id\":\"B\"}\n"
                "{\"id\":\"b\",\"displayName\":\"2\"}\n{\"id\":\"a:1\"}\n{\"id\":\"b\",\"displayName\":\"3\"}\n");

    const char *lines[] = { "B ep- name=- template=- organization=- properties=-",
                            "a ep- name=- template=- organization=- properties=-",
                            "a-2 ep- name=- template=- organization=- properties=-",
                            "a:1 ep- name=- template=- organization=- properties=-",
                            "b ep- name=3 template=- organization=- properties=-" };
    expect_stored(lines, 5);
    cr_expect_eq(import_summary(import)->devices, 5);
}

/* Properties so large that a few hundred devices fill a block of the spool. */
static char *large_properties(char fill)
{
    struct text text = {0};
    text_puts(&text, "{\"p\":\"");
    for (int i = 0; i < 60000; i++)
        text_add(&text, &fill, 1);
    text_puts(&text, "\"}");
    return text_take(&text);
}

Test(import, many_runs_are_merged_and_later_runs_win)
{
    char *first = large_properties('1'), *second = large_properties('2');

    start(NULL);
    feed_numbers(399, 400, -1, first); /* about 24 MB: two blocks */
    feed_numbers(100, 200, 1, second);
    finish();
    slice_all();

    expect_numbers(400);
    cr_expect_eq(import_summary(import)->devices, 400);
    for (size_t i = 0; i < 400; i++) {
        const char *properties = i >= 100 && i < 300 ? second : first;
        cr_assert_not_null(strstr(shelf.lines[i], properties), "device %zu", i);
    }
    cr_expect_eq(files_in_spool(), 1);
    free(first);
    free(second);
}

Test(import, sorted_input_over_several_blocks_is_not_merged)
{
    char *properties = large_properties('x');
    start(NULL);
    feed_numbers(0, 400, 1, properties);
    struct stat before, after;
    char path[64];
    snprintf(path, sizeof path, "%s/spool/import-1.tmp", directory);
    cr_assert_eq(stat(path, &before), 0);

    finish();

    snprintf(path, sizeof path, "%s/spool/import-1", directory);
    cr_assert_eq(stat(path, &after), 0);
    cr_expect_eq(before.st_ino, after.st_ino); /* the same file under its new name */
    cr_expect_eq(import_summary(import)->devices, 400);
    slice_all();
    expect_numbers(400);
    free(properties);
}

/* ---- slices ---- */

#define MANY (3 * IMPORT_SLICE + 10)

Test(import, slices_end_with_the_last_device)
{
    strcpy(shelf.known, "d000005");
    start(NULL);
    feed_numbers(0, 2 * IMPORT_SLICE, 1, "{}");
    finish();

    cr_expect(slice());
    cr_expect_eq(shelf.count_committed, IMPORT_SLICE);
    cr_expect_not(shelf.row_committed.done);
    cr_expect_not(slice());
    cr_expect(shelf.row_committed.done);
    cr_expect_eq(shelf.row_committed.no, 7);
    expect_numbers(2 * IMPORT_SLICE);
    cr_expect_eq(import_summary(import)->created, 2 * IMPORT_SLICE - 1);
    cr_expect_eq(import_summary(import)->updated, 1);
}

Test(import, a_rolled_back_slice_is_done_again)
{
    start(NULL);
    feed_numbers(0, MANY, 1, "{}");
    finish();

    bool more = true;
    for (bool again = true; more; again = !again) {
        cr_assert_eq(import_slice(import, &shelf.store, 0, &more, &err), TRANCHE_OK);
        if (again) {
            shelf_rollback(&shelf);
            import_rolled_back(import);
            more = true;
        } else {
            shelf_commit(&shelf);
            import_committed(import);
        }
    }
    expect_numbers(MANY);
    cr_expect_eq(import_summary(import)->created, MANY);
    cr_expect_eq(shelf.row_committed.created, MANY);
}

Test(import, a_slice_that_fails_in_the_middle_is_done_again)
{
    start(NULL);
    feed_numbers(0, MANY, 1, "{}");
    finish();
    shelf.fail_at = IMPORT_SLICE + IMPORT_SLICE / 2;

    slice();
    bool more = false;
    cr_expect_eq(import_slice(import, &shelf.store, 0, &more, &err), TRANCHE_IO);
    shelf_rollback(&shelf);
    import_rolled_back(import);
    slice_all();

    expect_numbers(MANY);
    cr_expect_eq(import_summary(import)->created, MANY);
}

Test(import, a_crash_after_any_slice_resumes_from_the_spool)
{
    for (int slices = 1; slices <= 3; slices++) {
        for (int torn = 0; torn <= 1; torn++) { /* whether the crash came in the midst of the next slice */
            start(NULL);
            feed_numbers(0, MANY, 1, "{}");
            finish();
            for (int i = 0; i < slices; i++)
                cr_assert(slice());
            bool more = false;
            if (torn)
                import_slice(import, &shelf.store, 0, &more, NULL);
            shelf_rollback(&shelf);
            import_close(import);
            cr_assert_eq(files_in_spool(), 1);

            cr_assert_eq(import_reopen(&import, directory, &shelf.row_committed, &err), TRANCHE_OK, "%s", err.text);
            slice_all();
            expect_numbers(MANY);
            cr_expect_eq(import_summary(import)->created, MANY);

            import_close(import);
            import = NULL;
            cr_expect_eq(files_in_spool(), 0);
            shelf.count_committed = 0;
            shelf_rollback(&shelf);
            shelf.row = shelf.row_committed = (struct tranche_import_record){0};
        }
    }
}

Test(import, an_import_whose_first_slice_was_rolled_back_begins_anew)
{
    start(NULL);
    feed_numbers(0, 10, 1, "{}");
    finish();
    bool more = false;
    cr_assert_eq(import_slice(import, &shelf.store, 0, &more, &err), TRANCHE_OK);
    cr_expect_eq(shelf.row.no, 7);
    shelf_rollback(&shelf);
    import_rolled_back(import);

    import_close(import); /* never accepted: the file goes too */
    import = NULL;
    cr_expect_eq(files_in_spool(), 0);
}

/* ---- the spool's files ---- */

Test(import, imports_at_the_same_time_have_files_of_their_own)
{
    struct import *other = NULL;
    start(NULL);
    cr_assert_eq(import_open(&other, directory, &(struct import_options){ .id = "other" }, &err), TRANCHE_OK);
    feed("{\"id\":\"a\"}\n");
    cr_assert_eq(import_feed(other, "{\"id\":\"b\"}\n", 11, &err), TRANCHE_OK);
    finish();
    cr_assert_eq(import_finish(other, false, &err), TRANCHE_OK);
    cr_expect_eq(files_in_spool(), 2);
    import_close(other);

    slice_all();
    const char *lines[] = { "a ep- name=- template=- organization=- properties=-" };
    expect_stored(lines, 1);
}

Test(import, an_abandoned_import_leaves_nothing)
{
    start(NULL);
    feed("{\"id\":\"a\"}\n");
    cr_expect_eq(files_in_spool(), 1);
    import_close(import);
    import = NULL;
    cr_expect_eq(files_in_spool(), 0);
}

Test(import, the_sweep_keeps_only_what_it_is_told)
{
    static const char *const names[] = { "import-1", "import-2", "import-3.tmp" };
    start(NULL); /* makes the folder */
    import_close(import);
    import = NULL;
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/spool/%s", directory, names[i]);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        cr_assert_geq(fd, 0);
        close(fd);
    }
    static const char *const keep[] = { "spool/import-2" };

    cr_assert_eq(spool_sweep(directory, keep, 1, &err), TRANCHE_OK);

    cr_expect_eq(files_in_spool(), 1);
    char path[64];
    snprintf(path, sizeof path, "%s/spool/import-2", directory);
    cr_expect_eq(access(path, F_OK), 0);
    cr_expect_eq(spool_sweep("/nowhere/at/all", NULL, 0, &err), TRANCHE_OK);
}

static void damage(off_t at, const void *bytes, size_t count)
{
    char path[64];
    snprintf(path, sizeof path, "%s/spool/import-1", directory);
    int fd = open(path, O_WRONLY);
    cr_assert_geq(fd, 0);
    if (count == 0)
        cr_assert_eq(ftruncate(fd, at), 0);
    else
        cr_assert_eq(pwrite(fd, bytes, count, at), (ssize_t)count);
    close(fd);
}

static void forget_all(void)
{
    shelf.count_committed = 0;
    shelf_rollback(&shelf);
    shelf.row = shelf.row_committed = (struct tranche_import_record){0};
}

/* The import is over and says why; what is in the store of it stays. */
static void expect_bad_end(const char *reason)
{
    struct tranche_err why = {0};
    cr_expect(shelf.row_committed.done);
    cr_expect_str_eq(shelf.row_committed.reason, reason);
    cr_expect_eq(import_end_code(import, &why), TRANCHE_IO);
    cr_expect_str_eq(why.text, reason);
    import_close(import);
    import = NULL;
    cr_expect_eq(files_in_spool(), 0);
}

Test(import, a_damaged_spool_ends_the_import_and_no_transaction)
{
    static const uint32_t huge = 0x7fffffff, none = 0;
    static const struct {
        off_t at;
        const void *bytes;
        size_t count;
        size_t stored; /* devices before the damage */
    } damages[] = { { 20, NULL, 0, 1 }, { 0, &huge, 4, 0 }, { 0, &none, 4, 0 }, { 15, "x", 1, 0 } };

    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        start(NULL);
        feed("{\"id\":\"abcdefg\"}\n{\"id\":\"b\"}\n");
        finish();
        damage(damages[i].at, damages[i].bytes, damages[i].count);

        cr_expect_not(slice(), "damage %zu", i);
        cr_expect_eq(shelf.count_committed, damages[i].stored, "damage %zu", i);
        expect_bad_end(damages[i].stored == 1 ? "the import's spool file is damaged at byte 16"
                                              : "the import's spool file is damaged at byte 0");
        forget_all();
    }
}

Test(import, a_spool_damaged_in_the_middle_leaves_what_is_in)
{
    static const uint32_t huge = 0x7fffffff;
    struct text properties = {0};
    text_printf(&properties, "{\"p\":\"%0300d\"}", 0); /* so that the file is read in many pieces */
    start(NULL);
    feed_numbers(0, MANY, 1, properties.bytes);
    text_free(&properties);
    finish();
    cr_assert(slice());
    damage((off_t)(shelf.row_committed.position / IMPORT_SLICE * 2500), &huge, 4); /* all records are as long */
    cr_assert(slice());

    cr_expect_not(slice());
    cr_expect_eq(shelf.count_committed, 2500);
    cr_expect_eq(import_summary(import)->created, 2500);
    cr_expect_eq(shelf.row_committed.created, 2500);
    cr_expect_not_null(strstr(shelf.row_committed.reason, "the import's spool file is damaged at byte"));
}

Test(import, what_the_store_refuses_of_a_spool_ends_the_import)
{
    start(NULL);
    feed_numbers(0, 10, 1, "{}");
    finish();
    shelf.fail_at = 6;
    shelf.fail_code = TRANCHE_INVALID;

    cr_expect_not(slice());
    cr_expect_eq(shelf.count_committed, 5);
    cr_expect_eq(shelf.row_committed.created, 5);
    cr_expect(shelf.row_committed.done);
    cr_expect_eq(import_end_code(import, NULL), TRANCHE_INVALID);
}

Test(import, a_spool_that_is_lost_ends_a_reopened_import)
{
    for (int lost = 0; lost <= 1; lost++) { /* or only shorter than its record says */
        start(NULL);
        feed_numbers(0, MANY, 1, "{}");
        finish();
        slice();
        import_close(import);
        import = NULL;
        char path[64];
        snprintf(path, sizeof path, "%s/spool/import-1", directory);
        if (lost)
            cr_assert_eq(unlink(path), 0);
        else
            damage(10, NULL, 0);

        cr_assert_eq(import_reopen(&import, directory, &shelf.row_committed, &err), TRANCHE_OK);
        bool more = true;
        cr_assert_eq(import_slice(import, &shelf.store, 0, &more, &err), TRANCHE_OK);
        shelf_rollback(&shelf); /* the store's trouble, of all times */
        import_rolled_back(import);
        cr_expect_not(slice());
        cr_expect_eq(shelf.count_committed, IMPORT_SLICE);
        cr_expect_eq(shelf.row_committed.created, IMPORT_SLICE);
        expect_bad_end(lost ? "open the import's spool file: No such file or directory"
                            : "the import's spool file is shorter than what is in the store of it");
        forget_all();
    }
}

/* ---- with the real store ---- */

static struct tranche_store *open_store(void)
{
    struct sqlite_options options = { .directory = directory };
    struct tranche_store *store = NULL;
    cr_assert_eq(sqlite_store_open(&options, &store, &err), TRANCHE_OK, "%s", err.text);
    return store;
}

static bool store_slice(struct tranche_store *store, int64_t number)
{
    bool more = false;
    cr_assert_eq(store->functions->begin(store, number, &err), TRANCHE_OK, "%s", err.text);
    cr_assert_eq(import_slice(import, store, 0, &more, &err), TRANCHE_OK, "%s", err.text);
    cr_assert_eq(store->functions->commit_start(store, &err), TRANCHE_OK, "%s", err.text);
    cr_assert_eq(store->functions->commit_ended(store, &err), TRANCHE_COMMIT_DONE, "%s", err.text);
    import_committed(import);
    return more;
}

static void reopen_it(void *context, const struct tranche_import_record *record)
{
    int *count = context;
    ++*count;
    cr_assert_eq(import_reopen(&import, directory, record, &err), TRANCHE_OK, "%s", err.text);
}

static void expect_device(struct tranche_reader *reader, const char *id)
{
    struct tranche_device_record device;
    cr_assert_eq(reader->functions->device_find(reader, id, &device, &err), TRANCHE_OK, "%s", id);
    cr_expect_str_eq(device.template_id, "dtmi:meadow:pump;2");
    cr_expect_str_eq(device.properties, "{\"site\":\"north\"}");
}

Test(import, sqlite_takes_the_rest_after_a_crash)
{
    struct tranche_store *store = open_store();
    start("dtmi:meadow:pump;2");
    feed_numbers(0, MANY, 1, "{\"site\":\"north\"}");
    finish();
    cr_assert(store_slice(store, 1));
    import_close(import);
    store->functions->close(store);

    int open = 0;
    store = open_store();
    cr_assert_eq(store->functions->imports_open(store, reopen_it, &open, &err), TRANCHE_OK);
    cr_assert_eq(open, 1);
    for (int64_t number = 2; store_slice(store, number); number++)
        ;

    struct tranche_reader *reader = NULL;
    cr_assert_eq(store->functions->reader_open(store, &reader, &err), TRANCHE_OK);
    expect_device(reader, "d000000");
    expect_device(reader, "d003009"); /* the last of MANY */
    cr_expect_eq(import_summary(import)->created, MANY);
    open = 0;
    cr_expect_eq(store->functions->imports_open(store, reopen_it, &open, &err), TRANCHE_OK);
    cr_expect_eq(open, 0);
    reader->functions->close(reader);
    store->functions->close(store);
}
