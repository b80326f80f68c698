#include "central.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char token[] = "SharedAccessSignature sr=gw&sig=abc%3D&skn=ops&se=1772444100000";

/* A call and a request to word it in; tests change what they are about. */
struct desk {
    void *state;
    struct tranche_step step;
    struct tranche_call call;
    struct tranche_request request;
    struct tranche_err err;
    char text[4096];
};

static struct desk desk;

static void set_value(const char *value)
{
    desk.step.value = value;
    desk.step.value_bytes = value != NULL ? strlen(value) : 0;
}

static void open_desk(void)
{
    desk = (struct desk){0};
    cr_assert_eq(central_connector.open("http://127.0.0.1:9200", token, &desk.state, &desk.err), TRANCHE_OK);
    desk.step = (struct tranche_step){ .kind = TRANCHE_STEP_PROPERTY, .target = "dtmi:meadow:pump;2", .component = "",
                                       .name = "targetTemperature" };
    set_value("65.50");
    desk.call = (struct tranche_call){ .job = "warm-up", .device = "pump-n01", .step = &desk.step, .merged = 1,
                                       .step_count = 1, .attempt = 1 };
    desk.request.text = desk.text;
    desk.request.text_bytes = sizeof desk.text;
}

static void close_desk(void)
{
    central_connector.close(desk.state);
}

static enum tranche_code build(void)
{
    return central_connector.build(desk.state, &desk.call, &desk.request, &desk.err);
}

static const char *header(const char *name)
{
    size_t bytes = strlen(name);
    for (size_t i = 0; i < desk.request.header_count; i++)
        if (strncmp(desk.request.headers[i], name, bytes) == 0 && desk.request.headers[i][bytes] == ':')
            return desk.request.headers[i] + bytes + 2;
    return "(no such header)";
}

static void expect_body(const char *body)
{
    cr_expect_eq(desk.request.body_bytes, strlen(body));
    cr_expect_arr_eq(desk.request.body, body, strlen(body), "%.*s is not %s", (int)desk.request.body_bytes,
              desk.request.body, body);
}

static void make_command(const char *component, const char *name, const char *value)
{
    desk.step.kind = TRANCHE_STEP_COMMAND;
    desk.step.component = component;
    desk.step.name = name;
    set_value(value);
}

TestSuite(central, .init = open_desk, .fini = close_desk);

/* ---- wording ---- */

Test(central, a_property_is_a_patch_with_the_raw_value)
{
    cr_assert_eq(build(), TRANCHE_OK);

    cr_expect_str_eq(desk.request.method, "PATCH");
    cr_expect_str_eq(desk.request.url,
                 "http://127.0.0.1:9200/api/devices/pump-n01/properties?api-version=2022-07-31");
    expect_body("{\"targetTemperature\":65.50}");
    cr_expect_str_eq(header("Content-Type"), "application/json");
    cr_expect_str_eq(header("Authorization"), token);
    cr_expect_str_eq(header("X-Attempt"), "1");
    cr_expect_eq(desk.request.timeout_ms, 0);
    cr_expect(desk.request.repeatable);
}

Test(central, a_component_is_part_of_the_path)
{
    desk.step.component = "thermostat1";

    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(desk.request.url, "http://127.0.0.1:9200/api/devices/pump-n01/components/thermostat1"
                                                "/properties?api-version=2022-07-31");
    expect_body("{\"targetTemperature\":65.50}");

    make_command("diagnostics", "selfTest", "{\"depth\":\"full\",\"limit\":1.10}");
    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(desk.request.url, "http://127.0.0.1:9200/api/devices/pump-n01/components/diagnostics"
                                                "/commands/selfTest?api-version=2022-07-31");
}

static struct tranche_step property_step(const char *component, const char *name, const char *value)
{
    return (struct tranche_step){ .kind = TRANCHE_STEP_PROPERTY, .target = "t", .component = component, .name = name,
                                  .value = value, .value_bytes = strlen(value) };
}

static void make_merged(const struct tranche_step *steps, uint16_t count)
{
    desk.call.step = steps;
    desk.call.merged = count;
}

Test(central, properties_of_one_component_are_one_write_to_it)
{
    const struct tranche_step steps[] = { property_step("led", "on", "true"), property_step("led", "level", "1e2") };
    make_merged(steps, 2);

    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(desk.request.url, "http://127.0.0.1:9200/api/devices/pump-n01/components/led/properties"
                                       "?api-version=2022-07-31");
    expect_body("{\"on\":true,\"level\":1e2}");
}

