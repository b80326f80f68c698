/* What a job does, in words, below its row: its data, batches, threshold, where it comes from, and why it
 * ended. Also for the jobs that a schedule makes. */
#ifndef JOB_DETAIL_H
#define JOB_DETAIL_H

#include "show.h"

/* On stdout, where a person reads it: a table on a terminal, or -o wide. `reason` NULL: none. */
bool job_detail_is_wanted(const struct cli *cli);
void job_detail_show(const struct cli *cli, const struct json_document *job, const char *reason);
/* The same as a text of lines. */
void job_detail_print(const struct json_document *job, const char *reason, struct text *out);

#endif
