#include "rounds.h"

#include "child.h"
#include "fail.h"
#include "log.h"
#include "machine.h"

#include <assert.h>

struct group_job {
    struct bench_run run;
    struct results *results;
    uint32_t rounds;
};

bool variant_is_run(const struct bench_variant *variant, enum bench_scale scale)
{
    return !variant->full_only || scale == BENCH_FULL;
}

/* A round's order starts one further than the last one's, so that each variant follows each moment of the round. */
static enum tranche_code round_run(struct group_job *job, uint32_t round, struct tranche_err *err)
{
    const struct bench_group *group = job->run.group;
    for (uint32_t i = 0; i < group->variant_count; i++) {
        uint32_t index = (i + round) % group->variant_count;
        const struct bench_variant *variant = &group->variants[index];
        if (!variant_is_run(variant, job->run.scale))
            continue;
        struct bench_sample *sample = &job->results->samples[index][round];
        enum tranche_code code = group->sample(&job->run, variant, sample, err);
        if (code != TRANCHE_OK)
            return fail_in(err, code, "%s", variant->name);
    }
    return TRANCHE_OK;
}

/* The warm-up is a round whose samples the next one overwrites. A smoke run needs none. */
static enum tranche_code rounds_all(struct group_job *job, struct tranche_err *err)
{
    enum tranche_code code = job->run.scale == BENCH_QUICK ? TRANCHE_OK : round_run(job, 0, err);
    for (uint32_t round = 0; round < job->rounds && code == TRANCHE_OK; round++)
        code = round_run(job, round, err);
    return code;
}

static enum tranche_code group_main(void *context, struct tranche_err *err)
{
    struct group_job *job = context;
    const struct bench_group *group = job->run.group;
    log_set_level(LOG_LEVEL_ERROR);
    descriptors_raise();
    if (job->run.pinned && !core_pin(0))
        return fail(err, TRANCHE_INTERNAL, "core 0 is not ours; try --unpinned");
    enum tranche_code code = group->open != NULL ? group->open(&job->run, err) : TRANCHE_OK;
    job->results->missing = code == TRANCHE_NOTFOUND;
    if (code == TRANCHE_OK)
        code = rounds_all(job, err);
    if (group->close != NULL)
        group->close(&job->run);
    return code;
}

enum tranche_code rounds_run(const struct bench_group *group, const struct rounds_options *options,
                             struct results *results)
{
    assert(group->variant_count <= BENCH_VARIANTS_MAX && options->rounds <= BENCH_ROUNDS_MAX);
    results->group = group;
    results->count = group->counts[options->scale];
    results->rounds = options->rounds;
    if (group->rounds_max > 0 && group->rounds_max < results->rounds)
        results->rounds = group->rounds_max;
    struct group_job job = {
        .run = {
            .group = group,
            .scale = options->scale,
            .count = results->count,
            .pinned = options->pinned,
            .directory = options->directory,
        },
        .results = results,
        .rounds = results->rounds,
    };
    return child_run(group_main, &job, &results->err);
}

struct spread results_metric(const struct results *results, uint32_t variant, uint32_t metric)
{
    double values[BENCH_ROUNDS_MAX];
    for (uint32_t i = 0; i < results->rounds; i++)
        values[i] = results->samples[variant][i].values[metric];
    return spread_of(values, results->rounds);
}

struct spread results_ratio(const struct results *results, uint32_t variant)
{
    double ratios[BENCH_ROUNDS_MAX];
    uint32_t base = results->group->base;
    for (uint32_t i = 0; i < results->rounds; i++)
        ratios[i] = results->samples[variant][i].values[0] / results->samples[base][i].values[0];
    return median_interval(ratios, results->rounds);
}
