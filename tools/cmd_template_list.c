#include "list.h"
#include "object_call.h"

static enum exit_code run_template_list(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/deviceTemplates", NULL, template_columns);
}

const struct cmd cmd_template_list = {
    .name = "template list",
    .arguments = "",
    .help = "list device templates",
    .example = "tranche template list -o id",
    .flags = list_flags,
    .run = run_template_list,
};
