/* A job's life: admission, counting, thresholds, batches, and the ends. Every change of a job's state is
 * here, one log line each. */
#include "core_internal.h"

#include "batch.h"
#include "fail.h"
#include "job_read.h"
#include "log.h"
#include "outcome.h"
#include "state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void move(struct core *core, struct job *job, enum tranche_job_state to);
static void trip(struct core *core, struct job *job);
static void end(struct core *core, struct job *job, enum tranche_job_state to);
static enum tranche_code admit(struct core *core, struct job *job, struct tranche_err *err);

/* ---- a device's word ---- */

static void note_local_trouble(struct core *core, const struct task *task)
{
    if (core->mono_us < core->local_pause_until_us)
        return; /* the same trouble, seen by the calls that were already out */
    log_warn("engine", "local trouble, issuing pauses", "pause_ms=%lld err=\"%s\"",
             (long long)(core->local_pause_us / 1000), task->outcome.reason);
    core->local_pause_until_us = core->mono_us + core->local_pause_us;
    core->local_pause_us *= 2;
    if (core->local_pause_us > LOCAL_PAUSE_US_MAX)
        core->local_pause_us = LOCAL_PAUSE_US_MAX;
}

static void wait_again(struct job *job, const struct task *task, uint16_t step, uint16_t attempt)
{
    struct tranche_retry_record again = { .ordinal = task->ordinal, .step = step, .attempt = attempt };
    job_wait(job, &again, task->device_no, false);
}

void life_apply(struct core *core, struct job *job, struct task *task)
{
    enum tranche_outcome_class class = task->outcome.class;
    if (class == TRANCHE_OUTCOME_LOCAL)
        note_local_trouble(core, task);
    else if (class != TRANCHE_OUTCOME_NOT_SENT)
        core->local_pause_us = LOCAL_PAUSE_US;

    if (class == TRANCHE_OUTCOME_LOCAL || class == TRANCHE_OUTCOME_NOT_SENT) {
        job_strike(job, task);
        job->record.calls--;
        job->record_changed = true;
        wait_again(job, task, task->step, task->attempt);
        job_settle(job, task);
        return;
    }
    job_strike(job, task);
    job->rate_count++;
    life_count(core, job, task);
}

static void tally(struct tranche_tally *counts, enum tranche_device_state state)
{
    switch (state) {
    case TRANCHE_DEVICE_COMPLETED:
        counts->completed++;
        return;
    case TRANCHE_DEVICE_FAILED:
        counts->failed++;
        return;
    case TRANCHE_DEVICE_UNKNOWN:
        counts->unknown++;
        return;
    case TRANCHE_DEVICE_PENDING:
    case TRANCHE_DEVICE_STATE_COUNT:
        break;
    }
    abort(); /* no final state */
}

void life_count(struct core *core, struct job *job, struct task *task)
{
    task->state = TRANCHE_DEVICE_PENDING;
    device_move(&task->state, outcome_final_state(&task->outcome));
    task->final = task->state != TRANCHE_DEVICE_COMPLETED || task->step + 1 >= job->plan->step_count;
    task->has_result = true;
    task->at_us = core->now_us;
    core->counters.results++;
    job_settle(job, task);

    if (!task->final) {
        wait_again(job, task, (uint16_t)(task->step + 1), 1);
        return;
    }
    tally(&job->record.tally, task->state);
    tally(&job->batch.tally, task->state);
    job->record_changed = job->batch_changed = true;
    if (tranche_tally_pending(&job->batch.tally) == 0)
        core_hurry(core);

    enum tranche_job_state state = job->record.state;
    bool may_trip = state == TRANCHE_JOB_RUNNING || state == TRANCHE_JOB_STOPPING;
    if (may_trip &&
        threshold_tripped(&job->plan->definition.threshold, &job->record.tally, &job->batch.tally))
        trip(core, job);
}

static void trip(struct core *core, struct job *job)
{
    plan_halt(job->plan);
    move(core, job, TRANCHE_JOB_CANCELLING);
    free(job->record.reason);
    job->record.reason = strdup("the cancellation threshold was exceeded");
}

/* ---- onward ---- */

