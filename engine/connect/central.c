/* Azure IoT Central's device calls: property writes and commands.
 *
 *     PATCH {base}/api/devices/{id}/[components/{c}/]properties       {"name":value,...}
 *     PATCH {base}/api/devices/{id}/properties                        {"name":value,...,"component":{"name":value,...},...}
 *     POST  {base}/api/devices/{id}/[components/{c}/]commands/{name}  {"request":value,...}
 *
 * Several properties are merged into one write: of one component (or none) by the first form, else by the second.
 *
 * Workers call build and judge once for each device: both only copy bytes into the request's scratch and look at the
 * answer; they allocate nothing and share nothing but a state that nobody changes. An HTTP 2xx of a command says that the
 * gateway spoke with the device; the device's own verdict is the answer's responseCode.
 */
#include "central.h"

#include "fail.h"
#include "json_scan.h"
#include "outcome.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define API_VERSION "?api-version=2022-07-31"

/* A job has no timeouts of its own: these are IoT Central's defaults. The engine's whole-call timeout is longer. */
#define COMMAND_TIMEOUTS "\"connectionTimeout\":0,\"responseTimeout\":30}"

struct central {
    char *devices;       /* "{base}/api/devices/" */
    size_t devices_bytes;
    char *authorization; /* "Authorization: ..."; NULL for none */
};

/* Writes into the request's scratch. Running out of room is remembered and asked about once, at the end. */
struct pen {
    char *at, *end;
    bool full;
};

/* ---- opening and closing ---- */

static enum tranche_code check_base(const char *base, struct tranche_err *err);
static enum tranche_code check_authorization(const char *value, struct tranche_err *err);
static char *join(const char *first, size_t first_bytes, const char *second);
static void central_close(void *state);

static enum tranche_code central_open(const char *base, const char *authorization, void **state,
                                      struct tranche_err *err)
{
    enum tranche_code code = check_base(base, err);
    if (code == TRANCHE_OK && authorization != NULL)
        code = check_authorization(authorization, err);
    if (code != TRANCHE_OK)
        return code;

