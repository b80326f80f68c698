#include "list.h"

static const struct column columns[] = {
    { "REASON", "reason", COLUMN_VALUE },
    { "OUTCOME", "outcome", COLUMN_VALUE },
    { "COUNT", "count", COLUMN_VALUE },
    { "LAST", "last", COLUMN_TIME },
    { "EXAMPLE", "example", COLUMN_VALUE },
    { 0 },
};

static enum exit_code run_job_failures(struct cli *cli, struct words *words)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    struct text path = {0};
    text_puts(&path, "/v1/jobs");
    http_path_add(&path, words_argument(words, 0));
    text_puts(&path, "/failures");
    enum exit_code code = list_run(cli, &path, columns, 0);
    text_free(&path);
    return code;
}

const struct cmd cmd_job_failures = {
    .name = "job failures",
    .arguments = "JOB-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "count a job's failures by reason",
    .more = "The most frequent first, each with a device that shows it.",
    .example = "tranche job failures warm-up",
    .run = run_job_failures,
};
