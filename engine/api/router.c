#include "router.h"

#include "handlers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct route routes[] = {
    { "GET", "/api/jobs", "Jobs_List", PERMISSION_JOBS_VIEW,
      jobs_list, "list jobs, newest first", .answer = "JobCollection" },
    { "GET", "/api/jobs/{job}", "Jobs_Get", PERMISSION_JOBS_VIEW,
      jobs_get, "get a job", .answer = "Job" },
    { "PUT", "/api/jobs/{job}", "Jobs_Create", PERMISSION_JOBS_RUN,
      jobs_put, "create and start a job", .body = "Job", .answer = "Job" },
    { "GET", "/api/jobs/{job}/devices", "Jobs_GetDevices", PERMISSION_JOBS_VIEW,
      jobs_devices, "list a job's devices", .answer = "JobDeviceStatusCollection" },
    { "POST", "/api/jobs/{job}/stop", "Jobs_Stop", PERMISSION_JOBS_RUN,
      jobs_stop, "stop a job", .status = 204 },
    { "POST", "/api/jobs/{job}/resume", "Jobs_Resume", PERMISSION_JOBS_RUN,
      jobs_resume, "resume a stopped job", .status = 204 },
    { "PUT", "/api/jobs/{job}/rerun/{rerun}", "Jobs_Rerun", PERMISSION_JOBS_RUN,
      jobs_rerun, "run a job again on the devices that failed", .answer = "Job" },

    { "GET", "/api/scheduledJobs", "ScheduledJobs_List", PERMISSION_SCHEDULES_VIEW,
      schedules_list, "list the schedules", .answer = "ScheduledJobCollection" },
    { "GET", "/api/scheduledJobs/{schedule}", "ScheduledJobs_Get", PERMISSION_SCHEDULES_VIEW,
      schedules_get, "get a schedule", .answer = "ScheduledJob" },
    { "PUT", "/api/scheduledJobs/{schedule}", "ScheduledJobs_Create", PERMISSION_SCHEDULES_WRITE,
      schedules_put, "create or replace a schedule", .body = "ScheduledJob", .answer = "ScheduledJob" },
    { "PATCH", "/api/scheduledJobs/{schedule}", "ScheduledJobs_Update", PERMISSION_SCHEDULES_WRITE,
      schedules_patch, "change a schedule", .body = "ScheduledJob", .answer = "ScheduledJob" },
    { "DELETE", "/api/scheduledJobs/{schedule}", "ScheduledJobs_Remove", PERMISSION_SCHEDULES_WRITE,
      schedules_delete, "delete a schedule; the jobs it made stay", .status = 204 },
    { "GET", "/api/scheduledJobs/{schedule}/jobs", "ScheduledJobs_ListJobs", PERMISSION_SCHEDULES_VIEW,
      schedules_jobs, "list the jobs that a schedule made, newest first", .answer = "JobCollection" },

    { "GET", "/api/deviceGroups", "DeviceGroups_List", PERMISSION_GROUPS_VIEW,
      groups_list, "list the device groups", .answer = "DeviceGroupCollection" },
    { "GET", "/api/deviceGroups/{group}", "DeviceGroups_Get", PERMISSION_GROUPS_VIEW,
      groups_get, "get a device group", .answer = "DeviceGroup" },
    { "PUT", "/api/deviceGroups/{group}", "DeviceGroups_Create", PERMISSION_GROUPS_WRITE,
      groups_put, "create or replace a device group", .body = "DeviceGroup", .answer = "DeviceGroup" },
    { "PATCH", "/api/deviceGroups/{group}", "DeviceGroups_Update", PERMISSION_GROUPS_WRITE,
      groups_patch, "change a device group", .body = "DeviceGroup", .answer = "DeviceGroup" },
    { "DELETE", "/api/deviceGroups/{group}", "DeviceGroups_Remove", PERMISSION_GROUPS_WRITE,
      groups_delete, "delete a device group", .status = 204 },
    { "GET", "/api/deviceGroups/{group}/devices", "DeviceGroups_GetDevices", PERMISSION_GROUPS_VIEW,
      groups_devices, "list the devices of a group", .answer = "DeviceCollection" },

    { "GET", "/api/devices", "Devices_List", PERMISSION_DEVICES_VIEW,
      devices_list, "list the devices", .answer = "DeviceCollection" },
    { "GET", "/api/devices/{device}", "Devices_Get", PERMISSION_DEVICES_VIEW,
      devices_get, "get a device", .answer = "Device" },
    { "PUT", "/api/devices/{device}", "Devices_Create", PERMISSION_DEVICES_WRITE,
      devices_put, "create or replace a device", .body = "Device", .answer = "Device" },
    { "PATCH", "/api/devices/{device}", "Devices_Update", PERMISSION_DEVICES_WRITE,
      devices_patch, "change a device", .body = "Device", .answer = "Device" },
    { "DELETE", "/api/devices/{device}", "Devices_Remove", PERMISSION_DEVICES_WRITE,
      devices_delete, "delete a device", .status = 204 },
    { "GET", "/api/devices/{device}/components", "Devices_ListComponents", PERMISSION_DEVICES_VIEW,
      calls_components, "list the components of a device's template", .answer = "Collection" },
    { "GET", "/api/devices/{device}/properties", "Devices_GetProperties", PERMISSION_DEVICES_VIEW,
      properties_get, "get a device's stored properties", .answer = "DeviceProperties" },
    { "PUT", "/api/devices/{device}/properties", "Devices_ReplaceProperties", PERMISSION_DEVICES_CALL,
      calls_write_properties, "write properties of a device", .body = "DeviceProperties",
      .answer = "DeviceProperties", .status = 202 },
    { "PATCH", "/api/devices/{device}/properties", "Devices_UpdateProperties", PERMISSION_DEVICES_CALL,
      calls_write_properties, "write properties of a device", .body = "DeviceProperties",
      .answer = "DeviceProperties", .status = 202 },
    { "GET", "/api/devices/{device}/components/{component}/properties", "Devices_GetComponentProperties",
      PERMISSION_DEVICES_VIEW, properties_of_component, "get the stored properties of a device's component",
      .answer = "DeviceProperties" },
    { "PUT", "/api/devices/{device}/components/{component}/properties", "Devices_ReplaceComponentProperties",
      PERMISSION_DEVICES_CALL, calls_write_properties, "write properties of a device's component", .body = "DeviceProperties",
      .answer = "DeviceProperties", .status = 202 },
    { "PATCH", "/api/devices/{device}/components/{component}/properties", "Devices_UpdateComponentProperties",
      PERMISSION_DEVICES_CALL, calls_write_properties, "write properties of a device's component", .body = "DeviceProperties",
      .answer = "DeviceProperties", .status = 202 },
    { "GET", "/api/devices/{device}/commands/{command}", "Devices_GetCommandHistory", PERMISSION_DEVICES_VIEW,
      calls_history, "list the calls of a command, newest first", .answer = "DeviceCommandCollection" },
    { "POST", "/api/devices/{device}/commands/{command}", "Devices_RunCommand", PERMISSION_DEVICES_CALL,
      calls_run_command, "run a command on a device", .body = "DeviceCommand", .answer = "DeviceCommand", .status = 201 },
    { "GET", "/api/devices/{device}/components/{component}/commands/{command}", "Devices_GetComponentCommandHistory",
      PERMISSION_DEVICES_VIEW, calls_history, "list the calls of a component's command, newest first",
      .answer = "DeviceCommandCollection" },
    { "POST", "/api/devices/{device}/components/{component}/commands/{command}", "Devices_RunComponentCommand",
      PERMISSION_DEVICES_CALL, calls_run_command, "run a command of a device's component", .body = "DeviceCommand",
      .answer = "DeviceCommand",
      .status = 201 },

    { "GET", "/api/deviceTemplates", "DeviceTemplates_List", PERMISSION_TEMPLATES_VIEW,
      templates_list, "list the device templates", .answer = "DeviceTemplateCollection" },
    { "GET", "/api/deviceTemplates/{template}", "DeviceTemplates_Get", PERMISSION_TEMPLATES_VIEW,
      templates_get, "get a device template", .answer = "DeviceTemplate" },
    { "PUT", "/api/deviceTemplates/{template}", "DeviceTemplates_Create", PERMISSION_TEMPLATES_WRITE,
      templates_put, "create or replace a device template", .body = "DeviceTemplate", .answer = "DeviceTemplate", .whole = true },
    { "PATCH", "/api/deviceTemplates/{template}", "DeviceTemplates_Update", PERMISSION_TEMPLATES_WRITE,
      templates_patch, "change a device template", .body = "DeviceTemplate", .answer = "DeviceTemplate", .whole = true },
    { "DELETE", "/api/deviceTemplates/{template}", "DeviceTemplates_Remove", PERMISSION_TEMPLATES_WRITE,
      templates_delete, "delete a device template that no device has", .whole = true },

    { "GET", "/api/organizations", "Organizations_List", PERMISSION_ORGANIZATIONS_VIEW,
      organizations_list, "list the organizations", .answer = "OrganizationCollection" },
    { "GET", "/api/organizations/{organization}", "Organizations_Get", PERMISSION_ORGANIZATIONS_VIEW,
      organizations_get, "get an organization", .answer = "Organization" },
    { "PUT", "/api/organizations/{organization}", "Organizations_Create", PERMISSION_ORGANIZATIONS_WRITE,
      organizations_put, "create or replace an organization", .body = "Organization", .answer = "Organization" },
    { "PATCH", "/api/organizations/{organization}", "Organizations_Update", PERMISSION_ORGANIZATIONS_WRITE,
      organizations_patch, "change an organization", .body = "Organization", .answer = "Organization" },
    { "DELETE", "/api/organizations/{organization}", "Organizations_Remove", PERMISSION_ORGANIZATIONS_WRITE,
      organizations_delete, "delete an organization to which nothing belongs", .status = 204 },
    { "GET", "/api/roles", "Roles_List", PERMISSION_ROLES_VIEW,
      roles_list, "list the roles", .answer = "RoleCollection" },
    { "GET", "/api/roles/{role}", "Roles_Get", PERMISSION_ROLES_VIEW,
      roles_get, "get a role", .answer = "Role" },
    { "GET", "/api/apiTokens", "ApiTokens_List", PERMISSION_TOKENS_VIEW,
      tokens_list, "list the tokens", .answer = "ApiTokenCollection" },
    { "GET", "/api/apiTokens/{token}", "ApiTokens_Get", PERMISSION_TOKENS_VIEW,
      tokens_get, "get a token, without its secret", .answer = "ApiToken" },
    { "PUT", "/api/apiTokens/{token}", "ApiTokens_Create", PERMISSION_TOKENS_WRITE,
      tokens_put, "make a token; only this answer shows it", .body = "ApiToken", .answer = "ApiToken" },
    { "DELETE", "/api/apiTokens/{token}", "ApiTokens_Remove", PERMISSION_TOKENS_WRITE,
      tokens_delete, "revoke a token", .status = 204 },

    { "POST", "/v1/devices/import", "Devices_Import", PERMISSION_DEVICES_WRITE,
      import_end, "import devices: JSON lines or CSV", .answer = "Import", .whole = true, .feed = import_take },
    { "GET", "/v1/imports", "Imports_List", PERMISSION_DEVICES_VIEW,
      imports_list, "list the latest imports", .answer = "ImportCollection", .whole = true },
    { "GET", "/v1/imports/{import}", "Imports_Get", PERMISSION_DEVICES_VIEW,
      imports_get, "get an import's state and counts", .answer = "Import", .whole = true },
    { "DELETE", "/v1/jobs/{job}", "Jobs_Remove", PERMISSION_JOBS_DELETE,
      jobs_delete, "delete a job that is over, with its results", .status = 204 },
    { "GET", "/v1/jobs/{job}/progress", "Jobs_Progress", PERMISSION_JOBS_VIEW,
      native_progress, "get a job's counters, batch and state", .answer = "JobProgressNow" },
    { "GET", "/v1/jobs/{job}/devices", "Jobs_Devices", PERMISSION_JOBS_VIEW,
      native_devices, "list a job's devices with their outcomes", .answer = "JobDeviceCollection" },
    { "GET", "/v1/jobs/{job}/failures", "Jobs_Failures", PERMISSION_JOBS_VIEW,
      native_failures, "count a job's failures by reason", .answer = "FailureCollection" },
    { "GET", "/v1/jobs/{job}/batches", "Jobs_Batches", PERMISSION_JOBS_VIEW,
      native_batches, "list a job's batches", .answer = "BatchCollection" },
    { "GET", "/v1/deviceGroups/{group}/count", "DeviceGroups_Count", PERMISSION_GROUPS_VIEW,
      groups_count, "count the devices of a group", .answer = "Count" },
    { "GET", "/v1/filters/explain", "Filters_Explain", PERMISSION_GROUPS_VIEW,
      groups_explain, "say how a group's filter is understood", .answer = "Explanation" },
    { "GET", "/v1/audit", "Audit_List", PERMISSION_AUDIT_VIEW,
      audit_list, "list who changed what, newest first", .answer = "AuditCollection", .whole = true },

    { "GET", "/openapi.json", "OpenApi_Get", PERMISSION_PUBLIC,
      openapi_get, "this description", .answer = "OpenApi" },
    { "GET", "/healthz", "Health_Live", PERMISSION_PUBLIC,
      health_live, "whether the server runs", .answer = "Health" },
    { "GET", "/readyz", "Health_Ready", PERMISSION_PUBLIC,
      health_ready, "whether the server takes writes", .answer = "Health" },
};

