/* Which devices next. Called inside the transaction that will carry their intents.
 *
 * First the devices that wait, oldest job first, so that of several jobs that want one device the oldest gets
 * it; then devices that were never issued, jobs taking turns to begin. Batches are strictly one after the
 * other; inside a batch the window slides.
 */
#include "core_internal.h"

#include "batch.h"
#include "fail.h"

#include <assert.h>
#include <string.h>

static enum tranche_code issue_waiting(struct core *core, struct job *job, struct tranche_err *err);
static enum tranche_code issue_new(struct core *core, struct job *job, struct tranche_err *err);

static bool may_call(const struct core *core, const struct job *job)
{
    return core_may_issue(core) && job->record.state == TRANCHE_JOB_RUNNING && job->phase == JOB_READY &&
           !job->freezes;
}

static bool has_due(const struct core *core, const struct job *job)
{
    for (uint32_t i = 0; i < job->waiting_count; i++) {
        const struct waiting *waiting = &job->waiting[i];
        if (!waiting->gone && !waiting->blocked && waiting->record.due_us <= core->now_us)
            return true;
    }
    return false;
}

static bool has_room_for_new(const struct job *job)
{
    return job_has_unissued(job) && job->open + job->waiting_alive < job->open_max;
}

/* How many outcomes come in during a span of time. */
static double outcomes_in(const struct job *job, int64_t span_us)
{
    return job->rate * (double)span_us / 1e6;
}

/* How many devices should be open: those in flight, and ahead of them what about four commits and the wait
 * for them use up. A quarter of in_flight stands in until the pace is known. */
uint32_t issue_target(const struct core *core, const struct job *job)
{
    double ahead = outcomes_in(job, 4 * core->commit_cost_us + RESULT_WAIT_US);
    double least = job->plan->in_flight / 4 + 1;
    double target = job->plan->in_flight + (ahead > least ? ahead : least);
    return target < job->window ? (uint32_t)target : job->window;
}

/* At or below this many tasks the workers would run dry within two commits. */
uint32_t issue_low_mark(const struct core *core, const struct job *job)
{
    if (job->plan == NULL)
        return 0;
    uint32_t target = issue_target(core, job);
    double mark = job->plan->in_flight + outcomes_in(job, 2 * core->commit_cost_us);
    return mark < target ? (uint32_t)mark : target - 1;
}

static bool total_room(const struct core *core)
{
    return core->tasks_out + core->tasks_promised < core->world->worker_count * core->world->worker_tasks_max;
}

bool issue_wanted(const struct core *core, const struct job *job)
{
    return may_call(core, job) && total_room(core) && job->settling_count < job->window &&
           job->open < issue_target(core, job) && (has_room_for_new(job) || has_due(core, job));
}

/* A row that is missing is that job's trouble alone; other trouble is the store's. */
static enum tranche_code issue_by(struct core *core, struct job *job,
                                  enum tranche_code (*issue)(struct core *, struct job *,
                                                             struct tranche_err *),
                                  struct tranche_err *err)
{
    struct tranche_err missing = { 0 };
    enum tranche_code code = may_call(core, job) ? issue(core, job, &missing) : TRANCHE_OK;
    if (code == TRANCHE_OK)
        return TRANCHE_OK;
    if (code == TRANCHE_NOTFOUND) {
        life_hold(core, job, missing.text);
        return TRANCHE_OK;
    }
    if (err != NULL)
        *err = missing;
    return fail_in(err, code, "issue %s", job->record.id);
}

enum tranche_code issue_devices(struct core *core, struct tranche_err *err)
{
    uint32_t jobs = 0;
    for (struct job *job = core->jobs; job != NULL; job = job->next, jobs++) {
        enum tranche_code code = issue_by(core, job, issue_waiting, err);
        if (code != TRANCHE_OK)
            return code;
    }

    uint32_t first = jobs ? core->turn++ % jobs : 0;
    for (uint32_t round = 0; round < 2; round++) {
        uint32_t i = 0;
        for (struct job *job = core->jobs; job != NULL; job = job->next, i++) {
            bool mine = round == 0 ? i >= first : i < first;
            enum tranche_code code = mine ? issue_by(core, job, issue_new, err) : TRANCHE_OK;
            if (code != TRANCHE_OK)
                return code;
        }
    }
    return TRANCHE_OK;
}

/* ---- one device ---- */

static enum tranche_code member_of(struct core *core, struct job *job, uint32_t ordinal, uint32_t *device_no,
                                   struct tranche_err *err)
{
    struct member_page *page = &job->page;
    uint32_t chunk = chunk_of(job->record.batch_devices, ordinal);
    if (!page->loaded || page->chunk != chunk) {
        enum tranche_code code = core->store->functions->chunk_load(core->store, job->record.no, chunk,
                                                                    page->devices, &page->count, err);
        if (code != TRANCHE_OK)
            return fail_in(err, code, "load chunk %u", chunk);
        page->chunk = chunk;
        page->first = chunk_span(job->record.tally.total, job->record.batch_devices, chunk).first;
        page->loaded = true;
    }
    assert(ordinal - page->first < page->count);
    *device_no = page->devices[ordinal - page->first];
    return TRANCHE_OK;
}

