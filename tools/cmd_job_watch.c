#include "typed.h"
#include "watch.h"

enum { INTERVAL = 1, TIMEOUT, EXIT_STATUS };

static const struct flag flags[] = {
    { INTERVAL, 0, "interval", "SECONDS", "between two looks, at least 0.2 (0.5)" },
    { TIMEOUT, 0, "timeout", "TIME", "stop watching after 90s, 10m, 2h; exit 7 (0: never)" },
    { EXIT_STATUS, 0, "exit-status", NULL, "exit 9 when the job is complete but devices failed" },
    { 0 },
};

static enum exit_code take_time(const struct cli *cli, const char *flag, const char *value, int64_t least_us,
                                int64_t *us)
{
    struct tranche_err err;
    if (typed_seconds(value, us, &err) != TRANCHE_OK)
        return cli_usage(cli, "--%s: %s", flag, err.text);
    if (*us < least_us)
        return cli_usage(cli, "--%s: expected at least %.1f seconds, got \"%s\"", flag, (double)least_us / 1e6, value);
    return EXIT_OK;
}

static enum exit_code run_job_watch(struct cli *cli, struct words *words)
{
    struct watch_options options = { .interval_us = WATCH_INTERVAL_US };
    const char *value;
    enum exit_code code = EXIT_OK;
    for (int flag; code == EXIT_OK && (flag = words_flag(words, &value)) != FLAG_END;)
        switch (flag) {
        case INTERVAL:
            code = take_time(cli, "interval", value, WATCH_INTERVAL_US_MIN, &options.interval_us);
            break;
        case TIMEOUT:
            code = take_time(cli, "timeout", value, 0, &options.timeout_us);
            break;
        case EXIT_STATUS:
            options.exit_status = true;
            break;
        default:
            return EXIT_USAGE;
        }
    if (code != EXIT_OK)
        return code;
    struct http http = {0};
    code = http_open(&http, cli);
    if (code == EXIT_OK)
        code = watch_job(&http, words_argument(words, 0), &options);
    http_close(&http);
    return code;
}

const struct cmd cmd_job_watch = {
    .name = "job watch",
    .arguments = "JOB-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "follow a job until it ends",
    .more = "A live picture on a terminal; in a log one line at the end of a batch and every 10 s. Progress goes\n"
            "to stderr, the closing sentence to stdout. Ctrl-C stops watching, never the job. Exit 8 when\n"
            "the job ends cancelled, failed or stopped.",
    .example = "tranche job watch warm-up --exit-status",
    .flags = flags,
    .run = run_job_watch,
};
