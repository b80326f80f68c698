/* Commands: what the counter asks, carried out on the engine thread and answered when it is durable. */
#include "core_internal.h"

#include "fail.h"
#include "job_read.h"
#include "recovery.h"
#include "state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static enum tranche_code job_create(struct core *core, struct command *command, struct tranche_err *err);
static enum tranche_code job_stop(struct core *core, struct command *command, struct tranche_err *err);
static enum tranche_code job_resume(struct core *core, struct command *command, struct tranche_err *err);
static enum tranche_code job_rerun(struct core *core, struct command *command, struct tranche_err *err);
static enum tranche_code call_device(struct core *core, struct command *command, struct tranche_err *err);

typedef enum tranche_code carry_out(struct core *core, struct command *command, struct tranche_err *err);
static carry_out *const carriers[] = {
    [COMMAND_JOB_CREATE] = job_create,
    [COMMAND_JOB_STOP] = job_stop,
    [COMMAND_JOB_RESUME] = job_resume,
    [COMMAND_JOB_RERUN] = job_rerun,
    [COMMAND_CALL] = call_device,
};

void orders_add(struct command ***last, struct command *command)
{
    command->next = NULL;
    **last = command;
    *last = &command->next;
}

static struct command *take_all(struct command **first, struct command ***last)
{
    struct command *all = *first;
    *first = NULL;
    *last = first;
    return all;
}

void orders_carry_out(struct core *core)
{
    if (core->store_trouble.code != TRANCHE_OK || core->draining) {
        orders_refuse(core);
        return;
    }
    struct command *next;
    for (struct command *command = take_all(&core->orders, &core->orders_last); command != NULL;
         command = next) {
        next = command->next;
        command->code = TRANCHE_OK;
        if (command->kind == COMMAND_WRITE) {
            orders_add(&core->writes_last, command);
            continue;
        }
        command->code = carriers[command->kind](core, command, &command->err);
        bool waits = command->kind == COMMAND_CALL && command->code == TRANCHE_OK;
        orders_add(waits ? &core->calls_last : &core->answers_last, command);
    }
}

static void answer_all(struct command *first)
{
    for (struct command *command = first, *next; command != NULL; command = next) {
        next = command->next; /* done gives it back */
        command->done(command);
    }
}

void orders_answer(struct core *core)
{
    answer_all(take_all(&core->answers, &core->answers_last));
    bool slices_left = core->writes != NULL;
    core->orders_since_us = slices_left ? core->mono_us - COMMAND_WAIT_US : 0;
    if (core->orders_since_us == 0 && core->orders != NULL)
        core->orders_since_us = core->mono_us;
}

static void answer_unavailable(struct command *first, const struct tranche_err *trouble)
{
    for (struct command *command = first; command != NULL; command = command->next)
        command->code = fail(&command->err, TRANCHE_UNAVAILABLE, "%s", trouble->text);
    answer_all(first);
}

/* Writes of which nothing is durable; the others stay. */
static struct command *take_unbegun(struct core *core)
{
    struct command *unbegun = NULL, **last = &unbegun;
    struct command *next, *writes = take_all(&core->writes, &core->writes_last);
    for (struct command *command = writes; command != NULL; command = next) {
        next = command->next;
        orders_add(command->begun ? &core->writes_last : &last, command);
    }
    return unbegun;
}

void orders_give_up(struct core *core)
{
    bool patient = core->mono_us - core->orders_since_us < COMMAND_PATIENCE_US && !core->draining;
    if (core->orders_since_us == 0 || patient)
        return;
    answer_unavailable(take_all(&core->answers, &core->answers_last), &core->store_trouble);
    if (core->store_state != STORE_UNSURE) /* what may be in the store must not be taken for lost */
        answer_unavailable(take_unbegun(core), &core->store_trouble);
    core->orders_since_us = 0;
}

void orders_refuse(struct core *core)
{
    struct tranche_err trouble = core->store_trouble;
    if (trouble.code == TRANCHE_OK)
        fail(&trouble, TRANCHE_UNAVAILABLE, "the server is shutting down");
    answer_unavailable(take_all(&core->orders, &core->orders_last), &trouble);
    if (core->draining) { /* an import that has begun goes on after the restart, and so does a call */
        answer_unavailable(take_all(&core->writes, &core->writes_last), &trouble);
        answer_unavailable(take_all(&core->calls, &core->calls_last), &trouble);
    }
    if (core->answers == NULL && core->writes == NULL)
        core->orders_since_us = 0;
}

/* ---- helpers ---- */

/* The job as it stands, whether in memory or only in the store; *job is NULL in the latter case. `asked_id`
 * may be the record's own. */
static enum tranche_code look_up(struct core *core, const char *asked_id, struct job **job,
                                 struct tranche_job_record *record, struct tranche_err *err)
{
    char id[TRANCHE_ID_BYTES];
    strcpy(id, asked_id);
    *job = life_find(core, id);
    if (*job != NULL)
        return job_record_copy(&(*job)->record, record, err);
    enum tranche_code code = core->store->functions->job_find(core->store, id, record, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "Job \"%s\" was not found.", id);
    return code;
}

