/* Freezing a job's membership, and counting its rows: questions to the reader, and what is done with the
 * answers.
 *
 * The reader resolves the group on one snapshot and sends device numbers; here they are cut into chunk rows,
 * a few for each commit. The commit that follows the last row also sets `frozen`; nothing is sent before it.
 */
#include "core_internal.h"

#include "batch.h"
#include "fail.h"
#include "filter.h"
#include "group_filter.h"
#include "log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A filter that names properties waits until all values that jobs wrote so far are in the registry. */
static bool values_are_folded(struct core *core, struct job *job, const char *filter)
{
    if (job->fold_round == 0) {
        struct filter parsed;
        if (filter_parse(filter, strlen(filter), &parsed, NULL) != TRANCHE_OK)
            return true; /* the reader says what is wrong with it */
        if (filter_names_properties(&parsed))
            job->fold_round = fold_ask(core);
        filter_free(&parsed);
    }
    return core->fold.rounds_done >= job->fold_round;
}

static bool selection_of(struct core *core, struct job *job, struct question *question,
                         struct tranche_err *err)
{
    question->origin = job->record.origin;
    question->origin_until_us = job->record.created_us;
    if (question->origin != 0)
        return true;
    if (job->record.device[0] != '\0') { /* an id has nothing in it that a string would escape */
        struct text filter = { 0 };
        text_printf(&filter, "SELECT * FROM devices WHERE $id = \"%s\"", job->record.device);
        question->filter = text_take(&filter);
        return question->filter != NULL;
    }
    struct tranche_group_record group;
    struct organization_tree tree;
    struct text filter = { 0 };
    enum tranche_code code = organizations_load(core->store, &tree, err);
    if (code == TRANCHE_OK)
        code = core->store->functions->group_find(core->store, job->record.group, &group, err);
    if (code == TRANCHE_NOTFOUND)
        fail(err, code, "device group \"%s\" does not exist any more", job->record.group);
    if (code == TRANCHE_OK)
        code = group_filter(&group, &tree, job->record.organization, &filter, err);
    if (code == TRANCHE_OK && values_are_folded(core, job, filter.bytes))
        question->filter = text_take(&filter);
    organization_tree_free(&tree);
    text_free(&filter);
    return question->filter != NULL;
}

/* From the beginning; rows that were written are dropped first. */
static void ask_anew(struct core *core, struct job *job)
{
    if (job->phase == JOB_FREEZING)
        job->drop_chunks = true;
    members_forget(core, job);
    job->ticket = ++core->ticket_last;
    job->asked = job->ask_anew = false;
    job->fold_round = 0;
}

void members_throw_away(struct core *core)
{
    for (struct job *job = core->jobs; job != NULL; job = job->next) {
        job->ask_anew |= job->ticket != 0;
        if (job->members != NULL)
            core->world->heard(core->world->context, job->members);
        job->members = NULL;
    }
    for (struct reply *reply; (reply = core->world->hear(core->world->context)) != NULL;)
        core->world->heard(core->world->context, reply);
}

void members_ask(struct core *core, struct job *job)
{
    if (job->ask_anew)
        ask_anew(core, job);
    if (job->ticket == 0 || job->asked || job->new_row)
        return; /* a rerun's set is that of the commit which creates it, so that comes first */
    if (job->phase == JOB_COUNTING && (job->record_changed || job->settling != NULL))
        return; /* the reader sees only what is durable */
    struct question question = { .ticket = job->ticket, .job = job->record.no };
    struct tranche_err err = { 0 };
    if (job->phase == JOB_COUNTING) {
        struct span span = job_batch_span(job);
        question.kind = QUESTION_RECOUNT;
        question.first = span.first;
        question.count = span.count;
    } else if (!selection_of(core, job, &question, &err)) {
        if (err.code == TRANCHE_NOTFOUND)
            life_fail(core, job, err.text);
        return; /* other trouble passes, as does waiting for values: asked again at the next tick */
    }
    job->asked = core->world->ask(core->world->context, &question);
    if (!job->asked)
        free(question.filter);
}

void members_forget(struct core *core, struct job *job)
{
    if (job->members != NULL)
        core->world->heard(core->world->context, job->members);
    job->members = NULL;
    job->members_ended = job->ask_anew = false;
    job->frozen_count = 0;
    job->ticket = 0;
    for (uint32_t i = core->chunk_row_count; i-- > 0;)
        if (core->chunk_rows[i].job == job)
            core->chunk_rows[i] = core->chunk_rows[--core->chunk_row_count];
}

static struct job *job_with(struct core *core, uint64_t ticket)
{
    for (struct job *job = core->jobs; job != NULL; job = job->next)
        if (job->ticket == ticket)
            return job;
    return NULL;
}

