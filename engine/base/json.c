/* The only file that knows json-c. A JSON null is a NULL pointer there, as is an absent member; here a null
 * is a value of its own, `null_value`, so that NULL can mean absent. */
#include "json.h"

#include "fail.h"
#include "json_scan.h"
#include "mem.h"

#define json_type json_c_type /* json-c has a type of that name, and so have we */
#include <json-c/json.h>
#undef json_type

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct json {
    char unused; /* every value but null is a struct json_object in truth */
};

static struct json null_value;

static struct json *wrap(struct json_object *object)
{
    return object != NULL ? (struct json *)object : &null_value;
}

static struct json_object *unwrap(const struct json *value)
{
    return value != &null_value ? (struct json_object *)value : NULL;
}

/* The text has passed the scan, so json-c has no reason left to refuse it. Should it still do so, that is our
 * fault and not the sender's. */
static enum tranche_code build_tree(const char *text, size_t bytes, struct json **root,
                                    struct tranche_err *err)
{
    const int depth_max = JSON_DEPTH_MAX + 1; /* the scalars inside are a level too */
    struct json_tokener *tokener = json_tokener_new_ex(depth_max);
    if (tokener == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)bytes);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        object = json_tokener_parse_ex(tokener, "", 1); /* a NUL: a number at the top ends nowhere else */
    enum json_tokener_error error = json_tokener_get_error(tokener);
    enum tranche_code code = TRANCHE_OK;
    if (error == json_tokener_success)
        *root = wrap(object);
    else
        code = fail(err, TRANCHE_INTERNAL, "json-c: %s at offset %zu", json_tokener_error_desc(error),
                    json_tokener_get_parse_end(tokener));
    json_tokener_free(tokener);
    return code;
}

/* json-c 0.16 turns the escaped pair of a code point whose lower 16 bits look like a surrogate, such as
 * U+2D800, into U+FFFD. The same character in plain UTF-8 passes. */
static enum tranche_code build_tree_without_pairs(const char *text, size_t bytes, struct json **root,
                                                  struct tranche_err *err)
{
    struct text joined = { 0 };
    json_scan_join_pairs(&joined, text, bytes);
    enum tranche_code code = joined.failed ? fail(err, TRANCHE_NOMEM, "out of memory")
                                           : build_tree(joined.bytes, joined.length, root, err);
    text_free(&joined);
    return code;
}

enum tranche_code json_parse(const char *text, size_t bytes, struct json_document *document,
                             struct tranche_err *err)
{
    *document = (struct json_document){ 0 };
    if (bytes > INT_MAX)
        return fail(err, TRANCHE_TOOLARGE, "a JSON text of more than %d bytes", INT_MAX);
    bool has_pairs;
    enum tranche_code code = json_scan(text, bytes, &has_pairs, err);
    if (code != TRANCHE_OK)
        return code;
    struct json *root = NULL;
    if (has_pairs)
        code = build_tree_without_pairs(text, bytes, &root, err);
    else
        code = build_tree(text, bytes, &root, err);
    if (code == TRANCHE_OK)
        *document = (struct json_document){ .root = root, .text = text, .bytes = bytes };
    return code;
}

void json_free(struct json_document *document)
{
    json_object_put(unwrap(document->root));
    *document = (struct json_document){ 0 };
}

enum json_type json_type(const struct json *value)
{
    if (value == NULL)
        return JSON_NONE;
    switch (json_object_get_type(unwrap(value))) {
    case json_type_null:
        return JSON_NULL;
    case json_type_boolean:
        return JSON_BOOL;
    case json_type_int:
    case json_type_double:
        return JSON_NUMBER;
    case json_type_string:
        return JSON_STRING;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_object:
        return JSON_OBJECT;
    }
    abort();
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {
        [JSON_NONE] = "nothing",  [JSON_NULL] = "null",   [JSON_BOOL] = "boolean",  [JSON_NUMBER] = "number",
        [JSON_STRING] = "string", [JSON_ARRAY] = "array", [JSON_OBJECT] = "object",
    };
    return names[type];
}

struct json *json_member(const struct json *object, const char *name)
{
    struct json_object *member;
    if (json_type(object) != JSON_OBJECT || !json_object_object_get_ex(unwrap(object), name, &member))
        return NULL;
    return wrap(member);
}

size_t json_count(const struct json *array)
{
    return json_type(array) == JSON_ARRAY ? json_object_array_length(unwrap(array)) : 0;
}