Test(central, properties_of_several_components_are_one_nested_write)
{
    const struct tranche_step steps[] = {
        property_step("led", "on", "true"), property_step("", "interval", "5"), property_step("led", "level", "-0"),
        property_step("", "name", "\"x\""), property_step("fan", "on", "{}"),
    };
    make_merged(steps, 5);

    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(desk.request.url, "http://127.0.0.1:9200/api/devices/pump-n01/properties?api-version=2022-07-31");
    expect_body("{\"interval\":5,\"name\":\"x\",\"led\":{\"on\":true,\"level\":-0},\"fan\":{\"on\":{}}}");
    cr_expect_str_eq(header("Idempotency-Key"), "warm-up/pump-n01");

    make_merged(steps, 3);
    desk.call.step = &steps[2];
    cr_assert_eq(build(), TRANCHE_OK);
    expect_body("{\"name\":\"x\",\"led\":{\"level\":-0},\"fan\":{\"on\":{}}}");
}

Test(central, one_property_without_a_value_refuses_the_whole_write)
{
    struct tranche_step steps[] = { property_step("", "a", "1"), property_step("", "b", "2") };
    steps[1].value = NULL;
    make_merged(steps, 2);

    cr_assert_eq(build(), TRANCHE_INVALID);
    cr_expect_str_eq(desk.err.text, "property \"b\" has no value to write");
}

Test(central, a_command_is_a_post_with_the_value_as_request)
{
    make_command("", "reboot", "{\"delay\":-0}");

    cr_assert_eq(build(), TRANCHE_OK);

    cr_expect_str_eq(desk.request.method, "POST");
    cr_expect_str_eq(desk.request.url,
                 "http://127.0.0.1:9200/api/devices/pump-n01/commands/reboot?api-version=2022-07-31");
    expect_body("{\"request\":{\"delay\":-0},\"connectionTimeout\":0,\"responseTimeout\":30}");
    cr_expect_not(desk.request.repeatable);
}

Test(central, null_is_passed_on_and_an_absent_value_is_left_out)
{
    make_command("", "restart", "null");
    cr_assert_eq(build(), TRANCHE_OK);
    expect_body("{\"request\":null,\"connectionTimeout\":0,\"responseTimeout\":30}");

    make_command("", "restart", NULL);
    cr_assert_eq(build(), TRANCHE_OK);
    expect_body("{\"connectionTimeout\":0,\"responseTimeout\":30}");
}

Test(central, a_property_without_a_value_is_refused)
{
    set_value(NULL);
    cr_expect_eq(build(), TRANCHE_INVALID);
    cr_expect_str_eq(desk.err.text, "property \"targetTemperature\" has no value to write");
}

Test(central, every_byte_outside_the_unreserved_ones_is_encoded_in_the_path)
{
    desk.call.device = "-:.+%_#*?!(),=@$'aZ9";

    cr_assert_eq(build(), TRANCHE_OK);

    cr_expect_str_eq(desk.request.url,
                 "http://127.0.0.1:9200/api/devices/-%3A.%2B%25_%23%2A%3F%21%28%29%2C%3D%40%24%27aZ9/properties"
                 "?api-version=2022-07-31");
}

Test(central, a_segment_cannot_leave_its_place)
{
    desk.call.device = "a/../b";
    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(desk.request.url,
                 "http://127.0.0.1:9200/api/devices/a%2F..%2Fb/properties?api-version=2022-07-31");

    const char *refused[] = { "", ".", ".." };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        desk.call.device = refused[i];
        cr_expect_eq(build(), TRANCHE_INVALID, "device \"%s\"", refused[i]);
    }
}

Test(central, a_name_is_escaped_in_the_body)
{
    desk.step.name = "a\"b\\c\nd";
    cr_assert_eq(build(), TRANCHE_OK);
    expect_body("{\"a\\\"b\\\\c\\u000ad\":65.50}");
}

Test(central, a_property_keeps_its_key_over_all_attempts)
{
    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(header("Idempotency-Key"), "warm-up/pump-n01");

    desk.call.attempt = 65535;
    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(header("Idempotency-Key"), "warm-up/pump-n01");
    cr_expect_str_eq(header("X-Attempt"), "65535");
}

Test(central, a_command_has_a_key_for_each_attempt)
{
    make_command("", "reboot", NULL);
    desk.call.attempt = 12;
    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(header("Idempotency-Key"), "warm-up/pump-n01/12");
}

