/* The handlers that the table of routes names. Each is called on an HTTP thread when the request is complete. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include "request.h"

/* api_jobs.c */
void jobs_list(struct request *request);
void jobs_get(struct request *request);
void jobs_put(struct request *request);
void jobs_devices(struct request *request);
void jobs_stop(struct request *request);
void jobs_resume(struct request *request);
void jobs_rerun(struct request *request);
void jobs_delete(struct request *request);

/* api_schedules.c */
void schedules_list(struct request *request);
void schedules_get(struct request *request);
void schedules_put(struct request *request);
void schedules_patch(struct request *request);
void schedules_delete(struct request *request);
void schedules_jobs(struct request *request);

/* api_groups.c */
void groups_list(struct request *request);
void groups_get(struct request *request);
void groups_put(struct request *request);
void groups_patch(struct request *request);
void groups_delete(struct request *request);
void groups_devices(struct request *request);
void groups_count(struct request *request);
void groups_explain(struct request *request);

/* api_devices.c */
void devices_list(struct request *request);
void devices_get(struct request *request);
void devices_put(struct request *request);
void devices_patch(struct request *request);
void devices_delete(struct request *request);

/* api_properties.c */
void properties_get(struct request *request);
void properties_of_component(struct request *request);

/* api_calls.c */
void calls_run_command(struct request *request);
void calls_history(struct request *request);
void calls_write_properties(struct request *request);
void calls_components(struct request *request);

/* api_templates.c */
void templates_list(struct request *request);
void templates_get(struct request *request);
void templates_put(struct request *request);
void templates_patch(struct request *request);
void templates_delete(struct request *request);

/* api_organizations.c */
void organizations_list(struct request *request);
void organizations_get(struct request *request);
void organizations_put(struct request *request);
void organizations_patch(struct request *request);
void organizations_delete(struct request *request);

/* api_tokens.c */
void roles_list(struct request *request);
void roles_get(struct request *request);
void tokens_list(struct request *request);
void tokens_get(struct request *request);
void tokens_put(struct request *request);
void tokens_delete(struct request *request);

/* api_audit.c */
void audit_list(struct request *request);

/* api_native.c */
void native_progress(struct request *request);
void native_devices(struct request *request);
void native_failures(struct request *request);
void native_batches(struct request *request);

/* api_import.c */
void import_take(struct request *request, const char *bytes, size_t count);
void import_end(struct request *request);

/* api_imports.c */
void imports_get(struct request *request);
void imports_list(struct request *request);

/* health.c */
void openapi_get(struct request *request);
void health_live(struct request *request);
void health_ready(struct request *request);

#endif
