/* From a request body to a definition and back. Pure; any thread.
 *
 * The JSON tree serves for the structure; amounts and values are taken from the bytes of the body (json_raw),
 * because a tree of machine numbers cannot give back what the client wrote. The first fault ends the parsing.
 * Its text is a whole sentence with the member's path in front, fit for the client as it stands.
 *
 * Optional members that are null count as absent: clients generated from a schema send them so.
 */
#include "definition.h"

#include "amount.h"
#include "fail.h"
#include "json.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One row a kind: the short wire value, the older class name, the member that names the target, and whether
 * the step has a path within the device. */
#define STEP_KINDS(X)                                                                               \
    X(TRANCHE_STEP_PROPERTY, "property", "PropertyJobData", "target", true)                         \
    X(TRANCHE_STEP_COMMAND, "command", "CommandJobData", "target", true)                            \
    X(TRANCHE_STEP_CLOUD_PROPERTY, "cloudProperty", "CloudPropertyJobData", "target", true)         \
    X(TRANCHE_STEP_TEMPLATE_MIGRATION, "deviceTemplateMigration", "DeviceTemplateMigrationJobData", \
      "template", false)                                                                            \
    X(TRANCHE_STEP_MANIFEST_MIGRATION, "deviceManifestMigration", "DeviceManifestMigrationJobData", \
      "manifest", false)

static const struct {
    const char *name;
    const char *class_name;
    const char *target;
    bool has_path;
} kinds[] = {
#define X(kind, name, class_name, target, has_path) [kind] = { name, class_name, target, has_path },
    STEP_KINDS(X)
#undef X
};
static_assert(sizeof kinds / sizeof kinds[0] == TRANCHE_STEP_KIND_COUNT, "every kind has a row");

#define X(kind, name, class_name, target, has_path) ", " name
static const char kind_list[] = STEP_KINDS(X); /* begins with ", " */
#undef X

#define SHOWN_BYTES_MAX 40 /* of what the client wrote, in an error text */

struct reader {
    const struct json_document *document;
    struct definition *out;
    struct tranche_err *err;
};

/* A member of the body, and its path for error texts. */
struct member {
    char path[48];
    const struct json *value;
};

static enum tranche_code read_body(struct reader *reader);
static enum tranche_code read_labels(struct reader *reader);
static enum tranche_code read_group(struct reader *reader);
static enum tranche_code read_batch(struct reader *reader);
static enum tranche_code read_threshold(struct reader *reader);
static enum tranche_code read_data(struct reader *reader);
static enum tranche_code read_step(struct reader *reader, size_t index);
static enum tranche_code read_organizations(struct reader *reader);

enum tranche_code definition_parse(const char *text, size_t bytes, struct definition *out,
                                   struct tranche_err *err)
{
    *out = (struct definition){ 0 };
    struct json_document document;
    enum tranche_code code = json_parse(text, bytes, &document, err);
    if (code == TRANCHE_OK)
        code = read_body(&(struct reader){ .document = &document, .out = out, .err = err });
    if (code == TRANCHE_OK && out->memory.failed)
        code = fail(err, TRANCHE_NOMEM, "out of memory");
    if (code != TRANCHE_OK)
        definition_free(out);
    json_free(&document);
    return code;
}

const struct tranche_step *definition_done(const struct definition *definition, uint16_t step, bool final,
                                           uint16_t *step_count)
{
    bool merged = final && step == 0;
    *step_count = merged ? definition->step_count : step < definition->step_count;
    return &definition->steps[merged ? 0 : step];
}

void definition_free(struct definition *definition)
{
    arena_free(&definition->memory);
    *definition = (struct definition){ 0 };
}

const char *step_kind_name(enum tranche_step_kind kind)
{
    assert(kind < TRANCHE_STEP_KIND_COUNT);
    return kinds[kind].name;
}

/* -- Reading ----------------------------------------------------------------------------------- */

static struct member member_of(const struct json *object, const char *parent, const char *name)
{
    struct member member = { .value = json_member(object, name) };
    snprintf(member.path, sizeof member.path, "%s%s%s", parent, parent[0] != '\0' ? "." : "", name);
    return member;
}

static bool is_given(const struct member *member)
{
    return json_type(member->value) != JSON_NONE && json_type(member->value) != JSON_NULL;
}

static enum tranche_code require(const struct reader *reader, const struct member *member,
                                 enum json_type type)
{
    if (json_type(member->value) == type)
        return TRANCHE_OK;
    if (!is_given(member))
        return fail(reader->err, TRANCHE_INVALID, "%s: the member is required.", member->path);
    bool vowel = type == JSON_ARRAY || type == JSON_OBJECT;
    return fail(reader->err, TRANCHE_INVALID, "%s: expected %s %s, found %s.", member->path,
                vowel ? "an" : "a", json_type_name(type), json_type_name(json_type(member->value)));
}

