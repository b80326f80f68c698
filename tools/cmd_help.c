#include "cli.h"

static enum exit_code run_help(struct cli *cli, struct words *words)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    const char *typed[] = { words_argument(words, 0), words_argument(words, 1) };
    if (typed[0] == NULL) {
        cli_overview(false);
        return EXIT_OK;
    }
    int used;
    const struct cmd *cmd = cli_find(typed[1] != NULL ? 2 : 1, (char *const *)typed, &used);
    if (cmd == NULL && typed[1] == NULL && cli_help_noun(typed[0]))
        return EXIT_OK;
    if (cmd == NULL)
        return cli_usage(cli, "there is no command \"%s%s%s\"; tranche help lists them", typed[0],
                         typed[1] != NULL ? " " : "", typed[1] != NULL ? typed[1] : "");
    cli_help(cmd);
    return EXIT_OK;
}

const struct cmd cmd_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .arguments_max = 2,
    .help = "list the commands, or explain one",
    .example = "tranche help job create",
    .run = run_help,
};
