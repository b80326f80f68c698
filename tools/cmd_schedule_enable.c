#include "object_call.h"

static enum exit_code run_schedule_enable(struct cli *cli, struct words *words)
{
    return object_patch(cli, words, "/api/scheduledJobs", "{\"enabled\":true}", schedule_columns);
}

const struct cmd cmd_schedule_enable = {
    .name = "schedule enable",
    .arguments = "SCHEDULE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "let a schedule make jobs again",
    .more = "What was due while it was disabled is not made up for.",
    .example = "tranche schedule enable nightly",
    .run = run_schedule_enable,
};
