#include "schedule_body.h"

#include "body_text.h"
#include "fail.h"
#include "schedule.h"
#include "when.h"

#include <stdlib.h>
#include <string.h>

/* A recurring schedule does not make up for what was due before it was there. So its first run must still be
 * ahead when the server has read it, counted a large group, and has a clock that is not quite ours. */
#define NOW_AHEAD_US (5 * 1000000)

static enum tranche_code print_start(const struct schedule_words *words, int64_t now_us, struct text *out,
                                     struct tranche_err *err)
{
    int64_t us;
    char now[WHEN_TEXT_BYTES];
    bool recurs = words->every != NULL && words->every[0] != '\0';
    if (words->start == NULL)
        return TRANCHE_OK;
    if (strcmp(words->start, "now") == 0) {
        when_rfc3339(recurs ? now_us + NOW_AHEAD_US : now_us, now);
        body_add_string(out, "start", now);
        return TRANCHE_OK;
    }
    if (when_parse(words->start, &us, NULL) != TRANCHE_OK)
        return fail(err, TRANCHE_INVALID,
                    "--start: expected now or a time such as 2026-03-02T09:20:00Z, got \"%s\"", words->start);
    body_add_string(out, "start", words->start);
    return TRANCHE_OK;
}

static enum tranche_code print_recurrence(const char *every, struct text *out, struct tranche_err *err)
{
    static const struct {
        const char *typed, *sent;
    } words[] = {
        { "day", "daily" }, { "week", "weekly" }, { "month", "monthly" }, { "year", "yearly" }, { "", "" }
    };
    if (every == NULL)
        return TRANCHE_OK;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(every, words[i].typed) == 0) {
            body_add_string(out, "recurrence", words[i].sent);
            return TRANCHE_OK;
        }
    return fail(err, TRANCHE_INVALID, "--every: expected day, week, month or year, got \"%s\"", every);
}

static enum tranche_code print_until(const char *until, struct text *out, struct tranche_err *err)
{
    int64_t us;
    if (when_parse_date(until, &us, NULL) != TRANCHE_OK)
        return fail(err, TRANCHE_INVALID, "--until: expected a day such as 2026-12-31, got \"%s\"", until);
    text_puts(out, "{\"type\":\"date\"");
    body_add_string(out, "date", until);
    text_puts(out, "}");
    return TRANCHE_OK;
}

static enum tranche_code print_times(const char *times, struct text *out, struct tranche_err *err)
{
    char *end;
    unsigned long count = strtoul(times, &end, 10);
    if (times[0] < '0' || times[0] > '9' || *end != '\0' || count < 1 || count > SCHEDULE_OCCURRENCES_MAX)
        return fail(err, TRANCHE_INVALID, "--times: expected a number from 1 to %d, got \"%s\"",
                    SCHEDULE_OCCURRENCES_MAX, times);
    text_printf(out, "{\"type\":\"occurrences\",\"occurrences\":%lu}", count);
    return TRANCHE_OK;
}

/* A schedule that no longer recurs has no end either. */
static enum tranche_code print_end(const struct schedule_words *words, struct text *out,
                                   struct tranche_err *err)
{
    const char *named = words->until != NULL ? words->until : words->times;
    bool gone = words->every != NULL && words->every[0] == '\0';
    if (words->until != NULL && words->times != NULL)
        return fail(err, TRANCHE_INVALID, "a schedule ends either by --until or by --times");
    if (named == NULL && !gone)
        return TRANCHE_OK;
    body_add_name(out, "end");
    if (named == NULL || named[0] == '\0')
        text_puts(out, "null");
    else
        return words->until != NULL ? print_until(named, out, err) : print_times(named, out, err);
    return TRANCHE_OK;
}

enum tranche_code schedule_body_print(const struct schedule_words *words, int64_t now_us, struct text *out,
                                      struct tranche_err *err)
{
    if (words->start == NULL && words->every == NULL && words->until == NULL && words->times == NULL)
        return TRANCHE_OK;
    body_add_name(out, "schedule");
    text_puts(out, "{");
    enum tranche_code code = print_start(words, now_us, out, err);
    if (code == TRANCHE_OK)
        code = print_recurrence(words->every, out, err);
    if (code == TRANCHE_OK)
        code = print_end(words, out, err);
    text_puts(out, "}");
    return code;
}
