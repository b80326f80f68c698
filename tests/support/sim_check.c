#include "sim_check.h"

#include "amount.h"
#include "batch.h"
#include "definition.h"
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_wrong(const struct sim *sim, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "seed %llu: ", (unsigned long long)sim->seed);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nreplay: engine_lives --seed %llu\n", (unsigned long long)sim->seed);
    abort();
}

struct device_list {
    struct tranche_job_device devices[SIM_DEVICES_MAX];
    char names[SIM_DEVICES_MAX][16];
    uint32_t count;
};

static void note_device(void *context, const struct tranche_job_device *device)
{
    struct device_list *list = context;
    list->devices[list->count] = *device;
    snprintf(list->names[list->count++], sizeof list->names[0], "%s", device->device);
}

/* All devices of a job, as the store's read side lists them. */
static struct device_list *list_devices(struct sim *sim, const struct tranche_job_record *job)
{
    struct device_list *list = calloc(1, sizeof *list);
    struct tranche_err err = { 0 };
    for (uint32_t before = UINT32_MAX; before != list->count;) {
        before = list->count;
        if (sim->reader->functions->job_devices_page(sim->reader, job, list->count, 100, note_device, list,
                                                     &err) != TRANCHE_OK)
            sim_wrong(sim, "list devices of %s: %s", job->id, err.text);
    }
    return list;
}

/* What the gateway's log says of one device. */
struct witness {
    uint32_t requests; /* that reached it */
    uint32_t answered; /* with a complete answer */
    uint16_t attempt_last;
    bool ok;      /* its last step was answered well */
    bool refused; /* some attempt was answered with a refusal */
    bool unsent;  /* some attempt did not reach it */
};

static void read_log(const struct sim *sim, const char *id, uint16_t steps, bool command,
                     struct witness *witnesses)
{
    for (uint32_t i = 0; i < sim->log_count; i++) {
        const struct sim_entry *entry = &sim->log[i];
        if (strcmp(entry->job, id) != 0)
            continue;
        struct witness *witness = &witnesses[entry->ordinal * steps + entry->step];
        if (entry->verdict.transport == TRANCHE_UNSENT) {
            witness->unsent = true;
            continue;
        }
        if (witness->requests > 0 && entry->attempt <= witness->attempt_last)
            sim_wrong(sim, "%s: attempt %u of ordinal %u follows attempt %u", id, entry->attempt,
                      entry->ordinal, witness->attempt_last);
        witness->attempt_last = entry->attempt;
        witness->requests++;
        bool answered = entry->verdict.transport == TRANCHE_ANSWERED;
        witness->answered += answered;
        witness->ok |= answered && entry->verdict.status < 300;
        witness->refused |= answered && entry->verdict.status >= 300;
        if (command && witness->requests > 1)
            sim_wrong(sim, "%s: the command of ordinal %u, step %u was sent %u times", id, entry->ordinal,
                      entry->step, witness->requests);
    }
}

static void check_device(const struct sim *sim, const struct tranche_job_record *job,
                         const struct tranche_job_device *device, const struct witness *of, uint16_t steps)
{
    const struct witness *last = &of[steps - 1];
    uint32_t requests = 0;
    bool refused = false;
    for (uint16_t step = 0; step < steps; step++) {
        requests += of[step].requests;
        refused |= of[step].refused || of[step].unsent;
    }
    switch (device->state) {
    case TRANCHE_DEVICE_COMPLETED:
        if (!last->ok)
            sim_wrong(sim, "%s: %u is completed, but was never answered well", job->id, device->ordinal);
        return;
    case TRANCHE_DEVICE_FAILED:
        if (requests > 0 && !refused && last->ok)
            sim_wrong(sim, "%s: %u is failed, but all its answers were good", job->id, device->ordinal);
        return;
    case TRANCHE_DEVICE_UNKNOWN:
        return;
    case TRANCHE_DEVICE_PENDING:
        if (job->state == TRANCHE_JOB_COMPLETE)
            sim_wrong(sim, "%s is complete, but %u is pending", job->id, device->ordinal);
        return;
    case TRANCHE_DEVICE_STATE_COUNT:
        break;
    }
    sim_wrong(sim, "%s: %u is in no state", job->id, device->ordinal);
}