struct json *json_item(const struct json *array, size_t index)
{
    return index < json_count(array) ? wrap(json_object_array_get_idx(unwrap(array), index)) : NULL;
}

const char *json_string(const struct json *value)
{
    return json_type(value) == JSON_STRING ? json_object_get_string(unwrap(value)) : NULL;
}

bool json_true(const struct json *value)
{
    return json_type(value) == JSON_BOOL && json_object_get_boolean(unwrap(value));
}

bool json_integer(const struct json *value, int64_t *number)
{
    if (json_type(value) != JSON_NUMBER || !json_object_is_type(unwrap(value), json_type_int))
        return false;
    if (json_object_get_uint64(unwrap(value)) > INT64_MAX)
        return false;
    int64_t found = json_object_get_int64(unwrap(value));
    if (found == INT64_MIN) /* whatever is below arrives as this */
        return false;
    *number = found;
    return true;
}

double json_number(const struct json *value)
{
    return json_type(value) == JSON_NUMBER ? json_object_get_double(unwrap(value)) : 0;
}

bool json_next(const struct json *object, void **cursor, const char **name, struct json **value)
{
    if (json_type(object) != JSON_OBJECT)
        return false;
    struct lh_entry *entry =
        *cursor == NULL ? lh_table_head(json_object_get_object(unwrap(object))) : lh_entry_next(*cursor);
    if (entry == NULL)
        return false;
    *cursor = entry;
    *name = lh_entry_k(entry);
    *value = wrap(lh_entry_v(entry));
    return true;
}

/* One step of a path: into an array by "[2]", into an object by any name. */
static const char *step_into(const char *at, const char *end, const char *step)
{
    char *rest;
    if (*at != '[' || step[0] != '[' || step[1] < '0' || step[1] > '9')
        return json_scan_member(at, end, step);
    size_t index = strtoul(step + 1, &rest, 10);
    return strcmp(rest, "]") == 0 ? json_scan_item(at, end, index) : NULL;
}

const char *json_raw(const struct json_document *document, size_t *bytes, ...)
{
    if (document->root == NULL)
        return NULL;
    const char *end = document->text + document->bytes;
    const char *at = json_scan_blank(document->text, end);
    va_list steps;
    va_start(steps, bytes);
    for (const char *step; at != NULL && (step = va_arg(steps, const char *)) != NULL;)
        at = step_into(at, end, step);
    va_end(steps);
    if (at != NULL)
        *bytes = (size_t)(json_scan_value(at, end) - at);
    return at;
}

void json_compact(struct text *out, const char *raw, size_t bytes)
{
    const char *end = raw + bytes;
    const char *at = json_scan_blank(raw, end);
    while (at < end) {
        const char *solid = at;
        while (at < end && json_scan_blank(at, end) == at)
            at = *at == '"' ? json_scan_string(at, end) : at + 1;
        text_add(out, solid, (size_t)(at - solid));
        at = json_scan_blank(at, end);
    }
}

/* The members of the root (`parent` NULL), or of its member `parent`. */
static void add_members(struct text *out, const struct json_document *document, const struct json *object,
                        const char *parent)
{
    const char *name, *before = "{";
    struct json *value;
    for (void *cursor = NULL; json_next(object, &cursor, &name, &value); before = ",") {
        text_puts(out, before);
        text_json(out, name);
        text_puts(out, ":");
        if (parent == NULL && json_type(value) == JSON_OBJECT) {
            add_members(out, document, value, name);
            continue;
        }
        size_t bytes;
        const char *raw = parent == NULL ? json_raw(document, &bytes, name, NULL)
                                         : json_raw(document, &bytes, parent, name, NULL);
        json_compact(out, raw, bytes);
    }
    text_puts(out, before[0] == '{' ? "{}" : "}");
}

void json_compact_names(struct text *out, const char *raw, size_t bytes)
{
    struct json_document document = { 0 };
    bool escaped = memchr(raw, '\\', bytes) != NULL;
    bool parsed = escaped && json_parse(raw, bytes, &document, NULL) == TRANCHE_OK;
    if (parsed && json_type(document.root) == JSON_OBJECT)
        add_members(out, &document, document.root, NULL);
    else if (escaped && !parsed)
        out->failed = true; /* it is valid JSON, so memory has run out */
    else
        json_compact(out, raw, bytes);
    json_free(&document);
}
