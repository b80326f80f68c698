#include "when.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)

/* The C library's calendar is the oracle. */
static int64_t oracle_us(int year, int month, int day, int hour, int minute, int second)
{
    struct tm tm = { .tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = hour,
                     .tm_min = minute,
                     .tm_sec = second };
    return (int64_t)timegm(&tm) * SECOND;
}

static void oracle_text(int64_t us, const char *format, char text[64])
{
    time_t seconds = (time_t)(us / SECOND - (us % SECOND < 0));
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(text, 64, format, &tm);
}

static int64_t parsed(const char *text)
{
    struct tranche_err err = { 0 };
    int64_t us = INT64_MIN;
    cr_assert_eq(when_parse(text, &us, &err), TRANCHE_OK, "%s: %s", text, err.text);
    return us;
}

static void check_both_ways(int64_t us)
{
    char text[WHEN_TEXT_BYTES], expected[64], millis[8];

    when_rfc3339(us, text);
    oracle_text(us, "%Y-%m-%dT%H:%M:%S", expected);
    snprintf(millis, sizeof millis, ".%03dZ", (int)(((us % SECOND) + SECOND) % SECOND / 1000));
    strcat(expected, millis);
    /* strftime does not pad years below 1000 */
    cr_assert_str_eq(text + (strlen(text) - strlen(expected)), expected, "%" PRId64, us);
    cr_assert_eq(strlen(text), strlen("2026-03-02T09:20:00.120Z"));
    cr_assert_eq(parsed(text), us - ((us % 1000) + 1000) % 1000, "%s", text);

    when_rfc1123(us, text);
    oracle_text(us, "%a, %d %b ", expected);
    cr_assert_eq(strncmp(text, expected, strlen(expected)), 0, "%s, expected %s...", text, expected);
    oracle_text(us, " %H:%M:%S GMT", expected);
    cr_assert_str_eq(text + strlen("Mon, 02 Mar 2026"), expected);
}

Test(when, the_contracts_examples)
{
    char text[WHEN_TEXT_BYTES];

    when_rfc3339(oracle_us(2026, 3, 2, 9, 20, 0) + 120999, text);
    cr_assert_str_eq(text, "2026-03-02T09:20:00.120Z");
    when_rfc1123(oracle_us(2026, 3, 2, 9, 15, 4) + 999999, text);
    cr_assert_str_eq(text, "Mon, 02 Mar 2026 09:15:04 GMT");
    cr_assert_eq(parsed("2022-10-24T22:29:01Z"), oracle_us(2022, 10, 24, 22, 29, 1));
    cr_assert_eq(parsed("2022-09-01T03:00:00.000Z"), oracle_us(2022, 9, 1, 3, 0, 0));
    cr_assert_eq(parsed("2021-06-15T05:00:00.000Z"), oracle_us(2021, 6, 15, 5, 0, 0));
}

/* The calendar repeats after 400 years. */
Test(when, every_day_of_400_years)
{
    int64_t first = oracle_us(1801, 1, 1, 0, 0, 0), last = oracle_us(2200, 12, 31, 0, 0, 0);
    int64_t of_day = 0;
    for (int64_t day = first; day <= last; day += DAY) {
        time_t seconds = (time_t)(day / SECOND);
        struct tm tm;
        char text[WHEN_TEXT_BYTES];
        int64_t read = INT64_MIN;
        gmtime_r(&seconds, &tm);
        of_day = (of_day + 12345678000) % DAY; /* another time each day, in whole milliseconds */

        when_rfc3339(day + of_day, text);
        int date = (int)strtol(text, NULL, 10) * 10000 + (int)strtol(text + 5, NULL, 10) * 100 +
                   (int)strtol(text + 8, NULL, 10);
        int wanted = (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
        if (date != wanted || when_parse(text, &read, NULL) != TRANCHE_OK || read != day + of_day)
            cr_assert_fail("%s, expected %d; read as %" PRId64, text, wanted, read);
    }
}

Test(when, every_turn_of_the_year)
{
    for (int year = 1; year <= 9999; year++)
        for (int64_t step = -1; step <= 0; step++)
            check_both_ways(oracle_us(year, 1, 1, 0, 0, 0) + step);
}

Test(when, around_the_ends_of_months_and_years)
{
    static const int years[] = { 1,    4,    100,  400,  1599, 1600, 1700, 1899, 1900,
                                 1901, 1904, 1969, 1970, 1971, 1972, 1999, 2000, 2001,
                                 2024, 2026, 2028, 2037, 2038, 2039, 2100, 2400, 9999 };
    static const int64_t steps[] = { -DAY, -SECOND, -1000, -1, 0, 1, 999, 1000, SECOND, DAY };
    for (size_t y = 0; y < sizeof years / sizeof years[0]; y++)
        for (int month = 1; month <= 12; month++)
            for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++)
                check_both_ways(oracle_us(years[y], month, 1, 0, 0, 0) + steps[s]);
}

