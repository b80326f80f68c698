/* Objects, schedules and the audit: the writer's side and the readers'. */
#include "sim_store_internal.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

struct object_row {
    struct sim_row row;
    struct tranche_object_record record;
};
struct schedule_row {
    struct sim_row row;
    struct tranche_schedule_record record;
};
struct audit_row {
    struct sim_row row;
    struct tranche_audit_record record;
};

static struct object_row *object_row_new(const struct tranche_object_record *record)
{
    struct object_row *object = sim_row_new(sizeof *object + sim_string_bytes(record->body));
    char *tail = (char *)(object + 1);
    object->record = *record;
    object->record.body = sim_string_keep(&tail, record->body);
    return object;
}

static struct schedule_row *schedule_row_new(const struct tranche_schedule_record *record)
{
    struct schedule_row *schedule =
        sim_row_new(sizeof *schedule + sim_string_bytes(record->definition) + sim_string_bytes(record->rule) +
                    sim_string_bytes(record->organization));
    char *tail = (char *)(schedule + 1);
    schedule->record = *record;
    schedule->record.definition = sim_string_keep(&tail, record->definition);
    schedule->record.rule = sim_string_keep(&tail, record->rule);
    schedule->record.organization = sim_string_keep(&tail, record->organization);
    return schedule;
}

/* ---- objects ---- */

/* The row, and its key; NULL: none. */
static struct object_row *object_named(struct sim_store *s, enum tranche_object kind, const char *id,
                                       uint64_t view, uint64_t *key)
{
    struct object_row *object;
    for (uint32_t at = 0; (object = sim_table_next(&s->objects, &at, view)) != NULL;)
        if (object->record.kind == kind && strcmp(object->record.id, id) == 0) {
            *key = s->objects.slots[at - 1].key;
            return object;
        }
    return NULL;
}

/* The next one by id. */
static struct object_row *object_behind(struct sim_store *s, enum tranche_object kind, const char *after,
                                        uint64_t view)
{
    struct object_row *next = NULL, *object;
    for (uint32_t at = 0; (object = sim_table_next(&s->objects, &at, view)) != NULL;)
        if (object->record.kind == kind && strcmp(object->record.id, after) > 0 &&
            (next == NULL || strcmp(object->record.id, next->record.id) < 0))
            next = object;
    return next;
}

static enum tranche_code not_there(struct tranche_err *err, const char *id)
{
    return fail(err, TRANCHE_NOTFOUND, "there is no \"%s\"", id);
}

static enum tranche_code object_find(struct tranche_store *store, enum tranche_object kind, const char *id,
                                     struct tranche_object_record *out, struct tranche_err *err)
{
    uint64_t key;
    struct sim_store *s = sim_store_enter(store, "object_find");
    const struct object_row *object = object_named(s, kind, id, SIM_OPEN, &key);
    if (object == NULL)
        return not_there(err, id);
    struct object_row *copy = object_row_new(&object->record);
    sim_store_lend(s, &copy->row);
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code object_put(struct tranche_store *store, struct tranche_object_record *object,
                                    struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "object_put", err);
    if (code != TRANCHE_OK)
        return code;
    uint64_t key = sim_table_last(&s->objects) + 1;
    const struct object_row *before = object_named(s, object->kind, object->id, SIM_OPEN, &key);
    object->revision = before == NULL ? sim_store_first_revision(s) : before->record.revision + 1;
    sim_store_put(s, NULL, &s->objects, key, object_row_new(object));
    return TRANCHE_OK;
}

static enum tranche_code object_drop(struct tranche_store *store, enum tranche_object kind, const char *id,
                                     struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    uint64_t key;
    enum tranche_code code = sim_store_change(store, "object_drop", err);
    if (code != TRANCHE_OK)
        return code;
    if (object_named(s, kind, id, SIM_OPEN, &key) == NULL)
        return not_there(err, id);
    sim_store_drop(s, NULL, &s->objects, key);
    return TRANCHE_OK;
}

