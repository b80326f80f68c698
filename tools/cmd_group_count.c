#include "object_call.h"

static enum exit_code run_group_count(struct cli *cli, struct words *words)
{
    static const struct column columns[] = { { "COUNT", "count", COLUMN_VALUE }, { 0 } };
    return object_show(cli, words, "/v1/deviceGroups", "/count", columns);
}

const struct cmd cmd_group_count = {
    .name = "group count",
    .arguments = "GROUP-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "count the devices that a group has now",
    .example = "tranche group count north",
    .run = run_group_count,
};
