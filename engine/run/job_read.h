/* From what a client wants a job to be to the job's record, and back to its parts. Pure, but for the estimate; any thread. */
#ifndef JOB_READ_H
#define JOB_READ_H

#include "definition.h"

#include <stddef.h>
#include <tranche/store.h>

/* Fills id, group, organization and definition, which the record then owns. `organization`: to which the job belongs when it
 * says nothing about it; NULL: to none. TRANCHE_INVALID, TRANCHE_BADREQUEST: a whole sentence. */
enum tranche_code job_read(struct tranche_job_record *job, const char *id, const char *body, size_t bytes,
                           const char *organization, struct tranche_err *err);
/* Parses the record's definition; free it with definition_free. */
enum tranche_code job_definition(const struct tranche_job_record *record, struct definition *out,
                                 struct tranche_err *err);
/* How many devices the job's group has now, for its `estimate`. A group whose filter is broken has none that could be
 * counted: the job will say so. Looks at every device where the filter names properties. */
enum tranche_code job_estimate(struct tranche_job_record *job, struct tranche_reader *reader, struct tranche_err *err);

#endif
