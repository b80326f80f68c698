/* Twin of fleetsim_call.c, and of fleetsim_json.c, which it uses throughout. */
#include "fleetsim_call.h"

#include <criterion/criterion.h>

static enum verdict read_call(struct call *call, const char *method, const char *path, const char *body)
{
    return call_read(call, span_of(method), span_of(path), span_of(body));
}

/* Reads the call, words the answer and compares both parts. */
static void expect_answer(const char *method, const char *path, const char *body, enum verdict verdict,
                          size_t choice, unsigned status, const char *answer)
{
    struct call call;
    struct bytes out = { 0 };
    enum verdict seen = read_call(&call, method, path, body);
    struct call_answer head = call_word(&call, seen == VERDICT_OK ? verdict : seen, choice, &out);
    bytes_put(&out, "", 1);
    cr_expect_eq(head.status, status, "%s %s: %u", method, path, head.status);
    cr_expect_str_eq(out.data, answer);
    bytes_free(&out);
}

Test(fleetsim_call, every_route_is_known_by_method_and_path)
{
    static const struct {
        const char *method, *path;
        enum call_shape shape;
    } cases[] = {
        { "PATCH", "/api/devices/d/properties", CALL_CENTRAL_PROPERTY },
        { "PATCH", "/api/devices/d/components/c/properties", CALL_CENTRAL_PROPERTY },
        { "PATCH", "/api/devices/d/modules/m/components/c/properties", CALL_CENTRAL_PROPERTY },
        { "POST", "/api/devices/d/commands/reboot", CALL_CENTRAL_COMMAND },
        { "POST", "/api/devices/d/components/c/commands/reboot", CALL_CENTRAL_COMMAND },
        { "POST", "/api/devices/d/modules/m/commands/reboot", CALL_CENTRAL_COMMAND },
        { "PATCH", "/twins/d", CALL_HUB_TWIN },
        { "POST", "/twins/d/methods", CALL_HUB_METHOD },
        { "POST", "/twins/d/modules/m/methods", CALL_HUB_METHOD },
        { "PUT", "/api/devices/d/properties", CALL_UNKNOWN },
        { "PATCH", "/api/devices/d/properties/", CALL_UNKNOWN },
        { "PATCH", "/api/devices//properties", CALL_UNKNOWN },
        { "PATCH", "/api/devices/d", CALL_UNKNOWN },
        { "POST", "/api/devices/d/commands", CALL_UNKNOWN },
        { "PATCH", "/twins/", CALL_UNKNOWN },
        { "GET", "/", CALL_UNKNOWN },
    };
    struct call call;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_call(&call, cases[i].method, cases[i].path, "{\"methodName\":\"m\"}");
        cr_expect_eq(call.shape, cases[i].shape, "%s %s", cases[i].method, cases[i].path);
    }
}

Test(fleetsim_call, the_device_id_is_decoded)
{
    struct call call;

    cr_assert_eq(read_call(&call, "PATCH", "/twins/a%2Fb%c3%A9", "{}"), VERDICT_OK);

    cr_expect(span_is((struct span){ call.device, call.device_bytes }, "a/b\xc3\xa9"));
}

Test(fleetsim_call, device_ids_that_cannot_be_are_bad_requests)
{
    char path[7 + DEVICE_ID_BYTES_MAX + 2] = "/twins/";
    struct call call;
    cr_expect_eq(read_call(&call, "PATCH", "/twins/a%2", "{}"), VERDICT_BAD_REQUEST);
    cr_expect_eq(read_call(&call, "PATCH", "/twins/a%gg", "{}"), VERDICT_BAD_REQUEST);
    memset(path + 7, 'a', DEVICE_ID_BYTES_MAX);
    cr_expect_eq(read_call(&call, "PATCH", path, "{}"), VERDICT_OK);
    path[7 + DEVICE_ID_BYTES_MAX] = 'a';
    cr_expect_eq(read_call(&call, "PATCH", path, "{}"), VERDICT_BAD_REQUEST);
    cr_expect_eq(call.device_bytes, 0);
}

Test(fleetsim_call, bodies_that_are_no_json_object_are_bad_requests)
{
    static const char *const bad[] = {
        "",
        "[1]",
        "1",
        "{",
        "{}x",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":.5}",
        "{\"a\":tru}",
        "{\"a\":\"\x01\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"",
        "{\"a\":[1,]}",
        "{\"a\":[1}}",
        "{\"a\":{\"b\":1]}",
        "{a:1}",
    };
    struct call call;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(read_call(&call, "PATCH", "/twins/d", bad[i]), VERDICT_BAD_REQUEST, "%s", bad[i]);
}