/* A device that gets its last word without a call: deleted, simulated, disabled, or only its record is concerned. */
static void settle_uncalled(struct core *core, struct job *job, struct task *task,
                            enum tranche_outcome_class class, int32_t code, const char *reason)
{
    task->outcome = (struct tranche_outcome){ .class = class, .code = code };
    strcpy(task->outcome.reason, reason);
    life_count(core, job, task);
}

enum issued { ISSUED, ISSUED_NONE, ISSUED_LATER };

/* Makes a task for the device, if it may be called now. ISSUED_LATER: it waits for another job's call to end.
 */
static enum tranche_code issue_one(struct core *core, struct job *job, struct tranche_retry_record what,
                                   enum issued *issued, uint32_t *device_no, struct tranche_err *err)
{
    *issued = ISSUED_NONE;
    enum tranche_code code = member_of(core, job, what.ordinal, device_no, err);
    if (code != TRANCHE_OK)
        return code;
    struct tranche_device_brief device;
    code = core->store->functions->device_brief(core->store, *device_no, &device, err);
    if (code != TRANCHE_OK)
        return fail_in(err, code, "load device number %u", *device_no);

    if (!busy_reserve(&core->busy) || !job_waiting_reserve(job, 1)) /* whatever becomes of it, it can wait */
        return fail(err, TRANCHE_NOMEM, "out of memory");
    if (!busy_take(&core->busy, *device_no)) {
        *issued = ISSUED_LATER;
        return TRANCHE_OK;
    }
    struct task *task = job_task(job);
    if (task == NULL) {
        busy_release(&core->busy, *device_no);
        return fail(err, TRANCHE_NOMEM, "out of memory");
    }
    task->plan = job->plan;
    task->epoch = job->plan->gate.epoch;
    task->ordinal = what.ordinal;
    task->device_no = *device_no;
    task->step = what.step;
    task->attempt = what.attempt;
    task->answer_kept_bytes = (uint32_t)core->config.answer_kept_bytes;
    strcpy(task->device, device.id);

    *issued = ISSUED;
    if (device.deleted) {
        settle_uncalled(core, job, task, TRANCHE_OUTCOME_FAILED, 0, "deleted");
    } else if (!device.enabled && job->plan->definition.kind == TRANCHE_STEP_COMMAND) {
        settle_uncalled(core, job, task, TRANCHE_OUTCOME_FAILED, 0, "disabled"); /* a property waits for it, a command cannot */
    } else if (job->plan->in_registry) {
        settle_uncalled(core, job, task, TRANCHE_OUTCOME_OK, 0, "");
    } else if (device.simulated) {
        settle_uncalled(core, job, task, TRANCHE_OUTCOME_OK, 200, "");
    } else if (job_intend(job, task)) {
        job_to_give(job, task);
        core->tasks_promised++;
        job->record.calls++;
        core->counters.intents++;
    } else {
        busy_release(&core->busy, *device_no);
        job_task_done(job, task);
        *issued = ISSUED_NONE;
        return fail(err, TRANCHE_NOMEM, "out of memory");
    }
    job->record_changed = true;
    return TRANCHE_OK;
}

static enum tranche_code issue_waiting(struct core *core, struct job *job, struct tranche_err *err)
{
    job_waiting_sort(job);
    uint32_t target = issue_target(core, job);
    uint32_t count =
        job->waiting_count; /* those that come back during the walk keep their place for the next */
    for (uint32_t i = 0;
         i < count && job->open < target && job->settling_count < job->window && total_room(core); i++) {
        struct waiting *waiting = &job->waiting[i];
        if (waiting->gone || waiting->blocked || waiting->record.due_us > core->now_us)
            continue;
        enum issued issued;
        uint32_t device_no;
        enum tranche_code code = issue_one(core, job, waiting->record, &issued, &device_no, err);
        if (code != TRANCHE_OK)
            return code;
        waiting = &job->waiting[i]; /* the list may have moved */
        waiting->device_no = device_no;
        waiting->blocked = issued == ISSUED_LATER;
        if (issued == ISSUED)
            job_waiting_leave(job, waiting);
        if (job->record.state != TRANCHE_JOB_RUNNING)
            break; /* a device without a call may have tripped the threshold */
    }
    return TRANCHE_OK;
}

static enum tranche_code issue_new(struct core *core, struct job *job, struct tranche_err *err)
{
    uint32_t target = issue_target(core, job);
    while (job->open < target && job->settling_count < job->window && has_room_for_new(job) &&
           total_room(core)) {
        struct tranche_retry_record what = { .ordinal = job->record.next, .step = 0, .attempt = 1 };
        enum issued issued;
        uint32_t device_no;
        enum tranche_code code = issue_one(core, job, what, &issued, &device_no, err);
        if (code != TRANCHE_OK)
            return code;
        if (issued == ISSUED_LATER)
            job_wait(job, &what, device_no, true);
        job->record.next++;
        job->record_changed = true;
        if (job->record.state != TRANCHE_JOB_RUNNING)
            break; /* as above */
    }
    return TRANCHE_OK;
}
