/* Readers: what is committed, as of now or, while a selection is open, as of its beginning. A selection is
 * resolved whole when it is opened. */
#include "sim_store_internal.h"

#include "batch.h"
#include "fail.h"
#include "sim_filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Every function passes here, and learns what it sees. */
struct sim_reader *sim_reader_enter(struct tranche_reader *reader, uint64_t *view)
{
    struct sim_reader *r = (struct sim_reader *)reader;
    if (r->visiting)
        sim_store_wrong(r->store, "a reader was called from its own callback");
    free(r->lent);
    r->lent = NULL;
    *view = r->selecting ? r->moment : r->store->now;
    return r;
}

/* ---- counting rows ---- */

struct result_row *sim_store_final(const struct job_rows *job, uint32_t ordinal, uint64_t view)
{
    const struct sim_table *results = &job->tables[ROWS_RESULT];
    struct result_row *result;
    for (uint32_t at = sim_table_from(results, result_key(ordinal, 0, 0));
         (result = sim_table_next(results, &at, view)) != NULL && result->record.ordinal == ordinal;)
        if (result->record.final)
            return result;
    return NULL;
}

void sim_store_tally(const struct job_rows *job, uint32_t first, uint64_t end, uint64_t view,
                     struct tranche_tally *tally)
{
    const struct sim_table *results = &job->tables[ROWS_RESULT];
    const struct result_row *result;
    for (uint32_t at = sim_table_from(results, result_key(first, 0, 0));
         (result = sim_table_next(results, &at, view)) != NULL && result->record.ordinal < end;) {
        if (!result->record.final)
            continue;
        tally->completed += result->record.state == TRANCHE_DEVICE_COMPLETED;
        tally->failed += result->record.state == TRANCHE_DEVICE_FAILED;
        tally->unknown += result->record.state == TRANCHE_DEVICE_UNKNOWN;
    }
}

uint32_t sim_store_members(const struct job_rows *job, uint64_t view)
{
    uint32_t members = 0;
    const struct chunk_row *chunk;
    for (uint32_t at = 0; (chunk = sim_table_next(&job->tables[ROWS_CHUNK], &at, view)) != NULL;)
        members += chunk->count;
    return members;
}

/* ---- jobs ---- */

static enum tranche_code reader_job_find(struct tranche_reader *reader, const char *id,
                                         struct tranche_job_record *out, struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    return sim_store_job_find(r->store, id, view, out, err);
}

