#include "schedule.h"

#include "mem.h"
#include "when.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)
#define DAY_S     86400

static struct schedule parsed(const char *text)
{
    struct json_document document;
    struct schedule schedule;
    struct tranche_err err = { 0 };
    cr_assert_eq(json_parse(text, strlen(text), &document, &err), TRANCHE_OK, "%s", err.text);
    cr_assert_eq(schedule_parse(document.root, &schedule, &err), TRANCHE_OK, "%s: %s", text, err.text);
    json_free(&document);
    return schedule;
}

static void assert_refused(const char *text, const char *message)
{
    struct json_document document;
    struct schedule schedule;
    struct tranche_err err = { 0 };
    cr_assert_eq(json_parse(text, strlen(text), &document, &err), TRANCHE_OK, "%s", err.text);
    cr_assert_eq(schedule_parse(document.root, &schedule, &err), TRANCHE_INVALID, "%s", text);
    cr_assert_str_eq(err.text, message);
    json_free(&document);
}

static void assert_due(const struct schedule *schedule, uint32_t occurrence, const char *expected)
{
    int64_t due = schedule_due(schedule, occurrence);
    char text[WHEN_TEXT_BYTES] = "never";
    if (due != SCHEDULE_NEVER)
        when_rfc3339(due, text);
    cr_assert_str_eq(text, expected, "%s, occurrence %u: expected %s, found %s", schedule->start, occurrence,
                     expected, text);
}

/* ---- against an oracle: the C library's calendar, asked day by day ---- */

static int days_of_month(int year, int month)
{
    struct tm last = { .tm_year = year, .tm_mon = month + 1, .tm_mday = 0, .tm_hour = 12 };
    timegm(&last);
    return last.tm_mday;
}

static bool fits_day_of_month(const struct tm *day, const struct tm *start)
{
    int last = days_of_month(day->tm_year, day->tm_mon);
    return day->tm_mday == (start->tm_mday < last ? start->tm_mday : last);
}

static bool oracle_fires(const char *recurrence, const struct tm *day, const struct tm *start)
{
    switch (recurrence[0]) {
    case 'd':
        return true;
    case 'w':
        return day->tm_wday == start->tm_wday;
    case 'm':
        return fits_day_of_month(day, start);
    default:
        return day->tm_mon == start->tm_mon && fits_day_of_month(day, start);
    }
}

/* Walks `days` days from the start and compares every one. */
static void compare(const char *recurrence, time_t start, int days)
{
    char text[WHEN_TEXT_BYTES], json[160];
    struct tm first, day;
    when_rfc3339(start * SECOND_US, text);
    snprintf(json, sizeof json, "{\"start\":\"%s\",\"recurrence\":\"%s\"}", text, recurrence);
    struct schedule schedule = parsed(json);
    gmtime_r(&start, &first);
    uint32_t occurrence = 0;
    for (int i = 0; i < days; i++) {
        time_t at = start + (time_t)i * DAY_S;
        gmtime_r(&at, &day);
        bool fires = schedule_due(&schedule, occurrence) == at * SECOND_US;
        cr_assert_eq(fires, oracle_fires(recurrence, &day, &first), "%s from %s: day %d", recurrence, text,
                     i);
        if (fires) {
            cr_assert_eq(schedule_after(&schedule, at * SECOND_US - 1), occurrence);
            cr_assert_eq(schedule_after(&schedule, at * SECOND_US), occurrence + 1);
        }
        occurrence += fires;
    }
    cr_assert_gt(occurrence, (uint32_t)days / 366 - 1);
}

/* Ten years from every day of four, so that each leap day and each end of a month is a start once. */
Test(schedule, ten_years_are_those_of_the_c_library)
{
    static const char *const recurrences[] = { "daily", "weekly", "monthly", "yearly" };
    struct tm begin = {
        .tm_year = 2023 - 1900, .tm_mon = 0, .tm_mday = 1, .tm_hour = 23, .tm_min = 59, .tm_sec = 59
    };
    time_t first = timegm(&begin);
    for (size_t r = 0; r < 4; r++)
        for (int day = 0; day < 4 * 366; day += recurrences[r][0] == 'm' || recurrences[r][0] == 'y' ? 1 : 97)
            compare(recurrences[r], first + (time_t)day * DAY_S, 3653);
}

/* A century that is no leap year, and one that is. */
Test(schedule, centuries_follow_the_gregorian_rule)
{
    struct tm begin = { .tm_year = 2096 - 1900, .tm_mon = 1, .tm_mday = 29 };
    compare("yearly", timegm(&begin), 9 * 366);
    compare("monthly", timegm(&begin), 9 * 366);
    begin = (struct tm){ .tm_year = 2000 - 1900, .tm_mon = 1, .tm_mday = 29 };
    compare("yearly", timegm(&begin), 9 * 366);
}

/* ---- by hand ---- */

Test(schedule, months_go_by_the_day_of_the_start)
{
    struct schedule s = parsed("{\"start\":\"2026-01-31T02:00:00Z\",\"recurrence\":\"monthly\"}");
    assert_due(&s, 0, "2026-01-31T02:00:00.000Z");
    assert_due(&s, 1, "2026-02-28T02:00:00.000Z");
    assert_due(&s, 2, "2026-03-31T02:00:00.000Z");
    assert_due(&s, 25, "2028-02-29T02:00:00.000Z");
}

