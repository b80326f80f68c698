/* What a caller reaches for what it wants to do: the whole fleet, or some organizations and those below them
 * (api-contract.md 6.8, 8). What lies outside does not exist for it.
 */
#ifndef SCOPE_H
#define SCOPE_H

#include "organization.h"
#include "token.h"

#include <tranche/store.h>

struct scope {
    bool whole;
    const char *roots[TOKEN_ROLES_MAX]; /* organizations; they live as long as the token */
    unsigned root_count;
    struct organization_tree tree; /* empty when whole */
};

/* Of the token's roles that have the permission. Free it in either case. */
enum tranche_code scope_open(struct scope *scope, const struct token *token, enum permission permission,
                             struct tranche_reader *reader, struct tranche_err *err);
void scope_free(struct scope *scope);

/* Whether what belongs to an organization (NULL or "": to none) lies inside. */
bool scope_holds(const struct scope *scope, const char *organization);
/* To what a new object belongs that names no organization; NULL: to none. */
const char *scope_home(const struct scope *scope);
/* Adds a filter, restricted to what lies inside. */
void scope_filter(const struct scope *scope, const char *filter, struct text *out);

#endif
