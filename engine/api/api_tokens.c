/* Tokens and the roles that they may have (api-contract.md 3.6, 8). A token's value is in the answer to its
 * making and nowhere else; revoking it counts from the next request on, since each one looks its token up.
 */
#include "handlers.h"

#include "change.h"
#include "definition.h"
#include "fail.h"
#include "group_filter.h"
#include "listing.h"
#include "when.h"

#include <stdio.h>
#include <string.h>

#define EXPIRY_STANDARD_US (INT64_C(365) * 24 * 3600 * 1000000)

/* ---- roles ---- */

static void print_role(const struct role *role, struct text *out)
{
    text_printf(out, "{\"id\":\"%s\",\"displayName\":\"%s\"}", role->id, role->name);
}

void roles_list(struct request *request)
{
    size_t count;
    const struct role *roles = role_all(&count);
    struct text *out = request_answer(request, 200);
    text_puts(out, "{\"value\":[");
    for (size_t i = 0; i < count; i++) {
        text_puts(out, i > 0 ? "," : "");
        print_role(&roles[i], out);
    }
    text_puts(out, "]}");
}

void roles_get(struct request *request)
{
    const struct role *role = role_by_id(request->parameters[0]);
    if (role != NULL) {
        print_role(role, request_answer(request, 200));
        return;
    }
    struct tranche_err err;
    fail(&err, TRANCHE_NOTFOUND, "Role \"%.60s\" was not found.", request->parameters[0]);
    request_refuse(request, &err);
}

/* ---- tokens as they are shown ---- */

static void print_token(const char *id, const struct token *token, const char *value, struct text *out)
{
    char expiry[WHEN_TEXT_BYTES];
    when_rfc3339(token->expires_us, expiry);
    text_puts(out, "{\"id\":");
    text_json(out, id);
    text_puts(out, ",\"roles\":[");
    for (unsigned i = 0; i < token->role_count; i++) {
        const struct token_role *role = &token->roles[i];
        text_printf(out, "%s{\"role\":\"%s\"", i > 0 ? "," : "", role->role != NULL ? role->role->id : "");
        change_print_optional("organization", role->organization[0] != '\0' ? role->organization : NULL, out);
        text_puts(out, "}");
    }
    text_printf(out, "],\"expiry\":\"%s\"", expiry);
    change_print_optional("token", value, out);
    text_puts(out, "}");
}

/* A caller that reaches some organizations sees the tokens that reach no further. */
static bool sees(const struct request *request, const struct token *token)
{
    for (unsigned i = 0; i < token->role_count; i++)
        if (!request_sees(request, token->roles[i].organization))
            return false;
    return true;
}

static enum tranche_code unknown(const struct request *request, struct tranche_err *err)
{
    return fail(err, TRANCHE_NOTFOUND, "Token \"%.255s\" was not found.", request->parameters[0]);
}

void tokens_get(struct request *request)
{
    struct tranche_err err;
    struct tranche_object_record object;
    struct token token;
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    enum tranche_code code =
        reader->functions->object_find(reader, TRANCHE_TOKEN, request->parameters[0], &object, &err);
    if (code == TRANCHE_OK)
        code = token_parse(object.body, &token, &err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !sees(request, &token)))
        code = unknown(request, &err);
    if (code == TRANCHE_OK)
        print_token(object.id, &token, NULL, request_answer(request, 200));
    else
        request_refuse(request, &err);
}

/* One that is damaged is not shown: it lets nobody in either. */
static void list_token(void *context, const struct tranche_object_record *object)
{
    struct listing *listing = context;
    struct token token;
    bool shown = token_parse(object->body, &token, NULL) == TRANCHE_OK && sees(listing->request, &token);
    if (listing_takes_if(listing, shown, 0, object->id))
        print_token(object->id, &token, NULL, listing->out);
}

static enum tranche_code fetch_tokens(struct listing *listing, struct tranche_reader *reader, const char *after,
                                      struct tranche_err *err)
{
    return reader->functions->objects_page(reader, TRANCHE_TOKEN, after, listing->fetch, list_token, listing, err);
}

void tokens_list(struct request *request)
{
    listing_answer(request, PAGE_OBJECTS, 0, fetch_tokens, NULL);
}

/* ---- making one ---- */

struct making {
    struct token token;
    struct text value, body;
};

static void making_free(struct request *request)
{
    struct making *making = request->held;
    text_free(&making->value);
    text_free(&making->body);
}

static enum tranche_code read_role(const struct json *item, size_t index, struct token_role *out,
                                   struct tranche_err *err)
{
    const char *role = json_string(json_member(item, "role"));
    const struct json *organization = json_member(item, "organization");
    const char *id = json_string(organization);
    if (role == NULL)
        return fail(err, TRANCHE_INVALID, "roles[%zu].role: the member is required, and a string.", index);
    out->role = role_by_id(role);
    if (out->role == NULL)
        return fail(err, TRANCHE_INVALID, "roles[%zu].role: there is no role \"%.60s\"; see /api/roles.",
                    index, role);
    if (json_type(organization) == JSON_NONE || json_type(organization) == JSON_NULL)
        return TRANCHE_OK;
    if (id == NULL || strlen(id) > ORGANIZATION_ID_LENGTH_MAX)
        return fail(err, TRANCHE_INVALID, "roles[%zu].organization: expected the id of an organization.",
                    index);
    strcpy(out->organization, id);
    return TRANCHE_OK;
}

