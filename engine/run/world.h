/* The world as the core sees it: workers that make calls, and a reader that answers long questions.
 *
 * In the server these are threads behind rings; in the tests' simulated world they are events in virtual time. All
 * functions are called on the core's thread and never block.
 */
#ifndef WORLD_H
#define WORLD_H

#include "task.h"

#include <tranche/store.h>

/* A long question to the store's read side. */
struct question {
    uint64_t ticket; /* the asker's, repeated in every reply */
    enum { QUESTION_MEMBERS, QUESTION_RECOUNT } kind;
    int64_t job;
    /* members */
    char *filter;    /* owned by the question; NULL: by origin */
    int64_t origin, origin_until_us;
    /* recount: of the whole job, and of the ordinals [first, first + count) */
    uint32_t first, count;
};

#define REPLY_DEVICES 4096 /* device numbers a reply carries at most: 16 full chunks */

/* Part of an answer. A members question is answered by one REPLY_TOTAL, replies of devices, and REPLY_END; a recount by
 * one REPLY_TALLY; both perhaps by REPLY_FAILED instead of what is still due. */
struct reply {
    uint64_t ticket;
    enum { REPLY_TOTAL, REPLY_MEMBERS, REPLY_END, REPLY_TALLY, REPLY_FAILED } kind;
    uint32_t total;
    uint32_t count;
    uint32_t devices[REPLY_DEVICES];
    struct tranche_tally whole, batch;
    struct tranche_err err;
};

struct world {
    void *context;
    uint32_t worker_count;
    uint32_t worker_tasks_max; /* tasks that one worker may hold; the core counts and never gives more */
    uint32_t calls_max;        /* at the gateway at once, over all workers: what descriptors allow */
    int64_t (*mono_us)(void *context); /* the tick's clock, for how long a commit took */

    void (*name)(void *context, char id[TRANCHE_ID_BYTES]); /* an id that nothing has had: a UUID */

    void (*give)(void *context, uint32_t worker, struct task *task); /* has a place to go, by the core's arithmetic */
    void (*given)(void *context);                                    /* all of this commit's tasks were given: wake */
    struct task *(*take)(void *context, uint32_t worker);            /* NULL: none now */

    bool (*ask)(void *context, const struct question *question); /* false: the reader's queue is full, ask again later;
                                                                    true: question->filter is the reader's */
    struct reply *(*hear)(void *context);                        /* NULL: nothing now */
    void (*heard)(void *context, struct reply *reply);           /* gives the reply's memory back */
};

#endif
