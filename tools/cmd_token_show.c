#include "object_call.h"

static enum exit_code run_token_show(struct cli *cli, struct words *words)
{
    return object_show(cli, words, "/api/apiTokens", "", token_columns);
}

const struct cmd cmd_token_show = {
    .name = "token show",
    .arguments = "NAME",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "show an API token, without its value",
    .example = "tranche token show ops",
    .run = run_token_show,
};
