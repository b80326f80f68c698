/* A worker: a thread that makes calls. It drains its inbox into one first-in-first-out lane a job, keeps each job to its
 * cap, lets the connector word the call and judge the answer, and gives every task back. It decides nothing else.
 *
 * The engine thread opens, feeds and closes it; between worker_open and worker_close the thread owns everything here but
 * the far ends of the two rings. Workers share nothing with each other.
 */
#ifndef WORKER_H
#define WORKER_H

#include "fanout.h"
#include "ring.h"
#include "task.h"

#include <pthread.h>


struct worker_options {
    struct fanout_options fanout;
    uint32_t ring_slots;
};

struct worker {
    /* fixed after start */
    pthread_t thread;
    struct loop loop;
    struct fanout *fanout;
    struct doorbell *engine_bell;
    uint32_t calls_max;

    /* the engine gives, we take */
    struct ring inbox;
    struct doorbell bell;
    uint32_t stopping;     /* atomic; 1: end when all calls have ended, 2: end now */

    /* we give, the engine takes */
    struct ring outbox;

    /* ours alone */
    struct loop_source bell_source;
    struct lane *lanes;    /* circle of lanes with tasks; the one whose turn it is */
    uint32_t index;        /* of this worker, and of its lane in every plan */
    bool gave;             /* something since the engine was last woken */
    struct tranche_request request;
};

enum tranche_code worker_open(struct worker *worker, uint32_t index, const struct worker_options *options,
                              struct doorbell *engine_bell, struct tranche_err *err);
/* The engine's side. */
void worker_give(struct worker *worker, struct task *task); /* there is room, by the engine's arithmetic */
void worker_wake(struct worker *worker);                    /* after giving */
struct task *worker_take(struct worker *worker);
/* Ends the thread: when its calls have ended, or `now`, dropping them. Tasks it still held are simply dropped. */
void worker_close(struct worker *worker, bool now);

#endif
