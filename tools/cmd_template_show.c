#include "object_call.h"

static enum exit_code run_template_show(struct cli *cli, struct words *words)
{
    return object_show(cli, words, "/api/deviceTemplates", "", template_columns);
}

const struct cmd cmd_template_show = {
    .name = "template show",
    .arguments = "TEMPLATE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "show a device template",
    .example = "tranche template show 'dtmi:contoso:Pump;1' -o json",
    .run = run_template_show,
};
