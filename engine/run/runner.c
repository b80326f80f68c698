#include "runner.h"

#include "core.h"
#include "fail.h"
#include "log.h"
#include "resolver.h"
#include "uuid.h"
#include "when.h"
#include "worker.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define RING_SLOTS           32768u /* tasks a worker may hold: windows of 16,384 and room to spare */
#define RECOVER_TRIES        200    /* two seconds in all: longer than a token or a checkpoint takes */
#define RECOVER_PAUSE_US     10000
#define DESCRIPTORS_RESERVED 128u /* for the store, logs and eventfds; clients' connections come on top */

struct runner {
    /* fixed after start */
    struct config config;
    struct tranche_store *store;
    struct world world;
    pthread_t thread;

    /* threads meet here */
    struct doorbell bell; /* the engine thread's */
    struct mailbox mailbox;
    struct resolver *resolver;
    uint32_t closing; /* atomic: set once by runner_stop */
    pthread_mutex_t health_mutex;
    struct tranche_err health; /* under the mutex; code TRANCHE_OK: healthy */

    /* the engine thread's alone */
    struct core *core;
    struct loop loop;
    struct loop_source bell_source;
    bool draining;
    int64_t drain_until_us;

    struct worker *workers;
    uint32_t worker_count; /* opened */
    uint32_t calls_max;    /* over all of them */
};

static void *runner_main(void *argument);
static enum tranche_code open_world(struct runner *runner, struct tranche_err *err);
static enum tranche_code recover(struct runner *runner, struct tranche_err *err);
static void destroy(struct runner *runner, bool drop_calls);

enum tranche_code runner_open(struct runner **out, const struct config *config, struct tranche_store *store,
                              const struct tranche_connector *connector, const void *connector_state,
                              struct tranche_err *err)
{
    struct runner *runner = calloc(1, sizeof *runner);
    if (runner == NULL)
        return fail(err, TRANCHE_NOMEM, "open engine: out of memory");
    runner->config = *config;
    runner->store = store;
    runner->bell.fd = runner->loop.epoll_fd = -1;
    mailbox_open(&runner->mailbox, (uint32_t)config->mailbox_max);
    pthread_mutex_init(&runner->health_mutex, NULL);

    enum tranche_code code = open_world(runner, err);
    if (code == TRANCHE_OK)
        code =
            core_open(&runner->core, &runner->config, store, &runner->world, connector, connector_state, err);
    if (code == TRANCHE_OK)
        code = recover(runner, err);
    if (code == TRANCHE_OK && pthread_create(&runner->thread, NULL, runner_main, runner) != 0)
        code = fail(err, TRANCHE_NOMEM, "the engine thread cannot be started");
    if (code != TRANCHE_OK) {
        destroy(runner, true);
        return fail_in(err, code, "open engine");
    }
    *out = runner;
    return TRANCHE_OK;
}

uint32_t runner_calls_max(const struct runner *runner)
{
    return runner->calls_max;
}

enum tranche_code runner_post(struct runner *runner, struct command *command, struct tranche_err *err)
{
    enum tranche_code code = mailbox_post(&runner->mailbox, command, err);
    if (code == TRANCHE_OK)
        doorbell_ring(&runner->bell);
    return code;
}

bool runner_is_healthy(struct runner *runner, struct tranche_err *err)
{
    pthread_mutex_lock(&runner->health_mutex);
    bool healthy = runner->health.code == TRANCHE_OK;
    if (!healthy && err != NULL)
        *err = runner->health;
    pthread_mutex_unlock(&runner->health_mutex);
    return healthy;
}

uint32_t runner_stop(struct runner *runner)
{
    mailbox_shut(&runner->mailbox);
    __atomic_store_n(&runner->closing, 1, __ATOMIC_RELEASE);
    doorbell_ring(&runner->bell);
    pthread_join(runner->thread, NULL);
    return core_tasks_out(runner->core);
}

void runner_close(struct runner *runner)
{
    destroy(runner, core_tasks_out(runner->core) > 0);
}

/* ---- the world's threads ---- */

static void world_give(void *context, uint32_t worker, struct task *task)
{
    struct runner *runner = context;
    worker_give(&runner->workers[worker], task);
}

