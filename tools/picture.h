/* The live picture of a job: progress, threshold, batches with bars, failures by reason. Pure: lines of text from what the
 * server has said, each at most `width` columns and without cursor movements. */
#ifndef PICTURE_H
#define PICTURE_H

#include "progress.h"

#define PICTURE_BATCHES_MAX  12
#define PICTURE_FAILURES_MAX 5

struct picture_batch {
    int64_t index;              /* from 0 */
    int64_t total, completed, failed;
    int64_t start_us, end_us;   /* 0: not yet */
};

struct picture_failure {
    char reason[80], example[40];
    int64_t count, last_us;
};

struct picture {
    struct progress progress;   /* strings borrowed */
    struct pace pace;
    char name[64], group[64];
    bool limited;               /* there is a threshold */
    char limit[32];             /* "10 %" or "5" */
    bool limit_percentage, limit_per_batch;
    double limit_value;
    int64_t open, waiting;
    struct picture_batch batches[PICTURE_BATCHES_MAX]; /* some that have begun, in order */
    unsigned batch_count;
    int64_t batch_devices;      /* of a full batch; 0: not known yet */
    struct picture_failure failures[PICTURE_FAILURES_MAX];
    unsigned failure_count;
};

/* What the job says of itself, from GET /api/jobs/{id}. */
void picture_read_job(struct picture *picture, const struct json *job);
/* What GET /v1/jobs/{id}/progress, batches and failures say. The first is false when it is no such object. */
bool picture_read_progress(struct picture *picture, const struct json *progress);
void picture_read_batches(struct picture *picture, const struct json *list);
void picture_read_failures(struct picture *picture, const struct json *list);

/* At most `batch_rows` rows of batches. Returns the number of lines. */
unsigned print_picture(struct text *out, const struct picture *picture, int64_t now_us, int width, unsigned batch_rows);

#endif
