/* Calls to one device that a client asks for by themselves (api-contract.md 3.4): run a command, write properties. Each is a
 * job of that device, so it has an intent before it and an outcome after it as any other, and waits its turn at the device;
 * the request waits for the job's end. The jobs are in no list but the history of the command.
 */
#include "handlers.h"

#include "change.h"
#include "definition.h"
#include "device_json.h"
#include "fail.h"
#include "job_json.h"
#include "job_read.h"
#include "listing.h"
#include "state.h"
#include "template.h"
#include "uuid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOWHERE "-" /* the group of such a job, and the template of a device that has none */

/* ---- what is called ---- */

/* From the route's parameters: {device}, perhaps {component}, and a command's {command}. */
struct call {
    const char *component; /* "" for the device's root */
    const char *name;      /* of the command; NULL: properties */
    const char *value;     /* what the command is sent; NULL: nothing */
    size_t value_bytes;
    uint32_t connection_timeout, response_timeout;
};

static void name_call(const struct request *request, bool command, struct call *call)
{
    bool component = request->parameters[command ? 2 : 1] != NULL;
    *call = (struct call){ .component = component ? request->parameters[1] : "" };
    if (command)
        call->name = request->parameters[component ? 2 : 1];
}

static void print_path(const struct call *call, const char *name, struct text *out)
{
    struct text path = { 0 };
    text_printf(&path, "%s%s%s", call->component, call->component[0] != '\0' ? "." : "", name);
    text_json(out, path.failed ? "" : path.bytes);
    out->failed |= path.failed;
    text_free(&path);
}

/* The job that makes the call; `data` are its entries, without brackets. */
static enum tranche_code read_job(struct request *request, const struct tranche_device_record *device,
                                  const struct call *call, const struct text *data, struct tranche_err *err)
{
    struct tranche_job_record *job = &request->command.job;
    char id[UUID_TEXT_BYTES], device_id[TRANCHE_DEVICE_BYTES], organization[TRANCHE_ID_BYTES];
    struct text body = { 0 };
    strcpy(device_id, device->id);
    snprintf(organization, sizeof organization, "%s", device->organization != NULL ? device->organization : "");
    uuid_random(id);
    text_printf(&body, "{\"group\":\"" NOWHERE "\",\"data\":[%s]}", data->failed ? "" : data->bytes);
    enum tranche_code code = body.failed || data->failed
                                 ? fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM))
                                 : job_read(job, id, body.bytes, body.length, NULL, err);
    text_free(&body);
    strcpy(job->device, device_id);
    strcpy(job->organization, organization);
    if (call->name == NULL)
        strcpy(job->call, "properties");
    else if (snprintf(job->call, sizeof job->call, "commands/%s.%s", call->component, call->name) >= (int)sizeof job->call)
        code = fail(err, TRANCHE_NOTFOUND, "There is no command of so long a name.");
    return code;
}

static const char *target_of(const struct tranche_device_record *device)
{
    return device->template_id != NULL ? device->template_id : NOWHERE;
}

/* ---- commands ---- */

static enum tranche_code read_timeout(const struct json *body, const char *name, int64_t least, uint32_t *seconds,
                                      struct tranche_err *err)
{
    const struct json *value = json_member(body, name);
    int64_t number;
    if (json_type(value) == JSON_NONE || json_type(value) == JSON_NULL)
        return TRANCHE_OK;
    if (!json_integer(value, &number) || number < least || number > 30)
        return fail(err, TRANCHE_INVALID, "%s: expected a whole number from %" PRId64 " to 30.", name, least);
    *seconds = (uint32_t)number;
    return TRANCHE_OK;
}

