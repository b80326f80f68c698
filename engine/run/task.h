/* What passes between the deciding thread and the workers: tasks, and the plan that many tasks share.
 *
 * A task is one attempt at one step for one device. It is written by the engine, given away to a worker, filled with an
 * outcome, and given back; whoever holds it may touch it, nobody else. A plan is immutable while any task points at it,
 * apart from its gate, which only the engine raises.
 */
#ifndef TASK_H
#define TASK_H

#include "definition.h"
#include "fanout.h"

#include <tranche/connector.h>

/* A worker's tasks of one job that it has not begun, first in first out, and those it has. */
struct lane {
    struct task *first, *last;
    uint32_t in_flight;
    uint32_t cap;               /* this worker's share of the job's calls at once; fixed with the plan */
    const struct plan *plan;
    struct lane *next;          /* in the worker's circle of lanes with something to do */
};

struct plan {
    char job[TRANCHE_ID_BYTES];
    const struct tranche_connector *connector;
    const void *connector_state;
    struct definition definition;
    uint16_t step_count;        /* steps of a device; a merged write is one */
    bool in_registry;           /* no call is made: cloud properties and migrations */
    size_t text_bytes;          /* room in which any of its requests can be worded */
    uint32_t timeout_ms;        /* of one call */
    uint32_t idle_max_ms;
    uint32_t in_flight;         /* calls at the gateway at once, over all workers */
    struct fanout_gate gate;    /* the halt epoch: raised the moment a stop or a trip is decided */
    struct lane lanes[];        /* one a worker, touched by that worker alone */
};

/* Takes back every task of the plan that was not sent yet. */
static inline void plan_halt(struct plan *plan)
{
    /* Release: a worker that sees the new epoch also sees whatever was decided before it. */
    __atomic_store_n(&plan->gate.epoch, plan->gate.epoch + 1, __ATOMIC_RELEASE);
}

#define PLAN_TEXT_BYTES 16384 /* for a request's URL and headers; names and values of the steps come on top */
#define TASK_ANSWER_BYTES 1024 /* answer_kept_bytes at most */

struct task {
    /* the engine's, before giving */
    const struct plan *plan;
    uint32_t epoch;             /* of the plan's gate when the task was decided */
    uint32_t ordinal;
    uint32_t device_no;
    uint16_t step;
    uint16_t attempt;
    uint32_t answer_kept_bytes; /* room the engine grants below */
    char device[TRANCHE_DEVICE_BYTES];

    /* the worker's, before giving back */
    struct tranche_outcome outcome;
    uint32_t answer_bytes;
    char answer[TASK_ANSWER_BYTES];

    /* the engine's alone */
    struct job *job;
    struct open_intent *intent; /* NULL: in none (a device that needs no call) */
    uint32_t intent_bit;
    uint32_t worker;
    bool has_result;            /* the outcome is a row to be stored; else the device only came back */
    bool final;                 /* the device's last word in this job */
    enum tranche_device_state state;
    int64_t at_us;
    struct task *next;
};

#endif
