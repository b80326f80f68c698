/* What may be committed (design.md 2.2, 2.4; reliability.md I2, I10, I11).
 *
 * Each row that the transaction has touched is looked at, then each job that one of them belongs to. The
 * writer's state is counted in step with every change, so a check costs what the transaction has touched, not
 * what the job has. By that, "every device below `next` is in exactly one place" is two checks: no touched
 * device is in two places, and all places together are as many as `next`.
 */
#include "sim_store_internal.h"

#include "batch.h"
#include "state.h"

static const struct tranche_job_record *record_of(const struct sim_store *s, int64_t no, uint64_t view)
{
    const struct job_row *job = sim_table_find(&s->jobs, (uint64_t)no, view);
    return job == NULL ? NULL : &job->record;
}

/* ---- rows ---- */

static void check_place(struct sim_store *s, const struct job_rows *rows,
                        const struct tranche_job_record *job, uint32_t ordinal)
{
    if (ordinal >= job->next) {
        sim_store_wrong(s, "job %s: ordinal %u was never issued, next is %u", job->id, ordinal, job->next);
        return;
    }
    if (ordinal >= rows->place_count)
        return;
    const struct place *place = &rows->places[ordinal];
    if (place->intents > 1)
        sim_store_wrong(s, "job %s: ordinal %u is in %u open intents", job->id, ordinal, place->intents);
    if (place->intents > 0 && place->retries > 0)
        sim_store_wrong(s, "job %s: ordinal %u is in an open intent and waits", job->id, ordinal);
    if (place->finals > 0 && place->intents + place->retries > 0)
        sim_store_wrong(s, "job %s: ordinal %u has its last word and %s", job->id, ordinal,
                        place->intents > 0 ? "is in an open intent" : "waits");
}

static void check_intent(struct sim_store *s, const struct job_rows *rows,
                         const struct tranche_job_record *job, const struct tranche_intent_record *intent)
{
    if (intent->seq >= job->intent_seq)
        sim_store_wrong(s, "job %s: intent %lld is open, the next one is %lld", job->id,
                        (long long)intent->seq, (long long)job->intent_seq);
    for (uint32_t i = 0; i < intent->count; i++)
        check_place(s, rows, job, intent->ordinals[i]);
}

static void check_batch(struct sim_store *s, const struct job_rows *rows,
                        const struct tranche_job_record *job, const struct tranche_batch_record *batch)
{
    if (batch->ended_us == 0 || !job->frozen)
        return;
    struct tranche_tally counted = { 0 };
    uint64_t first = (uint64_t)batch->index * job->batch_devices;
    sim_store_tally(rows, (uint32_t)first, first + job->batch_devices, SIM_OPEN, &counted);
    if (counted.completed != batch->tally.completed || counted.failed != batch->tally.failed ||
        counted.unknown != batch->tally.unknown)
        sim_store_wrong(s, "job %s: batch %u ended with %u, %u, %u; its results say %u, %u, %u", job->id,
                        batch->index, batch->tally.completed, batch->tally.failed, batch->tally.unknown,
                        counted.completed, counted.failed, counted.unknown);
}

static void check_row(struct sim_store *s, const struct touch *touch, const struct tranche_job_record *job)
{
    const struct sim_table *tables = touch->job->tables;
    const void *row = sim_table_find(touch->table, touch->key, SIM_OPEN);
    if (row == NULL)
        return;
    if (touch->table == &tables[ROWS_INTENT])
        check_intent(s, touch->job, job, &((const struct intent_row *)row)->record);
    else if (touch->table == &tables[ROWS_RETRY])
        check_place(s, touch->job, job, ((const struct retry_row *)row)->record.ordinal);
    else if (touch->table == &tables[ROWS_RESULT])
        check_place(s, touch->job, job, ((const struct result_row *)row)->record.ordinal);
    else if (touch->table == &tables[ROWS_BATCH])
        check_batch(s, touch->job, job, &((const struct batch_row *)row)->record);
}

/* ---- jobs ---- */

/* Whether moves lead from one state to the other: several may fall into one commit. */
static bool may_become(enum tranche_job_state from, enum tranche_job_state to)
{
    uint32_t reached = 1u << from, before = 0;
    while (reached != before) {
        before = reached;
        for (unsigned i = 0; i < TRANCHE_JOB_STATE_COUNT; i++)
            for (unsigned j = 0; (reached >> i & 1) != 0 && j < TRANCHE_JOB_STATE_COUNT; j++)
                if (job_may((enum tranche_job_state)i, (enum tranche_job_state)j))
                    reached |= 1u << j;
    }
    return (reached >> to & 1) != 0;
}

