/* Opening, transactions with their scripted ends, crashes, and the world's own hand. */
#include "sim_store_internal.h"

#include "fail.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRONG_BYTES 512

/* ---- what is wrong ---- */

static void print_and_abort(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "sim store: %s\n", text);
    abort();
}

void sim_store_wrong(struct sim_store *s, const char *format, ...)
{
    char text[WRONG_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->wrong(s->wrong_context, text);
}

void sim_store_on_wrong(struct tranche_store *store, sim_store_wrong_hook *hook, void *context)
{
    sim_store(store)->wrong = hook;
    sim_store(store)->wrong_context = context;
}

/* ---- the doors ---- */

struct sim_store *sim_store_enter(struct tranche_store *store, const char *what)
{
    struct sim_store *s = sim_store(store);
    if (s->state == SIM_ENDING || s->state == SIM_UNSURE)
        sim_store_wrong(s, "%s: how commit %lld ends is not known", what, (long long)s->open_number);
    if (s->visiting)
        sim_store_wrong(s, "%s: called from a callback of the store", what);
    return s;
}

enum tranche_code sim_store_change(struct tranche_store *store, const char *what, struct tranche_err *err)
{
    struct sim_store *s = sim_store_enter(store, what);
    if (s->state != SIM_WRITING) {
        sim_store_wrong(s, "%s: no transaction is open", what);
        return fail(err, TRANCHE_INTERNAL, "%s: no transaction is open", what);
    }
    if (s->failed) {
        sim_store_wrong(s, "%s: the transaction has failed before", what);
        return fail(err, TRANCHE_IO, "%s: the transaction has failed before", what);
    }
    if (++s->writes == s->begin.failing_write) {
        s->failed = true;
        return fail(err, TRANCHE_IO, "%s: scripted failure", what);
    }
    return TRANCHE_OK;
}

/* ---- how transactions end ---- */

static void end_commit(struct sim_store *s)
{
    switch (s->commit.end) {
    case SIM_STORE_DONE:
        sim_store_apply(s);
        s->ended = TRANCHE_COMMIT_DONE;
        s->state = SIM_IDLE;
        return;
    case SIM_STORE_FAILED:
        sim_store_undo(s);
        s->ended = TRANCHE_COMMIT_FAILED;
        s->state = SIM_IDLE;
        return;
    case SIM_STORE_UNKNOWN_APPLIED:
    case SIM_STORE_UNKNOWN_LOST:
        if (s->commit.end == SIM_STORE_UNKNOWN_APPLIED)
            sim_store_apply(s);
        else
            sim_store_undo(s);
        s->ended = TRANCHE_COMMIT_UNKNOWN;
        s->state = SIM_UNSURE;
        return;
    case SIM_STORE_REFUSED:
        break;
    }
    abort(); /* such a commit is not started */
}

void sim_store_set_faults(struct tranche_store *store, const struct sim_store_faults *faults)
{
    sim_store(store)->faults = faults == NULL ? (struct sim_store_faults){ 0 } : *faults;
}

void sim_store_release(struct tranche_store *store)
{
    struct sim_store *s = sim_store(store);
    if (s->state == SIM_ENDING)
        end_commit(s);
}

void sim_store_crash(struct tranche_store *store)
{
    struct sim_store *s = sim_store(store);
    if (s->state == SIM_ENDING && s->commit.durable_at_crash)
        sim_store_apply(s);
    else
        sim_store_undo(s);
    s->state = SIM_IDLE;
    s->ended = TRANCHE_COMMIT_DONE;
    s->visiting = false;
}

/* ---- the interface's transactions ---- */

static enum tranche_code store_begin(struct tranche_store *store, int64_t number, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    if (s->state != SIM_IDLE) {
        sim_store_wrong(s, "begin %lld: transaction %lld has not ended", (long long)number,
                        (long long)s->open_number);
        return fail(err, TRANCHE_INTERNAL, "a transaction is open");
    }
    if (number <= s->number)
        sim_store_wrong(s, "begin %lld: the last commit was %lld", (long long)number, (long long)s->number);
    s->begin =
        s->faults.begin == NULL ? (struct sim_store_begin){ 0 } : s->faults.begin(s->faults.context, number);
    if (s->begin.refused)
        return fail(err, TRANCHE_UNAVAILABLE, "the store is busy");
    s->state = SIM_WRITING;
    s->open_number = number;
    s->open_clock_us = s->clock_us;
    s->failed = false;
    s->writes = 0;
    return TRANCHE_OK;
}

static enum tranche_code store_commit_start(struct tranche_store *store, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    if (s->state != SIM_WRITING) {
        sim_store_wrong(s, "commit_start: no transaction is open");
        return fail(err, TRANCHE_INTERNAL, "no transaction is open");
    }
    if (s->failed) {
        sim_store_wrong(s, "commit %lld: a call in it has failed", (long long)s->open_number);
        return fail(err, TRANCHE_IO, "the transaction has failed before");
    }
    sim_store_check_commit(s);
    s->commit = s->faults.decide == NULL ? (struct sim_store_commit){ 0 }
                                         : s->faults.decide(s->faults.context, s->open_number);
    if (s->commit.end == SIM_STORE_REFUSED) {
        s->failed = true;
        return fail(err, TRANCHE_IO, "commit: scripted trouble");
    }
    s->ended = TRANCHE_COMMIT_PENDING;
    s->state = SIM_ENDING;
    if (!s->commit.late)
        end_commit(s);
    return TRANCHE_OK;
}

static enum tranche_commit store_commit_ended(struct tranche_store *store, struct tranche_err *err)
{
    const struct sim_store *s = sim_store(store);
    if (s->ended == TRANCHE_COMMIT_FAILED)
        fail(err, TRANCHE_IO, "commit: scripted failure");
    if (s->ended == TRANCHE_COMMIT_UNKNOWN)
        fail(err, TRANCHE_IO, "commit: scripted unknown end");
    return s->ended;
}

static void store_rollback(struct tranche_store *store)
{
    struct sim_store *s = sim_store(store);
    if (s->state == SIM_ENDING || s->state == SIM_UNSURE)
        sim_store_wrong(s, "rollback: how commit %lld ends is not known", (long long)s->open_number);
    if (s->state != SIM_WRITING)
        return;
    sim_store_undo(s);
    s->state = SIM_IDLE;
}

static enum tranche_code store_recover(struct tranche_store *store, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    if (s->state == SIM_WRITING || s->state == SIM_ENDING) {
        sim_store_wrong(s, "recover: transaction %lld has not ended", (long long)s->open_number);
        return fail(err, TRANCHE_INTERNAL, "a transaction is open");
    }
    if (s->selections > 0)
        return fail(err, TRANCHE_UNAVAILABLE, "recover: a reader has an old snapshot open");
    if (s->state == SIM_UNSURE && s->commit.recover_failures > 0) {
        s->commit.recover_failures--;
        return fail(err, TRANCHE_IO, "recover: scripted failure");
    }
    s->state = SIM_IDLE;
    return TRANCHE_OK;
}

static enum tranche_code store_commit_number(struct tranche_store *store, int64_t *number,
                                             struct tranche_err *err)
{
    (void)err;
    const struct sim_store *s = sim_store(store);
    *number = s->state == SIM_WRITING ? s->open_number : s->number;
    return TRANCHE_OK;
}

static enum tranche_code store_clock_put(struct tranche_store *store, int64_t now_us, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "clock_put", err);
    if (code == TRANCHE_OK)
        s->open_clock_us = now_us;
    return code;
}

