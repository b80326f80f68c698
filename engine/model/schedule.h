/* When a schedule fires (api-contract.md 6.7): pure arithmetic over occurrences counted from 0, all in UTC.
 *
 * Occurrence n is n days, weeks, months or years behind the start, and always computed from the start: 31
 * January is followed by 28 February and 31 March. An occurrence is a moment of the grid, whether it was run
 * or not, so a schedule of 30 occurrences ends where it would have ended had all of them been run.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "json.h"

#include <tranche/err.h>

#define SCHEDULE_OCCURRENCES_MAX 999
#define SCHEDULE_START_BYTES     48 /* of a start as it was given: offset and nine digits of a fraction fit */
#define SCHEDULE_NEVER           INT64_MAX /* as a time: not at all */

enum schedule_recurrence {
    SCHEDULE_ONCE,
    SCHEDULE_DAILY,
    SCHEDULE_WEEKLY,
    SCHEDULE_MONTHLY,
    SCHEDULE_YEARLY
};

struct schedule {
    char start[SCHEDULE_START_BYTES]; /* as the client wrote it */
    int64_t start_us;
    enum schedule_recurrence recurrence;
    int64_t end_us;       /* no occurrence at or after this; SCHEDULE_NEVER: it does not end by date */
    uint32_t occurrences; /* 1..SCHEDULE_OCCURRENCES_MAX; 0: it does not end by their number */
};

/* Reads the member `schedule`, NULL when absent. TRANCHE_INVALID with a whole sentence that begins with the
 * member. */
enum tranche_code schedule_parse(const struct json *value, struct schedule *out, struct tranche_err *err);
/* The same back, as an object. An end by date is printed as a date. */
void schedule_print(const struct schedule *schedule, struct text *out);
bool schedule_equal(const struct schedule *a, const struct schedule *b); /* they fire at the same moments */

/* When an occurrence is due; SCHEDULE_NEVER: the schedule has ended before it. */
int64_t schedule_due(const struct schedule *schedule, uint32_t occurrence);

/* The first occurrence that is due later than `us`. It may be one that never comes. */
uint32_t schedule_after(const struct schedule *schedule, int64_t us);

#endif
