#include "import_line.h"

#include "definition.h"
#include "fail.h"
#include "json.h"
#include "json_scan.h"

#include <string.h>

#define SHOWN_BYTES_MAX 40 /* of a name, in the error text */

/* A value in the line, as json_scan has found it good. */
struct piece {
    const char *at, *end;
};

typedef enum tranche_code take_member(struct import_line *line, const char *name, struct piece value,
                                      struct tranche_err *err);

static take_member take_id, take_display_name, take_template, take_enabled, take_provisioned, take_simulated,
    take_organizations, take_properties;

static const struct member {
    const char *name;
    take_member *take;
} members[] = {
    { "id", take_id },
    { "displayName", take_display_name },
    { "template", take_template },
    { "enabled", take_enabled },
    { "provisioned", take_provisioned },
    { "simulated", take_simulated },
    { "organizations", take_organizations },
    { "properties", take_properties },
};

#define MEMBER_COUNT (sizeof members / sizeof members[0])
static const char members_shown[] =
    "id, displayName, template, enabled, provisioned, simulated, organizations and properties";

/* ---- the object ---- */

static enum tranche_code take_named(struct import_line *line, struct piece name, struct piece value,
                                    struct tranche_err *err)
{
    size_t bytes = (size_t)(name.end - name.at) - 2; /* without its quotes */
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (strlen(members[i].name) == bytes && memcmp(members[i].name, name.at + 1, bytes) == 0)
            return members[i].take(line, members[i].name, value, err);
    return fail(err, TRANCHE_INVALID, "\"%.*s\" is no member of a device; members are %s",
                bytes < SHOWN_BYTES_MAX ? (int)bytes : SHOWN_BYTES_MAX, name.at + 1, members_shown);
}

static enum tranche_code take_members(struct import_line *line, struct piece object, struct tranche_err *err)
{
    const char *at = json_scan_blank(object.at + 1, object.end);
    while (*at != '}') {
        struct piece name = { at, json_scan_string(at, object.end) };
        const char *colon = json_scan_blank(name.end, object.end);
        struct piece value = { .at = json_scan_blank(colon + 1, object.end) };
        value.end = json_scan_value(value.at, object.end);
        enum tranche_code code = take_named(line, name, value, err);
        if (code != TRANCHE_OK)
            return code;
        at = json_scan_blank(value.end, object.end);
        if (*at == ',')
            at = json_scan_blank(at + 1, object.end);
    }
    return TRANCHE_OK;
}

enum tranche_code import_line_read(struct import_line *line, const char *bytes, size_t count, struct tranche_err *err)
{
    line->device = (struct tranche_device_record){ .enabled = true, .provisioned = true };
    bool has_pairs; /* json_parse's business */
    enum tranche_code code = json_scan(bytes, count, &has_pairs, err);
    if (code != TRANCHE_OK)
        return code;
    struct piece whole = { .at = json_scan_blank(bytes, bytes + count), .end = bytes + count };
    if (*whole.at != '{')
        return fail(err, TRANCHE_INVALID, "expected an object such as {\"id\":\"pump-n01\"}");
    code = take_members(line, whole, err);
    if (code == TRANCHE_OK && line->device.id[0] == '\0')
        code = fail(err, TRANCHE_INVALID, "id: is missing");
    return code;
}

void import_line_free(struct import_line *line)
{
    text_free(&line->id);
    text_free(&line->display_name);
    text_free(&line->template_id);
    text_free(&line->organization);
    text_free(&line->properties);
}

/* ---- values ---- */

static const char *kind_of(struct piece value)
{
    switch (*value.at) {
    case 'n':
        return json_type_name(JSON_NULL);
    case 't':
    case 'f':
        return json_type_name(JSON_BOOL);
    case '"':
        return json_type_name(JSON_STRING);
    case '[':
        return json_type_name(JSON_ARRAY);
    case '{':
        return json_type_name(JSON_OBJECT);
    default:
        return json_type_name(JSON_NUMBER);
    }
}

static enum tranche_code expected(const char *name, const char *what, struct piece value, struct tranche_err *err)
{
    return fail(err, TRANCHE_INVALID, "%s: expected %s, found %s", name, what, kind_of(value));
}