static void measure_rate(const struct core *core, struct job *job)
{
    int64_t span_us = core->mono_us - job->rate_since_us;
    if (span_us < RATE_SPAN_US)
        return;
    double now = (double)job->rate_count * 1e6 / (double)span_us;
    job->rate = job->rate == 0 || now == 0 ? now : (job->rate + now) / 2;
    job->rate_count = 0;
    job->rate_since_us = core->mono_us;
}

static void begin_batch(struct core *core, struct job *job, uint32_t index)
{
    job->record.batch = index;
    struct span span = job_batch_span(job);
    job->batch = (struct tranche_batch_record){ .index = index,
                                                .started_us = core->now_us,
                                                .tally = { .total = span.count } };
    job->record_changed = job->batch_changed = true;
}

static void advance_batch(struct core *core, struct job *job)
{
    if (tranche_tally_pending(&job->batch.tally) > 0)
        return;
    if (job->batch.ended_us == 0) {
        job->batch.ended_us = core->now_us;
        job->batch_changed = true;
        core_hurry(core);
        log_info("engine", "batch done", "job=%s batch=%u completed=%u failed=%u unknown=%u", job->record.id,
                 job->batch.index, job->batch.tally.completed, job->batch.tally.failed,
                 job->batch.tally.unknown);
    }
    if (job->record.batch + 1 == batch_count(job->record.tally.total, job->record.batch_devices))
        end(core, job, TRANCHE_JOB_COMPLETE);
    else if (!job->batch_changed)
        begin_batch(core, job, job->record.batch + 1); /* the old batch's row is durable */
}

void life_advance(struct core *core, struct job *job)
{
    if (job->phase == JOB_FREEZING || job->phase == JOB_COUNTING) {
        members_ask(core, job);
        members_cut(core, job);
        return;
    }
    if (!life_is_live(job) || job->phase != JOB_READY)
        return;
    measure_rate(core, job);
    switch (job->record.state) {
    case TRANCHE_JOB_RUNNING:
        advance_batch(core, job);
        return;
    case TRANCHE_JOB_STOPPING:
        if (job->open == 0)
            move(core, job, TRANCHE_JOB_STOPPED);
        return;
    case TRANCHE_JOB_CANCELLING:
        if (job->open == 0)
            end(core, job, TRANCHE_JOB_CANCELLED);
        return;
    default:
        return;
    }
}

static void end(struct core *core, struct job *job, enum tranche_job_state to)
{
    job->record.ended_us = core->now_us;
    move(core, job, to);
}

static void move(struct core *core, struct job *job, enum tranche_job_state to)
{
    log_info("engine", "job moves", "job=%s from=%s to=%s completed=%u failed=%u unknown=%u total=%u",
             job->record.id, job_state_name(job->record.state), job_state_name(to),
             job->record.tally.completed, job->record.tally.failed, job->record.tally.unknown,
             job->record.tally.total);
    bool was_live = life_is_live(job);
    job_move(&job->record.state, to);
    job->record_changed = true;
    if (!was_live && life_is_live(job) && job->record.started_us == 0)
        job->record.started_us = core->now_us;
    core_hurry(core);
}

/* ---- orders ---- */

void life_stop(struct core *core, struct job *job)
{
    if (job->record.state == TRANCHE_JOB_PENDING) {
        if (job->phase == JOB_FREEZING && !job->record.frozen)
            job->drop_chunks = true;
        members_forget(core, job);
        move(core, job, TRANCHE_JOB_STOPPED);
        return;
    }
    assert(job->record.state == TRANCHE_JOB_RUNNING);
    if (job->phase != JOB_READY) { /* recovered, and not yet counted: nothing is in flight */
        members_forget(core, job);
        move(core, job, TRANCHE_JOB_STOPPED);
        return;
    }
    plan_halt(job->plan);
    move(core, job, TRANCHE_JOB_STOPPING);
}

void life_resume(struct core *core, struct job *job)
{
    if (job->record.state == TRANCHE_JOB_STOPPING) {
        move(core, job, TRANCHE_JOB_RUNNING);
        return;
    }
    job->recount_heals = job->record.state == TRANCHE_JOB_HELD;
    if (job->recount_heals) {
        free(job->record.reason);
        job->record.reason = NULL;
    }
    move(core, job, TRANCHE_JOB_PENDING);
    job->record.resumed = true;
    job->phase = JOB_QUEUED;
}

