#include "list.h"

static const struct column columns[] = {
    { "ROLE", "id", COLUMN_ROLES },
    { "NAME", "displayName", COLUMN_VALUE },
    { "ID", "id", COLUMN_VALUE },
    { 0 },
};

static enum exit_code run_role_list(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/roles", NULL, columns);
}

const struct cmd cmd_role_list = {
    .name = "role list",
    .arguments = "",
    .help = "list the roles that a token may have",
    .more = "ROLE is what token create --role takes, ID what the API takes.",
    .example = "tranche role list",
    .flags = list_flags,
    .run = run_role_list,
};
