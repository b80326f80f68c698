#include "record.h"

#include "fail.h"
#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void record_begin(struct record *record, const struct machine *machine, bool pinned)
{
    char now[WHEN_TEXT_BYTES];
    when_rfc3339(when_now_us(), now);
    struct text *text = &record->text;
    text_printf(text, "{\"at\":\"%s\",\"version\":\"" TRANCHE_VERSION "\",\"cpu\":", now);
    text_json(text, machine->cpu);
    text_printf(text, ",\"cores\":%u,\"kernel\":", machine->cores);
    text_json(text, machine->kernel);
    text_printf(text, ",\"libcurl\":\"%s\",\"disk\":\"%s\",\"load\":%.2f,\"pinned\":%s,\"groups\":[",
                machine->libcurl, machine->disk, machine->load, pinned ? "true" : "false");
}

static void spread_add(struct text *text, struct spread spread)
{
    text_printf(text, "\"median\":%.6g,\"least\":%.6g,\"most\":%.6g", spread.median, spread.least, spread.most);
}

static void metric_add(struct text *text, const struct results *results, uint32_t variant, uint32_t metric)
{
    text_puts(text, metric > 0 ? ",{\"name\":" : "{\"name\":");
    text_json(text, results->group->metrics[metric]);
    text_puts(text, ",");
    spread_add(text, results_metric(results, variant, metric));
    text_puts(text, ",\"samples\":[");
    for (uint32_t i = 0; i < results->rounds; i++)
        text_printf(text, "%s%.6g", i > 0 ? "," : "", results->samples[variant][i].values[metric]);
    text_puts(text, "]}");
}

static void variant_add(struct text *text, const struct results *results, uint32_t variant)
{
    const struct bench_group *group = results->group;
    text_puts(text, "{\"name\":");
    text_json(text, group->variants[variant].name);
    text_puts(text, ",\"metrics\":[");
    for (uint32_t i = 0; i < BENCH_METRICS_MAX && group->metrics[i] != NULL; i++)
        metric_add(text, results, variant, i);
    text_puts(text, "]");
    if (group->base != BENCH_NO_BASE) {
        text_puts(text, ",\"ratio\":{\"to\":");
        text_json(text, group->variants[group->base].name);
        text_puts(text, ",");
        spread_add(text, results_ratio(results, variant));
        text_puts(text, "}");
    }
    text_puts(text, "}");
}

void record_group(struct record *record, const struct results *results, enum bench_scale scale)
{
    struct text *text = &record->text;
    text_puts(text, record->groups++ > 0 ? "," : "");
    text_printf(text, "{\"name\":\"%s\",\"count\":%" PRIu64 ",\"rounds\":%u,\"variants\":[", results->group->name,
                results->count, results->rounds);
    bool first = true;
    for (uint32_t i = 0; i < results->group->variant_count; i++) {
        if (!variant_is_run(&results->group->variants[i], scale))
            continue;
        if (!first)
            text_puts(text, ",");
        variant_add(text, results, i);
        first = false;
    }
    text_puts(text, "]}");
}

void record_end(struct record *record, double stolen_percent)
{
    text_printf(&record->text, "],\"stolen_percent\":%.2f}\n", stolen_percent);
}

enum tranche_code record_write(const struct record *record, const char *path, struct tranche_err *err)
{
    if (record->text.failed)
        return fail(err, TRANCHE_NOMEM, "no memory for the record");
    FILE *file = fopen(path, "we");
    bool good = file != NULL && fwrite(record->text.bytes, 1, record->text.length, file) == record->text.length;
    if (file != NULL && fclose(file) != 0)
        good = false;
    return good ? TRANCHE_OK : fail(err, TRANCHE_IO, "write %s: %s", path, strerror(errno));
}

void record_free(struct record *record)
{
    text_free(&record->text);
}
