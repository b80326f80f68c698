#include "schedule.h"

#include "fail.h"
#include "mem.h"
#include "when.h"

#include <stdio.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * 1000000)

/* More occurrences than any schedule has: its years end with 9999, which is fewer than 3.7 million days. */
#define OCCURRENCES_ENOUGH (UINT32_C(1) << 22)

static const char *const recurrence_words[] = {
    [SCHEDULE_DAILY] = "daily",
    [SCHEDULE_WEEKLY] = "weekly",
    [SCHEDULE_MONTHLY] = "monthly",
    [SCHEDULE_YEARLY] = "yearly",
};
#define RECURRENCE_COUNT (sizeof recurrence_words / sizeof recurrence_words[0])

/* ---- arithmetic ---- */

static int64_t grid(const struct schedule *schedule, uint32_t occurrence)
{
    int64_t us = SCHEDULE_NEVER;
    switch (schedule->recurrence) {
    case SCHEDULE_ONCE:
        return occurrence == 0 ? schedule->start_us : SCHEDULE_NEVER;
    case SCHEDULE_DAILY:
        return schedule->start_us + occurrence * DAY_US;
    case SCHEDULE_WEEKLY:
        return schedule->start_us + occurrence * 7 * DAY_US;
    case SCHEDULE_MONTHLY:
        return when_add_months(schedule->start_us, occurrence, &us) ? us : SCHEDULE_NEVER;
    case SCHEDULE_YEARLY:
        return when_add_months(schedule->start_us, occurrence * 12, &us) ? us : SCHEDULE_NEVER;
    }
    return SCHEDULE_NEVER;
}

int64_t schedule_due(const struct schedule *schedule, uint32_t occurrence)
{
    if (schedule->occurrences != 0 && occurrence >= schedule->occurrences)
        return SCHEDULE_NEVER;
    if (occurrence >= OCCURRENCES_ENOUGH)
        return SCHEDULE_NEVER;
    int64_t us = grid(schedule, occurrence);
    return us < schedule->end_us ? us : SCHEDULE_NEVER;
}

