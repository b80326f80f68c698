/* From a body to a template, and from a template to a verdict about a step.
 *
 * Capabilities are gathered as a list while the interfaces are walked, and sorted once at the end: sorting
 * brings those of one name together, and so finds the names that are used twice. The recursion follows the
 * nesting of interfaces, which JSON_DEPTH_MAX bounds.
 */
#include "template.h"

#include "dtdl.h"
#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_SHOWN_BYTES_MAX 128 /* of a template's id, in an error text */

static const struct {
    const char *type; /* its word in @type */
    const char *name; /* for people */
} kinds[] = {
    [CAPABILITY_PROPERTY] = { "Property", "property" },
    [CAPABILITY_CLOUD_PROPERTY] = { "Cloud", "cloud property" }, /* besides Property */
    [CAPABILITY_COMMAND] = { "Command", "command" },
    [CAPABILITY_TELEMETRY] = { "Telemetry", "telemetry" },
    [CAPABILITY_COMPONENT] = { "Component", "component" },
    [CAPABILITY_RELATIONSHIP] = { "Relationship", "relationship" },
};

/* A capability while the list grows. */
struct link {
    struct capability capability;
    struct link *next;
};

struct reader {
    struct template *out;
    struct tranche_err *err;
    struct link *first;
    uint32_t interface_count;
};

/* The namespace that an interface's capabilities go into. */
struct scope {
    const char *component;
    bool *open;
};

static enum tranche_code read_body(struct reader *reader, const struct json *body);
static enum tranche_code read_interface(struct reader *reader, const struct json *interface,
                                        const struct trail *trail, const struct scope *scope);
static enum tranche_code sort(struct reader *reader);

enum tranche_code template_parse(const char *text, size_t bytes, struct template *out,
                                 struct tranche_err *err)
{
    *out = (struct template){ 0 };
    struct reader reader = { .out = out, .err = err };
    struct json_document document;
    enum tranche_code code = json_parse(text, bytes, &document, err);
    if (code == TRANCHE_OK)
        code = read_body(&reader, document.root);
    if (code == TRANCHE_OK)
        code = sort(&reader);
    if (code == TRANCHE_OK && out->memory.failed)
        code = fail(err, TRANCHE_NOMEM, "out of memory");
    if (code != TRANCHE_OK)
        template_free(out);
    json_free(&document);
    return code;
}