/* Exact, by whole numbers: value is mantissa / 10^scale. */
static bool exceeded(const struct tranche_amount *limit, uint64_t failures, uint64_t base)
{
    uint64_t power = 1;
    for (uint8_t i = 0; i < limit->scale; i++)
        power *= 10;
    return limit->percentage ? failures * 100 * power > limit->mantissa * base
                             : failures * power > limit->mantissa;
}

/* Complete: the limit was exceeded nowhere. Cancelled: it was, in the last batch begun or in the whole. */
static void check_threshold(struct sim *sim, const struct tranche_job_record *job,
                            const struct device_list *list)
{
    struct definition definition = { 0 };
    struct text json = { 0 };
    text_printf(&json, "{%s}", job->definition);
    if (definition_parse(json.bytes, json.length, &definition, NULL) != TRANCHE_OK)
        sim_wrong(sim, "%s: its definition does not parse", job->id);
    text_free(&json);

    bool over = false;
    uint32_t scope = definition.threshold.per_batch ? job->batch_devices : job->tally.total;
    for (uint32_t first = 0; scope > 0 && first < job->tally.total; first += scope) {
        uint32_t end = first + scope < job->tally.total ? first + scope : job->tally.total;
        uint64_t failures = 0;
        for (uint32_t i = first; i < end; i++)
            failures += list->devices[i].state == TRANCHE_DEVICE_FAILED ||
                        list->devices[i].state == TRANCHE_DEVICE_UNKNOWN;
        over |= definition.threshold.set && exceeded(&definition.threshold.amount, failures, end - first);
    }
    definition_free(&definition);
    if (over != (job->state == TRANCHE_JOB_CANCELLED) && job->state != TRANCHE_JOB_FAILED)
        sim_wrong(sim, "%s is %s, but its threshold was %s", job->id, job_state_name(job->state),
                  over ? "exceeded" : "not exceeded");
}

void sim_check_job(struct sim *sim, const char *id, bool command, uint16_t steps)
{
    const struct tranche_job_record *job = sim_job(sim, id);
    if (job == NULL)
        sim_wrong(sim, "%s is not there", id);
    if (!job->frozen)
        return;
    struct device_list *list = list_devices(sim, job);
    if (list->count != job->tally.total)
        sim_wrong(sim, "%s: %u devices listed of %u", id, list->count, job->tally.total);
    struct witness *witnesses = calloc((size_t)list->count * steps + 1, sizeof *witnesses);
    read_log(sim, id, steps, command, witnesses);

    struct tranche_tally counted = { .total = list->count };
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->devices[i].ordinal != i)
            sim_wrong(sim, "%s: ordinal %u stands at place %u", id, list->devices[i].ordinal, i);
        if (i > 0 && job->origin == 0 && strcmp(list->names[i - 1], list->names[i]) >= 0)
            sim_wrong(sim, "%s: %s stands before %s", id, list->names[i - 1], list->names[i]);
        check_device(sim, job, &list->devices[i], &witnesses[i * steps], steps);
        counted.completed += list->devices[i].state == TRANCHE_DEVICE_COMPLETED;
        counted.failed += list->devices[i].state == TRANCHE_DEVICE_FAILED;
        counted.unknown += list->devices[i].state == TRANCHE_DEVICE_UNKNOWN;
    }
    if (counted.completed != job->tally.completed || counted.failed != job->tally.failed ||
        counted.unknown != job->tally.unknown)
        sim_wrong(sim, "%s: rows say %u, %u, %u; the job says %u, %u, %u", id, counted.completed,
                  counted.failed, counted.unknown, job->tally.completed, job->tally.failed,
                  job->tally.unknown);
    if (job_state_is_over(job->state))
        check_threshold(sim, job, list);
    free(witnesses);
    free(list);
}

