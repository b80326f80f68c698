/* From what was typed about when a job runs to the member `schedule` of its JSON. Pure. */
#ifndef SCHEDULE_BODY_H
#define SCHEDULE_BODY_H

#include "mem.h"

#include <stdint.h>
#include <tranche/err.h>

/* What the flags said; NULL where they said nothing, "" where something is to go. */
struct schedule_words {
    const char *start, *every, *until, *times;
};

/* Adds the members that were named to an object that was begun with "{"; nothing where none was.
 * TRANCHE_INVALID names the flag. */
enum tranche_code schedule_body_print(const struct schedule_words *words, int64_t now_us, struct text *out,
                                      struct tranche_err *err);

#endif
