/* Organizations (api-contract.md 3.6, 6.8): a tree, in which a caller sees its own and what is below. */
#include "handlers.h"

#include "change.h"
#include "definition.h"
#include "fail.h"
#include "group_filter.h"
#include "listing.h"

#include <stdio.h>
#include <string.h>

static enum tranche_code unknown(const struct request *request, struct tranche_err *err)
{
    return fail(err, TRANCHE_NOTFOUND, "Organization \"%.60s\" was not found.", request->parameters[0]);
}

static void print_organization(const struct tranche_object_record *object, struct text *out)
{
    text_puts(out, "{\"id\":");
    text_json(out, object->id);
    if (object->body[1] != '}')
        text_puts(out, ",");
    text_puts(out, object->body + 1); /* its members, and the brace */
}

void organizations_get(struct request *request)
{
    struct tranche_err err;
    struct tranche_object_record object;
    const char *id = request->parameters[0];
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    enum tranche_code code = reader->functions->object_find(reader, TRANCHE_ORGANIZATION, id, &object, &err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, id)))
        code = unknown(request, &err);
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    print_organization(&object, change_answer(request, "o", object.revision));
    request_answer_printed(request, 200);
}

static void list_organization(void *context, const struct tranche_object_record *object)
{
    struct listing *listing = context;
    if (listing_takes(listing, object->id, 0, object->id))
        print_organization(object, listing->out);
}

static enum tranche_code fetch_organizations(struct listing *listing, struct tranche_reader *reader, const char *after,
                                             struct tranche_err *err)
{
    return reader->functions->objects_page(reader, TRANCHE_ORGANIZATION, after, listing->fetch, list_organization, listing, err);
}

void organizations_list(struct request *request)
{
    listing_answer(request, PAGE_OBJECTS, 0, fetch_organizations, NULL);
}

/* ---- changes ---- */

struct change {
    bool patch;
    struct body_string display_name, parent;
};

/* The members that were there; in the request's memory. */
static enum tranche_code read_present(struct request *request, const char *body,
                                      struct body_string *display_name, struct body_string *parent,
                                      struct tranche_err *err)
{
    struct json_document document;
    enum tranche_code code = json_parse(body, strlen(body), &document, err);
    if (code == TRANCHE_OK)
        code =
            body_string(request, document.root, "displayName", DEFINITION_NAME_BYTES_MAX, display_name, err);
    if (code == TRANCHE_OK)
        code = body_string(request, document.root, "parent", DEFINITION_NAME_BYTES_MAX, parent, err);
    json_free(&document);
    return code;
}

/* Where it goes that names no parent: to the top. Of a caller that reaches only some organizations, what is
 * there stays where it is, and what is new goes below them: nothing leaves what it, or who is above it,
 * reaches. */
static const char *find_parent(const struct request *request, const char *named, bool known,
                               const char *present)
{
    if (named != NULL || request->scope.whole)
        return named;
    return known ? present : scope_home(&request->scope);
}

static enum tranche_code check_parent(const struct request *request, const struct organization_tree *tree,
                                      const char *parent, const char *present, struct tranche_err *err)
{
    const char *id = request->parameters[0];
    bool known = organization_find(tree, id) != NULL;
    bool stays =
        known && (parent == present || (parent != NULL && present != NULL && strcmp(parent, present) == 0));
    if (!known && tree->count >= ORGANIZATIONS_MAX)
        return fail(err, TRANCHE_INVALID, "There are %d organizations already, which is the most.",
                    ORGANIZATIONS_MAX);
    if (stays || parent == NULL)
        return TRANCHE_OK;
    if (organization_find(tree, parent) == NULL || !request_sees(request, parent))
        return fail(err, TRANCHE_INVALID, "parent: organization \"%.60s\" does not exist.", parent);
    if (!organization_fits(tree, id, parent))
        return fail(err, TRANCHE_INVALID,
                    "parent: organizations are at most %d deep, and none is its own parent's.",
                    ORGANIZATION_DEPTH_MAX);
    return TRANCHE_OK;
}

static void print_body(const char *display_name, const char *parent, struct text *out)
{
    text_puts(out, "{\"displayName\":");
    text_json(out, display_name);
    change_print_optional("parent", parent, out);
    text_puts(out, "}");
}

static enum tranche_code put(struct request *request, struct tranche_store *store, const char *display_name,
                             const char *parent, struct tranche_err *err)
{
    struct tranche_object_record object = { .kind = TRANCHE_ORGANIZATION };
    struct text body = { 0 };
    print_body(display_name, parent, &body);
    object.body = body.bytes;
    snprintf(object.id, sizeof object.id, "%s", request->parameters[0]);
    enum tranche_code code = body.failed ? fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM))
                                         : store->functions->object_put(store, &object, err);
    if (code == TRANCHE_OK)
        print_organization(&object, change_answer(request, "o", object.revision));
    text_free(&body);
    return code;
}

