/* What a device costs as the fleet grows: a fresh engine's first job, connections and all, in a process of its
 * own, whose peak of memory is the engine's. */
#include "bench.h"

#include "child.h"
#include "fail.h"
#include "fleet.h"
#include "gateway.h"
#include "load.h"
#include "site.h"

#define IN_FLIGHT  256
#define PATH_BYTES 4096

struct trial {
    const struct bench_run *run;
    const struct bench_variant *variant;
    struct bench_sample *sample; /* shared with the child */
};

struct state {
    struct gateway gateway;
    struct bench_sample *shared;
};

static uint32_t devices_of(const struct bench_run *run, const struct bench_variant *variant)
{
    return variant->number < run->count ? variant->number : (uint32_t)run->count;
}

static const char *directory_of(const struct bench_run *run, const struct bench_variant *variant,
                                char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%u", run->directory, variant->number);
    return path;
}

static enum tranche_code growth_open(struct bench_run *run, struct tranche_err *err)
{
    static const char *const none[] = { NULL };
    static struct state state;
    char path[PATH_BYTES];
    run->state = &state;
    state.shared = shared_take(sizeof *state.shared);
    if (state.shared == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    enum tranche_code code = gateway_open(&state.gateway, none, run->pinned, err);
    for (uint32_t i = 0; i < run->group->variant_count && code == TRANCHE_OK; i++) {
        const struct bench_variant *variant = &run->group->variants[i];
        if (!variant->full_only || run->scale == BENCH_FULL)
            code = fleet_fill(directory_of(run, variant, path), devices_of(run, variant), err);
    }
    return code;
}

static enum tranche_code trial_main(void *context, struct tranche_err *err)
{
    const struct trial *trial = context;
    const struct state *state = trial->run->state;
    uint32_t devices = devices_of(trial->run, trial->variant);
    char path[PATH_BYTES];
    struct site_options options = {
        .directory = directory_of(trial->run, trial->variant, path),
        .gateway = state->gateway.url,
        .in_flight = IN_FLIGHT,
        .workers = 1,
    };
    struct site *site = NULL;
    struct site_job job;
    enum tranche_code code = site_open(&site, &options, err);
    if (code == TRANCHE_OK)
        code = site_run(site, TRANCHE_STEP_PROPERTY, devices, &job, err);
    if (code == TRANCHE_OK)
        *trial->sample = (struct bench_sample){
            { job.used.cpu_us / devices, job.per_second, peak_resident_bytes() / 1e6 },
        };
    site_close(site);
    return code;
}

static enum tranche_code growth_sample(struct bench_run *run, const struct bench_variant *variant,
                                       struct bench_sample *sample, struct tranche_err *err)
{
    struct state *state = run->state;
    struct trial trial = { run, variant, state->shared };
    enum tranche_code code = child_run(trial_main, &trial, err);
    *sample = *state->shared;
    return code;
}

static void growth_close(struct bench_run *run)
{
    struct state *state = run->state;
    gateway_close(&state->gateway);
}

static const struct bench_variant variants[] = {
    { .name = "1,000 devices", .number = 1000 },
    { .name = "10,000 devices", .number = 10000 },
    { .name = "100,000 devices", .number = 100000 },
    { .name = "1,000,000 devices", .number = 1000000, .full_only = true, .bar = { .ratio_at_most = 1.25 } },
};

static const struct bench_group groups[] = {
    {
        .name = "growth",
        .about = "a fresh engine's first job, 256 in flight, no latency",
        .unit = "devices at most",
        .counts = { 300, 1000000, 1000000 },
        .rounds_max = 3,
        .metrics = { "CPU µs/device", "devices/s", "peak memory, MB" },
        .variants = variants,
        .variant_count = BENCH_COUNT(variants),
        .base = 2,
        .open = growth_open,
        .sample = growth_sample,
        .close = growth_close,
    },
};

const struct bench_table growth_benches = { groups, BENCH_COUNT(groups) };
