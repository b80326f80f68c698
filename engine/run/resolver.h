/* The reader thread: answers the core's long questions through a reader of its own, so that the engine thread never runs a
 * long query. Questions wait in a bounded queue and are answered one after the other; a few replies may be underway at a
 * time, and the thread waits until the engine has given one back. */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "ring.h"
#include "world.h"

#include <pthread.h>

#define RESOLVER_QUESTIONS 512 /* more than jobs can run at once */
#define RESOLVER_REPLIES   4   /* of 16 KiB */

struct resolver {
    pthread_t thread;
    struct tranche_reader *reader;
    struct doorbell *engine_bell;
    pthread_mutex_t mutex;      /* guards all below */
    pthread_cond_t changed;
    bool stopping;
    struct question questions[RESOLVER_QUESTIONS];
    uint32_t first, count;
    struct reply *spare[RESOLVER_REPLIES];
    uint32_t spare_count;
    struct reply *ready[RESOLVER_REPLIES]; /* oldest first */
    uint32_t ready_count;
    struct reply replies[RESOLVER_REPLIES];
};

/* Takes over the reader. */
enum tranche_code resolver_open(struct resolver *resolver, struct tranche_reader *reader, struct doorbell *engine_bell,
                                struct tranche_err *err);
void resolver_close(struct resolver *resolver);

/* The engine's side; see world.h. */
bool resolver_ask(struct resolver *resolver, const struct question *question);
struct reply *resolver_hear(struct resolver *resolver);
void resolver_heard(struct resolver *resolver, struct reply *reply);
bool resolver_has_reply(struct resolver *resolver);

#endif
