#include "job_call.h"
#include "job_detail.h"
#include "object_call.h"

/* The reason why it ended is only known to the native API, whose answer takes the place of the job's. */
static enum exit_code show_detail(struct http *http, const char *id)
{
    struct http native = {0};
    enum exit_code code = http_open(&native, http->cli);
    if (code == EXIT_OK && object_call(&native, "GET", "/v1/jobs", id, "/progress", NULL, 0) != EXIT_OK)
        code = http_report(&native);
    if (code == EXIT_OK)
        job_detail_show(http->cli, &http->json, json_string(json_member(native.json.root, "reason")));
    http_close(&native);
    return code;
}

static enum exit_code run_job_show(struct cli *cli, struct words *words)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    struct http http = {0};
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK)
        code = job_show(&http, words_argument(words, 0));
    if (code == EXIT_OK && job_detail_is_wanted(cli))
        code = show_detail(&http, words_argument(words, 0));
    http_close(&http);
    return code;
}

const struct cmd cmd_job_show = {
    .name = "job show",
    .arguments = "JOB-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "show a job with its counts, what it does, and why it ended",
    .more = "Only the row of counts where the output is no terminal, unless -o wide asks for the rest.\n"
            "-o json prints the whole job as the API has it.",
    .example = "tranche job show warm-up -o wide",
    .run = run_job_show,
};