static enum tranche_code read_roles(const struct json *roles, struct token *token, struct tranche_err *err)
{
    size_t count = json_count(roles);
    if (count < 1 || count > TOKEN_ROLES_MAX)
        return fail(err, TRANCHE_INVALID, "roles: expected an array of 1 to %d.", TOKEN_ROLES_MAX);
    enum tranche_code code = TRANCHE_OK;
    for (size_t i = 0; i < count && code == TRANCHE_OK; i++)
        code = read_role(json_item(roles, i), i, &token->roles[token->role_count++], err);
    return code;
}

static enum tranche_code read_expiry(const struct request *request, const struct json *expiry,
                                     struct token *token, struct tranche_err *err)
{
    struct tranche_err cause;
    token->expires_us = request->now_us + EXPIRY_STANDARD_US;
    if (json_type(expiry) == JSON_NONE || json_type(expiry) == JSON_NULL)
        return TRANCHE_OK;
    if (json_string(expiry) == NULL)
        return fail(err, TRANCHE_INVALID, "expiry: expected a string, found %s.",
                    json_type_name(json_type(expiry)));
    if (when_parse(json_string(expiry), &token->expires_us, &cause) != TRANCHE_OK)
        return fail(err, TRANCHE_INVALID, "expiry: %s.", cause.text);
    if (token->expires_us <= request->now_us)
        return fail(err, TRANCHE_INVALID, "expiry: the time is past.");
    return TRANCHE_OK;
}

/* Each role must be for an organization that there is, and within what the caller reaches. */
static enum tranche_code check_organizations(const struct request *request, struct tranche_store *store,
                                             const struct token *token, struct tranche_err *err)
{
    struct organization_tree tree;
    enum tranche_code code = organizations_load(store, &tree, err);
    for (unsigned i = 0; i < token->role_count && code == TRANCHE_OK; i++) {
        const char *id = token->roles[i].organization;
        if (id[0] == '\0' && !request->scope.whole)
            code = fail(err, TRANCHE_INVALID, "roles[%u].organization: the member is required.", i);
        else if (id[0] != '\0' && (organization_find(&tree, id) == NULL || !request_sees(request, id)))
            code = fail(err, TRANCHE_INVALID,
                        "roles[%u].organization: organization \"%.60s\" does not exist.", i, id);
    }
    organization_tree_free(&tree);
    return code;
}

static enum tranche_code write_token(struct request *request, struct tranche_store *store, int64_t now_us,
                                     struct tranche_err *err)
{
    (void)now_us;
    const struct making *making = request->held;
    const char *id = request->parameters[0];
    struct tranche_object_record object = { .kind = TRANCHE_TOKEN, .body = making->body.bytes }, present;
    struct token taken;
    snprintf(object.id, sizeof object.id, "%s", id);
    enum tranche_code code = check_organizations(request, store, &making->token, err);
    if (code == TRANCHE_OK)
        code = store->functions->object_find(store, TRANCHE_TOKEN, id, &present, err);
    if (code == TRANCHE_OK && !request->scope.whole && token_parse(present.body, &taken, err) == TRANCHE_OK &&
        !sees(request, &taken))
        return unknown(request, err);
    if (code == TRANCHE_OK)
        return fail(err, TRANCHE_CONFLICT, "Token \"%s\" exists already; its value cannot be shown again.",
                    id);
    if (code != TRANCHE_NOTFOUND)
        return code;
    code = store->functions->object_put(store, &object, err);
    text_clear(&request->answer);
    print_token(id, &making->token, making->value.bytes, &request->answer);
    return code;
}

void tokens_put(struct request *request)
{
    struct tranche_err err;
    struct json_document document = { 0 };
    struct making *making = arena_take(&request->memory, sizeof *making);
    enum tranche_code code = id_check("id", request->parameters[0], &err);
    if (code == TRANCHE_OK && making == NULL)
        code = fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (code == TRANCHE_OK)
        code = body_parse(request, &document, &err);
    if (code == TRANCHE_OK) {
        request->held = making;
        request->release = making_free;
        code = read_roles(json_member(document.root, "roles"), &making->token, &err);
    }
    if (code == TRANCHE_OK)
        code = read_expiry(request, json_member(document.root, "expiry"), &making->token, &err);
    json_free(&document);
    if (code == TRANCHE_OK)
        code = auth_mint(request->parameters[0], request->now_us, &making->token, &making->value, &err);
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    token_print(&making->token, &making->body);
    request->memory.failed |= making->body.failed;
    change_post(request, write_token);
}

/* ---- revoking one ---- */

static enum tranche_code drop_token(struct request *request, struct tranche_store *store, int64_t now_us,
                                    struct tranche_err *err)
{
    (void)now_us;
    struct tranche_object_record object;
    struct token token = { 0 };
    const char *id = request->parameters[0];
    enum tranche_code code = store->functions->object_find(store, TRANCHE_TOKEN, id, &object, err);
    if (code == TRANCHE_OK && !request->scope.whole)
        code = token_parse(object.body, &token, err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !sees(request, &token)))
        return unknown(request, err);
    return code == TRANCHE_OK ? store->functions->object_drop(store, TRANCHE_TOKEN, id, err) : code;
}

void tokens_delete(struct request *request)
{
    change_post(request, drop_token);
}
