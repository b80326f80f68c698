/* What people type and what they read: the pure parts of the command line. */
#include "job_body.h"
#include "job_detail.h"
#include "picture.h"
#include "progress.h"
#include "schedule_body.h"
#include "show.h"
#include "typed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tranche_err err;

static void expect_text(struct text *text, const char *wanted)
{
    cr_expect_not(text->failed);
    cr_expect_str_eq(text->bytes != NULL ? text->bytes : "", wanted);
    text_free(text);
}

/* ---- numbers ---- */

Test(numbers, a_percentage_is_all_or_nothing_only_when_it_is)
{
    static const struct {
        int64_t part, whole;
        const char *text;
    } rows[] = {
        { 269, 10000, "2.7 %" }, { 0, 10000, "0.0 %" },      { 1, 1000000, "0.1 %" },        { 10000, 10000, "100.0 %" },
        { 1, 3, "33.3 %" },      { 999999, 1000000, "99.9 %" }, { 0, 0, "0.0 %" },           { 4720, 10000, "47.2 %" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        print_percent(&text, rows[i].part, rows[i].whole);
        expect_text(&text, rows[i].text);
    }
}

Test(numbers, rates_have_one_decimal_while_it_matters)
{
    static const struct {
        double per_s;
        const char *text;
    } rows[] = { { 0, "0.0/s" }, { 58.14, "58.1/s" }, { 99.94, "99.9/s" }, { 99.96, "100/s" }, { 12339.6, "12340/s" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        print_rate(&text, rows[i].per_s);
        expect_text(&text, rows[i].text);
    }
}

Test(numbers, durations_have_two_units_at_most)
{
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        { 0, "0.0s" },           { 400000, "0.4s" },         { 9949999, "9.9s" },         { 9950000, "10s" },
        { 41400000, "41s" },     { 59600000, "1m00s" },      { 172000000, "2m52s" },      { 3599500000, "1h00m" },
        { 3780000000, "1h03m" }, { 90000000000, "1d01h" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        print_duration(&text, rows[i].us);
        expect_text(&text, rows[i].text);
    }
}

Test(numbers, counts_are_grouped_by_thousands)
{
    static const struct {
        int64_t count;
        const char *text;
    } rows[] = { { 0, "0" }, { 999, "999" }, { 1000, "1 000" }, { 10000, "10 000" }, { 1234567, "1 234 567" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        print_count(&text, rows[i].count);
        expect_text(&text, rows[i].text);
    }
}

Test(numbers, times_are_told_from_now)
{
    static const struct {
        int64_t ago_us;
        const char *text;
    } rows[] = { { -7200000000, "in 2h" },  { -5000000, "in 5s" },      { -999999, "now" },
                 { 999999, "now" },         { 41000000, "41s ago" },    { 3599000000, "59m ago" },
                 { 7200000000, "2h ago" }, { 1036800000000, "12d ago" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        print_ago(&text, 2000000000000000, 2000000000000000 + rows[i].ago_us);
        expect_text(&text, rows[i].text);
    }
}

/* ---- progress ---- */

static struct progress progress_of(int64_t total, int64_t completed, int64_t failed, int64_t unknown)
{
    return (struct progress){ .id = "job-006", .state = "running", .total = total, .completed = completed,
                              .failed = failed, .unknown = unknown };
}

Test(progress, is_read_as_the_server_tells_it)
{
    static const char answer[] =
        "{\"id\":\"job-006\",\"status\":\"running\",\"state\":\"cancelling\",\"frozen\":true,"
        "\"tally\":{\"total\":10000,\"pending\":5280,\"completed\":4600,\"failed\":100,\"unknown\":20},"
        "\"batch\":{\"index\":1,\"count\":4,\"tally\":{\"total\":2500,\"pending\":280,\"completed\":2130,\"failed\":70,"
        "\"unknown\":20},\"start\":\"2026-03-02T09:21:00.000Z\"},\"calls\":4720,\"created\":\"2026-03-02T09:20:00.000Z\","
        "\"start\":\"2026-03-02T09:20:00.120Z\",\"reason\":\"the cancellation threshold was exceeded\"}";
    struct json_document document = {0};
    struct progress progress;
    cr_assert_eq(json_parse(answer, strlen(answer), &document, &err), TRANCHE_OK);

    cr_assert(progress_read(document.root, &progress));

    cr_expect_str_eq(progress.id, "job-006");
    cr_expect_str_eq(progress.state, "cancelling");
    cr_expect_str_eq(progress.reason, "the cancellation threshold was exceeded");
    cr_expect_eq(progress_final(&progress), 4720);
    cr_expect_eq(progress_failed(&progress), 120);
    cr_expect_eq(progress.batch_index, 1);
    cr_expect_eq(progress.batch_count, 4);
    cr_expect_eq(progress.start_us, 1772443200120000);
    cr_expect_eq(progress.end_us, 0);
    cr_expect_not(progress_rests(&progress));
    json_free(&document);
}

Test(progress, something_else_is_no_progress)
{
    static const char *const answers[] = { "{}", "[]", "{\"id\":\"a\",\"state\":\"running\"}", "{\"tally\":{}}" };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct json_document document = {0};
        struct progress progress;
        cr_assert_eq(json_parse(answers[i], strlen(answers[i]), &document, &err), TRANCHE_OK);
        cr_expect_not(progress_read(document.root, &progress), "%s", answers[i]);
        json_free(&document);
    }
}

Test(progress, a_job_rests_when_only_a_person_can_go_on)
{
    static const struct {
        const char *state;
        bool rests;
    } rows[] = { { "pending", false }, { "running", false }, { "stopping", false }, { "cancelling", false },
                 { "stopped", true }, { "held", true }, { "complete", true }, { "cancelled", true }, { "failed", true } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct progress progress = { .state = rows[i].state };
        cr_expect_eq(progress_rests(&progress), rows[i].rests, "%s", rows[i].state);
    }
}

Test(progress, the_bar_shows_whatever_exists)
{
    static const struct {
        int64_t total, completed, failed, unknown;
        const char *bar;
    } rows[] = {
        { 100, 0, 0, 0, "[....................]" },   { 100, 50, 0, 0, "[==========..........]" },
        { 100, 45, 3, 2, "[=========#..........]" },  { 100, 100, 0, 0, "[====================]" },
        { 100, 99, 0, 0, "[===================.]" },  { 100, 99, 1, 0, "[===================#]" },
        { 1000000, 1, 1, 0, "[=#..................]" }, { 1000000, 999998, 1, 0, "[==================#.]" },
        { 100, 0, 100, 0, "[####################]" }, { 0, 0, 0, 0, "[....................]" },
        { 3, 1, 1, 1, "[=======#############]" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct progress progress = progress_of(rows[i].total, rows[i].completed, rows[i].failed, rows[i].unknown);
        struct text text = {0};
        print_bar(&text, &progress, 22);
        expect_text(&text, rows[i].bar);
    }
}

Test(progress, every_bar_is_as_wide_as_it_should_be)
{
    for (int64_t completed = 0; completed <= 37; completed++)
        for (int64_t failed = 0; completed + failed <= 37; failed++)
            for (int width = 10; width <= 60; width += 7) {
                struct progress progress = progress_of(37, completed, failed, 0);
                struct text text = {0};
                print_bar(&text, &progress, width);
                cr_assert_eq(text.length, (size_t)width, "%s", text.bytes);
                cr_assert_eq(strchr(text.bytes, '=') != NULL, completed > 0, "%s", text.bytes);
                cr_assert_eq(strchr(text.bytes, '#') != NULL, failed > 0, "%s", text.bytes);
                cr_assert_eq(strchr(text.bytes, '.') != NULL, completed + failed < 37, "%s", text.bytes);
                text_free(&text);
            }
}

Test(progress, pace_follows_and_forgets)
{
    struct pace pace = {0};
    pace_note(&pace, 1000000, 500);
    cr_expect_not(pace.known);
    pace_note(&pace, 2000000, 600);
    cr_expect(pace.known);
    cr_expect_float_eq(pace.per_s, 100, 0.001);

    for (int64_t s = 3; s < 60; s++)
        pace_note(&pace, s * 1000000, 600 + (s - 2) * 20);
    cr_expect_float_eq(pace.per_s, 20, 1);
    pace_note(&pace, 59000000, 5000); /* no time has passed: no speed either */
    cr_expect_float_eq(pace.per_s, 20, 1);
}

static const struct pace steady = { .per_s = 58.1, .begun = true, .known = true };

Test(progress, logs_get_words)
{
    struct progress progress = progress_of(10000, 4601, 100, 19);
    progress.batch_count = 4;
    struct text text = {0};
    print_progress_words(&text, &progress, &steady, 0);
    expect_text(&text, "job-006 running: 4720 of 10000 (47.2 %), 119 failed, 58.1/s, ETA 1m31s");
    print_progress_words(&text, &progress, &(struct pace){0}, 2);
    expect_text(&text, "job-006 batch 2 of 4 done: 4720 of 10000 (47.2 %), 119 failed");
}

Test(progress, the_closing_sentence_can_be_parsed)
{
    struct progress progress = progress_of(10000, 9731, 269, 0);
    progress.state = "complete";
    progress.start_us = 1000000;
    progress.end_us = 173000000;
    struct text text = {0};
    print_end_sentence(&text, &progress);
    expect_text(&text, "job-006 complete: 10000 devices, 9731 completed, 269 failed (2.7 %) in 2m52s, 58.1/s. "
                       "Rerun failed: tranche job rerun job-006");

    progress = progress_of(10, 10, 0, 0);
    progress.state = "complete";
    print_end_sentence(&text, &progress);
    expect_text(&text, "job-006 complete: 10 devices, 10 completed, 0 failed (0.0 %).");

    progress = progress_of(1000, 80, 18, 2);
    progress.state = "cancelled";
    progress.reason = "the cancellation threshold was exceeded";
    print_end_sentence(&text, &progress);
    expect_text(&text, "job-006 cancelled: 1000 devices, 80 completed, 20 failed (2.0 %, 2 of them unknown), "
                       "900 pending. Reason: the cancellation threshold was exceeded. "
                       "Rerun failed: tranche job rerun job-006");

    progress = progress_of(1000, 80, 20, 0);
    progress.state = "stopped";
    print_end_sentence(&text, &progress);
    expect_text(&text, "job-006 stopped: 1000 devices, 80 completed, 20 failed (2.0 %), 900 pending. "
                       "Go on: tranche job resume job-006");
}

/* ---- what people type ---- */

static enum tranche_code assign(const char *typed, bool optional, struct text *key, struct text *value)
{
    bool has_value;
    return typed_assignment(typed, optional, key, value, &has_value, &err);
}

Test(typed, a_value_is_json_when_it_can_be)
{
    static const struct {
        const char *typed, *key, *value;
    } rows[] = {
        { "targetTemperature=56", "targetTemperature", "56" },
        { "a=1.10", "a", "1.10" },
        { "a=true", "a", "true" },
        { "a=null", "a", "null" },
        { "a={\"b\":[1, 2]}", "a", "{\"b\":[1, 2]}" },
        { "a=\"56\"", "a", "\"56\"" },
        { "a=on", "a", "\"on\"" },
        { "a=", "a", "\"\"" },
        { "a=x=y", "a", "\"x=y\"" },
        { "a=say \"hi\"", "a", "\"say \\\"hi\\\"\"" },
        { "component.name=5", "component.name", "5" },
        { "a:=5", "a", "5" },
        { "a=:=5", "a", "\":=5\"" },
        { "a=1 2", "a", "\"1 2\"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text key = {0}, value = {0};
        cr_expect_eq(assign(rows[i].typed, false, &key, &value), TRANCHE_OK, "%s", rows[i].typed);
        expect_text(&key, rows[i].key);
        expect_text(&value, rows[i].value);
    }
}

Test(typed, what_cannot_be_is_explained)
{
    static const struct {
        const char *typed, *text;
    } rows[] = {
        { "a", "expected name=value, got \"a\"" },
        { "=5", "expected a name before the value, got \"=5\"" },
        { ":=5", "expected a name before the value, got \":=5\"" },
        { "a:=on", "\"on\" is no JSON: unexpected character at offset 0" },
        { "a=@/no/such/file", "/no/such/file: No such file or directory" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text key = {0}, value = {0};
        cr_expect_neq(assign(rows[i].typed, false, &key, &value), TRANCHE_OK, "%s", rows[i].typed);
        cr_expect_str_eq(err.text, rows[i].text);
        text_free(&key);
        text_free(&value);
    }
}

Test(typed, a_command_may_have_no_value)
{
    struct text key = {0}, value = {0};
    bool has_value = true;
    cr_assert_eq(typed_assignment("reboot", true, &key, &value, &has_value, &err), TRANCHE_OK);
    cr_expect_not(has_value);
    expect_text(&key, "reboot");
}

Test(typed, a_value_may_come_from_a_file)
{
    char path[] = "/tmp/tranche-typed-XXXXXX", typed[64];
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "{\"a\":\n1}\r\n\n", 11), 11);
    close(fd);
    snprintf(typed, sizeof typed, "config=@%s", path);
    struct text key = {0}, value = {0};

    cr_expect_eq(assign(typed, false, &key, &value), TRANCHE_OK, "%s", err.text);

    expect_text(&key, "config");
    expect_text(&value, "{\"a\":\n1}");
    unlink(path);
}

Test(typed, amounts_are_numbers_or_percentages)
{
    static const struct {
        const char *typed, *type, *json;
    } rows[] = {
        { "25%", NULL, "{\"type\":\"percentage\",\"value\":25}" },
        { "12.50%", NULL, "{\"type\":\"percentage\",\"value\":12.5}" },
        { "250", NULL, "{\"type\":\"number\",\"value\":250}" },
        { "25", "percentage", "{\"type\":\"percentage\",\"value\":25}" },
        { "25%", "number", "{\"type\":\"percentage\",\"value\":25}" },
        { "0", "number", "{\"type\":\"number\",\"value\":0}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text json = {0};
        cr_expect_eq(typed_amount(rows[i].typed, rows[i].type, "", &json, &err), TRANCHE_OK, "%s", rows[i].typed);
        expect_text(&json, rows[i].json);
    }
    static const char *const wrong[] = { "", "%", "-5", "abc", "5 %", "0x10", "five%" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct text json = {0};
        cr_expect_eq(typed_amount(wrong[i], NULL, "", &json, &err), TRANCHE_INVALID, "%s", wrong[i]);
        text_free(&json);
    }
    struct text json = {0};
    cr_expect_eq(typed_amount("5", "many", "", &json, &err), TRANCHE_INVALID);
    cr_expect_str_eq(err.text, "expected the type number or percentage, got \"many\"");
    text_free(&json);
}

Test(typed, seconds_may_have_a_unit)
{
    static const struct {
        const char *typed;
        int64_t us;
    } rows[] = { { "2", 2000000 }, { "0.5", 500000 }, { "90s", 90000000 }, { "10m", 600000000 }, { "1.5h", 5400000000 },
                 { "0", 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us = -1;
        cr_expect_eq(typed_seconds(rows[i].typed, &us, &err), TRANCHE_OK, "%s", rows[i].typed);
        cr_expect_eq(us, rows[i].us, "%s", rows[i].typed);
    }
    static const char *const wrong[] = { "", "s", "-1", "5x", "5ss", "inf", "nan", "1e30", "1e999", " 5" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t us;
        cr_expect_eq(typed_seconds(wrong[i], &us, &err), TRANCHE_INVALID, "%s", wrong[i]);
    }
}

/* ---- bodies ---- */

static void expect_body(const struct job_words *words, const char *wanted)
{
    struct text body = {0};
    text_puts(&body, "{");
    cr_expect_eq(job_body_print(words, &body, &err), TRANCHE_OK, "%s", err.text);
    text_puts(&body, "}");
    expect_text(&body, wanted);
}

Test(body, says_what_the_flags_said)
{
    struct job_words words = { .group = "thermostats", .target = "dtmi:t;1", .batch = "25%", .cancel = "10%",
                               .name = "Warm \"up\"", .description = "d", .per_batch = true, .entry_count = 2,
                               .entries = { { "property", "a=56" }, { "property", "c.b=x" } } };
    expect_body(&words,
                "{\"group\":\"thermostats\",\"displayName\":\"Warm \\\"up\\\"\",\"description\":\"d\","
                "\"batch\":{\"type\":\"percentage\",\"value\":25},"
                "\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":10,\"batch\":true},"
                "\"data\":[{\"type\":\"property\",\"target\":\"dtmi:t;1\",\"path\":\"a\",\"value\":56},"
                "{\"type\":\"property\",\"target\":\"dtmi:t;1\",\"path\":\"c.b\",\"value\":\"x\"}]}");
}

Test(body, leaves_out_what_was_not_said)
{
    struct job_words words = { .group = "g", .target = "t", .entry_count = 1, .entries = { { "command", "reboot" } } };
    expect_body(&words, "{\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"reboot\"}]}");
    words.entries[0] = (struct job_entry){ "deviceTemplateMigration", "dtmi:t;2" };
    expect_body(&words, "{\"group\":\"g\",\"data\":[{\"type\":\"deviceTemplateMigration\",\"template\":\"dtmi:t;2\"}]}");
    cr_expect_not(job_words_need_target(&words));
}

Test(body, takes_away_what_is_empty)
{
    struct job_words words = { .batch = "", .cancel = "", .description = "", .organization = "" };
    expect_body(&words, "{\"description\":null,\"batch\":null,\"cancellationThreshold\":null,\"organizations\":null}");
    words = (struct job_words){ .organization = "north" };
    expect_body(&words, "{\"organizations\":[\"north\"]}");
}

Test(body, takes_az_content_inline)
{
    struct job_words words = { .group = "g", .content = "[{\"type\":\"command\"}]", .batch = "10",
                               .batch_type = "percentage" };
    expect_body(&words, "{\"group\":\"g\",\"batch\":{\"type\":\"percentage\",\"value\":10},"
                        "\"data\":[{\"type\":\"command\"}]}");
}

Test(body, names_the_flag_that_is_wrong)
{
    struct job_words words = { .group = "g", .target = "t", .batch = "lots", .entry_count = 1,
                               .entries = { { "property", "a" } } };
    struct text body = {0};
    cr_expect_eq(job_body_print(&words, &body, &err), TRANCHE_INVALID);
    cr_expect_str_eq(err.text, "--batch: expected a number of devices or a percentage such as 250 or 25%, got \"lots\"");
    words.batch = NULL;
    cr_expect_eq(job_body_print(&words, &body, &err), TRANCHE_INVALID);
    cr_expect_str_eq(err.text, "property: expected name=value, got \"a\"");
    text_free(&body);
}

/* 2026-03-02T09:20:00Z */
#define NOW_US INT64_C(1772443200000000)

Test(schedule, says_what_the_flags_said)
{
    static const struct {
        struct schedule_words words;
        const char *body;
    } rows[] = {
        { { .start = NULL }, "" },
        { { .start = "now" }, "\"schedule\":{\"start\":\"2026-03-02T09:20:00.000Z\"}" },
        { { .start = "now", .every = "day" },
          "\"schedule\":{\"start\":\"2026-03-02T09:20:05.000Z\",\"recurrence\":\"daily\"}" },
        { { .start = "2026-12-01T03:00:00+01:00", .every = "week", .until = "2026-12-31" },
          "\"schedule\":{\"start\":\"2026-12-01T03:00:00+01:00\",\"recurrence\":\"weekly\","
          "\"end\":{\"type\":\"date\",\"date\":\"2026-12-31\"}}" },
        { { .every = "month", .times = "12" },
          "\"schedule\":{\"recurrence\":\"monthly\",\"end\":{\"type\":\"occurrences\",\"occurrences\":12}}" },
        { { .every = "" }, "\"schedule\":{\"recurrence\":null,\"end\":null}" },
        { { .until = "" }, "\"schedule\":{\"end\":null}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text body = {0};
        cr_expect_eq(schedule_body_print(&rows[i].words, NOW_US, &body, &err), TRANCHE_OK, "%s", err.text);
        expect_text(&body, rows[i].body);
    }
}

Test(schedule, names_the_flag_that_is_wrong)
{
    static const struct {
        struct schedule_words words;
        const char *flag;
    } rows[] = {
        { { .start = "tomorrow" }, "--start: " },       { { .start = "" }, "--start: " },
        { { .every = "daily" }, "--every: " },          { { .until = "2026-02-30" }, "--until: " },
        { { .times = "0" }, "--times: " },              { { .times = "1000" }, "--times: " },
        { { .times = "3x" }, "--times: " },             { { .times = "3", .until = "2026-12-31" }, "a schedule ends either" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text body = {0};
        cr_expect_eq(schedule_body_print(&rows[i].words, NOW_US, &body, &err), TRANCHE_INVALID);
        cr_expect_eq(strncmp(err.text, rows[i].flag, strlen(rows[i].flag)), 0, "%s", err.text);
        text_free(&body);
    }
}

/* ---- what a job does ---- */

static void expect_detail(const char *job, const char *reason, const char *wanted)
{
    struct text detail = {0};
    struct json_document document;
    cr_assert_eq(json_parse(job, strlen(job), &document, &err), TRANCHE_OK, "%s", err.text);
    job_detail_print(&document, reason, &detail);
    expect_text(&detail, wanted);
    json_free(&document);
}

Test(detail, tells_what_a_job_does)
{
    expect_detail("{\"description\":\"a\\nb\",\"data\":["
                  "{\"type\":\"property\",\"target\":\"dtmi:t;1\",\"path\":\"a\",\"value\":12345678901234567890.50},"
                  "{\"type\":\"property\",\"target\":\"dtmi:t;1\",\"path\":\"b\",\"value\":{\"x\": [1,\n2]}}],"
                  "\"batch\":{\"type\":\"percentage\",\"value\":12.5},"
                  "\"cancellationThreshold\":{\"type\":\"number\",\"value\":10,\"batch\":true},"
                  "\"scheduledJobId\":\"nightly\",\"organizations\":[\"north\"]}",
                  "too many failed",
                  "description   a?b\n"
                  "data          property a = 12345678901234567890.50  of dtmi:t;1\n"
                  "              property b = {\"x\":[1,2]}  of dtmi:t;1\n"
                  "batch         12.5% of the devices\n"
                  "cancel at     more than 10 devices of a batch failed\n"
                  "schedule      nightly\n"
                  "organization  north\n"
                  "reason        too many failed\n");
}

Test(detail, leaves_out_what_a_job_has_not)
{
    expect_detail("{\"description\":\"\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"reboot\"}],"
                  "\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":5,\"batch\":false}}",
                  NULL, "data          command reboot  of t\ncancel at     more than 5% of the devices failed\n");
    expect_detail("{\"data\":[{\"type\":\"deviceTemplateMigration\",\"template\":\"t\"}],\"batch\":null}", NULL,
                  "data          deviceTemplateMigration t\n");
    expect_detail("{}", NULL, "");
}

Test(body, finds_the_one_template_of_a_group)
{
    static const struct {
        const char *filter, *template_id; /* NULL: not one */
    } rows[] = {
        { "SELECT * FROM devices WHERE $template = \"dtmi:t;1\" AND $provisioned = true", "dtmi:t;1" },
        { "SELECT * FROM devices WHERE $template IN [\"dtmi:t;1\"]", "dtmi:t;1" },
        { "SELECT * FROM devices WHERE ($template = 'a' AND x = 1) OR ($template = 'a' AND x = 2)", "a" },
        { "SELECT * FROM devices WHERE $template = 'a' OR $template = 'b'", NULL },
        { "SELECT * FROM devices WHERE $template IN ['a', 'b']", NULL },
        { "SELECT * FROM devices WHERE $template != 'a'", NULL },
        { "SELECT * FROM devices WHERE template = 'a'", NULL },
        { "SELECT * FROM devices", NULL },
        { "no filter at all", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text found = {0};
        cr_expect_eq(filter_template(rows[i].filter, &found), rows[i].template_id != NULL, "%s", rows[i].filter);
        if (rows[i].template_id != NULL)
            expect_text(&found, rows[i].template_id);
        text_free(&found);
    }
}

/* ---- the picture ---- */

static const char progress_json[] =
    "{\"id\":\"job-006\",\"status\":\"running\",\"state\":\"running\",\"frozen\":true,"
    "\"tally\":{\"total\":10000,\"pending\":5280,\"completed\":4601,\"failed\":100,\"unknown\":19},"
    "\"batch\":{\"index\":1,\"count\":4,\"tally\":{\"total\":2500,\"pending\":280,\"completed\":2130,\"failed\":71,\"unknown\":19}},"
    "\"open\":21,\"waiting\":38,\"calls\":4741,\"start\":\"2026-03-02T09:20:00.000Z\"}";
static const char batches_json[] =
    "{\"value\":[{\"index\":0,\"tally\":{\"total\":2500,\"pending\":0,\"completed\":2471,\"failed\":29,\"unknown\":0},"
    "\"start\":\"2026-03-02T09:20:00.000Z\",\"end\":\"2026-03-02T09:20:41.000Z\"},"
    "{\"index\":1,\"tally\":{\"total\":2500,\"pending\":280,\"completed\":2130,\"failed\":71,\"unknown\":19},"
    "\"start\":\"2026-03-02T09:20:41.000Z\"}]}";
static const char job_json[] =
    "{\"id\":\"job-006\",\"displayName\":\"Run self test\",\"group\":\"thermostats\","
    "\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":10,\"batch\":false}}";
static const char failures_json[] =
    "{\"value\":[{\"reason\":\"device\\u001boffline\",\"outcome\":\"failed\",\"count\":81,\"example\":\"therm-00417\","
    "\"last\":\"2026-03-02T09:21:21.000Z\"}]}";

static void read_picture(struct picture *picture, struct json_document documents[4])
{
    const char *texts[] = { progress_json, batches_json, job_json, failures_json };
    for (int i = 0; i < 4; i++)
        cr_assert_eq(json_parse(texts[i], strlen(texts[i]), &documents[i], NULL), TRANCHE_OK);
    cr_assert(picture_read_progress(picture, documents[0].root));
    picture_read_batches(picture, documents[1].root);
    picture_read_job(picture, documents[2].root);
    picture_read_failures(picture, documents[3].root);
    picture->pace = steady;
}

#define AT_0921_21 INT64_C(1772443281000000)

Test(picture, shows_the_whole_job)
{
    struct picture picture = {0};
    struct json_document documents[4];
    struct text text = {0};
    read_picture(&picture, documents);

    cr_expect_eq(print_picture(&text, &picture, AT_0921_21, 80, 4), 14);
    expect_text(&text,
                "job-006  Run self test   running   group thermostats   10 000 devices\n"
                "  [=============================#..................................]  47.2 %\n"
                "  done 4 601   failed 119   waiting 38   open 21   pending 5 221\n"
                "  rate 58.1/s   elapsed 1m21s   ETA 1m31s\n"
                "  cancel above 10 % of the job:  1.2 % [#.........]\n"
                "\n"
                " batch                           size    done failed     rate   time  state\n"
                " 1/4     [=================#]    2500    2471     29   61.0/s    41s  done\n"
                " 2/4     [===============#..]    2500    2130     90   55.5/s    40s  running\n"
                " 3/4     [..................]    2500       -      -        -      -  waiting\n"
                " 4/4     [..................]    2500       -      -        -      -  waiting\n"
                "\n"
                " failures by reason                         count  last seen  example\n"
                "   device?offline                              81  now        therm-00417\n");
    for (int i = 0; i < 4; i++)
        json_free(&documents[i]);
}

Test(picture, fits_any_terminal)
{
    struct picture picture = {0};
    struct json_document documents[4];
    read_picture(&picture, documents);
    for (int width = 30; width < 160; width++) {
        struct text text = {0};
        unsigned lines = print_picture(&text, &picture, AT_0921_21, width, 2), seen = 0;
        for (char *line = text.bytes, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, seen++)
            cr_assert_leq(end - line, width, "%d: %.*s", width, (int)(end - line), line);
        cr_assert_eq(seen, lines);
        cr_assert_null(strchr(text.bytes, '\033'));
        text_free(&text);
    }
    for (int i = 0; i < 4; i++)
        json_free(&documents[i]);
}
