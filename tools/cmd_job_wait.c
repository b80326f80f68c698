#include "typed.h"
#include "watch.h"

enum { TIMEOUT = 1, EXIT_STATUS };

static const struct flag flags[] = {
    { TIMEOUT, 0, "timeout", "TIME", "give up after 90s, 10m, 2h; exit 7 (0: never)" },
    { EXIT_STATUS, 0, "exit-status", NULL, "exit 9 when the job is complete but devices failed" },
    { 0 },
};

static enum exit_code run_job_wait(struct cli *cli, struct words *words)
{
    struct watch_options options = { .interval_us = WATCH_INTERVAL_US, .quiet = true };
    const char *value;
    struct tranche_err err;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FLAG_BAD)
            return EXIT_USAGE;
        else if (flag == EXIT_STATUS)
            options.exit_status = true;
        else if (typed_seconds(value, &options.timeout_us, &err) != TRANCHE_OK)
            return cli_usage(cli, "--timeout: %s", err.text);
    struct http http = {0};
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK)
        code = watch_job(&http, words_argument(words, 0), &options);
    http_close(&http);
    return code;
}

const struct cmd cmd_job_wait = {
    .name = "job wait",
    .arguments = "JOB-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "wait until a job has ended, and say how",
    .more = "Like job watch, without the picture. Exit 8 when the job ends cancelled, failed or stopped.",
    .example = "tranche job wait warm-up --timeout 10m --exit-status",
    .flags = flags,
    .run = run_job_wait,
};
