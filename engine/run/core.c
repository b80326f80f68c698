#include "core_internal.h"

#include "fail.h"
#include "log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void take_results(struct core *core);
static void commit_end(struct core *core);
static void commit_done(struct core *core);
static void commit_failed(struct core *core, const struct tranche_err *trouble);
static void store_pause(struct core *core, const struct tranche_err *trouble);
static void recover_store(struct core *core);
static bool commit_is_due(const struct core *core);
static void commit_begin(struct core *core);
static void give_tasks(struct core *core);
static void move_on(struct core *core);
static int64_t next_wake(const struct core *core);

enum tranche_code core_open(struct core **out, const struct config *config, struct tranche_store *store,
                            struct world *world, const struct tranche_connector *connector,
                            const void *connector_state, struct tranche_err *err)
{
    struct core *core = calloc(1, sizeof *core);
    if (core == NULL)
        return fail(err, TRANCHE_NOMEM, "open core: out of memory");
    *core = (struct core){
        .config = *config,
        .store = store,
        .world = world,
        .connector = connector,
        .connector_state = connector_state,
        .worker_tasks = calloc(world->worker_count, sizeof *core->worker_tasks),
        .chunk_rows = calloc(CHUNK_ROWS_A_COMMIT, sizeof *core->chunk_rows),
        .scheduler = { .look = true, .ended = true },
        .store_retry_us = STORE_RETRY_US,
        .local_pause_us = LOCAL_PAUSE_US,
    };
    core->orders_last = &core->orders;
    core->writes_last = &core->writes;
    core->answers_last = &core->answers;
    core->calls_last = &core->calls;
    enum tranche_code code = TRANCHE_OK;
    if (core->worker_tasks == NULL || core->chunk_rows == NULL)
        code = fail(err, TRANCHE_NOMEM, "open core: out of memory");
    else
        code = store->functions->commit_number(store, &core->commit_number, err);
    if (code != TRANCHE_OK) {
        core_close(core);
        return code;
    }
    *out = core;
    return TRANCHE_OK;
}

void core_close(struct core *core)
{
    if (core == NULL)
        return;
    core_refuse_orders(core);
    while (core->jobs != NULL) {
        struct job *job = core->jobs;
        core->jobs = job->next;
        members_forget(core, job);
        job->at_workers = 0;
        job_free(job);
    }
    busy_free(&core->busy);
    fold_free(core);
    scheduler_free(core);
    free(core->worker_tasks);
    free(core->chunk_rows);
    free(core->sorted);
    free(core);
}

bool core_is_recovered(const struct core *core)
{
    return !core->recovering;
}

void core_post(struct core *core, struct command *command)
{
    if (core->orders_since_us == 0) /* which means: none; before the first tick the clock says 0, too */
        core->orders_since_us = core->mono_us > 0 ? core->mono_us : 1;
    orders_add(&core->orders_last, command);
}

int64_t core_tick(struct core *core, int64_t now_us, int64_t mono_us)
{
    core->now_us = now_us > core->now_us ? now_us : core->now_us + 1;
    core->mono_us = mono_us;
    core->calendar_us = now_us;

    if (core->store_state == STORE_COMMITTING)
        commit_end(core);
    if (core->store_state == STORE_UNSURE) {
        members_throw_away(core); /* the store recovers only when no reader holds a snapshot */
        recover_store(core);
    }
    if (core->store_state != STORE_READY)
        return next_wake(core);

    take_results(core);
    members_hear(core);
    orders_carry_out(core);
    move_on(core);
    if (commit_is_due(core))
        commit_begin(core);
    return next_wake(core);
}

void core_drain(struct core *core)
{
    core->draining = true;
    for (struct job *job = core->jobs; job != NULL; job = job->next)
        if (job->plan != NULL)
            plan_halt(job->plan);
    core_hurry(core);
}

static bool job_has_changes(const struct job *job)
{
    if (job->record_changed || job->batch_changed || job->new_row || job->drop_chunks)
        return true;
    return job->settling != NULL || job->to_give != NULL;
}