static enum tranche_code write_organization(struct request *request, struct tranche_store *store,
                                            int64_t now_us, struct tranche_err *err)
{
    (void)now_us;
    const struct change *change = request->held;
    const char *id = request->parameters[0];
    struct tranche_object_record present = { 0 };
    struct body_string name = { 0 }, parent = { 0 };
    struct organization_tree tree;
    enum tranche_code code = organizations_load(store, &tree, err);
    if (code == TRANCHE_OK)
        code = store->functions->object_find(store, TRANCHE_ORGANIZATION, id, &present, err);
    if (code == TRANCHE_NOTFOUND && !change->patch)
        code = TRANCHE_OK;
    else if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, id)))
        code = unknown(request, err);
    else if (code == TRANCHE_OK)
        code = read_present(request, present.body, &name, &parent, err);
    if (code == TRANCHE_OK)
        code = change_check_etags(request, NULL, "o", present.revision, err);
    const char *named = body_over(&change->parent, change->patch, parent.value);
    const char *new_parent = find_parent(request, named, present.revision != 0, parent.value);
    if (code == TRANCHE_OK)
        code = check_parent(request, &tree, new_parent, parent.value, err);
    if (code == TRANCHE_OK)
        code =
            put(request, store, body_over(&change->display_name, change->patch, name.value), new_parent, err);
    organization_tree_free(&tree);
    return code;
}

static enum tranche_code read_change(struct request *request, bool patch, struct change **out,
                                     struct tranche_err *err)
{
    struct json_document document = { 0 };
    struct change *change = *out = arena_take(&request->memory, sizeof *change);
    enum tranche_code code = organization_id_check("id", request->parameters[0], err);
    if (code == TRANCHE_OK && change == NULL)
        code = fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (code == TRANCHE_OK)
        code = body_parse(request, &document, err);
    if (code == TRANCHE_OK) {
        change->patch = patch;
        code = body_string(request, document.root, "displayName", DEFINITION_NAME_BYTES_MAX,
                           &change->display_name, err);
    }
    if (code == TRANCHE_OK)
        code = body_required(&change->display_name, patch, "displayName", err);
    if (code == TRANCHE_OK)
        code =
            body_string(request, document.root, "parent", ORGANIZATION_ID_LENGTH_MAX, &change->parent, err);
    json_free(&document);
    return code;
}

static void write_request(struct request *request, bool patch)
{
    struct tranche_err err;
    struct change *change;
    if (read_change(request, patch, &change, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    request->held = change;
    change_post(request, write_organization);
}

void organizations_put(struct request *request)
{
    write_request(request, false);
}

void organizations_patch(struct request *request)
{
    write_request(request, true);
}

struct search {
    const char *organization;
    bool found;
};

static void look_at_token(void *context, const struct tranche_object_record *object)
{
    struct search *search = context;
    struct token token;
    if (token_parse(object->body, &token, NULL) != TRANCHE_OK)
        return;
    for (unsigned i = 0; i < token.role_count; i++)
        search->found |= strcmp(token.roles[i].organization, search->organization) == 0;
}

/* What still needs it; NULL: nothing. A token would come to reach another organization that is given its id
 * later. */
static enum tranche_code find_use(struct request *request, struct tranche_store *store, const char **use,
                                  struct tranche_err *err)
{
    struct organization_tree tree;
    enum tranche_code code = organizations_load(store, &tree, err);
    bool parent = code == TRANCHE_OK && organization_has_children(&tree, request->parameters[0]);
    organization_tree_free(&tree);
    if (code == TRANCHE_OK)
        code = store->functions->object_holds(store, TRANCHE_ORGANIZATION, request->parameters[0], use, err);
    if (code == TRANCHE_OK && parent)
        *use = "organizations";
    struct search search = { .organization = request->parameters[0] };
    if (code == TRANCHE_OK && *use == NULL)
        code = store->functions->objects(store, TRANCHE_TOKEN, look_at_token, &search, err);
    if (search.found)
        *use = "tokens";
    return code;
}

static enum tranche_code drop_organization(struct request *request, struct tranche_store *store,
                                           int64_t now_us, struct tranche_err *err)
{
    (void)now_us;
    const char *id = request->parameters[0], *use = NULL;
    struct tranche_object_record present;
    enum tranche_code code = store->functions->object_find(store, TRANCHE_ORGANIZATION, id, &present, err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, id)))
        return unknown(request, err);
    if (code == TRANCHE_OK)
        code = change_check_etags(request, NULL, "o", present.revision, err);
    if (code == TRANCHE_OK)
        code = find_use(request, store, &use, err);
    if (code == TRANCHE_OK && use != NULL)
        return fail(err, TRANCHE_CONFLICT, "Organization \"%s\" cannot be deleted: %s belong to it.", id,
                    use);
    return code == TRANCHE_OK ? store->functions->object_drop(store, TRANCHE_ORGANIZATION, id, err) : code;
}

void organizations_delete(struct request *request)
{
    change_post(request, drop_organization);
}
