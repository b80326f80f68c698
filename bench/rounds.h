/* A group's samples, and the rounds that take them. */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "bench.h"
#include "stats.h"

/* Lies in memory shared with the group's process. */
struct results {
    const struct bench_group *group; /* the same address in both: one was forked from the other */
    uint64_t count;
    uint32_t rounds;
    bool missing; /* cannot be measured here; why is in err */
    struct tranche_err err;
    struct bench_sample samples[BENCH_VARIANTS_MAX][BENCH_ROUNDS_MAX];
};

struct rounds_options {
    enum bench_scale scale;
    uint32_t rounds;
    bool pinned;
    const char *directory; /* of the group alone */
};

/* Runs a group in a child. A failure is in results->err too. */
enum tranche_code rounds_run(const struct bench_group *group, const struct rounds_options *options,
                             struct results *results);

bool variant_is_run(const struct bench_variant *variant, enum bench_scale scale);

/* Of one metric of a variant, over the rounds; and of its first metric's ratio to the base's. */
struct spread results_metric(const struct results *results, uint32_t variant, uint32_t metric);
struct spread results_ratio(const struct results *results, uint32_t variant);

#endif
