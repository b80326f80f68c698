/* A job in memory: its persistent record, and what the engine knows about its open devices.
 *
 * Only jobs that the engine has something to do with are in memory, and of those only the open devices: nothing here
 * grows with the number of devices. What differs from the store is marked; the next commit writes it (write.c), and only
 * a commit that ended well takes the mark away. So a failed commit is simply tried again.
 *
 * Where a device is: pending = ordinal >= record.next, or waiting, or in an open intent; else it has a final result. It
 * is never in two of these.
 */
#ifndef JOB_H
#define JOB_H

#include "task.h"
#include "world.h"

#include <tranche/job.h>

/* An intent row and which of its devices are still open. */
struct open_intent {
    struct tranche_intent_record record; /* as it was made: `live` says which ordinals still count */
    uint64_t live;                       /* bit i: record.ordinals[i] has no durable word yet */
    bool stored;                         /* the row exists */
    bool changed;                        /* the row differs from `live` */
    struct open_intent *next, **link;    /* `link` points at what points here */
};

/* An open device that waits: unsent, to be sent again after a crash, blocked by another job, or before its next step. */
struct waiting {
    struct tranche_retry_record record;
    uint32_t device_no; /* 0 until it was looked up */
    bool blocked;       /* until another job's call to the device has ended */
    bool stored;        /* the row exists */
    bool gone;          /* has left; the row, if stored, is dropped by the next commit */
};

enum job_phase {
    JOB_QUEUED,   /* waits for a place among the running jobs */
    JOB_FREEZING, /* the reader resolves its members */
    JOB_COUNTING, /* the reader counts its rows */
    JOB_READY     /* may be issued */
};

/* Members of one chunk, as read from the store. */
struct member_page {
    bool loaded;
    uint32_t chunk;
    uint32_t first;
    uint32_t count;
    uint32_t devices[TRANCHE_CHUNK];
};

struct job {
    struct tranche_job_record record;
    struct tranche_batch_record batch; /* the current one; valid once frozen */
    bool record_changed, batch_changed;
    bool new_row;        /* the job's row does not exist yet */
    bool freezes;        /* the membership was completed, but is not durable: nothing is sent yet */
    bool drop_chunks;    /* rows of an unfinished freeze are to be removed */
    bool recount_heals;  /* a person resumed it while it was held: the recount's numbers are taken over */

    enum job_phase phase;
    uint64_t ticket;     /* of the question that is open; 0: none */
    bool asked;          /* the reader has taken the question */
    uint64_t fold_round; /* the group's filter names properties: this round of folding comes first; 0: not known yet */
    bool ask_anew;       /* part of the answer was thrown away */

    struct plan *plan;   /* NULL until it is first admitted */
    uint32_t window;     /* durable intents without a durable outcome, at most */
    uint32_t open_max;   /* open and waiting devices, at most */

    /* freezing */
    struct reply *members;   /* being cut into chunk rows; NULL: none */
    uint32_t members_at;
    uint32_t frozen_count;   /* members whose chunk row is written or about to be */
    bool members_ended;

    struct member_page page;

    /* open devices */
    uint32_t open;           /* live bits of all intents */
    uint32_t at_workers;     /* tasks given and not yet back */
    struct open_intent *intents, *intents_spare;
    struct waiting *waiting;
    uint32_t waiting_count, waiting_capacity;
    uint32_t waiting_alive;  /* not gone */
    bool waiting_unsorted;

    /* tasks */
    struct task_block *blocks;
    struct task *spare;
    struct task *to_give, **to_give_last;   /* their intents go with the next commit */
    struct task *settling, **settling_last; /* back from a worker; their outcome goes with the next commit */
    uint32_t settling_count;

    /* pace, measured */
    double rate;             /* outcomes a second, lately */
    uint32_t rate_count;
    int64_t rate_since_us;

    struct job *next;        /* by number, oldest first */
};

/* A copy that owns its strings; what `to` owned is freed. On failure `to` is empty of them. */
enum tranche_code job_record_copy(const struct tranche_job_record *from, struct tranche_job_record *to,
                                  struct tranche_err *err);

/* Takes over the record and its strings. NULL: out of memory, the record is still the caller's. */
struct job *job_new(struct tranche_job_record *record);
void job_free(struct job *job); /* no task of it may be with a worker */

/* Tasks come from blocks that live as long as the job. NULL: out of memory. */
struct task *job_task(struct job *job);
void job_task_done(struct job *job, struct task *task);
void job_to_give(struct job *job, struct task *task);
void job_settle(struct job *job, struct task *task);

/* Puts a device into an intent of this step and attempt that is not stored yet, opening one if needed; the ordinals of one
 * row must come ascending. False: out of memory. */
bool job_intend(struct job *job, struct task *task);
/* The task's device leaves its intent. */
void job_strike(struct job *job, struct task *task);
void intent_free(struct job *job, struct open_intent *intent);

/* Room for the waiting of every device that is open now, and of `more`. False: out of memory. */
bool job_waiting_reserve(struct job *job, uint32_t more);
/* A device begins to wait; there is room. */
void job_wait(struct job *job, const struct tranche_retry_record *record, uint32_t device_no, bool blocked);
void job_waiting_leave(struct job *job, struct waiting *waiting);
void job_waiting_sort(struct job *job);    /* by ordinal */
void job_waiting_settle(struct job *job);  /* after a commit: forgets the gone, marks the rest as stored */

struct span job_batch_span(const struct job *job); /* ordinals of the current batch */
bool job_has_unissued(const struct job *job);      /* ordinals of the current batch that were never issued */

#endif
