#include "fake_runner.h"

#include "fail.h"
#include "state.h"
#include "when.h"

#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMANDS_MAX 4096

/* What a test wants to be done on the runner's thread. */
struct errand {
    fake_runner_act *act;
    void *context;
    struct tranche_err *err;
    enum tranche_code code;
    bool done;
};

struct runner {
    struct tranche_store *store;
    int64_t commit_number;
    pthread_t thread;
    atomic_uint slices;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct command *first, **last;
    int64_t due_us[COMMANDS_MAX]; /* of the commands, in the same order */
    unsigned due_first, due_count;
    unsigned count_max;
    unsigned delay_ms;
    enum tranche_code trouble;
    bool held, closing;
    struct errand *errand;
};

static int64_t mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the store ---- */

static void begin(struct runner *runner)
{
    struct tranche_err err = { 0 };
    enum tranche_code code;
    while ((code = runner->store->functions->begin(runner->store, ++runner->commit_number, &err)) ==
           TRANCHE_UNAVAILABLE)
        sched_yield();
    if (code != TRANCHE_OK)
        fprintf(stderr, "fake runner: begin: %s\n", err.text);
    assert(code == TRANCHE_OK);
}

static void commit(struct runner *runner)
{
    struct tranche_err err = { 0 };
    enum tranche_code code = runner->store->functions->commit_start(runner->store, &err);
    enum tranche_commit end = TRANCHE_COMMIT_PENDING;
    while (code == TRANCHE_OK && end == TRANCHE_COMMIT_PENDING)
        end = runner->store->functions->commit_ended(runner->store, &err);
    if (end != TRANCHE_COMMIT_DONE)
        fprintf(stderr, "fake runner: commit: %s\n", err.text);
    assert(end == TRANCHE_COMMIT_DONE);
}

/* ---- commands ---- */

static enum tranche_code find(struct runner *runner, const char *id, struct tranche_job_record *job,
                              struct tranche_err *err)
{
    enum tranche_code code = runner->store->functions->job_find(runner->store, id, job, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "Job \"%s\" was not found.", id);
    return code;
}

static void take_over(struct command *command, struct tranche_job_record *job)
{
    tranche_job_record_free(&command->job);
    command->job = *job;
}

static enum tranche_code create(struct runner *runner, struct command *command)
{
    struct tranche_job_record job = { 0 };
    enum tranche_code code = find(runner, command->job.id, &job, &command->err);
    if (code == TRANCHE_OK) {
        bool same = strcmp(job.definition, command->job.definition) == 0;
        if (!same)
            code = fail(&command->err, TRANCHE_CONFLICT,
                        "Job \"%s\" exists with a different definition; it is %s.", job.id,
                        job_state_on_wire(job.state));
        take_over(command, &job);
        return code;
    }
    if (code != TRANCHE_NOTFOUND)
        return code;
    command->job.created_us = when_now_us();
    return runner->store->functions->job_insert(runner->store, &command->job, &command->err);
}

static enum tranche_code order(struct runner *runner, struct command *command, enum job_verdict verdict,
                               const char *verb, enum tranche_job_state to)
{
    struct tranche_job_record *job = &command->job;
    if (verdict == JOB_NO_EFFECT)
        return TRANCHE_OK;
    if (verdict == JOB_REFUSED)
        return fail(&command->err, TRANCHE_CONFLICT, "Job \"%s\" cannot be %s: it is %s.", job->id, verb,
                    job_state_on_wire(job->state));
    job->state = to;
    return runner->store->functions->job_update(runner->store, job, &command->err);
}

static enum tranche_code stop_or_resume(struct runner *runner, struct command *command)
{
    struct tranche_job_record job = { 0 };
    enum tranche_code code = find(runner, command->job.id, &job, &command->err);
    if (code != TRANCHE_OK)
        return code;
    take_over(command, &job);
    if (command->kind == COMMAND_JOB_STOP)
        return order(runner, command, job_stop_verdict(job.state), "stopped", TRANCHE_JOB_STOPPED);
    return order(runner, command, job_resume_verdict(job.state, job.started_us != 0), "resumed",
                 TRANCHE_JOB_RUNNING);
}

