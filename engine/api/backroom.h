/* The back room: a few threads that do what would hold up an HTTP thread for long (counting a group,
 * recounting a job, sorting an import). Errands are done in order of arrival; their number is bounded by the
 * queue.
 */
#ifndef BACKROOM_H
#define BACKROOM_H

#include <pthread.h>
#include <stdbool.h>
#include <tranche/err.h>

struct errand {
    void (*run)(struct errand *errand); /* the errand may be gone when it returns */
    struct errand *next;                /* the back room's */
};

#define BACKROOM_THREADS   3   /* more than there may be imports, so that they never take all */
#define BACKROOM_QUEUE_MAX 256 /* as many as API writes may wait for the engine by default */

struct backroom {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    pthread_t threads[BACKROOM_THREADS];
    unsigned thread_count;
    struct errand *first, **last;
    unsigned waiting;
    bool closing;
};

enum tranche_code backroom_open(struct backroom *backroom, struct tranche_err *err);
bool backroom_give(struct backroom *backroom, struct errand *errand); /* false: full */
void backroom_close(struct backroom *backroom); /* does what is queued first; a zeroed one is fine */

#endif
