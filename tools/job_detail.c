#include "job_detail.h"

#include <stdio.h>
#include <string.h>

#define LABEL_WIDTH 12

static void begin_line(struct text *out, const char *label)
{
    text_printf(out, "%-*s  ", LABEL_WIDTH, label);
}

static void print_line(struct text *out, const char *label, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    begin_line(out, label);
    text_harmless(out, value);
    text_puts(out, "\n");
}

/* Values as they are, numbers of any length among them. */
static void print_raw(const char *raw, size_t bytes, struct text *out)
{
    if (raw != NULL)
        json_compact(out, raw, bytes);
}

static void print_entry(const struct json_document *job, size_t index, struct text *out)
{
    char place[24];
    size_t bytes;
    snprintf(place, sizeof place, "[%zu]", index);
    const struct json *entry = json_item(json_member(job->root, "data"), index);
    const char *type = json_string(json_member(entry, "type"));
    const char *path = json_string(json_member(entry, "path"));
    const char *raw = json_raw(job, &bytes, "data", place, "value", NULL);
    begin_line(out, index == 0 ? "data" : "");
    text_harmless(out, type != NULL ? type : "?");
    text_puts(out, " ");
    text_harmless(out, path != NULL ? path : "");
    text_puts(out, raw != NULL ? " = " : "");
    print_raw(raw, bytes, out);
    static const char *const templates[] = { "target", "template", "manifest" };
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        const char *id = json_string(json_member(entry, templates[i]));
        if (id == NULL)
            continue;
        text_puts(out, path != NULL ? "  of " : "");
        text_harmless(out, id);
    }
    text_puts(out, "\n");
}

/* "25% of the devices", "250 devices", "1 device". */
static void print_amount(const struct json_document *job, const char *member, struct text *out)
{
    size_t bytes = 0;
    const struct json *amount = json_member(job->root, member);
    const char *type = json_string(json_member(amount, "type"));
    const char *raw = json_raw(job, &bytes, member, "value", NULL);
    print_raw(raw, bytes, out);
    if (type != NULL && strcmp(type, "percentage") == 0)
        text_puts(out, "% of the devices");
    else
        text_puts(out, bytes == 1 && raw[0] == '1' ? " device" : " devices");
}

static void print_batch(const struct json_document *job, struct text *out)
{
    if (json_type(json_member(job->root, "batch")) != JSON_OBJECT)
        return;
    begin_line(out, "batch");
    print_amount(job, "batch", out);
    text_puts(out, "\n");
}

static void print_threshold(const struct json_document *job, struct text *out)
{
    const struct json *threshold = json_member(job->root, "cancellationThreshold");
    if (json_type(threshold) != JSON_OBJECT)
        return;
    begin_line(out, "cancel at");
    text_puts(out, "more than ");
    print_amount(job, "cancellationThreshold", out);
    text_puts(out, json_true(json_member(threshold, "batch")) ? " of a batch failed\n" : " failed\n");
}

void job_detail_print(const struct json_document *job, const char *reason, struct text *out)
{
    print_line(out, "description", json_string(json_member(job->root, "description")));
    for (size_t i = 0; i < json_count(json_member(job->root, "data")); i++)
        print_entry(job, i, out);
    print_batch(job, out);
    print_threshold(job, out);
    print_line(out, "schedule", json_string(json_member(job->root, "scheduledJobId")));
    print_line(out, "organization", json_string(json_item(json_member(job->root, "organizations"), 0)));
    print_line(out, "reason", reason);
}

bool job_detail_is_wanted(const struct cli *cli)
{
    return cli->output == OUTPUT_WIDE || (cli->output == OUTPUT_TABLE && cli->terminal_out);
}

void job_detail_show(const struct cli *cli, const struct json_document *job, const char *reason)
{
    struct text lines = { 0 };
    if (!job_detail_is_wanted(cli))
        return;
    job_detail_print(job, reason, &lines);
    if (!lines.failed && lines.length > 0)
        printf("\n%s", lines.bytes);
    text_free(&lines);
}
