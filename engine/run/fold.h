/* Folding: the values that property jobs wrote go into the registry behind the jobs' backs.
 *
 * A property job keeps its values once, in its definition; what a device accepted is known from its results. Copying that
 * into each device's record would cost more than the result itself, so it is done later, in slices that ride along with
 * commits: job after job, in the job's order, behind a cursor that never passes a device without a last word. Until then
 * a reader finds what is missing (device_values). A value goes in only over an older one (of two with one stamp the first
 * stays), so the order of folds does not matter, and a slice that is folded twice does no harm.
 *
 * A round looks at every fold once. It begins when a job has come to rest, or when a group's filter names properties: then
 * it takes in the jobs that still run, too, and the group is resolved after it.
 */
#ifndef FOLD_H
#define FOLD_H

#include "definition.h"

struct core;

struct fold {
    bool wanted;          /* a round is to begin */
    bool thorough;        /* the round that is on, or else the next, takes in the jobs that run */
    bool thorough_next;   /* so does the one after it */
    bool in_round;
    uint64_t round, rounds_done;
    int64_t looked_at;    /* jobs up to this number are done with in this round */
    int64_t retry_at_us;  /* mono; after trouble */

    /* the job at hand */
    int64_t job;          /* its number; 0: none */
    struct definition definition;
    uint32_t total, batch_devices;
    uint32_t next, end;   /* ordinals to be folded */
    uint32_t reached;     /* by the open transaction; `next` once it is durable */
    bool over;            /* the job is: its fold ends with it */
};

void fold_want(struct core *core);
/* Asks for a thorough round; it is over when rounds_done has come to the number returned. */
uint64_t fold_ask(struct core *core);
void fold_look(struct core *core);  /* what to fold next; once a tick */
bool fold_looks(const struct core *core); /* it is not done with that */
bool fold_is_due(const struct core *core, int64_t *at_us); /* something is at hand, and when it should be written (mono) */
enum tranche_code fold_write(struct core *core, struct tranche_err *err); /* a slice, inside a transaction */
void fold_settled(struct core *core); /* it is durable */
void fold_free(struct core *core);

#endif