static enum tranche_code rerun(struct runner *runner, struct command *command)
{
    struct tranche_job_record origin = { 0 };
    enum tranche_code code = find(runner, command->job.id, &origin, &command->err);
    if (code != TRANCHE_OK)
        return code;
    if (job_rerun_verdict(origin.state) != JOB_ALLOWED) {
        code = fail(&command->err, TRANCHE_CONFLICT, "Job \"%s\" cannot be rerun: it is %s.", origin.id,
                    job_state_on_wire(origin.state));
        tranche_job_record_free(&origin);
        return code;
    }
    struct tranche_job_record job = {
        .origin = origin.no,
        .definition = origin.definition,
        .created_us = when_now_us(),
        .estimate = origin.tally.failed + origin.tally.unknown,
    };
    origin.definition = NULL;
    snprintf(job.id, sizeof job.id, "%s", command->rerun);
    snprintf(job.group, sizeof job.group, "%s", origin.group);
    tranche_job_record_free(&origin);
    take_over(command, &job);
    return runner->store->functions->job_insert(runner->store, &command->job, &command->err);
}

/* All slices, a transaction each. */
static enum tranche_code write_all(struct runner *runner, struct command *command)
{
    bool more = true;
    while (more) {
        begin(runner);
        enum tranche_code code = command->write(command, runner->store, when_now_us(), &more, &command->err);
        if (code != TRANCHE_OK) {
            runner->store->functions->rollback(runner->store);
            return code;
        }
        commit(runner);
        atomic_fetch_add(&runner->slices, 1);
        if (command->committed != NULL)
            command->committed(command);
    }
    return TRANCHE_OK;
}

static void carry_out(struct runner *runner, struct command *command)
{
    if (command->kind == COMMAND_WRITE) {
        command->code = write_all(runner, command);
        return;
    }
    begin(runner);
    switch (command->kind) {
    case COMMAND_JOB_CREATE:
        command->code = create(runner, command);
        break;
    case COMMAND_JOB_STOP:
    case COMMAND_JOB_RESUME:
        command->code = stop_or_resume(runner, command);
        break;
    case COMMAND_JOB_RERUN:
        command->code = rerun(runner, command);
        break;
    case COMMAND_CALL: /* no device is behind it */
        command->code = fail(&command->err, TRANCHE_UNAVAILABLE, "no device can be called");
        break;
    case COMMAND_WRITE:
        break;
    }
    if (command->code == TRANCHE_OK)
        commit(runner);
    else
        runner->store->functions->rollback(runner->store);
}

/* ---- the thread ---- */

static void wait_until(struct runner *runner, int64_t at_us)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t nanos = until.tv_nsec + (at_us - mono_us()) * 1000;
    if (nanos > until.tv_nsec) {
        until.tv_sec += nanos / 1000000000;
        until.tv_nsec = nanos % 1000000000;
        pthread_cond_timedwait(&runner->changed, &runner->mutex, &until);
    }
}

/* The next command that is due, holding the mutex; NULL: none yet. */
static struct command *take_due(struct runner *runner)
{
    struct command *command = runner->first;
    if (command == NULL || (runner->held && !runner->closing) ||
        (runner->due_us[runner->due_first] > mono_us() && !runner->closing))
        return NULL;
    runner->first = command->next;
    if (runner->first == NULL)
        runner->last = &runner->first;
    runner->due_first = (runner->due_first + 1) % COMMANDS_MAX;
    runner->due_count--;
    return command;
}

static void do_errand(struct runner *runner)
{
    struct errand *errand = runner->errand;
    begin(runner);
    errand->code = errand->act(runner->store, errand->context, errand->err);
    if (errand->code == TRANCHE_OK)
        commit(runner);
    else
        runner->store->functions->rollback(runner->store);
    errand->done = true;
    runner->errand = NULL;
    pthread_cond_broadcast(&runner->changed);
}

static void *run(void *argument)
{
    struct runner *runner = argument;
    pthread_mutex_lock(&runner->mutex);
    for (;;) {
        struct command *command = take_due(runner);
        if (runner->errand != NULL)
            do_errand(runner);
        if (command != NULL) {
            pthread_mutex_unlock(&runner->mutex);
            carry_out(runner, command);
            command->done(command);
            pthread_mutex_lock(&runner->mutex);
        } else if (runner->closing)
            break;
        else if (runner->first != NULL && !runner->held)
            wait_until(runner, runner->due_us[runner->due_first]);
        else if (runner->errand == NULL)
            pthread_cond_wait(&runner->changed, &runner->mutex);
    }
    pthread_mutex_unlock(&runner->mutex);
    return NULL;
}

