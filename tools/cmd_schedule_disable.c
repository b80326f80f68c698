#include "object_call.h"

static enum exit_code run_schedule_disable(struct cli *cli, struct words *words)
{
    return object_patch(cli, words, "/api/scheduledJobs", "{\"enabled\":false}", schedule_columns);
}

const struct cmd cmd_schedule_disable = {
    .name = "schedule disable",
    .arguments = "SCHEDULE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "keep a schedule from making jobs",
    .more = "A job of it that is running goes on.",
    .example = "tranche schedule disable nightly",
    .run = run_schedule_disable,
};
