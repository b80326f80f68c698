/* Device groups (api-contract.md 3.3, 14.15, 14.16). */
#include "handlers.h"

#include "definition.h"
#include "etag.h"
#include "fail.h"
#include "filter.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

/* ---- the answer ---- */

static void print_optional(const char *name, const char *value, struct text *out)
{
    if (value == NULL)
        return;
    text_printf(out, ",\"%s\":", name);
    text_json(out, value);
}

/* Into the request's answer, which it begins anew. */
static void print_group(struct request *request, const struct tranche_group_record *group)
{
    char etag[ETAG_BYTES];
    etag_print("g", group->revision, etag);
    snprintf(request->etag, sizeof request->etag, "%s", etag);

    struct text *out = &request->answer;
    text_clear(out);
    text_puts(out, "{\"id\":");
    text_json(out, group->id);
    print_optional("displayName", group->display_name, out);
    print_optional("description", group->description, out);
    print_optional("filter", group->filter, out);
    print_optional("etag", etag, out);
    if (group->organization != NULL) {
        text_puts(out, ",\"organizations\":[");
        text_json(out, group->organization);
        text_puts(out, "]");
    }
    text_puts(out, "}");
}

void groups_get(struct request *request)
{
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_err err;
    struct tranche_group_record group = { 0 };
    enum tranche_code code = reader->functions->group_find(reader, request->parameters[0], &group, &err);
    if (code == TRANCHE_NOTFOUND)
        fail(&err, code, "Device group \"%.255s\" was not found.", request->parameters[0]);
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    print_group(request, &group);
    request_answer_printed(request, 200);
}

/* ---- create or replace ---- */

/* A group to be written, and what the client knows of the one that is there. All in the request's memory. */
struct change {
    struct tranche_group_record group;
    const char *etag; /* of the body; NULL: none */
};

/* An optional string member, copied; null counts as absent. */
static enum tranche_code read_string(struct request *request, const struct json *body, const char *name,
                                     const char **out, struct tranche_err *err)
{
    const struct json *value = json_member(body, name);
    enum json_type type = json_type(value);
    if (type == JSON_NONE || type == JSON_NULL)
        return TRANCHE_OK;
    if (type != JSON_STRING)
        return fail(err, TRANCHE_INVALID, "%s: expected a string, found %s.", name, json_type_name(type));
    *out = arena_copy(&request->memory, json_string(value), strlen(json_string(value)));
    return TRANCHE_OK;
}

static enum tranche_code read_required(struct request *request, const struct json *body, const char *name,
                                       size_t bytes_max, const char **out, struct tranche_err *err)
{
    enum tranche_code code = read_string(request, body, name, out, err);
    if (code != TRANCHE_OK)
        return code;
    if (*out == NULL || (*out)[0] == '\0')
        return fail(err, TRANCHE_INVALID, "%s: the member is required.", name);
    if (strlen(*out) > bytes_max)
        return fail(err, TRANCHE_INVALID, "%s: at most %zu bytes are allowed, got %zu.", name, bytes_max,
                    strlen(*out));
    return TRANCHE_OK;
}

static enum tranche_code read_organization(struct request *request, const struct json *body, const char **out,
                                           struct tranche_err *err)
{
    const struct json *list = json_member(body, "organizations");
    enum json_type type = json_type(list);
    if (type == JSON_NONE || type == JSON_NULL)
        return TRANCHE_OK;
    if (type != JSON_ARRAY || json_count(list) != 1)
        return fail(err, TRANCHE_INVALID, "organizations: expected an array of exactly one.");
    const char *id = json_string(json_item(list, 0));
    if (id == NULL || id[0] == '\0' || strlen(id) > DEFINITION_NAME_BYTES_MAX)
        return fail(err, TRANCHE_INVALID, "organizations[0]: expected the id of an organization.");
    *out = arena_copy(&request->memory, id, strlen(id));
    return TRANCHE_OK;
}

static enum tranche_code check_filter(const char *text, struct tranche_err *err)
{
    struct filter filter;
    enum tranche_code code = filter_parse(text, strlen(text), &filter, err);
    if (code != TRANCHE_OK)
        return fail_in(err, code, "filter");
    filter_free(&filter);
    return TRANCHE_OK;
}