Test(central, the_step_is_in_the_key_only_where_there_are_several)
{
    desk.call.step_count = 3;
    desk.call.step_index = 2;
    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(header("Idempotency-Key"), "warm-up/pump-n01/2");

    make_command("", "reboot", NULL);
    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(header("Idempotency-Key"), "warm-up/pump-n01/2/1");
}

Test(central, a_key_is_encoded_where_a_header_is_not_safe)
{
    desk.call.device = "a%b:c#d(e)\r\n f\xc3\xa9";
    cr_assert_eq(build(), TRANCHE_OK);
    cr_expect_str_eq(header("Idempotency-Key"), "warm-up/a%25b:c#d(e)%0D%0A%20f%C3%A9");
}

Test(central, without_a_token_there_is_no_authorization)
{
    void *state = NULL;
    cr_assert_eq(central_connector.open("https://gw.example/base//", NULL, &state, NULL), TRANCHE_OK);

    cr_assert_eq(central_connector.build(state, &desk.call, &desk.request, NULL), TRANCHE_OK);

    cr_expect_str_eq(desk.request.url,
                 "https://gw.example/base/api/devices/pump-n01/properties?api-version=2022-07-31");
    cr_expect_str_eq(header("Authorization"), "(no such header)");
    central_connector.close(state);
}

/* Whatever the room, the request is either complete or refused, and nothing is written behind it. */
Test(central, too_little_room_is_refused)
{
    cr_assert_eq(build(), TRANCHE_OK);
    size_t needed = (size_t)(desk.request.body + desk.request.body_bytes - desk.text);

    for (size_t room = 0; room < needed; room++) {
        char *text = malloc(room == 0 ? 1 : room); /* so that a sanitizer sees a byte too many */
        desk.request.text = text;
        desk.request.text_bytes = room;
        cr_expect_eq(build(), TRANCHE_INVALID, "%zu bytes", room);
        free(text);
    }
    desk.request.text = desk.text;
    desk.request.text_bytes = needed;
    cr_expect_eq(build(), TRANCHE_OK);
    expect_body("{\"targetTemperature\":65.50}");
}

Test(central, only_device_calls_are_worded)
{
    desk.step.kind = TRANCHE_STEP_CLOUD_PROPERTY;
    cr_expect_eq(build(), TRANCHE_INVALID);
}

Test(central, an_odd_gateway_is_refused)
{
    static const char *const bases[] = { "", "127.0.0.1:9200", "ftp://gw", "http://", "http:///api", "http://gw?x=1",
                                         "http://gw#x", "http://g w", "http://gw\n" };
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        void *state = NULL;
        cr_expect_eq(central_connector.open(bases[i], NULL, &state, NULL), TRANCHE_INVALID, "%s", bases[i]);
        cr_expect_null(state);
    }
    void *state = NULL;
    cr_expect_eq(central_connector.open("http://gw", "a\r\nX: y", &state, NULL), TRANCHE_INVALID);
    cr_expect_eq(central_connector.open("http://gw", "", &state, NULL), TRANCHE_INVALID);
}

/* ---- judging ---- */

static struct tranche_outcome judge(int status, const char *body)
{
    struct tranche_answer answer = { .transport = TRANCHE_ANSWERED, .status = status, .body = body,
                                     .body_bytes = strlen(body), .retry_after_ms = 1500, .detail = "" };
    struct tranche_outcome outcome;
    central_connector.judge(desk.state, &desk.call, &answer, &outcome);
    return outcome;
}

static struct tranche_outcome judge_transport(enum tranche_transport transport)
{
    struct tranche_answer answer = { .transport = transport, .detail = "" };
    struct tranche_outcome outcome;
    central_connector.judge(desk.state, &desk.call, &answer, &outcome);
    return outcome;
}

struct verdict {
    int status;
    const char *body;
    enum tranche_outcome_class class;
    int32_t code;
};

static void expect_verdicts(const struct verdict *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tranche_outcome outcome = judge(rows[i].status, rows[i].body);
        cr_expect_eq(outcome.class, rows[i].class, "%d %s: %s", rows[i].status, rows[i].body, outcome.reason);
        cr_expect_eq(outcome.code, rows[i].code, "%d %s", rows[i].status, rows[i].body);
    }
}

