/* The engine on a data directory, whole: SQLite with full synchronization, the engine thread, workers, the central
 * connector. Everything a server has but the API. */
#ifndef SITE_H
#define SITE_H

#include "machine.h"

#include <tranche/job.h>
#include <tranche/err.h>

struct site;

struct site_options {
    const char *directory; /* filled by fleet_fill */
    const char *gateway;   /* URL */
    uint32_t in_flight, workers;
};

/* What a job took, from its creation until its last result was durable and seen by a reader. */
struct site_job {
    struct usage used;
    double per_second;        /* devices, from its start to its end */
    double per_second_within; /* the same from two fifths of its devices to nine tenths: without the start, and the
                                 end where slots run empty. 0 when it was too short to tell */
};

enum tranche_code site_open(struct site **site, const struct site_options *options, struct tranche_err *err);
/* Runs a job over every device of the directory. Fails unless all devices completed. */
enum tranche_code site_run(struct site *site, enum tranche_step_kind kind, uint32_t devices, struct site_job *job,
                           struct tranche_err *err);
void site_close(struct site *site); /* NULL is fine */

#endif
