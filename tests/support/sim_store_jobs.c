/* The writer's rows of jobs: job, batch, chunk, intent, result, retry. */
#include "sim_store_internal.h"

#include "fail.h"
#include "state.h"

#include <string.h>

/* ---- rows ---- */

/* `fixed` has what no update changes. */
static struct job_row *job_row_new(const struct tranche_job_record *record,
                                   const struct tranche_job_record *fixed)
{
    struct job_row *job =
        sim_row_new(sizeof *job + sim_string_bytes(fixed->definition) + sim_string_bytes(record->reason));
    char *tail = (char *)(job + 1);
    job->record = *record;
    job->record.no = fixed->no;
    memcpy(job->record.id, fixed->id, sizeof fixed->id);
    memcpy(job->record.group, fixed->group, sizeof fixed->group);
    memcpy(job->record.schedule, fixed->schedule, sizeof fixed->schedule);
    memcpy(job->record.organization, fixed->organization, sizeof fixed->organization);
    memcpy(job->record.device, fixed->device, sizeof fixed->device);
    memcpy(job->record.call, fixed->call, sizeof fixed->call);
    job->record.origin = fixed->origin;
    job->record.created_us = fixed->created_us;
    job->record.definition = sim_string_keep(&tail, fixed->definition);
    job->record.reason = sim_string_keep(&tail, record->reason);
    return job;
}

static struct result_row *result_row_new(const struct tranche_result_record *record)
{
    struct result_row *result =
        sim_row_new(sizeof *result + sim_string_bytes(record->reason) + record->answer_bytes);
    char *tail = (char *)(result + 1);
    result->record = *record;
    result->record.reason = sim_string_keep(&tail, record->reason);
    result->record.answer = tail;
    if (record->answer_bytes > 0)
        memcpy(tail, record->answer, record->answer_bytes);
    return result;
}

static struct chunk_row *chunk_row_new(uint32_t batch, const uint32_t *devices, uint32_t count)
{
    struct chunk_row *chunk = sim_row_new(sizeof *chunk + count * sizeof *devices);
    chunk->batch = batch;
    chunk->count = count;
    memcpy(chunk->devices, devices, count * sizeof *devices);
    return chunk;
}

/* A change to the rows of a job. */
static enum tranche_code change_of(struct tranche_store *store, int64_t job, const char *what,
                                   struct job_rows **rows, struct tranche_err *err)
{
    enum tranche_code code = sim_store_change(store, what, err);
    if (code != TRANCHE_OK)
        return code;
    if (job < 1 || job > SIM_JOBS_MAX) {
        sim_store_wrong(sim_store(store), "%s: job %lld is not a number of ours", what, (long long)job);
        return fail(err, TRANCHE_INTERNAL, "%s: job %lld is not there", what, (long long)job);
    }
    *rows = sim_store_rows(sim_store(store), job);
    return TRANCHE_OK;
}

static void check_ordinal(struct sim_store *s, const struct job_rows *rows, const char *what,
                          uint32_t ordinal)
{
    if (ordinal >= SIM_ORDINALS_MAX)
        sim_store_wrong(s, "%s: job %lld, ordinal %u is beyond any job", what, (long long)rows->no, ordinal);
}

/* ---- jobs and batches ---- */

struct job_row *sim_store_job_named(struct sim_store *s, const char *id, uint64_t view)
{
    struct job_row *job;
    for (uint32_t at = 0; (job = sim_table_next(&s->jobs, &at, view)) != NULL;)
        if (strcmp(job->record.id, id) == 0)
            return job;
    return NULL;
}

static enum tranche_code job_insert(struct tranche_store *store, struct tranche_job_record *record,
                                    struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    int64_t last = (int64_t)sim_table_last(&s->jobs);
    int64_t no = (last > s->erased_last ? last : s->erased_last) + 1;
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, no, "job_insert", &rows, err);
    if (code != TRANCHE_OK)
        return code;
    if (sim_store_job_named(s, record->id, SIM_OPEN) != NULL)
        return fail(err, TRANCHE_CONFLICT, "there is a job \"%s\" already", record->id);
    record->no = no;
    sim_store_put(s, rows, &s->jobs, (uint64_t)no, job_row_new(record, record));
    return TRANCHE_OK;
}

