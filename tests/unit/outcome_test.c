#include "outcome.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ANY (-1)

/* The tables of api-contract.md 9.4 and connectors.md 2 as rules, read from the top, the first that fits holds. Device
 * code: 0 none, else the code. */
static const struct rule {
    enum tranche_transport transport;
    int first, last;  /* HTTP status */
    int repeatable, certified, listed;
    int refused;      /* by a device code of 400 and above */
    enum tranche_outcome_class class;
    enum tranche_device_state last_word;
} rules[] = {
#define OK       TRANCHE_OUTCOME_OK, TRANCHE_DEVICE_COMPLETED
#define FAILED   TRANCHE_OUTCOME_FAILED, TRANCHE_DEVICE_FAILED
#define RETRY    TRANCHE_OUTCOME_RETRY, TRANCHE_DEVICE_FAILED
#define AGAIN    TRANCHE_OUTCOME_RETRY, TRANCHE_DEVICE_UNKNOWN
#define UNKNOWN  TRANCHE_OUTCOME_UNKNOWN, TRANCHE_DEVICE_UNKNOWN
#define NOT_SENT TRANCHE_OUTCOME_NOT_SENT, TRANCHE_DEVICE_PENDING
#define LOCAL    TRANCHE_OUTCOME_LOCAL, TRANCHE_DEVICE_PENDING
    /*                    status    repeatable certified listed refused */
    { TRANCHE_ANSWERED,   200, 299, ANY,       ANY,      ANY,   0,      OK },
    { TRANCHE_ANSWERED,   200, 299, ANY,       ANY,      ANY,   1,      FAILED },
    { TRANCHE_ANSWERED,   100, 999, ANY,       1,        ANY,   ANY,    RETRY },
    { TRANCHE_ANSWERED,   100, 999, 1,         ANY,      1,     ANY,    RETRY },
    { TRANCHE_ANSWERED,   408, 408, 1,         ANY,      ANY,   ANY,    RETRY },
    { TRANCHE_ANSWERED,   429, 429, 1,         ANY,      ANY,   ANY,    RETRY },
    { TRANCHE_ANSWERED,   502, 504, 1,         ANY,      ANY,   ANY,    RETRY },
    { TRANCHE_ANSWERED,   100, 999, ANY,       ANY,      ANY,   ANY,    FAILED },
    { TRANCHE_UNSENT,     0,   999, ANY,       ANY,      ANY,   ANY,    RETRY },
    { TRANCHE_HALTED,     0,   999, ANY,       ANY,      ANY,   ANY,    NOT_SENT },
    { TRANCHE_LOCAL,      0,   999, ANY,       ANY,      ANY,   ANY,    LOCAL },
    { TRANCHE_TIMED_OUT,  0,   999, 1,         ANY,      ANY,   ANY,    AGAIN },
    { TRANCHE_BROKEN,     0,   999, 1,         ANY,      ANY,   ANY,    AGAIN },
    { TRANCHE_DIED_IDLE,  0,   999, 1,         ANY,      ANY,   ANY,    AGAIN },
    { TRANCHE_GARBLED,    0,   999, 1,         ANY,      ANY,   ANY,    AGAIN },
    { TRANCHE_TIMED_OUT,  0,   999, 0,         ANY,      ANY,   ANY,    UNKNOWN },
    { TRANCHE_BROKEN,     0,   999, 0,         ANY,      ANY,   ANY,    UNKNOWN },
    { TRANCHE_DIED_IDLE,  0,   999, 0,         ANY,      ANY,   ANY,    UNKNOWN },
    { TRANCHE_GARBLED,    0,   999, 0,         ANY,      ANY,   ANY,    UNKNOWN },
#undef OK
#undef FAILED
#undef RETRY
#undef AGAIN
#undef UNKNOWN
#undef NOT_SENT
#undef LOCAL
};

static bool fits(int wanted, bool got)
{
    return wanted == ANY || wanted == (int)got;
}

