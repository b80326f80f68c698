/* A job's progress as people read it: percentages, rates, times, one bar, one closing sentence. Pure. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "json.h"
#include "mem.h"

#include <stdint.h>

/* As GET /v1/jobs/{id}/progress tells it. Strings point into the document. */
struct progress {
    const char *id;
    const char *state;      /* ours: "stopping", "held", ... */
    const char *reason;     /* NULL: none */
    int64_t total, completed, failed, unknown;
    int64_t batch_index, batch_count; /* batch_count 0: no batch yet */
    int64_t batch_final;    /* devices of the current batch that have their last word */
    int64_t start_us, end_us; /* 0: not yet */
};

/* A member of an answer; 0 where it is absent or something else. Times are microseconds since 1970. */
int64_t member_integer(const struct json *object, const char *name);
int64_t member_time(const struct json *object, const char *name);

/* False when it is no such object. */
bool progress_read(const struct json *object, struct progress *out);
int64_t progress_final(const struct progress *progress);  /* devices that have their last word */
int64_t progress_failed(const struct progress *progress); /* failed and unknown */
/* Nothing more will happen without a person: complete, cancelled, failed, stopped, held. */
bool progress_rests(const struct progress *progress);

/* The speed at present: a mean of the last moments, in which older ones fade. Zeroed is ready. */
struct pace {
    int64_t last_us;
    int64_t last_final;
    double per_s;
    bool begun, known;
};
void pace_note(struct pace *pace, int64_t now_us, int64_t final);

void print_percent(struct text *out, int64_t part, int64_t whole); /* "2.7 %"; 0.0 and 100.0 are exact */
void print_rate(struct text *out, double per_s);                   /* "58.1/s", "12340/s" */
void print_duration(struct text *out, int64_t us);                 /* "41s", "2m52s", "1h03m", "0.4s" */
void print_count(struct text *out, int64_t count);                 /* "10 000" */

/* "[=====##.....]", `width` columns with the brackets: completed, failed, pending. What exists has a cell at least. */
void print_bar(struct text *out, const struct progress *progress, int width);

/* One line for logs: counts, rate, time left. `batches_ended`, when not 0, is what the line is about. */
void print_progress_words(struct text *out, const struct progress *progress, const struct pace *pace,
                          int64_t batches_ended);
/* "job-006 complete: 10000 devices, 9731 completed, 269 failed (2.7 %) in 2m52s, 58.1/s. Rerun failed: ..." */
void print_end_sentence(struct text *out, const struct progress *progress);

#endif
