#include "schedule_flags.h"

#include "when.h"

enum exit_code schedule_flags_take(const struct cli *cli, struct schedule_wish *wish, int flag, const char *value)
{
    switch (flag) {
    case SCHEDULE_START: wish->when.start = value; return EXIT_OK;
    case SCHEDULE_EVERY: wish->when.every = value; return EXIT_OK;
    case SCHEDULE_UNTIL: wish->when.until = value; return EXIT_OK;
    case SCHEDULE_TIMES: wish->when.times = value; return EXIT_OK;
    default:             return job_flags_take(cli, &wish->job, flag, value);
    }
}

enum exit_code schedule_flags_print(struct http *http, const struct schedule_wish *wish, const char *group,
                                    struct text *body)
{
    struct tranche_err err;
    if (schedule_body_print(&wish->when, when_now_us(), body, &err) != TRANCHE_OK)
        return cli_usage(http->cli, "%s", err.text);
    return job_flags_print(http, &wish->job, group, body);
}
