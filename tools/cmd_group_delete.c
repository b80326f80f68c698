#include "object_call.h"

static enum exit_code run_group_delete(struct cli *cli, struct words *words)
{
    return object_delete(cli, words, "/api/deviceGroups");
}

const struct cmd cmd_group_delete = {
    .name = "group delete",
    .arguments = "GROUP-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "delete a device group, not its devices",
    .more = "A job that has begun goes on: its devices were fixed when it began.",
    .example = "tranche group delete north",
    .run = run_group_delete,
};