void life_hold(struct core *core, struct job *job, const char *reason)
{
    if (job->plan != NULL)
        plan_halt(job->plan);
    log_error("engine", "the job is held, a person must look", "job=%s err=\"%s\"", job->record.id, reason);
    free(job->record.reason);
    job->record.reason = strdup(reason);
    move(core, job, TRANCHE_JOB_HELD);
}

void life_fail(struct core *core, struct job *job, const char *reason)
{
    if (job->phase == JOB_FREEZING && !job->record.frozen)
        job->drop_chunks = true;
    members_forget(core, job);
    free(job->record.reason);
    job->record.reason = strdup(reason);
    end(core, job, TRANCHE_JOB_FAILED);
}

/* ---- admission ---- */

bool life_is_live(const struct job *job)
{
    enum tranche_job_state state = job->record.state;
    return state == TRANCHE_JOB_RUNNING || state == TRANCHE_JOB_STOPPING || state == TRANCHE_JOB_CANCELLING;
}

/* A call to one device waits behind no job. There are CALLS_MAX of them at most, for which descriptors are kept back. */
static bool is_single(const struct job *job)
{
    return job->record.device[0] != '\0';
}

static bool takes_a_place(const struct job *job)
{
    return life_is_live(job) || (job->record.state == TRANCHE_JOB_PENDING && job->phase != JOB_QUEUED);
}

/* Whether there is a place for one more: a number of them, and the sum of all jobs' calls within what the descriptors
 * allow, so that no job's calls ever wait for another's. The first always has one. */
static bool has_place(const struct core *core, uint32_t running)
{
    bool fits = (running + 1) * core->config.in_flight + CALLS_MAX <= core->world->calls_max;
    return running == 0 || (running < core->config.jobs_running_max && fits);
}

/* In the order in which they were created: a job that finds no place lets none that came later go ahead. */
void life_admit(struct core *core)
{
    if (core->draining || core->recovering)
        return;
    uint32_t running = 0;
    for (struct job *job = core->jobs; job != NULL; job = job->next)
        running += takes_a_place(job) && !is_single(job);
    for (struct job *job = core->jobs; job != NULL; job = job->next) {
        if (job->phase != JOB_QUEUED || (job->record.state != TRANCHE_JOB_PENDING && !life_is_live(job)))
            continue;
        bool newcomer = !takes_a_place(job); /* a recovered job that was running has its place */
        if (newcomer && !is_single(job) && !has_place(core, running))
            continue;
        running += newcomer && !is_single(job);
        struct tranche_err err = { 0 };
        enum tranche_code code = admit(core, job, &err);
        if (code == TRANCHE_NOMEM) /* memory comes back: tried again after a pause */
            core->local_pause_until_us = core->mono_us + core->local_pause_us;
        else if (code != TRANCHE_OK)
            life_fail(core, job, err.text);
    }
}

static uint32_t share(uint64_t whole, uint64_t percent)
{
    uint64_t part = whole * percent / 100;
    return part > UINT32_MAX ? UINT32_MAX : (uint32_t)part;
}

/* A name may be escaped, in a URL to three times its length and in JSON to six times. */
static size_t text_bytes(const struct definition *definition)
{
    size_t bytes = PLAN_TEXT_BYTES;
    for (uint16_t i = 0; i < definition->step_count; i++) {
        const struct tranche_step *step = &definition->steps[i];
        bytes += 6 * (strlen(step->component) + strlen(step->name)) + step->value_bytes;
    }
    return bytes;
}