static enum tranche_code job_update(struct tranche_store *store, const struct tranche_job_record *record,
                                    struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, record->no, "job_update", &rows, err);
    if (code != TRANCHE_OK)
        return code;
    const struct job_row *before = sim_table_find(&s->jobs, (uint64_t)record->no, SIM_OPEN);
    if (before == NULL) {
        sim_store_wrong(s, "job_update: job %lld was never inserted", (long long)record->no);
        return fail(err, TRANCHE_INTERNAL, "job_update: job %lld is not there", (long long)record->no);
    }
    sim_store_put(s, rows, &s->jobs, (uint64_t)record->no, job_row_new(record, &before->record));
    return TRANCHE_OK;
}

enum tranche_code sim_store_job_find(struct sim_store *s, const char *id, uint64_t view,
                                     struct tranche_job_record *out, struct tranche_err *err)
{
    const struct job_row *job = sim_store_job_named(s, id, view);
    *out = (struct tranche_job_record){ 0 };
    if (job == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no job \"%s\"", id);
    *out = job->record;
    out->definition = strdup(job->record.definition);
    out->reason = job->record.reason == NULL ? NULL : strdup(job->record.reason);
    if (out->definition != NULL && (out->reason != NULL || job->record.reason == NULL))
        return TRANCHE_OK;
    tranche_job_record_free(out);
    return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

static enum tranche_code job_find(struct tranche_store *store, const char *id, struct tranche_job_record *out,
                                  struct tranche_err *err)
{
    return sim_store_job_find(sim_store_enter(store, "job_find"), id, SIM_OPEN, out, err);
}

static enum tranche_code jobs_in(struct tranche_store *store, uint32_t states, tranche_job_visit *visit,
                                 void *context, struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "jobs_in");
    const struct job_row *job;
    s->visiting = true;
    for (uint32_t at = 0; (job = sim_table_next(&s->jobs, &at, SIM_OPEN)) != NULL;)
        if ((states >> job->record.state & 1) != 0)
            visit(context, &job->record);
    s->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code batch_put(struct tranche_store *store, int64_t job,
                                   const struct tranche_batch_record *batch, struct tranche_err *err)
{
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, job, "batch_put", &rows, err);
    if (code != TRANCHE_OK)
        return code;
    struct batch_row *row = sim_row_new(sizeof *row);
    row->record = *batch;
    sim_store_put(sim_store(store), rows, &rows->tables[ROWS_BATCH], batch->index, row);
    return TRANCHE_OK;
}

static enum tranche_code batch_load(struct tranche_store *store, int64_t job, uint32_t index,
                                    struct tranche_batch_record *out, struct tranche_err *err)
{
    struct job_rows *rows = sim_store_rows_find(sim_store_enter(store, "batch_load"), job);
    const struct batch_row *batch =
        rows == NULL ? NULL : sim_table_find(&rows->tables[ROWS_BATCH], index, SIM_OPEN);
    if (batch == NULL)
        return fail(err, TRANCHE_NOTFOUND, "job %lld has no batch %u", (long long)job, index);
    *out = batch->record;
    return TRANCHE_OK;
}

/* ---- members ---- */

static void check_not_frozen(struct sim_store *s, int64_t no, const char *what)
{
    const struct job_row *job = sim_table_find(&s->jobs, (uint64_t)no, s->now);
    if (job != NULL && job->record.frozen)
        sim_store_wrong(s, "%s: the membership of job %s is frozen", what, job->record.id);
}

static enum tranche_code chunk_put(struct tranche_store *store, int64_t job, uint32_t chunk, uint32_t batch,
                                   const uint32_t *devices, uint32_t count, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, job, "chunk_put", &rows, err);
    if (code != TRANCHE_OK)
        return code;
    if (count == 0 || count > TRANCHE_CHUNK) {
        sim_store_wrong(s, "chunk_put: job %lld, chunk %u: %u devices", (long long)job, chunk, count);
        return fail(err, TRANCHE_INTERNAL, "chunk_put: %u devices", count);
    }
    check_not_frozen(s, job, "chunk_put");
    if (sim_table_find(&rows->tables[ROWS_CHUNK], chunk, SIM_OPEN) != NULL) {
        sim_store_wrong(s, "chunk_put: job %lld has chunk %u already", (long long)job, chunk);
        return fail(err, TRANCHE_CONFLICT, "job %lld has chunk %u already", (long long)job, chunk);
    }
    sim_store_put(s, rows, &rows->tables[ROWS_CHUNK], chunk, chunk_row_new(batch, devices, count));
    return TRANCHE_OK;
}