static bool has_changes(const struct core *core)
{
    if (core->answers != NULL || core->writes != NULL || core->scheduler.settled != NULL ||
        write_chunk_rows_ready(core) > 0)
        return true;
    for (const struct job *job = core->jobs; job != NULL; job = job->next)
        if (job_has_changes(job))
            return true;
    return false;
}

void core_refuse_orders(struct core *core)
{
    core->draining = true;
    orders_refuse(core);
    orders_give_up(core);
}

bool core_is_drained(const struct core *core)
{
    return core->tasks_out == 0 && core->store_state == STORE_READY && !has_changes(core);
}

uint32_t core_tasks_out(const struct core *core)
{
    return core->tasks_out;
}

bool core_is_healthy(const struct core *core, struct tranche_err *err)
{
    if (core->store_trouble.code == TRANCHE_OK)
        return true;
    if (err != NULL)
        *err = core->store_trouble;
    return false;
}

const struct core_counters *core_counters(const struct core *core)
{
    return &core->counters;
}

/* ---- what comes in ---- */

static void take_results(struct core *core)
{
    for (uint32_t i = 0; i < core->world->worker_count; i++) {
        for (struct task *task; (task = core->world->take(core->world->context, i)) != NULL;) {
            assert(core->worker_tasks[i] > 0);
            core->worker_tasks[i]--;
            core->tasks_out--;
            task->job->at_workers--;
            life_apply(core, task->job, task);
            if (core->result_since_us == 0)
                core->result_since_us = core->mono_us;
        }
    }
}

static void move_on(struct core *core)
{
    orders_hear(core);
    scheduler_advance(core);
    retention_advance(core);
    life_admit(core);
    for (struct job *job = core->jobs; job != NULL; job = job->next)
        life_advance(core, job);
    fold_look(core);
}

/* ---- the commit ---- */

/* The one rule (design.md 2). Big groups are what makes durability cheap, so a commit waits for company as
 * long as no worker starves and nobody waits too long. */
static bool commit_is_due(const struct core *core)
{
    if (core->mono_us < core->store_retry_at_us)
        return false;
    if (core->store_trouble.code != TRANCHE_OK)
        return true; /* an empty transaction tells when it is over */
    if (core->recovering || write_chunk_rows_ready(core) > 0)
        return true;
    if (core->result_since_us != 0 && core->mono_us >= core->result_since_us + RESULT_WAIT_US)
        return true;
    if (core->orders_since_us != 0 && core->mono_us >= core->orders_since_us + COMMAND_WAIT_US)
        return true;
    if (core->hurry && core->mono_us >= core->hurry_since_us + COMMAND_WAIT_US)
        return true;
    if (core->draining && has_changes(core))
        return true;

    int64_t fold_at_us;
    if (fold_is_due(core, &fold_at_us) && core->mono_us >= fold_at_us)
        return true;
    bool rested = core->mono_us >= core->commit_ended_us + core->commit_cost_us;
    for (const struct job *job = core->jobs; job != NULL; job = job->next) {
        if (job->settling_count > 0 && job->settling_count >= job->window / 4)
            return true;
        if (rested && job->at_workers <= issue_low_mark(core, job) && issue_wanted(core, job))
            return true;
    }
    return false;
}

/* Somebody else has the store's lock, for a token or a checkpoint: no trouble, unless it lasts. */
static bool is_briefly_busy(struct core *core)
{
    if (core->busy_since_us == 0)
        core->busy_since_us = core->mono_us;
    if (core->mono_us - core->busy_since_us > STORE_BUSY_US_MAX)
        return false;
    core->store_retry_at_us = core->mono_us + STORE_BUSY_RETRY_US;
    return true;
}

