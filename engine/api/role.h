/* Roles and what they may do (api-contract.md 8): one table, read by the door and by `tranche token create`. */
#ifndef ROLE_H
#define ROLE_H

#include <stdbool.h>
#include <stddef.h>

/*    permission      what a refusal says the role may not do */
#define PERMISSIONS(X)                                                                                               \
    X(JOBS_VIEW,           "view jobs")                                                                              \
    X(JOBS_RUN,            "run jobs")                                                                               \
    X(JOBS_DELETE,         "delete jobs")                                                                            \
    X(SCHEDULES_VIEW,      "view schedules")                                                                         \
    X(SCHEDULES_WRITE,     "write schedules")                                                                        \
    X(GROUPS_VIEW,         "view device groups")                                                                     \
    X(GROUPS_WRITE,        "write device groups")                                                                    \
    X(DEVICES_VIEW,        "view devices")                                                                           \
    X(DEVICES_WRITE,       "write devices")                                                                          \
    X(DEVICES_CALL,        "run commands and write properties of devices")                                          \
    X(TEMPLATES_VIEW,      "view device templates")                                                                  \
    X(TEMPLATES_WRITE,     "write device templates")                                                                 \
    X(ORGANIZATIONS_VIEW,  "view organizations")                                                                     \
    X(ORGANIZATIONS_WRITE, "write organizations")                                                                    \
    X(ROLES_VIEW,          "view roles")                                                                             \
    X(TOKENS_VIEW,         "view tokens")                                                                            \
    X(TOKENS_WRITE,        "write tokens")                                                                           \
    X(AUDIT_VIEW,          "view the audit")

enum permission {
#define X(permission, text) PERMISSION_##permission,
    PERMISSIONS(X)
#undef X
    PERMISSION_COUNT,
    PERMISSION_PUBLIC /* needs no token */
};

const char *permission_text(enum permission permission); /* "view jobs"; not of PERMISSION_PUBLIC */

struct role {
    const char *id;   /* as IoT Central's clients know it */
    const char *name; /* for people: "Operator" */
    const char *word; /* for the command line: "operator" */
    unsigned may;     /* bit mask of 1u << permission */
};

const struct role *role_all(size_t *count);
const struct role *role_by_id(const char *id);     /* NULL: unknown */
const struct role *role_by_word(const char *word); /* NULL: unknown */
bool role_may(const struct role *role, enum permission permission);

#endif