/* A job on a group: a call to a single device is none that anybody may stop or run again. */
static enum tranche_code look_up_job(struct core *core, const char *id, struct job **job,
                                     struct tranche_job_record *record, struct tranche_err *err)
{
    enum tranche_code code = look_up(core, id, job, record, err);
    if (code != TRANCHE_OK || record->device[0] == '\0')
        return code;
    fail(err, TRANCHE_NOTFOUND, "Job \"%s\" was not found.", record->id);
    tranche_job_record_free(record);
    return TRANCHE_NOTFOUND;
}

static bool is_over(struct core *core, struct command *command)
{
    struct job *job = life_find(core, command->job.id);
    if (job != NULL && (job_state_is_open(job->record.state) || job->record_changed || job->new_row))
        return false;
    char id[TRANCHE_ID_BYTES];
    strcpy(id, command->job.id);
    command->code = look_up(core, id, &job, &command->job, &command->err);
    return true;
}

/* They are answered with the next commit, which has the audit's word on them. */
void orders_hear(struct core *core)
{
    struct command *next;
    for (struct command *command = take_all(&core->calls, &core->calls_last); command != NULL; command = next) {
        next = command->next;
        bool over = is_over(core, command);
        orders_add(over ? &core->answers_last : &core->calls_last, command);
        if (over)
            core_hurry(core);
    }
}

static uint32_t jobs_queued(const struct core *core)
{
    uint32_t count = 0;
    for (const struct job *job = core->jobs; job != NULL; job = job->next)
        count += job->phase == JOB_QUEUED && job->record.device[0] == '\0';
    return count;
}

/* Whether two definitions are one job (api-contract.md 6.10). */
static bool same_definition(const struct tranche_job_record *a, const struct tranche_job_record *b)
{
    struct definition left = { 0 }, right = { 0 };
    struct text left_text = { 0 }, right_text = { 0 };
    bool same = job_definition(a, &left, NULL) == TRANCHE_OK && job_definition(b, &right, NULL) == TRANCHE_OK;
    if (same) {
        definition_print(&left, true, &left_text);
        definition_print(&right, true, &right_text);
        same = !left_text.failed && !right_text.failed && strcmp(left_text.bytes, right_text.bytes) == 0;
    }
    text_free(&left_text);
    text_free(&right_text);
    definition_free(&left);
    definition_free(&right);
    return same;
}

/* A new job, from now on in memory; its row goes with the next commit. The command keeps a copy for the
 * answer. */
static enum tranche_code add_new(struct core *core, struct command *command,
                                 struct tranche_job_record *record, struct tranche_err *err)
{
    if (jobs_queued(core) >= JOBS_WAITING_MAX)
        return fail(err, TRANCHE_FULL, "%d jobs are waiting already", JOBS_WAITING_MAX);
    enum tranche_code code = job_record_copy(record, &command->job, err);
    if (code != TRANCHE_OK)
        return code;
    struct job *job = life_add(core, record);
    if (job == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    job->new_row = true;
    return TRANCHE_OK;
}

/* ---- the commands ---- */

static enum tranche_code job_create(struct core *core, struct command *command, struct tranche_err *err)
{
    struct tranche_job_record existing = { 0 };
    struct job *job;
    enum tranche_code code = look_up(core, command->job.id, &job, &existing, err);
    if (code == TRANCHE_OK) {
        if (same_definition(&existing, &command->job))
            code = job_record_copy(&existing, &command->job, err);
        else
            code = fail(err, TRANCHE_CONFLICT, "Job \"%s\" exists with a different definition; it is %s.",
                        existing.id, job_state_on_wire(existing.state));
        tranche_job_record_free(&existing);
        return code;
    }
    if (code != TRANCHE_NOTFOUND)
        return code;
    if (command->only_present) /* nobody has looked whether it may be made */
        return fail(err, TRANCHE_CONFLICT, "Job \"%s\" was deleted at the same time; try again.", command->job.id);

    struct tranche_group_record group;
    code = core->store->functions->group_find(core->store, command->job.group, &group, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, TRANCHE_INVALID, "group: device group \"%s\" does not exist.", command->job.group);
    if (code != TRANCHE_OK)
        return code;