static void world_given(void *context)
{
    struct runner *runner = context;
    for (uint32_t i = 0; i < runner->worker_count; i++)
        worker_wake(&runner->workers[i]);
}

static struct task *world_take(void *context, uint32_t worker)
{
    struct runner *runner = context;
    return worker_take(&runner->workers[worker]);
}

static int64_t world_mono(void *context)
{
    (void)context;
    return loop_now_us();
}

static void world_name(void *context, char id[TRANCHE_ID_BYTES])
{
    (void)context;
    uuid_random(id);
}

static bool world_ask(void *context, const struct question *question)
{
    struct runner *runner = context;
    return resolver_ask(runner->resolver, question);
}

static struct reply *world_hear(void *context)
{
    struct runner *runner = context;
    return resolver_hear(runner->resolver);
}

static void world_heard(void *context, struct reply *reply)
{
    struct runner *runner = context;
    resolver_heard(runner->resolver, reply);
}

/* Calls that the descriptor limit allows, after the soft limit was raised as far as it goes. */
static uint32_t descriptor_budget(const struct config *config)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t reserved = DESCRIPTORS_RESERVED + config->http_connections;
    uint64_t most = (uint64_t)RING_SLOTS * config->workers;
    uint64_t free_ones = limit.rlim_cur > reserved ? limit.rlim_cur - reserved : 16;
    return (uint32_t)(free_ones < most ? free_ones : most);
}

static enum tranche_code open_workers(struct runner *runner, struct tranche_err *err)
{
    uint32_t count = (uint32_t)runner->config.workers;
    uint32_t budget = descriptor_budget(&runner->config);
    if (runner->config.in_flight > budget) {
        log_warn("engine", "in_flight is above what the descriptor limit allows", "in_flight=%llu clamped=%u",
                 (unsigned long long)runner->config.in_flight, budget);
        runner->config.in_flight = budget;
    }
    runner->calls_max = budget;
    struct worker_options options = { .ring_slots = RING_SLOTS };
    fanout_defaults(&options.fanout);
    options.fanout.calls_max = (budget + count - 1) / count;
    options.fanout.multi_handles = (uint32_t)runner->config.multi_handles;
    options.fanout.connect_timeout_ms = (uint32_t)runner->config.connect_timeout_ms;
    options.fanout.answer_bytes_max = (uint32_t)runner->config.answer_bytes_max;

