/* The harness, as the benches see it: a bench is a table row.
 *
 * A group holds variants that are compared with each other. It is run in a process of its own, so that no group
 * inherits another's memory, threads or descriptors. In it every variant is sampled once to warm up and then once
 * a round, in an order that rotates; so a noisy moment hits neighbours alike, and a variant is compared with the
 * group's base by the ratio of their samples of the same round. Nothing is averaged: the table shows medians, the
 * range, and a 95 % confidence interval of the median ratio.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <tranche/err.h>

#define BENCH_METRICS_MAX  3
#define BENCH_VARIANTS_MAX 8
#define BENCH_ROUNDS_MAX   99
#define BENCH_NO_BASE      UINT32_MAX

enum bench_scale { BENCH_QUICK, BENCH_NORMAL, BENCH_FULL, BENCH_SCALE_COUNT };

/* One measurement: a value for each of the group's metrics. */
struct bench_sample {
    double values[BENCH_METRICS_MAX];
};

/* What a variant should reach, by the median of its first metric or that metric's ratio to the base; 0: nothing. */
struct bench_bar {
    double at_most, at_least, ratio_at_most;
};

struct bench_variant {
    const char *name;
    const void *what;  /* the group's own */
    uint32_t number;   /* the same */
    bool full_only;    /* takes long: only with --full */
    struct bench_bar bar;
};

struct bench_group;

/* What a group's functions are given. They run in the group's process, on its main thread. */
struct bench_run {
    const struct bench_group *group;
    enum bench_scale scale;
    uint64_t count;        /* the group's, for this scale */
    bool pinned;           /* this process has core 0 and the gateway should have core 1 */
    const char *directory; /* empty, the group's own, on a disk; removed afterwards */
    void *state;           /* the group's, from open to close */
};

struct bench_group {
    const char *name;  /* for --filter */
    const char *about;
    const char *unit;  /* of count: "requests a sample" */
    uint64_t counts[BENCH_SCALE_COUNT];
    uint32_t rounds_max; /* of a long one; 0: as asked */
    const char *metrics[BENCH_METRICS_MAX]; /* name with unit; the first is what ratios and bars are about */
    const struct bench_variant *variants;
    uint32_t variant_count;
    uint32_t base;     /* index of the variant that the others are compared with; or BENCH_NO_BASE */
    const void *what;  /* the group's own */

    /* open may be NULL; TRANCHE_NOTFOUND from it: cannot be measured here, which is no failure. close may be NULL;
     * it is called after a failed open too. */
    enum tranche_code (*open)(struct bench_run *run, struct tranche_err *err);
    enum tranche_code (*sample)(struct bench_run *run, const struct bench_variant *variant,
                                struct bench_sample *sample, struct tranche_err *err);
    void (*close)(struct bench_run *run);
};

/* Each file of benches has a table, and bench.c a table of these. */
struct bench_table {
    const struct bench_group *groups;
    uint32_t count;
};

extern const struct bench_table gateway_benches, fanout_benches, engine_benches, growth_benches, ring_benches,
    partition_benches, filter_benches, store_benches;

#define BENCH_COUNT(array) ((uint32_t)(sizeof(array) / sizeof(array)[0]))

#endif