Test(fleetsim_call, values_may_nest_only_so_deep)
{
    char body[300] = "{\"a\":";
    struct call call;
    memset(body + 5, '[', 62);
    memset(body + 67, ']', 62);
    body[129] = '}';
    cr_expect_eq(read_call(&call, "PATCH", "/twins/d", body), VERDICT_OK);
    memset(body + 5, '[', 100);
    memset(body + 105, ']', 100);
    body[205] = '}';
    cr_expect_eq(read_call(&call, "PATCH", "/twins/d", body), VERDICT_BAD_REQUEST);
}

Test(fleetsim_call, a_direct_method_needs_a_name_and_a_command_no_body)
{
    struct call call;
    cr_expect_eq(read_call(&call, "POST", "/twins/d/methods", "{\"payload\":1}"), VERDICT_BAD_REQUEST);
    cr_expect_eq(read_call(&call, "POST", "/api/devices/d/commands/reboot", ""), VERDICT_OK);
}

Test(fleetsim_call, property_writes_echo_the_values_as_they_came)
{
    expect_answer(
        "PATCH", "/api/devices/d/properties",
        " { \"t\" : 65.50 , \"c\":{\"n\":[1, \"}\"]},\"\\u00e9\":\"x\" } ", VERDICT_OK, 0, 202,
        "{\"$metadata\":{\"t\":{\"desiredValue\":65.50},\"c\":{\"desiredValue\":{\"n\":[1, \"}\"]}},"
        "\"\\u00e9\":{\"desiredValue\":\"x\"}}}");
    expect_answer("PATCH", "/twins/a%22b", "{\"properties\":{\"desired\":{\"t\":1}}}", VERDICT_OK, 0, 200,
                  "{\"deviceId\":\"a\\\"b\",\"properties\":{\"desired\":{\"t\":1}}}");
}

Test(fleetsim_call, commands_carry_the_devices_code)
{
    expect_answer("POST", "/api/devices/d/commands/reboot", "{\"request\":1}", VERDICT_OK, 0, 201,
                  "{\"responseCode\":200,\"response\":{}}");
    expect_answer("POST", "/twins/d/methods", "{\"methodName\":\"reboot\"}", VERDICT_OK, 0, 200,
                  "{\"status\":200,\"payload\":{}}");
    expect_answer("POST", "/api/devices/d/commands/reboot", "", VERDICT_FAIL, 1, 201,
                  "{\"responseCode\":400,\"response\":{\"error\":\"bad argument\"}}");
    expect_answer("POST", "/twins/d/methods", "{\"methodName\":\"reboot\"}", VERDICT_FAIL, 5, 200,
                  "{\"status\":500,\"payload\":{\"error\":\"internal fault\"}}");
}

Test(fleetsim_call, half_the_failures_of_a_command_are_the_devices_own_and_none_of_a_property_write)
{
    struct call command, property;
    struct bytes out = { 0 };
    unsigned by_device = 0;
    read_call(&command, "POST", "/api/devices/d/commands/reboot", "");
    read_call(&property, "PATCH", "/api/devices/d/properties", "{}");
    for (size_t choice = 0; choice < CALL_CHOICES; choice++) {
        by_device += call_word(&command, VERDICT_FAIL, choice, &out).status < 300;
        unsigned status = call_word(&property, VERDICT_FAIL, choice, &out).status;
        cr_expect(status >= 400 && status < 500 && status != 401 && status != 408 && status != 429);
    }
    cr_expect_eq(by_device, CALL_CHOICES / 2);
    bytes_free(&out);
}

Test(fleetsim_call, offline_says_so_in_each_shape)
{
    expect_answer("POST", "/api/devices/d/commands/reboot", "", VERDICT_OFFLINE, 0, 404,
                  "{\"error\":{\"code\":\"NotFound\",\"message\":\"The device is not connected.\"}}");
    expect_answer(
        "POST", "/twins/d/methods", "{\"methodName\":\"reboot\"}", VERDICT_OFFLINE, 0, 404,
        "{\"Message\":\"{\\\"errorCode\\\":404103,\\\"trackingId\\\":\\\"fleetsim\\\",\\\"message\\\":"
        "\\\"The device is not online.\\\"}\",\"ExceptionMessage\":\"\"}");
}

Test(fleetsim_call, transient_faults_are_429_with_retry_after_or_503)
{
    struct call call;
    struct bytes out = { 0 };
    read_call(&call, "PATCH", "/twins/d", "{}");

    struct call_answer first = call_word(&call, VERDICT_TRANSIENT, 0, &out);
    struct call_answer second = call_word(&call, VERDICT_TRANSIENT, 1, &out);

    cr_expect_eq(first.status, 429);
    cr_expect(strstr(first.headers, "Retry-After: 1\r\n") != NULL);
    cr_expect_eq(second.status, 503);
    bytes_free(&out);
}

Test(fleetsim_call, unknown_routes_get_json)
{
    expect_answer("GET", "/nope", "", VERDICT_OK, 0, 404,
                  "{\"error\":{\"code\":\"NotFound\",\"message\":\"No such route; see fleetsim --help.\"}}");
}
