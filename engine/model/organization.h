/* The tree of organizations (api-contract.md 6.8): who is above whom. Pure.
 *
 * There are few of them, so a tree is a list, and a walk upwards goes through it.
 */
#ifndef ORGANIZATION_H
#define ORGANIZATION_H

#include "mem.h"

#include <tranche/err.h>

#define ORGANIZATIONS_MAX          200 /* as IoT Central has; see FILTER_BYTES_MAX */
#define ORGANIZATION_DEPTH_MAX     5
#define ORGANIZATION_ID_LENGTH_MAX 48

struct organization {
    const char *id;
    const char *parent; /* NULL: none */
};

/* Everything lives in `memory`. Zeroed is empty. */
struct organization_tree {
    struct organization *items;
    unsigned count;
    struct arena memory;
};

/* Reads an organization's stored body, an object with `parent` perhaps, into the tree. TRANCHE_FULL: there
 * are too many. */
enum tranche_code organization_tree_add(struct organization_tree *tree, const char *id, const char *body,
                                        struct tranche_err *err);
void organization_tree_free(struct organization_tree *tree);

const struct organization *organization_find(const struct organization_tree *tree,
                                             const char *id); /* NULL: none */
/* Whether `id` is `root` or below it. */
bool organization_is_within(const struct organization_tree *tree, const char *id, const char *root);
/* Whether `id` may be, or become, a child of `parent`: no circle, and not too deep. */
bool organization_fits(const struct organization_tree *tree, const char *id, const char *parent);
bool organization_has_children(const struct organization_tree *tree, const char *id);

/* Adds a group's filter, restricted to the devices of these organizations and of those below them. There is
 * one at least. */
void organization_filter(const struct organization_tree *tree, const char *const *roots, unsigned root_count,
                         const char *filter, struct text *out);

/* 2 to 48 of a-z, 0-9 and "-", which is neither first nor last. TRANCHE_INVALID, and a whole sentence. */
enum tranche_code organization_id_check(const char *what, const char *id, struct tranche_err *err);

#endif
