/* Points in time: microseconds since 1970 UTC, and RFC 3339 texts. */
#ifndef WHEN_H
#define WHEN_H

#include <stdbool.h>
#include <stdint.h>
#include <tranche/err.h>

#define WHEN_TEXT_BYTES 32

int64_t when_now_us(void); /* the calendar's clock; may step */

/* Print a time; one outside the years 0000 to 9999 is shown as the nearest that four digits can write. */
void when_rfc3339(int64_t us, char text[WHEN_TEXT_BYTES]); /* "2026-03-02T09:20:00.120Z", milliseconds */
void when_rfc1123(int64_t us, char text[WHEN_TEXT_BYTES]); /* "Mon, 02 Mar 2026 09:15:04 GMT" */

/* Strict RFC 3339 date-time with any offset, T and Z in either case, up to 9 fractional digits (cut to microseconds). A
 * leap second (":60") is refused: our time scale has no place for it. TRANCHE_INVALID otherwise. */
enum tranche_code when_parse(const char *text, int64_t *us, struct tranche_err *err);

/* A calendar day, "2026-03-02", as its first moment in UTC. TRANCHE_INVALID otherwise. */
enum tranche_code when_parse_date(const char *text, int64_t *us, struct tranche_err *err);
void when_date(int64_t us, char text[WHEN_TEXT_BYTES]); /* the day in UTC that a time is in */

/* The same day and time of day so many months later; a day that the month lacks becomes its last. `us` must be of the years
 * 0000 to 9999, and so must the sum: false otherwise. */
bool when_add_months(int64_t us, uint32_t months, int64_t *sum);

/* "90d", "12h", "30m", "45s", "2w" as a length of time, at most 1,000 years. TRANCHE_INVALID otherwise. */
enum tranche_code when_parse_length(const char *text, int64_t *us, struct tranche_err *err);

#endif