    size_t base_bytes = strlen(base);
    while (base[base_bytes - 1] == '/')
        base_bytes--;
    const char *header = "Authorization: ";
    struct central *central = calloc(1, sizeof *central);
    if (central == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    central->devices = join(base, base_bytes, "/api/devices/");
    if (authorization != NULL)
        central->authorization = join(header, strlen(header), authorization);
    if (central->devices == NULL || (authorization != NULL && central->authorization == NULL)) {
        central_close(central);
        return fail(err, TRANCHE_NOMEM, "out of memory");
    }
    central->devices_bytes = strlen(central->devices);
    *state = central;
    return TRANCHE_OK;
}

static void central_close(void *state)
{
    struct central *central = state;
    if (central == NULL)
        return;
    free(central->devices);
    free(central->authorization);
    free(central);
}

/* The path is put behind the base, so it may have no query; what is odd in a host is libcurl's to say. */
static enum tranche_code check_base(const char *base, struct tranche_err *err)
{
    size_t scheme = strncmp(base, "http://", 7) == 0 ? 7 : strncmp(base, "https://", 8) == 0 ? 8 : 0;
    if (scheme == 0 || base[scheme] == '\0' || base[scheme] == '/')
        return fail(err, TRANCHE_INVALID,
                    "gateway: expected a URL such as http://127.0.0.1:9200, got \"%s\"", base);
    for (const char *p = base; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~' || *p == '?' || *p == '#')
            return fail(err, TRANCHE_INVALID,
                        "gateway: a base URL may hold no blank, query or fragment, got \"%s\"", base);
    return TRANCHE_OK;
}

static enum tranche_code check_authorization(const char *value, struct tranche_err *err)
{
    for (const char *p = value; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            return fail(err, TRANCHE_INVALID, "gateway: the Authorization value may hold printable ASCII only");
    if (value[0] == '\0')
        return fail(err, TRANCHE_INVALID, "gateway: the Authorization value is empty");
    return TRANCHE_OK;
}

static char *join(const char *first, size_t first_bytes, const char *second)
{
    size_t second_bytes = strlen(second);
    char *whole = malloc(first_bytes + second_bytes + 1);
    if (whole == NULL)
        return NULL;
    memcpy(whole, first, first_bytes);
    memcpy(whole + first_bytes, second, second_bytes + 1);
    return whole;
}

/* ---- the pen ---- */

static void put(struct pen *pen, const char *bytes, size_t count)
{
    if ((size_t)(pen->end - pen->at) < count) {
        pen->full = true;
        return;
    }
    memcpy(pen->at, bytes, count);
    pen->at += count;
}

static void put_byte(struct pen *pen, char byte)
{
    if (pen->at == pen->end)
        pen->full = true;
    else
        *pen->at++ = byte;
}

#define PUT_TEXT(pen, literal) put(pen, literal, sizeof(literal) - 1)

static const char *end_string(struct pen *pen, const char *start)
{
    put_byte(pen, '\0');
    return start;
}

static void put_number(struct pen *pen, unsigned number)
{
    char digits[10];
    size_t first = sizeof digits;
    do
        digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    put(pen, digits + first, sizeof digits - first);
}

/* RFC 3986's unreserved characters. */
static bool is_plain_in_url(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9')
        || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

/* Every visible character, but not the percent sign: so a key can be decoded, and no two devices share one. */
static bool is_plain_in_key(unsigned char byte)
{
    return byte > ' ' && byte <= '~' && byte != '%';
}

static void put_escaped(struct pen *pen, unsigned char byte)
{
    static const char hex[] = "0123456789ABCDEF";
    char escaped[3] = { '%', hex[byte >> 4], hex[byte & 15] };
    put(pen, escaped, sizeof escaped);
}

static void put_in_key(struct pen *pen, const char *text)
{
    for (; *text != '\0'; text++)
        if (is_plain_in_key((unsigned char)*text))
            put_byte(pen, *text);
        else
            put_escaped(pen, (unsigned char)*text);
}

/* One segment of the path. Empty ones and dots would name another resource, escaped or not. */
static bool put_segment(struct pen *pen, const char *text)
{
    if (text[0] == '\0' || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return false;
    for (; *text != '\0'; text++)
        if (is_plain_in_url((unsigned char)*text))
            put_byte(pen, *text);
        else
            put_escaped(pen, (unsigned char)*text);
    return true;
}

static void put_json_string(struct pen *pen, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    put_byte(pen, '"');
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < ' ') {
            char escaped[6] = { '\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15] };
            put(pen, escaped, sizeof escaped);
            continue;
        }
        if (byte == '"' || byte == '\\')
            put_byte(pen, '\\');
        put_byte(pen, (char)byte);
    }
    put_byte(pen, '"');
}

/* ---- wording ---- */

/* Whether all properties of the call are of one component. */
static bool is_of_one_component(const struct tranche_call *call)
{
    for (uint16_t i = 1; i < call->merged; i++)
        if (strcmp(call->step[i].component, call->step->component) != 0)
            return false;
    return true;
}

static bool put_url(struct pen *pen, const struct central *central, const struct tranche_call *call)
{
    const struct tranche_step *step = call->step;
    put(pen, central->devices, central->devices_bytes);
    if (!put_segment(pen, call->device))
        return false;
    if (step->component[0] != '\0' && is_of_one_component(call)) {
        PUT_TEXT(pen, "/components/");
        if (!put_segment(pen, step->component))
            return false;
    }
    if (step->kind == TRANCHE_STEP_PROPERTY) {
        PUT_TEXT(pen, "/properties");
    } else {
        PUT_TEXT(pen, "/commands/");
        if (!put_segment(pen, step->name))
            return false;
    }
    PUT_TEXT(pen, API_VERSION);
    return true;
}

static void put_member(struct pen *pen, const char *name)
{
    if (!pen->full && pen->at[-1] != '{')
        put_byte(pen, ',');
    put_json_string(pen, name);
    put_byte(pen, ':');
}

/* The object of a component's properties. */
static void put_properties(struct pen *pen, const struct tranche_call *call, const char *component)
{
    put_byte(pen, '{');
    for (uint16_t i = 0; i < call->merged; i++) {
        const struct tranche_step *step = &call->step[i];
        if (strcmp(step->component, component) != 0)
            continue;
        put_member(pen, step->name);
        put(pen, step->value, step->value_bytes);
    }
}

static bool is_first_of_its_component(const struct tranche_call *call, uint16_t index)
{
    for (uint16_t i = 0; i < index; i++)
        if (strcmp(call->step[i].component, call->step[index].component) == 0)
            return false;
    return true;
}

static void put_property_body(struct pen *pen, const struct tranche_call *call)
{
    if (is_of_one_component(call)) {
        put_properties(pen, call, call->step->component);
        put_byte(pen, '}');
        return;
    }
    put_properties(pen, call, "");
    for (uint16_t i = 0; i < call->merged; i++) {
        const char *component = call->step[i].component;
        if (component[0] == '\0' || !is_first_of_its_component(call, i))
            continue;
        put_member(pen, component);
        put_properties(pen, call, component);
        put_byte(pen, '}');
    }
    put_byte(pen, '}');
}

static void put_command_body(struct pen *pen, const struct tranche_step *step)
{
    put_byte(pen, '{');
    if (step->value != NULL) {
        PUT_TEXT(pen, "\"request\":");
        put(pen, step->value, step->value_bytes);
        put_byte(pen, ',');
    }
    PUT_TEXT(pen, COMMAND_TIMEOUTS);
}

/* A property's key is the same for every attempt: a gateway that remembers it makes the repeat harmless. A command is
 * only attempted again when it certainly did not run, so each attempt is a call of its own. */
static void put_key(struct pen *pen, const struct tranche_call *call)
{
    PUT_TEXT(pen, "Idempotency-Key: ");
    put_in_key(pen, call->job);
    put_byte(pen, '/');
    put_in_key(pen, call->device);
    if (call->step_count > 1) {
        put_byte(pen, '/');
        put_number(pen, call->step_index);
    }
    if (call->step->kind == TRANCHE_STEP_COMMAND) {
        put_byte(pen, '/');
        put_number(pen, call->attempt);
    }
}

static enum tranche_code check_steps(const struct tranche_call *call, struct tranche_err *err)
{
    for (uint16_t i = 0; i < call->merged; i++) {
        const struct tranche_step *step = &call->step[i];
        if (step->kind != TRANCHE_STEP_PROPERTY && step->kind != TRANCHE_STEP_COMMAND)
            return fail(err, TRANCHE_INVALID, "the gateway takes property writes and commands only");
        if (step->kind == TRANCHE_STEP_PROPERTY && step->value == NULL)
            return fail(err, TRANCHE_INVALID, "property \"%s\" has no value to write", step->name);
    }
    return TRANCHE_OK;
}

static enum tranche_code central_build(const void *state, const struct tranche_call *call,
                                       struct tranche_request *out, struct tranche_err *err)
{
    const struct central *central = state;
    const struct tranche_step *step = call->step;
    assert(call->attempt > 0);
    assert(call->step_index < call->step_count && call->merged > 0);
    enum tranche_code code = check_steps(call, err);
    if (code != TRANCHE_OK)
        return code;

    bool property = step->kind == TRANCHE_STEP_PROPERTY;
    struct pen pen = { .at = out->text, .end = out->text + out->text_bytes };
    out->method = property ? "PATCH" : "POST";
    out->timeout_ms = 0;
    out->repeatable = property;
    out->header_count = 0;
    out->headers[out->header_count++] = "Content-Type: application/json";
    if (central->authorization != NULL)
        out->headers[out->header_count++] = central->authorization;

    const char *start = pen.at;
    if (!put_url(&pen, central, call))
        return fail(err, TRANCHE_INVALID, "a device, component or command cannot be empty, \".\" or \"..\"");
    out->url = end_string(&pen, start);

    start = pen.at;
    put_key(&pen, call);
    out->headers[out->header_count++] = end_string(&pen, start);

    start = pen.at;
    PUT_TEXT(&pen, "X-Attempt: ");
    put_number(&pen, call->attempt);
    out->headers[out->header_count++] = end_string(&pen, start);

    out->body = pen.at;
    if (property)
        put_property_body(&pen, call);
    else
        put_command_body(&pen, step);
    out->body_bytes = (size_t)(pen.at - out->body);
    if (pen.full)
        return fail(err, TRANCHE_INVALID, "the request is longer than %zu bytes", out->text_bytes);
    return TRANCHE_OK;
}

/* ---- judging ---- */

enum verdict { VERDICT_NONE, VERDICT_CODE, VERDICT_UNREADABLE };

/* A whole number without sign, as the device's codes are. */
static bool read_code(const char *at, const char *end, int32_t *code)
{
    int64_t number = 0;
    if (at == end)
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        number = number * 10 + (*at - '0');
        if (number > INT32_MAX)
            return false;
    }
    *code = (int32_t)number;
    return true;
}

/* The device's own verdict in a command's answer. Most answers are short, and many have none: {} means that the command
 * was queued. */
static enum verdict find_code(const struct tranche_answer *answer, int32_t *code)
{
    static const char member[] = "responseCode";
    if (answer->body_bytes == 0 || memmem(answer->body, answer->body_bytes, member, sizeof member - 1) == NULL)
        return VERDICT_NONE;
    bool has_pairs; /* of no interest: no string is read */
    if (json_scan(answer->body, answer->body_bytes, &has_pairs, NULL) != TRANCHE_OK)
        return VERDICT_UNREADABLE;

