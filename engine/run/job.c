#include "job.h"

#include "batch.h"
#include "fail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TASKS_A_BLOCK 64u

struct task_block {
    struct task_block *next;
    struct task tasks[TASKS_A_BLOCK];
};

enum tranche_code job_record_copy(const struct tranche_job_record *from, struct tranche_job_record *to,
                                  struct tranche_err *err)
{
    tranche_job_record_free(to);
    *to = *from;
    to->definition = strdup(from->definition);
    to->reason = from->reason ? strdup(from->reason) : NULL;
    if (to->definition != NULL && (from->reason == NULL || to->reason != NULL))
        return TRANCHE_OK;
    tranche_job_record_free(to);
    return fail(err, TRANCHE_NOMEM, "out of memory");
}

struct job *job_new(struct tranche_job_record *record)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->record = *record;
    *record = (struct tranche_job_record){ 0 };
    job->to_give_last = &job->to_give;
    job->settling_last = &job->settling;
    return job;
}

void job_free(struct job *job)
{
    assert(job->at_workers == 0);
    while (job->intents != NULL)
        intent_free(job, job->intents);
    while (job->intents_spare != NULL) {
        struct open_intent *intent = job->intents_spare;
        job->intents_spare = intent->next;
        free(intent);
    }
    while (job->blocks != NULL) {
        struct task_block *block = job->blocks;
        job->blocks = block->next;
        free(block);
    }
    if (job->plan != NULL)
        definition_free(&job->plan->definition);
    free(job->plan);
    free(job->waiting);
    tranche_job_record_free(&job->record);
    free(job);
}

struct task *job_task(struct job *job)
{
    if (job->spare == NULL) {
        struct task_block *block = calloc(1, sizeof *block);
        if (block == NULL)
            return NULL;
        block->next = job->blocks;
        job->blocks = block;
        for (uint32_t i = 0; i < TASKS_A_BLOCK; i++)
            job_task_done(job, &block->tasks[i]);
    }
    struct task *task = job->spare;
    job->spare = task->next;
    task->job = job;
    task->intent = NULL;
    task->has_result = false;
    task->answer_bytes = 0;
    task->next = NULL;
    return task;
}

void job_task_done(struct job *job, struct task *task)
{
    task->next = job->spare;
    job->spare = task;
}

void job_to_give(struct job *job, struct task *task)
{
    task->next = NULL;
    *job->to_give_last = task;
    job->to_give_last = &task->next;
}

void job_settle(struct job *job, struct task *task)
{
    task->next = NULL;
    *job->settling_last = task;
    job->settling_last = &task->next;
    job->settling_count++;
}

/* The newest intent, if this task may still join it. */
static struct open_intent *joinable(struct job *job, const struct task *task)
{
    struct open_intent *intent = job->intents;
    if (intent == NULL || intent->stored || intent->record.count == TRANCHE_INTENT)
        return NULL;
    if (intent->record.step != task->step || intent->record.attempt != task->attempt)
        return NULL;
    if (intent->record.ordinals[intent->record.count - 1] >= task->ordinal)
        return NULL;
    return intent;
}

static struct open_intent *intent_new(struct job *job)
{
    struct open_intent *intent = job->intents_spare;
    if (intent != NULL)
        job->intents_spare = intent->next;
    else if ((intent = malloc(sizeof *intent)) == NULL)
        return NULL;
    *intent = (struct open_intent){ .next = job->intents, .link = &job->intents, .changed = true };
    if (intent->next != NULL)
        intent->next->link = &intent->next;
    job->intents = intent;
    return intent;
}

bool job_intend(struct job *job, struct task *task)
{
    struct open_intent *intent = joinable(job, task);
    if (intent == NULL) {
        intent = intent_new(job);
        if (intent == NULL)
            return false;
        intent->record.seq = job->record.intent_seq++;
        intent->record.step = task->step;
        intent->record.attempt = task->attempt;
        job->record_changed = true;
    }
    uint32_t bit = intent->record.count++;
    intent->record.ordinals[bit] = task->ordinal;
    intent->live |= UINT64_C(1) << bit;
    task->intent = intent;
    task->intent_bit = bit;
    job->open++;
    return true;
}

void job_strike(struct job *job, struct task *task)
{
    struct open_intent *intent = task->intent;
    uint64_t mask = UINT64_C(1) << task->intent_bit;
    assert(intent->live & mask);
    intent->live &= ~mask;
    intent->changed = true;
    task->intent = NULL;
    job->open--;
}

void intent_free(struct job *job, struct open_intent *intent)
{
    *intent->link = intent->next;
    if (intent->next != NULL)
        intent->next->link = intent->link;
    intent->next = job->intents_spare;
    job->intents_spare = intent;
}

bool job_waiting_reserve(struct job *job, uint32_t more)
{
    uint32_t needed = job->waiting_count + job->open + more;
    if (needed <= job->waiting_capacity)
        return true;
    uint32_t capacity = job->waiting_capacity ? job->waiting_capacity : 64;
    while (capacity < needed)
        capacity *= 2;
    struct waiting *bigger = realloc(job->waiting, capacity * sizeof *bigger);
    if (bigger == NULL)
        return false;
    job->waiting = bigger;
    job->waiting_capacity = capacity;
    return true;
}

void job_wait(struct job *job, const struct tranche_retry_record *record, uint32_t device_no, bool blocked)
{
    assert(job->waiting_count < job->waiting_capacity);
    if (job->waiting_count > 0 && job->waiting[job->waiting_count - 1].record.ordinal >= record->ordinal)
        job->waiting_unsorted = true;
    job->waiting[job->waiting_count++] =
        (struct waiting){ .record = *record, .device_no = device_no, .blocked = blocked };
    job->waiting_alive++;
}

void job_waiting_leave(struct job *job, struct waiting *waiting)
{
    assert(!waiting->gone);
    waiting->gone = true;
    job->waiting_alive--;
}

static int by_ordinal(const void *a, const void *b)
{
    const struct waiting *left = a, *right = b;
    if (left->record.ordinal != right->record.ordinal)
        return left->record.ordinal < right->record.ordinal ? -1 : 1;
    return (int)right->gone - (int)left->gone; /* the one that left before the one that came after it */
}

void job_waiting_sort(struct job *job)
{
    if (job->waiting_unsorted)
        qsort(job->waiting, job->waiting_count, sizeof *job->waiting, by_ordinal);
    job->waiting_unsorted = false;
}

void job_waiting_settle(struct job *job)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < job->waiting_count; i++) {
        if (job->waiting[i].gone)
            continue;
        job->waiting[kept] = job->waiting[i];
        job->waiting[kept++].stored = true;
    }
    job->waiting_count = kept;
}

struct span job_batch_span(const struct job *job)
{
    return batch_span(job->record.tally.total, job->record.batch_devices, job->record.batch);
}

bool job_has_unissued(const struct job *job)
{
    struct span span = job_batch_span(job);
    return job->record.next < span.first + span.count;
}
