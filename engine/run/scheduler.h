/* The scheduler: fires schedules (api-contract.md 6.7). Part of the core, on its thread.
 *
 * The store knows which schedules are due; nothing is kept in memory but when the next one is. An occurrence
 * is settled in one transaction: the job that it makes, if it makes one, and how far the schedule then is. So
 * each is settled exactly once, whatever crashes, and a clock that steps back finds it settled.
 *
 * What is due is settled up to now in one go: at most one job is made, whose number counts the schedule's
 * jobs from 1. An occurrence makes none while the schedule is disabled; nor, by policy, when it was missed,
 * which means that it comes later than schedule_late_s. While the instance before it still runs, one
 * occurrence is queued and made when that has ended; further ones are skipped and logged.
 */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include "schedule.h"

#include <tranche/store.h>

struct core;

/* A schedule that is new (zeroed), or gets a rule that fires at other moments, begins with the first
 * occurrence that is due later than now; one without recurrence fires even though its start is past. With an
 * equal rule it stays where it is. */
enum tranche_code scheduler_begin(struct tranche_schedule_record *schedule, const struct schedule *rule,
                                  int64_t now_us, struct tranche_err *err);

/* An occurrence that was settled, to be written with the next commit. */
struct settled {
    struct tranche_schedule_record schedule; /* without its strings */
    struct tranche_audit_record audit;       /* of the job that it made; without an operation: none */
    struct settled *next;
};

struct scheduler {
    int64_t due_us;     /* when the next occurrence is due, by the calendar; 0: never */
    bool queued;        /* some schedule has one queued */
    bool look;          /* these two may have changed */
    bool ended;         /* a job has ended, which may let a queued one go */
    int64_t look_at_us; /* mono; not before */
    struct settled *settled;
};

void scheduler_advance(struct core *core); /* settles what is due */
enum tranche_code scheduler_write(struct core *core,
                                  struct tranche_err *err); /* inside a transaction, behind the jobs */
void scheduler_settled(struct core *core);                  /* the transaction is durable */
int64_t scheduler_wake(const struct core *core); /* on the clock that never steps; INT64_MAX: not by itself */
void scheduler_free(struct core *core);

#endif