static enum tranche_code read_body(struct reader *reader)
{
    static enum tranche_code (*const parts[])(struct reader *) = {
        read_labels, read_group, read_batch, read_threshold, read_data, read_organizations,
    };
    enum json_type type = json_type(reader->document->root);
    if (type != JSON_OBJECT)
        return fail(reader->err, TRANCHE_INVALID, "the body must be an object, found %s.",
                    json_type_name(type));
    enum tranche_code code = TRANCHE_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && code == TRANCHE_OK; i++)
        code = parts[i](reader);
    return code;
}

static enum tranche_code require_string(const struct reader *reader, const struct member *member,
                                        size_t bytes_min)
{
    enum tranche_code code = require(reader, member, JSON_STRING);
    if (code != TRANCHE_OK)
        return code;
    size_t bytes = strlen(json_string(member->value));
    if (bytes < bytes_min)
        return fail(reader->err, TRANCHE_INVALID, "%s: must not be empty.", member->path);
    if (bytes > DEFINITION_NAME_BYTES_MAX)
        return fail(reader->err, TRANCHE_INVALID, "%s: at most %d bytes are allowed, got %zu.", member->path,
                    DEFINITION_NAME_BYTES_MAX, bytes);
    return TRANCHE_OK;
}

static const char *keep(struct reader *reader, const char *string)
{
    return arena_copy(&reader->out->memory, string, strlen(string));
}

/* An optional string, which may be empty. */
static enum tranche_code read_label(struct reader *reader, const char *name, const char **label)
{
    struct member member = member_of(reader->document->root, "", name);
    if (!is_given(&member))
        return TRANCHE_OK;
    enum tranche_code code = require_string(reader, &member, 0);
    if (code == TRANCHE_OK)
        *label = keep(reader, json_string(member.value));
    return code;
}

static enum tranche_code read_labels(struct reader *reader)
{
    enum tranche_code code = read_label(reader, "displayName", &reader->out->display_name);
    return code == TRANCHE_OK ? read_label(reader, "description", &reader->out->description) : code;
}

/* A required string, which may not be empty. */
static enum tranche_code read_name(struct reader *reader, const struct member *member, const char **name)
{
    enum tranche_code code = require_string(reader, member, 1);
    if (code == TRANCHE_OK)
        *name = keep(reader, json_string(member->value));
    return code;
}

static enum tranche_code read_group(struct reader *reader)
{
    struct member group = member_of(reader->document->root, "", "group");
    enum tranche_code code = read_name(reader, &group, &reader->out->group);
    return code == TRANCHE_OK ? id_check(group.path, json_string(group.value), reader->err) : code;
}

/* How much a batch or a threshold may be. */
struct bounds {
    bool zero_allowed;
    const char *percentage; /* in words */
    const char *number;
};

static const struct bounds batch_bounds = {
    .percentage = "a percentage must be above 0 and at most 100",
    .number = "a number must be whole and at least 1",
};

static const struct bounds threshold_bounds = {
    .zero_allowed = true,
    .percentage = "a percentage must be between 0 and 100",
    .number = "a number must be whole and at least 0",
};

static bool is_within(const struct bounds *bounds, const struct tranche_amount *amount)
{
    if (!bounds->zero_allowed && amount_compare(amount, 0) == 0)
        return false;
    return amount->percentage ? amount_compare(amount, 100) <= 0 : amount_is_whole(amount);
}

static enum tranche_code read_amount_type(struct reader *reader, const struct member *type, bool *percentage)
{
    enum tranche_code code = require(reader, type, JSON_STRING);
    if (code != TRANCHE_OK)
        return code;
    const char *word = json_string(type->value);
    *percentage = strcmp(word, "percentage") == 0;
    if (!*percentage && strcmp(word, "number") != 0)
        return fail(reader->err, TRANCHE_INVALID, "%s: expected number or percentage, found \"%.*s\".",
                    type->path, SHOWN_BYTES_MAX, word);
    return TRANCHE_OK;
}

/* The members `type` and `value` of `name`, which has been given. */
static enum tranche_code read_amount(struct reader *reader, const char *name, const struct bounds *bounds,
                                     struct tranche_amount *amount)
{
    struct member whole = member_of(reader->document->root, "", name);
    struct member type = member_of(whole.value, name, "type");
    struct member value = member_of(whole.value, name, "value");
    bool percentage = false;
    enum tranche_code code = require(reader, &whole, JSON_OBJECT);
    if (code == TRANCHE_OK)
        code = read_amount_type(reader, &type, &percentage);
    if (code == TRANCHE_OK)
        code = require(reader, &value, JSON_NUMBER);
    if (code != TRANCHE_OK)
        return code;

