#include "core_internal.h"

#include "batch.h"
#include "fail.h"
#include "job_read.h"
#include "log.h"
#include "state.h"

#include <assert.h>
#include <string.h>

#define FOLD_DEVICES_ALONE  512   /* in one transaction: about 5 ms */
#define FOLD_DEVICES_BESIDE 64    /* while jobs run: about half a millisecond */
#define FOLD_PAUSE_US       20000 /* while jobs run, a slice waits so long for a commit to ride along with */
#define FOLD_LOOKS          16    /* jobs that are looked at in one tick: stopped ones have folds, and little to fold */

static enum tranche_code fold_next_job(struct core *core, struct tranche_err *err);

void fold_want(struct core *core)
{
    core->fold.wanted = true;
}

uint64_t fold_ask(struct core *core)
{
    struct fold *fold = &core->fold;
    fold->wanted = true;
    if (!fold->in_round)
        fold->thorough = true;
    else
        fold->thorough_next = true;
    return fold->round + 1;
}

static void begin_round(struct fold *fold)
{
    fold->wanted = false;
    fold->in_round = true;
    fold->round++;
    fold->looked_at = 0;
}

static void end_round(struct fold *fold)
{
    fold->in_round = false;
    fold->rounds_done = fold->round;
    fold->thorough = fold->thorough_next;
    fold->thorough_next = false;
}

void fold_look(struct core *core)
{
    struct fold *fold = &core->fold;
    if (core->draining || core->recovering || core->mono_us < fold->retry_at_us)
        return;
    if (!fold->in_round && fold->wanted)
        begin_round(fold);
    for (int i = 0; i < FOLD_LOOKS && fold->in_round && fold->job == 0; i++) {
        struct tranche_err err = { 0 };
        if (fold_next_job(core, &err) == TRANCHE_OK)
            continue;
        log_warn("engine", "values wait to be folded", "err=\"%s\"", err.text);
        fold->retry_at_us = core->mono_us + STORE_RETRY_US;
        return;
    }
}

bool fold_looks(const struct core *core)
{
    const struct fold *fold = &core->fold;
    return (fold->wanted || fold->in_round) && fold->job == 0 && !core->draining && !core->recovering;
}

/* ---- which job ---- */

/* The first fold of the round that was not looked at. */
struct candidate {
    struct core *core;
    bool found, skipped;
    uint32_t next;
    struct tranche_job_record record;
    enum tranche_code code;
    struct tranche_err *err;
};

static void consider(void *context, const struct tranche_job_record *record, uint32_t next)
{
    struct candidate *candidate = context;
    candidate->found = true;
    candidate->next = next;
    candidate->record.no = record->no;
    candidate->skipped = !candidate->core->fold.thorough && life_numbered(candidate->core, record->no) != NULL;
    if (!candidate->skipped) /* else later, when it rests */
        candidate->code = job_record_copy(record, &candidate->record, candidate->err);
}

static void lower(uint32_t *lowest, uint32_t ordinal)
{
    if (ordinal < *lowest)
        *lowest = ordinal;
}

/* The first ordinal without a durable last word, of a job that runs. */
static uint32_t lowest_open(const struct job *job)
{
    uint32_t lowest = job->record.next;
    for (uint32_t i = 0; i < job->waiting_count; i++)
        if (!job->waiting[i].gone)
            lower(&lowest, job->waiting[i].record.ordinal);
    for (const struct open_intent *intent = job->intents; intent != NULL; intent = intent->next)
        for (uint32_t i = 0; i < intent->record.count; i++)
            if (intent->live >> i & 1)
                lower(&lowest, intent->record.ordinals[i]);
    for (const struct task *task = job->settling; task != NULL; task = task->next)
        lower(&lowest, task->ordinal);
    return lowest;
}

static void lower_by_retry(void *context, const struct tranche_retry_record *retry)
{
    lower(context, retry->ordinal);
}

/* How far the candidate may be folded now. */
static enum tranche_code find_end(struct candidate *candidate, uint32_t *end, struct tranche_err *err)
{
    struct core *core = candidate->core;
    const struct job *running = life_numbered(core, candidate->record.no);
    *end = running != NULL ? lowest_open(running) : candidate->record.next;
    if (running != NULL || job_state_is_over(candidate->record.state))
        return TRANCHE_OK; /* devices without a last word will never get one in a job that is over */
    return core->store->functions->retries_of(core->store, candidate->record.no, lower_by_retry, end, err);
}

static enum tranche_code take_job(struct core *core, const struct candidate *candidate, uint32_t end,
                                  struct tranche_err *err)
{
    struct fold *fold = &core->fold;
    const struct tranche_job_record *record = &candidate->record;
    enum tranche_code code = job_definition(record, &fold->definition, err);
    if (code != TRANCHE_OK)
        return code;
    fold->job = record->no;
    fold->total = record->tally.total;
    fold->batch_devices = record->batch_devices;
    fold->next = fold->reached = candidate->next;
    fold->end = end;
    fold->over = job_state_is_over(record->state) && life_numbered(core, record->no) == NULL;
    return TRANCHE_OK;
}

static void leave_job(struct fold *fold)
{
    definition_free(&fold->definition);
    fold->looked_at = fold->job;
    fold->job = 0;
}

