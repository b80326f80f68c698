#include "object_call.h"

static enum exit_code run_token_revoke(struct cli *cli, struct words *words)
{
    return object_delete(cli, words, "/api/apiTokens");
}

const struct cmd cmd_token_revoke = {
    .name = "token revoke",
    .arguments = "NAME",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "revoke an API token: its next request is refused",
    .more = "What it started goes on.",
    .example = "tranche token revoke ops",
    .run = run_token_revoke,
};
