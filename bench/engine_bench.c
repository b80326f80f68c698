/* The whole engine against bare libcurl, in the same run.
 *
 *     engine     a job over the fleet, every device's intent, call and result durable, with a gateway that answers at
 *                once: what a device costs in CPU, against bare tuned libcurl that makes the same requests and
 *                forgets the answers
 *     latency-*  devices that take 50 ms: how much of what concurrency / latency allows is reached
 *     tail-*     and one in a hundred of them takes 500 ms
 */
#include "bench.h"

#include "fail.h"
#include "fleet.h"
#include "gateway.h"
#include "load.h"
#include "site.h"

#define PATH_BYTES  4096

/* Who is measured: a bare client, or the engine. */
struct subject {
    const struct client_kind *client; /* NULL: the engine, with the rest */
    enum tranche_step_kind kind;
    uint32_t workers;
};

struct setting {
    uint32_t in_flight;
    const char *gateway[GATEWAY_OPTIONS_MAX]; /* its options */
    double latency_ms;                        /* that they make, on average; 0: none */
    uint32_t lead_rounds;                     /* answers a slot before a bare client is measured */
};

struct state {
    struct gateway gateway;
    const struct setting *setting;
    void *clients[BENCH_VARIANTS_MAX];
    struct site *sites[BENCH_VARIANTS_MAX];
    uint32_t devices, in_flight;
};

static const struct subject *subject_of(const struct bench_run *run, uint32_t index)
{
    return run->group->variants[index].what;
}

static const char *directory_of(const struct bench_run *run, uint32_t index, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%u", run->directory, index);
    return path;
}

static enum tranche_code subject_open(struct bench_run *run, uint32_t index, struct tranche_err *err)
{
    struct state *state = run->state;
    const struct subject *subject = subject_of(run, index);
    if (subject->client != NULL) {
        struct load_target target = { state->gateway.url, state->gateway.port, state->in_flight };
        return subject->client->open(&state->clients[index], &target, err);
    }
    char path[PATH_BYTES];
    struct site_options options = { directory_of(run, index, path), state->gateway.url, state->in_flight,
                                    subject->workers };
    return site_open(&state->sites[index], &options, err);
}

/* All stores are filled before the first engine is open: filling forks, and a process with threads should not. */
static enum tranche_code engine_open(struct bench_run *run, struct tranche_err *err)
{
    static struct state state;
    char path[PATH_BYTES];
    run->state = &state;
    state.setting = run->group->what;
    state.devices = (uint32_t)run->count;
    state.in_flight = state.setting->in_flight < state.devices ? state.setting->in_flight : state.devices;
    enum tranche_code code = gateway_open(&state.gateway, state.setting->gateway, run->pinned, err);
    for (uint32_t i = 0; i < run->group->variant_count && code == TRANCHE_OK; i++)
        if (subject_of(run, i)->client == NULL)
            code = fleet_fill(directory_of(run, i, path), state.devices, err);
    for (uint32_t i = 0; i < run->group->variant_count && code == TRANCHE_OK; i++)
        code = subject_open(run, i, err);
    return code;
}

/* What became of a run of a subject, whoever it was. */
struct outcome {
    double cpu_us, per_second, per_second_within;
};

static enum tranche_code subject_run(struct state *state, uint32_t index, const struct subject *subject,
                                     struct outcome *outcome, struct tranche_err *err)
{
    if (subject->client != NULL) {
        struct load load = { .lead = (uint64_t)state->in_flight * state->setting->lead_rounds,
                             .count = state->devices };
        enum tranche_code code = subject->client->run(state->clients[index], &load, err);
        if (code == TRANCHE_OK)
            *outcome = (struct outcome){ load_cpu_us(&load), load_per_second(&load), load_per_second(&load) };
        return code;
    }
    struct site_job job;
    enum tranche_code code = site_run(state->sites[index], subject->kind, state->devices, &job, err);
    if (code == TRANCHE_OK)
        *outcome = (struct outcome){ job.used.cpu_us / state->devices, job.per_second, job.per_second_within };
    return code;
}

static enum tranche_code cpu_sample(struct bench_run *run, const struct bench_variant *variant,
                                    struct bench_sample *sample, struct tranche_err *err)
{
    struct outcome outcome;
    uint32_t index = (uint32_t)(variant - run->group->variants);
    enum tranche_code code = subject_run(run->state, index, variant->what, &outcome, err);
    if (code == TRANCHE_OK)
        *sample = (struct bench_sample){ { outcome.cpu_us, outcome.per_second } };
    return code;
}

/* The bound is what as many slots could make that do nothing but wait for devices. */
static enum tranche_code share_sample(struct bench_run *run, const struct bench_variant *variant,
                                      struct bench_sample *sample, struct tranche_err *err)
{
    struct outcome outcome;
    const struct state *state = run->state;
    uint32_t index = (uint32_t)(variant - run->group->variants);
    enum tranche_code code = subject_run(run->state, index, variant->what, &outcome, err);
    double bound = state->in_flight * 1000 / state->setting->latency_ms;
    double rate = outcome.per_second_within > 0 ? outcome.per_second_within : outcome.per_second;
    if (code == TRANCHE_OK)
        *sample = (struct bench_sample){ { 100 * rate / bound, rate, outcome.cpu_us } };
    return code;
}

/* The gateway first, as in fanout_bench; the engines are idle. */
static void engine_close(struct bench_run *run)
{
    struct state *state = run->state;
    gateway_close(&state->gateway);
    for (uint32_t i = 0; i < run->group->variant_count; i++) {
        const struct subject *subject = subject_of(run, i);
        if (subject->client != NULL)
            subject->client->close(state->clients[i]);
        site_close(state->sites[i]);
    }
}

