#include "sim_world.h"

#include "outcome.h"
#include "state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_US  INT64_C(1767225600000000) /* 2026-01-01: where the calendar starts */
#define TASKS_MAX 4096

/* ---- events ---- */

enum event_kind { EVENT_CALL_ENDS, EVENT_READER, EVENT_COMMIT_ENDS };

struct sim_event {
    int64_t at_us;
    uint64_t order; /* events of one moment happen as they were made */
    enum event_kind kind;
    struct task *task;
    uint32_t worker;
    struct sim_verdict verdict;
};

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void event_add(struct sim *sim, struct sim_event event)
{
    if (sim->event_count == sim->event_capacity) {
        sim->event_capacity = sim->event_capacity ? sim->event_capacity * 2 : 256;
        sim->events = realloc(sim->events, sim->event_capacity * sizeof *sim->events);
        assert(sim->events != NULL);
    }
    event.order = ++sim->event_last;
    uint32_t i = sim->event_count++;
    while (i > 0 && earlier(&event, &sim->events[(i - 1) / 2])) {
        sim->events[i] = sim->events[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    sim->events[i] = event;
}

static struct sim_event event_take(struct sim *sim)
{
    struct sim_event first = sim->events[0];
    struct sim_event last = sim->events[--sim->event_count];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= sim->event_count)
            break;
        if (child + 1 < sim->event_count && earlier(&sim->events[child + 1], &sim->events[child]))
            child++;
        if (!earlier(&sim->events[child], &last))
            break;
        sim->events[i] = sim->events[child];
        i = child;
    }
    sim->events[i] = last;
    return first;
}

/* ---- workers ---- */

struct sim_worker {
    struct task *fifo[TASKS_MAX];
    uint32_t fifo_count;
    struct task *back[TASKS_MAX]; /* finished, not yet taken by the core */
    uint32_t back_count;
};

static uint32_t in_flight(const struct sim *sim, uint32_t worker, const struct plan *plan)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sim->event_count; i++)
        count += sim->events[i].kind == EVENT_CALL_ENDS && sim->events[i].worker == worker &&
                 sim->events[i].task->plan == plan;
    return count;
}

static void give_back(struct sim *sim, uint32_t worker, struct task *task)
{
    struct sim_worker *w = &sim->workers[worker];
    assert(w->back_count < TASKS_MAX);
    w->back[w->back_count++] = task;
}

static void log_request(struct sim *sim, const struct task *task, const struct sim_verdict *verdict)
{
    assert(sim->log_count < SIM_LOG_MAX);
    if (sim->log_count == sim->log_capacity) {
        sim->log_capacity = sim->log_capacity ? sim->log_capacity * 2 : 1024;
        sim->log = realloc(sim->log, sim->log_capacity * sizeof *sim->log);
        assert(sim->log != NULL);
    }
    struct sim_entry *entry = &sim->log[sim->log_count++];
    *entry = (struct sim_entry){ .at_us = sim->mono_us,
                                 .ordinal = task->ordinal,
                                 .step = task->step,
                                 .attempt = task->attempt,
                                 .verdict = *verdict };
    snprintf(entry->job, sizeof entry->job, "%.31s", task->plan->job);
    if (sim->watch != NULL)
        sim->watch(sim, entry);
}

static void begin_call(struct sim *sim, uint32_t worker, struct task *task)
{
    if (task->epoch != task->plan->gate.epoch) {
        task->outcome = (struct tranche_outcome){ .class = TRANCHE_OUTCOME_NOT_SENT };
        give_back(sim, worker, task);
        return;
    }
    struct sim_call call = {
        .job = task->plan->job,
        .device = task->device,
        .ordinal = task->ordinal,
        .step = task->step,
        .attempt = task->attempt,
        .command = task->plan->definition.kind == TRANCHE_STEP_COMMAND,
    };
    struct sim_verdict verdict = sim->gateway(sim, &call);
    if (verdict.transport != TRANCHE_LOCAL)
        log_request(sim, task, &verdict);
    event_add(sim, (struct sim_event){ .at_us = sim->mono_us + verdict.latency_us,
                                       .kind = EVENT_CALL_ENDS,
                                       .task = task,
                                       .worker = worker,
                                       .verdict = verdict });
}