/* From one commit to the next; a new job was pending. */
static void check_move(struct sim_store *s, const struct tranche_job_record *before,
                       const struct tranche_job_record *job)
{
    enum tranche_job_state from = before == NULL ? TRANCHE_JOB_PENDING : before->state;
    if (from != job->state && !may_become(from, job->state))
        sim_store_wrong(s, "job %s goes from %s to %s", job->id, job_state_name(from),
                        job_state_name(job->state));
    if (before == NULL)
        return;
    if (before->frozen && !job->frozen)
        sim_store_wrong(s, "job %s: its frozen membership thaws", job->id);
    if (before->next > job->next)
        sim_store_wrong(s, "job %s: next goes back from %u to %u", job->id, before->next, job->next);
    if (before->intent_seq > job->intent_seq)
        sim_store_wrong(s, "job %s: intent_seq goes back from %lld to %lld", job->id,
                        (long long)before->intent_seq, (long long)job->intent_seq);
}

/* A job at rest has nothing in flight, and a complete one nothing pending. */
static void check_rest(struct sim_store *s, const struct job_rows *rows, const struct tranche_job_record *job)
{
    bool rests = job_state_is_over(job->state) || job->state == TRANCHE_JOB_STOPPED;
    if (rests && rows->intended > 0)
        sim_store_wrong(s, "job %s is %s with %u devices in open intents", job->id,
                        job_state_name(job->state), rows->intended);
    if (job->state == TRANCHE_JOB_COMPLETE && tranche_tally_pending(&job->tally) > 0)
        sim_store_wrong(s, "job %s is complete with %u devices pending", job->id,
                        tranche_tally_pending(&job->tally));
}

/* The chunks of a membership that is now fixed. */
static void check_chunks(struct sim_store *s, const struct job_rows *rows,
                         const struct tranche_job_record *job)
{
    uint32_t count = job->tally.total == 0 ? 0 : chunk_count(job->tally.total, job->batch_devices);
    for (uint32_t i = 0; i < count; i++) {
        const struct chunk_row *chunk = sim_table_find(&rows->tables[ROWS_CHUNK], i, SIM_OPEN);
        struct span span = chunk_span(job->tally.total, job->batch_devices, i);
        if (chunk == NULL)
            sim_store_wrong(s, "job %s is frozen without its chunk %u", job->id, i);
        else if (chunk->count != span.count || chunk->batch != chunk_batch(job->batch_devices, i))
            sim_store_wrong(s, "job %s: chunk %u has %u devices of batch %u, not %u of batch %u", job->id, i,
                            chunk->count, chunk->batch, span.count, chunk_batch(job->batch_devices, i));
    }
}

static void check_counts(struct sim_store *s, const struct job_rows *rows,
                         const struct tranche_job_record *job)
{
    const uint32_t *finals = rows->finals;
    const struct tranche_tally *tally = &job->tally;
    if (tally->total != rows->members)
        sim_store_wrong(s, "job %s says %u devices, its chunks have %u", job->id, tally->total,
                        rows->members);
    if (tally->completed != finals[TRANCHE_DEVICE_COMPLETED] ||
        tally->failed != finals[TRANCHE_DEVICE_FAILED] || tally->unknown != finals[TRANCHE_DEVICE_UNKNOWN])
        sim_store_wrong(s, "job %s says %u completed, %u failed, %u unknown; its results say %u, %u, %u",
                        job->id, tally->completed, tally->failed, tally->unknown,
                        finals[TRANCHE_DEVICE_COMPLETED], finals[TRANCHE_DEVICE_FAILED],
                        finals[TRANCHE_DEVICE_UNKNOWN]);
    if (job->next > tally->total)
        sim_store_wrong(s, "job %s: next is %u of %u devices", job->id, job->next, tally->total);
    uint32_t placed = rows->intended + rows->waiting + tranche_tally_final(tally);
    if (placed != job->next)
        sim_store_wrong(s, "job %s: %u devices were issued, %u are in intents, %u wait, %u are final",
                        job->id, job->next, rows->intended, rows->waiting, tranche_tally_final(tally));
}

static void check_job(struct sim_store *s, const struct job_rows *rows, const struct tranche_job_record *job)
{
    const struct tranche_job_record *before = record_of(s, rows->no, s->now);
    check_move(s, before, job);
    check_rest(s, rows, job);
    if (!job->frozen) {
        if (job->next > 0)
            sim_store_wrong(s, "job %s: next is %u, its membership is not frozen", job->id, job->next);
        return;
    }
    if (before == NULL || !before->frozen)
        check_chunks(s, rows, job);
    check_counts(s, rows, job);
}

void sim_store_check_commit(struct sim_store *s)
{
    for (uint32_t i = 0; i < s->touched_count; i++) {
        const struct touch *touch = &s->touched[i];
        if (touch->job == NULL)
            continue;
        const struct tranche_job_record *job = record_of(s, touch->job->no, SIM_OPEN);
        if (job != NULL)
            check_row(s, touch, job);
        if (touch->job->checked_number == s->open_number)
            continue;
        touch->job->checked_number = s->open_number;
        if (job != NULL)
            check_job(s, touch->job, job);
        else if (touch->job->no > s->erased_last || sim_table_find(&s->jobs, (uint64_t)touch->job->no, s->now) == NULL)
            sim_store_wrong(s, "job %lld has rows, but is not there", (long long)touch->job->no);
    }
}
