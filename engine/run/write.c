/* The transaction: everything that differs from the store, in an order that suits it. Nothing here changes
 * what the core believes; write_settled does, once the commit has ended well. So a transaction that fails is
 * simply written again. */
#include "core_internal.h"

#include "batch.h"
#include "fail.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call)                            \
    do {                                     \
        enum tranche_code try_code = (call); \
        if (try_code != TRANCHE_OK)          \
            return try_code;                 \
    } while (0)

static enum tranche_code write_record(struct core *core, struct job *job, struct tranche_err *err)
{
    const struct tranche_store_functions *store = core->store->functions;
    if (job->new_row)
        TRY(store->job_insert(core->store, &job->record, err));
    else if (job->record_changed)
        TRY(store->job_update(core->store, &job->record, err));
    if (job->batch_changed)
        TRY(store->batch_put(core->store, job->record.no, &job->batch, err));
    if (job->drop_chunks)
        TRY(store->chunks_drop(core->store, job->record.no, err));
    if (job->freezes && job->plan->definition.kind == TRANCHE_STEP_PROPERTY)
        TRY(store->fold_put(core->store, job->record.no, 0, err));
    return TRANCHE_OK;
}

static int by_ordinal(const void *a, const void *b)
{
    const struct task *left = *(struct task *const *)a, *right = *(struct task *const *)b;
    if (left->ordinal != right->ordinal)
        return left->ordinal < right->ordinal ? -1 : 1;
    return (int)left->step - (int)right->step;
}

static bool make_room(struct core *core, uint32_t count)
{
    if (count <= core->sorted_capacity)
        return true;
    struct task **bigger = realloc(core->sorted, count * sizeof *bigger);
    if (bigger == NULL)
        return false;
    core->sorted = bigger;
    core->sorted_capacity = count;
    return true;
}

/* In ordinal order: rows in random order cost the store several times as much. */
static enum tranche_code write_results(struct core *core, struct job *job, struct tranche_err *err)
{
    if (job->settling == NULL)
        return TRANCHE_OK;
    if (!make_room(core, job->settling_count))
        return fail(err, TRANCHE_NOMEM, "out of memory");
    uint32_t count = 0;
    for (struct task *task = job->settling; task != NULL; task = task->next)
        if (task->has_result)
            core->sorted[count++] = task;
    qsort(core->sorted, count, sizeof *core->sorted, by_ordinal);
    for (uint32_t i = 0; i < count; i++) {
        const struct task *task = core->sorted[i];
        struct tranche_result_record result = {
            .ordinal = task->ordinal,
            .step = task->step,
            .attempt = task->attempt,
            .final = task->final,
            .state = task->state,
            .code = task->outcome.code,
            .reason = task->outcome.reason,
            .answer = task->answer,
            .answer_bytes = task->answer_bytes,
            .at_us = task->at_us,
        };
        TRY(core->store->functions->result_put(core->store, job->record.no, &result, err));
        if (job->plan->in_registry && task->state == TRANCHE_DEVICE_COMPLETED)
            TRY(core->store->functions->device_apply(core->store, task->device_no, job->plan->definition.steps,
                                                     job->plan->definition.step_count, task->at_us, err));
    }
    return TRANCHE_OK;
}

static enum tranche_code write_intent(struct core *core, struct job *job, const struct open_intent *intent,
                                      struct tranche_err *err)
{
    if (intent->live == 0)
        return intent->stored
                   ? core->store->functions->intent_drop(core->store, job->record.no, intent->record.seq, err)
                   : TRANCHE_OK;
    struct tranche_intent_record row = intent->record;
    row.count = 0;
    for (uint32_t i = 0; i < intent->record.count; i++)
        if (intent->live >> i & 1)
            row.ordinals[row.count++] = intent->record.ordinals[i];
    return core->store->functions->intent_put(core->store, job->record.no, &row, err);
}

static enum tranche_code write_intents(struct core *core, struct job *job, struct tranche_err *err)
{
    for (const struct open_intent *intent = job->intents; intent != NULL; intent = intent->next)
        if (intent->changed)
            TRY(write_intent(core, job, intent, err));
    return TRANCHE_OK;
}

/* A device may leave and come back between two commits: what left goes first. */
static enum tranche_code write_waiting(struct core *core, struct job *job, struct tranche_err *err)
{
    for (uint32_t i = 0; i < job->waiting_count; i++) {
        const struct waiting *waiting = &job->waiting[i];
        if (waiting->gone && waiting->stored)
            TRY(core->store->functions->retry_drop(core->store, job->record.no, waiting->record.ordinal,
                                                   err));
    }
    for (uint32_t i = 0; i < job->waiting_count; i++) {
        const struct waiting *waiting = &job->waiting[i];
        if (!waiting->gone && !waiting->stored)
            TRY(core->store->functions->retry_put(core->store, job->record.no, &waiting->record, err));
    }
    return TRANCHE_OK;
}

static bool row_is_full(const struct chunk_row *row)
{
    const struct tranche_job_record *record = &row->job->record;
    return row->count == chunk_span(record->tally.total, record->batch_devices, row->chunk).count;
}

uint32_t write_chunk_rows_ready(const struct core *core)
{
    uint32_t count = core->chunk_row_count;
    return count > 0 && !row_is_full(&core->chunk_rows[count - 1]) ? count - 1 : count;
}