/* Begins what may begin, oldest first. */
static void turn_worker(struct sim *sim, uint32_t worker)
{
    struct sim_worker *w = &sim->workers[worker];
    uint32_t kept = 0, count = w->fifo_count;
    for (uint32_t i = 0; i < count; i++) {
        struct task *task = w->fifo[i];
        bool halted = task->epoch != task->plan->gate.epoch;
        if (halted || in_flight(sim, worker, task->plan) < task->plan->lanes[worker].cap)
            begin_call(sim, worker, task);
        else
            w->fifo[kept++] = task;
    }
    w->fifo_count = kept;
}

static void end_call(struct sim *sim, const struct sim_event *event)
{
    struct task *task = event->task;
    struct tranche_answer answer = { .transport = event->verdict.transport,
                                     .status = event->verdict.status,
                                     .detail = "" };
    struct outcome_hints hints = { .repeatable = task->plan->definition.kind != TRANCHE_STEP_COMMAND };
    outcome_of(&answer, &hints, &task->outcome);
    give_back(sim, event->worker, task);
}

/* ---- the world as the core sees it ---- */

static int64_t world_mono(void *context)
{
    struct sim *sim = context;
    return sim->mono_us;
}

static void world_give(void *context, uint32_t worker, struct task *task)
{
    struct sim *sim = context;
    struct sim_worker *w = &sim->workers[worker];
    assert(w->fifo_count < sim->world.worker_tasks_max);
    w->fifo[w->fifo_count++] = task;
}

static void world_given(void *context)
{
    (void)context;
}

static struct task *world_take(void *context, uint32_t worker)
{
    struct sim *sim = context;
    struct sim_worker *w = &sim->workers[worker];
    if (w->back_count == 0)
        return NULL;
    struct task *task = w->back[0];
    memmove(w->back, w->back + 1, --w->back_count * sizeof *w->back);
    return task;
}

static void wake_reader(struct sim *sim)
{
    if (sim->reading || sim->question_count == 0 ||
        sim->replies_out == sizeof sim->ready / sizeof sim->ready[0])
        return;
    sim->reading = true;
    event_add(sim, (struct sim_event){ .at_us = sim->mono_us + sim->reader_us, .kind = EVENT_READER });
}

/* Ids look like nothing else's and are the same in every run of a seed. */
static void world_name(void *context, char id[TRANCHE_ID_BYTES])
{
    struct sim *sim = context;
    snprintf(id, TRANCHE_ID_BYTES, "named-%u", ++sim->names);
}

static bool world_ask(void *context, const struct question *question)
{
    struct sim *sim = context;
    if (sim->question_count == sizeof sim->questions / sizeof sim->questions[0])
        return false;
    sim->questions[sim->question_count++] = *question;
    wake_reader(sim);
    return true;
}

static struct reply *world_hear(void *context)
{
    struct sim *sim = context;
    if (sim->ready_count == 0)
        return NULL;
    struct reply *reply = sim->ready[0];
    memmove(sim->ready, sim->ready + 1, --sim->ready_count * sizeof *sim->ready);
    return reply;
}

static void world_heard(void *context, struct reply *reply)
{
    struct sim *sim = context;
    free(reply);
    sim->replies_out--;
    wake_reader(sim);
}

/* ---- the reader ---- */

static void question_over(struct sim *sim)
{
    if (sim->selecting)
        sim->reader->functions->select_close(sim->reader);
    sim->selecting = sim->totalled = false;
    free(sim->questions[0].filter);
    memmove(sim->questions, sim->questions + 1, --sim->question_count * sizeof *sim->questions);
}

static enum tranche_code read_members(struct sim *sim, const struct question *question, struct reply *reply)
{
    const struct tranche_reader_functions *reader = sim->reader->functions;
    if (!sim->totalled) {
        struct tranche_selection selection = { .filter = question->filter,
                                               .origin = question->origin,
                                               .origin_until_us = question->origin_until_us };
        enum tranche_code code = reader->select_open(sim->reader, &selection, &reply->total, &reply->err);
        sim->selecting = code == TRANCHE_OK;
        sim->totalled = true;
        reply->kind = REPLY_TOTAL;
        return code;
    }
    reply->kind = REPLY_MEMBERS;
    uint32_t most = random_between(&sim->random, 1, 700); /* replies of every size */
    enum tranche_code code =
        reader->select_next(sim->reader, reply->devices, most, &reply->count, &reply->err);
    if (code == TRANCHE_OK && reply->count == 0)
        reply->kind = REPLY_END;
    return code;
}

