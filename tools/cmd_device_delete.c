#include "object_call.h"

static enum exit_code run_device_delete(struct cli *cli, struct words *words)
{
    return object_delete(cli, words, "/api/devices");
}

const struct cmd cmd_device_delete = {
    .name = "device delete",
    .arguments = "DEVICE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "delete a device",
    .more = "Jobs that ran on it keep its row; in a job that has not come to it yet it fails as deleted.",
    .example = "tranche device delete pump-7",
    .run = run_device_delete,
};