/* The timeouts are checked; calls go by the connector's. */
static enum tranche_code read_command(const struct request *request, struct json_document *document, struct call *call,
                                      struct tranche_err *err)
{
    call->connection_timeout = 0;
    call->response_timeout = 30;
    if (request->body.length == 0)
        return TRANCHE_OK;
    enum tranche_code code = body_parse(request, document, err);
    if (code == TRANCHE_OK)
        code = read_timeout(document->root, "connectionTimeout", 0, &call->connection_timeout, err);
    if (code == TRANCHE_OK)
        code = read_timeout(document->root, "responseTimeout", 5, &call->response_timeout, err);
    if (code == TRANCHE_OK)
        call->value = json_raw(document, &call->value_bytes, "request", NULL);
    return code;
}

static void print_command_step(const struct tranche_device_record *device, const struct call *call, struct text *out)
{
    text_puts(out, "{\"type\":\"command\",\"target\":");
    text_json(out, target_of(device));
    text_puts(out, ",\"path\":");
    print_path(call, call->name, out);
    if (call->value != NULL)
        text_printf(out, ",\"value\":%.*s", (int)call->value_bytes, call->value);
    text_puts(out, "}");
}

/* A job's one device; its strings live until the visitor returns, so it prints. */
struct printing {
    const struct tranche_job_record *job;
    struct text *out;
    bool printed;
    bool answered; /* by the device itself, with a code of its own */
    enum tranche_device_state state;
    int32_t code;
    char reason[160];
};

/* The members of what the gateway answered, as far as it was kept whole. */
static void print_response(const struct tranche_job_device *device, struct printing *printing)
{
    struct json_document document = { 0 };
    if (device->answer_bytes == 0 || json_parse(device->answer, device->answer_bytes, &document, NULL) != TRANCHE_OK)
        return;
    static const char *const members[] = { "response", "responseCode" };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        size_t bytes;
        const char *raw = json_raw(&document, &bytes, members[i], NULL);
        if (raw == NULL)
            continue;
        text_printf(printing->out, ",\"%s\":%.*s", members[i], (int)bytes, raw);
        printing->answered |= i == 1;
    }
    json_free(&document);
}

static void print_command(void *context, const struct tranche_job_device *device)
{
    struct printing *printing = context;
    struct definition definition;
    printing->state = device->state;
    printing->code = device->code;
    snprintf(printing->reason, sizeof printing->reason, "%s", device->reason);
    printing->printed = true;
    text_puts(printing->out, "{\"id\":");
    text_json(printing->out, printing->job->id);
    if (job_definition(printing->job, &definition, NULL) == TRANCHE_OK) {
        if (definition.steps[0].value != NULL)
            text_printf(printing->out, ",\"request\":%.*s", (int)definition.steps[0].value_bytes, definition.steps[0].value);
        definition_free(&definition);
    }
    print_response(device, printing);
    text_puts(printing->out, "}");
}

/* What the client is told of a call that its device has not completed. A device that answered with a code of its own has
 * answered. */
static enum tranche_code failure_of(const struct printing *call, struct tranche_err *err)
{
    if (call->state == TRANCHE_DEVICE_UNKNOWN)
        return fail(err, TRANCHE_TIMEOUT, "Request timeout waiting for the device: %s.", call->reason);
    if (call->code == 404)
        return fail(err, TRANCHE_NOTFOUND, "The gateway does not know or reach the device: %s.", call->reason);
    if (call->code == 0)
        return fail(err, TRANCHE_TIMEOUT, "The device was not reached: %s.", call->reason);
    return fail(err, TRANCHE_INVALID, "The device was not called: %s.", call->reason);
}

