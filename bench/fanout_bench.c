/* How much CPU a request costs, at 16 to 4096 in flight: the kernel's floor, libcurl naive and tuned, and our
 * fan-out. The gateway answers at once, so one core of ours is the limit. */
#include "bench.h"

#include "gateway.h"
#include "load.h"

#define LEAD_ROUNDS 1 /* answers a slot before measuring begins */

struct state {
    struct gateway gateway;
    void *clients[BENCH_VARIANTS_MAX];
    uint32_t in_flight;
};

static enum tranche_code fanout_bench_open(struct bench_run *run, struct tranche_err *err)
{
    static const char *const none[] = { NULL };
    static struct state state;
    const struct bench_group *group = run->group;
    run->state = &state;
    state.in_flight = *(const uint32_t *)group->what;
    if (state.in_flight > run->count)
        state.in_flight = (uint32_t)run->count; /* a smoke run */
    enum tranche_code code = gateway_open(&state.gateway, none, run->pinned, err);
    struct load_target target = { state.gateway.url, state.gateway.port, state.in_flight };
    for (uint32_t i = 0; i < group->variant_count && code == TRANCHE_OK; i++) {
        const struct client_kind *kind = group->variants[i].what;
        code = kind->open(&state.clients[i], &target, err);
    }
    return code;
}

static enum tranche_code fanout_bench_sample(struct bench_run *run, const struct bench_variant *variant,
                                             struct bench_sample *sample, struct tranche_err *err)
{
    struct state *state = run->state;
    const struct client_kind *kind = variant->what;
    struct load load = { .lead = (uint64_t)state->in_flight * LEAD_ROUNDS, .count = run->count };
    enum tranche_code code = kind->run(state->clients[variant - run->group->variants], &load, err);
    if (code == TRANCHE_OK)
        *sample = (struct bench_sample){ { load_cpu_us(&load), load_per_second(&load) } };
    return code;
}

/* The gateway first: then its ports, which nobody will ask for again, are those that the kernel keeps closed for a
 * while. */
static void fanout_bench_close(struct bench_run *run)
{
    struct state *state = run->state;
    gateway_close(&state->gateway);
    for (uint32_t i = 0; i < run->group->variant_count; i++)
        ((const struct client_kind *)run->group->variants[i].what)->close(state->clients[i]);
}

static const struct bench_variant variants[] = {
    { .name = "raw epoll", .what = &client_raw },
    { .name = "libcurl naive", .what = &client_naive },
    { .name = "libcurl tuned", .what = &client_tuned },
    { .name = "our fan-out", .what = &client_fanout },
};

/* Requests are a multiple of those in flight: the naive client goes in waves, and a sample is to have whole ones. */
#define CASES(X) X(16, 8192, 0) X(64, 8192, 0) X(256, 8192, 0) X(1024, 12288, 0) X(4096, 12288, 7)

static const uint32_t in_flight[] = {
#define X(flight, requests, rounds) flight,
    CASES(X)
#undef X
};

enum {
#define X(flight, requests, rounds) CASE_##flight,
    CASES(X)
#undef X
};

static const struct bench_group groups[] = {
#define X(flight, requests, rounds)                                                                           \
    {                                                                                                         \
        .name = "fanout-" #flight,                                                                            \
        .about = #flight " requests in flight, no latency",                                                   \
        .unit = "requests a sample",                                                                          \
        .counts = { 100, requests, requests },                                                                \
        .rounds_max = rounds,                                                                                 \
        .metrics = { "CPU µs/request", "requests/s" },                                                        \
        .variants = variants,                                                                                 \
        .variant_count = BENCH_COUNT(variants),                                                               \
        .base = 2,                                                                                            \
        .what = &in_flight[CASE_##flight],                                                                    \
        .open = fanout_bench_open,                                                                            \
        .sample = fanout_bench_sample,                                                                        \
        .close = fanout_bench_close,                                                                          \
    },
    CASES(X)
#undef X
};

const struct bench_table fanout_benches = { groups, BENCH_COUNT(groups) };
