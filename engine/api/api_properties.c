/* A device's stored properties: what jobs and imports wrote, with $metadata for values that a job wrote (api-contract.md 6.3,
 * 9.2). What is not folded into the record yet is merged here, so that a value is seen as soon as its outcome counts.
 */
#include "handlers.h"

#include "definition.h"
#include "device_json.h"
#include "fail.h"
#include "job_read.h"
#include "json.h"
#include "when.h"

#include <string.h>

#define VALUES_MAX 1024 /* values of one device that jobs wrote: far more than a device model has */

/* A value that a job wrote. */
struct value {
    const char *component, *name; /* "" for the root */
    const char *raw;              /* JSON */
    size_t raw_bytes;
    int64_t at_us;
};

/* The view of one device's properties. All in the request's memory. */
struct view {
    struct request *request;
    struct value *values;
    size_t count;
    bool overfull;
};

/* ---- gathering ---- */

/* A younger value takes the older one's place. */
static void add_value(struct view *view, const struct value *value)
{
    for (size_t i = 0; i < view->count; i++) {
        struct value *present = &view->values[i];
        if (strcmp(present->component, value->component) != 0 || strcmp(present->name, value->name) != 0)
            continue;
        if (value->at_us > present->at_us)
            *present = *value;
        return;
    }
    view->overfull |= view->count == VALUES_MAX;
    if (!view->overfull)
        view->values[view->count++] = *value;
}

/* Those that are in the record: its stamps name them. */
static void add_stamped(struct view *view, const struct json_document *properties, const char *stamps)
{
    struct arena *memory = &view->request->memory;
    struct json_document document = { 0 };
    if (stamps == NULL || json_parse(stamps, strlen(stamps), &document, NULL) != TRANCHE_OK)
        return;
    const char *path;
    struct json *stamp;
    for (void *cursor = NULL; json_next(document.root, &cursor, &path, &stamp);) {
        const char *dot = strchr(path, '.');
        struct value value = { .component = "", .name = arena_copy(memory, dot == NULL ? path : dot + 1,
                                                                   strlen(dot == NULL ? path : dot + 1)) };
        if (dot != NULL)
            value.component = arena_copy(memory, path, (size_t)(dot - path));
        if (memory->failed)
            break;
        value.raw = dot == NULL ? json_raw(properties, &value.raw_bytes, value.name, NULL)
                                : json_raw(properties, &value.raw_bytes, value.component, value.name, NULL);
        if (value.raw != NULL && json_integer(stamp, &value.at_us))
            add_value(view, &value);
    }
    json_free(&document);
}

/* One that is not folded yet. */
static void add_unfolded(void *context, const struct tranche_job_record *job, const struct tranche_done_record *done)
{
    struct view *view = context;
    struct arena *memory = &view->request->memory;
    struct definition definition;
    if (job_definition(job, &definition, NULL) != TRANCHE_OK) { /* it was parsed before it was stored */
        memory->failed = true;
        return;
    }
    uint16_t count;
    const struct tranche_step *steps = definition_done(&definition, done->step, done->final, &count);
    for (uint16_t i = 0; i < count; i++) {
        struct value value = {
            .component = arena_copy(memory, steps[i].component, strlen(steps[i].component)),
            .name = arena_copy(memory, steps[i].name, strlen(steps[i].name)),
            .raw = arena_copy(memory, steps[i].value, steps[i].value_bytes),
            .raw_bytes = steps[i].value_bytes,
            .at_us = done->at_us,
        };
        if (!memory->failed)
            add_value(view, &value);
    }
    definition_free(&definition);
}

/* ---- printing ---- */

static const struct value *find_value(const struct view *view, const char *component, const char *name)
{
    for (size_t i = 0; i < view->count; i++)
        if (strcmp(view->values[i].component, component) == 0 && strcmp(view->values[i].name, name) == 0)
            return &view->values[i];
    return NULL;
}

static bool has_component(const struct view *view, const char *component)
{
    for (size_t i = 0; i < view->count; i++)
        if (strcmp(view->values[i].component, component) == 0)
            return true;
    return false;
}

static void print_name(struct text *out, const char *name)
{
    if (out->length > 0 && out->bytes[out->length - 1] != '{')
        text_puts(out, ",");
    text_json(out, name);
    text_puts(out, ":");
}

static void print_metadata(struct text *out, const struct view *view, const char *component)
{
    if (!has_component(view, component))
        return;
    print_name(out, "$metadata");
    text_puts(out, "{");
    for (size_t i = 0; i < view->count; i++) {
        const struct value *value = &view->values[i];
        if (strcmp(value->component, component) != 0)
            continue;
        char at[WHEN_TEXT_BYTES];
        when_rfc3339(value->at_us, at);
        print_name(out, value->name);
        text_printf(out, "{\"desiredValue\":%.*s,\"lastUpdateTime\":\"%s\"}", (int)value->raw_bytes, value->raw, at);
    }
    text_puts(out, "}");
}

