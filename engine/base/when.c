/* The Gregorian calendar in whole numbers, without the C library's time zones: no lock, no TZ, any thread. */
#include "when.h"

#include "fail.h"

#include <stdio.h>
#include <time.h>

#define SECOND_US   INT64_C(1000000)
#define DAY_SECONDS INT64_C(86400)

/* The years that four digits can write, as seconds: 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
#define SECONDS_MIN INT64_C(-62167219200)
#define SECONDS_MAX INT64_C(253402300799)

#define YEAR_MAX    9999

/* About a thousand years: added to any time of this era, the sum can still be written. */
#define LENGTH_DAYS_MAX INT64_C(365250)

struct civil {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
    int micro;
};

static const int days_before_month[2][13] = {
    { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 },
    { 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366 },
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    const int *before = days_before_month[is_leap(year)];
    return before[month] - before[month - 1];
}

/* Days from 1970-01-01 to the first of January of a year from 0 on. */
static int64_t year_days(int year)
{
    int past = year - 1;
    int leaps = past / 4 - past / 100 + past / 400;
    if (year == 0)
        leaps = -1; /* it is one itself, and lies before the year 1 where the counting begins */
    const int leaps_to_1970 = 477;
    return (int64_t)(year - 1970) * 365 + leaps - leaps_to_1970;
}

static int64_t civil_seconds(const struct civil *civil)
{
    int of_year = days_before_month[is_leap(civil->year)][civil->month - 1] + civil->day - 1;
    int64_t days = year_days(civil->year) + of_year;
    return days * DAY_SECONDS + civil->hour * 3600 + civil->minute * 60 + civil->second;
}