static void visit_objects(struct sim_store *s, enum tranche_object kind, const char *after, uint32_t limit,
                          uint64_t view, tranche_object_visit *visit, void *context)
{
    struct object_row *object = object_behind(s, kind, after == NULL ? "" : after, view);
    for (; object != NULL && limit > 0; limit--) {
        visit(context, &object->record);
        object = object_behind(s, kind, object->record.id, view);
    }
}

static enum tranche_code objects(struct tranche_store *store, enum tranche_object kind,
                                 tranche_object_visit *visit, void *context, struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "objects");
    s->visiting = true;
    visit_objects(s, kind, NULL, UINT32_MAX, SIM_OPEN, visit, context);
    s->visiting = false;
    return TRANCHE_OK;
}

static bool is(const char *organization, const char *id)
{
    return organization != NULL && strcmp(organization, id) == 0;
}

static enum tranche_code object_holds(struct tranche_store *store, enum tranche_object kind, const char *id,
                                      const char **what, struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "object_holds");
    const struct job_row *job;
    const struct schedule_row *schedule;
    const struct group_row *group;
    const struct device_row *device;
    *what = NULL;
    for (uint32_t at = 0; *what == NULL && (device = sim_table_next(&s->devices, &at, SIM_OPEN)) != NULL;)
        if (kind == TRANCHE_TEMPLATE && !device->record.deleted && is(device->record.template_id, id))
            *what = "devices";
    if (kind != TRANCHE_ORGANIZATION)
        return TRANCHE_OK;
    for (uint32_t at = 0; *what == NULL && (job = sim_table_next(&s->jobs, &at, SIM_OPEN)) != NULL;)
        *what = is(job->record.organization, id) ? "jobs" : NULL;
    for (uint32_t at = 0; *what == NULL && (schedule = sim_table_next(&s->schedules, &at, SIM_OPEN)) != NULL;)
        *what = is(schedule->record.organization, id) ? "schedules" : NULL;
    for (uint32_t at = 0; *what == NULL && (group = sim_table_next(&s->groups, &at, SIM_OPEN)) != NULL;)
        *what = is(group->record.organization, id) ? "device groups" : NULL;
    for (uint32_t at = 0; *what == NULL && (device = sim_table_next(&s->devices, &at, SIM_OPEN)) != NULL;)
        *what = !device->record.deleted && is(device->record.organization, id) ? "devices" : NULL;
    return TRANCHE_OK;
}

/* ---- schedules ---- */

static struct schedule_row *schedule_named(struct sim_store *s, const char *id, uint64_t view, uint64_t *key)
{
    struct schedule_row *schedule;
    for (uint32_t at = 0; (schedule = sim_table_next(&s->schedules, &at, view)) != NULL;)
        if (strcmp(schedule->record.id, id) == 0) {
            *key = s->schedules.slots[at - 1].key;
            return schedule;
        }
    return NULL;
}

static struct schedule_row *schedule_behind(struct sim_store *s, const char *after, uint64_t view)
{
    struct schedule_row *next = NULL, *schedule;
    for (uint32_t at = 0; (schedule = sim_table_next(&s->schedules, &at, view)) != NULL;)
        if (strcmp(schedule->record.id, after) > 0 &&
            (next == NULL || strcmp(schedule->record.id, next->record.id) < 0))
            next = schedule;
    return next;
}

static enum tranche_code schedule_find(struct tranche_store *store, const char *id,
                                       struct tranche_schedule_record *out, struct tranche_err *err)
{
    uint64_t key;
    struct sim_store *s = sim_store_enter(store, "schedule_find");
    const struct schedule_row *schedule = schedule_named(s, id, SIM_OPEN, &key);
    if (schedule == NULL)
        return not_there(err, id);
    struct schedule_row *copy = schedule_row_new(&schedule->record);
    sim_store_lend(s, &copy->row);
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code schedule_put(struct tranche_store *store, struct tranche_schedule_record *schedule,
                                      struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "schedule_put", err);
    if (code != TRANCHE_OK)
        return code;
    uint64_t key = sim_table_last(&s->schedules) + 1;
    const struct schedule_row *before = schedule_named(s, schedule->id, SIM_OPEN, &key);
    schedule->revision = before == NULL ? sim_store_first_revision(s) : before->record.revision + 1;
    sim_store_put(s, NULL, &s->schedules, key, schedule_row_new(schedule));
    return TRANCHE_OK;
}

