#include "cli.h"

#include <stdio.h>

static enum exit_code run_version(struct cli *cli, struct words *words)
{
    const char *value;
    (void)cli;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    printf("tranche %s\n", TRANCHE_VERSION);
    return EXIT_OK;
}

const struct cmd cmd_version = {
    .name = "version",
    .arguments = "",
    .help = "print the version",
    .example = "tranche version",
    .run = run_version,
};