static enum tranche_code reader_jobs_page(struct tranche_reader *reader, int64_t before, uint32_t limit,
                                          tranche_job_visit *visit, void *context, struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    r->visiting = true;
    int64_t no = before == 0 ? (int64_t)sim_table_last(&r->store->jobs) : before - 1;
    for (; no > 0 && limit > 0; no--) {
        const struct job_row *job = sim_table_find(&r->store->jobs, (uint64_t)no, view);
        if (job == NULL || job->record.device[0] != '\0')
            continue;
        visit(context, &job->record);
        limit--;
    }
    r->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code reader_calls_page(struct tranche_reader *reader, const char *device, const char *call,
                                           int64_t before, uint32_t limit, tranche_job_visit *visit, void *context,
                                           struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    r->visiting = true;
    for (int64_t no = before == 0 ? (int64_t)sim_table_last(&r->store->jobs) : before - 1; no > 0 && limit > 0; no--) {
        const struct job_row *job = sim_table_find(&r->store->jobs, (uint64_t)no, view);
        if (job == NULL || job->record.device[0] == '\0' || strcmp(job->record.device, device) != 0 ||
            strcmp(job->record.call, call) != 0)
            continue;
        visit(context, &job->record);
        limit--;
    }
    r->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code reader_batches_page(struct tranche_reader *reader, int64_t job, uint32_t first,
                                             uint32_t limit, tranche_batch_visit *visit, void *context,
                                             struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct job_rows *rows = sim_store_rows_find(r->store, job);
    if (rows == NULL)
        return TRANCHE_OK;
    const struct sim_table *batches = &rows->tables[ROWS_BATCH];
    const struct batch_row *batch;
    r->visiting = true;
    for (uint32_t at = sim_table_from(batches, first);
         limit > 0 && (batch = sim_table_next(batches, &at, view)) != NULL; limit--)
        visit(context, &batch->record);
    r->visiting = false;
    return TRANCHE_OK;
}

/* The device of an ordinal in a frozen membership; NULL: the rows do not have it. */
static const struct device_row *member(const struct sim_store *s, const struct job_rows *rows,
                                       const struct tranche_job_record *job, uint32_t ordinal, uint64_t view)
{
    if (rows == NULL || ordinal >= job->tally.total)
        return NULL;
    uint32_t no = chunk_of(job->batch_devices, ordinal);
    struct span span = chunk_span(job->tally.total, job->batch_devices, no);
    const struct chunk_row *chunk = sim_table_find(&rows->tables[ROWS_CHUNK], no, view);
    if (chunk == NULL || chunk->count != span.count)
        return NULL;
    return sim_table_find(&s->devices, chunk->devices[ordinal - span.first], view);
}

static struct tranche_job_device job_device(const struct job_rows *rows, const struct tranche_job_record *job,
                                            uint32_t ordinal, uint64_t view)
{
    struct tranche_job_device device = {
        .ordinal = ordinal,
        .batch = batch_of(job->batch_devices, ordinal),
        .reason = "",
        .answer = "",
    };
    const struct result_row *result = sim_store_final(rows, ordinal, view);
    if (result == NULL)
        return device;
    device.state = result->record.state;
    device.attempt = result->record.attempt;
    device.code = result->record.code;
    device.reason = result->record.reason;
    device.answer = result->record.answer;
    device.answer_bytes = result->record.answer_bytes;
    device.at_us = result->record.at_us;
    return device;
}

static enum tranche_code reader_job_devices_page(struct tranche_reader *reader,
                                                 const struct tranche_job_record *job, uint32_t first,
                                                 uint32_t limit, tranche_job_device_visit *visit,
                                                 void *context, struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct job_rows *rows = sim_store_rows_find(r->store, job->no);
    if (!job->frozen)
        return TRANCHE_OK;
    for (uint32_t ordinal = first; ordinal < job->tally.total && ordinal - first < limit; ordinal++) {
        const struct device_row *row = member(r->store, rows, job, ordinal, view);
        if (row == NULL)
            return fail(err, TRANCHE_IO, "job \"%s\" lacks its member %u", job->id, ordinal);
        struct tranche_job_device device = job_device(rows, job, ordinal, view);
        device.device = row->record.id;
        r->visiting = true;
        visit(context, &device);
        r->visiting = false;
    }
    return TRANCHE_OK;
}

static enum tranche_code reader_job_open(struct tranche_reader *reader, int64_t job, uint32_t *open, uint32_t *waiting,
                                         struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct job_rows *rows = sim_store_rows_find(r->store, job);
    const struct intent_row *intent;
    *open = *waiting = 0;
    for (uint32_t at = 0; rows != NULL && (intent = sim_table_next(&rows->tables[ROWS_INTENT], &at, view)) != NULL;)
        *open += intent->record.count;
    for (uint32_t at = 0; rows != NULL && sim_table_next(&rows->tables[ROWS_RETRY], &at, view) != NULL;)
        ++*waiting;
    return TRANCHE_OK;
}

#define REASONS_MAX 64 /* of one simulated job */

static int by_frequency(const void *a, const void *b)
{
    const struct tranche_failure *left = a, *right = b;
    return (left->count < right->count) - (left->count > right->count);
}

/* Grouped in order of ordinals; a stable sort would keep that among equals, so the tests have no equals. */
static enum tranche_code reader_job_failures(struct tranche_reader *reader, const struct tranche_job_record *job,
                                             uint32_t limit, tranche_failure_visit *visit, void *context,
                                             struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct job_rows *rows = sim_store_rows_find(r->store, job->no);
    struct tranche_failure groups[REASONS_MAX];
    uint32_t count = 0;
    for (uint32_t ordinal = 0; rows != NULL && ordinal < job->tally.total; ordinal++) {
        const struct result_row *result = sim_store_final(rows, ordinal, view);
        if (result == NULL || result->record.state == TRANCHE_DEVICE_COMPLETED)
            continue;
        uint32_t i = 0;
        while (i < count && (groups[i].state != result->record.state || strcmp(groups[i].reason, result->record.reason) != 0))
            i++;
        assert(i < REASONS_MAX);
        if (i == count)
            groups[count++] = (struct tranche_failure){ .state = result->record.state,
                                                        .reason = result->record.reason,
                                                        .example = member(r->store, rows, job, ordinal, view)->record.id };
        groups[i].count++;
        if (result->record.at_us > groups[i].last_us)
            groups[i].last_us = result->record.at_us;
    }
    qsort(groups, count, sizeof groups[0], by_frequency);
    r->visiting = true;
    for (uint32_t i = 0; i < count && i < limit; i++)
        visit(context, &groups[i]);
    r->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code reader_recount(struct tranche_reader *reader, int64_t job, uint32_t first,
                                        uint32_t count, struct tranche_tally *whole,
                                        struct tranche_tally *batch, struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct job_rows *rows = sim_store_rows_find(r->store, job);
    *whole = *batch = (struct tranche_tally){ 0 };
    if (rows == NULL)
        return TRANCHE_OK;
    whole->total = sim_store_members(rows, view);
    sim_store_tally(rows, 0, UINT64_MAX, view, whole);
    sim_store_tally(rows, first, (uint64_t)first + count, view, batch);
    uint32_t left = first < whole->total ? whole->total - first : 0;
    batch->total = count < left ? count : left;
    return TRANCHE_OK;
}

/* ---- the registry ---- */

static enum tranche_code reader_group_find(struct tranche_reader *reader, const char *id,
                                           struct tranche_group_record *out, struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct group_row *group = sim_store_group_named(r->store, id, view);
    if (group == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no device group \"%s\"", id);
    struct group_row *copy = group_row_new(&group->record);
    r->lent = &copy->row;
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code reader_device_find(struct tranche_reader *reader, const char *id,
                                            struct tranche_device_record *out, struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct device_row *device = sim_store_living(r->store, id, view);
    if (device == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no device \"%s\"", id);
    struct device_row *copy = device_row_new(&device->record);
    r->lent = &copy->row;
    *out = copy->record;
    return TRANCHE_OK;
}

/* The next group by id. */
static const struct group_row *group_behind(const struct sim_store *s, const char *after, uint64_t view)
{
    const struct group_row *next = NULL, *group;
    for (uint32_t at = 0; (group = sim_table_next(&s->groups, &at, view)) != NULL;)
        if (strcmp(group->record.id, after) > 0 && (next == NULL || strcmp(group->record.id, next->record.id) < 0))
            next = group;
    return next;
}

static enum tranche_code reader_groups_page(struct tranche_reader *reader, const char *after, uint32_t limit,
                                            tranche_group_visit *visit, void *context, struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct group_row *group = group_behind(r->store, after == NULL ? "" : after, view);
    r->visiting = true;
    for (; group != NULL && limit > 0; limit--) {
        visit(context, &group->record);
        group = group_behind(r->store, group->record.id, view);
    }
    r->visiting = false;
    return TRANCHE_OK;
}

static const char *name_of(const struct tranche_device_record *device)
{
    return device->display_name == NULL ? device->id : device->display_name;
}

/* How a device stands to a place in the list. */
static int compare_place(const struct tranche_device_list *list, const struct tranche_device_record *device,
                         const char *name, const char *id)
{
    int order = list->order == TRANCHE_BY_ID ? 0 : strcmp(name_of(device), name);
    if (order == 0)
        order = strcmp(device->id, id);
    return list->order == TRANCHE_BY_NAME_DOWN ? -order : order;
}

static enum tranche_code reader_devices_page(struct tranche_reader *reader, const struct tranche_device_list *list,
                                             tranche_device_visit *visit, void *context, struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const char *text = list->filter == NULL ? "SELECT * FROM devices" : list->filter;
    const char *name = list->after_name, *id = list->after_id;
    struct filter filter;
    enum tranche_code code = filter_parse(text, strlen(text), &filter, err);
    if (code != TRANCHE_OK)
        return code;
    r->visiting = true;
    for (uint32_t left = list->limit; left > 0; left--) {
        const struct device_row *next = NULL, *device;
        for (uint32_t at = 0; (device = sim_table_next(&r->store->devices, &at, view)) != NULL;) {
            const struct tranche_device_record *record = &device->record;
            bool behind = id == NULL || compare_place(list, record, name, id) > 0;
            bool nearest = next == NULL || compare_place(list, record, name_of(&next->record), next->record.id) < 0;
            if (behind && nearest && !record->deleted && sim_filter_matches(filter.root, record))
                next = device;
        }
        if (next == NULL)
            break;
        visit(context, &next->record);
        name = name_of(&next->record);
        id = next->record.id;
    }
    r->visiting = false;
    filter_free(&filter);
    return TRANCHE_OK;
}

/* What a fold's job has done for the device. */
struct value_visit {
    const struct tranche_job_record *job;
    tranche_value_visit *visit;
    void *context;
};

static void visit_value(void *context, const struct tranche_done_record *done)
{
    const struct value_visit *v = context;
    v->visit(v->context, v->job, done);
}

static enum tranche_code reader_device_values(struct tranche_reader *reader, const struct tranche_device_record *device,
                                              tranche_value_visit *visit, void *context, struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    uint32_t no = device->no; /* entering ends the life of what was lent */
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct fold_row *fold;
    r->visiting = true;
    for (uint32_t at = 0; (fold = sim_table_next(&r->store->folds, &at, view)) != NULL;) {
        const struct job_row *job = sim_table_find(&r->store->jobs, (uint64_t)fold->job, view);
        const struct job_rows *rows = sim_store_rows_find(r->store, fold->job);
        struct value_visit v = { .job = &job->record, .visit = visit, .context = context };
        for (uint32_t ordinal = fold->next; rows != NULL && ordinal < job->record.tally.total; ordinal++)
            if (member(r->store, rows, &job->record, ordinal, view)->record.no == no)
                sim_store_visit_done(rows, ordinal, 1, view, visit_value, &v);
    }
    r->visiting = false;
    return TRANCHE_OK;
}

/* ---- selections ---- */

static void select_device(struct sim_reader *r, const struct device_row *device)
{
    r->selected[r->selected_count++] = device->record.no;
}

static enum tranche_code select_by_filter(struct sim_reader *r, const char *text, uint64_t view,
                                          struct tranche_err *err)
{
    const struct sim_store *s = r->store;
    struct filter filter;
    enum tranche_code code = filter_parse(text, strlen(text), &filter, err);
    if (code != TRANCHE_OK)
        return code;
    r->selected = malloc((s->by_id_count + 1) * sizeof *r->selected);
    assert(r->selected != NULL);
    for (uint32_t i = 0; i < s->by_id_count; i++) {
        const struct device_row *device = sim_table_find(&s->devices, s->by_id[i], view);
        if (device != NULL && !device->record.deleted && sim_filter_matches(filter.root, &device->record))
            select_device(r, device);
    }
    filter_free(&filter);
    return TRANCHE_OK;
}

static bool is_failure(const struct tranche_result_record *result, int64_t until_us)
{
    bool failed = result->state == TRANCHE_DEVICE_FAILED || result->state == TRANCHE_DEVICE_UNKNOWN;
    return result->final && failed && result->at_us <= until_us;
}

/* An origin that does not exist has no failures. */
static enum tranche_code select_by_origin(struct sim_reader *r, const struct tranche_selection *selection,
                                          uint64_t view, struct tranche_err *err)
{
    const struct sim_store *s = r->store;
    const struct job_rows *rows = sim_store_rows_find(r->store, selection->origin);
    const struct job_row *origin = sim_table_find(&s->jobs, (uint64_t)selection->origin, view);
    if (rows == NULL || origin == NULL)
        return TRANCHE_OK;
    const struct sim_table *results = &rows->tables[ROWS_RESULT];
    r->selected = malloc((results->count + 1) * sizeof *r->selected);
    assert(r->selected != NULL);
    const struct result_row *result;
    for (uint32_t at = 0; (result = sim_table_next(results, &at, view)) != NULL;) {
        if (!is_failure(&result->record, selection->origin_until_us))
            continue;
        const struct device_row *device = member(s, rows, &origin->record, result->record.ordinal, view);
        if (device == NULL)
            return fail(err, TRANCHE_IO, "job \"%s\" lacks its member %u", origin->record.id,
                        result->record.ordinal);
        select_device(r, device);
    }
    return TRANCHE_OK;
}

static void forget_selection(struct sim_reader *r)
{
    free(r->selected);
    r->selected = NULL;
    r->selected_count = r->selected_at = 0;
}

static enum tranche_code resolve(struct sim_reader *r, const struct tranche_selection *selection, uint64_t view,
                                 uint32_t *count, struct tranche_err *err)
{
    enum tranche_code code = selection->filter != NULL ? select_by_filter(r, selection->filter, view, err)
                                                       : select_by_origin(r, selection, view, err);
    *count = r->selected_count;
    return code;
}

static bool check_not_selecting(struct sim_reader *r, const char *what, struct tranche_err *err)
{
    if (!r->selecting)
        return true;
    sim_store_wrong(r->store, "%s: a selection is open", what);
    fail(err, TRANCHE_INTERNAL, "%s: a selection is open", what);
    return false;
}

static enum tranche_code select_count(struct tranche_reader *reader,
                                      const struct tranche_selection *selection, uint32_t *count,
                                      struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    if (!check_not_selecting(r, "select_count", err))
        return TRANCHE_INTERNAL;
    enum tranche_code code = resolve(r, selection, view, count, err);
    forget_selection(r);
    return code;
}

static enum tranche_code select_open(struct tranche_reader *reader, const struct tranche_selection *selection,
                                     uint32_t *count, struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    if (!check_not_selecting(r, "select_open", err))
        return TRANCHE_INTERNAL;
    enum tranche_code code = resolve(r, selection, view, count, err);
    if (code != TRANCHE_OK) {
        forget_selection(r);
        return code;
    }
    r->selecting = true;
    r->moment = view;
    r->store->selections++;
    return TRANCHE_OK;
}

static enum tranche_code select_next(struct tranche_reader *reader, uint32_t *devices, uint32_t max,
                                     uint32_t *count, struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    if (!r->selecting) {
        sim_store_wrong(r->store, "select_next: no selection is open");
        return fail(err, TRANCHE_INTERNAL, "select_next: no selection is open");
    }
    uint32_t left = r->selected_count - r->selected_at;
    *count = max < left ? max : left;
    if (*count > 0)
        memcpy(devices, r->selected + r->selected_at, *count * sizeof *devices);
    r->selected_at += *count;
    return TRANCHE_OK;
}

static void select_close(struct tranche_reader *reader)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    if (!r->selecting)
        return;
    r->selecting = false;
    r->store->selections--;
    forget_selection(r);
}

/* ---- open and close ---- */

static void reader_close(struct tranche_reader *reader)
{
    select_close(reader);
    struct sim_reader *r = (struct sim_reader *)reader;
    r->store->readers--;
    free(r);
}

static const struct tranche_reader_functions reader_functions = {
    .close = reader_close,
    .job_find = reader_job_find,
    .jobs_page = reader_jobs_page,
    .calls_page = reader_calls_page,
    .job_devices_page = reader_job_devices_page,
    .batches_page = reader_batches_page,
    .job_open = reader_job_open,
    .job_failures = reader_job_failures,
    .recount = reader_recount,
    .group_find = reader_group_find,
    .device_find = reader_device_find,
    .groups_page = reader_groups_page,
    .devices_page = reader_devices_page,
    .device_values = reader_device_values,
    .select_count = select_count,
    .select_open = select_open,
    .select_next = select_next,
    .select_close = select_close,
};

enum tranche_code sim_store_reader_open(struct tranche_store *store, struct tranche_reader **reader,
                                        struct tranche_err *err)
{
    struct sim_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    r->functions = reader_functions;
    sim_store_fleet_reader_functions(&r->functions);
    sim_store_objects_reader_functions(&r->functions);
    r->reader.functions = &r->functions;
    r->store = sim_store(store);
    r->store->readers++;
    *reader = &r->reader;
    return TRANCHE_OK;
}