struct written {
    uint32_t steps[SIM_DEVICES_MAX + 1]; /* by device number: bit n for step n */
    const uint32_t *members;             /* of the chunk that is being read */
    uint32_t first;
};

static void note_written(void *context, const struct tranche_done_record *done)
{
    struct written *written = context;
    written->steps[written->members[done->ordinal - written->first]] |= 1u << done->step;
}

static void read_written(struct sim *sim, const struct tranche_job_record *job, struct written *written)
{
    const struct tranche_store_functions *store = sim->store->functions;
    uint32_t members[TRANCHE_CHUNK], count;
    for (uint32_t first = 0; job->frozen && first < job->tally.total; first += count) {
        uint32_t chunk = chunk_of(job->batch_devices, first);
        if (store->chunk_load(sim->store, job->no, chunk, members, &count, NULL) != TRANCHE_OK)
            sim_wrong(sim, "%s: chunk %u is not there", job->id, chunk);
        written->members = members;
        written->first = first;
        store->job_done(sim->store, job->no, first, count, note_written, written, NULL);
    }
}

static void note_fold(void *context, const struct tranche_job_record *job, uint32_t next)
{
    sim_wrong(context, "%s: values from ordinal %u on were not folded", job->id, next);
}

void sim_check_values(struct sim *sim, const char *const *ids, uint32_t id_count, uint16_t steps)
{
    struct written written = { 0 };
    sim->store->functions->folds(sim->store, 0, UINT32_MAX, note_fold, sim, NULL);
    for (uint32_t i = 0; i < id_count; i++)
        if (sim_job(sim, ids[i]) != NULL)
            read_written(sim, sim_job(sim, ids[i]), &written);
    struct tranche_device_record device;
    for (uint32_t no = 1; sim->store->functions->device_load(sim->store, no, &device, NULL) == TRANCHE_OK; no++)
        for (uint16_t step = 0; step < steps; step++) {
            char value[16];
            snprintf(value, sizeof value, "\"p%u\":1", step);
            bool stored = device.properties != NULL && strstr(device.properties, value) != NULL;
            if (stored != (written.steps[no] >> step & 1))
                sim_wrong(sim, "%s: step %u was %s, its value is %s", device.id, step, stored ? "not done" : "done",
                          stored ? "stored" : "not stored");
        }
}

static const struct sim_order *last_answered(const struct sim *sim, const char *id)
{
    const struct sim_order *last = NULL;
    for (const struct sim_order *order = sim->orders; order != NULL; order = order->next)
        if (order->done && order->command.code == TRANCHE_OK && strcmp(order->command.job.id, id) == 0 &&
            (order->command.kind == COMMAND_JOB_STOP || order->command.kind == COMMAND_JOB_RESUME) &&
            (last == NULL || order->answered_us > last->answered_us))
            last = order;
    return last;
}

void sim_check_request(struct sim *sim, const struct sim_entry *entry)
{
    const struct tranche_job_record *job = sim_job(sim, entry->job);
    if (job == NULL || !job->frozen)
        sim_wrong(sim, "%s: a request before the membership was durable", entry->job);
    if (entry->ordinal >= job->next)
        sim_wrong(sim, "%s: a request for ordinal %u without a durable intent", entry->job, entry->ordinal);
    if (batch_of(job->batch_devices, entry->ordinal) != job->batch)
        sim_wrong(sim, "%s: a request of batch %u while batch %u is durable", entry->job,
                  batch_of(job->batch_devices, entry->ordinal), job->batch);
    const struct sim_order *order = last_answered(sim, entry->job);
    bool stopped = order != NULL && order->command.kind == COMMAND_JOB_STOP;
    bool resume_underway = false; /* it may have taken effect and not been answered yet */
    for (const struct sim_order *o = sim->orders; o != NULL; o = o->next)
        resume_underway |= o->command.kind == COMMAND_JOB_RESUME && (!o->done || o->lost) &&
                           strcmp(o->command.job.id, entry->job) == 0;
    if (stopped && !resume_underway)
        sim_wrong(sim, "%s: a request after the stop was answered", entry->job);
}
