/* What happens between opening the store and opening the listener.
 *
 * Recovery goes by open intents alone, whatever state their job is in. A command whose intent is open may
 * have run: it becomes unknown, is counted as a failure, and is never sent again by the engine. A property
 * write waits to be sent again with the same idempotency key. Then jobs that were stopping or cancelling have
 * nothing left in flight and come to rest. All of it is one transaction, so a kill during recovery is
 * harmless. Before a recovered job makes its first call its counters are compared with its rows (members.c).
 */
#include "recovery.h"

#include "fail.h"
#include "log.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

/* A visit that may fail in the middle. */
struct loading {
    struct core *core;
    struct job *job;
    enum tranche_code code;
    struct tranche_err *err;
    uint32_t unknown, again;
};

static void load_waiting(void *context, const struct tranche_retry_record *retry)
{
    struct loading *loading = context;
    if (loading->code != TRANCHE_OK)
        return;
    if (job_waiting_reserve(loading->job, 1))
        job_wait(loading->job, retry, 0, false);
    else
        loading->code = fail(loading->err, TRANCHE_NOMEM, "out of memory");
}

enum tranche_code recovery_load(struct core *core, struct tranche_job_record *record, struct job **out,
                                struct tranche_err *err)
{
    const struct tranche_store_functions *store = core->store->functions;
    struct tranche_batch_record batch = { 0 };
    enum tranche_code code = TRANCHE_OK;
    if (record->frozen && record->tally.total > 0)
        code = store->batch_load(core->store, record->no, record->batch, &batch, err);
    if (code != TRANCHE_OK)
        return fail_in(err, code, "load job %s", record->id);
    struct job *job = life_add(core, record);
    if (job == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    job->batch = batch;
    job->drop_chunks = !job->record.frozen;
    job->phase = JOB_QUEUED;

    struct loading loading = { .core = core, .job = job, .err = err };
    code = store->retries_of(core->store, job->record.no, load_waiting, &loading, err);
    if (code == TRANCHE_OK)
        code = loading.code;
    if (code != TRANCHE_OK) {
        code = fail_in(err, code, "load job %s", job->record.id);
        life_remove(core, job); /* half loaded, its missing devices would never be called */
        return code;
    }
    job_waiting_settle(job); /* the rows exist */
    *out = job;
    return TRANCHE_OK;
}

/* Collects records while the store's statement is open; jobs are loaded from them afterwards. `wanted` are
 * the numbers of the jobs with open intents, ascending. */
struct record_list {
    struct tranche_job_record *records;
    size_t count, capacity;
    int64_t *wanted;
    size_t wanted_count, wanted_capacity;
    enum tranche_code code;
    struct tranche_err *err;
};

/* Room for one more item in a growing array. */
static void *grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    size_t bigger = *capacity ? *capacity * 2 : 64;
    void *moved = realloc(items, bigger * item_bytes);
    if (moved != NULL)
        *capacity = bigger;
    return moved;
}

static void want(void *context, int64_t job, const struct tranche_intent_record *intent)
{
    struct record_list *list = context;
    (void)intent;
    if (list->code != TRANCHE_OK || (list->wanted_count > 0 && list->wanted[list->wanted_count - 1] == job))
        return;
    int64_t *wanted = grow(list->wanted, list->wanted_count, &list->wanted_capacity, sizeof *wanted);
    if (wanted == NULL) {
        list->code = fail(list->err, TRANCHE_NOMEM, "out of memory");
        return;
    }
    list->wanted = wanted;
    list->wanted[list->wanted_count++] = job;
}