/* The next job with something to fold is at hand, or one more was looked at, or the round has ended. */
static enum tranche_code fold_next_job(struct core *core, struct tranche_err *err)
{
    struct fold *fold = &core->fold;
    struct candidate candidate = { .core = core, .err = err };
    enum tranche_code code = core->store->functions->folds(core->store, fold->looked_at, 1, consider, &candidate, err);
    uint32_t end = 0;
    if (code == TRANCHE_OK)
        code = candidate.code;
    if (code == TRANCHE_OK && candidate.found && !candidate.skipped)
        code = find_end(&candidate, &end, err);
    bool nothing = candidate.next >= end && !job_state_is_over(candidate.record.state);
    if (code == TRANCHE_OK && !candidate.found)
        end_round(fold);
    else if (code == TRANCHE_OK && (candidate.skipped || nothing))
        fold->looked_at = candidate.record.no;
    else if (code == TRANCHE_OK)
        code = take_job(core, &candidate, end, err);
    if (code != TRANCHE_OK && candidate.found && tranche_code_http(code) < 500) { /* that job's trouble alone */
        log_error("engine", "values cannot be folded", "job=%lld err=\"%s\"", (long long)candidate.record.no, err->text);
        fold->looked_at = candidate.record.no;
        code = TRANCHE_OK;
    }
    tranche_job_record_free(&candidate.record);
    return code;
}

/* ---- the slices ---- */

static bool is_any_live(const struct core *core)
{
    for (const struct job *job = core->jobs; job != NULL; job = job->next)
        if (life_is_live(job))
            return true;
    return false;
}

bool fold_is_due(const struct core *core, int64_t *at_us)
{
    *at_us = core->commit_ended_us + (is_any_live(core) ? FOLD_PAUSE_US : core->commit_cost_us);
    return core->fold.job != 0 && !core->draining;
}

struct done_list {
    struct tranche_done_record done[TRANCHE_CHUNK];
    uint32_t count;
};

static void collect_done(void *context, const struct tranche_done_record *done)
{
    struct done_list *list = context;
    assert(list->count < TRANCHE_CHUNK);
    list->done[list->count++] = *done;
}

/* Some devices of one chunk, few enough that all their steps fit a list. */
static enum tranche_code fold_slice(struct core *core, uint32_t devices_max, struct tranche_err *err)
{
    struct fold *fold = &core->fold;
    const struct tranche_store_functions *store = core->store->functions;
    uint32_t members[TRANCHE_CHUNK], member_count;
    struct done_list list;
    list.count = 0;

    uint32_t chunk = chunk_of(fold->batch_devices, fold->reached);
    struct span span = chunk_span(fold->total, fold->batch_devices, chunk);
    uint32_t count = span.first + span.count - fold->reached;
    lower(&count, fold->end - fold->reached);
    lower(&count, devices_max);
    lower(&count, (uint32_t)TRANCHE_CHUNK / fold->definition.step_count);
    enum tranche_code code = store->chunk_load(core->store, fold->job, chunk, members, &member_count, err);
    if (code == TRANCHE_OK)
        code = store->job_done(core->store, fold->job, fold->reached, count, collect_done, &list, err);
    for (uint32_t i = 0; i < list.count && code == TRANCHE_OK; i++) {
        const struct tranche_done_record *done = &list.done[i];
        uint16_t step_count;
        const struct tranche_step *steps = definition_done(&fold->definition, done->step, done->final, &step_count);
        code = store->device_apply(core->store, members[done->ordinal - span.first], steps, step_count, done->at_us, err);
    }
    fold->reached += count;
    return code;
}

enum tranche_code fold_write(struct core *core, struct tranche_err *err)
{
    struct fold *fold = &core->fold;
    if (fold->job == 0 || core->draining)
        return TRANCHE_OK;
    enum tranche_code code = TRANCHE_OK;
    uint32_t limit = fold->next + (is_any_live(core) ? FOLD_DEVICES_BESIDE : FOLD_DEVICES_ALONE);
    lower(&limit, fold->end);
    fold->reached = fold->next;
    while (fold->reached < limit && code == TRANCHE_OK)
        code = fold_slice(core, limit - fold->reached, err);
    if (code == TRANCHE_OK && fold->reached == fold->end && fold->over)
        code = core->store->functions->fold_drop(core->store, fold->job, err);
    else if (code == TRANCHE_OK)
        code = core->store->functions->fold_put(core->store, fold->job, fold->reached, err);
    if (code == TRANCHE_NOTFOUND) { /* a row is missing: this job's trouble alone */
        log_error("engine", "values cannot be folded", "job=%lld err=\"%s\"", (long long)fold->job, err->text);
        leave_job(fold);
        return TRANCHE_OK;
    }
    return code == TRANCHE_OK ? code : fail_in(err, code, "fold values");
}

void fold_settled(struct core *core)
{
    struct fold *fold = &core->fold;
    if (fold->job == 0)
        return;
    fold->next = fold->reached;
    if (fold->next >= fold->end)
        leave_job(fold);
}

void fold_free(struct core *core)
{
    definition_free(&core->fold.definition);
}