static enum tranche_code store_clock_load(struct tranche_store *store, int64_t *now_us, struct tranche_err *err)
{
    (void)err;
    const struct sim_store *s = sim_store_enter(store, "clock_load");
    *now_us = s->state == SIM_WRITING ? s->open_clock_us : s->clock_us;
    return TRANCHE_OK;
}

/* ---- open and close ---- */

static void rows_free(struct job_rows *rows)
{
    if (rows == NULL)
        return;
    for (int kind = 0; kind < ROWS_KIND_COUNT; kind++)
        sim_table_free(&rows->tables[kind]);
    free(rows->places);
    free(rows);
}

static void store_close(struct tranche_store *store)
{
    struct sim_store *s = sim_store(store);
    if (s->readers > 0)
        sim_store_wrong(s, "close: %u readers are open", s->readers);
    for (uint32_t i = 0; i < s->rows_count; i++)
        rows_free(s->rows[i]);
    free(s->rows);
    sim_table_free(&s->jobs);
    sim_table_free(&s->devices);
    sim_table_free(&s->groups);
    sim_table_free(&s->imports);
    sim_table_free(&s->folds);
    sim_table_free(&s->objects);
    sim_table_free(&s->schedules);
    sim_table_free(&s->audit);
    free(s->by_id);
    free(s->touched);
    free(s->lent);
    free(s);
}

