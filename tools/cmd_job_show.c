#include "job_call.h"

static enum exit_code run_job_show(struct cli *cli, struct words *words)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    struct http http = {0};
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK)
        code = job_show(&http, words_argument(words, 0));
    http_close(&http);
    return code;
}

const struct cmd cmd_job_show = {
    .name = "job show",
    .arguments = "JOB-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "show a job with its counts",
    .more = "-o json prints the whole job as the API has it.",
    .example = "tranche job show warm-up -o json",
    .run = run_job_show,
};