static void commit_begin(struct core *core)
{
    const struct tranche_store_functions *store = core->store->functions;
    struct tranche_err err = { 0 };
    enum tranche_code code = store->begin(core->store, core->commit_number + 1, &err);
    if (code == TRANCHE_UNAVAILABLE && is_briefly_busy(core))
        return;
    core->busy_since_us = 0;
    if (code != TRANCHE_OK) {
        fail_in(&err, code, "begin");
        commit_failed(core, &err);
        return;
    }
    core->commit_number++;
    core->commit_begun_us = core->mono_us;
    core->hurry = false;

    code = store->clock_put(core->store, core->now_us, &err);
    if (code == TRANCHE_OK && core_may_issue(core))
        code = issue_devices(core, &err);
    if (code == TRANCHE_OK)
        code = write_everything(core, &err);
    if (code == TRANCHE_OK)
        code = fold_write(core, &err);
    if (code == TRANCHE_OK)
        code = store->commit_start(core->store, &err);
    if (code != TRANCHE_OK) {
        store->rollback(core->store);
        commit_failed(core, &err);
        return;
    }
    core->store_state = STORE_COMMITTING;
    commit_end(core);
}

static void commit_end(struct core *core)
{
    struct tranche_err err = { 0 };
    switch (core->store->functions->commit_ended(core->store, &err)) {
    case TRANCHE_COMMIT_PENDING:
        return;
    case TRANCHE_COMMIT_DONE:
        core->store_state = STORE_READY;
        commit_done(core);
        return;
    case TRANCHE_COMMIT_FAILED:
        core->store_state = STORE_READY;
        commit_failed(core, &err);
        return;
    case TRANCHE_COMMIT_UNKNOWN:
        core->store_state = STORE_UNSURE;
        log_error("engine", "a commit has an unknown end", "err=\"%s\"", err.text);
        core->store_trouble = err;
        core->store_retry_at_us = core->mono_us;
        return;
    }
}

/* After an unknown end nothing is trusted until the store was reopened and checkpointed; its commit number
 * then tells whether the transaction is in it. */
static void recover_store(struct core *core)
{
    if (core->mono_us < core->store_retry_at_us)
        return;
    struct tranche_err err = { 0 };
    int64_t number = 0;
    enum tranche_code code = core->store->functions->recover(core->store, &err);
    if (code == TRANCHE_OK)
        code = core->store->functions->commit_number(core->store, &number, &err);
    if (code != TRANCHE_OK) {
        store_pause(core, &err); /* nobody knows yet what became of it */
        return;
    }
    core->store_state = STORE_READY;
    if (number == core->commit_number)
        commit_done(core);
    else
        commit_failed(core, &core->store_trouble);
}

static void commit_done(struct core *core)
{
    if (core->store_trouble.code != TRANCHE_OK) {
        log_info("engine", "the store takes writes again", NULL);
        core->store_trouble = (struct tranche_err){ 0 };
    }
    core->store_retry_us = STORE_RETRY_US;
    core->store_retry_at_us = 0;
    core->counters.commits++;
    core->result_since_us = 0;
    core->recovering = false;

    /* Smoothed over about eight commits, so that one slow sync does not look like the rule. */
    core->commit_ended_us = core->world->mono_us(core->world->context);
    int64_t took_us = core->commit_ended_us - core->commit_begun_us;
    core->commit_cost_us += (took_us - core->commit_cost_us) / 8;
    core->counters.commit_us += (uint64_t)took_us;

    write_settled(core);
    scheduler_settled(core);
    retention_settled(core);
    fold_settled(core);
    give_tasks(core);
    orders_answer(core);
    life_remove_ended(core);
    move_on(core); /* what only waited for this commit */
}

/* The store is in trouble: the next try comes after a pause that doubles. */
static void store_pause(struct core *core, const struct tranche_err *trouble)
{
    bool news = core->store_trouble.code == TRANCHE_OK;
    struct tranche_err kept = *trouble; /* `trouble` may be store_trouble itself */
    if (kept.code == TRANCHE_OK)
        fail(&kept, TRANCHE_UNAVAILABLE, "%s", tranche_code_text(TRANCHE_UNAVAILABLE));
    core->store_trouble = kept;
    if (news)
        log_error("engine", "the store refuses writes", "err=\"%s\"", kept.text);
    core->store_retry_at_us = core->mono_us + core->store_retry_us;
    core->store_retry_us *= 2;
    if (core->store_retry_us > STORE_RETRY_US_MAX)
        core->store_retry_us = STORE_RETRY_US_MAX;
    orders_give_up(core);
}