    const char *end = answer->body + answer->body_bytes;
    const char *value = json_scan_member(json_scan_blank(answer->body, end), end, member);
    if (value == NULL || *value == 'n') /* not at the top, or null */
        return VERDICT_NONE;
    return read_code(value, json_scan_value(value, end), code) ? VERDICT_CODE : VERDICT_UNREADABLE;
}

static void central_judge(const void *state, const struct tranche_call *call, const struct tranche_answer *answer,
                          struct tranche_outcome *out)
{
    (void)state;
    bool command = call->step->kind == TRANCHE_STEP_COMMAND;
    struct outcome_hints hints = {
        .repeatable = !command,
        .not_executed = answer->status == 429, /* throttled before it reaches a device */
        .transient = answer->status / 100 == 5,
    };
    enum verdict verdict = VERDICT_NONE;
    if (command && answer->transport == TRANCHE_ANSWERED && answer->status / 100 == 2)
        verdict = find_code(answer, &hints.device_code);
    hints.has_device_code = verdict == VERDICT_CODE;
    outcome_of(answer, &hints, out);

    if (verdict == VERDICT_UNREADABLE) {
        static const char reason[] = "the answer's responseCode cannot be read, may have run";
        out->class = TRANCHE_OUTCOME_UNKNOWN;
        out->unanswered = true;
        memcpy(out->reason, reason, sizeof reason);
    }
}

const struct tranche_connector central_connector = {
    .name = "central",
    .merges = true,
    .open = central_open,
    .build = central_build,
    .judge = central_judge,
    .close = central_close,
};
