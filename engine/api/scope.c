#include "scope.h"

#include "fail.h"
#include "group_filter.h"

enum tranche_code scope_open(struct scope *scope, const struct token *token, enum permission permission,
                             struct tranche_reader *reader, struct tranche_err *err)
{
    *scope = (struct scope){ 0 };
    for (unsigned i = 0; i < token->role_count; i++) {
        const struct token_role *role = &token->roles[i];
        if (role->role == NULL || !role_may(role->role, permission))
            continue;
        scope->whole |= role->organization[0] == '\0';
        scope->roots[scope->root_count++] = role->organization;
    }
    return scope->whole ? TRANCHE_OK : organizations_read(reader, &scope->tree, err);
}

void scope_free(struct scope *scope)
{
    organization_tree_free(&scope->tree);
}

bool scope_holds(const struct scope *scope, const char *organization)
{
    if (scope->whole)
        return true;
    for (unsigned i = 0; organization != NULL && i < scope->root_count; i++)
        if (organization_is_within(&scope->tree, organization, scope->roots[i]))
            return true;
    return false;
}

const char *scope_home(const struct scope *scope)
{
    return scope->whole ? NULL : scope->roots[0];
}

void scope_filter(const struct scope *scope, const char *filter, struct text *out)
{
    if (scope->whole)
        text_puts(out, filter);
    else
        organization_filter(&scope->tree, scope->roots, scope->root_count, filter, out);
}
