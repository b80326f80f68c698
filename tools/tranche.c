/* tranche: the server and its command line in one program. */
#include "cli.h"

extern const struct cmd cmd_serve, cmd_token_create, cmd_token_list, cmd_token_show, cmd_token_revoke,
    cmd_role_list, cmd_device_import, cmd_device_list, cmd_device_show, cmd_device_update, cmd_device_delete,
    cmd_group_create, cmd_group_list, cmd_group_show, cmd_group_devices, cmd_group_count, cmd_group_explain,
    cmd_group_update, cmd_group_delete, cmd_job_create, cmd_job_watch, cmd_job_wait, cmd_job_list,
    cmd_job_show, cmd_job_devices, cmd_job_failures, cmd_job_stop, cmd_job_resume, cmd_job_rerun,
    cmd_schedule_create, cmd_schedule_list, cmd_schedule_show, cmd_schedule_update, cmd_schedule_enable,
    cmd_schedule_disable, cmd_schedule_delete, cmd_schedule_runs, cmd_template_import, cmd_template_list,
    cmd_template_show, cmd_template_delete, cmd_organization_create, cmd_organization_list,
    cmd_organization_show, cmd_organization_delete, cmd_audit, cmd_version, cmd_help;

/* In the order of a first rollout, which is the order of the help. */
const struct cmd *const cmds[] = {
    &cmd_serve,
    &cmd_token_create, &cmd_token_list, &cmd_token_show, &cmd_token_revoke, &cmd_role_list,
    &cmd_device_import, &cmd_device_list, &cmd_device_show, &cmd_device_update, &cmd_device_delete,
    &cmd_group_create, &cmd_group_list, &cmd_group_show, &cmd_group_devices, &cmd_group_count,
    &cmd_group_explain, &cmd_group_update, &cmd_group_delete,
    &cmd_job_create, &cmd_job_watch, &cmd_job_wait, &cmd_job_list, &cmd_job_show, &cmd_job_devices,
    &cmd_job_failures, &cmd_job_stop, &cmd_job_resume, &cmd_job_rerun,
    &cmd_schedule_create, &cmd_schedule_list, &cmd_schedule_show, &cmd_schedule_update, &cmd_schedule_enable,
    &cmd_schedule_disable, &cmd_schedule_delete, &cmd_schedule_runs,
    &cmd_template_import, &cmd_template_list, &cmd_template_show, &cmd_template_delete,
    &cmd_organization_create, &cmd_organization_list, &cmd_organization_show, &cmd_organization_delete,
    &cmd_audit, &cmd_version, &cmd_help,
    NULL,
};

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
