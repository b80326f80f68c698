#include "progress.h"

#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PACE_FADE_S 5.0 /* how long a moment matters */

/* ---- reading ---- */

int64_t member_integer(const struct json *object, const char *name)
{
    int64_t number = 0;
    json_integer(json_member(object, name), &number);
    return number;
}

int64_t member_time(const struct json *object, const char *name)
{
    int64_t us = 0;
    const char *text = json_string(json_member(object, name));
    if (text != NULL && when_parse(text, &us, NULL) != TRANCHE_OK)
        us = 0;
    return us;
}

static int64_t final_of(const struct json *tally)
{
    return member_integer(tally, "completed") + member_integer(tally, "failed") + member_integer(tally, "unknown");
}

bool progress_read(const struct json *object, struct progress *out)
{
    const struct json *tally = json_member(object, "tally"), *batch = json_member(object, "batch");
    *out = (struct progress){
        .id = json_string(json_member(object, "id")),
        .state = json_string(json_member(object, "state")),
        .reason = json_string(json_member(object, "reason")),
        .total = member_integer(tally, "total"),
        .completed = member_integer(tally, "completed"),
        .failed = member_integer(tally, "failed"),
        .unknown = member_integer(tally, "unknown"),
        .batch_index = member_integer(batch, "index"),
        .batch_count = member_integer(batch, "count"),
        .batch_final = final_of(json_member(batch, "tally")),
        .start_us = member_time(object, "start"),
        .end_us = member_time(object, "end"),
    };
    return out->id != NULL && out->state != NULL && json_type(tally) == JSON_OBJECT;
}

int64_t progress_final(const struct progress *progress)
{
    return progress->completed + progress_failed(progress);
}

int64_t progress_failed(const struct progress *progress)
{
    return progress->failed + progress->unknown;
}

bool progress_rests(const struct progress *progress)
{
    static const char *const resting[] = { "complete", "cancelled", "failed", "stopped", "held" };
    for (size_t i = 0; i < sizeof resting / sizeof resting[0]; i++)
        if (strcmp(progress->state, resting[i]) == 0)
            return true;
    return false;
}

void pace_note(struct pace *pace, int64_t now_us, int64_t final)
{
    if (pace->begun && now_us > pace->last_us) {
        double elapsed_s = (double)(now_us - pace->last_us) / 1e6;
        double per_s = (double)(final - pace->last_final) / elapsed_s;
        double weight = pace->known ? elapsed_s / (PACE_FADE_S + elapsed_s) : 1;
        pace->per_s += weight * (per_s - pace->per_s);
        pace->known = true;
    }
    pace->begun = true;
    pace->last_us = now_us;
    pace->last_final = final;
}

/* ---- numbers ---- */

void print_count(struct text *out, int64_t count)
{
    char digits[32];
    size_t bytes = (size_t)snprintf(digits, sizeof digits, "%" PRId64, count);
    for (size_t i = 0; i < bytes; i++) {
        if (i > 0 && (bytes - i) % 3 == 0)
            text_puts(out, " ");
        text_add(out, digits + i, 1);
    }
}

/* In tenths of a percent, rounded, but never to all or nothing unless it is. */
void print_percent(struct text *out, int64_t part, int64_t whole)
{
    int64_t tenths = whole > 0 ? (part * 1000 + whole / 2) / whole : 0;
    if (tenths == 0 && part > 0)
        tenths = 1;
    if (tenths >= 1000 && part < whole)
        tenths = 999;
    text_printf(out, "%" PRId64 ".%" PRId64 " %%", tenths / 10, tenths % 10);
}

void print_rate(struct text *out, double per_s)
{
    text_printf(out, per_s < 99.95 ? "%.1f/s" : "%.0f/s", per_s);
}

