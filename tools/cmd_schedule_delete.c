#include "object_call.h"

static enum exit_code run_schedule_delete(struct cli *cli, struct words *words)
{
    return object_delete(cli, words, "/api/scheduledJobs");
}

const struct cmd cmd_schedule_delete = {
    .name = "schedule delete",
    .arguments = "SCHEDULE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "delete a schedule; the jobs it made stay",
    .more = "A job of it that is running goes on.",
    .example = "tranche schedule delete nightly",
    .run = run_schedule_delete,
};
