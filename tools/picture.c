#include "picture.h"

#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_BAR_WIDTH 20 /* with its brackets */
#define LIMIT_BAR_CELLS 10
#define BAR_WIDTH_MAX   74

/* ---- reading ---- */

/* What somebody else named must not move the cursor. */
static void copy_harmless(char *to, size_t size, const char *text)
{
    size_t i = 0;
    for (; text != NULL && text[i] != '\0' && i + 1 < size; i++)
        to[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
    to[i] = '\0';
}

void picture_read_job(struct picture *picture, const struct json *job)
{
    const struct json *limit = json_member(job, "cancellationThreshold"), *value = json_member(limit, "value");
    const char *type = json_string(json_member(limit, "type"));
    copy_harmless(picture->name, sizeof picture->name, json_string(json_member(job, "displayName")));
    copy_harmless(picture->group, sizeof picture->group, json_string(json_member(job, "group")));
    picture->limited = type != NULL;
    picture->limit_percentage = type != NULL && strcmp(type, "percentage") == 0;
    picture->limit_per_batch = json_true(json_member(limit, "batch"));
    picture->limit_value = json_number(value);
    snprintf(picture->limit, sizeof picture->limit, "%g%s", picture->limit_value, picture->limit_percentage ? " %" : "");
}

bool picture_read_progress(struct picture *picture, const struct json *progress)
{
    picture->open = member_integer(progress, "open");
    picture->waiting = member_integer(progress, "waiting");
    return progress_read(progress, &picture->progress);
}

void picture_read_batches(struct picture *picture, const struct json *list)
{
    const struct json *value = json_member(list, "value");
    picture->batch_count = 0;
    for (size_t i = 0; i < json_count(value) && picture->batch_count < PICTURE_BATCHES_MAX; i++) {
        const struct json *item = json_item(value, i), *tally = json_member(item, "tally");
        picture->batches[picture->batch_count++] = (struct picture_batch){
            .index = member_integer(item, "index"),
            .total = member_integer(tally, "total"),
            .completed = member_integer(tally, "completed"),
            .failed = member_integer(tally, "failed") + member_integer(tally, "unknown"),
            .start_us = member_time(item, "start"),
            .end_us = member_time(item, "end"),
        };
    }
    if (picture->batch_count > 0 && picture->batch_devices == 0)
        picture->batch_devices = picture->batches[0].total; /* only the last one is smaller */
}

void picture_read_failures(struct picture *picture, const struct json *list)
{
    const struct json *value = json_member(list, "value");
    picture->failure_count = 0;
    for (size_t i = 0; i < json_count(value) && picture->failure_count < PICTURE_FAILURES_MAX; i++) {
        const struct json *item = json_item(value, i);
        struct picture_failure *failure = &picture->failures[picture->failure_count++];
        *failure = (struct picture_failure){ .count = member_integer(item, "count"), .last_us = member_time(item, "last") };
        copy_harmless(failure->reason, sizeof failure->reason, json_string(json_member(item, "reason")));
        copy_harmless(failure->example, sizeof failure->example, json_string(json_member(item, "example")));
    }
}

/* ---- lines ---- */

struct lines {
    struct text *out;
    struct text line;
    int width;
    unsigned count;
};

/* Ends the line: cut to the width, between characters. */
static void end_line(struct lines *lines)
{
    struct text *line = &lines->line;
    size_t bytes = 0;
    for (int columns = 0; bytes < line->length; bytes++) {
        columns += ((unsigned char)line->bytes[bytes] & 0xc0) != 0x80;
        if (columns > lines->width)
            break;
    }
    while (bytes > 0 && line->bytes[bytes - 1] == ' ')
        bytes--;
    if (line->length > 0)
        text_add(lines->out, line->bytes, bytes);
    text_puts(lines->out, "\n");
    text_clear(line);
    lines->count++;
}

static void add_counted(struct text *line, const char *what, int64_t count)
{
    text_printf(line, "   %s ", what);
    print_count(line, count);
}

static void print_head(struct lines *lines, const struct picture *picture)
{
    const struct progress *progress = &picture->progress;
    struct text *line = &lines->line;
    bool named = picture->name[0] != '\0' && strcmp(picture->name, progress->id) != 0;
    text_printf(line, "%s%s%s   %s   group %s   ", progress->id, named ? "  " : "", named ? picture->name : "",
                progress->state, picture->group);
    print_count(line, progress->total);
    text_puts(line, " devices");
    end_line(lines);
}

static void print_counts(struct lines *lines, const struct picture *picture)
{
    const struct progress *progress = &picture->progress;
    struct text *line = &lines->line;
    text_puts(line, "  done ");
    print_count(line, progress->completed);
    add_counted(line, "failed", progress_failed(progress));
    if (picture->waiting > 0)
        add_counted(line, "waiting", picture->waiting);
    add_counted(line, "open", picture->open);
    add_counted(line, "pending", progress->total - progress_final(progress) - picture->open - picture->waiting);
    end_line(lines);
}

static void print_speed(struct lines *lines, const struct picture *picture, int64_t now_us)
{
    const struct progress *progress = &picture->progress;
    struct text *line = &lines->line;
    int64_t pending = progress->total - progress_final(progress);
    text_puts(line, "  rate ");
    print_rate(line, picture->pace.per_s);
    if (progress->start_us > 0) {
        text_puts(line, "   elapsed ");
        print_duration(line, (progress->end_us > 0 ? progress->end_us : now_us) - progress->start_us);
    }
    if (picture->pace.per_s > 0.01 && pending > 0) {
        text_puts(line, "   ETA ");
        print_duration(line, (int64_t)((double)pending / picture->pace.per_s * 1e6));
    }
    end_line(lines);
}

/* How near the failures are to the threshold, of the job or of the batch at hand. */
static void print_limit(struct lines *lines, const struct picture *picture)
{
    if (!picture->limited)
        return;
    const struct picture_batch *last = picture->batch_count > 0 ? &picture->batches[picture->batch_count - 1] : NULL;
    bool batch = picture->limit_per_batch && last != NULL;
    int64_t failed = batch ? last->failed : progress_failed(&picture->progress);
    int64_t base = batch ? last->total : picture->progress.total;
    double allowed = picture->limit_percentage ? picture->limit_value * (double)base / 100 : picture->limit_value;
    double part = failed == 0 ? 0 : allowed > 0 ? (double)failed / allowed : 1;
    int cells = part >= 1 ? LIMIT_BAR_CELLS : (int)(part * LIMIT_BAR_CELLS);
    struct text *line = &lines->line;
    text_printf(line, "  cancel above %s of the %s:  ", picture->limit, batch ? "batch" : "job");
    if (picture->limit_percentage)
        print_percent(line, failed, base);
    else
        print_count(line, failed);
    text_puts(line, " [");
    for (int i = 0; i < LIMIT_BAR_CELLS; i++)
        text_puts(line, i < cells ? "#" : ".");
    text_puts(line, "]");
    end_line(lines);
}

/* ---- batches ---- */

static void print_begun(struct text *line, const struct picture_batch *batch, int64_t now_us)
{
    struct progress bar = { .total = batch->total, .completed = batch->completed, .failed = batch->failed };
    int64_t took_us = (batch->end_us > 0 ? batch->end_us : now_us) - batch->start_us;
    struct text rate = {0}, time = {0};
    print_bar(line, &bar, BATCH_BAR_WIDTH);
    print_duration(&time, took_us);
    print_rate(&rate, took_us > 0 ? (double)(batch->completed + batch->failed) * 1e6 / (double)took_us : 0);
    text_printf(line, " %7" PRId64 " %7" PRId64 " %6" PRId64 " %8s %6s  %s", batch->total, batch->completed, batch->failed,
                rate.bytes, time.bytes, batch->end_us > 0 ? "done" : "running");
    text_free(&rate);
    text_free(&time);
}

static void print_waiting(struct text *line, const struct picture *picture, int64_t index)
{
    struct progress bar = { .total = 1 };
    int64_t left = picture->progress.total - index * picture->batch_devices;
    print_bar(line, &bar, BATCH_BAR_WIDTH);
    text_printf(line, " %7" PRId64 " %7s %6s %8s %6s  %s", left < picture->batch_devices ? left : picture->batch_devices,
                "-", "-", "-", "-", "waiting");
}

/* Those that have begun and are known, and then as many of those to come as there is room for. */
static void print_batches(struct lines *lines, const struct picture *picture, int64_t now_us, unsigned rows)
{
    int64_t count = picture->progress.batch_count;
    if (count < 2 || picture->batch_count == 0 || rows == 0)
        return;
    end_line(lines);
    text_printf(&lines->line, " %-7s %-*s %7s %7s %6s %8s %6s  %s", "batch", BATCH_BAR_WIDTH, "", "size", "done", "failed",
                "rate", "time", "state");
    end_line(lines);
    unsigned begun = picture->batch_count < rows ? picture->batch_count : rows;
    for (unsigned i = 0; i < rows; i++) {
        const struct picture_batch *batch = &picture->batches[picture->batch_count - begun + (i < begun ? i : begun - 1)];
        int64_t index = batch->index + (i < begun ? 0 : i - begun + 1);
        if (index >= count)
            break;
        char place[32];
        snprintf(place, sizeof place, "%" PRId64 "/%" PRId64, index + 1, count);
        text_printf(&lines->line, " %-7s ", place);
        if (i < begun)
            print_begun(&lines->line, batch, now_us);
        else
            print_waiting(&lines->line, picture, index);
        end_line(lines);
    }
}

static void print_failures(struct lines *lines, const struct picture *picture, int64_t now_us)
{
    if (picture->failure_count == 0)
        return;
    end_line(lines);
    text_printf(&lines->line, " %-40s %7s  %-9s  %s", "failures by reason", "count", "last seen", "example");
    end_line(lines);
    for (unsigned i = 0; i < picture->failure_count; i++) {
        const struct picture_failure *failure = &picture->failures[i];
        struct text ago = {0};
        print_ago(&ago, failure->last_us, now_us);
        text_printf(&lines->line, "   %-38.38s %7" PRId64 "  %-9s  %s",
                    failure->reason[0] != '\0' ? failure->reason : "(none given)", failure->count, ago.bytes,
                    failure->example);
        text_free(&ago);
        end_line(lines);
    }
}

unsigned print_picture(struct text *out, const struct picture *picture, int64_t now_us, int width, unsigned batch_rows)
{
    struct lines lines = { .out = out, .width = width };
    print_head(&lines, picture);
    text_puts(&lines.line, "  ");
    print_bar(&lines.line, &picture->progress, width - 14 < BAR_WIDTH_MAX ? width - 14 : BAR_WIDTH_MAX);
    text_puts(&lines.line, "  ");
    print_percent(&lines.line, progress_final(&picture->progress), picture->progress.total);
    end_line(&lines);
    print_counts(&lines, picture);
    print_speed(&lines, picture, now_us);
    print_limit(&lines, picture);
    print_batches(&lines, picture, now_us, batch_rows);
    print_failures(&lines, picture, now_us);
    text_free(&lines.line);
    return lines.count;
}
