/* tranche: the server and its command line in one program. */
#include "cli.h"

extern const struct cmd cmd_serve, cmd_token_create, cmd_device_import, cmd_group_create, cmd_job_create, cmd_job_show,
    cmd_job_watch, cmd_job_stop, cmd_job_resume, cmd_job_rerun, cmd_version, cmd_help;

/* In the order of a first rollout, which is the order of the help. */
const struct cmd *const cmds[] = {
    &cmd_serve,    &cmd_token_create, &cmd_device_import, &cmd_group_create, &cmd_job_create, &cmd_job_watch,
    &cmd_job_show, &cmd_job_stop,     &cmd_job_resume,    &cmd_job_rerun,    &cmd_version,    &cmd_help,
    NULL,
};

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
