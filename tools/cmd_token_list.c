#include "list.h"
#include "object_call.h"

static enum exit_code run_token_list(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/apiTokens", NULL, token_columns);
}

const struct cmd cmd_token_list = {
    .name = "token list",
    .arguments = "",
    .help = "list API tokens, without their values",
    .example = "tranche token list",
    .flags = list_flags,
    .run = run_token_list,
};