const struct route *router_routes(size_t *count)
{
    *count = sizeof routes / sizeof routes[0];
    return routes;
}

int route_status(const struct route *route)
{
    return route->status != 0 ? route->status : 200;
}

bool route_is_contract(const struct route *route)
{
    return strncmp(route->pattern, "/api/", strlen("/api/")) == 0;
}

/* Whether a segment fits the piece of a pattern at `piece`, `length` bytes long. */
static bool piece_fits(const char *piece, size_t length, const char *segment)
{
    if (piece[0] == '{')
        return segment[0] != '\0';
    return strlen(segment) == length && memcmp(piece, segment, length) == 0;
}

static bool pattern_fits(const char *pattern, const char *const *segments, unsigned segment_count,
                         const char *parameters[REQUEST_PARAMETERS_MAX])
{
    unsigned used = 0;
    unsigned found = 0;
    memset(parameters, 0, REQUEST_PARAMETERS_MAX * sizeof *parameters); /* another pattern's */
    while (*pattern == '/') {
        const char *piece = pattern + 1;
        size_t length = strcspn(piece, "/");
        if (used == segment_count || !piece_fits(piece, length, segments[used]))
            return false;
        if (piece[0] == '{') {
            assert(found < REQUEST_PARAMETERS_MAX);
            parameters[found++] = segments[used];
        }
        used++;
        pattern = piece + length;
    }
    return used == segment_count;
}

static void allow_add(char allow[ROUTER_ALLOW_BYTES], const char *method)
{
    size_t used = strlen(allow);
    int added = snprintf(allow + used, ROUTER_ALLOW_BYTES - used, "%s%s", used > 0 ? ", " : "", method);
    assert(added > 0 && (size_t)added < ROUTER_ALLOW_BYTES - used);
}

enum tranche_code router_find(const char *method, const char *const *segments, unsigned segment_count,
                              const char *parameters[REQUEST_PARAMETERS_MAX], const struct route **route,
                              char allow[ROUTER_ALLOW_BYTES])
{
    allow[0] = '\0';
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!pattern_fits(routes[i].pattern, segments, segment_count, parameters))
            continue;
        *route = &routes[i];
        if (strcmp(routes[i].method, method) == 0)
            return TRANCHE_OK;
        allow_add(allow, routes[i].method);
    }
    return allow[0] == '\0' ? TRANCHE_NOTFOUND : TRANCHE_NOTALLOWED;
}