/* The object of a component: what the record has, with jobs' values in their places. `object` is NULL where it has none. */
static void print_object(struct text *out, const struct view *view, const struct json_document *document,
                         const struct json *object, const char *component)
{
    bool root = component[0] == '\0';
    const char *name;
    struct json *member;
    text_puts(out, "{");
    for (void *cursor = NULL; json_next(object, &cursor, &name, &member);) {
        if (find_value(view, component, name) != NULL || (root && has_component(view, name)))
            continue;
        size_t bytes;
        const char *raw = root ? json_raw(document, &bytes, name, NULL)
                               : json_raw(document, &bytes, component, name, NULL);
        print_name(out, name);
        text_add(out, raw, bytes);
    }
    for (size_t i = 0; i < view->count; i++) {
        const struct value *value = &view->values[i];
        if (strcmp(value->component, component) != 0 || (root && has_component(view, value->name)))
            continue; /* what was one value has become a component since */
        print_name(out, value->name);
        text_add(out, value->raw, value->raw_bytes);
    }
    for (size_t i = 0; root && i < view->count; i++) {
        const char *nested = view->values[i].component;
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = strcmp(view->values[j].component, nested) != 0;
        if (nested[0] == '\0' || !first)
            continue;
        print_name(out, nested);
        print_object(out, view, document, json_member(object, nested), nested);
    }
    print_metadata(out, view, component);
    text_puts(out, "}");
}

/* ---- the operations ---- */

static enum tranche_code gather_unfolded(struct view *view, struct tranche_reader *reader,
                                         const struct tranche_device_record *device, struct tranche_err *err)
{
    view->values = arena_take(&view->request->memory, VALUES_MAX * sizeof *view->values);
    if (view->values == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    return reader->functions->device_values(reader, device, add_unfolded, view, err);
}

/* Values that are older than the record's properties as a whole count no more. */
static void drop_older(struct view *view, int64_t properties_us)
{
    size_t kept = 0;
    for (size_t i = 0; i < view->count; i++)
        if (view->values[i].at_us > properties_us)
            view->values[kept++] = view->values[i];
    view->count = kept;
}

/* The record is read after the unfolded values: one that is folded meanwhile is seen twice, which does no harm. */
static enum tranche_code view_device(struct view *view, struct tranche_reader *reader, struct tranche_device_record *device,
                                     struct json_document *properties, struct tranche_err *err)
{
    enum tranche_code code = device_json_find(view->request, reader, device, err);
    uint32_t no = device->no;
    if (code == TRANCHE_OK)
        code = gather_unfolded(view, reader, device, err);
    if (code == TRANCHE_OK)
        code = device_json_find(view->request, reader, device, err);
    if (code != TRANCHE_OK)
        return code;
    drop_older(view, device->no == no ? device->properties_us : INT64_MAX);
    const char *stored = device->properties == NULL ? "{}" : device->properties;
    code = json_parse(stored, strlen(stored), properties, err);
    if (code == TRANCHE_OK)
        add_stamped(view, properties, device->stamps);
    if (code == TRANCHE_OK && view->request->memory.failed)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (code == TRANCHE_OK && view->overfull)
        return fail(err, TRANCHE_INTERNAL, "device \"%s\" has more than %d values that jobs wrote", device->id, VALUES_MAX);
    return code;
}

static enum tranche_code print_properties(struct request *request, struct tranche_reader *reader, const char *component,
                                          struct tranche_err *err)
{
    struct tranche_device_record device = { 0 };
    struct json_document properties = { 0 };
    struct view view = { .request = request };
    enum tranche_code code = view_device(&view, reader, &device, &properties, err);
    const struct json *object = component[0] == '\0' ? properties.root : json_member(properties.root, component);
    if (code == TRANCHE_OK && json_type(object) != JSON_OBJECT && !has_component(&view, component))
        code = fail(err, TRANCHE_NOTFOUND, "Device \"%s\" has no component \"%.255s\".", device.id, component);
    if (code == TRANCHE_OK)
        print_object(request_answer(request, 200), &view, &properties, object, component);
    json_free(&properties);
    return code;
}

static void answer_properties(struct request *request, const char *component)
{
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_err err = { 0 };
    if (print_properties(request, reader, component, &err) != TRANCHE_OK)
        request_refuse(request, &err);
}

void properties_get(struct request *request)
{
    answer_properties(request, "");
}

void properties_of_component(struct request *request)
{
    answer_properties(request, request->parameters[1]);
}