    struct tranche_job_record record = { 0 };
    code = job_record_copy(&command->job, &record, err);
    if (code != TRANCHE_OK)
        return code;
    record.created_us = core->now_us;
    record.state = TRANCHE_JOB_PENDING;
    code = add_new(core, command, &record, err);
    tranche_job_record_free(&record);
    return code;
}

static uint32_t calls_open(const struct core *core)
{
    uint32_t count = 0;
    for (const struct job *job = core->jobs; job != NULL; job = job->next)
        count += job->record.device[0] != '\0';
    return count;
}

/* A job of one device, which the command waits for. */
static enum tranche_code call_device(struct core *core, struct command *command, struct tranche_err *err)
{
    struct tranche_job_record record = { 0 };
    if (calls_open(core) >= CALLS_MAX)
        return fail(err, TRANCHE_FULL, "%d devices are being called already", CALLS_MAX);
    enum tranche_code code = job_record_copy(&command->job, &record, err);
    if (code != TRANCHE_OK)
        return code;
    record.created_us = core->now_us;
    record.state = TRANCHE_JOB_PENDING;
    record.estimate = 1;
    code = add_new(core, command, &record, err);
    tranche_job_record_free(&record);
    return code;
}

static enum tranche_code job_stop(struct core *core, struct command *command, struct tranche_err *err)
{
    struct job *job;
    enum tranche_code code = look_up_job(core, command->job.id, &job, &command->job, err);
    if (code != TRANCHE_OK)
        return code;
    switch (job_stop_verdict(command->job.state)) {
    case JOB_NO_EFFECT:
        return TRANCHE_OK;
    case JOB_REFUSED:
        return fail(err, TRANCHE_CONFLICT, "Job \"%s\" cannot be stopped: %s.", command->job.id,
                    job_state_refusal(command->job.state));
    case JOB_ALLOWED:
        break;
    }
    assert(job != NULL); /* what may be stopped is open, and what is open is in memory */
    life_stop(core, job);
    return job_record_copy(&job->record, &command->job, err);
}

static enum tranche_code job_resume(struct core *core, struct command *command, struct tranche_err *err)
{
    struct job *job;
    enum tranche_code code = look_up_job(core, command->job.id, &job, &command->job, err);
    if (code != TRANCHE_OK)
        return code;
    bool resumed = command->job.started_us != 0 || command->job.resumed;
    switch (job_resume_verdict(command->job.state, resumed)) {
    case JOB_NO_EFFECT:
        return TRANCHE_OK;
    case JOB_REFUSED:
        return fail(err, TRANCHE_CONFLICT, "Job \"%s\" cannot be resumed: %s.", command->job.id,
                    job_state_refusal(command->job.state));
    case JOB_ALLOWED:
        break;
    }
    if (job == NULL && jobs_queued(core) >= JOBS_WAITING_MAX)
        return fail(err, TRANCHE_FULL, "%d jobs are waiting already", JOBS_WAITING_MAX);
    if (job == NULL) {
        struct tranche_job_record record = { 0 };
        code = job_record_copy(&command->job, &record, err);
        if (code == TRANCHE_OK)
            code = recovery_load(core, &record, &job, err);
        tranche_job_record_free(&record);
        if (code != TRANCHE_OK)
            return code;
    }
    life_resume(core, job);
    return job_record_copy(&job->record, &command->job, err);
}

static enum tranche_code rerun_of(struct core *core, const struct tranche_job_record *origin,
                                  struct command *command, struct tranche_err *err)
{
    struct tranche_job_record record = { 0 };
    enum tranche_code code = job_record_copy(origin, &record, err);
    if (code != TRANCHE_OK)
        return code;
    free(record.reason);
    struct tranche_job_record fresh = {
        .origin = origin->no,
        .definition = record.definition,
        .state = TRANCHE_JOB_PENDING,
        .created_us = core->now_us,
        .estimate = origin->tally.failed + origin->tally.unknown,
    };
    strcpy(fresh.id, command->rerun);
    strcpy(fresh.group, origin->group);
    strcpy(fresh.organization, origin->organization);
    if (fresh.estimate == 0) { /* nothing to do: complete at once */
        fresh.frozen = true;
        fresh.started_us = fresh.ended_us = core->now_us;
        job_move(&fresh.state, TRANCHE_JOB_COMPLETE);
    }
    code = add_new(core, command, &fresh, err);
    tranche_job_record_free(&fresh);
    return code;
}

static enum tranche_code job_rerun(struct core *core, struct command *command, struct tranche_err *err)
{
    struct tranche_job_record origin = { 0 }, taken = { 0 };
    struct job *job;
    enum tranche_code code = look_up_job(core, command->job.id, &job, &origin, err);
    if (code != TRANCHE_OK)
        return code;

    code = look_up(core, command->rerun, &job, &taken, NULL);
    if (code == TRANCHE_OK && origin.no != 0 && taken.origin == origin.no)
        code = job_record_copy(&taken, &command->job, err);
    else if (code == TRANCHE_OK)
        code = fail(err, TRANCHE_CONFLICT, "The id \"%s\" is taken by another job; it is %s.", taken.id,
                    job_state_on_wire(taken.state));
    else if (code != TRANCHE_NOTFOUND)
        fail(err, code, "look up job \"%s\": %s", command->rerun, tranche_code_text(code));
    else if (job_rerun_verdict(origin.state) != JOB_ALLOWED)
        code = fail(err, TRANCHE_CONFLICT, "Job \"%s\" cannot be rerun: %s.", origin.id,
                    job_state_refusal(origin.state));
    else
        code = rerun_of(core, &origin, command, err);
    tranche_job_record_free(&origin);
    tranche_job_record_free(&taken);
    return code;
}