static const struct rule *rule_for(const struct tranche_answer *answer, const struct outcome_hints *hints)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        if (r->transport == answer->transport && r->first <= answer->status && answer->status <= r->last &&
            fits(r->repeatable, hints->repeatable) && fits(r->certified, hints->not_executed) &&
            fits(r->listed, hints->transient) && fits(r->refused, hints->has_device_code && hints->device_code >= 400))
            return r;
    }
    cr_assert_fail("no rule for transport %d, status %d", (int)answer->transport, answer->status);
    return NULL;
}

static bool is_last_word(const struct tranche_outcome *outcome)
{
    return outcome->class != TRANCHE_OUTCOME_NOT_SENT && outcome->class != TRANCHE_OUTCOME_LOCAL;
}

static void check(const struct tranche_answer *answer, const struct outcome_hints *hints)
{
    const struct rule *rule = rule_for(answer, hints);
    struct tranche_outcome out;
    memset(&out, 0xa5, sizeof out);

    outcome_of(answer, hints, &out);

    bool answered = answer->transport == TRANCHE_ANSWERED;
    bool device_spoke = answered && hints->has_device_code && answer->status / 100 == 2;
    int code = !answered ? 0 : device_spoke ? hints->device_code : answer->status;
    uint32_t wait_ms = answered && out.class == TRANCHE_OUTCOME_RETRY ? answer->retry_after_ms : 0;
    bool said = memchr(out.reason, '\0', sizeof out.reason) != NULL && out.reason[0] != '\0';
    if (out.class != rule->class || (is_last_word(&out) && outcome_final_state(&out) != rule->last_word))
        cr_assert_fail("transport %d, status %d, repeatable %d, certified %d, listed %d, device %d: %s",
                       (int)answer->transport, answer->status, hints->repeatable, hints->not_executed,
                       hints->transient, (int)hints->device_code, outcome_class_name(out.class));
    if (out.code != code || out.retry_after_ms != wait_ms || said != (out.class != TRANCHE_OUTCOME_OK))
        cr_assert_fail("transport %d, status %d: code %d, wait %u ms, \"%s\"", (int)answer->transport, answer->status,
                       (int)out.code, out.retry_after_ms, out.reason);
}

/* Device codes: none, and both sides of the border. */
static void check_hints(const struct tranche_answer *answer)
{
    static const int32_t codes[] = { 0, 1, 200, 202, 399, 400, 500, INT32_MAX, INT32_MIN };
    for (unsigned bits = 0; bits < 8; bits++)
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
            struct outcome_hints hints = {
                .repeatable = bits & 1, .not_executed = bits & 2, .transient = bits & 4,
                .has_device_code = i > 0, .device_code = codes[i],
            };
            check(answer, &hints);
        }
}

Test(outcome, follows_the_contract_for_every_answer)
{
    for (int status = 100; status <= 999; status++) {
        struct tranche_answer answer = { .transport = TRANCHE_ANSWERED, .status = status, .retry_after_ms = 7000 };
        check_hints(&answer);
    }
}

Test(outcome, follows_the_contract_for_every_end_without_an_answer)
{
    for (unsigned transport = TRANCHE_UNSENT; transport < TRANCHE_TRANSPORT_COUNT; transport++)
        for (int status = 0; status <= 599; status++) {
            struct tranche_answer answer = { .transport = (enum tranche_transport)transport, .status = status,
                                             .retry_after_ms = 7000 };
            check_hints(&answer);
        }
}

static struct tranche_outcome outcome(enum tranche_transport transport, int status, struct outcome_hints hints)
{
    struct tranche_answer answer = { .transport = transport, .status = status, .detail = "" };
    struct tranche_outcome out;
    outcome_of(&answer, &hints, &out);
    return out;
}

static const struct outcome_hints command = {0};
static const struct outcome_hints property = { .repeatable = true };

