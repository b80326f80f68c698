/* What a job record owns. */
#include <stdlib.h>
#include <tranche/store.h>

void tranche_job_record_free(struct tranche_job_record *record)
{
    free(record->definition);
    free(record->reason);
    record->definition = NULL;
    record->reason = NULL;
}