void print_duration(struct text *out, int64_t us)
{
    if (us < 9950000) { /* which is shown as 9.9 */
        text_printf(out, "%.1fs", (double)us / 1e6);
        return;
    }
    int64_t s = (us + 500000) / 1000000;
    if (s < 60)
        text_printf(out, "%" PRId64 "s", s);
    else if (s < 3600)
        text_printf(out, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
    else if (s < 86400)
        text_printf(out, "%" PRId64 "h%02" PRId64 "m", s / 3600, s % 3600 / 60);
    else
        text_printf(out, "%" PRId64 "d%02" PRId64 "h", s / 86400, s % 86400 / 3600);
}

/* ---- the bar ---- */

/* Cells for a part of the whole, rounded; one at least for what exists. */
static int cells_of(int64_t part, int64_t whole, int cells)
{
    int share = whole > 0 ? (int)((part * cells + whole / 2) / whole) : 0;
    return share == 0 && part > 0 ? 1 : share;
}

static void print_cells(struct text *out, char cell, int count)
{
    for (int i = 0; i < count; i++)
        text_add(out, &cell, 1);
}

void print_bar(struct text *out, const struct progress *progress, int width)
{
    int cells = width - 2;
    int64_t pending = progress->total - progress_final(progress);
    int done = cells_of(progress->completed, progress->total, cells);
    int red = cells_of(progress_failed(progress), progress->total, cells);
    int rest = cells - done - red;
    bool is_over = pending == 0 && progress->total > 0;
    if (is_over || rest < 1) { /* what rounding left over, or took, is the larger part's */
        int wanted = is_over ? 0 : 1;
        *(done >= red ? &done : &red) += rest - wanted;
        rest = wanted;
    }
    text_puts(out, "[");
    print_cells(out, '=', done);
    print_cells(out, '#', red);
    print_cells(out, '.', rest);
    text_puts(out, "]");
}

/* ---- lines ---- */

static void print_pace(struct text *out, const struct progress *progress, const struct pace *pace, const char *between)
{
    if (!pace->known)
        return;
    text_puts(out, between);
    print_rate(out, pace->per_s);
    int64_t pending = progress->total - progress_final(progress);
    if (pending > 0 && pace->per_s > 0.01) { /* slower than that is no forecast */
        text_printf(out, "%sETA ", between);
        print_duration(out, (int64_t)((double)pending / pace->per_s * 1e6));
    }
}

void print_progress_words(struct text *out, const struct progress *progress, const struct pace *pace,
                          int64_t batches_ended)
{
    if (batches_ended > 0)
        text_printf(out, "%s batch %" PRId64 " of %" PRId64 " done", progress->id, batches_ended, progress->batch_count);
    else
        text_printf(out, "%s %s", progress->id, progress->state);
    text_printf(out, ": %" PRId64 " of %" PRId64 " (", progress_final(progress), progress->total);
    print_percent(out, progress_final(progress), progress->total);
    text_printf(out, "), %" PRId64 " failed", progress_failed(progress));
    print_pace(out, progress, pace, ", ");
}

static void print_advice(struct text *out, const struct progress *progress)
{
    if (strcmp(progress->state, "stopped") == 0 || strcmp(progress->state, "held") == 0)
        text_printf(out, " Go on: tranche job resume %s", progress->id);
    else if (progress_failed(progress) > 0)
        text_printf(out, " Rerun failed: tranche job rerun %s", progress->id);
}

void print_end_sentence(struct text *out, const struct progress *progress)
{
    int64_t failed = progress_failed(progress), final = progress_final(progress);
    text_printf(out, "%s %s: %" PRId64 " devices, %" PRId64 " completed, %" PRId64 " failed (", progress->id,
                progress->state, progress->total, progress->completed, failed);
    print_percent(out, failed, progress->total);
    if (progress->unknown > 0)
        text_printf(out, ", %" PRId64 " of them unknown", progress->unknown);
    text_puts(out, ")");
    if (progress->total > final)
        text_printf(out, ", %" PRId64 " pending", progress->total - final);
    int64_t took_us = progress->end_us - progress->start_us;
    if (progress->start_us > 0 && took_us > 0) {
        text_puts(out, " in ");
        print_duration(out, took_us);
        text_puts(out, ", ");
        print_rate(out, (double)final * 1e6 / (double)took_us);
    }
    text_puts(out, ".");
    if (progress->reason != NULL)
        text_printf(out, " Reason: %s.", progress->reason);
    print_advice(out, progress);
}