static enum tranche_code schedule_settle(struct tranche_store *store,
                                         const struct tranche_schedule_record *schedule,
                                         struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    uint64_t key;
    enum tranche_code code = sim_store_change(store, "schedule_settle", err);
    if (code != TRANCHE_OK)
        return code;
    const struct schedule_row *before = schedule_named(s, schedule->id, SIM_OPEN, &key);
    if (before == NULL)
        return not_there(err, schedule->id);
    if (schedule->next < before->record.next)
        sim_store_wrong(s, "schedule %s: next goes back from %u to %u", schedule->id, before->record.next,
                        schedule->next);
    struct tranche_schedule_record record = before->record;
    record.next = schedule->next;
    record.due_us = schedule->due_us;
    record.queued = schedule->queued;
    record.runs = schedule->runs;
    strcpy(record.instance, schedule->instance);
    sim_store_put(s, NULL, &s->schedules, key, schedule_row_new(&record));
    return TRANCHE_OK;
}

static enum tranche_code schedule_drop(struct tranche_store *store, const char *id, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    uint64_t key;
    enum tranche_code code = sim_store_change(store, "schedule_drop", err);
    if (code != TRANCHE_OK)
        return code;
    if (schedule_named(s, id, SIM_OPEN, &key) == NULL)
        return not_there(err, id);
    sim_store_drop(s, NULL, &s->schedules, key);
    return TRANCHE_OK;
}

static bool is_due(const struct tranche_schedule_record *schedule, int64_t now_us)
{
    return schedule->queued || (schedule->due_us > 0 && schedule->due_us <= now_us);
}

static bool is_before(const struct tranche_schedule_record *a, const struct tranche_schedule_record *b)
{
    if ((a->due_us == 0) != (b->due_us == 0))
        return b->due_us == 0;
    return a->due_us != b->due_us ? a->due_us < b->due_us : strcmp(a->id, b->id) < 0;
}

static enum tranche_code schedules_due(struct tranche_store *store, int64_t now_us, uint32_t limit,
                                       tranche_schedule_visit *visit, void *context, struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "schedules_due");
    const struct schedule_row *last = NULL;
    s->visiting = true;
    for (; limit > 0; limit--) {
        const struct schedule_row *next = NULL, *schedule;
        for (uint32_t at = 0; (schedule = sim_table_next(&s->schedules, &at, SIM_OPEN)) != NULL;)
            if (is_due(&schedule->record, now_us) &&
                (last == NULL || is_before(&last->record, &schedule->record)) &&
                (next == NULL || is_before(&schedule->record, &next->record)))
                next = schedule;
        if (next == NULL)
            break;
        visit(context, &next->record);
        last = next;
    }
    s->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code schedules_wake(struct tranche_store *store, int64_t *due_us, bool *queued,
                                        struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "schedules_wake");
    const struct schedule_row *schedule;
    *due_us = 0;
    *queued = false;
    for (uint32_t at = 0; (schedule = sim_table_next(&s->schedules, &at, SIM_OPEN)) != NULL;) {
        *queued |= schedule->record.queued;
        if (schedule->record.due_us > 0 && (*due_us == 0 || schedule->record.due_us < *due_us))
            *due_us = schedule->record.due_us;
    }
    return TRANCHE_OK;
}

/* ---- the audit ---- */

static enum tranche_code audit_put(struct tranche_store *store, const struct tranche_audit_record *audit,
                                   struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "audit_put", err);
    if (code != TRANCHE_OK)
        return code;
    struct audit_row *row = sim_row_new(sizeof *row);
    row->record = *audit;
    row->record.no = (int64_t)sim_table_last(&s->audit) + 1;
    sim_store_put(s, NULL, &s->audit, (uint64_t)row->record.no, row);
    return TRANCHE_OK;
}

