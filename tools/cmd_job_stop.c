#include "job_call.h"

static enum exit_code run_job_stop(struct cli *cli, struct words *words)
{
    return job_order(cli, words, "/stop");
}

const struct cmd cmd_job_stop = {
    .name = "job stop",
    .arguments = "JOB-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "stop a job; devices already called are not called again",
    .more = "Calls in flight still end and are counted. Stopping a stopped job is no error.",
    .example = "tranche job stop warm-up",
    .run = run_job_stop,
};
