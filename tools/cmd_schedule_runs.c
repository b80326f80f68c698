#include "list.h"

static enum exit_code run_schedule_runs(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/scheduledJobs", "/jobs", job_columns);
}

const struct cmd cmd_schedule_runs = {
    .name = "schedule runs",
    .arguments = "SCHEDULE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "list the jobs that a schedule made, newest first",
    .example = "tranche schedule runs nightly --limit 7",
    .flags = list_flags,
    .run = run_schedule_runs,
};
