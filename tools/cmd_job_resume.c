#include "job_call.h"

static enum exit_code run_job_resume(struct cli *cli, struct words *words)
{
    return job_order(cli, words, "/resume");
}

const struct cmd cmd_job_resume = {
    .name = "job resume",
    .arguments = "JOB-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "go on with a stopped job where it was",
    .more = "Devices that failed are not called again: see tranche job rerun. Resuming a running job is\n"
            "no error.",
    .example = "tranche job resume warm-up",
    .run = run_job_resume,
};
