/* The open transaction's rows: putting and dropping them, counting them in step, and what a commit or a
 * rollback does. */
#include "sim_store_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TOUCHED_MIN 64u
#define DEVICES_MIN 64u

/* ---- a job's rows, and where its devices are ---- */

struct job_rows *sim_store_rows_find(struct sim_store *s, int64_t job)
{
    return job > 0 && job <= s->rows_count ? s->rows[job - 1] : NULL;
}

struct job_rows *sim_store_rows(struct sim_store *s, int64_t job)
{
    assert(job > 0);
    assert(job <= SIM_JOBS_MAX);
    if (job > s->rows_count) {
        s->rows = realloc(s->rows, (size_t)job * sizeof(struct job_rows *));
        assert(s->rows != NULL);
        while (s->rows_count < job)
            s->rows[s->rows_count++] = NULL;
    }
    struct job_rows **rows = &s->rows[job - 1];
    if (*rows == NULL) {
        *rows = calloc(1, sizeof **rows);
        assert(*rows != NULL);
        (*rows)->no = job;
    }
    return *rows;
}

/* NULL: beyond what is kept; the writer's call was wrong, and has been told. */
static struct place *place_at(struct job_rows *job, uint32_t ordinal)
{
    if (ordinal >= SIM_ORDINALS_MAX)
        return NULL;
    if (ordinal >= job->place_count) {
        uint32_t count = job->place_count == 0 ? TRANCHE_CHUNK : job->place_count;
        while (count <= ordinal)
            count *= 2;
        job->places = realloc(job->places, count * sizeof *job->places);
        assert(job->places != NULL);
        memset(job->places + job->place_count, 0, (count - job->place_count) * sizeof *job->places);
        job->place_count = count;
    }
    return &job->places[ordinal];
}

static void count_intent(struct job_rows *job, const struct tranche_intent_record *intent, int by)
{
    job->intended += (uint32_t)by * intent->count;
    for (uint32_t i = 0; i < intent->count; i++) {
        struct place *place = place_at(job, intent->ordinals[i]);
        if (place != NULL)
            place->intents = (uint16_t)(place->intents + by);
    }
}

static void count_retry(struct job_rows *job, const struct tranche_retry_record *retry, int by)
{
    struct place *place = place_at(job, retry->ordinal);
    job->waiting += (uint32_t)by;
    if (place != NULL)
        place->retries = (uint16_t)(place->retries + by);
}

static void count_result(struct job_rows *job, const struct tranche_result_record *result, int by)
{
    struct place *place = place_at(job, result->ordinal);
    if (!result->final)
        return;
    job->finals[result->state] += (uint32_t)by;
    if (place != NULL)
        place->finals = (uint16_t)(place->finals + by);
}

/* A row of the writer's state comes (by 1) or goes (by -1). */
static void count_row(struct job_rows *job, const struct sim_table *table, uint64_t key, int by)
{
    const void *row = job == NULL ? NULL : sim_table_find(table, key, SIM_OPEN);
    if (row == NULL)
        return;
    if (table == &job->tables[ROWS_CHUNK])
        job->members += (uint32_t)by * ((const struct chunk_row *)row)->count;
    else if (table == &job->tables[ROWS_INTENT])
        count_intent(job, &((const struct intent_row *)row)->record, by);
    else if (table == &job->tables[ROWS_RETRY])
        count_retry(job, &((const struct retry_row *)row)->record, by);
    else if (table == &job->tables[ROWS_RESULT])
        count_result(job, &((const struct result_row *)row)->record, by);
}

/* ---- changes ---- */

static void touch_add(struct sim_store *s, struct touch touch)
{
    if (s->touched_count == s->touched_capacity) {
        s->touched_capacity = s->touched_capacity == 0 ? TOUCHED_MIN : s->touched_capacity * 2;
        s->touched = realloc(s->touched, s->touched_capacity * sizeof *s->touched);
        assert(s->touched != NULL);
    }
    s->touched[s->touched_count++] = touch;
}

void sim_store_put(struct sim_store *s, struct job_rows *job, struct sim_table *table, uint64_t key,
                   void *row)
{
    count_row(job, table, key, -1);
    if (sim_table_put(table, key, row))
        touch_add(s, (struct touch){ .table = table, .job = job, .key = key });
    count_row(job, table, key, 1);
}

void sim_store_drop(struct sim_store *s, struct job_rows *job, struct sim_table *table, uint64_t key)
{
    if (sim_table_find(table, key, SIM_OPEN) == NULL)
        return;
    struct sim_row *gone = sim_row_new(sizeof *gone);
    gone->gone = true;
    sim_store_put(s, job, table, key, gone);
}

void sim_store_apply(struct sim_store *s)
{
    s->now++;
    for (uint32_t i = 0; i < s->touched_count; i++)
        sim_table_commit(s->touched[i].table, s->touched[i].key, s->now, s->selections > 0);
    s->touched_count = 0;
    s->number = s->open_number;
    s->clock_us = s->open_clock_us;
}

/* ---- devices by id ---- */

/* Where the device stands among the others, or would. */
static uint32_t index_of(const struct sim_store *s, const char *id, uint32_t no)
{
    uint32_t low = 0, high = s->by_id_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct device_row *other = sim_table_find(&s->devices, s->by_id[middle], SIM_OPEN);
        int order = strcmp(other->record.id, id);
        if (order < 0 || (order == 0 && other->record.no < no))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void sim_store_index_add(struct sim_store *s, const struct tranche_device_record *device)
{
    if (s->by_id_count == s->by_id_capacity) {
        s->by_id_capacity = s->by_id_capacity == 0 ? DEVICES_MIN : s->by_id_capacity * 2;
        s->by_id = realloc(s->by_id, s->by_id_capacity * sizeof *s->by_id);
        assert(s->by_id != NULL);
    }
    uint32_t at = index_of(s, device->id, device->no);
    memmove(s->by_id + at + 1, s->by_id + at, (s->by_id_count - at) * sizeof *s->by_id);
    s->by_id[at] = device->no;
    s->by_id_count++;
}

static void index_remove(struct sim_store *s, const struct tranche_device_record *device)
{
    uint32_t at = index_of(s, device->id, device->no);
    assert(s->by_id[at] == device->no);
    s->by_id_count--;
    memmove(s->by_id + at, s->by_id + at + 1, (s->by_id_count - at) * sizeof *s->by_id);
}

struct device_row *sim_store_living(struct sim_store *s, const char *id, uint64_t view)
{
    for (uint32_t i = index_of(s, id, 0); i < s->by_id_count; i++) {
        const struct device_row *newest = sim_table_find(&s->devices, s->by_id[i], SIM_OPEN);
        if (strcmp(newest->record.id, id) != 0)
            return NULL;
        struct device_row *device = sim_table_find(&s->devices, s->by_id[i], view);
        if (device != NULL && !device->record.deleted)
            return device;
    }
    return NULL;
}

/* ---- back ---- */

/* Last first, so that a device is taken from the index while all that are in it are there. */
void sim_store_undo(struct sim_store *s)
{
    while (s->touched_count > 0) {
        const struct touch touch = s->touched[--s->touched_count];
        count_row(touch.job, touch.table, touch.key, -1);
        if (touch.table == &s->devices && sim_table_find(&s->devices, touch.key, s->now) == NULL)
            index_remove(s, &((struct device_row *)sim_table_find(&s->devices, touch.key, SIM_OPEN))->record);
        sim_table_undo(touch.table, touch.key);
        count_row(touch.job, touch.table, touch.key, 1);
    }
}
