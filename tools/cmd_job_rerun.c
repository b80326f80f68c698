#include "job_call.h"

#include "show.h"

#include <stdio.h>
#include <string.h>

#define RERUNS_MAX 1000 /* more reruns of one job are somebody's loop */

/* Finds the first of "<id>-rerun-1", "<id>-rerun-2" ... that no job has. */
static enum exit_code find_free(struct http *http, const char *id, struct text *free_id)
{
    for (int n = 1; n <= RERUNS_MAX; n++) {
        text_clear(free_id);
        text_printf(free_id, "%s-rerun-%d", id, n);
        enum exit_code code = job_call(http, "GET", free_id->bytes, "", NULL, 0);
        if (code == EXIT_NOTFOUND)
            return EXIT_OK;
        if (code != EXIT_OK)
            return http_report(http);
    }
    return cli_fail(EXIT_CONFLICT, "job \"%s\" has %d reruns already; give the new one an id", id, RERUNS_MAX);
}

static enum exit_code rerun(struct http *http, const char *id, const char *new_id)
{
    struct text order = {0};
    text_puts(&order, "/rerun");
    http_path_add(&order, new_id);
    enum exit_code code = job_call(http, "PUT", id, order.bytes, NULL, 0);
    text_free(&order);
    if (code != EXIT_OK)
        return http_report(http);
    show_job(http->cli, &http->json);
    return EXIT_OK;
}

static enum exit_code run_job_rerun(struct cli *cli, struct words *words)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    const char *id = words_argument(words, 0), *new_id = words_argument(words, 1);
    struct text free_id = {0};
    struct http http = {0};
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK && new_id == NULL) {
        code = find_free(&http, id, &free_id);
        new_id = free_id.bytes;
    }
    if (code == EXIT_OK)
        code = rerun(&http, id, new_id);
    http_close(&http);
    text_free(&free_id);
    return code;
}

const struct cmd cmd_job_rerun = {
    .name = "job rerun",
    .arguments = "JOB-ID [NEW-ID]",
    .arguments_min = 1,
    .arguments_max = 2,
    .help = "run a job again on exactly the devices that failed",
    .more = "Devices whose outcome is unknown count as failed: a command may then run twice on them.\n"
            "NEW-ID names the new job: else the first free one of JOB-ID-rerun-1, JOB-ID-rerun-2, ...",
    .example = "tranche job rerun warm-up",
    .run = run_job_rerun,
};
