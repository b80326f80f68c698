/* A device's stored properties (api-contract.md 6.3, 9.2). */
#include "api_world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct api_world world;

static void open_world(void)
{
    api_world_open(&world, NULL);
    api_pumps(&world);
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(properties, .init = open_world, .fini = close_world, .timeout = 60);

#define PUMP_1 "/api/devices/pump-n01/properties?" API_VERSION

/* A job that has written the definition's values to pump-n01, and not folded them. */
struct written {
    const char *id, *data;
    uint32_t device_no;
    int64_t at_us;
};

static enum tranche_code write_job(struct tranche_store *store, void *context, struct tranche_err *err)
{
    const struct written *written = context;
    const struct tranche_store_functions *to = store->functions;
    struct tranche_job_record job = { .state = TRANCHE_JOB_RUNNING, .frozen = true, .next = 1, .batch_devices = 1 };
    strcpy(job.id, written->id);
    strcpy(job.group, "north-pumps");
    job.definition = (char *)written->data;
    job.tally.total = 1;
    struct tranche_result_record result = { .attempt = 1, .final = true, .state = TRANCHE_DEVICE_COMPLETED, .reason = "",
                                            .answer = "", .at_us = written->at_us };
    enum tranche_code code = to->job_insert(store, &job, err);
    if (code == TRANCHE_OK)
        code = to->chunk_put(store, job.no, 0, 0, &written->device_no, 1, err);
    if (code == TRANCHE_OK)
        code = to->result_put(store, job.no, &result, err);
    return code == TRANCHE_OK ? to->fold_put(store, job.no, 0, err) : code;
}

static enum tranche_code set_value(struct tranche_store *store, void *context, struct tranche_err *err)
{
    struct tranche_step step = { .kind = TRANCHE_STEP_PROPERTY, .target = "t", .component = "reporting", .name = "interval",
                                 .value = "1e2", .value_bytes = 3 };
    return store->functions->device_apply(store, *(uint32_t *)context, &step, 1, 2000000, err);
}

#define DATA(entries) "\"group\":\"north-pumps\",\"data\":[" entries "]"
#define ENTRY(path, value) "{\"type\":\"property\",\"target\":\"t\",\"path\":\"" path "\",\"value\":" value "}"

static uint32_t pump_no(void)
{
    struct tranche_reader *reader;
    struct tranche_device_record device;
    struct tranche_err err = { 0 };
    cr_assert_eq(world.store->functions->reader_open(world.store, &reader, &err), TRANCHE_OK);
    cr_assert_eq(reader->functions->device_find(reader, "pump-n01", &device, &err), TRANCHE_OK);
    reader->functions->close(reader);
    return device.no;
}

Test(properties, stored_ones_are_shown_as_they_are)
{
    api_check(api_get(&world, PUMP_1), 200, "{\"site\":\"north\"}");
    api_check_error(api_get(&world, "/api/devices/nobody/properties?" API_VERSION), 404, "NotFound",
                    "Device \"nobody\" was not found.");
}

Test(properties, a_value_that_a_job_wrote_has_metadata)
{
    uint32_t no = pump_no();
    api_store(&world, set_value, &no);

    api_check(api_get(&world, PUMP_1), 200,
              "{\"site\":\"north\",\"reporting\":{\"interval\":1e2,\"$metadata\":{\"interval\":{\"desiredValue\":1e2,"
              "\"lastUpdateTime\":\"1970-01-01T00:00:02.000Z\"}}}}");
    api_check(api_get(&world, "/api/devices/pump-n01/components/reporting/properties?" API_VERSION), 200,
              "{\"interval\":1e2,\"$metadata\":{\"interval\":{\"desiredValue\":1e2,"
              "\"lastUpdateTime\":\"1970-01-01T00:00:02.000Z\"}}}");
    api_check_error(api_get(&world, "/api/devices/pump-n01/components/nix/properties?" API_VERSION), 404, "NotFound",
                    "Device \"pump-n01\" has no component \"nix\".");
}

Test(properties, what_is_not_folded_yet_is_merged)
{
    uint32_t no = pump_no();
    struct written older = { "older", DATA(ENTRY("reporting.interval", "5") "," ENTRY("site", "\"south\"")), no, 1000000 };
    struct written young = { "young", DATA(ENTRY("site", "\"west\"")), no, 3000000 };
    api_store(&world, set_value, &no);
    api_store(&world, write_job, &young);
    api_store(&world, write_job, &older);

    api_check(api_get(&world, PUMP_1), 200,
              "{\"site\":\"west\",\"reporting\":{\"interval\":1e2,\"$metadata\":{\"interval\":{\"desiredValue\":1e2,"
              "\"lastUpdateTime\":\"1970-01-01T00:00:02.000Z\"}}},\"$metadata\":{\"site\":{\"desiredValue\":\"west\","
              "\"lastUpdateTime\":\"1970-01-01T00:00:03.000Z\"}}}");
}
