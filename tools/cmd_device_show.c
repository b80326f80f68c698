#include "object_call.h"

static enum exit_code run_device_show(struct cli *cli, struct words *words)
{
    return object_show(cli, words, "/api/devices", "", device_columns);
}

const struct cmd cmd_device_show = {
    .name = "device show",
    .arguments = "DEVICE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "show a device",
    .example = "tranche device show pump-7 -o json",
    .run = run_device_show,
};
