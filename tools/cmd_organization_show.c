#include "object_call.h"

static enum exit_code run_organization_show(struct cli *cli, struct words *words)
{
    return object_show(cli, words, "/api/organizations", "", organization_columns);
}

const struct cmd cmd_organization_show = {
    .name = "organization show",
    .arguments = "ORGANIZATION-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "show an organization",
    .example = "tranche organization show north -o json",
    .run = run_organization_show,
};