static int by_number(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool is_wanted(const struct record_list *list, const struct tranche_job_record *record)
{
    return job_state_is_open(record->state) ||
           (list->wanted_count > 0 &&
            bsearch(&record->no, list->wanted, list->wanted_count, sizeof *list->wanted, by_number) != NULL);
}

static void collect(void *context, const struct tranche_job_record *record)
{
    struct record_list *list = context;
    if (list->code != TRANCHE_OK || !is_wanted(list, record))
        return;
    struct tranche_job_record *records = grow(list->records, list->count, &list->capacity, sizeof *records);
    if (records == NULL) {
        list->code = fail(list->err, TRANCHE_NOMEM, "out of memory");
        return;
    }
    list->records = records;
    list->records[list->count] = (struct tranche_job_record){ 0 };
    list->code = job_record_copy(record, &list->records[list->count], list->err);
    list->count += list->code == TRANCHE_OK;
}

/* Jobs with something to do, and jobs of any state with open intents; the latter leave memory with the first
 * commit. */
static enum tranche_code load_open_jobs(struct core *core, struct tranche_err *err)
{
    const uint32_t all_states = (1u << TRANCHE_JOB_STATE_COUNT) - 1;
    struct record_list list = { .err = err };
    enum tranche_code code = core->store->functions->intents_open(core->store, want, &list, err);
    if (code == TRANCHE_OK)
        code = list.code;
    if (code == TRANCHE_OK && list.wanted_count > 0)
        qsort(list.wanted, list.wanted_count, sizeof *list.wanted, by_number);
    if (code == TRANCHE_OK)
        code = core->store->functions->jobs_in(core->store, all_states, collect, &list, err);
    if (code == TRANCHE_OK)
        code = list.code;
    for (size_t i = 0; i < list.count; i++) {
        struct job *job;
        if (code == TRANCHE_OK)
            code = recovery_load(core, &list.records[i], &job, err);
        tranche_job_record_free(&list.records[i]);
    }
    free(list.records);
    free(list.wanted);
    return code;
}

/* ---- open intents ---- */

/* The row as it stands in the store, with all its devices live. */
static struct open_intent *adopt_intent(struct job *job, const struct tranche_intent_record *record)
{
    struct open_intent *intent = calloc(1, sizeof *intent);
    if (intent == NULL)
        return NULL;
    intent->record = *record;
    intent->live = record->count == 64 ? UINT64_MAX : (UINT64_C(1) << record->count) - 1;
    intent->stored = true;
    intent->next = job->intents;
    intent->link = &job->intents;
    if (intent->next != NULL)
        intent->next->link = &intent->next;
    job->intents = intent;
    job->open += record->count;
    return intent;
}

static bool settle_device(struct core *core, struct job *job, struct open_intent *intent, uint32_t bit)
{
    struct task *task = job_task(job);
    if (task == NULL)
        return false;
    task->ordinal = intent->record.ordinals[bit];
    task->device_no = 0; /* not taken from anybody: nothing is busy yet */
    task->step = intent->record.step;
    task->attempt = intent->record.attempt;
    task->intent = intent;
    task->intent_bit = bit;
    job_strike(job, task);

    if (job->plan->definition.kind == TRANCHE_STEP_COMMAND) {
        task->outcome = (struct tranche_outcome){ .class = TRANCHE_OUTCOME_UNKNOWN };
        strcpy(task->outcome.reason, "the server ended during the call; the command may have run");
        life_count(core, job, task);
        return true;
    }
    struct tranche_retry_record again = { .ordinal = task->ordinal,
                                          .step = task->step,
                                          .attempt = (uint16_t)(task->attempt + 1) };
    job_wait(job, &again, 0, false);
    job_task_done(job, task);
    return true;
}

static void settle_intent(void *context, int64_t no, const struct tranche_intent_record *record)
{
    struct loading *loading = context;
    if (loading->code != TRANCHE_OK)
        return;
    struct job *job = life_numbered(loading->core, no);
    if (job == NULL) {
        loading->code = fail(loading->err, TRANCHE_INTERNAL,
                             "an intent names job number %lld, which is not there", (long long)no);
        return;
    }
    if (job->plan == NULL)
        loading->code = life_plan(loading->core, job, loading->err);
    if (loading->code == TRANCHE_OK && !job_waiting_reserve(job, record->count))
        loading->code = fail(loading->err, TRANCHE_NOMEM, "out of memory");
    if (loading->code != TRANCHE_OK)
        return;
    struct open_intent *intent = adopt_intent(job, record);
    bool fine = intent != NULL;
    for (uint32_t i = 0; fine && i < record->count; i++)
        fine = settle_device(loading->core, job, intent, i);
    if (!fine)
        loading->code = fail(loading->err, TRANCHE_NOMEM, "out of memory");
    if (job->plan->definition.kind == TRANCHE_STEP_COMMAND)
        loading->unknown += record->count;
    else
        loading->again += record->count;
}

enum tranche_code core_recover(struct core *core, int64_t now_us, struct tranche_err *err)
{
    int64_t stored_us = 0;
    enum tranche_code code = core->store->functions->clock_load(core->store, &stored_us, err);
    core->now_us = now_us > stored_us ? now_us : stored_us; /* the calendar may have stepped back meanwhile */
    if (code == TRANCHE_OK)
        code = load_open_jobs(core, err);
    if (code != TRANCHE_OK)
        return fail_in(err, code, "recover");

    struct loading loading = { .core = core, .err = err };
    code = core->store->functions->intents_open(core->store, settle_intent, &loading, err);
    if (code == TRANCHE_OK)
        code = loading.code;
    if (code != TRANCHE_OK)
        return fail_in(err, code, "recover");

    for (struct job *job = core->jobs; job != NULL; job = job->next)
        if (job->record.state == TRANCHE_JOB_STOPPING || job->record.state == TRANCHE_JOB_CANCELLING)
            job->phase = JOB_READY; /* nothing is in flight any more: it comes to rest at once */
    if (loading.unknown + loading.again > 0)
        log_warn("engine", "open intents were settled", "unknown=%u again=%u", loading.unknown,
                 loading.again);
    core->recovering = true;
    fold_want(core);
    return TRANCHE_OK;
}
