/* Filters: reading one, and finding its devices in the store. */
#include "bench.h"

#include "fail.h"
#include "filter.h"
#include "fleet.h"
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONDITIONS 100 /* IoT Central's most in one group */
#define PAGE       1024

/* ---- reading ---- */

static const char short_filter[] =
    "SELECT * FROM devices WHERE $template = \"" FLEET_TEMPLATE "\" AND $provisioned = true";

static enum tranche_code parse_open(struct bench_run *run, struct tranche_err *err)
{
    static struct text longest;
    text_puts(&longest, "SELECT * FROM devices WHERE ");
    for (int i = 0; i < CONDITIONS; i++)
        text_printf(&longest, "%s(component%d.property%d >= %d.5 OR name = \"room %d\")", i > 0 ? " AND " : "", i, i,
                    i, i);
    run->state = &longest;
    return longest.failed ? fail(err, TRANCHE_NOMEM, "out of memory") : TRANCHE_OK;
}

static void parse_close(struct bench_run *run)
{
    text_free(run->state);
}

/* `variant->what` is the filter; the long one is made up when the group opens. */
static enum tranche_code parse_sample(struct bench_run *run, const struct bench_variant *variant,
                                      struct bench_sample *sample, struct tranche_err *err)
{
    const struct text *longest = run->state;
    const char *text = variant->what != NULL ? variant->what : longest->bytes;
    size_t bytes = strlen(text);
    enum tranche_code code = TRANCHE_OK;
    struct usage start = usage_now();
    for (uint64_t i = 0; i < run->count && code == TRANCHE_OK; i++) {
        struct filter filter;
        code = filter_parse(text, bytes, &filter, err);
        filter_free(&filter);
    }
    double each_us = usage_since(start).cpu_us / (double)run->count;
    *sample = (struct bench_sample){ { each_us, each_us * 1e3 / (double)bytes } };
    return code;
}

static const struct bench_variant parse_variants[] = {
    { .name = "two conditions", .what = short_filter },
    { .name = "a hundred pairs", .what = NULL },
};

/* ---- finding ---- */

struct finding {
    struct tranche_store *store;
    struct tranche_reader *reader;
};

static enum tranche_code find_open(struct bench_run *run, struct tranche_err *err)
{
    static struct finding finding;
    char directory[4096];
    run->state = &finding;
    snprintf(directory, sizeof directory, "%s/store", run->directory);
    enum tranche_code code = fleet_fill(directory, (uint32_t)run->count, err);
    if (code == TRANCHE_OK)
        code = fleet_store_open(directory, &finding.store, err);
    if (code == TRANCHE_OK)
        code = finding.store->functions->reader_open(finding.store, &finding.reader, err);
    return code;
}

static void find_close(struct bench_run *run)
{
    struct finding *finding = run->state;
    if (finding->reader != NULL)
        finding->reader->functions->close(finding->reader);
    fleet_store_close(finding->store);
}

static enum tranche_code find_all(struct tranche_reader *reader, const char *filter, uint64_t *found,
                                  struct tranche_err *err)
{
    uint32_t devices[PAGE], count = 0;
    struct tranche_selection selection = { .filter = filter };
    enum tranche_code code = reader->functions->select_open(reader, &selection, &count, err);
    if (code != TRANCHE_OK)
        return code;
    *found = 0;
    do {
        code = reader->functions->select_next(reader, devices, PAGE, &count, err);
        *found += code == TRANCHE_OK ? count : 0;
    } while (code == TRANCHE_OK && count > 0);
    reader->functions->select_close(reader);
    return code;
}

static enum tranche_code find_sample(struct bench_run *run, const struct bench_variant *variant,
                                     struct bench_sample *sample, struct tranche_err *err)
{
    struct finding *finding = run->state;
    uint64_t found;
    struct usage start = usage_now();
    enum tranche_code code = find_all(finding->reader, variant->what, &found, err);
    struct usage used = usage_since(start);
    if (code != TRANCHE_OK)
        return code;
    if (found == 0)
        return fail(err, TRANCHE_INTERNAL, "no device was found");
    *sample = (struct bench_sample){ { used.cpu_us * 1e3 / (double)found, (double)found, used.wall_us / 1e3 } };
    return TRANCHE_OK;
}

/* A million devices in half a second. */
#define FOUND_NS_MAX 500

static const struct bench_variant find_variants[] = {
    { .name = "all devices", .what = "SELECT * FROM devices", .bar = { .at_most = FOUND_NS_MAX } },
    { .name = "a template (index)", .bar = { .at_most = FOUND_NS_MAX },
      .what = "SELECT * FROM devices WHERE $template = \"" FLEET_TEMPLATE "\"" },
    { .name = "a property (no index)", .what = "SELECT * FROM devices WHERE floor < 50" },
};

static const struct bench_group groups[] = {
    {
        .name = "parse",
        .about = "reading a device group's filter",
        .unit = "times a sample",
        .counts = { 100, 1000, 1000 },
        .metrics = { "CPU µs", "CPU ns/byte" },
        .variants = parse_variants,
        .variant_count = BENCH_COUNT(parse_variants),
        .base = BENCH_NO_BASE,
        .open = parse_open,
        .sample = parse_sample,
        .close = parse_close,
    },
    {
        .name = "resolve",
        .about = "a filter's devices out of the store",
        .unit = "devices in it",
        .counts = { 300, 100000, 1000000 },
        .metrics = { "CPU ns/device found", "devices found", "ms in all" },
        .variants = find_variants,
        .variant_count = BENCH_COUNT(find_variants),
        .base = BENCH_NO_BASE,
        .open = find_open,
        .sample = find_sample,
        .close = find_close,
    },
};

const struct bench_table filter_benches = { groups, BENCH_COUNT(groups) };