/* ---- runner.h ---- */

enum tranche_code runner_open(struct runner **out, const struct config *config, struct tranche_store *store,
                              const struct tranche_connector *connector, const void *connector_state,
                              struct tranche_err *err)
{
    (void)connector;
    (void)connector_state;
    struct runner *runner = calloc(1, sizeof *runner);
    if (runner == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    runner->store = store;
    runner->last = &runner->first;
    runner->count_max = (unsigned)config->mailbox_max;
    enum tranche_code code = store->functions->commit_number(store, &runner->commit_number, err);
    if (code != TRANCHE_OK) {
        free(runner);
        return code;
    }
    pthread_mutex_init(&runner->mutex, NULL);
    pthread_cond_init(&runner->changed, NULL);
    int error = pthread_create(&runner->thread, NULL, run, runner);
    assert(error == 0);
    *out = runner;
    return TRANCHE_OK;
}

enum tranche_code runner_post(struct runner *runner, struct command *command, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    pthread_mutex_lock(&runner->mutex);
    if (runner->closing)
        code = fail(err, TRANCHE_UNAVAILABLE, "the server is shutting down");
    else if (runner->trouble != TRANCHE_OK)
        code = fail(err, runner->trouble, "%s", tranche_code_text(runner->trouble));
    else if (runner->due_count == runner->count_max || runner->due_count == COMMANDS_MAX)
        code = fail(err, TRANCHE_FULL, "%u requests are waiting already; try again", runner->count_max);
    else {
        command->next = NULL;
        command->code = TRANCHE_OK;
        *runner->last = command;
        runner->last = &command->next;
        runner->due_us[(runner->due_first + runner->due_count++) % COMMANDS_MAX] =
            mono_us() + (int64_t)runner->delay_ms * 1000;
        pthread_cond_broadcast(&runner->changed);
    }
    pthread_mutex_unlock(&runner->mutex);
    return code;
}

uint32_t runner_calls_max(const struct runner *runner)
{
    (void)runner;
    return FAKE_CALLS_MAX;
}

bool runner_is_healthy(struct runner *runner, struct tranche_err *err)
{
    pthread_mutex_lock(&runner->mutex);
    enum tranche_code trouble = runner->trouble;
    pthread_mutex_unlock(&runner->mutex);
    if (trouble != TRANCHE_OK)
        fail(err, trouble, "%s", tranche_code_text(trouble));
    return trouble == TRANCHE_OK;
}

uint32_t runner_stop(struct runner *runner)
{
    pthread_mutex_lock(&runner->mutex);
    runner->closing = true;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->mutex);
    pthread_join(runner->thread, NULL);
    return 0;
}

void runner_close(struct runner *runner)
{
    pthread_cond_destroy(&runner->changed);
    pthread_mutex_destroy(&runner->mutex);
    free(runner);
}

/* ---- fake_runner.h ---- */

void fake_runner_set_delay_ms(struct runner *runner, unsigned delay_ms)
{
    pthread_mutex_lock(&runner->mutex);
    runner->delay_ms = delay_ms;
    pthread_mutex_unlock(&runner->mutex);
}

void fake_runner_set_trouble(struct runner *runner, enum tranche_code code)
{
    pthread_mutex_lock(&runner->mutex);
    runner->trouble = code;
    pthread_mutex_unlock(&runner->mutex);
}

void fake_runner_hold(struct runner *runner, bool hold)
{
    pthread_mutex_lock(&runner->mutex);
    runner->held = hold;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->mutex);
}

enum tranche_code fake_runner_do(struct runner *runner, fake_runner_act *act, void *context,
                                 struct tranche_err *err)
{
    struct errand errand = { .act = act, .context = context, .err = err };
    pthread_mutex_lock(&runner->mutex);
    assert(runner->errand == NULL);
    runner->errand = &errand;
    pthread_cond_broadcast(&runner->changed);
    while (!errand.done)
        pthread_cond_wait(&runner->changed, &runner->mutex);
    pthread_mutex_unlock(&runner->mutex);
    return errand.code;
}

unsigned fake_runner_slices(const struct runner *runner)
{
    return atomic_load(&runner->slices);
}