static enum tranche_code chunk_load(struct tranche_store *store, int64_t job, uint32_t chunk,
                                    uint32_t devices[TRANCHE_CHUNK], uint32_t *count, struct tranche_err *err)
{
    struct job_rows *rows = sim_store_rows_find(sim_store_enter(store, "chunk_load"), job);
    const struct chunk_row *row =
        rows == NULL ? NULL : sim_table_find(&rows->tables[ROWS_CHUNK], chunk, SIM_OPEN);
    if (row == NULL)
        return fail(err, TRANCHE_NOTFOUND, "job %lld has no chunk %u", (long long)job, chunk);
    memcpy(devices, row->devices, row->count * sizeof *devices);
    *count = row->count;
    return TRANCHE_OK;
}

static enum tranche_code chunks_drop(struct tranche_store *store, int64_t job, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, job, "chunks_drop", &rows, err);
    if (code != TRANCHE_OK)
        return code;
    check_not_frozen(s, job, "chunks_drop");
    for (uint32_t at = 0; sim_table_next(&rows->tables[ROWS_CHUNK], &at, SIM_OPEN) != NULL;)
        sim_store_drop(s, rows, &rows->tables[ROWS_CHUNK], rows->tables[ROWS_CHUNK].slots[at - 1].key);
    return TRANCHE_OK;
}

/* ---- intents ---- */

static void check_intent(struct sim_store *s, const struct job_rows *rows,
                         const struct tranche_intent_record *intent)
{
    if (intent->attempt == 0)
        sim_store_wrong(s, "intent_put: job %lld, seq %lld has no attempt", (long long)rows->no,
                        (long long)intent->seq);
    for (uint32_t i = 0; i < intent->count; i++)
        check_ordinal(s, rows, "intent_put", intent->ordinals[i]);
    for (uint32_t i = 1; i < intent->count; i++)
        if (intent->ordinals[i - 1] >= intent->ordinals[i])
            sim_store_wrong(s, "intent_put: job %lld, seq %lld: ordinal %u stands before %u",
                            (long long)rows->no, (long long)intent->seq, intent->ordinals[i - 1],
                            intent->ordinals[i]);
}

static enum tranche_code intent_put(struct tranche_store *store, int64_t job,
                                    const struct tranche_intent_record *intent, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, job, "intent_put", &rows, err);
    if (code != TRANCHE_OK)
        return code;
    if (intent->count == 0 || intent->count > TRANCHE_INTENT || intent->seq < 0) {
        sim_store_wrong(s, "intent_put: job %lld, seq %lld: %u devices", (long long)job,
                        (long long)intent->seq, intent->count);
        return fail(err, TRANCHE_INTERNAL, "intent_put: %u devices", intent->count);
    }
    check_intent(s, rows, intent);
    struct intent_row *row = sim_row_new(sizeof *row);
    row->record = *intent;
    sim_store_put(s, rows, &rows->tables[ROWS_INTENT], (uint64_t)intent->seq, row);
    return TRANCHE_OK;
}

static enum tranche_code intent_drop(struct tranche_store *store, int64_t job, int64_t seq,
                                     struct tranche_err *err)
{
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, job, "intent_drop", &rows, err);
    if (code == TRANCHE_OK)
        sim_store_drop(sim_store(store), rows, &rows->tables[ROWS_INTENT], (uint64_t)seq);
    return code;
}

