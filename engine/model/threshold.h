/* The cancellation threshold: when has a job, or its current batch, failed too often? It must be exceeded, by exact
 * arithmetic (api-contract.md 6.5). */
#ifndef THRESHOLD_H
#define THRESHOLD_H

#include <tranche/job.h>

struct threshold {
    bool set;       /* false: never cancel */
    bool per_batch; /* base and failures are the current batch's */
    struct tranche_amount amount;
};

/* Failures are final failures of distinct devices, unknown outcomes included. `batch` is looked at only when per_batch;
 * for a job without batches it is the job's own tally. */
bool threshold_tripped(const struct threshold *threshold, const struct tranche_tally *job,
                       const struct tranche_tally *batch);

#endif