    size_t bytes = 0;
    const char *raw = json_raw(reader->document, &bytes, name, "value", NULL);
    struct tranche_err cause;
    bool negative = raw[0] == '-';
    if (!negative && amount_parse(raw, bytes, percentage, amount, &cause) != TRANCHE_OK)
        return fail(reader->err, cause.code, "%s: %s.", value.path, cause.text);
    if (negative || !is_within(bounds, amount))
        return fail(reader->err, TRANCHE_INVALID, "%s: %s, got %.*s.", value.path,
                    percentage ? bounds->percentage : bounds->number,
                    bytes < SHOWN_BYTES_MAX ? (int)bytes : SHOWN_BYTES_MAX, raw);
    return TRANCHE_OK;
}

static enum tranche_code read_batch(struct reader *reader)
{
    struct member batch = member_of(reader->document->root, "", "batch");
    reader->out->batched = is_given(&batch);
    if (!reader->out->batched)
        return TRANCHE_OK;
    return read_amount(reader, "batch", &batch_bounds, &reader->out->batch);
}

/* Clients send more than booleans here; the official one sends "number" unless told otherwise
 * (api-contract.md 4.2). */
static enum tranche_code read_per_batch(struct reader *reader, const struct member *member, bool *per_batch)
{
    static const struct {
        const char *word;
        bool means;
    } words[] = {
        { "true", true }, { "True", true }, { "false", false }, { "False", false }, { "number", false },
    };
    *per_batch = json_true(member->value);
    if (!is_given(member) || json_type(member->value) == JSON_BOOL)
        return TRANCHE_OK;
    const char *word = json_string(member->value);
    if (word == NULL)
        return require(reader, member, JSON_BOOL);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i].word) == 0) {
            *per_batch = words[i].means;
            return TRANCHE_OK;
        }
    return fail(reader->err, TRANCHE_INVALID, "%s: expected true or false, found \"%.*s\".", member->path,
                SHOWN_BYTES_MAX, word);
}

static enum tranche_code read_threshold(struct reader *reader)
{
    const char *name = "cancellationThreshold";
    struct threshold *out = &reader->out->threshold;
    struct member whole = member_of(reader->document->root, "", name);
    out->set = is_given(&whole);
    if (!out->set)
        return TRANCHE_OK;
    enum tranche_code code = read_amount(reader, name, &threshold_bounds, &out->amount);
    if (code != TRANCHE_OK)
        return code;
    struct member batch = member_of(whole.value, name, "batch");
    return read_per_batch(reader, &batch, &out->per_batch);
}

static enum tranche_code read_data(struct reader *reader)
{
    struct member data = member_of(reader->document->root, "", "data");
    enum tranche_code code = require(reader, &data, JSON_ARRAY);
    if (code != TRANCHE_OK)
        return code;
    size_t count = json_count(data.value);
    if (count == 0)
        return fail(reader->err, TRANCHE_INVALID, "data: at least one entry is required.");
    if (count > DEFINITION_STEPS_MAX)
        return fail(reader->err, TRANCHE_INVALID, "data: at most %d entries are allowed, got %zu.",
                    DEFINITION_STEPS_MAX, count);
    for (size_t i = 0; i < count && code == TRANCHE_OK; i++)
        code = read_step(reader, i);
    return code;
}

static bool kind_parse(const char *word, enum tranche_step_kind *kind)
{
    for (int i = 0; i < TRANCHE_STEP_KIND_COUNT; i++)
        if (strcasecmp(word, kinds[i].name) == 0 || strcasecmp(word, kinds[i].class_name) == 0) {
            *kind = (enum tranche_step_kind)i;
            return true;
        }
    return false;
}

static enum tranche_code read_kind(struct reader *reader, const struct member *type,
                                   struct tranche_step *step)
{
    struct definition *out = reader->out;
    enum tranche_code code = read_name(reader, type, &out->types[out->step_count]);
    if (code != TRANCHE_OK)
        return code;
    const char *word = json_string(type->value);
    if (!kind_parse(word, &step->kind))
        return fail(reader->err, TRANCHE_INVALID, "%s: expected one of %s; found \"%.*s\".", type->path,
                    kind_list + 2, SHOWN_BYTES_MAX, word);
    if (out->step_count > 0 && step->kind != out->kind)
        return fail(reader->err, TRANCHE_INVALID,
                    "data: all entries of a job must have the same type (found %s and %s).",
                    step_kind_name(out->kind), step_kind_name(step->kind));
    out->kind = step->kind;
    return TRANCHE_OK;
}