/* ---- readers ---- */

static enum tranche_code reader_object_find(struct tranche_reader *reader, enum tranche_object kind,
                                            const char *id, struct tranche_object_record *out,
                                            struct tranche_err *err)
{
    uint64_t view, key;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct object_row *object = object_named(r->store, kind, id, view, &key);
    if (object == NULL)
        return not_there(err, id);
    struct object_row *copy = object_row_new(&object->record);
    r->lent = &copy->row;
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code reader_objects_page(struct tranche_reader *reader, enum tranche_object kind,
                                             const char *after, uint32_t limit, tranche_object_visit *visit,
                                             void *context, struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    r->visiting = true;
    visit_objects(r->store, kind, after, limit, view, visit, context);
    r->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code reader_schedule_find(struct tranche_reader *reader, const char *id,
                                              struct tranche_schedule_record *out, struct tranche_err *err)
{
    uint64_t view, key;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct schedule_row *schedule = schedule_named(r->store, id, view, &key);
    if (schedule == NULL)
        return not_there(err, id);
    struct schedule_row *copy = schedule_row_new(&schedule->record);
    r->lent = &copy->row;
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code reader_schedules_page(struct tranche_reader *reader, const char *after,
                                               uint32_t limit, tranche_schedule_visit *visit, void *context,
                                               struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct schedule_row *schedule = schedule_behind(r->store, after == NULL ? "" : after, view);
    r->visiting = true;
    for (; schedule != NULL && limit > 0; limit--) {
        visit(context, &schedule->record);
        schedule = schedule_behind(r->store, schedule->record.id, view);
    }
    r->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code reader_schedule_jobs_page(struct tranche_reader *reader, const char *schedule,
                                                   int64_t before, uint32_t limit, tranche_job_visit *visit,
                                                   void *context, struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    r->visiting = true;
    int64_t no = before == 0 ? (int64_t)sim_table_last(&r->store->jobs) : before - 1;
    for (; no > 0 && limit > 0; no--) {
        const struct job_row *job = sim_table_find(&r->store->jobs, (uint64_t)no, view);
        if (job == NULL || strcmp(job->record.schedule, schedule) != 0 || schedule[0] == '\0')
            continue;
        visit(context, &job->record);
        limit--;
    }
    r->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code reader_audit_page(struct tranche_reader *reader, int64_t before, uint32_t limit,
                                           tranche_audit_visit *visit, void *context, struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    r->visiting = true;
    int64_t no = before == 0 ? (int64_t)sim_table_last(&r->store->audit) : before - 1;
    for (; no > 0 && limit > 0; no--) {
        const struct audit_row *audit = sim_table_find(&r->store->audit, (uint64_t)no, view);
        if (audit == NULL)
            continue;
        visit(context, &audit->record);
        limit--;
    }
    r->visiting = false;
    return TRANCHE_OK;
}

void sim_store_objects_functions(struct tranche_store_functions *functions)
{
    functions->object_find = object_find;
    functions->object_put = object_put;
    functions->object_drop = object_drop;
    functions->objects = objects;
    functions->object_holds = object_holds;
    functions->schedule_find = schedule_find;
    functions->schedule_put = schedule_put;
    functions->schedule_settle = schedule_settle;
    functions->schedule_drop = schedule_drop;
    functions->schedules_due = schedules_due;
    functions->schedules_wake = schedules_wake;
    functions->audit_put = audit_put;
}

void sim_store_objects_reader_functions(struct tranche_reader_functions *functions)
{
    functions->object_find = reader_object_find;
    functions->objects_page = reader_objects_page;
    functions->schedule_find = reader_schedule_find;
    functions->schedules_page = reader_schedules_page;
    functions->schedule_jobs_page = reader_schedule_jobs_page;
    functions->audit_page = reader_audit_page;
}
