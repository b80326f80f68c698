#include "object_call.h"
#include "schedule_flags.h"

static const struct flag flags[] = { SCHEDULE_FLAGS, { 0 } };

/* The schedule's own group, which tells the template where neither was named. */
static enum exit_code find_group(struct http *http, const char *id, struct text *group)
{
    if (object_call(http, "GET", "/api/scheduledJobs", id, "", NULL, 0) != EXIT_OK)
        return http_report(http);
    const char *found = json_string(json_member(http->json.root, "group"));
    text_puts(group, found != NULL ? found : "");
    return EXIT_OK;
}

static enum exit_code update(struct cli *cli, const char *id, const struct schedule_wish *wish)
{
    struct http http = { 0 };
    struct text body = { 0 }, group = { 0 };
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK && wish->job.group == NULL && job_words_need_target(&wish->job))
        code = find_group(&http, id, &group);
    text_puts(&body, "{");
    if (code == EXIT_OK)
        code =
            schedule_flags_print(&http, wish, wish->job.group != NULL ? wish->job.group : group.bytes, &body);
    text_puts(&body, "}");
    http_close(&http);
    if (code == EXIT_OK)
        code = object_send(cli, "PATCH", "/api/scheduledJobs", id, &body, schedule_columns);
    text_free(&group);
    text_free(&body);
    return code;
}

static enum exit_code run_schedule_update(struct cli *cli, struct words *words)
{
    struct schedule_wish wish = { 0 };
    bool any = false;
    const char *value;
    enum exit_code code = EXIT_OK;
    for (int flag; code == EXIT_OK && (flag = words_flag(words, &value)) != FLAG_END; any = true)
        code = flag == FLAG_BAD ? EXIT_USAGE : schedule_flags_take(cli, &wish, flag, value);
    if (code == EXIT_OK && !any)
        code = cli_usage(cli, "what is to be changed? --start, --every, --group, --property, --batch ...");
    if (code == EXIT_OK)
        code = job_flags_check(cli, &wish.job, false);
    return code == EXIT_OK ? update(cli, words_argument(words, 0), &wish) : code;
}

const struct cmd cmd_schedule_update = {
    .name = "schedule update",
    .arguments = "SCHEDULE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "change a schedule; what is not named stays",
    .more =
        "\"\" takes something away: --every \"\" makes it run once, --until \"\" lets it go on for ever.\n"
        "Properties and commands are replaced as a whole. Refused while a job of it is running.",
    .example = "tranche schedule update nightly --every week --batch 10%",
    .flags = flags,
    .run = run_schedule_update,
};
