#include "resolver.h"

#include "fail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *resolver_main(void *argument);

enum tranche_code resolver_open(struct resolver *resolver, struct tranche_reader *reader,
                                struct doorbell *engine_bell, struct tranche_err *err)
{
    *resolver = (struct resolver){ .reader = reader, .engine_bell = engine_bell };
    pthread_mutex_init(&resolver->mutex, NULL);
    pthread_cond_init(&resolver->changed, NULL);
    for (uint32_t i = 0; i < RESOLVER_REPLIES; i++)
        resolver->spare[resolver->spare_count++] = &resolver->replies[i];
    if (pthread_create(&resolver->thread, NULL, resolver_main, resolver) == 0)
        return TRANCHE_OK;
    pthread_cond_destroy(&resolver->changed);
    pthread_mutex_destroy(&resolver->mutex);
    return fail(err, TRANCHE_NOMEM, "reader thread: cannot be started");
}

void resolver_close(struct resolver *resolver)
{
    pthread_mutex_lock(&resolver->mutex);
    resolver->stopping = true;
    pthread_cond_signal(&resolver->changed);
    pthread_mutex_unlock(&resolver->mutex);
    pthread_join(resolver->thread, NULL);
    for (uint32_t i = 0; i < resolver->count; i++)
        free(resolver->questions[(resolver->first + i) % RESOLVER_QUESTIONS].filter);
    pthread_cond_destroy(&resolver->changed);
    pthread_mutex_destroy(&resolver->mutex);
    resolver->reader->functions->close(resolver->reader);
}

bool resolver_ask(struct resolver *resolver, const struct question *question)
{
    pthread_mutex_lock(&resolver->mutex);
    bool room = resolver->count < RESOLVER_QUESTIONS;
    if (room) {
        resolver->questions[(resolver->first + resolver->count++) % RESOLVER_QUESTIONS] = *question;
        pthread_cond_signal(&resolver->changed);
    }
    pthread_mutex_unlock(&resolver->mutex);
    return room;
}

struct reply *resolver_hear(struct resolver *resolver)
{
    struct reply *reply = NULL;
    pthread_mutex_lock(&resolver->mutex);
    if (resolver->ready_count > 0) {
        reply = resolver->ready[0];
        resolver->ready_count--;
        memmove(resolver->ready, resolver->ready + 1, resolver->ready_count * sizeof *resolver->ready);
    }
    pthread_mutex_unlock(&resolver->mutex);
    return reply;
}

void resolver_heard(struct resolver *resolver, struct reply *reply)
{
    pthread_mutex_lock(&resolver->mutex);
    resolver->spare[resolver->spare_count++] = reply;
    pthread_cond_signal(&resolver->changed);
    pthread_mutex_unlock(&resolver->mutex);
}

bool resolver_has_reply(struct resolver *resolver)
{
    pthread_mutex_lock(&resolver->mutex);
    bool has = resolver->ready_count > 0;
    pthread_mutex_unlock(&resolver->mutex);
    return has;
}

/* ---- the thread ---- */

static bool next_question(struct resolver *resolver, struct question *question)
{
    pthread_mutex_lock(&resolver->mutex);
    while (resolver->count == 0 && !resolver->stopping)
        pthread_cond_wait(&resolver->changed, &resolver->mutex);
    bool going_on = !resolver->stopping;
    if (going_on) {
        *question = resolver->questions[resolver->first];
        resolver->first = (resolver->first + 1) % RESOLVER_QUESTIONS;
        resolver->count--;
    }
    pthread_mutex_unlock(&resolver->mutex);
    return going_on;
}

/* Waits for a reply's memory. NULL: the thread is to end. */
static struct reply *blank_reply(struct resolver *resolver, uint64_t ticket)
{
    struct reply *reply = NULL;
    pthread_mutex_lock(&resolver->mutex);
    while (resolver->spare_count == 0 && !resolver->stopping)
        pthread_cond_wait(&resolver->changed, &resolver->mutex);
    if (!resolver->stopping)
        reply = resolver->spare[--resolver->spare_count];
    pthread_mutex_unlock(&resolver->mutex);
    if (reply != NULL) {
        reply->ticket = ticket;
        reply->count = 0;
    }
    return reply;
}

static void send_reply(struct resolver *resolver, struct reply *reply)
{
    pthread_mutex_lock(&resolver->mutex);
    assert(resolver->ready_count < RESOLVER_REPLIES);
    resolver->ready[resolver->ready_count++] = reply;
    pthread_mutex_unlock(&resolver->mutex);
    doorbell_ring(resolver->engine_bell);
}

static void send_failure(struct resolver *resolver, uint64_t ticket, const struct tranche_err *err)
{
    struct reply *reply = blank_reply(resolver, ticket);
    if (reply == NULL)
        return;
    reply->kind = REPLY_FAILED;
    reply->err = *err;
    send_reply(resolver, reply);
}

/* False: the thread is to end. */
static bool send_members(struct resolver *resolver, uint64_t ticket, enum tranche_code *code,
                         struct tranche_err *err)
{
    for (;;) {
        struct reply *reply = blank_reply(resolver, ticket);
        if (reply == NULL)
            return false;
        reply->kind = REPLY_MEMBERS;
        *code = resolver->reader->functions->select_next(resolver->reader, reply->devices, REPLY_DEVICES,
                                                         &reply->count, err);
        if (*code != TRANCHE_OK) {
            resolver_heard(resolver, reply);
            return true;
        }
        bool last = reply->count == 0;
        if (last)
            reply->kind = REPLY_END;
        send_reply(resolver, reply);
        if (last)
            return true;
    }
}

static void answer_members(struct resolver *resolver, const struct question *question)
{
    const struct tranche_reader_functions *reader = resolver->reader->functions;
    struct tranche_selection selection = { .filter = question->filter,
                                           .origin = question->origin,
                                           .origin_until_us = question->origin_until_us };
    struct tranche_err err = { 0 };
    uint32_t total = 0;
    enum tranche_code code = reader->select_open(resolver->reader, &selection, &total, &err);
    if (code == TRANCHE_OK) {
        struct reply *reply = blank_reply(resolver, question->ticket);
        if (reply != NULL) {
            reply->kind = REPLY_TOTAL;
            reply->total = total;
            send_reply(resolver, reply);
            send_members(resolver, question->ticket, &code, &err);
        }
        reader->select_close(resolver->reader);
    }
    if (code != TRANCHE_OK)
        send_failure(resolver, question->ticket, &err);
}

static void answer_recount(struct resolver *resolver, const struct question *question)
{
    struct reply *reply = blank_reply(resolver, question->ticket);
    if (reply == NULL)
        return;
    enum tranche_code code =
        resolver->reader->functions->recount(resolver->reader, question->job, question->first,
                                             question->count, &reply->whole, &reply->batch, &reply->err);
    reply->kind = code == TRANCHE_OK ? REPLY_TALLY : REPLY_FAILED;
    send_reply(resolver, reply);
}

static void *resolver_main(void *argument)
{
    struct resolver *resolver = argument;
    struct question question;
    while (next_question(resolver, &question)) {
        if (question.kind == QUESTION_MEMBERS)
            answer_members(resolver, &question);
        else
            answer_recount(resolver, &question);
        free(question.filter);
    }
    return NULL;
}
