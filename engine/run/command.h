/* What the counter asks of the engine thread. A command belongs to its poster until it is posted, to the engine until
 * `done` is called, and to the poster again from then on.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <pthread.h>
#include <tranche/err.h>
#include <tranche/store.h>

enum command_kind {
    COMMAND_JOB_CREATE, /* in: job.id, job.group, job.definition, job.estimate, job.schedule. out: job */
    COMMAND_JOB_STOP,   /* in: job.id. out: job */
    COMMAND_JOB_RESUME, /* in: job.id. out: job */
    COMMAND_JOB_RERUN,  /* in: job.id, rerun. out: job, the new one */
    COMMAND_CALL,       /* in: job.id, job.device, job.call, job.organization, job.definition. out: job, when it is over */
    COMMAND_WRITE       /* a change of the registry: `write` is called inside a transaction, perhaps in slices */
};

struct command {
    enum command_kind kind;
    struct tranche_job_record job;   /* strings are freed by command_free */
    char rerun[TRANCHE_ID_BYTES];
    bool only_present;               /* COMMAND_JOB_CREATE: answers with the job that is there, and makes none */

    /* COMMAND_WRITE. Writes at most one slice (about 5 ms) and says whether there is more to do. A refusal (4xx) must leave
     * nothing written. It may run again after `rolled_back`, which returns it to where it was when the last transaction
     * that ended well had ended; `committed` tells of those. Both may be NULL for a write of one slice.
     * A write whose first slice is durable is never given up for the store's sake, only for the engine's end. */
    enum tranche_code (*write)(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                               struct tranche_err *err);
    void (*rolled_back)(struct command *command);
    void (*committed)(struct command *command);
    bool in_turn;                    /* waits until writes in turn that were posted before it are complete */

    /* Who asks for what, by the poster: written to the audit in the transaction of the change, with its time and what became of
     * it. Without an operation nothing is. */
    struct tranche_audit_record audit;

    /* On the engine thread, after the commit that made the change durable, or after the refusal. */
    void (*done)(struct command *command);
    void *context;                   /* the poster's */

    enum tranche_code code;
    struct tranche_err err;
    struct command *next;            /* the holder's */
    bool unfinished;                 /* the engine's: a write with further slices to do */
    bool waiting;                    /* the engine's: it is not its turn */
    bool begun;                      /* the engine's, or the poster's beforehand: a slice of it is durable */
};

void command_free(struct command *command); /* what its job record owns; not the command itself */

/* A bounded mailbox: many posters, one taker. A mutex is fine: API writes are rare. */
struct mailbox {
    pthread_mutex_t mutex;
    struct command *first, *last;
    uint32_t count, count_max;
    bool closed;
};

void mailbox_open(struct mailbox *mailbox, uint32_t count_max);
void mailbox_close(struct mailbox *mailbox); /* must be empty */
/* TRANCHE_FULL: nothing was posted. TRANCHE_UNAVAILABLE: shut. */
enum tranche_code mailbox_post(struct mailbox *mailbox, struct command *command, struct tranche_err *err);
struct command *mailbox_take_all(struct mailbox *mailbox); /* in order, linked by next */
uint32_t mailbox_count(struct mailbox *mailbox);
void mailbox_shut(struct mailbox *mailbox);                /* from now on posts are refused */

#endif
