#include "list.h"
#include "object_call.h"

static enum exit_code run_group_devices(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/deviceGroups", "/devices", device_columns);
}

const struct cmd cmd_group_devices = {
    .name = "group devices",
    .arguments = "GROUP-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "list the devices that a group has now",
    .example = "tranche group devices north --limit 10",
    .flags = list_flags,
    .run = run_group_devices,
};
