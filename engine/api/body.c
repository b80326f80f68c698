#include "body.h"

#include "definition.h"
#include "etag.h"
#include "fail.h"

#include <string.h>

enum tranche_code body_parse(const struct request *request, struct json_document *document, struct tranche_err *err)
{
    const char *body = request->body.bytes != NULL ? request->body.bytes : "";
    enum tranche_code code = json_parse(body, request->body.length, document, err);
    if (code == TRANCHE_BADREQUEST) {
        struct tranche_err cause = *err;
        return fail(err, code, "The body is not valid JSON: %s.", cause.text);
    }
    if (code == TRANCHE_OK && json_type(document->root) != JSON_OBJECT)
        return fail(err, TRANCHE_INVALID, "The body must be an object, found %s.",
                    json_type_name(json_type(document->root)));
    return code;
}

static const char *keep(struct request *request, const char *string)
{
    return arena_copy(&request->memory, string, strlen(string));
}

static enum tranche_code out_of_memory(struct tranche_err *err)
{
    return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

enum tranche_code body_string(struct request *request, const struct json *body, const char *name, size_t bytes_max,
                              struct body_string *out, struct tranche_err *err)
{
    const struct json *value = json_member(body, name);
    enum json_type type = json_type(value);
    out->given = type != JSON_NONE;
    if (type == JSON_NONE || type == JSON_NULL)
        return TRANCHE_OK;
    if (type != JSON_STRING)
        return fail(err, TRANCHE_INVALID, "%s: expected a string, found %s.", name, json_type_name(type));
    const char *string = json_string(value);
    if (strlen(string) > bytes_max)
        return fail(err, TRANCHE_INVALID, "%s: at most %zu bytes are allowed, got %zu.", name, bytes_max, strlen(string));
    out->value = keep(request, string);
    return out->value != NULL ? TRANCHE_OK : out_of_memory(err);
}

enum tranche_code body_flag(const struct json *body, const char *name, struct body_flag *out, struct tranche_err *err)
{
    const struct json *value = json_member(body, name);
    enum json_type type = json_type(value);
    if (type == JSON_NONE || type == JSON_NULL)
        return TRANCHE_OK;
    if (type != JSON_BOOL)
        return fail(err, TRANCHE_INVALID, "%s: expected a boolean, found %s.", name, json_type_name(type));
    *out = (struct body_flag){ .given = true, .value = json_true(value) };
    return TRANCHE_OK;
}

enum tranche_code body_organization(struct request *request, const struct json *body, struct body_string *out,
                                    struct tranche_err *err)
{
    const struct json *list = json_member(body, "organizations");
    enum json_type type = json_type(list);
    out->given = type != JSON_NONE;
    if (type == JSON_NONE || type == JSON_NULL)
        return TRANCHE_OK;
    if (type != JSON_ARRAY || json_count(list) != 1)
        return fail(err, TRANCHE_INVALID, "organizations: expected an array of exactly one.");
    const char *id = json_string(json_item(list, 0));
    if (id == NULL || id[0] == '\0' || strlen(id) > DEFINITION_NAME_BYTES_MAX)
        return fail(err, TRANCHE_INVALID, "organizations[0]: expected the id of an organization.");
    out->value = keep(request, id);
    return out->value != NULL ? TRANCHE_OK : out_of_memory(err);
}

const char *body_over(const struct body_string *member, bool patch, const char *present)
{
    return member->given || !patch ? member->value : present;
}

enum tranche_code body_required(const struct body_string *member, bool patch, const char *name, struct tranche_err *err)
{
    if (patch && !member->given)
        return TRANCHE_OK;
    if (patch && member->value == NULL)
        return fail(err, TRANCHE_INVALID, "%s: the member is required and cannot be removed.", name);
    if (member->value == NULL || member->value[0] == '\0')
        return fail(err, TRANCHE_INVALID, "%s: the member is required.", name);
    return TRANCHE_OK;
}

enum tranche_code body_check_etags(const struct request *request, const struct body_string *etag, const char *current,
                                   struct tranche_err *err)
{
    const char *sent[] = { request_header(request, "If-Match"), etag == NULL ? NULL : etag->value };
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++)
        if (sent[i] != NULL && (current == NULL || !etag_matches(sent[i], current)))
            return fail(err, TRANCHE_PRECONDITION, "The etag does not match the current one.");
    return TRANCHE_OK;
}