Test(central, a_property_is_judged_by_its_status)
{
    static const struct verdict rows[] = {
        { 202, "{\"$metadata\":{\"targetTemperature\":{\"desiredValue\":65.5}}}", TRANCHE_OUTCOME_OK, 202 },
        { 202, "{\"responseCode\":500}", TRANCHE_OUTCOME_OK, 202 }, /* a property of that name, not a verdict */
        { 204, "", TRANCHE_OUTCOME_OK, 204 },
        { 307, "", TRANCHE_OUTCOME_FAILED, 307 },
        { 404, "{}", TRANCHE_OUTCOME_FAILED, 404 },
        { 422, "{}", TRANCHE_OUTCOME_FAILED, 422 },
        { 408, "", TRANCHE_OUTCOME_RETRY, 408 },
        { 429, "", TRANCHE_OUTCOME_RETRY, 429 },
        { 500, "", TRANCHE_OUTCOME_RETRY, 500 },
        { 503, "", TRANCHE_OUTCOME_RETRY, 503 },
    };
    expect_verdicts(rows, sizeof rows / sizeof rows[0]);
}

Test(central, a_command_is_judged_by_its_response_code)
{
    static const struct verdict rows[] = {
        { 201, "{\"response\":{\"ok\":true},\"responseCode\":200}", TRANCHE_OUTCOME_OK, 200 },
        { 201, " { \"responseCode\" : 399 } ", TRANCHE_OUTCOME_OK, 399 },
        { 201, "{\"responseCode\":400}", TRANCHE_OUTCOME_FAILED, 400 },
        { 201, "{\"responseCode\":2147483647}", TRANCHE_OUTCOME_FAILED, 2147483647 },
        { 201, "{}", TRANCHE_OUTCOME_OK, 201 },
        { 201, "", TRANCHE_OUTCOME_OK, 201 },
        { 201, "{\"responseCode\":null}", TRANCHE_OUTCOME_OK, 201 },
        { 201, "{\"response\":{\"responseCode\":500}}", TRANCHE_OUTCOME_OK, 201 },
        { 201, "{\"response\":\"responseCode\"}", TRANCHE_OUTCOME_OK, 201 },
        { 404, "{\"responseCode\":200}", TRANCHE_OUTCOME_FAILED, 404 },
    };
    make_command("", "reboot", NULL);
    expect_verdicts(rows, sizeof rows / sizeof rows[0]);
}

Test(central, a_verdict_that_cannot_be_read_is_no_success)
{
    static const char *const bodies[] = { "{\"responseCode\":200", "{\"responseCode\":\"200\"}", "{\"responseCode\":-1}",
                                          "{\"responseCode\":20.5}", "{\"responseCode\":2147483648}",
                                          "{\"responseCode\":200,\"responseCode\":500}" };
    make_command("", "reboot", NULL);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct tranche_outcome outcome = judge(201, bodies[i]);
        cr_expect_eq(outcome.class, TRANCHE_OUTCOME_UNKNOWN, "%s", bodies[i]);
        cr_expect(outcome.unanswered, "%s", bodies[i]);
        cr_expect_str_eq(outcome.reason, "the answer's responseCode cannot be read, may have run");
    }
}

Test(central, a_command_is_only_repeated_where_it_did_not_run)
{
    static const struct verdict rows[] = {
        { 408, "", TRANCHE_OUTCOME_FAILED, 408 },
        { 500, "", TRANCHE_OUTCOME_FAILED, 500 },
        { 502, "", TRANCHE_OUTCOME_FAILED, 502 },
        { 503, "", TRANCHE_OUTCOME_FAILED, 503 },
        { 504, "", TRANCHE_OUTCOME_FAILED, 504 },
    };
    make_command("", "reboot", NULL);
    expect_verdicts(rows, sizeof rows / sizeof rows[0]);

    struct tranche_outcome throttled = judge(429, "");
    cr_expect_eq(throttled.class, TRANCHE_OUTCOME_RETRY);
    cr_expect_eq(throttled.retry_after_ms, 1500);
    cr_expect_eq(judge_transport(TRANCHE_UNSENT).class, TRANCHE_OUTCOME_RETRY);
    cr_expect_eq(judge_transport(TRANCHE_TIMED_OUT).class, TRANCHE_OUTCOME_UNKNOWN);
    cr_expect_eq(judge_transport(TRANCHE_DIED_IDLE).class, TRANCHE_OUTCOME_UNKNOWN);
}

Test(central, a_property_without_an_answer_is_sent_again)
{
    struct tranche_outcome outcome = judge_transport(TRANCHE_BROKEN);
    cr_expect_eq(outcome.class, TRANCHE_OUTCOME_RETRY);
    cr_expect(outcome.unanswered);
    cr_expect_eq(judge_transport(TRANCHE_HALTED).class, TRANCHE_OUTCOME_NOT_SENT);
    cr_expect_eq(judge_transport(TRANCHE_LOCAL).class, TRANCHE_OUTCOME_LOCAL);
}