static void turn_reader(struct sim *sim)
{
    sim->reading = false;
    if (sim->question_count == 0)
        return;
    const struct question *question = &sim->questions[0];
    struct reply *reply = calloc(1, sizeof *reply);
    assert(reply != NULL);
    reply->ticket = question->ticket;
    enum tranche_code code;
    if (question->kind == QUESTION_MEMBERS) {
        code = read_members(sim, question, reply);
    } else {
        reply->kind = REPLY_TALLY;
        code = sim->reader->functions->recount(sim->reader, question->job, question->first, question->count,
                                               &reply->whole, &reply->batch, &reply->err);
    }
    if (code != TRANCHE_OK)
        reply->kind = REPLY_FAILED;
    if (reply->kind != REPLY_TOTAL && reply->kind != REPLY_MEMBERS)
        question_over(sim);
    sim->ready[sim->ready_count++] = reply;
    sim->replies_out++;
    wake_reader(sim);
}

/* ---- life and death ---- */

void sim_open(struct sim *sim, uint64_t seed)
{
    *sim = (struct sim){ .seed = seed, .random = { seed }, .reader_us = 500 };
    config_defaults(&sim->config);
    struct tranche_err err = { 0 };
    if (sim_store_open(&sim->store, &err) != TRANCHE_OK) {
        fprintf(stderr, "sim store: %s\n", err.text);
        abort();
    }
}

static void drop_memory(struct sim *sim)
{
    while (sim->question_count > 0)
        question_over(sim);
    while (sim->ready_count > 0)
        free(sim->ready[--sim->ready_count]);
    sim->replies_out = 0;
    sim->event_count = 0;
    sim->reading = false;
    free(sim->workers);
    sim->workers = NULL;
    if (sim->reader != NULL)
        sim->reader->functions->close(sim->reader);
    sim->reader = NULL;
}

void sim_close(struct sim *sim)
{
    if (sim->core != NULL)
        sim_crash(sim);
    while (sim->orders != NULL) {
        struct sim_order *order = sim->orders;
        sim->orders = order->next;
        command_free(&order->command);
        free(order);
    }
    free(sim->events);
    free(sim->log);
    sim->store->functions->close(sim->store);
}

void sim_devices(struct sim *sim, uint32_t count, bool simulated)
{
    assert(count <= SIM_DEVICES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct tranche_device_record device = {
            .enabled = true, .provisioned = true, .simulated = simulated, .template_id = "t", .revision = 1
        };
        snprintf(device.id, sizeof device.id, "dev-%04u", i);
        sim_store_add_device(sim->store, &device);
    }
    struct tranche_group_record group = { .display_name = "all",
                                          .filter = "SELECT * FROM devices WHERE $template = \"t\"",
                                          .revision = 1 };
    strcpy(group.id, "all");
    sim_store_add_group(sim->store, &group);
}

void sim_start(struct sim *sim)
{
    assert(sim->core == NULL);
    if (sim->config.workers == 0)
        sim->config.workers = 1;
    sim->world = (struct world){
        .context = sim,
        .worker_count = (uint32_t)sim->config.workers,
        .worker_tasks_max = sim->world.worker_tasks_max ? sim->world.worker_tasks_max : TASKS_MAX - 1,
        .calls_max = sim->world.calls_max ? sim->world.calls_max : UINT32_MAX,
        .mono_us = world_mono,
        .name = world_name,
        .give = world_give,
        .given = world_given,
        .take = world_take,
        .ask = world_ask,
        .hear = world_hear,
        .heard = world_heard,
    };
    sim->workers = calloc(sim->world.worker_count, sizeof *sim->workers);
    struct tranche_err err = { 0 };
    if (sim->store->functions->reader_open(sim->store, &sim->reader, &err) != TRANCHE_OK ||
        core_open(&sim->core, &sim->config, sim->store, &sim->world, &sim->connector, NULL, &err) != TRANCHE_OK ||
        core_recover(sim->core, EPOCH_US + sim->mono_us + sim->step_us, &err) != TRANCHE_OK) {
        fprintf(stderr, "seed %llu: start: %s\n", (unsigned long long)sim->seed, err.text);
        abort();
    }
}

void sim_crash(struct sim *sim)
{
    sim_store_crash(sim->store);
    for (struct sim_order *order = sim->orders; order != NULL; order = order->next)
        order->lost |= !order->done;
    core_close(sim->core); /* only frees: the store drops whatever a dead engine had not committed */
    sim->core = NULL;
    drop_memory(sim);
}

/* ---- orders ---- */

static void order_done(struct command *command)
{
    struct sim_order *order = command->context;
    if (order->lost)
        return;
    order->done = true;
    order->answered_us = order->sim->mono_us;
}