    runner->workers = calloc(count, sizeof *runner->workers);
    if (runner->workers == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    while (runner->worker_count < count) {
        enum tranche_code code = worker_open(&runner->workers[runner->worker_count], runner->worker_count,
                                             &options, &runner->bell, err);
        if (code != TRANCHE_OK)
            return code;
        runner->worker_count++;
    }
    return TRANCHE_OK;
}

static enum tranche_code open_resolver(struct runner *runner, struct tranche_err *err)
{
    struct tranche_reader *reader;
    enum tranche_code code = runner->store->functions->reader_open(runner->store, &reader, err);
    if (code != TRANCHE_OK)
        return code;
    struct resolver *resolver = malloc(sizeof *resolver);
    code = resolver ? resolver_open(resolver, reader, &runner->bell, err)
                    : fail(err, TRANCHE_NOMEM, "out of memory");
    if (code != TRANCHE_OK) {
        reader->functions->close(reader);
        free(resolver);
        return code;
    }
    runner->resolver = resolver;
    return TRANCHE_OK;
}

static void bell_ready(struct loop_source *source, uint32_t events)
{
    (void)source; /* only wakes the wait; doorbell_disarm empties it */
    (void)events;
}

static enum tranche_code open_world(struct runner *runner, struct tranche_err *err)
{
    runner->bell_source.ready = bell_ready;
    enum tranche_code code = loop_open(&runner->loop, err);
    if (code == TRANCHE_OK)
        code = doorbell_open(&runner->bell, err);
    if (code == TRANCHE_OK)
        code = loop_add(&runner->loop, runner->bell.fd, EPOLLIN, &runner->bell_source, err);
    if (code == TRANCHE_OK)
        code = open_workers(runner, err);
    if (code == TRANCHE_OK)
        code = open_resolver(runner, err);
    if (code != TRANCHE_OK)
        return code;
    runner->world = (struct world){
        .context = runner,
        .worker_count = runner->worker_count,
        .worker_tasks_max = RING_SLOTS - 1,
        .calls_max = runner->calls_max,
        .mono_us = world_mono,
        .name = world_name,
        .give = world_give,
        .given = world_given,
        .take = world_take,
        .ask = world_ask,
        .hear = world_hear,
        .heard = world_heard,
    };
    return TRANCHE_OK;
}

static void destroy(struct runner *runner, bool drop_calls)
{
    for (uint32_t i = 0; i < runner->worker_count; i++)
        worker_close(&runner->workers[i], drop_calls);
    if (runner->resolver != NULL)
        resolver_close(runner->resolver);
    core_close(runner->core);
    free(runner->resolver);
    free(runner->workers);
    doorbell_close(&runner->bell);
    loop_close(&runner->loop);
    mailbox_close(&runner->mailbox);
    pthread_mutex_destroy(&runner->health_mutex);
    free(runner);
}

/* Before any listener: the first commit settles what was open. */
static enum tranche_code recover(struct runner *runner, struct tranche_err *err)
{
    enum tranche_code code = core_recover(runner->core, when_now_us(), err);
    if (code != TRANCHE_OK)
        return code;
    for (int i = 0; i < RECOVER_TRIES && !core_is_recovered(runner->core); i++) {
        if (i > 0)
            usleep(RECOVER_PAUSE_US); /* the store was busy */
        core_tick(runner->core, when_now_us(), loop_now_us());
    }
    if (core_is_recovered(runner->core))
        return TRANCHE_OK;
    core_is_healthy(runner->core, err);
    return fail_in(err, TRANCHE_UNAVAILABLE, "recover");
}

/* ---- the engine thread ---- */

static void publish_health(struct runner *runner)
{
    struct tranche_err now = { 0 };
    core_is_healthy(runner->core, &now);
    pthread_mutex_lock(&runner->health_mutex);
    runner->health = now;
    pthread_mutex_unlock(&runner->health_mutex);
}

static void take_mail(struct runner *runner)
{
    struct command *next;
    for (struct command *command = mailbox_take_all(&runner->mailbox); command != NULL; command = next) {
        next = command->next;
        core_post(runner->core, command);
    }
}

static bool something_came_in(struct runner *runner)
{
    for (uint32_t i = 0; i < runner->worker_count; i++)
        if (ring_count(&runner->workers[i].outbox) > 0)
            return true;
    if (mailbox_count(&runner->mailbox) > 0 || resolver_has_reply(runner->resolver))
        return true;
    return __atomic_load_n(&runner->closing, __ATOMIC_ACQUIRE) && !runner->draining;
}

/* Sleeps until a doorbell, or until `wake_us` on the monotonic clock. */
static void sleep_until(struct runner *runner, int64_t wake_us)
{
    int64_t wait_us = -1;
    if (wake_us != INT64_MAX) {
        wait_us = wake_us - loop_now_us();
        if (wait_us < 0)
            wait_us = 0;
    }
    doorbell_arm(&runner->bell);
    if (something_came_in(runner))
        wait_us = 0; /* while we were not yet listening */
    if (wait_us != 0)
        loop_wait(&runner->loop, wait_us);
    doorbell_disarm(&runner->bell);
}

static bool is_over(struct runner *runner, int64_t mono_us)
{
    if (!runner->draining && __atomic_load_n(&runner->closing, __ATOMIC_ACQUIRE)) {
        runner->draining = true;
        runner->drain_until_us = mono_us + (int64_t)runner->config.drain_timeout_ms * 1000;
        core_drain(runner->core);
    }
    return runner->draining && (core_is_drained(runner->core) || mono_us >= runner->drain_until_us);
}

static void *runner_main(void *argument)
{
    struct runner *runner = argument;
    for (;;) {
        int64_t mono_us = loop_now_us();
        bool last = is_over(runner, mono_us);
        take_mail(runner);
        int64_t wake_us = core_tick(runner->core, when_now_us(), mono_us);
        publish_health(runner);
        if (last) {
            core_refuse_orders(runner->core);
            return NULL;
        }
        if (runner->draining && core_is_drained(runner->core))
            continue;
        if (runner->draining && wake_us > runner->drain_until_us)
            wake_us = runner->drain_until_us;
        sleep_until(runner, wake_us);
    }
}
