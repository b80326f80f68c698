/* The devices that a group means: those that match its filter and, when it belongs to an organization, belong
 * to it or to one below. */
#ifndef GROUP_FILTER_H
#define GROUP_FILTER_H

#include "mem.h"
#include "organization.h"

#include <tranche/err.h>
#include <tranche/store.h>

/* All organizations, as the writer or a reader sees them. Free the tree in either case. */
enum tranche_code organizations_load(struct tranche_store *store, struct organization_tree *tree,
                                     struct tranche_err *err);
enum tranche_code organizations_read(struct tranche_reader *reader, struct organization_tree *tree,
                                     struct tranche_err *err);

/* Adds the filter. `organization`: of the job that asks, "" for none; TRANCHE_NOTFOUND: the group does not lie within it (any
 * more). The tree is loaded before the group is found: what the store hands out lives until its next call. */
enum tranche_code group_filter(const struct tranche_group_record *group, const struct organization_tree *tree,
                               const char *organization, struct text *filter, struct tranche_err *err);

#endif
