#include "router.h"

#include "handlers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct route routes[] = {
    { "GET", "/api/jobs", PERMISSION_JOBS_VIEW, jobs_list, NULL, "list jobs, newest first" },
    { "GET", "/api/jobs/{job}", PERMISSION_JOBS_VIEW, jobs_get, NULL, "get a job" },
    { "PUT", "/api/jobs/{job}", PERMISSION_JOBS_RUN, jobs_put, NULL, "create and start a job" },
    { "GET", "/api/jobs/{job}/devices", PERMISSION_JOBS_VIEW, jobs_devices, NULL, "list a job's devices" },
    { "POST", "/api/jobs/{job}/stop", PERMISSION_JOBS_RUN, jobs_stop, NULL, "stop a job" },
    { "POST", "/api/jobs/{job}/resume", PERMISSION_JOBS_RUN, jobs_resume, NULL, "resume a stopped job" },
    { "PUT", "/api/jobs/{job}/rerun/{rerun}", PERMISSION_JOBS_RUN, jobs_rerun, NULL,
      "run a job again on the devices that failed" },

    { "GET", "/api/deviceGroups", PERMISSION_GROUPS_VIEW, groups_list, NULL, "list the device groups" },
    { "GET", "/api/deviceGroups/{group}", PERMISSION_GROUPS_VIEW, groups_get, NULL, "get a device group" },
    { "PUT", "/api/deviceGroups/{group}", PERMISSION_GROUPS_WRITE, groups_put, NULL,
      "create or replace a device group" },
    { "PATCH", "/api/deviceGroups/{group}", PERMISSION_GROUPS_WRITE, groups_patch, NULL, "change a device group" },
    { "DELETE", "/api/deviceGroups/{group}", PERMISSION_GROUPS_WRITE, groups_delete, NULL, "delete a device group" },
    { "GET", "/api/deviceGroups/{group}/devices", PERMISSION_GROUPS_VIEW, groups_devices, NULL,
      "list the devices of a group" },

    { "GET", "/api/devices", PERMISSION_DEVICES_VIEW, devices_list, NULL, "list the devices" },
    { "GET", "/api/devices/{device}", PERMISSION_DEVICES_VIEW, devices_get, NULL, "get a device" },
    { "PUT", "/api/devices/{device}", PERMISSION_DEVICES_WRITE, devices_put, NULL, "create or replace a device" },
    { "PATCH", "/api/devices/{device}", PERMISSION_DEVICES_WRITE, devices_patch, NULL, "change a device" },
    { "DELETE", "/api/devices/{device}", PERMISSION_DEVICES_WRITE, devices_delete, NULL, "delete a device" },

    { "GET", "/api/devices/{device}/properties", PERMISSION_DEVICES_VIEW, properties_get, NULL,
      "get a device's stored properties" },
    { "GET", "/api/devices/{device}/components/{component}/properties", PERMISSION_DEVICES_VIEW,
      properties_of_component, NULL, "get the stored properties of a device's component" },

    { "POST", "/v1/devices/import", PERMISSION_DEVICES_WRITE, import_end, import_take,
      "import devices: JSON lines or CSV" },
    { "GET", "/v1/imports", PERMISSION_DEVICES_VIEW, imports_list, NULL, "list the latest imports" },
    { "GET", "/v1/imports/{import}", PERMISSION_DEVICES_VIEW, imports_get, NULL, "get an import's state and counts" },
    { "GET", "/v1/jobs/{job}/progress", PERMISSION_JOBS_VIEW, native_progress, NULL,
      "get a job's counters, batch and state" },
    { "GET", "/v1/jobs/{job}/devices", PERMISSION_JOBS_VIEW, native_devices, NULL,
      "list a job's devices with their outcomes" },
    { "GET", "/v1/jobs/{job}/failures", PERMISSION_JOBS_VIEW, native_failures, NULL, "count a job's failures by reason" },
    { "GET", "/v1/jobs/{job}/batches", PERMISSION_JOBS_VIEW, native_batches, NULL, "list a job's batches" },

    { "GET", "/v1/deviceGroups/{group}/count", PERMISSION_GROUPS_VIEW, groups_count, NULL,
      "count the devices of a group" },
    { "GET", "/v1/filters/explain", PERMISSION_GROUPS_VIEW, groups_explain, NULL,
      "say how a group's filter is understood" },

    { "GET", "/healthz", PERMISSION_PUBLIC, health_live, NULL, "whether the server runs" },
    { "GET", "/readyz", PERMISSION_PUBLIC, health_ready, NULL, "whether the server takes writes" },
};

const struct route *router_routes(size_t *count)
{
    *count = sizeof routes / sizeof routes[0];
    return routes;
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
