#include "worker.h"

#include "fail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static void *worker_main(void *argument);
static void worker_done(void *context, void *call, const struct tranche_answer *answer);
static void drain_inbox(struct worker *worker);
static bool can_start(const struct worker *worker);
static void start_calls(struct worker *worker);
static void start_call(struct worker *worker, struct lane *lane);

static void bell_ready(struct loop_source *source, uint32_t events)
{
    (void)source; /* only wakes the wait; doorbell_disarm empties it */
    (void)events;
}

enum tranche_code worker_open(struct worker *worker, uint32_t index, const struct worker_options *options,
                              struct doorbell *engine_bell, struct tranche_err *err)
{
    *worker = (struct worker){ .index = index,
                               .engine_bell = engine_bell,
                               .calls_max = options->fanout.calls_max,
                               .loop = { .epoll_fd = -1 },
                               .bell = { .fd = -1 },
                               .bell_source = { .ready = bell_ready } };
    enum tranche_code code = loop_open(&worker->loop, err);
    if (code == TRANCHE_OK)
        code = doorbell_open(&worker->bell, err);
    if (code == TRANCHE_OK)
        code = ring_open(&worker->inbox, options->ring_slots, err);
    if (code == TRANCHE_OK)
        code = ring_open(&worker->outbox, options->ring_slots, err);
    if (code == TRANCHE_OK)
        code = fanout_open(&worker->fanout, &worker->loop, &options->fanout, worker_done, worker, err);
    if (code == TRANCHE_OK)
        code = loop_add(&worker->loop, worker->bell.fd, EPOLLIN, &worker->bell_source, err);
    if (code == TRANCHE_OK && pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
        code = fail(err, TRANCHE_NOMEM, "the thread cannot be started");
    if (code != TRANCHE_OK) {
        worker->thread = 0;
        worker_close(worker, true);
        return fail_in(err, code, "worker %u", index);
    }
    return TRANCHE_OK;
}

void worker_give(struct worker *worker, struct task *task)
{
    bool given = ring_give_spsc(&worker->inbox, task);
    assert(given);
    (void)given;
}

void worker_wake(struct worker *worker)
{
    doorbell_ring(&worker->bell);
}

struct task *worker_take(struct worker *worker)
{
    return ring_take_spsc(&worker->outbox);
}

void worker_close(struct worker *worker, bool now)
{
    if (worker->thread != 0) {
        __atomic_store_n(&worker->stopping, now ? 2 : 1, __ATOMIC_RELEASE);
        doorbell_ring(&worker->bell);
        pthread_join(worker->thread, NULL);
    }
    fanout_close(worker->fanout);
    ring_close(&worker->inbox);
    ring_close(&worker->outbox);
    doorbell_close(&worker->bell);
    loop_close(&worker->loop);
    free(worker->request.text);
    *worker = (struct worker){ .loop = { .epoll_fd = -1 }, .bell = { .fd = -1 } };
}

/* ---- the thread ---- */

static bool is_over(const struct worker *worker)
{
    uint32_t stopping = __atomic_load_n(&worker->stopping, __ATOMIC_ACQUIRE);
    return stopping == 2 || (stopping == 1 && worker->lanes == NULL && ring_count(&worker->inbox) == 0);
}

static void wake_engine(struct worker *worker)
{
    if (worker->gave)
        doorbell_ring(worker->engine_bell);
    worker->gave = false;
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    while (!is_over(worker)) {
        drain_inbox(worker);
        start_calls(worker);
        int64_t wait_us = fanout_tick(worker->fanout, loop_now_us());
        wake_engine(worker);

        doorbell_arm(&worker->bell);
        if (ring_count(&worker->inbox) > 0 || is_over(worker) || can_start(worker))
            wait_us = 0; /* came in while we were not yet listening, or was left over */
        loop_wait(&worker->loop, wait_us);
        doorbell_disarm(&worker->bell);
    }
    return NULL;
}

static struct tranche_call call_of(const struct task *task)
{
    const struct plan *plan = task->plan;
    bool merged = plan->step_count < plan->definition.step_count;
    uint16_t step = merged ? 0 : task->step;
    return (struct tranche_call){
        .job = plan->job,
        .device = task->device,
        .step = &plan->definition.steps[step],
        .merged = merged ? plan->definition.step_count : 1,
        .step_index = step,
        .step_count = plan->step_count,
        .attempt = task->attempt,
    };
}

static void give_back(struct worker *worker, struct task *task)
{
    bool given = ring_give_spsc(&worker->outbox, task);
    assert(given); /* the engine gives no more than the outbox holds */
    (void)given;
    worker->gave = true;
}

/* ---- lanes ---- */

static struct lane *lane_of(const struct worker *worker, const struct task *task)
{
    /* The plan is shared, but this one lane of it belongs to this worker. */
    return (struct lane *)&task->plan->lanes[worker->index];
}

static bool lane_is_idle(const struct lane *lane)
{
    return lane->first == NULL && lane->in_flight == 0;
}

static void lane_enter(struct worker *worker, struct lane *lane)
{
    if (worker->lanes == NULL) {
        lane->next = lane;
        worker->lanes = lane;
        return;
    }
    lane->next = worker->lanes->next;
    worker->lanes->next = lane;
}

/* Before its last task is given back: afterwards the engine may free the plan. */
static void lane_leave(struct worker *worker, struct lane *lane)
{
    struct lane *before = worker->lanes;
    while (before->next != lane)
        before = before->next;
    before->next = lane->next;
    if (worker->lanes == lane)
        worker->lanes = before == lane ? NULL : before;
    lane->next = NULL;
}

static void lane_add(struct worker *worker, struct task *task)
{
    struct lane *lane = lane_of(worker, task);
    if (lane_is_idle(lane))
        lane_enter(worker, lane);
    task->next = NULL;
    if (lane->first == NULL)
        lane->first = task;
    else
        lane->last->next = task;
    lane->last = task;
    lane->plan = task->plan;
}

static void drain_inbox(struct worker *worker)
{
    for (struct task *task; (task = ring_take_spsc(&worker->inbox)) != NULL;)
        lane_add(worker, task);
}

static bool lane_may_start(const struct lane *lane)
{
    return lane->first != NULL && lane->in_flight < lane->cap;
}

static bool has_room(const struct worker *worker)
{
    return fanout_in_flight(worker->fanout) < worker->calls_max;
}

static bool can_start(const struct worker *worker)
{
    if (worker->lanes == NULL || !has_room(worker))
        return false;
    const struct lane *lane = worker->lanes;
    do {
        if (lane_may_start(lane))
            return true;
        lane = lane->next;
    } while (lane != worker->lanes);
    return false;
}

/* Jobs take turns, one call each. */
static void start_calls(struct worker *worker)
{
    while (can_start(worker)) {
        do
            worker->lanes = worker->lanes->next;
        while (!lane_may_start(worker->lanes));
        start_call(worker, worker->lanes);
    }
}

/* ---- a call ---- */

static bool has_text(struct worker *worker, size_t bytes)
{
    if (bytes <= worker->request.text_bytes)
        return true;
    char *text = realloc(worker->request.text, bytes);
    if (text == NULL)
        return false;
    worker->request.text = text;
    worker->request.text_bytes = bytes;
    return true;
}

static void end_without_call(struct worker *worker, struct task *task, enum tranche_outcome_class class,
                             const char *reason)
{
    struct lane *lane = lane_of(worker, task);
    task->outcome = (struct tranche_outcome){ .class = class };
    strncat(task->outcome.reason, reason, sizeof task->outcome.reason - 1);
    if (lane_is_idle(lane))
        lane_leave(worker, lane);
    give_back(worker, task);
}

static void start_call(struct worker *worker, struct lane *lane)
{
    struct task *task = lane->first;
    lane->first = task->next;
    const struct plan *plan = task->plan;
    struct tranche_err err = { 0 };

    if (task->epoch != __atomic_load_n(&plan->gate.epoch, __ATOMIC_ACQUIRE)) {
        end_without_call(worker, task, TRANCHE_OUTCOME_NOT_SENT, "");
        return;
    }
    struct tranche_call what = call_of(task);
    if (!has_text(worker, plan->text_bytes)) {
        end_without_call(worker, task, TRANCHE_OUTCOME_LOCAL, "out of memory");
        return;
    }
    if (plan->connector->build(plan->connector_state, &what, &worker->request, &err) != TRANCHE_OK) {
        end_without_call(worker, task, TRANCHE_OUTCOME_FAILED, err.text);
        return;
    }
    struct fanout_call call = {
        .request = &worker->request,
        .timeout_ms = worker->request.timeout_ms ? worker->request.timeout_ms : plan->timeout_ms,
        .idle_max_ms = plan->idle_max_ms,
        .gate = &plan->gate,
        .epoch = task->epoch,
    };
    if (fanout_start(worker->fanout, &call, task, &err) != TRANCHE_OK) {
        end_without_call(worker, task, TRANCHE_OUTCOME_LOCAL, err.text);
        return;
    }
    lane->in_flight++;
}

static void worker_done(void *context, void *tag, const struct tranche_answer *answer)
{
    struct worker *worker = context;
    struct task *task = tag;
    struct tranche_call what = call_of(task);
    task->plan->connector->judge(task->plan->connector_state, &what, answer, &task->outcome);
    size_t kept = answer->body_bytes < task->answer_kept_bytes ? answer->body_bytes : task->answer_kept_bytes;
    if (kept > 0)
        memcpy(task->answer, answer->body, kept);
    task->answer_bytes = (uint32_t)kept;

    /* A job alone goes on at once, its connection is warm; several take turns in start_calls. This call still
     * counts, so that the lane cannot be left meanwhile. */
    struct lane *lane = lane_of(worker, task);
    bool alone = lane->next == lane;
    if (alone && lane->first != NULL && lane->in_flight <= lane->cap && has_room(worker))
        start_call(worker, lane);
    lane->in_flight--;
    if (lane_is_idle(lane))
        lane_leave(worker, lane);
    give_back(worker, task);
}