/* Reads the outcome of the job that has ended. False after having refused the request. */
static bool read_outcome(struct request *request, struct printing *printing, struct text *out)
{
    struct tranche_err err;
    const struct tranche_job_record *job = &request->command.job;
    if (request->command.code != TRANCHE_OK) {
        request_refuse(request, &request->command.err);
        return false;
    }
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return false;
    *printing = (struct printing){ .job = job, .out = out };
    enum tranche_code code = reader->functions->job_devices_page(reader, job, 0, 1, print_command, printing, &err);
    if (code == TRANCHE_OK && !printing->printed)
        code = fail(&err, TRANCHE_NOTFOUND, "Device \"%s\" was not found.", job->device);
    if (code == TRANCHE_OK && printing->state != TRANCHE_DEVICE_COMPLETED && !printing->answered)
        code = failure_of(printing, &err);
    if (code != TRANCHE_OK)
        request_refuse(request, &err);
    return code == TRANCHE_OK;
}

static void answer_command(struct request *request)
{
    struct printing printing;
    struct text out = { 0 };
    if (read_outcome(request, &printing, &out)) {
        struct text *answer = request_answer(request, 201);
        text_puts(answer, out.failed ? "" : out.bytes);
        answer->failed |= out.failed;
    }
    text_free(&out);
}

void calls_run_command(struct request *request)
{
    struct tranche_err err;
    struct call call;
    struct json_document document = { 0 };
    struct tranche_device_record device;
    struct text data = { 0 };
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    name_call(request, true, &call);
    enum tranche_code code = read_command(request, &document, &call, &err);
    if (code == TRANCHE_OK)
        code = device_json_find(request, reader, &device, &err);
    if (code == TRANCHE_OK) {
        print_command_step(&device, &call, &data);
        code = read_job(request, &device, &call, &data, &err);
    }
    if (code == TRANCHE_OK)
        code = job_check_template(&request->command.job, reader, &err);
    text_free(&data);
    json_free(&document);
    if (code == TRANCHE_OK)
        request_post(request, COMMAND_CALL, answer_command);
    else
        request_refuse(request, &err);
}

/* ---- a command's history ---- */

#define HISTORY_MAX 100

/* A page's jobs are gathered first: a reader is not called from its own callback. */
struct history {
    char call[TRANCHE_ID_BYTES];
    struct tranche_job_record jobs[HISTORY_MAX + 1];
    unsigned count;
    bool failed;
};

static void gather(void *context, const struct tranche_job_record *job)
{
    struct history *history = context;
    struct tranche_job_record *kept = &history->jobs[history->count++];
    *kept = *job;
    kept->definition = strdup(job->definition);
    kept->reason = NULL;
    history->failed |= kept->definition == NULL;
}

/* Not of a call that is being made, nor of one whose device was gone before. */
static enum tranche_code print_past_call(struct listing *listing, struct tranche_reader *reader,
                                         const struct tranche_job_record *job, struct tranche_err *err)
{
    struct printing printing = { .job = job, .out = listing->out };
    bool past = job_state_is_over(job->state) && job->tally.total > 0;
    bool visible = past && request_sees(listing->request, job->organization);
    if (!listing_takes_if(listing, visible, job->no, NULL))
        return TRANCHE_OK;
    return reader->functions->job_devices_page(reader, job, 0, 1, print_command, &printing, err);
}

static enum tranche_code fetch_history(struct listing *listing, struct tranche_reader *reader, const char *after,
                                       struct tranche_err *err)
{
    (void)after;
    struct history *history = listing->context;
    history->count = 0;
    enum tranche_code code =
        reader->functions->calls_page(reader, listing->request->parameters[0], history->call, listing->before,
                                      listing->fetch, gather, history, err);
    if (code == TRANCHE_OK && history->failed)
        code = fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    for (unsigned i = 0; i < history->count; i++) {
        if (code == TRANCHE_OK)
            code = print_past_call(listing, reader, &history->jobs[i], err);
        tranche_job_record_free(&history->jobs[i]);
    }
    return code;
}

void calls_history(struct request *request)
{
    struct tranche_err err = { 0 };
    struct call call;
    struct tranche_device_record device;
    struct history *history = arena_take(&request->memory, sizeof *history);
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    enum tranche_code code = device_json_find(request, reader, &device, &err);
    if (code == TRANCHE_OK && history == NULL)
        code = fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    name_call(request, true, &call);
    snprintf(history->call, sizeof history->call, "commands/%s.%s", call.component, call.name);
    listing_answer(request, PAGE_JOBS, HISTORY_MAX, fetch_history, history);
}

