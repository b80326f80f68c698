/* Shared by the files that make up the core: core.c (tick, commit rule), orders.c (commands), life.c (a job's life),
 * issue.c (which devices next), write.c (the transaction), members.c (freezing, recounts), fold.c (values into the
 * registry), scheduler.c, retention.c, recovery.c. */
#ifndef CORE_INTERNAL_H
#define CORE_INTERNAL_H

#include "busy.h"
#include "core.h"
#include "fold.h"
#include "job.h"
#include "retention.h"
#include "scheduler.h"

#define JOBS_WAITING_MAX     10000   /* pending jobs kept in memory, about 3 KB each; a further one is refused */
#define COMMAND_PATIENCE_US  5000000 /* a command whose commit keeps failing is answered 503 after this long */
#define RESULT_WAIT_US       10000   /* a result waits no longer for its commit */
#define COMMAND_WAIT_US      2000    /* a command, or a batch's end, waits for company no longer than this */
#define CHUNK_ROWS_A_COMMIT  64      /* chunk rows of a freeze in one transaction: well under 5 ms */
#define CALLS_MAX            64     /* to single devices at once; a further one is refused */
#define STORE_RETRY_US       100000  /* first pause after a failed transaction; doubles up to the next */
#define STORE_RETRY_US_MAX   2000000
#define STORE_BUSY_RETRY_US 1000    /* the store's lock is held by another: try again */
#define STORE_BUSY_US_MAX   1000000 /* held for longer it is trouble */
#define LOCAL_PAUSE_US       50000   /* first pause after local trouble (descriptors, memory); doubles up to the next */
#define LOCAL_PAUSE_US_MAX   2000000
#define RATE_SPAN_US         100000  /* over which a job's pace is measured */
#define REGISTRY_WINDOW      512     /* devices of a job without calls in one transaction: about 5 ms */

struct chunk_row {
    struct job *job;
    uint32_t chunk, batch, count;
    uint32_t devices[TRANCHE_CHUNK];
};

enum core_store_state {
    STORE_READY,
    STORE_COMMITTING, /* started, not ended */
    STORE_UNSURE,     /* ended, nobody knows how: recover first */
};

struct core {
    /* fixed */
    struct config config;
    struct tranche_store *store;
    struct world *world;
    const struct tranche_connector *connector;
    const void *connector_state;

    /* time: `now_us` is the calendar's, made strictly increasing, and stamps records; `mono_us` measures */
    int64_t now_us, mono_us;
    int64_t calendar_us;      /* as the clock says it, back and forth: schedules go by it */

    /* jobs by number, oldest first */
    struct job *jobs;
    uint64_t ticket_last;
    uint32_t turn;            /* whose turn it is to issue first */
    struct busy busy;
    uint32_t *worker_tasks;   /* tasks each worker holds */
    uint32_t tasks_out;       /* with workers */
    uint32_t tasks_promised;  /* to be given after the next commit */
    bool recovering, draining;

    /* commands */
    struct command *orders, **orders_last;   /* came in, not yet carried out */
    struct command *writes, **writes_last;   /* registry writes that are not finished */
    struct command *answers, **answers_last; /* carried out, to be answered after the commit */
    struct command *calls, **calls_last;     /* wait for the end of the job that they made */
    int64_t orders_since_us;                 /* mono; of the oldest unanswered one; 0: none */

    /* the commit */
    enum core_store_state store_state;
    int64_t commit_number;    /* of the last transaction that was begun */
    int64_t commit_begun_us, commit_ended_us; /* mono */
    int64_t commit_cost_us;   /* smoothed */
    int64_t result_since_us;  /* mono; of the oldest result that is not durable; 0: none */
    bool hurry;               /* a batch or a job has ended: commit soon */
    int64_t hurry_since_us;
    struct chunk_row *chunk_rows;
    uint32_t chunk_row_count;
    struct fold fold;
    struct scheduler scheduler;
    struct retention retention;
    struct task **sorted;     /* room to sort a commit's results */
    uint32_t sorted_capacity;

    /* trouble */
    struct tranche_err store_trouble; /* code TRANCHE_OK: none */
    int64_t store_retry_at_us, store_retry_us;
    int64_t busy_since_us;    /* mono; begin has answered busy since then; 0: it has not */
    int64_t local_pause_until_us, local_pause_us;

    struct core_counters counters;
};

/* life.c: a job's states, counts, batches */
void life_apply(struct core *core, struct job *job, struct task *task); /* a task came back: count, strike, test */
void life_count(struct core *core, struct job *job, struct task *task); /* the outcome only: no intent involved */
void life_advance(struct core *core, struct job *job);                  /* moves on what can move on */
enum tranche_code life_plan(struct core *core, struct job *job, struct tranche_err *err); /* compiles its plan */
void life_admit(struct core *core);                                     /* queued jobs that fit */
void life_stop(struct core *core, struct job *job);
void life_resume(struct core *core, struct job *job);
void life_hold(struct core *core, struct job *job, const char *reason);
void life_fail(struct core *core, struct job *job, const char *reason);
void life_begin_running(struct core *core, struct job *job);            /* frozen and counted */
struct job *life_add(struct core *core, struct tranche_job_record *record); /* takes the record; NULL: out of memory */
void life_remove_ended(struct core *core);                              /* after a commit */
void life_remove(struct core *core, struct job *job);                   /* leaves memory; nothing of it is underway */
struct job *life_find(struct core *core, const char *id); /* NULL: not in memory */
struct job *life_numbered(const struct core *core, int64_t no); /* likewise */
bool life_is_live(const struct job *job);                               /* running, stopping or cancelling */

/* members.c */
void members_ask(struct core *core, struct job *job);
void members_hear(struct core *core);
void members_cut(struct core *core, struct job *job); /* the reply at hand into chunk rows, as many as fit */
void members_forget(struct core *core, struct job *job);
void members_throw_away(struct core *core); /* all that the reader says, so that it comes to an end; asked anew later */

/* orders.c */
void orders_carry_out(struct core *core);
void orders_answer(struct core *core);   /* after a commit */
void orders_give_up(struct core *core);  /* those that waited too long for a store that fails */
void orders_refuse(struct core *core);   /* all that came in and cannot be carried out now */
void orders_add(struct command ***last, struct command *command);
void orders_hear(struct core *core);     /* calls whose job has ended are to be answered */

/* issue.c */
bool issue_wanted(const struct core *core, const struct job *job); /* it could use devices and has some */
uint32_t issue_target(const struct core *core, const struct job *job);
uint32_t issue_low_mark(const struct core *core, const struct job *job);
enum tranche_code issue_devices(struct core *core, struct tranche_err *err); /* inside a transaction */

/* write.c */
enum tranche_code write_everything(struct core *core, struct tranche_err *err); /* inside a transaction */
uint32_t write_chunk_rows_ready(const struct core *core);                       /* complete rows of a freeze */
void write_settled(struct core *core);                                          /* it is durable */

static inline bool core_may_issue(const struct core *core)
{
    return !core->draining && !core->recovering && core->mono_us >= core->local_pause_until_us;
}

static inline void core_hurry(struct core *core)
{
    if (core->hurry)
        return;
    core->hurry = true;
    core->hurry_since_us = core->mono_us;
}

#endif
