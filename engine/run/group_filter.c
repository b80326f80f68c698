#include "group_filter.h"

#include "fail.h"

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

enum tranche_code group_filter(const struct tranche_group_record *group, const struct organization_tree *tree,
                               const char *organization, struct text *filter, struct tranche_err *err)
{
    const char *own = group->organization;
    if (organization[0] != '\0' && (own == NULL || !organization_is_within(tree, own, organization)))
        return fail(err, TRANCHE_NOTFOUND, "device group \"%s\" does not belong to organization \"%s\" any more", group->id,
                    organization);
    if (own == NULL)
        text_puts(filter, group->filter);
    else
        organization_filter(tree, &own, 1, group->filter, filter);
    return filter->failed ? fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM)) : TRANCHE_OK;
}
