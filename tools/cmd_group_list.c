#include "list.h"
#include "object_call.h"

static enum exit_code run_group_list(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/deviceGroups", NULL, group_columns);
}

const struct cmd cmd_group_list = {
    .name = "group list",
    .arguments = "",
    .help = "list device groups",
    .example = "tranche group list -o tsv",
    .flags = list_flags,
    .run = run_group_list,
};
