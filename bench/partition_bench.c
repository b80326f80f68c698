/* Cutting a fleet into batches and chunk rows, and finding a device's place: arithmetic, so it should cost
 * nothing. */
#include "bench.h"

#include "batch.h"
#include "machine.h"

#define BATCHES 10

/* Read by nobody; so that no compiler leaves the work out. */
static volatile uint64_t sink;

static uint64_t cut_all(uint32_t total)
{
    uint64_t sum = 0;
    struct tranche_amount tenth = { .percentage = true, .mantissa = 100 / BATCHES };
    uint32_t size = batch_devices(&tenth, total), chunks = chunk_count(total, size);
    for (uint32_t i = 0; i < chunks; i++)
        sum += chunk_span(total, size, i).count + batch_span(total, size, chunk_batch(size, i)).first;
    return sum;
}

static uint64_t place_all(uint32_t total)
{
    uint64_t sum = 0;
    struct tranche_amount tenth = { .percentage = true, .mantissa = 100 / BATCHES };
    uint32_t size = batch_devices(&tenth, total);
    for (uint32_t i = 0; i < total; i++)
        sum += chunk_of(size, i) + batch_of(size, i);
    return sum;
}

struct work {
    uint64_t (*all)(uint32_t total);
};

static enum tranche_code partition_sample(struct bench_run *run, const struct bench_variant *variant,
                                          struct bench_sample *sample, struct tranche_err *err)
{
    (void)err;
    const struct work *work = variant->what;
    struct usage start = usage_now();
    sink = work->all((uint32_t)run->count);
    struct usage used = usage_since(start);
    *sample = (struct bench_sample){ { used.wall_us * 1e3 / (double)run->count, used.wall_us / 1e3 } };
    return TRANCHE_OK;
}

static const struct work cut = { cut_all }, place = { place_all };

static const struct bench_variant variants[] = {
    { .name = "cut into batches and chunks", .what = &cut },
    { .name = "find each device's place", .what = &place },
};

static const struct bench_group groups[] = {
    {
        .name = "partition",
        .about = "ten batches, chunks of 256",
        .unit = "devices",
        .counts = { 10000, 1000000, 1000000 },
        .metrics = { "ns/device", "ms in all" },
        .variants = variants,
        .variant_count = BENCH_COUNT(variants),
        .base = BENCH_NO_BASE,
        .sample = partition_sample,
    },
};

const struct bench_table partition_benches = { groups, BENCH_COUNT(groups) };
