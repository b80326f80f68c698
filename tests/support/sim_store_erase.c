/* Removing jobs. What belongs to one goes with it: in this store a slice is nothing to be seen. */
#include "sim_store_internal.h"

#include "fail.h"
#include "state.h"

#include <string.h>

static bool is_free(const struct sim_store *s, const struct tranche_job_record *record)
{
    const struct job_row *job;
    bool needed = job_state_is_open(record->state) || sim_table_find(&s->folds, (uint64_t)record->no, SIM_OPEN) != NULL;
    for (uint32_t at = 0; (job = sim_table_next(&s->jobs, &at, SIM_OPEN)) != NULL;)
        needed |= job->record.origin == record->no && job_state_is_open(job->record.state);
    return !needed;
}

static enum tranche_code job_expired(struct tranche_store *store, int64_t before_us, int64_t *no,
                                     char id[TRANCHE_ID_BYTES], struct tranche_err *err)
{
    struct sim_store *s = sim_store_enter(store, "job_expired");
    const struct tranche_job_record *oldest = NULL;
    const struct job_row *job;
    for (uint32_t at = 0; (job = sim_table_next(&s->jobs, &at, SIM_OPEN)) != NULL;)
        if (job_state_is_over(job->record.state) && job->record.ended_us < before_us && is_free(s, &job->record) &&
            (oldest == NULL || job->record.ended_us < oldest->ended_us))
            oldest = &job->record;
    if (oldest == NULL)
        return fail(err, TRANCHE_NOTFOUND, "no job has expired");
    *no = oldest->no;
    strcpy(id, oldest->id);
    return TRANCHE_OK;
}

static void drop_rows(struct sim_store *s, struct job_rows *rows)
{
    for (int kind = 0; rows != NULL && kind < ROWS_KIND_COUNT; kind++) {
        struct sim_table *table = &rows->tables[kind];
        for (uint32_t i = table->count; i-- > 0;)
            sim_store_drop(s, rows, table, table->slots[i].key);
    }
}

static enum tranche_code job_erase(struct tranche_store *store, int64_t no, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "job_erase", err);
    if (code != TRANCHE_OK)
        return code;
    const struct job_row *job = sim_table_find(&s->jobs, (uint64_t)no, SIM_OPEN);
    if (job == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no job number %lld", (long long)no);
    if (!is_free(s, &job->record))
        return fail(err, TRANCHE_CONFLICT, "something still needs the job");
    if (no > s->erased_last)
        s->erased_last = no;
    drop_rows(s, sim_store_rows_find(s, no));
    sim_store_drop(s, sim_store_rows_find(s, no), &s->jobs, (uint64_t)no);
    return TRANCHE_OK;
}

static enum tranche_code erase_some(struct tranche_store *store, bool *more, struct tranche_err *err)
{
    *more = false;
    return sim_store_change(store, "erase_some", err);
}

void sim_store_erase_functions(struct tranche_store_functions *functions)
{
    functions->job_expired = job_expired;
    functions->job_erase = job_erase;
    functions->erase_some = erase_some;
}
