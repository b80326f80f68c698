/* Values that jobs write: devices' records, and the folds. */
#include "sim_store_internal.h"

#include "fail.h"
#include "json.h"
#include "mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON objects ---- */

/* Adds the members of an object but for `name`. */
static void add_others(struct text *out, const struct json_document *document, const char *parent, const char *name)
{
    const struct json *object = parent == NULL ? document->root : json_member(document->root, parent);
    const char *member;
    struct json *value;
    for (void *cursor = NULL; json_next(object, &cursor, &member, &value);) {
        if (strcmp(member, name) == 0)
            continue;
        size_t bytes;
        const char *raw = parent == NULL ? json_raw(document, &bytes, member, NULL)
                                         : json_raw(document, &bytes, parent, member, NULL);
        text_json(out, member);
        text_printf(out, ":%.*s,", (int)bytes, raw);
    }
}

/* The object with one member set, in the root or in the object `component`. Free it. */
static char *with_value(const char *object, const char *component, const char *name, const char *value, size_t bytes)
{
    struct json_document document = { 0 };
    struct text out = { 0 };
    const char *before = object == NULL ? "{}" : object;
    enum tranche_code code = json_parse(before, strlen(before), &document, NULL);
    assert(code == TRANCHE_OK);
    bool root = component[0] == '\0';
    text_puts(&out, "{");
    add_others(&out, &document, NULL, root ? name : component);
    if (!root) {
        text_json(&out, component);
        text_puts(&out, ":{");
        add_others(&out, &document, component, name);
    }
    text_json(&out, name);
    text_printf(&out, ":%.*s%s", (int)bytes, value, root ? "}" : "}}");
    json_free(&document);
    char *taken = text_take(&out);
    assert(taken != NULL);
    return taken;
}

static int64_t stamp_of(const struct tranche_device_record *record, const char *path)
{
    struct json_document document = { 0 };
    int64_t stamp = record->properties_us, later;
    const char *stamps = record->stamps == NULL ? "{}" : record->stamps;
    enum tranche_code code = json_parse(stamps, strlen(stamps), &document, NULL);
    assert(code == TRANCHE_OK);
    if (json_integer(json_member(document.root, path), &later) && later > stamp)
        stamp = later;
    json_free(&document);
    return stamp;
}

/* ---- a device's record ---- */

static struct device_row *set(const struct tranche_device_record *record, const struct tranche_step *step, int64_t at_us)
{
    struct text path = { 0 }, stamp = { 0 };
    text_printf(&path, "%s%s%s", step->component, step->component[0] == '\0' ? "" : ".", step->name);
    text_printf(&stamp, "%lld", (long long)at_us);
    struct device_row *row = NULL;
    if (stamp_of(record, path.bytes) < at_us) {
        struct tranche_device_record changed = *record;
        char *properties = with_value(record->properties, step->component, step->name, step->value, step->value_bytes);
        char *stamps = with_value(record->stamps, "", path.bytes, stamp.bytes, stamp.length);
        changed.properties = properties;
        changed.stamps = stamps;
        row = device_row_new(&changed);
        free(properties);
        free(stamps);
    }
    text_free(&path);
    text_free(&stamp);
    return row;
}

static struct device_row *assign(const struct tranche_device_record *record, const struct tranche_step *step)
{
    struct tranche_device_record changed = *record;
    changed.revision++;
    if (step->kind == TRANCHE_STEP_TEMPLATE_MIGRATION)
        changed.template_id = step->target;
    else
        changed.manifest = step->target;
    return device_row_new(&changed);
}

static enum tranche_code device_apply(struct tranche_store *store, uint32_t no, const struct tranche_step *steps,
                                      uint16_t step_count, int64_t at_us, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    for (uint16_t i = 0; i < step_count; i++) {
        enum tranche_code code = sim_store_change(store, "device_apply", err);
        if (code != TRANCHE_OK)
            return code;
        const struct device_row *before = sim_table_find(&s->devices, no, SIM_OPEN);
        if (before == NULL || before->record.deleted || steps[i].kind == TRANCHE_STEP_COMMAND)
            continue;
        bool value = steps[i].kind == TRANCHE_STEP_PROPERTY || steps[i].kind == TRANCHE_STEP_CLOUD_PROPERTY;
        struct device_row *row = value ? set(&before->record, &steps[i], at_us) : assign(&before->record, &steps[i]);
        if (row != NULL)
            sim_store_put(s, NULL, &s->devices, no, row);
    }
    return TRANCHE_OK;
}

/* ---- folds ---- */

static enum tranche_code fold_put(struct tranche_store *store, int64_t job, uint32_t next, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "fold_put", err);
    if (code != TRANCHE_OK)
        return code;
    struct fold_row *fold = sim_row_new(sizeof *fold);
    fold->job = job;
    fold->next = next;
    sim_store_put(s, NULL, &s->folds, (uint64_t)job, fold);
    return TRANCHE_OK;
}

static enum tranche_code fold_drop(struct tranche_store *store, int64_t job, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "fold_drop", err);
    if (code == TRANCHE_OK)
        sim_store_drop(s, NULL, &s->folds, (uint64_t)job);
    return code;
}

static enum tranche_code folds(struct tranche_store *store, int64_t after, uint32_t limit, tranche_fold_visit *visit,
                               void *context, struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "folds");
    const struct fold_row *fold;
    s->visiting = true;
    for (uint32_t at = 0; (fold = sim_table_next(&s->folds, &at, SIM_OPEN)) != NULL;) {
        const struct job_row *job = sim_table_find(&s->jobs, (uint64_t)fold->job, SIM_OPEN);
        if (job != NULL && fold->job > after && limit-- > 0)
            visit(context, &job->record, fold->next);
    }
    s->visiting = false;
    return TRANCHE_OK;
}

void sim_store_visit_done(const struct job_rows *rows, uint32_t first, uint32_t count, uint64_t view,
                          tranche_done_visit *visit, void *context)
{
    const struct sim_table *results = &rows->tables[ROWS_RESULT];
    const struct result_row *result;
    for (uint32_t at = sim_table_from(results, result_key(first, 0, 0));
         (result = sim_table_next(results, &at, view)) != NULL && result->record.ordinal - first < count;) {
        struct tranche_done_record done = { .ordinal = result->record.ordinal,
                                            .step = result->record.step,
                                            .final = result->record.final,
                                            .at_us = result->record.at_us };
        if (result->record.state == TRANCHE_DEVICE_COMPLETED)
            visit(context, &done);
    }
}

static enum tranche_code job_done(struct tranche_store *store, int64_t job, uint32_t first, uint32_t count,
                                  tranche_done_visit *visit, void *context, struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "job_done");
    const struct job_rows *rows = sim_store_rows_find(s, job);
    s->visiting = true;
    if (rows != NULL)
        sim_store_visit_done(rows, first, count, SIM_OPEN, visit, context);
    s->visiting = false;
    return TRANCHE_OK;
}

void sim_store_values_functions(struct tranche_store_functions *functions)
{
    functions->device_apply = device_apply;
    functions->fold_put = fold_put;
    functions->fold_drop = fold_drop;
    functions->folds = folds;
    functions->job_done = job_done;
}
