#include "object_call.h"

static enum exit_code run_group_show(struct cli *cli, struct words *words)
{
    return object_show(cli, words, "/api/deviceGroups", "", group_columns);
}

const struct cmd cmd_group_show = {
    .name = "group show",
    .arguments = "GROUP-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "show a device group",
    .example = "tranche group show north -o json",
    .run = run_group_show,
};