static enum tranche_code write_chunks(struct core *core, struct tranche_err *err)
{
    uint32_t ready = write_chunk_rows_ready(core);
    for (uint32_t i = 0; i < ready; i++) {
        const struct chunk_row *row = &core->chunk_rows[i];
        TRY(core->store->functions->chunk_put(core->store, row->job->record.no, row->chunk, row->batch,
                                              row->devices, row->count, err));
    }
    return TRANCHE_OK;
}

/* A refusal (4xx) is an answer and leaves the transaction alone; trouble fails it. */
static bool is_refusal(enum tranche_code code)
{
    return code != TRANCHE_OK && tranche_code_http(code) < 500;
}

static enum tranche_code write_audit(struct core *core, struct command *command, struct tranche_err *err)
{
    struct tranche_audit_record *audit = &command->audit;
    if (audit->operation[0] == '\0')
        return TRANCHE_OK;
    audit->at_us = core->now_us;
    snprintf(audit->result, sizeof audit->result, "%s", tranche_code_word(command->code));
    if (command->code != TRANCHE_OK)
        audit->etag_after[0] = '\0';
    return core->store->functions->audit_put(core->store, audit, err);
}

/* Of the orders that were carried out: what they have changed is in this transaction, or has been refused. */
static enum tranche_code write_audits(struct core *core, struct tranche_err *err)
{
    for (struct command *command = core->answers; command != NULL; command = command->next)
        TRY(write_audit(core, command, err));
    return TRANCHE_OK;
}

static enum tranche_code write_registry(struct core *core, struct tranche_err *err)
{
    bool turn_taken = false;
    for (struct command *command = core->writes; command != NULL; command = command->next) {
        bool more = false;
        command->waiting = command->in_turn && turn_taken;
        command->unfinished = command->waiting;
        if (command->waiting)
            continue;
        turn_taken |= command->in_turn;
        command->code = command->write(command, core->store, core->now_us, &more, &command->err);
        command->unfinished = command->code == TRANCHE_OK && more;
        if (command->code == TRANCHE_OK || is_refusal(command->code)) {
            if (!command->unfinished)
                TRY(write_audit(core, command, err));
            continue;
        }
        if (err != NULL)
            *err = command->err;
        return command->code;
    }
    return TRANCHE_OK;
}

enum tranche_code write_everything(struct core *core, struct tranche_err *err)
{
    for (struct job *job = core->jobs; job != NULL; job = job->next) {
        enum tranche_code code = write_record(core, job, err);
        if (code == TRANCHE_OK)
            code = write_results(core, job, err);
        if (code == TRANCHE_OK)
            code = write_intents(core, job, err);
        if (code == TRANCHE_OK)
            code = write_waiting(core, job, err);
        if (code != TRANCHE_OK)
            return fail_in(err, code, "write job %s", job->record.id);
    }
    TRY(write_chunks(core, err));
    TRY(scheduler_write(core, err));
    TRY(write_audits(core, err));
    TRY(write_registry(core, err));
    return retention_write(core, err);
}

/* ---- afterwards ---- */

/* The device is free; whoever waited for it may go ahead, the oldest job first (issue.c). */
static void release_device(struct core *core, uint32_t device_no)
{
    if (device_no == 0 || !busy_release(&core->busy, device_no)) /* 0: settled by recovery, never taken */
        return;
    for (struct job *job = core->jobs; job != NULL; job = job->next)
        for (uint32_t i = 0; i < job->waiting_count; i++)
            if (job->waiting[i].device_no == device_no)
                job->waiting[i].blocked = false;
}

static void settle_tasks(struct core *core, struct job *job)
{
    for (struct task *task = job->settling, *next; task != NULL; task = next) {
        next = task->next;
        release_device(core, task->device_no);
        job_task_done(job, task);
    }
    job->settling = NULL;
    job->settling_last = &job->settling;
    job->settling_count = 0;
}

static void settle_intents(struct job *job)
{
    for (struct open_intent *intent = job->intents, *next; intent != NULL; intent = next) {
        next = intent->next;
        intent->stored = true;
        intent->changed = false;
        if (intent->live == 0)
            intent_free(job, intent);
    }
}

static void settle_chunks(struct core *core)
{
    uint32_t ready = write_chunk_rows_ready(core);
    if (ready < core->chunk_row_count)
        core->chunk_rows[0] = core->chunk_rows[ready];
    core->chunk_row_count -= ready;
}

static void settle_registry(struct core *core)
{
    struct command *writes = core->writes;
    core->scheduler.look |= writes != NULL;
    if (writes != NULL)
        retention_look_soon(core);
    core->writes = NULL;
    core->writes_last = &core->writes;
    for (struct command *command = writes, *next; command != NULL; command = next) {
        next = command->next;
        if (command->committed != NULL && command->code == TRANCHE_OK)
            command->committed(command);
        command->begun |= !command->waiting && command->code == TRANCHE_OK;
        orders_add(command->unfinished ? &core->writes_last : &core->answers_last, command);
    }
}

void write_settled(struct core *core)
{
    settle_chunks(core);
    for (struct job *job = core->jobs; job != NULL; job = job->next) {
        job->record_changed = job->batch_changed = job->new_row = job->drop_chunks = job->freezes = false;
        settle_intents(job);
        job_waiting_settle(job);
        settle_tasks(core, job);
    }
    settle_registry(core);
}
