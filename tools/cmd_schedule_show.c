#include "job_detail.h"
#include "object_call.h"

static enum exit_code run_schedule_show(struct cli *cli, struct words *words)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    struct http http = { 0 };
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK &&
        object_call(&http, "GET", "/api/scheduledJobs", words_argument(words, 0), "", NULL, 0) != EXIT_OK)
        code = http_report(&http);
    if (code == EXIT_OK) {
        show_object(cli, &http.json, schedule_columns);
        job_detail_show(cli, &http.json, NULL);
    }
    http_close(&http);
    return code;
}

const struct cmd cmd_schedule_show = {
    .name = "schedule show",
    .arguments = "SCHEDULE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "show a schedule and the job that it makes",
    .more = "What the job does is shown on a terminal, and wherever -o wide asks for it.",
    .example = "tranche schedule show nightly -o wide",
    .run = run_schedule_show,
};
