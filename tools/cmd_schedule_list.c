#include "list.h"
#include "object_call.h"

static enum exit_code run_schedule_list(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/scheduledJobs", NULL, schedule_columns);
}

const struct cmd cmd_schedule_list = {
    .name = "schedule list",
    .arguments = "",
    .help = "list schedules",
    .example = "tranche schedule list -o wide",
    .flags = list_flags,
    .run = run_schedule_list,
};