static const struct tranche_store_functions store_functions = {
    .name = "sim",
    .close = store_close,
    .reader_open = sim_store_reader_open,
    .begin = store_begin,
    .commit_start = store_commit_start,
    .commit_ended = store_commit_ended,
    .rollback = store_rollback,
    .recover = store_recover,
    .commit_number = store_commit_number,
    .clock_put = store_clock_put,
    .clock_load = store_clock_load,
};

enum tranche_code sim_store_open(struct tranche_store **store, struct tranche_err *err)
{
    struct sim_store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    s->functions = store_functions;
    sim_store_jobs_functions(&s->functions);
    sim_store_fleet_functions(&s->functions);
    sim_store_erase_functions(&s->functions);
    sim_store_objects_functions(&s->functions);
    sim_store_values_functions(&s->functions);
    s->store.functions = &s->functions;
    s->wrong = print_and_abort;
    s->ended = TRANCHE_COMMIT_DONE;
    *store = &s->store;
    return TRANCHE_OK;
}

/* ---- the world's own hand ---- */

static void put_at_once(struct sim_store *s, struct sim_table *table, uint64_t key, void *row)
{
    const struct sim_row *before = sim_table_find(table, key, SIM_OPEN);
    assert(before == NULL || before->since != SIM_OPEN); /* two hands on one row */
    sim_table_put(table, key, row);
    sim_table_commit(table, key, ++s->now, s->selections > 0);
}

uint32_t sim_store_add_device(struct tranche_store *store, const struct tranche_device_record *device)
{
    struct sim_store *s = sim_store(store);
    assert(sim_store_living(s, device->id, SIM_OPEN) == NULL);
    struct device_row *row = device_row_new(device);
    row->record.no = (uint32_t)sim_table_last(&s->devices) + 1;
    row->record.deleted = false;
    put_at_once(s, &s->devices, row->record.no, row);
    sim_store_index_add(s, &row->record);
    return row->record.no;
}

void sim_store_delete_device(struct tranche_store *store, const char *id)
{
    struct sim_store *s = sim_store(store);
    const struct device_row *device = sim_store_living(s, id, SIM_OPEN);
    assert(device != NULL);
    struct device_row *tombstone = device_row_new(&device->record);
    tombstone->record.deleted = true;
    tombstone->record.revision++;
    put_at_once(s, &s->devices, tombstone->record.no, tombstone);
}

void sim_store_add_group(struct tranche_store *store, const struct tranche_group_record *group)
{
    struct sim_store *s = sim_store(store);
    assert(sim_store_group_named(s, group->id, SIM_OPEN) == NULL);
    put_at_once(s, &s->groups, sim_table_last(&s->groups) + 1, group_row_new(group));
}

/* ---- for checks ---- */

const struct tranche_job_record *sim_store_job(struct tranche_store *store, const char *id)
{
    struct sim_store *s = sim_store(store);
    const struct job_row *job = sim_store_job_named(s, id, s->now);
    return job == NULL ? NULL : &job->record;
}

enum tranche_device_state sim_store_device_state(struct tranche_store *store, int64_t job, uint32_t ordinal)
{
    struct sim_store *s = sim_store(store);
    const struct job_rows *rows = sim_store_rows_find(s, job);
    const struct result_row *result = rows == NULL ? NULL : sim_store_final(rows, ordinal, s->now);
    return result == NULL ? TRANCHE_DEVICE_PENDING : result->record.state;
}

struct sim_store_count sim_store_count(struct tranche_store *store, int64_t job)
{
    struct sim_store *s = sim_store(store);
    struct sim_store_count count = { 0 };
    const struct job_rows *rows = sim_store_rows_find(s, job);
    if (rows == NULL)
        return count;
    uint32_t at[ROWS_KIND_COUNT] = { 0 };
    count.members = sim_store_members(rows, s->now);
    const struct result_row *result;
    while ((result = sim_table_next(&rows->tables[ROWS_RESULT], &at[ROWS_RESULT], s->now)) != NULL) {
        count.results++;
        count.finals += result->record.final;
    }
    const struct intent_row *intent;
    while ((intent = sim_table_next(&rows->tables[ROWS_INTENT], &at[ROWS_INTENT], s->now)) != NULL) {
        count.intents++;
        count.intended += intent->record.count;
    }
    while (sim_table_next(&rows->tables[ROWS_RETRY], &at[ROWS_RETRY], s->now) != NULL)
        count.waiting++;
    return count;
}
