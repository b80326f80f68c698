#include "object_call.h"

static enum exit_code run_organization_delete(struct cli *cli, struct words *words)
{
    return object_delete(cli, words, "/api/organizations");
}

const struct cmd cmd_organization_delete = {
    .name = "organization delete",
    .arguments = "ORGANIZATION-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "delete an organization to which nothing belongs",
    .more = "Groups, devices, jobs, schedules, tokens and organizations below it keep it from going.",
    .example = "tranche organization delete north",
    .run = run_organization_delete,
};