uint32_t schedule_after(const struct schedule *schedule, int64_t us)
{
    uint32_t low = 0, high = OCCURRENCES_ENOUGH; /* the answer lies in between; the last is never due */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (schedule_due(schedule, middle) > us)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool schedule_equal(const struct schedule *a, const struct schedule *b)
{
    return a->start_us == b->start_us && a->recurrence == b->recurrence && a->end_us == b->end_us &&
           a->occurrences == b->occurrences;
}

/* ---- reading ---- */

static enum tranche_code expected(struct tranche_err *err, const char *path, const char *what,
                                  const struct json *found)
{
    if (json_type(found) == JSON_NONE || json_type(found) == JSON_NULL)
        return fail(err, TRANCHE_INVALID, "%s: the member is required.", path);
    return fail(err, TRANCHE_INVALID, "%s: expected %s, found %s.", path, what,
                json_type_name(json_type(found)));
}

static enum tranche_code read_start(const struct json *value, struct schedule *out, struct tranche_err *err)
{
    const char *text = json_string(value);
    struct tranche_err cause;
    if (text == NULL)
        return expected(err, "schedule.start", "a string", value);
    if (strlen(text) >= sizeof out->start)
        return fail(err, TRANCHE_INVALID,
                    "schedule.start: \"%.40s...\" is not a time such as 2026-03-02T09:20:00Z.", text);
    if (when_parse(text, &out->start_us, &cause) != TRANCHE_OK)
        return fail(err, TRANCHE_INVALID, "schedule.start: %s.", cause.text);
    strcpy(out->start, text);
    return TRANCHE_OK;
}

static enum tranche_code read_recurrence(const struct json *value, struct schedule *out,
                                         struct tranche_err *err)
{
    if (json_type(value) == JSON_NONE || json_type(value) == JSON_NULL)
        return TRANCHE_OK;
    const char *word = json_string(value);
    if (word == NULL)
        return expected(err, "schedule.recurrence", "a string", value);
    for (size_t i = SCHEDULE_DAILY; i < RECURRENCE_COUNT; i++)
        if (strcmp(word, recurrence_words[i]) == 0) {
            out->recurrence = (enum schedule_recurrence)i;
            return TRANCHE_OK;
        }
    return fail(err, TRANCHE_INVALID,
                "schedule.recurrence: expected daily, weekly, monthly or yearly, found \"%.40s\".", word);
}

/* A date, or a time of that day; inclusive to the end of the day. */
static enum tranche_code read_end_date(const struct json *value, struct schedule *out,
                                       struct tranche_err *err)
{
    const char *text = json_string(value);
    struct tranche_err cause;
    int64_t us;
    if (text == NULL)
        return expected(err, "schedule.end.date", "a string", value);
    if (strchr(text, 'T') != NULL && when_parse(text, &us, &cause) == TRANCHE_OK) {
        char day[WHEN_TEXT_BYTES];
        when_date(us, day);
        when_parse_date(day, &us, NULL);
    } else if (when_parse_date(text, &us, &cause) != TRANCHE_OK) {
        return fail(err, TRANCHE_INVALID, "schedule.end.date: %s.", cause.text);
    }
    out->end_us = us + DAY_US;
    return TRANCHE_OK;
}

static enum tranche_code read_end_occurrences(const struct json *value, struct schedule *out,
                                              struct tranche_err *err)
{
    int64_t count;
    if (json_type(value) != JSON_NUMBER)
        return expected(err, "schedule.end.occurrences", "a number", value);
    if (!json_integer(value, &count) || count < 1 || count > SCHEDULE_OCCURRENCES_MAX)
        return fail(err, TRANCHE_INVALID, "schedule.end.occurrences must be between 1 and %d.",
                    SCHEDULE_OCCURRENCES_MAX);
    out->occurrences = (uint32_t)count;
    return TRANCHE_OK;
}

static enum tranche_code read_end(const struct json *value, struct schedule *out, struct tranche_err *err)
{
    if (json_type(value) == JSON_NONE || json_type(value) == JSON_NULL)
        return TRANCHE_OK;
    if (json_type(value) != JSON_OBJECT)
        return expected(err, "schedule.end", "an object", value);
    if (out->recurrence == SCHEDULE_ONCE)
        return fail(err, TRANCHE_INVALID, "schedule.end: a schedule without recurrence has no end.");
    const struct json *type = json_member(value, "type");
    const char *word = json_string(type);
    if (word == NULL)
        return expected(err, "schedule.end.type", "a string", type);
    if (strcmp(word, "date") == 0)
        return read_end_date(json_member(value, "date"), out, err);
    if (strcmp(word, "occurrences") == 0)
        return read_end_occurrences(json_member(value, "occurrences"), out, err);
    return fail(err, TRANCHE_INVALID, "schedule.end.type: expected date or occurrences, found \"%.40s\".",
                word);
}

enum tranche_code schedule_parse(const struct json *value, struct schedule *out, struct tranche_err *err)
{
    *out = (struct schedule){ .end_us = SCHEDULE_NEVER };
    if (json_type(value) != JSON_OBJECT)
        return expected(err, "schedule", "an object", value);
    enum tranche_code code = read_start(json_member(value, "start"), out, err);
    if (code == TRANCHE_OK)
        code = read_recurrence(json_member(value, "recurrence"), out, err);
    return code == TRANCHE_OK ? read_end(json_member(value, "end"), out, err) : code;
}

/* ---- printing ---- */

void schedule_print(const struct schedule *schedule, struct text *out)
{
    text_puts(out, "{\"start\":");
    text_json(out, schedule->start);
    if (schedule->recurrence != SCHEDULE_ONCE)
        text_printf(out, ",\"recurrence\":\"%s\"", recurrence_words[schedule->recurrence]);
    if (schedule->occurrences != 0)
        text_printf(out, ",\"end\":{\"type\":\"occurrences\",\"occurrences\":%u}", schedule->occurrences);
    if (schedule->end_us != SCHEDULE_NEVER) {
        char day[WHEN_TEXT_BYTES];
        when_date(schedule->end_us - DAY_US, day);
        text_printf(out, ",\"end\":{\"type\":\"date\",\"date\":\"%s\"}", day);
    }
    text_puts(out, "}");
}