/* A string's characters. Escapes are rare: only then is the whole JSON machinery worth its time. */
static enum tranche_code unescape(struct piece value, struct text *out, struct tranche_err *err)
{
    size_t bytes = (size_t)(value.end - value.at);
    text_clear(out);
    if (memchr(value.at, '\\', bytes) == NULL) {
        text_add(out, value.at + 1, bytes - 2);
    } else {
        struct json_document document = {0};
        enum tranche_code code = json_parse(value.at, bytes, &document, err);
        if (code != TRANCHE_OK)
            return code;
        text_puts(out, json_string(document.root));
        json_free(&document);
    }
    return out->failed ? fail(err, TRANCHE_NOMEM, "out of memory") : TRANCHE_OK;
}

/* A string with at least one character, or null, which is none. */
static enum tranche_code take_text(const char *name, struct piece value, struct text *memory, const char **string,
                                   struct tranche_err *err)
{
    if (*value.at == 'n')
        return TRANCHE_OK;
    if (*value.at != '"')
        return expected(name, "a string", value, err);
    enum tranche_code code = unescape(value, memory, err);
    if (code != TRANCHE_OK)
        return code;
    if (memory->length == 0 || memory->length > DEFINITION_NAME_BYTES_MAX)
        return fail(err, TRANCHE_INVALID, "%s: expected 1 to %d bytes, found %zu", name, DEFINITION_NAME_BYTES_MAX,
                    memory->length);
    *string = memory->bytes;
    return TRANCHE_OK;
}

static enum tranche_code take_bool(const char *name, struct piece value, bool *truth, struct tranche_err *err)
{
    if (*value.at != 't' && *value.at != 'f')
        return expected(name, "true or false", value, err);
    *truth = *value.at == 't';
    return TRANCHE_OK;
}

/* ---- the members ---- */

static enum tranche_code take_id(struct import_line *line, const char *name, struct piece value,
                                 struct tranche_err *err)
{
    if (*value.at != '"')
        return expected(name, "a string", value, err);
    enum tranche_code code = unescape(value, &line->id, err);
    if (code == TRANCHE_OK)
        code = device_id_check(line->id.bytes, err);
    if (code == TRANCHE_OK)
        memcpy(line->device.id, line->id.bytes, line->id.length + 1);
    return code;
}

static enum tranche_code take_display_name(struct import_line *line, const char *name, struct piece value,
                                           struct tranche_err *err)
{
    return take_text(name, value, &line->display_name, &line->device.display_name, err);
}

static enum tranche_code take_template(struct import_line *line, const char *name, struct piece value,
                                       struct tranche_err *err)
{
    return take_text(name, value, &line->template_id, &line->device.template_id, err);
}

static enum tranche_code take_enabled(struct import_line *line, const char *name, struct piece value,
                                      struct tranche_err *err)
{
    return take_bool(name, value, &line->device.enabled, err);
}

static enum tranche_code take_provisioned(struct import_line *line, const char *name, struct piece value,
                                          struct tranche_err *err)
{
    return take_bool(name, value, &line->device.provisioned, err);
}

static enum tranche_code take_simulated(struct import_line *line, const char *name, struct piece value,
                                        struct tranche_err *err)
{
    return take_bool(name, value, &line->device.simulated, err);
}

/* A list, as the API has it, of one at most. */
static enum tranche_code take_organizations(struct import_line *line, const char *name, struct piece value,
                                            struct tranche_err *err)
{
    if (*value.at == 'n')
        return TRANCHE_OK;
    if (*value.at != '[')
        return expected(name, "an array of one string", value, err);
    struct piece item = { .at = json_scan_item(value.at, value.end, 0) };
    if (item.at == NULL)
        return TRANCHE_OK;
    if (json_scan_item(value.at, value.end, 1) != NULL)
        return fail(err, TRANCHE_INVALID, "%s: a device is in one organization at most", name);
    item.end = json_scan_value(item.at, value.end);
    if (*item.at != '"')
        return expected(name, "an array of one string", item, err);
    enum tranche_code code = unescape(item, &line->organization, err);
    if (code == TRANCHE_OK)
        code = id_check(name, line->organization.bytes, err);
    line->device.organization = line->organization.bytes;
    return code;
}

static enum tranche_code take_properties(struct import_line *line, const char *name, struct piece value,
                                         struct tranche_err *err)
{
    if (*value.at == 'n')
        return TRANCHE_OK;
    if (*value.at != '{')
        return expected(name, "an object", value, err);
    text_clear(&line->properties);
    json_compact_names(&line->properties, value.at, (size_t)(value.end - value.at));
    if (line->properties.failed)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    line->device.properties = line->properties.bytes;
    return TRANCHE_OK;
}