static enum tranche_code read_target(struct reader *reader, const struct json *entry, const char *parent,
                                     struct tranche_step *step)
{
    struct member target = member_of(entry, parent, kinds[step->kind].target);
    struct member alias = member_of(entry, parent, "target");
    if (step->kind == TRANCHE_STEP_TEMPLATE_MIGRATION && !is_given(&target) && is_given(&alias))
        target = alias;
    return read_name(reader, &target, &step->target);
}

/* "name" or "component.name". */
static enum tranche_code read_path(struct reader *reader, const struct member *member,
                                   struct tranche_step *step)
{
    enum tranche_code code = require_string(reader, member, 1);
    if (code != TRANCHE_OK)
        return code;
    const char *path = json_string(member->value);
    const char *dot = strchr(path, '.');
    const char *name = dot != NULL ? dot + 1 : path;
    if (dot == path || name[0] == '\0' || strchr(name, '.') != NULL)
        return fail(reader->err, TRANCHE_INVALID, "%s: expected name or component.name, found \"%.*s\".",
                    member->path, SHOWN_BYTES_MAX, path);
    step->component = arena_copy(&reader->out->memory, path, dot != NULL ? (size_t)(dot - path) : 0);
    step->name = keep(reader, name);
    return TRANCHE_OK;
}

static bool is_same_path(const struct tranche_step *a, const struct tranche_step *b)
{
    return strcmp(a->component, b->component) == 0 && strcmp(a->name, b->name) == 0;
}

/* A command may be run twice; a property written twice would end with a value that nobody can foretell. Quotes and
 * backslashes are in no name that a device model can have, and the registry could not look for them. */
static enum tranche_code check_property(struct reader *reader, const struct member *path, const struct tranche_step *step)
{
    const struct definition *out = reader->out;
    for (const char *p = json_string(path->value); *p != '\0'; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
            return fail(reader->err, TRANCHE_INVALID, "%s: a property's name may hold no quote, backslash or control "
                        "character.", path->path);
    for (uint16_t i = 0; i < out->step_count && !out->memory.failed; i++)
        if (is_same_path(&out->steps[i], step))
            return fail(reader->err, TRANCHE_INVALID, "%s: \"%.*s\" is set twice.", path->path, SHOWN_BYTES_MAX,
                        json_string(path->value));
    return TRANCHE_OK;
}

static enum tranche_code read_value(struct reader *reader, size_t index, const struct member *member,
                                    struct tranche_step *step)
{
    if (step->kind != TRANCHE_STEP_COMMAND && !is_given(member))
        return fail(reader->err, TRANCHE_INVALID, "%s: a %s needs a value.", member->path,
                    step_kind_name(step->kind));
    char item[24];
    snprintf(item, sizeof item, "[%zu]", index);
    const char *raw = json_raw(reader->document, &step->value_bytes, "data", item, "value", NULL);
    if (raw != NULL)
        step->value = arena_copy(&reader->out->memory, raw, step->value_bytes);
    return TRANCHE_OK;
}

static enum tranche_code read_step(struct reader *reader, size_t index)
{
    const struct json *data = json_member(reader->document->root, "data");
    struct member entry = { .value = json_item(data, index) };
    snprintf(entry.path, sizeof entry.path, "data[%zu]", index);
    struct member type = member_of(entry.value, entry.path, "type");
    struct member path = member_of(entry.value, entry.path, "path");
    struct member value = member_of(entry.value, entry.path, "value");
    struct tranche_step step = { .component = "", .name = "" };