enum tranche_code life_plan(struct core *core, struct job *job, struct tranche_err *err)
{
    struct plan *plan = calloc(1, sizeof *plan + core->world->worker_count * sizeof *plan->lanes);
    if (plan == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    enum tranche_code code = job_definition(&job->record, &plan->definition, err);
    if (code != TRANCHE_OK) {
        free(plan);
        return code;
    }

    bool command = plan->definition.kind == TRANCHE_STEP_COMMAND;
    const struct config *config = &core->config;
    strcpy(plan->job, job->record.id);
    bool property = plan->definition.kind == TRANCHE_STEP_PROPERTY;
    plan->in_registry = !command && !property;
    bool merged = plan->in_registry || (property && core->connector->merges);
    plan->step_count = merged ? 1 : plan->definition.step_count;
    plan->text_bytes = text_bytes(&plan->definition);
    plan->connector = core->connector;
    plan->connector_state = core->connector_state;
    plan->timeout_ms =
        (uint32_t)(command ? config->call_timeout_command_ms : config->call_timeout_property_ms);
    plan->idle_max_ms = (uint32_t)(command ? config->idle_command_ms : config->idle_property_ms);
    plan->in_flight = is_single(job) ? 1 : (uint32_t)config->in_flight;
    uint32_t workers = core->world->worker_count;
    for (uint32_t i = 0; i < workers; i++)
        plan->lanes[i].cap = plan->in_flight / workers + (i < plan->in_flight % workers);
    job->window = share(plan->in_flight, command ? config->window_command_pct : config->window_property_pct);
    if (plan->in_registry && job->window > REGISTRY_WINDOW)
        job->window = REGISTRY_WINDOW;
    job->open_max = share(job->window, config->open_devices_pct);
    job->plan = plan;
    return TRANCHE_OK;
}

static enum tranche_code admit(struct core *core, struct job *job, struct tranche_err *err)
{
    enum tranche_code code = job->plan == NULL ? life_plan(core, job, err) : TRANCHE_OK;
    if (code != TRANCHE_OK)
        return code;
    job->ticket = ++core->ticket_last;
    job->asked = false;
    job->phase = job->record.frozen ? JOB_COUNTING : JOB_FREEZING;
    return TRANCHE_OK;
}

void life_begin_running(struct core *core, struct job *job)
{
    job->phase = JOB_READY;
    if (job->record.state == TRANCHE_JOB_PENDING && job->record.tally.total == 0) {
        job->record.started_us = core->now_us;
        end(core, job, TRANCHE_JOB_COMPLETE);
        return;
    }
    if (job->record.state == TRANCHE_JOB_PENDING) {
        bool first = job->record.started_us == 0;
        move(core, job, TRANCHE_JOB_RUNNING);
        if (first)
            begin_batch(core, job, 0);
    }
    bool tripped = threshold_tripped(&job->plan->definition.threshold, &job->record.tally, &job->batch.tally);
    if (tripped && job->record.state == TRANCHE_JOB_RUNNING)
        trip(core, job); /* while the server was down, by calls whose outcome is unknown */
}

/* ---- the list ---- */

struct job *life_add(struct core *core, struct tranche_job_record *record)
{
    struct job *job = job_new(record);
    if (job == NULL)
        return NULL;
    struct job **place = &core->jobs;
    while (*place != NULL && job->record.no != 0 && (*place)->record.no != 0 &&
           (*place)->record.no < job->record.no)
        place = &(*place)->next;
    if (job->record.no == 0)
        while (*place != NULL)
            place = &(*place)->next;
    job->next = *place;
    *place = job;
    job->rate_since_us = core->mono_us;
    return job;
}

struct job *life_find(struct core *core, const char *id)
{
    for (struct job *job = core->jobs; job != NULL; job = job->next)
        if (strcmp(job->record.id, id) == 0)
            return job;
    return NULL;
}

struct job *life_numbered(const struct core *core, int64_t no)
{
    for (struct job *job = core->jobs; job != NULL; job = job->next)
        if (job->record.no == no)
            return job;
    return NULL;
}

void life_remove(struct core *core, struct job *job)
{
    struct job **place = &core->jobs;
    while (*place != job)
        place = &(*place)->next;
    *place = job->next;
    job_free(job);
}

/* Jobs with nothing left to do leave memory, once that is durable. */
void life_remove_ended(struct core *core)
{
    for (struct job **place = &core->jobs; *place != NULL;) {
        struct job *job = *place;
        bool rests = job_state_is_over(job->record.state) || job->record.state == TRANCHE_JOB_STOPPED ||
                     job->record.state == TRANCHE_JOB_HELD;
        if (!rests || job->at_workers > 0 || job->open > 0 || job->settling != NULL || job->record_changed) {
            place = &job->next;
            continue;
        }
        *place = job->next;
        job_free(job);
        core->scheduler.ended = true;
        fold_want(core);
    }
}