Test(when, random_times)
{
    uint64_t seed = 0x9E3779B97F4A7C15;
    int64_t first = oracle_us(0, 1, 1, 0, 0, 0), span = oracle_us(9999, 12, 31, 23, 59, 59) - first;
    for (int i = 0; i < 100000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        check_both_ways(first + (int64_t)(seed % (uint64_t)span));
    }
}

Test(when, what_four_digits_cannot_write_is_clamped)
{
    char text[WHEN_TEXT_BYTES];

    when_rfc3339(INT64_MIN, text);
    cr_assert_str_eq(text, "0000-01-01T00:00:00.000Z");
    when_rfc3339(INT64_MAX, text);
    cr_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
    when_rfc1123(INT64_MIN, text);
    cr_assert_str_eq(text, "Sat, 01 Jan 0000 00:00:00 GMT");
    when_rfc1123(INT64_MAX, text);
    cr_assert_str_eq(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

Test(when, offsets_fractions_and_letter_case)
{
    int64_t noon = oracle_us(2026, 3, 2, 12, 0, 0);
    static const struct {
        const char *text;
        int64_t from_noon_us;
    } cases[] = {
        { "2026-03-02T12:00:00Z", 0 },
        { "2026-03-02t12:00:00z", 0 },
        { "2026-03-02T12:00:00+00:00", 0 },
        { "2026-03-02T12:00:00-00:00", 0 },
        { "2026-03-02T14:00:00+02:00", 0 },
        { "2026-03-02T06:30:00-05:30", 0 },
        { "2026-03-03T11:59:00+23:59", 0 },
        { "2026-03-01T12:01:00-23:59", 0 },
        { "2026-03-02T12:00:00.5Z", 500000 },
        { "2026-03-02T12:00:00.000001Z", 1 },
        { "2026-03-02T12:00:00.0000009Z", 0 },
        { "2026-03-02T12:00:00.123456789Z", 123456 },
        { "2026-03-02T13:00:00.999999999+01:00", 999999 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(parsed(cases[i].text), noon + cases[i].from_noon_us, "%s", cases[i].text);
    cr_assert_eq(parsed("1969-12-31T23:59:59.9Z"), -100000);
    cr_assert_eq(parsed("0000-01-01T00:00:00Z"), oracle_us(0, 1, 1, 0, 0, 0));
    cr_assert_eq(parsed("9999-12-31T23:59:59.999999Z"), oracle_us(9999, 12, 31, 23, 59, 59) + 999999);
}

#define FORM   " is not a time such as 2026-03-02T09:20:00Z"
#define NO(is) " is not a time: there is no such " is
#define YEARS  " lies outside the years 0000 to 9999 of UTC"

Test(when, refusals)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", FORM },
        { "now", FORM },
        { "2026-03-02", FORM },
        { "2026-03-02T09:20Z", FORM },
        { "2026-03-02 09:20:00Z", FORM },
        { "2026-03-02T09:20:00", FORM },
        { "2026-03-02T09:20:00.Z", FORM },
        { "2026-03-02T09:20:00.0123456789Z", FORM },
        { "2026-03-02T09:20:00,5Z", FORM },
        { "2026-03-02T09:20:00Z ", FORM },
        { " 2026-03-02T09:20:00Z", FORM },
        { "2026-3-2T9:20:00Z", FORM },
        { "02026-03-02T09:20:00Z", FORM },
        { "-026-03-02T09:20:00Z", FORM },
        { "+026-03-02T09:20:00Z", FORM },
        { "20260302T092000Z", FORM },
        { "2026-03-02T09:20:00+0100", FORM },
        { "2026-03-02T09:20:00+01", FORM },
        { "2026-03-02T09:20:00+1:00", FORM },
        { "2026-03-02T09:20:00ZZ", FORM },
        { "2026-00-02T09:20:00Z", NO("month") },
        { "2026-13-02T09:20:00Z", NO("month") },
        { "2026-03-00T09:20:00Z", NO("day") },
        { "2026-03-32T09:20:00Z", NO("day") },
        { "2026-04-31T09:20:00Z", NO("day") },
        { "2026-02-29T09:20:00Z", NO("day") },
        { "1900-02-29T09:20:00Z", NO("day") },
        { "2026-03-02T24:00:00Z", NO("hour") },
        { "2026-03-02T09:60:00Z", NO("minute") },
        { "2016-12-31T23:59:60Z", NO("second") },
        { "2026-03-02T09:20:00+24:00", NO("offset") },
        { "2026-03-02T09:20:00-01:60", NO("offset") },
        { "0000-01-01T00:00:00+00:01", YEARS },
        { "9999-12-31T23:59:59-00:01", YEARS },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tranche_err err = { 0 };
        int64_t us = 4711;
        char expected[128];
        snprintf(expected, sizeof expected, "\"%s\"%s", cases[i].text, cases[i].why);

        cr_assert_eq(when_parse(cases[i].text, &us, &err), TRANCHE_INVALID, "%s", cases[i].text);
        cr_assert_str_eq(err.text, expected);
        cr_assert_eq(us, 4711);
    }
    cr_assert_eq(parsed("2000-02-29T00:00:00Z"), oracle_us(2000, 2, 29, 0, 0, 0));
    cr_assert_eq(parsed("2028-02-29T06:30:00.000Z"), oracle_us(2028, 2, 29, 6, 30, 0));
}

/* Every single byte of a good time replaced by every other: whatever is accepted prints as it was read. */
Test(when, one_wrong_byte)
{
    const char good[] = "2026-03-02T09:20:00.120Z";
    unsigned accepted = 0;
    for (size_t place = 0; place < strlen(good); place++)
        for (int byte = 1; byte < 256; byte++) {
            char text[sizeof good], printed[WHEN_TEXT_BYTES];
            int64_t us;
            memcpy(text, good, sizeof good);
            text[place] = (char)byte;
            if (when_parse(text, &us, NULL) != TRANCHE_OK)
                continue;
            accepted++;
            when_rfc3339(us, printed);
            text[10] = 'T';
            text[23] = 'Z';
            cr_assert_str_eq(printed, text);
        }
    /* year 4 x 10, month 1 + 9, day 3 + 9, hour 2 + 10, minute and second 6 + 10 each, fraction 3 x 10, T and
     * Z 2 each, and the five other marks only themselves */
    cr_assert_eq(accepted, 40 + 10 + 12 + 12 + 32 + 30 + 4 + 5);
}

Test(when, lengths)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        { "45s", 45 },
        { "30m", 1800 },
        { "12h", 43200 },
        { "90d", 7776000 },
        { "2w", 1209600 },
        { "0s", 0 },
        { "007d", 604800 },
        { "365250d", 31557600000 },
        { "52178w", 31557254400 },
        { "31557600000s", 31557600000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = -1;
        cr_assert_eq(when_parse_length(cases[i].text, &us, NULL), TRANCHE_OK, "%s", cases[i].text);
        cr_assert_eq(us, cases[i].seconds * SECOND, "%s", cases[i].text);
    }
}

Test(when, lengths_refused)
{
    static const char form[] = " is not a length of time such as 90d, 12h, 30m, 45s or 2w";
    static const char longer[] = " is longer than a thousand years";
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", form },
        { "d", form },
        { "90", form },
        { "90 d", form },
        { "90days", form },
        { "-1d", form },
        { "+1d", form },
        { " 1d", form },
        { "1.5h", form },
        { "1D", form },
        { "1y", form },
        { "1h30m", form },
        { "365251d", longer },
        { "52179w", longer },
        { "31557600001s", longer },
        { "99999999999999999999999999999999s", longer },
        { "18446744073709551617d", longer },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tranche_err err = { 0 };
        int64_t us = 4711;
        char expected[128];
        snprintf(expected, sizeof expected, "\"%s\"%s", cases[i].text, cases[i].why);

        cr_assert_eq(when_parse_length(cases[i].text, &us, &err), TRANCHE_INVALID, "%s", cases[i].text);
        cr_assert_str_eq(err.text, expected);
        cr_assert_eq(us, 4711);
    }
}

Test(when, now_is_the_calendars_now)
{
    int64_t before = (int64_t)time(NULL) * SECOND;
    int64_t now = when_now_us();
    int64_t after = ((int64_t)time(NULL) + 1) * SECOND;

    cr_assert_geq(now, before - SECOND); /* time() may read a coarser clock, a little behind */
    cr_assert_leq(now, after + SECOND);
}