/* It is certainly not in the store. Whatever was marked stays marked; the next transaction writes it again.
 */
static void commit_failed(struct core *core, const struct tranche_err *trouble)
{
    core->counters.commits_failed++;
    for (struct command *command = core->writes; command != NULL; command = command->next)
        if (command->rolled_back != NULL)
            command->rolled_back(command);
    store_pause(core, trouble);
}

/* A worker that may begin calls of the job; with fewer calls than workers some may not. */
static uint32_t least_loaded(const struct core *core, const struct job *job)
{
    uint32_t best = 0; /* the first always has a share */
    for (uint32_t i = 1; i < core->world->worker_count; i++)
        if (job->plan->lanes[i].cap > 0 && core->worker_tasks[i] < core->worker_tasks[best])
            best = i;
    return best;
}

static void give_tasks(struct core *core)
{
    bool any = false;
    for (struct job *job = core->jobs; job != NULL; job = job->next) {
        for (struct task *task = job->to_give, *next; task != NULL; task = next) {
            next = task->next; /* given away, it is not ours any more */
            uint32_t worker = least_loaded(core, job);
            assert(core->worker_tasks[worker] < core->world->worker_tasks_max);
            task->worker = worker;
            core->worker_tasks[worker]++;
            core->tasks_out++;
            core->tasks_promised--;
            job->at_workers++;
            core->counters.tasks_given++;
            core->world->give(core->world->context, worker, task);
            any = true;
        }
        job->to_give = NULL;
        job->to_give_last = &job->to_give;
    }
    if (any)
        core->world->given(core->world->context);
}

/* ---- when to be called again ---- */

static void sooner(int64_t *wake, int64_t candidate)
{
    if (candidate < *wake)
        *wake = candidate;
}

static int64_t next_wake(const struct core *core)
{
    int64_t wake = INT64_MAX;
    if (core->store_state == STORE_COMMITTING)
        return wake; /* the world wakes us when it ends */
    if (core->store_state == STORE_UNSURE || core->store_retry_at_us > core->mono_us)
        return core->store_retry_at_us;

    if (core->local_pause_until_us > core->mono_us)
        sooner(&wake, core->local_pause_until_us);
    if (core->result_since_us != 0)
        sooner(&wake, core->result_since_us + RESULT_WAIT_US);
    if (core->orders_since_us != 0)
        sooner(&wake, core->orders_since_us + COMMAND_WAIT_US);
    if (core->hurry)
        sooner(&wake, core->hurry_since_us + COMMAND_WAIT_US);
    int64_t fold_at_us;
    if (fold_is_due(core, &fold_at_us))
        sooner(&wake, fold_at_us);
    if (fold_looks(core))
        sooner(&wake, core->fold.retry_at_us > core->mono_us ? core->fold.retry_at_us : core->mono_us);
    sooner(&wake, scheduler_wake(core));
    sooner(&wake, retention_wake(core));
    bool last_words = core->draining && has_changes(core);
    if (last_words || core->recovering || write_chunk_rows_ready(core) > 0)
        sooner(&wake, core->mono_us);
    for (const struct job *job = core->jobs; job != NULL; job = job->next) {
        if (job->members != NULL || (job->ticket != 0 && !job->asked))
            sooner(&wake, core->mono_us + 1000); /* rows to cut, or a reader whose queue was full */
        if (job->at_workers <= issue_low_mark(core, job) && issue_wanted(core, job))
            sooner(&wake, core->commit_ended_us + core->commit_cost_us);
    }
    return wake;
}