void template_free(struct template *template)
{
    arena_free(&template->memory);
    *template = (struct template){ 0 };
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* An optional string, which may be empty. */
static enum tranche_code read_label(struct reader *reader, const struct json *body, const char *name,
                                    const char **label)
{
    const struct json *value = json_member(body, name);
    if (!dtdl_is_given(value))
        return TRANCHE_OK;
    enum tranche_code code = dtdl_require(value, &(struct trail){ NULL, name, 0 }, JSON_STRING, reader->err);
    if (code != TRANCHE_OK)
        return code;
    size_t bytes = strlen(json_string(value));
    if (bytes > TEMPLATE_LABEL_BYTES_MAX)
        return fail(reader->err, TRANCHE_INVALID, "%s: at most %d bytes are allowed, got %zu.", name,
                    TEMPLATE_LABEL_BYTES_MAX, bytes);
    *label = arena_copy(&reader->out->memory, json_string(value), bytes);
    return TRANCHE_OK;
}

static enum tranche_code check_types(const struct reader *reader, const struct json *body)
{
    struct trail trail = { NULL, "@type", 0 };
    const struct json *types = json_member(body, "@type");
    enum tranche_code code = dtdl_require(types, &trail, JSON_ARRAY, reader->err);
    for (size_t i = 0; i < json_count(types) && code == TRANCHE_OK; i++)
        code =
            dtdl_require(json_item(types, i), &(struct trail){ &trail, NULL, i }, JSON_STRING, reader->err);
    return code;
}

static enum tranche_code read_body(struct reader *reader, const struct json *body)
{
    struct template *out = reader->out;
    if (json_type(body) != JSON_OBJECT)
        return fail(reader->err, TRANCHE_INVALID, "the body must be an object, found %s.",
                    json_type_name(json_type(body)));
    struct trail trail = { NULL, "capabilityModel", 0 };
    struct scope root = { .component = "", .open = &out->open };
    enum tranche_code code = check_types(reader, body);
    if (code == TRANCHE_OK)
        code = read_label(reader, body, "displayName", &out->display_name);
    if (code == TRANCHE_OK)
        code = read_label(reader, body, "description", &out->description);
    if (code == TRANCHE_OK)
        code = read_interface(reader, json_member(body, "capabilityModel"), &trail, &root);
    return code;
}

/* An interface, or the dtmi of one that is described elsewhere. */
static enum tranche_code read_base(struct reader *reader, const struct json *base, const struct trail *trail,
                                   const struct scope *scope)
{
    if (json_type(base) != JSON_STRING)
        return read_interface(reader, base, trail, scope);
    char where[TRAIL_BYTES];
    if (!dtdl_is_reference(json_string(base)))
        return fail(reader->err, TRANCHE_INVALID, "%s: expected an object or a dtmi, found \"%.*s\".",
                    trail_print(trail, where), DTDL_SHOWN_BYTES_MAX, json_string(base));
    *scope->open = true;
    return TRANCHE_OK;
}

static enum tranche_code read_extends(struct reader *reader, const struct json *interface,
                                      const struct trail *above, const struct scope *scope)
{
    const struct json *bases = json_member(interface, "extends");
    struct trail trail = { above, "extends", 0 };
    if (dtdl_is_given(bases) && json_type(bases) != JSON_ARRAY)
        return read_base(reader, bases, &trail, scope);
    enum tranche_code code = TRANCHE_OK;
    for (size_t i = 0; i < json_count(bases) && code == TRANCHE_OK; i++)
        code = read_base(reader, json_item(bases, i), &(struct trail){ &trail, NULL, i }, scope);
    return code;
}

static enum tranche_code read_kind(const struct reader *reader, const struct json *item,
                                   const struct trail *trail, enum capability_kind *kind)
{
    for (int i = 0; i < CAPABILITY_KIND_COUNT; i++)
        if (i != CAPABILITY_CLOUD_PROPERTY && dtdl_is_a(item, kinds[i].type)) {
            bool cloud = i == CAPABILITY_PROPERTY && dtdl_is_a(item, kinds[CAPABILITY_CLOUD_PROPERTY].type);
            *kind = cloud ? CAPABILITY_CLOUD_PROPERTY : (enum capability_kind)i;
            return TRANCHE_OK;
        }
    return dtdl_refuse_type(item, trail, "Property, Command, Telemetry, Component, Relationship",
                            reader->err);
}

/* The schema of whatever `owner` is: a property, a telemetry, or a command's request. */
static enum tranche_code read_shape(struct reader *reader, const struct json *owner,
                                    const struct trail *trail, struct capability *out)
{
    struct trail below = { trail, "schema", 0 };
    return shape_parse(json_member(owner, "schema"), &below, &reader->out->memory, &out->shape, reader->err);
}

static enum tranche_code read_writable(struct reader *reader, const struct json *item,
                                       const struct trail *trail, struct capability *out)
{
    const struct json *writable = json_member(item, "writable");
    out->writable = json_true(writable) || out->kind == CAPABILITY_CLOUD_PROPERTY;
    if (!dtdl_is_given(writable))
        return TRANCHE_OK;
    return dtdl_require(writable, &(struct trail){ trail, "writable", 0 }, JSON_BOOL, reader->err);
}

static enum tranche_code read_request(struct reader *reader, const struct json *item,
                                      const struct trail *trail, struct capability *out)
{
    const struct json *request = json_member(item, "request");
    struct trail below = { trail, "request", 0 };
    if (!dtdl_is_given(request))
        return TRANCHE_OK;
    enum tranche_code code = dtdl_require(request, &below, JSON_OBJECT, reader->err);
    return code == TRANCHE_OK ? read_shape(reader, request, &below, out) : code;
}

/* A path has no place for a component within a component, and DTDL none either. */
static enum tranche_code read_component(struct reader *reader, const struct json *item,
                                        const struct trail *trail, struct capability *out)
{
    char where[TRAIL_BYTES];
    if (out->component[0] != '\0')
        return fail(reader->err, TRANCHE_INVALID, "%s: a component cannot hold a component.",
                    trail_print(trail, where));
    struct scope scope = { .component = out->name, .open = &out->open };
    return read_base(reader, json_member(item, "schema"), &(struct trail){ trail, "schema", 0 }, &scope);
}

static enum tranche_code read_details(struct reader *reader, const struct json *item,
                                      const struct trail *trail, struct capability *out)
{
    enum tranche_code code;
    switch (out->kind) {
    case CAPABILITY_PROPERTY:
    case CAPABILITY_CLOUD_PROPERTY:
        code = read_writable(reader, item, trail, out);
        return code == TRANCHE_OK ? read_shape(reader, item, trail, out) : code;
    case CAPABILITY_TELEMETRY:
        return read_shape(reader, item, trail, out);
    case CAPABILITY_COMMAND:
        return read_request(reader, item, trail, out);
    case CAPABILITY_COMPONENT:
        return read_component(reader, item, trail, out);
    default:
        return TRANCHE_OK;
    }
}

static enum tranche_code add_capability(struct reader *reader, const struct capability *capability,
                                        struct capability **out)
{
    if (reader->out->capability_count == TEMPLATE_CAPABILITIES_MAX)
        return fail(reader->err, TRANCHE_INVALID, "capabilityModel: at most %d capabilities are allowed.",
                    TEMPLATE_CAPABILITIES_MAX);
    struct link *link = arena_take(&reader->out->memory, sizeof *link);
    if (link == NULL)
        return fail(reader->err, TRANCHE_NOMEM, "out of memory");
    *link = (struct link){ .capability = *capability, .next = reader->first };
    reader->first = link;
    reader->out->capability_count++;
    *out = &link->capability;
    return TRANCHE_OK;
}

static enum tranche_code read_capability(struct reader *reader, const struct json *item,
                                         const struct trail *trail, const struct capability *blank)
{
    struct capability *out = NULL;
    enum tranche_code code = dtdl_require(item, trail, JSON_OBJECT, reader->err);
    if (code == TRANCHE_OK)
        code = add_capability(reader, blank, &out);
    if (code == TRANCHE_OK)
        code = read_kind(reader, item, trail, &out->kind);
    if (code == TRANCHE_OK)
        code = dtdl_read_name(item, trail, &reader->out->memory, &out->name, reader->err);
    if (code == TRANCHE_OK && out->name == NULL)
        code = fail(reader->err, TRANCHE_NOMEM, "out of memory");
    return code == TRANCHE_OK ? read_details(reader, item, trail, out) : code;
}

static enum tranche_code read_interface(struct reader *reader, const struct json *interface,
                                        const struct trail *trail, const struct scope *scope)
{
    const struct json *contents = json_member(interface, "contents");
    struct trail below = { trail, "contents", 0 };
    struct capability blank = { .component = scope->component, .interface = reader->interface_count++ };
    enum tranche_code code = dtdl_require(interface, trail, JSON_OBJECT, reader->err);
    if (code == TRANCHE_OK && dtdl_is_given(contents))
        code = dtdl_require(contents, &below, JSON_ARRAY, reader->err);
    for (size_t i = 0; i < json_count(contents) && code == TRANCHE_OK; i++)
        code = read_capability(reader, json_item(contents, i), &(struct trail){ &below, NULL, i }, &blank);
    return code == TRANCHE_OK ? read_extends(reader, interface, trail, scope) : code;
}

/* -- Sorting ----------------------------------------------------------------------------------- */

static int compare_names(const struct capability *a, const struct capability *b)
{
    int order = strcmp(a->component, b->component);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static int compare_capabilities(const void *a, const void *b)
{
    const struct capability *left = *(const struct capability *const *)a;
    const struct capability *right = *(const struct capability *const *)b;
    int order = compare_names(left, right);
    return order != 0 ? order : (left->interface > right->interface) - (left->interface < right->interface);
}

/* Keeps the first of those with one name. */
static enum tranche_code merge(struct reader *reader, const struct capability **sorted)
{
    size_t kept = 0;
    for (size_t i = 0; i < reader->out->capability_count; i++) {
        const struct capability *last = kept > 0 ? sorted[kept - 1] : NULL;
        if (last == NULL || compare_names(last, sorted[i]) != 0)
            sorted[kept++] = sorted[i];
        else if (sorted[i]->interface == sorted[i - 1]->interface)
            return fail(reader->err, TRANCHE_INVALID, "capabilityModel: \"%s%s%s\" is there twice.",
                        last->component, last->component[0] != '\0' ? "." : "", last->name);
    }
    reader->out->capability_count = kept;
    return TRANCHE_OK;
}

static enum tranche_code sort(struct reader *reader)
{
    struct template *out = reader->out;
    const struct capability **sorted = arena_take(&out->memory, out->capability_count * sizeof *sorted);
    if (sorted == NULL)
        return fail(reader->err, TRANCHE_NOMEM, "out of memory");
    size_t count = 0;
    for (const struct link *link = reader->first; link != NULL; link = link->next)
        sorted[count++] = &link->capability;
    qsort(sorted, count, sizeof *sorted, compare_capabilities);
    out->capabilities = sorted;
    return merge(reader, sorted);
}

/* -- Looking up -------------------------------------------------------------------------------- */

static int compare_key(const void *key, const void *entry)
{
    return compare_names(key, *(const struct capability *const *)entry);
}

const struct capability *template_find(const struct template *template, const char *component,
                                       const char *name)
{
    const struct capability key = { .component = component, .name = name };
    const struct capability *const *found = bsearch(&key, template->capabilities, template->capability_count,
                                                    sizeof *template->capabilities, compare_key);
    return found != NULL ? *found : NULL;
}

bool template_knows(const struct template *template, const char *component)
{
    const struct capability *found = component[0] != '\0' ? template_find(template, "", component) : NULL;
    return found != NULL ? !found->open : !template->open;
}

/* -- Steps ------------------------------------------------------------------------------------- */

#define SUBJECT_BYTES (2 * DTDL_SHOWN_BYTES_MAX + ID_SHOWN_BYTES_MAX + 64)

/* `"component.name" of device template "id"` */
static const char *print_subject(const struct tranche_step *step, char text[SUBJECT_BYTES])
{
    snprintf(text, SUBJECT_BYTES, "\"%.*s%s%.*s\" of device template \"%.*s\"", DTDL_SHOWN_BYTES_MAX,
             step->component, step->component[0] != '\0' ? "." : "", DTDL_SHOWN_BYTES_MAX, step->name,
             ID_SHOWN_BYTES_MAX, step->target);
    return text;
}

static enum tranche_code refuse_absent(const struct template *template, const struct tranche_step *step,
                                       enum capability_kind wanted, const char *where,
                                       struct tranche_err *err)
{
    const struct capability *component = template_find(template, "", step->component);
    bool rooted = step->component[0] == '\0';
    if (!rooted && (component == NULL || component->kind != CAPABILITY_COMPONENT))
        return fail(err, TRANCHE_INVALID, "%s.path: device template \"%.*s\" has no component \"%.*s\".",
                    where, ID_SHOWN_BYTES_MAX, step->target, DTDL_SHOWN_BYTES_MAX, step->component);
    return fail(err, TRANCHE_INVALID, "%s.path: device template \"%.*s\" has no %s \"%.*s%s%.*s\".", where,
                ID_SHOWN_BYTES_MAX, step->target, kinds[wanted].name, DTDL_SHOWN_BYTES_MAX, step->component,
                rooted ? "" : ".", DTDL_SHOWN_BYTES_MAX, step->name);
}

static enum tranche_code check_path(const struct capability *capability, const struct tranche_step *step,
                                    enum capability_kind wanted, const char *where, struct tranche_err *err)
{
    char subject[SUBJECT_BYTES];
    print_subject(step, subject);
    if (capability->kind != wanted)
        return fail(err, TRANCHE_INVALID, "%s.path: %s is a %s, not a %s.", where, subject,
                    kinds[capability->kind].name, kinds[wanted].name);
    if (wanted == CAPABILITY_PROPERTY && !capability->writable)
        return fail(err, TRANCHE_INVALID, "%s.path: the property %s is not writable.", where, subject);
    return TRANCHE_OK;
}

static enum tranche_code check_value(const struct capability *capability, const struct tranche_step *step,
                                     const char *where, struct tranche_err *err)
{
    char subject[SUBJECT_BYTES];
    print_subject(step, subject);
    if (step->value == NULL ||
        (step->value_bytes == strlen("null") && memcmp(step->value, "null", strlen("null")) == 0))
        return TRANCHE_OK;
    if (capability->shape == NULL)
        return fail(err, TRANCHE_INVALID, "%s.value: the command %s takes no value.", where, subject);
    struct trail entry = { NULL, where, 0 };
    struct trail trail = { &entry, "value", 0 };
    return shape_check(capability->shape, step->value, step->value_bytes, &trail, subject, err);
}

enum tranche_code template_check_step(const struct template *template, const struct tranche_step *step,
                                      const char *where, struct tranche_err *err)
{
    static const enum capability_kind wanted[] = {
        [TRANCHE_STEP_PROPERTY] = CAPABILITY_PROPERTY,
        [TRANCHE_STEP_COMMAND] = CAPABILITY_COMMAND,
        [TRANCHE_STEP_CLOUD_PROPERTY] = CAPABILITY_CLOUD_PROPERTY,
    };
    if (step->kind == TRANCHE_STEP_TEMPLATE_MIGRATION || step->kind == TRANCHE_STEP_MANIFEST_MIGRATION)
        return TRANCHE_OK;
    const struct capability *capability = template_find(template, step->component, step->name);
    if (capability == NULL)
        return template_knows(template, step->component)
                   ? refuse_absent(template, step, wanted[step->kind], where, err)
                   : TRANCHE_OK;
    enum tranche_code code = check_path(capability, step, wanted[step->kind], where, err);
    return code == TRANCHE_OK ? check_value(capability, step, where, err) : code;
}
