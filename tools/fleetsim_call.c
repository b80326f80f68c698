/* Two tables: the routes, and the wordings of errors. The errors' codes and envelopes are those the two
 * services send, so that a client's judgement is exercised too: IoT Hub says "offline" and "unknown device"
 * with the same 404, and only the number inside tells them apart.
 */
#include "fleetsim_call.h"

#include "fleetsim_json.h"

#include <assert.h>

/* ---- routes: `*` is one segment, `{}` the one with the device id ---- */

static const struct route {
    const char *method;
    const char *path;
    enum call_shape shape;
} routes[] = {
    { "PATCH", "/api/devices/{}/properties", CALL_CENTRAL_PROPERTY },
    { "POST", "/api/devices/{}/commands/*", CALL_CENTRAL_COMMAND },
    { "PATCH", "/api/devices/{}/components/*/properties", CALL_CENTRAL_PROPERTY },
    { "POST", "/api/devices/{}/components/*/commands/*", CALL_CENTRAL_COMMAND },
    { "PATCH", "/api/devices/{}/modules/*/properties", CALL_CENTRAL_PROPERTY },
    { "POST", "/api/devices/{}/modules/*/commands/*", CALL_CENTRAL_COMMAND },
    { "PATCH", "/api/devices/{}/modules/*/components/*/properties", CALL_CENTRAL_PROPERTY },
    { "POST", "/api/devices/{}/modules/*/components/*/commands/*", CALL_CENTRAL_COMMAND },
    { "PATCH", "/twins/{}", CALL_HUB_TWIN },
    { "POST", "/twins/{}/methods", CALL_HUB_METHOD },
    { "PATCH", "/twins/{}/modules/*", CALL_HUB_TWIN },
    { "POST", "/twins/{}/modules/*/methods", CALL_HUB_METHOD },
    { "GET", "/healthz", CALL_HEALTH },
};

/* Takes one segment with its leading slash off the front. */
static bool segment_take(struct span *path, struct span *segment)
{
    if (path->bytes == 0 || path->data[0] != '/')
        return false;
    const char *first = path->data + 1, *end = path->data + path->bytes;
    const char *slash = memchr(first, '/', (size_t)(end - first));
    const char *stop = slash != NULL ? slash : end;
    *segment = (struct span){ first, (size_t)(stop - first) };
    *path = (struct span){ stop, (size_t)(end - stop) };
    return true;
}

static bool route_matches(const struct route *route, struct span path, struct span *device)
{
    struct span pattern = span_of(route->path), wanted, segment;
    while (segment_take(&pattern, &wanted)) {
        if (!segment_take(&path, &segment) || segment.bytes == 0)
            return false;
        if (span_is(wanted, "{}"))
            *device = segment;
        else if (!span_is(wanted, "*") &&
                 (wanted.bytes != segment.bytes || memcmp(wanted.data, segment.data, wanted.bytes) != 0))
            return false;
    }
    return path.bytes == 0;
}