/* ---- properties ---- */

static void print_property_step(const struct tranche_device_record *device, const struct call *call, const char *name,
                                const char *raw, size_t bytes, struct text *out)
{
    text_puts(out, out->length > 0 ? ",{\"type\":\"property\",\"target\":" : "{\"type\":\"property\",\"target\":");
    text_json(out, target_of(device));
    text_puts(out, ",\"path\":");
    print_path(call, name, out);
    text_printf(out, ",\"value\":%.*s}", (int)bytes, raw);
}

static enum tranche_code print_steps(const struct tranche_device_record *device, const struct call *call,
                                     const struct json_document *document, struct text *out,
                                     struct tranche_err *err)
{
    const char *name;
    struct json *value;
    for (void *cursor = NULL; json_next(document->root, &cursor, &name, &value);) {
        size_t bytes;
        const char *raw = json_raw(document, &bytes, name, NULL);
        print_property_step(device, call, name, raw, bytes, out);
    }
    return out->length > 0 || out->failed ? TRANCHE_OK : fail(err, TRANCHE_INVALID, "The body names no property.");
}

static void answer_properties(struct request *request)
{
    struct printing printing;
    struct text out = { 0 };
    if (read_outcome(request, &printing, &out)) {
        if (request->parameters[1] == NULL)
            properties_get(request);
        else
            properties_of_component(request);
        if (request->code == TRANCHE_OK)
            request->status = 202;
    }
    text_free(&out);
}

/* For PATCH and PUT alike: a write names values, and no gateway's call takes one away, so what is not named stays. */
void calls_write_properties(struct request *request)
{
    struct tranche_err err;
    struct call call;
    struct json_document document = { 0 };
    struct tranche_device_record device;
    struct text data = { 0 };
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    name_call(request, false, &call);
    enum tranche_code code = body_parse(request, &document, &err);
    if (code == TRANCHE_OK)
        code = device_json_find(request, reader, &device, &err);
    if (code == TRANCHE_OK)
        code = print_steps(&device, &call, &document, &data, &err);
    if (code == TRANCHE_OK)
        code = read_job(request, &device, &call, &data, &err);
    if (code == TRANCHE_OK)
        code = job_check_template(&request->command.job, reader, &err);
    text_free(&data);
    json_free(&document);
    if (code == TRANCHE_OK)
        request_post(request, COMMAND_CALL, answer_properties);
    else
        request_refuse(request, &err);
}

/* ---- components ---- */

/* As the device's template names them; none where that is not registered. */
void calls_components(struct request *request)
{
    struct tranche_err err;
    struct tranche_device_record device;
    struct tranche_object_record object;
    struct template template = { 0 };
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    enum tranche_code code = device_json_find(request, reader, &device, &err);
    if (code == TRANCHE_OK && device.template_id != NULL) {
        code = reader->functions->object_find(reader, TRANCHE_TEMPLATE, device.template_id, &object, &err);
        if (code == TRANCHE_OK)
            code = template_parse(object.body, strlen(object.body), &template, &err);
        else if (code == TRANCHE_NOTFOUND)
            code = TRANCHE_OK;
    }
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    struct text *out = request_answer(request, 200);
    const char *before = "";
    text_puts(out, "{\"value\":[");
    for (size_t i = 0; i < template.capability_count; i++) {
        if (template.capabilities[i]->kind != CAPABILITY_COMPONENT)
            continue;
        text_printf(out, "%s{\"name\":", before);
        text_json(out, template.capabilities[i]->name);
        text_puts(out, "}");
        before = ",";
    }
    text_puts(out, "]}");
    template_free(&template);
}
