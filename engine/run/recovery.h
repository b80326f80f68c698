/* Loading jobs into memory, and settling what a crash left open. */
#ifndef RECOVERY_H
#define RECOVERY_H

#include "core_internal.h"

/* Brings a job that rests in the store into memory, with its batch and its waiting devices. Takes over the record on
 * success. */
enum tranche_code recovery_load(struct core *core, struct tranche_job_record *record, struct job **job,
                                struct tranche_err *err);

#endif
