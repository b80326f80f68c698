#include "object_call.h"

static enum exit_code run_template_delete(struct cli *cli, struct words *words)
{
    return object_delete(cli, words, "/api/deviceTemplates");
}

const struct cmd cmd_template_delete = {
    .name = "template delete",
    .arguments = "TEMPLATE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "delete a device template that no device has",
    .more = "Jobs for it are then no longer checked against a model.",
    .example = "tranche template delete 'dtmi:contoso:Pump;1'",
    .run = run_template_delete,
};
