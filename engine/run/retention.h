/* Retention: finished jobs go after job_retention_days, one by one; so does what is left of jobs that were deleted. Part of the
 * core, on its thread. A job disappears in one transaction, its rows in slices after it, that ride along with commits.
 */
#ifndef RETENTION_H
#define RETENTION_H

#include <stdbool.h>
#include <stdint.h>
#include <tranche/err.h>

struct core;

struct retention {
    int64_t look_at_us; /* mono; when to look for something to remove */
    bool due;           /* the next transaction looks */
    bool found;         /* it found something: there may be more */
};

void retention_look_soon(struct core *core);  /* a job may have been deleted */
void retention_advance(struct core *core);
enum tranche_code retention_write(struct core *core, struct tranche_err *err); /* inside a transaction */
void retention_settled(struct core *core);    /* it is durable */
int64_t retention_wake(const struct core *core);

#endif