static enum tranche_code intents_open(struct tranche_store *store, tranche_intent_visit *visit, void *context,
                                      struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "intents_open");
    s->visiting = true;
    for (uint32_t i = 0; i < s->rows_count; i++) {
        const struct intent_row *intent;
        for (uint32_t at = 0; s->rows[i] != NULL && (intent = sim_table_next(&s->rows[i]->tables[ROWS_INTENT],
                                                                             &at, SIM_OPEN)) != NULL;)
            visit(context, s->rows[i]->no, &intent->record);
    }
    s->visiting = false;
    return TRANCHE_OK;
}

/* ---- results ---- */

static void check_result(struct sim_store *s, const struct job_rows *rows,
                         const struct tranche_result_record *result)
{
    check_ordinal(s, rows, "result_put", result->ordinal);
    if (result->attempt == 0 || !device_state_is_final(result->state))
        sim_store_wrong(s, "result_put: job %lld, ordinal %u: attempt %u, state %s", (long long)rows->no,
                        result->ordinal, result->attempt, device_state_name(result->state));
    if (sim_store_final(rows, result->ordinal, SIM_OPEN) != NULL)
        sim_store_wrong(s, "result_put: job %lld, ordinal %u has its last word already", (long long)rows->no,
                        result->ordinal);
}

static enum tranche_code result_put(struct tranche_store *store, int64_t job,
                                    const struct tranche_result_record *result, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, job, "result_put", &rows, err);
    if (code != TRANCHE_OK)
        return code;
    uint64_t key = result_key(result->ordinal, result->step, result->attempt);
    if (sim_table_find(&rows->tables[ROWS_RESULT], key, SIM_OPEN) != NULL) {
        sim_store_wrong(s, "result_put: job %lld, ordinal %u, step %u: attempt %u has a result already",
                        (long long)job, result->ordinal, result->step, result->attempt);
        return fail(err, TRANCHE_CONFLICT, "attempt %u of ordinal %u has a result already", result->attempt,
                    result->ordinal);
    }
    check_result(s, rows, result);
    sim_store_put(s, rows, &rows->tables[ROWS_RESULT], key, result_row_new(result));
    return TRANCHE_OK;
}

/* ---- devices that wait ---- */

static enum tranche_code retry_put(struct tranche_store *store, int64_t job,
                                   const struct tranche_retry_record *retry, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, job, "retry_put", &rows, err);
    if (code != TRANCHE_OK)
        return code;
    check_ordinal(s, rows, "retry_put", retry->ordinal);
    struct retry_row *row = sim_row_new(sizeof *row);
    row->record = *retry;
    sim_store_put(s, rows, &rows->tables[ROWS_RETRY], retry->ordinal, row);
    return TRANCHE_OK;
}

static enum tranche_code retry_drop(struct tranche_store *store, int64_t job, uint32_t ordinal,
                                    struct tranche_err *err)
{
    struct job_rows *rows = NULL;
    enum tranche_code code = change_of(store, job, "retry_drop", &rows, err);
    if (code == TRANCHE_OK)
        sim_store_drop(sim_store(store), rows, &rows->tables[ROWS_RETRY], ordinal);
    return code;
}

static enum tranche_code retries_of(struct tranche_store *store, int64_t job, tranche_retry_visit *visit,
                                    void *context, struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "retries_of");
    const struct job_rows *rows = sim_store_rows_find(s, job);
    const struct retry_row *retry;
    s->visiting = true;
    for (uint32_t at = 0;
         rows != NULL && (retry = sim_table_next(&rows->tables[ROWS_RETRY], &at, SIM_OPEN)) != NULL;)
        visit(context, &retry->record);
    s->visiting = false;
    return TRANCHE_OK;
}

void sim_store_jobs_functions(struct tranche_store_functions *functions)
{
    functions->job_insert = job_insert;
    functions->job_update = job_update;
    functions->job_find = job_find;
    functions->jobs_in = jobs_in;
    functions->batch_put = batch_put;
    functions->batch_load = batch_load;
    functions->chunk_put = chunk_put;
    functions->chunk_load = chunk_load;
    functions->chunks_drop = chunks_drop;
    functions->intent_put = intent_put;
    functions->intent_drop = intent_drop;
    functions->intents_open = intents_open;
    functions->result_put = result_put;
    functions->retry_put = retry_put;
    functions->retry_drop = retry_drop;
    functions->retries_of = retries_of;
}