static enum tranche_code read_change(struct request *request, const struct json *body, struct change *change,
                                     struct tranche_err *err)
{
    struct tranche_group_record *group = &change->group;
    if (json_type(body) != JSON_OBJECT)
        return fail(err, TRANCHE_INVALID, "The body must be an object, found %s.",
                    json_type_name(json_type(body)));
    enum tranche_code code =
        read_required(request, body, "displayName", DEFINITION_NAME_BYTES_MAX, &group->display_name, err);
    if (code == TRANCHE_OK)
        code = read_string(request, body, "description", &group->description, err);
    if (code == TRANCHE_OK)
        code = read_required(request, body, "filter", FILTER_BYTES_MAX, &group->filter, err);
    if (code == TRANCHE_OK)
        code = check_filter(group->filter, err);
    if (code == TRANCHE_OK)
        code = read_organization(request, body, &group->organization, err);
    if (code == TRANCHE_OK)
        code = read_string(request, body, "etag", &change->etag, err);
    return code;
}

static enum tranche_code read_body(struct request *request, struct change *change, struct tranche_err *err)
{
    struct json_document document = { 0 };
    const char *body = request->body.bytes != NULL ? request->body.bytes : "";
    enum tranche_code code = json_parse(body, request->body.length, &document, err);
    if (code == TRANCHE_BADREQUEST) {
        struct tranche_err cause = *err;
        return fail(err, code, "The body is not valid JSON: %s.", cause.text);
    }
    if (code == TRANCHE_OK)
        code = read_change(request, document.root, change, err);
    json_free(&document);
    return code;
}

/* Both the header and the body's member must name the group as it is (2.4). */
static enum tranche_code check_etags(const struct request *request, const struct change *change,
                                     const struct tranche_group_record *present, struct tranche_err *err)
{
    char etag[ETAG_BYTES];
    if (present != NULL)
        etag_print("g", present->revision, etag);
    const char *sent[] = { request_header(request, "If-Match"), change->etag };
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++)
        if (sent[i] != NULL && (present == NULL || !etag_matches(sent[i], etag)))
            return fail(err, TRANCHE_PRECONDITION, "The etag does not match the current one.");
    return TRANCHE_OK;
}

/* On the engine thread, inside a transaction. May run again after a rollback. Prints the answer, which goes
 * out when the transaction has ended well: only here is it sure what was written. */
static enum tranche_code write_group(struct command *command, struct tranche_store *store, int64_t now_us,
                                     bool *more, struct tranche_err *err)
{
    (void)now_us;
    *more = false;
    struct request *request = request_of(command);
    struct change *change = request->held;
    struct tranche_group_record present = { 0 };
    enum tranche_code code = store->functions->group_find(store, change->group.id, &present, err);
    if (code != TRANCHE_OK && code != TRANCHE_NOTFOUND)
        return code;
    code = check_etags(request, change, code == TRANCHE_OK ? &present : NULL, err);
    if (code != TRANCHE_OK)
        return code;

    code = store->functions->group_put(store, &change->group, err);
    if (code == TRANCHE_OK) /* the store counts revisions */
        code = store->functions->group_find(store, change->group.id, &present, err);
    if (code == TRANCHE_OK)
        print_group(request, &present);
    return code;
}

static void answer_put(struct request *request)
{
    if (request->command.code != TRANCHE_OK)
        request_refuse(request, &request->command.err);
    else
        request_answer_printed(request, 200); /* by write_group */
}

void groups_put(struct request *request)
{
    struct tranche_err err;
    struct change *change = arena_take(&request->memory, sizeof *change);
    if (change == NULL) {
        fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
        request_refuse(request, &err);
        return;
    }
    const char *id = request->parameters[0];
    if (id_check("id", id, &err) != TRANCHE_OK || read_body(request, change, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    snprintf(change->group.id, sizeof change->group.id, "%s", id);
    request->held = change;
    request->command.write = write_group;
    request_post(request, COMMAND_WRITE, answer_put);
}
