#include "list.h"

static enum exit_code run_job_list(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/api/jobs", NULL, job_columns);
}

const struct cmd cmd_job_list = {
    .name = "job list",
    .arguments = "",
    .help = "list jobs, newest first",
    .example = "tranche job list --limit 20",
    .flags = list_flags,
    .run = run_job_list,
};
