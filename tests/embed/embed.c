/* A program that embeds the engine: a job on three devices by a connector of its own, which speaks plain HTTP with whatever
 * is at the URL, and the outcome of each. Arguments: a data directory, and the gateway's base URL. */
#include <tranche/engine.h>

#include <stdio.h>
#include <string.h>

static enum tranche_code build(const void *state, const struct tranche_call *call, struct tranche_request *out,
                               struct tranche_err *err)
{
    (void)err;
    int url = snprintf(out->text, out->text_bytes, "%s/api/devices/%s/properties", (const char *)state, call->device) + 1;
    int body = snprintf(out->text + url, out->text_bytes - (size_t)url, "{\"%s\":%.*s}", call->step->name,
                        (int)call->step->value_bytes, call->step->value);
    out->method = "PATCH";
    out->url = out->text;
    out->body = out->text + url;
    out->body_bytes = (size_t)body;
    out->headers[0] = "Content-Type: application/json";
    out->header_count = 1;
    out->repeatable = true;
    return TRANCHE_OK;
}

static void judge(const void *state, const struct tranche_call *call, const struct tranche_answer *answer,
                  struct tranche_outcome *out)
{
    (void)state, (void)call;
    bool well = answer->transport == TRANCHE_ANSWERED && answer->status / 100 == 2;
    out->class = well ? TRANCHE_OUTCOME_OK : TRANCHE_OUTCOME_FAILED;
    out->code = answer->status;
    snprintf(out->reason, sizeof out->reason, "%s", well ? "" : "the gateway did not accept it");
}

static void print_device(void *context, const struct tranche_job_device *device)
{
    (void)context;
    printf("%s %s %d\n", device->device, device->state == TRANCHE_DEVICE_COMPLETED ? "completed" : "failed", device->code);
}

int main(int argc, char **argv)
{
    struct tranche_connector connector = { .name = "plain", .build = build, .judge = judge };
    struct tranche_options options = { .data = argv[1], .listen = "127.0.0.1:0", .connector = &connector,
                                       .connector_state = argv[2] };
    struct tranche_group_record all = { .id = "all", .display_name = "all", .filter = "SELECT * FROM devices" };
    struct tranche_job_record job = { 0 };
    struct tranche_engine *engine;
    struct tranche_err err = { 0 };
    enum tranche_code code = argc == 3 ? tranche_engine_open(&engine, &options, &err) : TRANCHE_INVALID;
    if (code != TRANCHE_OK)
        return fprintf(stderr, "%s\n", argc == 3 ? err.text : "usage: embed DATA-DIRECTORY GATEWAY-URL"), 1;
    printf("REST API: %s\n", tranche_engine_port(engine) > 0 ? "there" : "missing");
    for (int i = 1; i <= 3 && code == TRANCHE_OK; i++) {
        struct tranche_device_record device = { .enabled = true, .provisioned = true };
        snprintf(device.id, sizeof device.id, "lamp-%d", i);
        code = tranche_device_put(engine, &device, &err);
    }
    if (code == TRANCHE_OK)
        code = tranche_group_put(engine, &all, &err);
    if (code == TRANCHE_OK)
        code = tranche_job_create(engine, "light", "{\"group\":\"all\",\"data\":[{\"type\":\"property\",\"target\":\"lamp\","
                                                   "\"path\":\"on\",\"value\":true}]}", &err);
    if (code == TRANCHE_OK)
        code = tranche_job_wait(engine, "light", 30000, &job, &err);
    if (code == TRANCHE_OK)
        code = tranche_job_devices(engine, "light", 0, 100, print_device, NULL, &err);
    printf("%u of %u completed\n", job.tally.completed, job.tally.total);
    if (code != TRANCHE_OK)
        fprintf(stderr, "%s\n", err.text);
    tranche_job_record_free(&job);
    tranche_engine_close(engine);
    return code == TRANCHE_OK ? 0 : 1;
}