static bool same_tally(const struct tranche_tally *a, const struct tranche_tally *b)
{
    return a->total == b->total && a->completed == b->completed && a->failed == b->failed &&
           a->unknown == b->unknown;
}

static void compare_counts(struct core *core, struct job *job, const struct reply *reply)
{
    job->ticket = 0;
    bool same = same_tally(&reply->whole, &job->record.tally) && same_tally(&reply->batch, &job->batch.tally);
    if (!same && !job->recount_heals) {
        char text[200];
        snprintf(text, sizeof text,
                 "the job's row says %u completed, %u failed, %u unknown; its results say %u, %u, %u",
                 job->record.tally.completed, job->record.tally.failed, job->record.tally.unknown,
                 reply->whole.completed, reply->whole.failed, reply->whole.unknown);
        life_hold(core, job, text);
        return;
    }
    if (!same) {
        log_warn("engine", "counters were taken from the rows", "job=%s", job->record.id);
        job->record.tally = reply->whole;
        job->batch.tally = reply->batch;
        job->record_changed = job->batch_changed = true;
    }
    job->recount_heals = false;
    life_begin_running(core, job);
}

/* What a reply means for its job. True: the job keeps the reply's memory for now. */
static bool hear(struct core *core, struct job *job, struct reply *reply)
{
    switch (reply->kind) {
    case REPLY_TOTAL:
        job->record.tally = (struct tranche_tally){ .total = reply->total };
        job->record.batch_devices =
            batch_devices(job->plan->definition.batched ? &job->plan->definition.batch : NULL, reply->total);
        job->frozen_count = 0;
        return false;
    case REPLY_MEMBERS:
        job->members = reply;
        job->members_at = 0;
        return true;
    case REPLY_END:
        job->members_ended = true;
        return false;
    case REPLY_TALLY:
        compare_counts(core, job, reply);
        return false;
    case REPLY_FAILED:
        if (reply->err.code == TRANCHE_INVALID || reply->err.code == TRANCHE_NOTFOUND) {
            life_fail(core, job, reply->err.text);
        } else {
            log_warn("engine", "the reader failed, asking again", "job=%s err=\"%s\"", job->record.id,
                     reply->err.text);
            ask_anew(core, job);
        }
        return false;
    }
    abort(); /* no kind of reply */
}

/* One reply of members at a time and job: while one is being cut, the next stay with the world, and the
 * reader waits. */
void members_hear(struct core *core)
{
    for (;;) {
        for (struct job *job = core->jobs; job != NULL; job = job->next)
            if (job->members != NULL)
                return;
        struct reply *reply = core->world->hear(core->world->context);
        if (reply == NULL)
            return;
        struct job *job = job_with(core, reply->ticket);
        if (job == NULL || job->ask_anew || !hear(core, job, reply))
            core->world->heard(core->world->context, reply);
        else
            members_cut(core, job);
    }
}

static void cut_row(struct core *core, struct job *job)
{
    struct chunk_row *row = core->chunk_row_count > 0 ? &core->chunk_rows[core->chunk_row_count - 1] : NULL;
    uint32_t devices = job->record.batch_devices;
    uint32_t chunk = chunk_of(devices, job->frozen_count);
    if (row == NULL || row->job != job || row->chunk != chunk) {
        row = &core->chunk_rows[core->chunk_row_count++];
        row->job = job;
        row->chunk = chunk;
        row->batch = chunk_batch(devices, chunk);
        row->count = 0;
    }
    struct span span = chunk_span(job->record.tally.total, devices, chunk);
    while (row->count < span.count && job->members_at < job->members->count) {
        row->devices[row->count++] = job->members->devices[job->members_at++];
        job->frozen_count++;
    }
}

/* Whether the next device begins a row, so that what is at hand may be written. */
static bool at_row_border(const struct job *job)
{
    uint32_t total = job->record.tally.total;
    if (job->frozen_count == total)
        return true;
    uint32_t chunk = chunk_of(job->record.batch_devices, job->frozen_count);
    return chunk_span(total, job->record.batch_devices, chunk).first == job->frozen_count;
}

void members_cut(struct core *core, struct job *job)
{
    while (job->members != NULL) {
        bool full = core->chunk_row_count == CHUNK_ROWS_A_COMMIT;
        if (full && at_row_border(job))
            return; /* the rest goes with the next commit */
        cut_row(core, job);
        if (job->members_at == job->members->count) {
            core->world->heard(core->world->context, job->members);
            job->members = NULL;
        }
    }
    if (!job->members_ended)
        return;
    assert(job->frozen_count == job->record.tally.total);
    job->ticket = 0;
    job->members_ended = false;
    job->record.frozen = true;
    job->freezes = true;
    job->record_changed = true;
    life_begin_running(core, job);
}
