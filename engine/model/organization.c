#include "organization.h"

#include "fail.h"
#include "filter.h"
#include "filter_print.h"
#include "json.h"

#include <string.h>

enum tranche_code organization_tree_add(struct organization_tree *tree, const char *id, const char *body,
                                        struct tranche_err *err)
{
    if (tree->count == ORGANIZATIONS_MAX)
        return fail(err, TRANCHE_FULL, "there are more than %d organizations", ORGANIZATIONS_MAX);
    if (tree->items == NULL)
        tree->items = arena_take(&tree->memory, ORGANIZATIONS_MAX * sizeof *tree->items);
    struct json_document document;
    enum tranche_code code = json_parse(body, strlen(body), &document, err);
    if (code != TRANCHE_OK)
        return fail_in(err, code, "organization \"%s\"", id);
    const char *parent = json_string(json_member(document.root, "parent"));
    struct organization organization = {
        .id = arena_copy(&tree->memory, id, strlen(id)),
        .parent = parent == NULL ? NULL : arena_copy(&tree->memory, parent, strlen(parent)),
    };
    json_free(&document);
    if (tree->memory.failed)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    tree->items[tree->count++] = organization;
    return TRANCHE_OK;
}

void organization_tree_free(struct organization_tree *tree)
{
    arena_free(&tree->memory);
    *tree = (struct organization_tree){ 0 };
}

const struct organization *organization_find(const struct organization_tree *tree, const char *id)
{
    for (unsigned i = 0; i < tree->count; i++)
        if (strcmp(tree->items[i].id, id) == 0)
            return &tree->items[i];
    return NULL;
}

static const struct organization *parent_of(const struct organization_tree *tree,
                                            const struct organization *child)
{
    return child->parent != NULL ? organization_find(tree, child->parent) : NULL;
}

bool organization_is_within(const struct organization_tree *tree, const char *id, const char *root)
{
    const struct organization *at = organization_find(tree, id);
    for (int depth = 0; at != NULL && depth < ORGANIZATION_DEPTH_MAX; depth++, at = parent_of(tree, at))
        if (strcmp(at->id, root) == 0)
            return true;
    return false;
}

/* How many levels there are from `id` to the top, itself included. */
static unsigned depth_of(const struct organization_tree *tree, const char *id)
{
    unsigned depth = 0;
    for (const struct organization *at = organization_find(tree, id);
         at != NULL && depth <= ORGANIZATION_DEPTH_MAX; at = parent_of(tree, at))
        depth++;
    return depth;
}

/* How many levels there are below `id`, itself not included. */
static unsigned height_of(const struct organization_tree *tree, const char *id)
{
    unsigned top = depth_of(tree, id), height = 0;
    for (unsigned i = 0; i < tree->count; i++)
        if (organization_is_within(tree, tree->items[i].id, id) &&
            depth_of(tree, tree->items[i].id) - top > height)
            height = depth_of(tree, tree->items[i].id) - top;
    return height;
}

bool organization_fits(const struct organization_tree *tree, const char *id, const char *parent)
{
    if (strcmp(id, parent) == 0 || organization_is_within(tree, parent, id))
        return false;
    return depth_of(tree, parent) + 1 + height_of(tree, id) <= ORGANIZATION_DEPTH_MAX;
}

bool organization_has_children(const struct organization_tree *tree, const char *id)
{
    for (unsigned i = 0; i < tree->count; i++)
        if (tree->items[i].parent != NULL && strcmp(tree->items[i].parent, id) == 0)
            return true;
    return false;
}

static bool is_within_any(const struct organization_tree *tree, const char *id, const char *const *roots,
                          unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (organization_is_within(tree, id, roots[i]))
            return true;
    return false;
}

void organization_filter(const struct organization_tree *tree, const char *const *roots, unsigned root_count,
                         const char *filter, struct text *out)
{
    struct filter parsed;
    struct tranche_err err;
    enum tranche_code code = filter_parse(filter, strlen(filter), &parsed, &err);
    if (code != TRANCHE_OK) { /* a broken one stays so, for whoever uses it to say */
        out->failed |= code == TRANCHE_NOMEM;
        text_puts(out, filter);
        return;
    }
    text_puts(out, "SELECT * FROM devices WHERE $organizations IN [");
    text_json(out, roots[0]); /* an organization that was deleted still keeps others out */
    for (unsigned i = 0; i < tree->count; i++) {
        const char *id = tree->items[i].id;
        if (strcmp(id, roots[0]) == 0 || !is_within_any(tree, id, roots, root_count))
            continue;
        text_puts(out, ", ");
        text_json(out, id);
    }
    text_puts(out, "]");
    filter_print_and(&parsed, out);
    filter_free(&parsed);
}

enum tranche_code organization_id_check(const char *what, const char *id, struct tranche_err *err)
{
    size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (id[length] != '\0' || length < 2 || length > ORGANIZATION_ID_LENGTH_MAX || id[0] == '-' ||
        id[length - 1] == '-')
        return fail(
            err, TRANCHE_INVALID,
            "%s: an organization is named by 2 to %d of a-z, 0-9 and -, which is neither first nor last, "
            "got \"%.60s\".",
            what, ORGANIZATION_ID_LENGTH_MAX, id);
    return TRANCHE_OK;
}
