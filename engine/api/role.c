#include "role.h"

#include <assert.h>
#include <string.h>

#define MAY(permission) (1u << PERMISSION_##permission)

enum {
    VIEW = MAY(JOBS_VIEW) | MAY(SCHEDULES_VIEW) | MAY(GROUPS_VIEW) | MAY(DEVICES_VIEW) | MAY(TEMPLATES_VIEW) |
           MAY(ORGANIZATIONS_VIEW) | MAY(ROLES_VIEW),
    OPERATE = VIEW | MAY(JOBS_RUN) | MAY(DEVICES_CALL),
    BUILD = OPERATE | MAY(JOBS_DELETE) | MAY(SCHEDULES_WRITE) | MAY(GROUPS_WRITE) | MAY(DEVICES_WRITE) |
            MAY(TEMPLATES_WRITE),
    EVERYTHING = (1u << PERMISSION_COUNT) - 1
};

static const struct role roles[] = {
    { "ca310b8d-2f4a-44e0-a36e-957c202cd8d4", "Administrator", "administrator", EVERYTHING },
    { "344138e9-8de4-4497-8c54-5237e96d6aaf", "Builder", "builder", BUILD },
    { "ae2c9854-393b-4f97-8c42-479d70ce626e", "Operator", "operator", OPERATE },
    { "c495eb57-eb18-489e-9802-62c474e5645c", "Org Admin", "org-admin", EVERYTHING },
    { "b4935647-30e4-4ed3-9074-dcac66c2f8ef", "Org Operator", "org-operator", OPERATE },
    { "84cc62c1-dabe-49d3-b16e-8b291232b285", "Org Viewer", "org-viewer", VIEW },
};

static const char *const permission_texts[] = {
#define X(permission, text) text,
    PERMISSIONS(X)
#undef X
};

const char *permission_text(enum permission permission)
{
    assert(permission < PERMISSION_COUNT);
    return permission_texts[permission];
}

const struct role *role_all(size_t *count)
{
    *count = sizeof roles / sizeof roles[0];
    return roles;
}

const struct role *role_by_id(const char *id)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(roles[i].id, id) == 0)
            return &roles[i];
    return NULL;
}

const struct role *role_by_word(const char *word)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(roles[i].word, word) == 0)
            return &roles[i];
    return NULL;
}

bool role_may(const struct role *role, enum permission permission)
{
    assert(permission < PERMISSION_COUNT);
    return (role->may & 1u << permission) != 0;
}
