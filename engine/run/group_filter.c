#include "group_filter.h"

#include "fail.h"

#include <stdio.h>

struct loading {
    struct organization_tree *tree;
    enum tranche_code code;
    struct tranche_err *err;
};

static void add_organization(void *context, const struct tranche_object_record *object)
{
    struct loading *loading = context;
    if (loading->code == TRANCHE_OK)
        loading->code = organization_tree_add(loading->tree, object->id, object->body, loading->err);
}

enum tranche_code organizations_load(struct tranche_store *store, struct organization_tree *tree,
                                     struct tranche_err *err)
{
    struct loading loading = { .tree = tree, .err = err };
    *tree = (struct organization_tree){ 0 };
    enum tranche_code code =
        store->functions->objects(store, TRANCHE_ORGANIZATION, add_organization, &loading, err);
    return code == TRANCHE_OK ? loading.code : code;
}

enum tranche_code organizations_read(struct tranche_reader *reader, struct organization_tree *tree,
                                     struct tranche_err *err)
{
    struct loading loading = { .tree = tree, .err = err };
    *tree = (struct organization_tree){ 0 };
    enum tranche_code code = reader->functions->objects_page(
        reader, TRANCHE_ORGANIZATION, NULL, ORGANIZATIONS_MAX, add_organization, &loading, err);
    return code == TRANCHE_OK ? loading.code : code;
}

/* What outlives the next call to the store, which forgets the group. */
struct kept {
    char organization[TRANCHE_ID_BYTES];
    struct text filter;
};

static void keep(struct kept *kept, const struct tranche_group_record *group)
{
    *kept = (struct kept){ 0 };
    text_puts(&kept->filter, group->filter);
    if (group->organization != NULL)
        snprintf(kept->organization, sizeof kept->organization, "%s", group->organization);
}

static enum tranche_code finish(struct kept *kept, const struct organization_tree *tree, struct text *filter,
                                struct tranche_err *err)
{
    if (kept->filter.failed)
        filter->failed = true;
    else if (kept->organization[0] == '\0')
        text_puts(filter, kept->filter.bytes);
    else
        organization_filter(tree, (const char *const[]){ kept->organization }, 1, kept->filter.bytes, filter);
    text_free(&kept->filter);
    return filter->failed ? fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM)) : TRANCHE_OK;
}

/* A job of an organization must not follow its group out of it. */
static enum tranche_code check_within(const struct kept *kept, const struct organization_tree *tree, const char *group,
                                      const char *organization, struct tranche_err *err)
{
    if (organization[0] == '\0' ||
        (kept->organization[0] != '\0' && organization_is_within(tree, kept->organization, organization)))
        return TRANCHE_OK;
    return fail(err, TRANCHE_NOTFOUND, "device group \"%s\" does not belong to organization \"%s\" any more", group,
                organization);
}

enum tranche_code group_filter_load(struct tranche_store *store, const struct tranche_group_record *group,
                                    const char *organization, struct text *filter, struct tranche_err *err)
{
    struct kept kept;
    struct organization_tree tree = { 0 };
    enum tranche_code code = TRANCHE_OK;
    keep(&kept, group);
    if (kept.organization[0] != '\0')
        code = organizations_load(store, &tree, err);
    if (code == TRANCHE_OK)
        code = check_within(&kept, &tree, group->id, organization, err);
    enum tranche_code finished = finish(&kept, &tree, filter, err);
    organization_tree_free(&tree);
    return code != TRANCHE_OK ? code : finished;
}

enum tranche_code group_filter_read(struct tranche_reader *reader, const struct tranche_group_record *group,
                                    struct text *filter, struct tranche_err *err)
{
    struct kept kept;
    struct organization_tree tree = { 0 };
    enum tranche_code code = TRANCHE_OK;
    keep(&kept, group);
    if (kept.organization[0] != '\0')
        code = organizations_read(reader, &tree, err);
    enum tranche_code finished = finish(&kept, &tree, filter, err);
    organization_tree_free(&tree);
    return code != TRANCHE_OK ? code : finished;
}