static struct sim_order *post(struct sim *sim, enum command_kind kind, const char *id)
{
    struct sim_order *order = calloc(1, sizeof *order);
    assert(order != NULL);
    order->sim = sim;
    order->command.kind = kind;
    order->command.done = order_done;
    order->command.context = order;
    strcpy(order->command.job.id, id);
    order->next = sim->orders;
    sim->orders = order;
    return order;
}

struct sim_order *sim_create(struct sim *sim, const char *id, const char *group, const char *definition)
{
    struct sim_order *order = post(sim, COMMAND_JOB_CREATE, id);
    strcpy(order->command.job.group, group);
    order->command.job.definition = strdup(definition);
    core_post(sim->core, &order->command);
    return order;
}

struct sim_order *sim_call(struct sim *sim, const char *id, const char *device, const char *definition)
{
    struct sim_order *order = post(sim, COMMAND_CALL, id);
    strcpy(order->command.job.device, device);
    strcpy(order->command.job.call, "commands/.reboot");
    order->command.job.definition = strdup(definition);
    core_post(sim->core, &order->command);
    return order;
}

struct sim_order *sim_write(struct sim *sim, sim_write_function *write)
{
    struct sim_order *order = post(sim, COMMAND_WRITE, "");
    order->command.write = write;
    core_post(sim->core, &order->command);
    return order;
}

struct sim_order *sim_stop(struct sim *sim, const char *id)
{
    struct sim_order *order = post(sim, COMMAND_JOB_STOP, id);
    core_post(sim->core, &order->command);
    return order;
}

struct sim_order *sim_resume(struct sim *sim, const char *id)
{
    struct sim_order *order = post(sim, COMMAND_JOB_RESUME, id);
    core_post(sim->core, &order->command);
    return order;
}

struct sim_order *sim_rerun(struct sim *sim, const char *id, const char *as)
{
    struct sim_order *order = post(sim, COMMAND_JOB_RERUN, id);
    strcpy(order->command.rerun, as);
    core_post(sim->core, &order->command);
    return order;
}

/* ---- time ---- */

static void happen(struct sim *sim, const struct sim_event *event)
{
    switch (event->kind) {
    case EVENT_CALL_ENDS:
        end_call(sim, event);
        return;
    case EVENT_READER:
        turn_reader(sim);
        return;
    case EVENT_COMMIT_ENDS:
        sim_store_release(sim->store);
        return;
    }
}

void sim_commit_ends_in(struct sim *sim, int64_t late_us)
{
    event_add(sim, (struct sim_event){ .at_us = sim->mono_us + late_us, .kind = EVENT_COMMIT_ENDS });
}

bool sim_run(struct sim *sim, int64_t span_us, bool (*enough)(struct sim *sim))
{
    int64_t until_us = sim->mono_us + span_us;
    for (;;) {
        if (enough != NULL && enough(sim))
            return true;
        int64_t wake_us = core_tick(sim->core, EPOCH_US + sim->mono_us + sim->step_us, sim->mono_us);
        bool halted = false; /* tasks that came back unsent, after the core has looked */
        for (uint32_t i = 0; i < sim->world.worker_count; i++) {
            uint32_t back_count = sim->workers[i].back_count;
            turn_worker(sim, i);
            halted |= sim->workers[i].back_count > back_count;
        }
        int64_t next_us = halted ? sim->mono_us + 1 : wake_us;
        if (sim->event_count > 0 && sim->events[0].at_us < next_us)
            next_us = sim->events[0].at_us;
        if (next_us >= until_us) {
            sim->mono_us = until_us;
            return enough != NULL && enough(sim);
        }
        if (next_us > sim->mono_us)
            sim->mono_us = next_us;
        else
            sim->mono_us++; /* time always passes */
        while (sim->event_count > 0 && sim->events[0].at_us <= sim->mono_us) {
            struct sim_event event = event_take(sim);
            happen(sim, &event);
        }
    }
}

static bool order_is_answered(struct sim *sim)
{
    return sim->awaited->done;
}

bool sim_run_order(struct sim *sim, struct sim_order *order)
{
    sim->awaited = order;
    return sim_run(sim, 60000000, order_is_answered);
}

const struct tranche_job_record *sim_job(struct sim *sim, const char *id)
{
    return sim_store_job(sim->store, id);
}

bool sim_job_rests(struct sim *sim, const char *id)
{
    const struct tranche_job_record *job = sim_job(sim, id);
    return job != NULL && (job_state_is_over(job->state) || job->state == TRANCHE_JOB_STOPPED ||
                           job->state == TRANCHE_JOB_HELD);
}
