#include "change.h"

#include "fail.h"
#include "group_filter.h"

#include <stdio.h>
#include <string.h>

static enum tranche_code run(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                             struct tranche_err *err)
{
    *more = false;
    struct request *request = request_of(command);
    return request->change(request, store, now_us, err);
}

static void answer(struct request *request)
{
    if (request->command.code != TRANCHE_OK)
        request_refuse(request, &request->command.err);
    else if (request->answer.length > 0)
        request_answer_printed(request, 200);
    else
        request_answer_empty(request);
}

void change_post(struct request *request, change_function *write)
{
    request->change = write;
    request->command.write = run;
    request_post(request, COMMAND_WRITE, answer);
}

struct text *change_answer(struct request *request, const char *prefix, int64_t revision)
{
    etag_print(prefix, revision, request->etag);
    strcpy(request->command.audit.etag_after, request->etag);
    text_clear(&request->answer);
    return &request->answer;
}

enum tranche_code change_check_etags(struct request *request, const struct body_string *etag,
                                     const char *prefix, int64_t revision, struct tranche_err *err)
{
    char current[ETAG_BYTES] = "";
    if (revision != 0)
        etag_print(prefix, revision, current);
    strcpy(request->command.audit.etag_before, current);
    return body_check_etags(request, etag, revision != 0 ? current : NULL, err);
}

/* Also of an organization that exists, but not for the caller. */
static enum tranche_code unknown_organization(const char *id, struct tranche_err *err)
{
    return fail(err, TRANCHE_INVALID, "organizations[0]: organization \"%.60s\" does not exist.", id);
}

enum tranche_code change_check_organization(const struct request *request, struct tranche_store *store,
                                            const struct body_string *member, struct tranche_err *err)
{
    if (member->value == NULL)
        return TRANCHE_OK;
    struct organization_tree tree;
    enum tranche_code code = organizations_load(store, &tree, err);
    if (code == TRANCHE_OK &&
        (organization_find(&tree, member->value) == NULL || !request_sees(request, member->value)))
        code = unknown_organization(member->value, err);
    organization_tree_free(&tree);
    return code;
}

const char *change_organization(const struct request *request, const struct body_string *member, bool patch,
                                const char *present)
{
    const char *named = body_over(member, patch, present);
    return named != NULL ? named : scope_home(&request->scope);
}

static enum tranche_code merge(struct request *request, const struct json_document *target,
                               const struct json_document *patch, const char *const *required,
                               const char **merged, struct tranche_err *err)
{
    for (; *required != NULL; required++)
        if (json_type(json_member(patch->root, *required)) == JSON_NULL)
            return fail(err, TRANCHE_INVALID, "%s: the member is required and cannot be removed.", *required);
    struct text text = { 0 };
    json_merge(&text, target, patch);
    *merged = text.failed ? NULL : arena_copy(&request->memory, text.bytes, text.length);
    text_free(&text);
    return *merged != NULL ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

enum tranche_code change_merge(struct request *request, const char *present, const char *const *required,
                               const char **merged, struct tranche_err *err)
{
    struct json_document target = { 0 }, patch = { 0 };
    enum tranche_code code = body_parse(request, &patch, err);
    if (code == TRANCHE_OK)
        code = json_parse(present, strlen(present), &target, err);
    if (code == TRANCHE_OK)
        code = merge(request, &target, &patch, required, merged, err);
    json_free(&target);
    json_free(&patch);
    return code;
}

enum tranche_code change_overtaken(struct tranche_err *err)
{
    return fail(err, TRANCHE_CONFLICT,
                "The object was changed by another request at the same time; try again.");
}

void change_print_optional(const char *name, const char *value, struct text *out)
{
    if (value == NULL)
        return;
    text_printf(out, ",\"%s\":", name);
    text_json(out, value);
}

void change_print_organization(const char *organization, struct text *out)
{
    if (organization == NULL)
        return;
    text_puts(out, ",\"organizations\":[");
    text_json(out, organization);
    text_puts(out, "]");
}