static enum call_shape route_find(struct span method, struct span path, struct span *device)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (span_is(method, routes[i].method) && route_matches(&routes[i], path, device))
            return routes[i].shape;
    return CALL_UNKNOWN;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static bool device_decode(struct call *call, struct span raw)
{
    const char *at = raw.data, *end = raw.data + raw.bytes;
    while (at < end) {
        if (call->device_bytes == DEVICE_ID_BYTES_MAX)
            return false;
        char byte = *at++;
        if (byte == '%') {
            int high = end - at >= 2 ? hex_value(at[0]) : -1;
            int low = end - at >= 2 ? hex_value(at[1]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
            at += 2;
        }
        call->device[call->device_bytes++] = byte;
    }
    return true;
}

static bool is_object(struct span body, const char *required_name)
{
    struct json_object object = json_object_open(body);
    struct span name, value;
    bool found = required_name == NULL;
    while (json_object_next(&object, &name, &value))
        if (!found && span_is(name, required_name))
            found = true;
    return found && !object.broken;
}

static bool body_is_valid(enum call_shape shape, struct span body)
{
    switch (shape) {
    case CALL_CENTRAL_COMMAND:
        return body.bytes == 0 || is_object(body, NULL);
    case CALL_HUB_METHOD:
        return is_object(body, "\"methodName\"");
    case CALL_CENTRAL_PROPERTY:
    case CALL_HUB_TWIN:
        return is_object(body, NULL);
    case CALL_HEALTH:
    case CALL_UNKNOWN:
        break;
    }
    return true;
}

enum verdict call_read(struct call *call, struct span method, struct span path, struct span body)
{
    struct span device = { 0 };
    call->body = body;
    call->device_bytes = 0;
    call->shape = route_find(method, path, &device);
    if (call->shape == CALL_UNKNOWN)
        return VERDICT_NOT_FOUND;
    if (!device_decode(call, device)) {
        call->device_bytes = 0;
        return VERDICT_BAD_REQUEST;
    }
    return body_is_valid(call->shape, body) ? VERDICT_OK : VERDICT_BAD_REQUEST;
}

/* ---- answers ---- */

struct wording {
    unsigned status;
    unsigned hub_code; /* IoT Hub's number for it; 0 in IoT Central's shape */
    const char *code;  /* the error's name */
    const char *message;
    const char *headers;
};

#define HUB_ERROR(name) "iothub-errorcode: " name "\r\n"
#define MALFORMED       "The device id or the body is malformed."
#define RETRY_AFTER     "Retry-After: 1\r\n"

/* Permanent refusals by HTTP status. None is one that a client may rightly try again (401, 408, 429). */
static const struct wording central_refusals[] = {
    { 400, 0, "BadRequest", "The device does not take this value.", "" },
    { 403, 0, "Forbidden", "The device is blocked.", "" },
    { 404, 0, "NotFound", "The device has no such capability.", "" },
    { 422, 0, "UnprocessableEntity", "The value is out of the device's range.", "" },
};
static const struct wording hub_refusals[] = {
    { 400, 400004, "ArgumentInvalid", "The argument is not valid.", HUB_ERROR("ArgumentInvalid") },
    { 404, 404001, "DeviceNotFound", "The device is not registered.", HUB_ERROR("DeviceNotFound") },
};

static const struct wording central_transients[] = {
    { 429, 0, "TooManyRequests", "Too many requests; try again in 1 s.", RETRY_AFTER },
    { 503, 0, "ServiceUnavailable", "The gateway is busy.", "" },
};
static const struct wording hub_transients[] = {
    { 429, 429001, "ThrottlingException", "The hub is throttling.",
      RETRY_AFTER HUB_ERROR("ThrottlingException") },
    { 503, 503001, "ServiceUnavailable", "The hub is busy.", HUB_ERROR("ServiceUnavailable") },
};

static const struct wording central_offline = { 404, 0, "NotFound", "The device is not connected.", "" };
static const struct wording hub_offline = { 404, 404103, "DeviceNotOnline", "The device is not online.",
                                            HUB_ERROR("DeviceNotOnline") };

static const struct wording unknown_route = { 404, 0, "NotFound", "No such route; see fleetsim --help.", "" };
static const struct wording central_malformed = { 400, 0, "BadRequest", MALFORMED, "" };
static const struct wording hub_malformed = { 400, 400004, "ArgumentInvalid", MALFORMED,
                                              HUB_ERROR("ArgumentInvalid") };

/* What a device itself answers when it refuses a command. */
static const struct refusal_by_device {
    unsigned code;
    const char *reason;
} device_refusals[] = {
    { 400, "bad argument" },
    { 409, "busy" },
    { 500, "internal fault" },
    { 503, "valve stuck" },
};

#define PICK(table, choice) (&(table)[(choice) % (sizeof(table) / sizeof *(table))])

static bool is_hub(const struct call *call)
{
    return call->shape == CALL_HUB_TWIN || call->shape == CALL_HUB_METHOD;
}

static void put_central_error(struct bytes *body, const struct wording *wording)
{
    bytes_put_text(body, "{\"error\":{\"code\":\"");
    bytes_put_text(body, wording->code);
    bytes_put_text(body, "\",\"message\":\"");
    bytes_put_text(body, wording->message);
    bytes_put_text(body, "\"}}");
}

/* IoT Hub sends its error as JSON inside a JSON string. */
static void put_hub_error(struct bytes *body, const struct wording *wording)
{
    bytes_put_text(body, "{\"Message\":\"{\\\"errorCode\\\":");
    bytes_put_number(body, wording->hub_code);
    bytes_put_text(body, ",\\\"trackingId\\\":\\\"fleetsim\\\",\\\"message\\\":\\\"");
    bytes_put_text(body, wording->message);
    bytes_put_text(body, "\\\"}\",\"ExceptionMessage\":\"\"}");
}

static struct call_answer word_error(const struct wording *wording, struct bytes *body)
{
    if (wording->hub_code > 0)
        put_hub_error(body, wording);
    else
        put_central_error(body, wording);
    return (struct call_answer){ wording->status, wording->headers };
}

/* {"$metadata":{"<name>":{"desiredValue":<value>},...}} */
static struct call_answer word_central_property(const struct call *call, struct bytes *body)
{
    struct json_object object = json_object_open(call->body);
    struct span name, value;
    const char *comma = "";
    bytes_put_text(body, "{\"$metadata\":{");
    while (json_object_next(&object, &name, &value)) {
        bytes_put_text(body, comma);
        bytes_put_span(body, name);
        bytes_put_text(body, ":{\"desiredValue\":");
        bytes_put_span(body, value);
        bytes_put_text(body, "}");
        comma = ",";
    }
    bytes_put_text(body, "}}");
    return (struct call_answer){ 202, "" };
}

/* The twin: its id and whatever was written to it. */
static struct call_answer word_hub_twin(const struct call *call, struct bytes *body)
{
    struct json_object object = json_object_open(call->body);
    struct span name, value;
    bytes_put_text(body, "{\"deviceId\":");
    json_put_string(body, (struct span){ call->device, call->device_bytes });
    while (json_object_next(&object, &name, &value)) {
        bytes_put_text(body, ",");
        bytes_put_span(body, name);
        bytes_put_text(body, ":");
        bytes_put_span(body, value);
    }
    bytes_put_text(body, "}");
    return (struct call_answer){ 200, "" };
}

/* A command's answer has the device's own code in it, whatever that is; HTTP says only that the device was
 * asked. */
static struct call_answer word_command(const struct call *call, unsigned code, const char *reason,
                                       struct bytes *body)
{
    bool hub = call->shape == CALL_HUB_METHOD;
    bytes_put_text(body, hub ? "{\"status\":" : "{\"responseCode\":");
    bytes_put_number(body, code);
    bytes_put_text(body, hub ? ",\"payload\":{" : ",\"response\":{");
    if (reason != NULL) {
        bytes_put_text(body, "\"error\":\"");
        bytes_put_text(body, reason);
        bytes_put_text(body, "\"");
    }
    bytes_put_text(body, "}}");
    return (struct call_answer){ hub ? 200 : 201, "" };
}

static struct call_answer word_ok(const struct call *call, struct bytes *body)
{
    switch (call->shape) {
    case CALL_CENTRAL_PROPERTY:
        return word_central_property(call, body);
    case CALL_HUB_TWIN:
        return word_hub_twin(call, body);
    case CALL_CENTRAL_COMMAND:
    case CALL_HUB_METHOD:
        return word_command(call, 200, NULL, body);
    case CALL_HEALTH:
        bytes_put_text(body, "ok");
        return (struct call_answer){ 200, "" };
    case CALL_UNKNOWN:
        break;
    }
    assert(false && "an unknown route has no good answer");
    return (struct call_answer){ 500, "" };
}

/* Half of a command's failures come from the device, with a good HTTP status; the rest are the gateway's. */
static struct call_answer word_failure(const struct call *call, size_t choice, struct bytes *body)
{
    if (call_is_command(call) && choice % 2 == 1) {
        const struct refusal_by_device *refusal = PICK(device_refusals, choice / 2);
        return word_command(call, refusal->code, refusal->reason, body);
    }
    return word_error(is_hub(call) ? PICK(hub_refusals, choice / 2) : PICK(central_refusals, choice / 2),
                      body);
}

struct call_answer call_word(const struct call *call, enum verdict verdict, size_t choice, struct bytes *body)
{
    bool hub = is_hub(call);
    switch (verdict) {
    case VERDICT_OK:
        return word_ok(call, body);
    case VERDICT_FAIL:
        return word_failure(call, choice, body);
    case VERDICT_TRANSIENT:
        return word_error(hub ? PICK(hub_transients, choice) : PICK(central_transients, choice), body);
    case VERDICT_OFFLINE:
        return word_error(hub ? &hub_offline : &central_offline, body);
    case VERDICT_NOT_FOUND:
        return word_error(&unknown_route, body);
    case VERDICT_BAD_REQUEST:
        return word_error(hub ? &hub_malformed : &central_malformed, body);
    case VERDICT_CLOSED:
    case VERDICT_BLACK_HOLE:
    case VERDICT_COUNT:
        break;
    }
    assert(false && "this verdict is not answered");
    return (struct call_answer){ 500, "" };
}
