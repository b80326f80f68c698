#include "object_call.h"
#include "schedule_flags.h"

enum { DISABLED = SCHEDULE_FLAG_OWN };

static const struct flag flags[] = {
    SCHEDULE_FLAGS,
    { DISABLED, 0, "disabled", NULL, "do not run it until it is enabled" },
    { 0 },
};

static enum exit_code check(const struct cli *cli, const struct schedule_wish *wish)
{
    if (wish->when.start == NULL)
        return cli_usage(cli, "--start is missing: now, or a time such as 2026-03-02T09:20:00Z");
    if (wish->when.every == NULL && (wish->when.until != NULL || wish->when.times != NULL))
        return cli_usage(cli, "--until and --times need --every: without it, the job runs once");
    return job_flags_check(cli, &wish->job, true);
}

static enum exit_code create(struct cli *cli, const char *id, const struct schedule_wish *wish, bool disabled)
{
    struct http http = { 0 };
    struct text body = { 0 };
    enum exit_code code = http_open(&http, cli);
    text_puts(&body, "{");
    if (code == EXIT_OK)
        code = schedule_flags_print(&http, wish, wish->job.group, &body);
    text_puts(&body, disabled ? ",\"enabled\":false}" : ",\"enabled\":true}");
    http_close(&http);
    if (code == EXIT_OK)
        code = object_send(cli, "PUT", "/api/scheduledJobs", id, &body, schedule_columns);
    text_free(&body);
    return code;
}

static enum exit_code run_schedule_create(struct cli *cli, struct words *words)
{
    struct schedule_wish wish = { 0 };
    bool disabled = false;
    const char *value;
    enum exit_code code = EXIT_OK;
    for (int flag; code == EXIT_OK && (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FLAG_BAD)
            code = EXIT_USAGE;
        else if (flag == DISABLED)
            disabled = true;
        else
            code = schedule_flags_take(cli, &wish, flag, value);
    if (code == EXIT_OK)
        code = check(cli, &wish);
    return code == EXIT_OK ? create(cli, words_argument(words, 0), &wish, disabled) : code;
}

const struct cmd cmd_schedule_create = {
    .name = "schedule create",
    .arguments = "SCHEDULE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "create a schedule that makes jobs, or replace one",
    .more = "Each run is a job of its own, on the devices that its group has by then. Values as in\n"
            "tranche job create. Without --every it runs once.",
    .example =
        "tranche schedule create nightly -g pumps --command reboot --start 2026-12-01T03:00:00Z --every day",
    .flags = flags,
    .run = run_schedule_create,
};