Test(schedule, end_date_is_inclusive)
{
    struct schedule s = parsed("{\"start\":\"2028-02-29T06:30:00.000Z\",\"recurrence\":\"yearly\","
                               "\"end\":{\"type\":\"date\",\"date\":\"2032-02-29\"}}");
    assert_due(&s, 1, "2029-02-28T06:30:00.000Z");
    assert_due(&s, 4, "2032-02-29T06:30:00.000Z");
    assert_due(&s, 5, "never");
    s = parsed("{\"start\":\"2026-03-01T23:59:59.999999Z\",\"recurrence\":\"daily\",\"end\":{\"type\":"
               "\"date\",\"date\":"
               "\"2026-03-02T10:00:00Z\"}}");
    assert_due(&s, 1, "2026-03-02T23:59:59.999Z");
    assert_due(&s, 2, "never");
}

Test(schedule, occurrences_are_counted_on_the_grid)
{
    struct schedule s =
        parsed("{\"start\":\"2026-03-09T02:00:00Z\",\"recurrence\":\"daily\",\"end\":{\"type\":"
               "\"occurrences\",\"occurrences\":30}}");
    assert_due(&s, 29, "2026-04-07T02:00:00.000Z");
    assert_due(&s, 30, "never");
    cr_assert_eq(schedule_after(&s, schedule_due(&s, 29)), 30);
}

Test(schedule, without_recurrence_it_fires_once)
{
    struct schedule s = parsed("{\"start\":\"2026-03-09T02:00:00+02:00\"}");
    assert_due(&s, 0, "2026-03-09T00:00:00.000Z");
    assert_due(&s, 1, "never");
    cr_assert_eq(schedule_after(&s, s.start_us - 1), 0);
    cr_assert_gt(schedule_after(&s, s.start_us), 0);
}

Test(schedule, ends_with_the_last_year_of_four_digits)
{
    struct schedule s = parsed("{\"start\":\"9999-11-30T00:00:00Z\",\"recurrence\":\"monthly\"}");
    assert_due(&s, 1, "9999-12-30T00:00:00.000Z");
    assert_due(&s, 2, "never");
    s = parsed("{\"start\":\"0000-02-29T00:00:00Z\",\"recurrence\":\"yearly\"}");
    assert_due(&s, 9999, "9999-02-28T00:00:00.000Z");
    assert_due(&s, 10000, "never");
}

Test(schedule, prints_what_it_was_given)
{
    static const char *const rows[] = {
        "{\"start\":\"2026-03-09T02:00:00+02:00\"}",
        "{\"start\":\"2026-03-09T02:00:00.5Z\",\"recurrence\":\"weekly\"}",
        "{\"start\":\"2026-03-09T02:00:00Z\",\"recurrence\":\"daily\",\"end\":{\"type\":\"occurrences\","
        "\"occurrences\":999}}",
        "{\"start\":\"2026-03-09T02:00:00Z\",\"recurrence\":\"yearly\",\"end\":{\"type\":\"date\",\"date\":"
        "\"2030-12-31\"}}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule s = parsed(rows[i]);
        struct text out = { 0 };
        schedule_print(&s, &out);
        cr_assert_str_eq(out.bytes, rows[i]);
        text_free(&out);
    }
}

Test(schedule, faults_are_named)
{
    assert_refused("[]", "schedule: expected an object, found array.");
    assert_refused("{}", "schedule.start: the member is required.");
    assert_refused("{\"start\":\"2026-02-30T00:00:00Z\"}",
                   "schedule.start: \"2026-02-30T00:00:00Z\" is not a time: there is no such day.");
    assert_refused("{\"start\":\"2026-03-09T02:00:00Z\",\"recurrence\":\"hourly\"}",
                   "schedule.recurrence: expected daily, weekly, monthly or yearly, found \"hourly\".");
    assert_refused(
        "{\"start\":\"2026-03-09T02:00:00Z\",\"recurrence\":\"daily\",\"end\":{\"type\":\"occurrences\","
        "\"occurrences\":0}}",
        "schedule.end.occurrences must be between 1 and 999.");
    assert_refused(
        "{\"start\":\"2026-03-09T02:00:00Z\",\"recurrence\":\"daily\",\"end\":{\"type\":\"occurrences\","
        "\"occurrences\":1000}}",
        "schedule.end.occurrences must be between 1 and 999.");
    assert_refused("{\"start\":\"2026-03-09T02:00:00Z\",\"recurrence\":\"daily\",\"end\":{\"type\":\"date\","
                   "\"date\":\"tomorrow\"}}",
                   "schedule.end.date: \"tomorrow\" is not a date such as 2026-03-02.");
    assert_refused("{\"start\":\"2026-03-09T02:00:00Z\",\"end\":{\"type\":\"date\",\"date\":\"2026-03-10\"}}",
                   "schedule.end: a schedule without recurrence has no end.");
    assert_refused(
        "{\"start\":\"2026-03-09T02:00:00Z\",\"recurrence\":\"daily\",\"end\":{\"type\":\"never\"}}",
        "schedule.end.type: expected date or occurrences, found \"never\".");
}
