#include "backroom.h"

#include "fail.h"

#include <string.h>

static struct errand *take(struct backroom *backroom)
{
    pthread_mutex_lock(&backroom->mutex);
    while (backroom->first == NULL && !backroom->closing)
        pthread_cond_wait(&backroom->arrived, &backroom->mutex);
    struct errand *errand = backroom->first;
    if (errand != NULL) {
        backroom->first = errand->next;
        if (backroom->first == NULL)
            backroom->last = &backroom->first;
        backroom->waiting--;
    }
    pthread_mutex_unlock(&backroom->mutex);
    return errand;
}

static void *work(void *argument)
{
    struct backroom *backroom = argument;
    for (;;) {
        struct errand *errand = take(backroom);
        if (errand == NULL)
            return NULL;
        errand->run(errand);
    }
}

enum tranche_code backroom_open(struct backroom *backroom, struct tranche_err *err)
{
    *backroom = (struct backroom){ 0 };
    backroom->last = &backroom->first;
    pthread_mutex_init(&backroom->mutex, NULL);
    pthread_cond_init(&backroom->arrived, NULL);
    for (; backroom->thread_count < BACKROOM_THREADS; backroom->thread_count++) {
        int error = pthread_create(&backroom->threads[backroom->thread_count], NULL, work, backroom);
        if (error != 0)
            return fail(err, TRANCHE_INTERNAL, "start a thread: %s", strerror(error));
    }
    return TRANCHE_OK;
}

bool backroom_give(struct backroom *backroom, struct errand *errand)
{
    pthread_mutex_lock(&backroom->mutex);
    bool room = backroom->waiting < BACKROOM_QUEUE_MAX;
    if (room) {
        errand->next = NULL;
        *backroom->last = errand;
        backroom->last = &errand->next;
        backroom->waiting++;
        pthread_cond_signal(&backroom->arrived);
    }
    pthread_mutex_unlock(&backroom->mutex);
    return room;
}

void backroom_close(struct backroom *backroom)
{
    if (backroom->last == NULL)
        return;
    pthread_mutex_lock(&backroom->mutex);
    backroom->closing = true;
    pthread_cond_broadcast(&backroom->arrived);
    pthread_mutex_unlock(&backroom->mutex);
    for (unsigned i = 0; i < backroom->thread_count; i++)
        pthread_join(backroom->threads[i], NULL);
    pthread_cond_destroy(&backroom->arrived);
    pthread_mutex_destroy(&backroom->mutex);
    *backroom = (struct backroom){ 0 };
}