Test(outcome, says_in_few_words_what_happened)
{
    static const struct {
        enum tranche_transport transport;
        int status;
        const char *to_property, *to_command;
    } rows[] = {
        { TRANCHE_ANSWERED, 202, "", "" },
        { TRANCHE_ANSWERED, 101, "unexpected answer (HTTP 101)", "unexpected answer (HTTP 101)" },
        { TRANCHE_ANSWERED, 307, "redirects are not followed (HTTP 307)", "redirects are not followed (HTTP 307)" },
        { TRANCHE_ANSWERED, 404, "refused by gateway (HTTP 404)", "refused by gateway (HTTP 404)" },
        { TRANCHE_ANSWERED, 408, "gateway timed out (HTTP 408)", "gateway timed out (HTTP 408), may have run" },
        { TRANCHE_ANSWERED, 429, "throttled by gateway (HTTP 429)", "throttled by gateway (HTTP 429), may have run" },
        { TRANCHE_ANSWERED, 500, "gateway trouble (HTTP 500)", "gateway trouble (HTTP 500), may have run" },
        { TRANCHE_ANSWERED, 503, "gateway trouble (HTTP 503)", "gateway trouble (HTTP 503), may have run" },
        { TRANCHE_ANSWERED, 504, "gateway timed out (HTTP 504)", "gateway timed out (HTTP 504), may have run" },
        { TRANCHE_ANSWERED, 600, "unexpected answer (HTTP 600)", "unexpected answer (HTTP 600)" },
        { TRANCHE_UNSENT, 0, "could not connect: no connection", "could not connect: no connection" },
        { TRANCHE_HALTED, 0, "taken back before it was sent", "taken back before it was sent" },
        { TRANCHE_LOCAL, 0, "local trouble: the call could not be started",
          "local trouble: the call could not be started" },
        { TRANCHE_TIMED_OUT, 0, "no answer in time", "no answer in time, may have run" },
        { TRANCHE_BROKEN, 0, "connection broke before the answer was complete",
          "connection broke before the answer was complete, may have run" },
        { TRANCHE_DIED_IDLE, 0, "kept connection closed before an answer",
          "kept connection closed before an answer, may have run" },
        { TRANCHE_GARBLED, 0, "answer is no HTTP or too large", "answer is no HTTP or too large, may have run" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_str_eq(outcome(rows[i].transport, rows[i].status, property).reason, rows[i].to_property);
        cr_assert_str_eq(outcome(rows[i].transport, rows[i].status, command).reason, rows[i].to_command);
    }
}

Test(outcome, a_certified_answer_has_not_run_and_does_not_say_it_may_have)
{
    struct outcome_hints certified = { .not_executed = true };
    struct tranche_outcome throttled = outcome(TRANCHE_ANSWERED, 429, certified);

    cr_assert_eq(throttled.class, TRANCHE_OUTCOME_RETRY);
    cr_assert_str_eq(throttled.reason, "throttled by gateway (HTTP 429)");
    certified.reason = "device is not connected";
    cr_assert_str_eq(outcome(TRANCHE_ANSWERED, 404, certified).reason, "device is not connected");
    cr_assert_eq(outcome(TRANCHE_ANSWERED, 404, certified).class, TRANCHE_OUTCOME_RETRY);
}

Test(outcome, the_devices_own_code_is_kept)
{
    struct outcome_hints hints = { .has_device_code = true, .device_code = 422 };
    struct tranche_outcome out = outcome(TRANCHE_ANSWERED, 201, hints);
    cr_assert_eq(out.class, TRANCHE_OUTCOME_FAILED);
    cr_assert_eq(out.code, 422);
    cr_assert_str_eq(out.reason, "rejected by device (status 422)");

    hints.device_code = 202;
    out = outcome(TRANCHE_ANSWERED, 201, hints);
    cr_assert_eq(out.class, TRANCHE_OUTCOME_OK);
    cr_assert_eq(out.code, 202);
}

Test(outcome, the_connectors_words_go_before_the_models)
{
    struct outcome_hints hints = { .reason = "valve is stuck", .has_device_code = true, .device_code = 500 };
    cr_assert_str_eq(outcome(TRANCHE_ANSWERED, 200, hints).reason, "valve is stuck");
    cr_assert_str_eq(outcome(TRANCHE_ANSWERED, 400, hints).reason, "valve is stuck");
    cr_assert_str_eq(outcome(TRANCHE_ANSWERED, 504, hints).reason, "valve is stuck, may have run");
    hints.device_code = 200;
    cr_assert_str_eq(outcome(TRANCHE_ANSWERED, 200, hints).reason, "");
}

Test(outcome, the_connectors_words_are_cut_to_fit)
{
    char words[2 * TRANCHE_REASON_BYTES];
    memset(words, 'w', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    struct tranche_outcome out = outcome(TRANCHE_ANSWERED, 400, (struct outcome_hints){ .reason = words });
    cr_assert_eq(strlen(out.reason), TRANCHE_REASON_BYTES - 1);
}

Test(outcome, names_why_there_was_no_connection_without_naming_hosts_or_times)
{
    static const struct {
        int error;
        const char *detail, *cause;
    } rows[] = {
        { ECONNREFUSED, "Failed to connect to 127.0.0.1 port 9 after 0 ms", "connection refused" },
        { ECONNRESET, "", "connection reset" },
        { EPIPE, NULL, "connection reset" },
        { ETIMEDOUT, NULL, "timed out" },
        { EHOSTUNREACH, "", "unreachable" },
        { ENETUNREACH, "", "unreachable" },
        { 0, "Could not resolve host: hub.example", "name not resolved" },
        { 0, "Resolving timed out after 5001 milliseconds", "name not resolved" },
        { 0, "Connection timed out after 5001 milliseconds", "timed out" },
        { EINPROGRESS, "Timeout was reached", "timed out" },
        { 0, "SSL certificate problem: self-signed certificate", "TLS failed" },
        { 0, "OpenSSL SSL_connect: Connection reset by peer", "TLS failed" },
        { 0, "something nobody has seen yet", "no connection" },
        { 0, "", "no connection" },
        { 0, NULL, "no connection" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tranche_answer answer = { .transport = TRANCHE_UNSENT, .error = rows[i].error, .detail = rows[i].detail };
        struct tranche_outcome out;
        outcome_of(&answer, &command, &out);

        char expected[TRANCHE_REASON_BYTES];
        snprintf(expected, sizeof expected, "could not connect: %s", rows[i].cause);
        cr_assert_str_eq(out.reason, expected);
    }
}

Test(outcome, names_local_trouble)
{
    static const struct {
        int error;
        const char *reason;
    } rows[] = {
        { EMFILE, "local trouble: no descriptors left" },  { ENFILE, "local trouble: no descriptors left" },
        { ENOMEM, "local trouble: out of memory" },        { ENOBUFS, "local trouble: out of memory" },
        { EADDRNOTAVAIL, "local trouble: no local port left" },
        { EADDRINUSE, "local trouble: no local port left" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tranche_answer answer = { .transport = TRANCHE_LOCAL, .error = rows[i].error };
        struct tranche_outcome out;
        outcome_of(&answer, &command, &out);
        cr_assert_str_eq(out.reason, rows[i].reason);
    }
}

Test(outcome, an_unknown_made_by_hand_is_unknown_too)
{
    struct tranche_outcome after_a_crash = { .class = TRANCHE_OUTCOME_UNKNOWN };
    cr_assert_eq(outcome_final_state(&after_a_crash), TRANCHE_DEVICE_UNKNOWN);
}

Test(outcome, what_was_not_sent_is_no_last_word, .signal = SIGABRT)
{
    struct tranche_outcome taken_back = outcome(TRANCHE_HALTED, 0, command);
    outcome_final_state(&taken_back);
}

Test(outcome, local_trouble_is_no_last_word, .signal = SIGABRT)
{
    struct tranche_outcome local = outcome(TRANCHE_LOCAL, 0, command);
    outcome_final_state(&local);
}

Test(outcome, an_answer_without_a_status_stops_the_program, .signal = SIGABRT)
{
    outcome(TRANCHE_ANSWERED, 0, command);
}

Test(outcome, classes_have_names_of_their_own)
{
    for (unsigned i = 0; i < TRANCHE_OUTCOME_CLASS_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            cr_assert_str_neq(outcome_class_name((enum tranche_outcome_class)i),
                              outcome_class_name((enum tranche_outcome_class)j));
    cr_assert_str_eq(outcome_class_name(TRANCHE_OUTCOME_NOT_SENT), "not_sent");
}
