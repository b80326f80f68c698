#include "list.h"
#include "object_call.h"

static enum exit_code run_organization_list(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/organizations", NULL, organization_columns);
}

const struct cmd cmd_organization_list = {
    .name = "organization list",
    .arguments = "",
    .help = "list organizations",
    .example = "tranche organization list -o tsv",
    .flags = list_flags,
    .run = run_organization_list,
};
