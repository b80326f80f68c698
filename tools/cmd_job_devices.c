#include "list.h"

enum { LIMIT = 1, OUTCOME };

static const struct flag flags[] = {
    { OUTCOME, 0, "outcome", "WORD", "only those pending, completed, failed or unknown" },
    { LIMIT, 0, "limit", "N", LIST_FLAG_HELP },
    { 0 },
};

static const struct column columns[] = {
    { "ID", "id", COLUMN_VALUE },
    { "OUTCOME", "outcome", COLUMN_VALUE },
    { "BATCH", "batch", COLUMN_WIDE },
    { "ATTEMPT", "attempt", COLUMN_WIDE },
    { "CODE", "code", COLUMN_VALUE },
    { "REASON", "reason", COLUMN_VALUE },
    { "ANSWER", "answer", COLUMN_WIDE },
    { "AT", "at", COLUMN_TIME },
    { 0 },
};

static enum exit_code run_job_devices(struct cli *cli, struct words *words)
{
    uint32_t limit = LIST_LIMIT;
    const char *value, *outcome = NULL;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == OUTCOME)
            outcome = value;
        else if (flag == FLAG_BAD || list_limit(cli, value, &limit) != EXIT_OK)
            return EXIT_USAGE;
    struct text path = {0};
    text_puts(&path, "/v1/jobs");
    http_path_add(&path, words_argument(words, 0));
    text_puts(&path, "/devices?maxpagesize=1000");
    if (outcome != NULL) {
        text_puts(&path, "&outcome=");
        http_text_add(&path, outcome);
    }
    enum exit_code code = list_run(cli, &path, columns, limit);
    text_free(&path);
    return code;
}

const struct cmd cmd_job_devices = {
    .name = "job devices",
    .arguments = "JOB-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "list a job's devices with their outcomes",
    .more = "-o wide adds batch, attempt and what the gateway answered.",
    .example = "tranche job devices warm-up --outcome failed",
    .flags = flags,
    .run = run_job_devices,
};