    enum tranche_code code = require(reader, &entry, JSON_OBJECT);
    if (code == TRANCHE_OK)
        code = read_kind(reader, &type, &step);
    if (code == TRANCHE_OK)
        code = read_target(reader, entry.value, entry.path, &step);
    if (code == TRANCHE_OK && kinds[step.kind].has_path)
        code = read_path(reader, &path, &step);
    if (code == TRANCHE_OK && kinds[step.kind].has_path && step.kind != TRANCHE_STEP_COMMAND)
        code = check_property(reader, &path, &step);
    if (code == TRANCHE_OK && kinds[step.kind].has_path)
        code = read_value(reader, index, &value, &step);
    reader->out->steps[reader->out->step_count++] = step;
    return code;
}

static enum tranche_code read_organizations(struct reader *reader)
{
    struct member organizations = member_of(reader->document->root, "", "organizations");
    if (!is_given(&organizations))
        return TRANCHE_OK;
    enum tranche_code code = require(reader, &organizations, JSON_ARRAY);
    if (code != TRANCHE_OK)
        return code;
    size_t count = json_count(organizations.value);
    if (count != 1)
        return fail(reader->err, TRANCHE_INVALID, "organizations: exactly one is allowed, got %zu.", count);
    struct member first = { .path = "organizations[0]", .value = json_item(organizations.value, 0) };
    return read_name(reader, &first, &reader->out->organization);
}

/* -- Printing ---------------------------------------------------------------------------------- */

static void print_amount(const struct tranche_amount *amount, struct text *out)
{
    char value[AMOUNT_TEXT_BYTES];
    amount_print(amount, value);
    text_printf(out, "\"type\":\"%s\",\"value\":%s", amount->percentage ? "percentage" : "number", value);
}

static void print_step(const struct tranche_step *step, const char *type, struct text *out)
{
    text_puts(out, "{\"type\":");
    text_json(out, type);
    text_printf(out, ",\"%s\":", kinds[step->kind].target);
    text_json(out, step->target);
    if (kinds[step->kind].has_path) {
        char path[DEFINITION_NAME_BYTES_MAX + 1];
        snprintf(path, sizeof path, "%s%s%s", step->component, step->component[0] != '\0' ? "." : "",
                 step->name);
        text_puts(out, ",\"path\":");
        text_json(out, path);
    }
    if (step->value != NULL) {
        text_puts(out, ",\"value\":");
        json_compact(out, step->value, step->value_bytes);
    }
    text_puts(out, "}");
}

static void print_data(const struct definition *definition, bool canonical_types, struct text *out)
{
    text_puts(out, ",\"data\":[");
    for (size_t i = 0; i < definition->step_count; i++) {
        const struct tranche_step *step = &definition->steps[i];
        if (i > 0)
            text_puts(out, ",");
        print_step(step, canonical_types ? step_kind_name(step->kind) : definition->types[i], out);
    }
    text_puts(out, "]");
}

void definition_print(const struct definition *definition, bool canonical_types, struct text *out)
{
    assert(definition->group != NULL);
    if (definition->display_name != NULL) {
        text_puts(out, "\"displayName\":");
        text_json(out, definition->display_name);
        text_puts(out, ",");
    }
    if (definition->description != NULL) {
        text_puts(out, "\"description\":");
        text_json(out, definition->description);
        text_puts(out, ",");
    }
    text_puts(out, "\"group\":");
    text_json(out, definition->group);
    if (definition->batched) {
        text_puts(out, ",\"batch\":{");
        print_amount(&definition->batch, out);
        text_puts(out, "}");
    }
    if (definition->threshold.set) {
        text_puts(out, ",\"cancellationThreshold\":{");
        print_amount(&definition->threshold.amount, out);
        text_printf(out, ",\"batch\":%s}", definition->threshold.per_batch ? "true" : "false");
    }
    print_data(definition, canonical_types, out);
    if (definition->organization != NULL) {
        text_puts(out, ",\"organizations\":[");
        text_json(out, definition->organization);
        text_puts(out, "]");
    }
}

/* -- Ids --------------------------------------------------------------------------------------- */

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool is_made_of(const char *id, const char *characters, size_t bytes_max)
{
    size_t bytes = strspn(id, characters);
    return bytes > 0 && bytes <= bytes_max && id[bytes] == '\0';
}

enum tranche_code id_check(const char *what, const char *id, struct tranche_err *err)
{
    if (is_made_of(id, LETTERS_AND_DIGITS "_-", TRANCHE_ID_BYTES - 1))
        return TRANCHE_OK;
    return fail(err, TRANCHE_INVALID, "%s: expected 1 to %d of a-z A-Z 0-9 _ -, found \"%.*s\".", what,
                TRANCHE_ID_BYTES - 1, SHOWN_BYTES_MAX, id);
}

enum tranche_code device_id_check(const char *id, struct tranche_err *err)
{
    bool known = is_made_of(id, LETTERS_AND_DIGITS "-:.+%_#*?!(),=@$'", TRANCHE_DEVICE_BYTES - 1);
    if (known && strcmp(id, ".") != 0 && strcmp(id, "..") != 0)
        return TRANCHE_OK;
    return fail(err, TRANCHE_INVALID,
                "device id: expected 1 to %d of letters, digits and - : . + %% _ # * ? ! ( ) , = @ $ ', "
                "but not . or .., found \"%.*s\".",
                TRANCHE_DEVICE_BYTES - 1, SHOWN_BYTES_MAX, id);
}