static int64_t divide_down(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

static struct civil civil_of(int64_t us)
{
    int64_t seconds = divide_down(us, SECOND_US);
    int64_t days = divide_down(seconds, DAY_SECONDS);
    int of_day = (int)(seconds - days * DAY_SECONDS);

    /* 400 years have 146,097 days; the estimate is one year off at most. */
    int year = 1970 + (int)divide_down(days * 400, 146097);
    if (year_days(year) > days)
        year--;
    else if (year_days(year + 1) <= days)
        year++;
    int of_year = (int)(days - year_days(year));
    const int *before = days_before_month[is_leap(year)];
    int month = 1;
    while (before[month] <= of_year)
        month++;

    return (struct civil){ .year = year,
                           .month = month,
                           .day = of_year - before[month - 1] + 1,
                           .hour = of_day / 3600,
                           .minute = of_day / 60 % 60,
                           .second = of_day % 60,
                           .micro = (int)(us - seconds * SECOND_US) };
}

static int64_t clamp(int64_t us)
{
    if (us < SECONDS_MIN * SECOND_US)
        return SECONDS_MIN * SECOND_US;
    if (us > SECONDS_MAX * SECOND_US + SECOND_US - 1)
        return SECONDS_MAX * SECOND_US + SECOND_US - 1;
    return us;
}

int64_t when_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

void when_rfc3339(int64_t us, char text[WHEN_TEXT_BYTES])
{
    struct civil c = civil_of(clamp(us));
    snprintf(text, WHEN_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour,
             c.minute, c.second, c.micro / 1000);
}

void when_rfc1123(int64_t us, char text[WHEN_TEXT_BYTES])
{
    static const char weekdays[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    us = clamp(us);
    struct civil c = civil_of(us);
    int64_t days = divide_down(us, DAY_SECONDS * SECOND_US) + 4; /* 1970-01-01 was a Thursday */
    int64_t weekday = days - divide_down(days, 7) * 7;
    snprintf(text, WHEN_TEXT_BYTES, "%s, %02d %s %04d %02d:%02d:%02d GMT", weekdays[weekday], c.day,
             months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool take_character(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    ++*at;
    return true;
}

static bool take_either(const char **at, char upper, char lower)
{
    return take_character(at, upper) || take_character(at, lower);
}

/* Exactly `count` digits. */
static bool take_digits(const char **at, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++, ++*at) {
        if (!is_digit(**at))
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool take_date(const char **at, struct civil *c)
{
    return take_digits(at, 4, &c->year) && take_character(at, '-') && take_digits(at, 2, &c->month) &&
           take_character(at, '-') && take_digits(at, 2, &c->day);
}

/* 1 to 9 digits; those behind the sixth are dropped. */
static bool take_fraction(const char **at, int *micro)
{
    int digits = 0;
    *micro = 0;
    for (; is_digit(**at) && digits < 9; digits++, ++*at)
        if (digits < 6)
            *micro = *micro * 10 + (**at - '0');
    for (int i = digits; i < 6; i++)
        *micro *= 10;
    return digits > 0;
}

static bool take_time(const char **at, struct civil *c)
{
    bool whole = take_digits(at, 2, &c->hour) && take_character(at, ':') && take_digits(at, 2, &c->minute) &&
                 take_character(at, ':') && take_digits(at, 2, &c->second);
    return whole && (!take_character(at, '.') || take_fraction(at, &c->micro));
}

struct offset {
    bool west;
    int hours, minutes;
};

static bool take_offset(const char **at, struct offset *offset)
{
    *offset = (struct offset){ 0 };
    if (take_either(at, 'Z', 'z'))
        return true;
    offset->west = **at == '-';
    return take_either(at, '+', '-') && take_digits(at, 2, &offset->hours) && take_character(at, ':') &&
           take_digits(at, 2, &offset->minutes);
}

/* The first part that no calendar or clock has, or NULL. */
static const char *find_impossible(const struct civil *c, const struct offset *offset)
{
    if (c->month < 1 || c->month > 12)
        return "month";
    if (c->day < 1 || c->day > days_in_month(c->year, c->month))
        return "day";
    if (c->hour > 23)
        return "hour";
    if (c->minute > 59)
        return "minute";
    if (c->second > 59)
        return "second";
    return offset->hours > 23 || offset->minutes > 59 ? "offset" : NULL;
}

enum tranche_code when_parse(const char *text, int64_t *us, struct tranche_err *err)
{
    const char *at = text;
    struct civil civil = { 0 };
    struct offset offset;
    if (!take_date(&at, &civil) || !take_either(&at, 'T', 't') || !take_time(&at, &civil) ||
        !take_offset(&at, &offset) || *at != '\0')
        return fail(err, TRANCHE_INVALID, "\"%.40s\" is not a time such as 2026-03-02T09:20:00Z", text);

    const char *impossible = find_impossible(&civil, &offset);
    if (impossible != NULL)
        return fail(err, TRANCHE_INVALID, "\"%.40s\" is not a time: there is no such %s", text, impossible);

    int east_seconds = (offset.hours * 60 + offset.minutes) * (offset.west ? -60 : 60);
    int64_t seconds = civil_seconds(&civil) - east_seconds;
    if (seconds < SECONDS_MIN || seconds > SECONDS_MAX)
        return fail(err, TRANCHE_INVALID, "\"%.40s\" lies outside the years 0000 to 9999 of UTC", text);
    *us = seconds * SECOND_US + civil.micro;
    return TRANCHE_OK;
}

enum tranche_code when_parse_date(const char *text, int64_t *us, struct tranche_err *err)
{
    const char *at = text;
    struct civil civil = { 0 };
    if (!take_date(&at, &civil) || *at != '\0')
        return fail(err, TRANCHE_INVALID, "\"%.40s\" is not a date such as 2026-03-02", text);
    const char *impossible = find_impossible(&civil, &(struct offset){ 0 });
    if (impossible != NULL)
        return fail(err, TRANCHE_INVALID, "\"%.40s\" is not a date: there is no such %s", text, impossible);
    *us = civil_seconds(&civil) * SECOND_US;
    return TRANCHE_OK;
}

void when_date(int64_t us, char text[WHEN_TEXT_BYTES])
{
    struct civil c = civil_of(clamp(us));
    snprintf(text, WHEN_TEXT_BYTES, "%04d-%02d-%02d", c.year, c.month, c.day);
}

bool when_add_months(int64_t us, uint32_t months, int64_t *sum)
{
    struct civil c = civil_of(us);
    int64_t month = (int64_t)c.year * 12 + c.month - 1 + months;
    if (month / 12 > YEAR_MAX)
        return false;
    c.year = (int)(month / 12);
    c.month = (int)(month % 12) + 1;
    if (c.day > days_in_month(c.year, c.month))
        c.day = days_in_month(c.year, c.month);
    *sum = civil_seconds(&c) * SECOND_US + c.micro;
    return true;
}

static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return DAY_SECONDS;
    case 'w':
        return 7 * DAY_SECONDS;
    default:
        return 0;
    }
}

enum tranche_code when_parse_length(const char *text, int64_t *us, struct tranche_err *err)
{
    const int64_t seconds_max = LENGTH_DAYS_MAX * DAY_SECONDS;
    const char *at = text;
    int64_t count = 0;
    for (; is_digit(*at); at++)
        if (count <= seconds_max) /* enough to know that it is too long */
            count = count * 10 + (*at - '0');

    int64_t unit = unit_seconds(*at);
    if (at == text || unit == 0 || at[1] != '\0')
        return fail(err, TRANCHE_INVALID,
                    "\"%.40s\" is not a length of time such as 90d, 12h, 30m, 45s or 2w", text);
    if (count > seconds_max / unit)
        return fail(err, TRANCHE_INVALID, "\"%.40s\" is longer than a thousand years", text);
    *us = count * unit * SECOND_US;
    return TRANCHE_OK;
}