static const struct subject raw = { .client = &client_raw }, naive = { .client = &client_naive },
                            tuned = { .client = &client_tuned }, fanout = { .client = &client_fanout },
                            property = { .kind = TRANCHE_STEP_PROPERTY, .workers = 1 },
                            property_two = { .kind = TRANCHE_STEP_PROPERTY, .workers = 2 },
                            command = { .kind = TRANCHE_STEP_COMMAND, .workers = 1 };

static const struct bench_variant cpu_variants[] = {
    { .name = "libcurl naive", .what = &naive },
    { .name = "libcurl tuned", .what = &tuned },
    { .name = "our fan-out", .what = &fanout },
    { .name = "engine, property", .what = &property, .bar = { .ratio_at_most = 1.30 } },
    { .name = "engine, command", .what = &command, .bar = { .ratio_at_most = 1.30 } },
    { .name = "engine, property, 2 workers", .what = &property_two },
};

static const struct bench_variant share_variants_256[] = {
    { .name = "raw epoll", .what = &raw },
    { .name = "libcurl tuned", .what = &tuned },
    { .name = "our fan-out", .what = &fanout, .bar = { .at_least = 90 } },
    { .name = "engine, property", .what = &property, .bar = { .at_least = 90 } },
};

static const struct bench_variant share_variants_1024[] = {
    { .name = "raw epoll", .what = &raw },
    { .name = "libcurl tuned", .what = &tuned },
    { .name = "our fan-out", .what = &fanout, .bar = { .at_least = 85 } },
    { .name = "engine, property", .what = &property, .bar = { .at_least = 85 } },
};

static const struct bench_variant tail_variants_256[] = {
    { .name = "raw epoll", .what = &raw },
    { .name = "libcurl tuned", .what = &tuned },
    { .name = "our fan-out", .what = &fanout, .bar = { .at_least = 75 } },
    { .name = "engine, property", .what = &property, .bar = { .at_least = 75 } },
};

static const struct bench_variant tail_variants_1024[] = {
    { .name = "raw epoll", .what = &raw },
    { .name = "libcurl tuned", .what = &tuned },
    { .name = "our fan-out", .what = &fanout, .bar = { .at_least = 70 } },
    { .name = "engine, property", .what = &property, .bar = { .at_least = 70 } },
};

/* 45 to 55 ms: of one length they would all answer at once, wave after wave, as no devices do. */
#define STEADY "--latency-ms", "45", "--jitter-ms", "10"
#define STEADY_MS 50
#define TAIL   STEADY, "--slow", "1", "--slow-ms", "500"
#define TAIL_MS (0.99 * STEADY_MS + 0.01 * 500)

/* With a tail it takes the tail's length until as many calls end late as begin. */
#define STEADY_LEAD 2
#define TAIL_LEAD   12

static const struct setting answering = { .in_flight = 256, .gateway = { NULL }, .lead_rounds = 2 },
                            latency_256 = { 256, { STEADY, NULL }, STEADY_MS, STEADY_LEAD },
                            latency_1024 = { 1024, { STEADY, NULL }, STEADY_MS, STEADY_LEAD },
                            tail_256 = { 256, { TAIL, NULL }, TAIL_MS, TAIL_LEAD },
                            tail_1024 = { 1024, { TAIL, NULL }, TAIL_MS, TAIL_LEAD };

/* A long sample waits rather than works, and differs little from the next. */
#define SHARE_GROUP(label, words, devices, rounds, table, settings)                                           \
    {                                                                                                         \
        .name = label,                                                                                        \
        .about = words,                                                                                       \
        .unit = "devices a sample",                                                                           \
        .counts = { 100, devices, devices },                                                                  \
        .rounds_max = rounds,                                                                                 \
        .metrics = { "% of the bound", "devices/s", "CPU µs/device" },                                        \
        .variants = table,                                                                                    \
        .variant_count = BENCH_COUNT(table),                                                                  \
        .base = BENCH_NO_BASE,                                                                                \
        .what = &settings,                                                                                    \
        .open = engine_open,                                                                                  \
        .sample = share_sample,                                                                               \
        .close = engine_close,                                                                                \
    }

static const struct bench_group groups[] = {
    {
        .name = "engine",
        .about = "a job, 256 in flight, no latency; everything durable",
        .unit = "devices a sample",
        .counts = { 100, 16384, 16384 },
        .metrics = { "CPU µs/device", "devices/s" },
        .variants = cpu_variants,
        .variant_count = BENCH_COUNT(cpu_variants),
        .base = 1,
        .what = &answering,
        .open = engine_open,
        .sample = cpu_sample,
        .close = engine_close,
    },
    SHARE_GROUP("latency-256", "256 in flight, 50 ms", 4608, 5, share_variants_256, latency_256),
    SHARE_GROUP("latency-1024", "1,024 in flight, 50 ms", 18432, 5, share_variants_1024, latency_1024),
    SHARE_GROUP("tail-256", "256 in flight, 50 ms, 1 % take 500 ms", 4608, 3, tail_variants_256, tail_256),
    SHARE_GROUP("tail-1024", "1,024 in flight, 50 ms, 1 % take 500 ms", 18432, 3, tail_variants_1024, tail_1024),
};

#undef SHARE_GROUP

const struct bench_table engine_benches = { groups, BENCH_COUNT(groups) };
