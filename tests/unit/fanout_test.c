/* Against real sockets: how often did the gateway receive each request, and what were we told? */
#include "fanout.h"
#include "gateway.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CALLS_MAX 600

/* What became of one call. */
struct call {
    unsigned ended;
    enum tranche_transport transport;
    int status;
    size_t body_bytes;
    char body[2048];
    uint32_t retry_after_ms;
    int error;
    char detail[256];
};

static struct rig {
    struct gateway *gateway;
    struct loop loop;
    struct fanout *fanout;
    struct call calls[CALLS_MAX];
    unsigned call_count, ended_count;
    bool within_start;
} rig;

/* How the next call is to be made; the fields that matter to a test are set by it. */
static struct fanout_call how;
static struct tranche_request words;

static void call_ended(void *context, void *tag, const struct tranche_answer *answer)
{
    struct call *call = tag;
    cr_assert_eq(context, &rig);
    cr_assert_not(rig.within_start);
    call->ended++;
    call->transport = answer->transport;
    call->status = answer->status;
    call->body_bytes = answer->body_bytes;
    snprintf(call->body, sizeof call->body, "%.*s", (int)answer->body_bytes, answer->body);
    call->retry_after_ms = answer->retry_after_ms;
    call->error = answer->error;
    snprintf(call->detail, sizeof call->detail, "%s", answer->detail);
    rig.ended_count++;
}

static void rig_open_with(const struct fanout_options *options, fanout_done *done)
{
    rig.gateway = gateway_open();
    cr_assert_eq(loop_open(&rig.loop, NULL), TRANCHE_OK);
    cr_assert_eq(fanout_open(&rig.fanout, &rig.loop, options, done, &rig, NULL), TRANCHE_OK);
    words = (struct tranche_request){ .method = "GET" };
    how = (struct fanout_call){ .timeout_ms = 10000, .idle_max_ms = 60000 };
}

static void rig_open(void)
{
    struct fanout_options options;
    fanout_defaults(&options);
    rig_open_with(&options, call_ended);
}

static void rig_close(void)
{
    fanout_close(rig.fanout);
    loop_close(&rig.loop);
    gateway_close(rig.gateway);
}

TestSuite(fanout, .timeout = 60);

static enum tranche_code start_url(const char *url)
{
    cr_assert_lt(rig.call_count, CALLS_MAX);
    words.url = url;
    how.request = &words;
    rig.within_start = true;
    enum tranche_code code = fanout_start(rig.fanout, &how, &rig.calls[rig.call_count], NULL);
    rig.within_start = false;
    rig.call_count += code == TRANCHE_OK;
    return code;
}

static enum tranche_code start_at(const char *scheme_and_host, const char *path)
{
    char url[256];
    snprintf(url, sizeof url, "%s:%u%s", scheme_and_host, gateway_port(rig.gateway), path);
    return start_url(url);
}

static enum tranche_code start(const char *path)
{
    return start_at("http://127.0.0.1", path);
}

/* One turn as a worker does it. */
static void turn(int64_t wait_max_us)
{
    int64_t wait_us = fanout_tick(rig.fanout, loop_now_us());
    loop_wait(&rig.loop, wait_us < 0 || wait_us > wait_max_us ? wait_max_us : wait_us);
}

static void run_until_ended(void)
{
    int64_t begin_us = loop_now_us();
    while (fanout_in_flight(rig.fanout) > 0) {
        cr_assert_lt(loop_now_us() - begin_us, 30000000, "%u calls do not end", fanout_in_flight(rig.fanout));
        turn(100000);
    }
}

static void run_for(int64_t time_us)
{
    int64_t end_us = loop_now_us() + time_us;
    for (int64_t now_us; (now_us = loop_now_us()) < end_us;)
        turn(end_us - now_us);
}

/* Starts one call and lets it end. */
static const struct call *call_at(const char *scheme_and_host, const char *path)
{
    cr_assert_eq(start_at(scheme_and_host, path), TRANCHE_OK);
    const struct call *call = &rig.calls[rig.call_count - 1];
    run_until_ended();
    cr_assert_eq(call->ended, 1);
    return call;
}

static const struct call *call(const char *path)
{
    return call_at("http://127.0.0.1", path);
}

#define assert_ended(call, how)                                                                            \
    cr_assert_eq((call)->transport, how, "transport %d, status %d, error %d, %s", (int)(call)->transport, \
                 (call)->status, (call)->error, (call)->detail)
#define assert_received(path, times) cr_assert_eq(gateway_requests(rig.gateway, path), times)

/* Answers. */

Test(fanout, an_answer_comes_with_status_and_body, .init = rig_open, .fini = rig_close)
{
    const struct call *answered = call("/ok/1");

    assert_ended(answered, TRANCHE_ANSWERED);
    cr_assert_eq(answered->status, 200);
    cr_assert_eq(answered->body_bytes, 2);
    cr_assert_str_eq(answered->body, "ok");
    cr_assert_str_eq(answered->detail, "");
    cr_assert_eq(answered->error, 0);
    assert_received("/ok/1", 1);
}

Test(fanout, the_request_goes_out_as_it_was_worded, .init = rig_open, .fini = rig_close)
{
    words = (struct tranche_request){ .method = "PATCH", .body = "{\"a\":1}", .body_bytes = 7, .header_count = 2,
                                      .headers = { "Content-Type: application/json", "X-Attempt: 3" } };

    const char *seen = call("/echo/%2e%2E/a%20b?c=d")->body;

    cr_assert_eq(strncmp(seen, "PATCH /echo/%2e%2E/a%20b?c=d HTTP/1.1\r\n", 39), 0, "%s", seen);
    cr_assert_not_null(strstr(seen, "\r\nContent-Type: application/json\r\n"));
    cr_assert_not_null(strstr(seen, "\r\nX-Attempt: 3\r\n"));
    cr_assert_not_null(strstr(seen, "\r\nContent-Length: 7\r\n"));
    cr_assert_not_null(strstr(seen, "\r\n\r\n{\"a\":1}"));
    cr_assert_null(strstr(seen, "Expect"));
    cr_assert_null(strstr(seen, "Encoding"));
}

/* The same handle speaks them all, one after another, so nothing of one may stay for the next. */
Test(fanout, every_method_is_said_with_and_without_a_body, .init = rig_open, .fini = rig_close)
{
    static const struct {
        const char *method, *body, *length;
    } cases[] = {
        { "GET", NULL, NULL },       { "POST", "abc", "3" },  { "GET", NULL, NULL },   { "POST", NULL, "0" },
        { "PUT", "ab", "2" },        { "DELETE", NULL, NULL }, { "DELETE", "a", "1" }, { "PATCH", NULL, "0" },
        { "GET", "why not", "7" },   { "GET", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        words = (struct tranche_request){ .method = cases[i].method, .body = cases[i].body,
                                          .body_bytes = cases[i].body == NULL ? 0 : strlen(cases[i].body) };
        const struct call *echo = call("/echo");
        assert_ended(echo, TRANCHE_ANSWERED);
        char *seen = strdup(echo->body), begin[32], length[32];
        snprintf(begin, sizeof begin, "%s /echo ", cases[i].method);
        snprintf(length, sizeof length, "Content-Length: %s\r\n", cases[i].length);

        cr_assert_eq(strncmp(seen, begin, strlen(begin)), 0, "%zu: %s", i, seen);
        if (cases[i].length == NULL)
            cr_assert_null(strstr(seen, "Content-Length"), "%zu: %s", i, seen);
        else
            cr_assert_not_null(strstr(seen, length), "%zu: %s", i, seen);
        cr_assert_null(strstr(seen, "Content-Type"), "%zu: %s", i, seen);
        cr_assert_str_eq(strstr(seen, "\r\n\r\n") + 4, cases[i].body == NULL ? "" : cases[i].body);
        free(seen);
    }
    words = (struct tranche_request){ .method = "HEAD" };
    assert_ended(call("/later/head"), TRANCHE_ANSWERED);
    words = (struct tranche_request){ .method = "GET" };
    cr_assert_str_eq(call("/ok/after-head")->body, "ok");
    cr_assert_eq(gateway_connections(rig.gateway), 1);
}

Test(fanout, the_words_may_be_scribbled_over_after_the_start, .init = rig_open, .fini = rig_close)
{
    char url[64], method[] = "POST", body[] = "body", header[] = "X-Key: value";
    snprintf(url, sizeof url, "http://127.0.0.1:%u/echo/mine", gateway_port(rig.gateway));
    words = (struct tranche_request){ .method = method, .body = body, .body_bytes = 4, .header_count = 1,
                                      .headers = { header } };

    cr_assert_eq(start_url(url), TRANCHE_OK);
    memset(url, '!', sizeof url - 1);
    memset(method, '!', sizeof method - 1);
    memset(body, '!', sizeof body - 1);
    memset(header, '!', sizeof header - 1);
    run_until_ended();

    assert_received("/echo/mine", 1);
    cr_assert_null(strchr(rig.calls[0].body, '!'), "%s", rig.calls[0].body);
}

Test(fanout, long_bodies_go_out_whole, .init = rig_open, .fini = rig_close)
{
    enum { BYTES = 200000 };
    char *body = malloc(BYTES);
    memset(body, 'x', BYTES);
    words = (struct tranche_request){ .method = "PUT", .body = body, .body_bytes = BYTES };

    const struct call *answered = call("/ok/long");

    free(body);
    assert_ended(answered, TRANCHE_ANSWERED);
    assert_received("/ok/long", 1);
}

Test(fanout, a_redirect_is_an_answer_and_is_not_followed, .init = rig_open, .fini = rig_close)
{
    const struct call *redirect = call("/redirect/1");

    assert_ended(redirect, TRANCHE_ANSWERED);
    cr_assert_eq(redirect->status, 307);
    assert_received("/redirect/1", 1);
    assert_received("/ok/redirected", 0);
}

Test(fanout, retry_after_is_told_and_not_remembered, .init = rig_open, .fini = rig_close)
{
    const struct call *later = call("/later/1"), *ok = call("/ok/2");

    cr_assert_eq(later->status, 429);
    cr_assert_eq(later->retry_after_ms, 7000);
    cr_assert_eq(ok->retry_after_ms, 0);
}

/* Nothing was sent. */

Test(fanout, a_refused_connection_is_unsent, .init = rig_open, .fini = rig_close)
{
    gateway_refuse(rig.gateway);

    const struct call *refused = call("/ok/1");

    assert_ended(refused, TRANCHE_UNSENT);
    cr_assert_eq(refused->error, ECONNREFUSED);
    cr_assert_str_eq(refused->detail, "Connection refused");
    cr_assert_eq(refused->status, 0);
}

Test(fanout, a_failed_tls_handshake_is_unsent, .init = rig_open, .fini = rig_close)
{
    const struct call *failed = call_at("https://127.0.0.1", "/ok/1");

    assert_ended(failed, TRANCHE_UNSENT);
    assert_received(NULL, 0);
    cr_assert_eq(gateway_connections(rig.gateway), 1);
}

Test(fanout, other_protocols_are_unsent, .init = rig_open, .fini = rig_close)
{
    assert_ended(call_at("ftp://127.0.0.1", "/ok/1"), TRANCHE_UNSENT);
    assert_ended(call_at("file://localhost", "/etc/passwd"), TRANCHE_UNSENT);
    cr_assert_eq(gateway_connections(rig.gateway), 0);
}

/* A listener whose queue is full lets the kernel drop what comes next: a black hole on one's own machine. */
struct hole {
    int listener, fillers[2];
};

static struct hole hole_open(const char *address, uint16_t port)
{
    struct hole hole = { .listener = socket(AF_INET, SOCK_STREAM, 0) };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    inet_pton(AF_INET, address, &at.sin_addr);
    cr_assert_eq(bind(hole.listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(hole.listener, 0), 0);
    for (int i = 0; i < 2; i++) {
        hole.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(hole.fillers[i], (struct sockaddr *)&at, sizeof at);
    }
    return hole;
}

static void hole_close(struct hole hole)
{
    close(hole.listener);
    close(hole.fillers[0]);
    close(hole.fillers[1]);
}

Test(fanout, a_connection_that_is_never_made_is_unsent, .init = rig_open, .fini = rig_close)
{
    struct hole hole = hole_open("127.0.0.8", gateway_port(rig.gateway));
    how.timeout_ms = 300;

    int64_t begin_us = loop_now_us();
    const struct call *unsent = call_at("http://127.0.0.8", "/ok/1");

    assert_ended(unsent, TRANCHE_UNSENT);
    cr_assert_str_eq(unsent->detail, "no connection in time, nothing was sent");
    cr_assert_geq(loop_now_us() - begin_us, 290000);
    hole_close(hole);
}

/* Halted. */

Test(fanout, a_call_behind_a_closed_gate_ends_at_the_next_tick_without_connecting, .init = rig_open, .fini = rig_close)
{
    struct fanout_gate gate = { .epoch = 4 };
    how.gate = &gate;
    how.epoch = 3;

    cr_assert_eq(start("/ok/1"), TRANCHE_OK);
    cr_assert_eq(start("/ok/2"), TRANCHE_OK);
    cr_assert_eq(fanout_in_flight(rig.fanout), 2);
    fanout_tick(rig.fanout, loop_now_us());

    cr_assert_eq(rig.ended_count, 2);
    assert_ended(&rig.calls[0], TRANCHE_HALTED);
    assert_ended(&rig.calls[1], TRANCHE_HALTED);
    cr_assert_eq(fanout_counters(rig.fanout)->connections, 0);
}

Test(fanout, a_gate_that_closes_after_the_start_lets_nothing_out, .init = rig_open, .fini = rig_close)
{
    struct fanout_gate gate = { .epoch = 3 };
    how.gate = &gate;
    how.epoch = 3;
    call("/ok/warm"); /* both a kept and a new connection are used below */

    for (int i = 0; i < 10; i++)
        cr_assert_eq(start("/ok/late"), TRANCHE_OK);
    gate.epoch = 4;
    run_until_ended();

    for (int i = 1; i <= 10; i++)
        assert_ended(&rig.calls[i], TRANCHE_HALTED);
    assert_received("/ok/late", 0);
    how.epoch = 4;
    assert_ended(call("/ok/again"), TRANCHE_ANSWERED);
}

Test(fanout, a_call_that_is_out_is_not_halted, .init = rig_open, .fini = rig_close)
{
    struct fanout_gate gate = { .epoch = 3 };
    how.gate = &gate;
    how.epoch = 3;

    cr_assert_eq(start("/slow/1"), TRANCHE_OK);
    run_for(50000);
    assert_received("/slow/1", 1);
    gate.epoch = 4;
    run_until_ended();

    assert_ended(&rig.calls[0], TRANCHE_ANSWERED);
}

/* Local trouble. */

static struct rlimit descriptors_none_left(void)
{
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    int next = dup(0);
    cr_assert_geq(next, 0);
    close(next);
    none.rlim_cur = (rlim_t)next;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    return before;
}

Test(fanout, having_no_descriptors_left_is_local_and_passes, .init = rig_open, .fini = rig_close)
{
    struct rlimit before = descriptors_none_left();
    const struct call *numeric = call("/ok/1"), *named = call_at("http://gateway.test", "/ok/2");
    setrlimit(RLIMIT_NOFILE, &before);

    assert_ended(numeric, TRANCHE_LOCAL);
    cr_assert_eq(numeric->error, EMFILE);
    cr_assert_str_eq(numeric->detail, "Too many open files");
    assert_ended(named, TRANCHE_LOCAL);
    assert_ended(call("/ok/3"), TRANCHE_ANSWERED);
    assert_received(NULL, 1);
}

Test(fanout, a_missing_file_of_authorities_is_local)
{
    struct fanout_options options;
    fanout_defaults(&options);
    options.ca_file = "/nonexistent/ca.pem";
    rig_open_with(&options, call_ended);

    assert_ended(call_at("https://127.0.0.1", "/ok/1"), TRANCHE_LOCAL);
    assert_received(NULL, 0);
    rig_close();
}

/* Sent, and no answer. */

Test(fanout, no_answer_in_time_is_timed_out, .init = rig_open, .fini = rig_close)
{
    how.timeout_ms = 200;

    const struct call *mute = call("/mute/1");

    assert_ended(mute, TRANCHE_TIMED_OUT);
    cr_assert_str_eq(mute->detail, "no complete answer in time");
    assert_received("/mute/1", 1);
}

Test(fanout, a_new_connection_that_breaks_is_broken, .init = rig_open, .fini = rig_close)
{
    static const char *const paths[] = { "/drop/1", "/reset/1", "/half/1" };
    for (int i = 0; i < 3; i++) {
        how.idle_max_ms = 0; /* each on a new connection */
        assert_ended(call(paths[i]), TRANCHE_BROKEN);
        assert_received(paths[i], 1);
    }
    gateway_slam(rig.gateway, true);
    assert_ended(call("/ok/slammed"), TRANCHE_BROKEN);
    assert_received("/ok/slammed", 0);
    cr_assert_eq(gateway_connections(rig.gateway), 4);
}

Test(fanout, an_answer_that_breaks_off_on_a_kept_connection_is_broken, .init = rig_open, .fini = rig_close)
{
    call("/ok/warm");

    assert_ended(call("/half/1"), TRANCHE_BROKEN);

    assert_received("/half/1", 1);
}

Test(fanout, what_is_no_http_or_too_long_is_garbled, .init = rig_open, .fini = rig_close)
{
    static const char *const paths[] = { "/long/1", "/endless/1", "/heads/1",   "/line/1",
                                         "/informed/1", "/garbage/1", "/ancient/1", "/chunk/1" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const struct call *garbled = call(paths[i]);
        cr_assert_eq(garbled->transport, TRANCHE_GARBLED, "%s: transport %d, %s", paths[i], (int)garbled->transport,
                     garbled->detail);
        cr_assert_leq(garbled->body_bytes, 64 * 1024);
        assert_received(paths[i], 1);
    }
    cr_assert_str_eq(rig.calls[0].detail, "the answer's body is too long");
    cr_assert_eq(rig.calls[0].body_bytes, 64 * 1024);
    cr_assert_str_eq(rig.calls[2].detail, "the answer's header is too long");
    assert_ended(call("/ok/after"), TRANCHE_ANSWERED);
}

/* The guard: libcurl sends a request again by itself when a kept connection dies before an answer. */

Test(fanout, a_request_lost_on_a_kept_connection_is_not_sent_again, .init = rig_open, .fini = rig_close)
{
    static const struct {
        const char *method, *path;
    } cases[] = { { "GET", "/drop/get" }, { "POST", "/drop/post" }, { "GET", "/reset/get" }, { "POST", "/reset/post" } };
    for (unsigned i = 0; i < 4; i++) {
        words = (struct tranche_request){ .method = "GET" };
        assert_ended(call("/ok/warm"), TRANCHE_ANSWERED);
        words = (struct tranche_request){ .method = cases[i].method };
        const struct call *lost = call(cases[i].path);

        assert_received(cases[i].path, 1);
        assert_ended(lost, TRANCHE_DIED_IDLE);
        cr_assert_str_eq(lost->detail, "the kept connection closed before an answer; it was not sent again");
        cr_assert_eq(gateway_connections(rig.gateway), i + 1); /* it was not even connected again */
    }
}

Test(fanout, it_is_not_sent_again_on_another_kept_connection, .init = rig_open, .fini = rig_close)
{
    for (int i = 0; i < 4; i++)
        cr_assert_eq(start("/slow/warm"), TRANCHE_OK);
    run_until_ended();
    cr_assert_eq(gateway_connections(rig.gateway), 4);

    const struct call *lost = call("/drop/1");

    assert_received("/drop/1", 1);
    assert_ended(lost, TRANCHE_DIED_IDLE);
}

/* The resend would fail to connect: what libcurl then reports must not pass for "nothing was sent". */
Test(fanout, a_gateway_that_is_gone_after_reading_leaves_no_certainty, .init = rig_open, .fini = rig_close)
{
    call("/ok/warm");

    const struct call *lost = call("/last/1");

    assert_received("/last/1", 1);
    assert_ended(lost, TRANCHE_DIED_IDLE);
}

Test(fanout, a_connection_closed_while_idle_costs_nothing, .init = rig_open, .fini = rig_close)
{
    for (int i = 0; i < 20; i++) {
        assert_ended(call("/bye/1"), TRANCHE_ANSWERED);
        run_for(5000);
    }
    assert_received("/bye/1", 20);
}

/* Connections. */

Test(fanout, an_idle_connection_closed_by_the_gateway_does_not_spin_the_loop, .init = rig_open, .fini = rig_close)
{
    call("/bye/1");

    unsigned turns = 0;
    for (int64_t end_us = loop_now_us() + 200000; loop_now_us() < end_us; turns++)
        turn(50000);

    cr_assert_leq(turns, 20);
}

Test(fanout, calls_one_after_another_share_one_connection, .init = rig_open, .fini = rig_close)
{
    for (int i = 0; i < 50; i++)
        assert_ended(call("/ok/same"), TRANCHE_ANSWERED);

    cr_assert_eq(gateway_connections(rig.gateway), 1);
    cr_assert_eq(fanout_counters(rig.fanout)->connections, 1);
}

Test(fanout, a_connection_that_idled_too_long_is_not_used, .init = rig_open, .fini = rig_close)
{
    how.idle_max_ms = 1000;
    call("/ok/1");
    run_for(1100000);
    call("/ok/2");
    cr_assert_eq(gateway_connections(rig.gateway), 2);

    how.idle_max_ms = 0;
    call("/ok/3");
    call("/ok/4");
    cr_assert_eq(gateway_connections(rig.gateway), 4);

    how.idle_max_ms = 60000;
    call("/ok/5");
    cr_assert_leq(gateway_connections(rig.gateway), 5);
}

Test(fanout, many_calls_over_small_multis_arrive_once_each)
{
    struct fanout_options options;
    fanout_defaults(&options);
    options.calls_max = 100;
    options.multi_handles = 8;
    rig_open_with(&options, call_ended);

    unsigned started = 0;
    while (rig.ended_count < CALLS_MAX) {
        char path[32];
        snprintf(path, sizeof path, "/%s/%u", started % 100 == 0 ? "slow" : "ok", started);
        if (started < CALLS_MAX && start(path) == TRANCHE_OK)
            started++;
        else
            turn(100000);
        cr_assert_leq(fanout_in_flight(rig.fanout), 100);
    }

    for (unsigned i = 0; i < CALLS_MAX; i++) {
        char path[32];
        snprintf(path, sizeof path, "/%s/%u", i % 100 == 0 ? "slow" : "ok", i);
        assert_received(path, 1);
        assert_ended(&rig.calls[i], TRANCHE_ANSWERED);
        cr_assert_eq(rig.calls[i].ended, 1);
    }
    cr_assert_leq(gateway_connections(rig.gateway), 104);
    cr_assert_eq(fanout_counters(rig.fanout)->started, CALLS_MAX);
    cr_assert_eq(fanout_counters(rig.fanout)->ended[TRANCHE_ANSWERED], CALLS_MAX);
    rig_close();
}

Test(fanout, more_calls_than_allowed_are_turned_away)
{
    struct fanout_options options;
    fanout_defaults(&options);
    options.calls_max = 3;
    options.multi_handles = 2;
    rig_open_with(&options, call_ended);

    for (int i = 0; i < 3; i++)
        cr_assert_eq(start("/slow/1"), TRANCHE_OK);
    cr_assert_eq(start("/slow/1"), TRANCHE_FULL);
    run_until_ended();

    assert_received("/slow/1", 3);
    cr_assert_eq(start("/ok/1"), TRANCHE_OK);
    rig_close();
}

/* Starts the next call while the answer is being read, and reads it after. */
static void call_ended_go_on(void *context, void *tag, const struct tranche_answer *answer)
{
    char body[8] = "";
    memcpy(body, answer->body, answer->body_bytes);
    if (rig.call_count < 100)
        cr_assert_eq(start("/ok/chain"), TRANCHE_OK);
    cr_assert_eq(answer->body_bytes, 2);
    cr_assert_eq(memcmp(answer->body, body, 2), 0);
    call_ended(context, tag, answer);
}

Test(fanout, an_ended_call_may_start_the_next_one_even_when_full)
{
    struct fanout_options options;
    fanout_defaults(&options);
    options.calls_max = 1;
    rig_open_with(&options, call_ended_go_on);

    cr_assert_eq(start("/ok/chain"), TRANCHE_OK);
    run_until_ended();

    cr_assert_eq(rig.ended_count, 100);
    assert_received("/ok/chain", 100);
    cr_assert_eq(gateway_connections(rig.gateway), 1);
    rig_close();
}

Test(fanout, closing_drops_what_is_in_flight, .init = rig_open)
{
    call("/ok/1");
    for (int i = 0; i < 20; i++)
        cr_assert_eq(start("/mute/1"), TRANCHE_OK);
    run_for(50000);

    rig_close();

    cr_assert_eq(rig.ended_count, 1);
}

/* Names. The look-ups are ours, so that no test depends on a network's names:
 * gateway.test has an address, twofold.test has two of which the gateway listens on the second only, slow.test takes a
 * while to be unknown, and no others exist. */

static atomic_int lookups_slow;

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    lookup *numeric;
    *(void **)&numeric = dlsym(RTLD_NEXT, "getaddrinfo");
    if (name == NULL || strspn(name, "0123456789.") == strlen(name))
        return numeric(name, service, hints, found);
    if (strcmp(name, "gateway.test") == 0)
        return numeric("127.0.0.1", service, hints, found);
    if (strcmp(name, "twofold.test") == 0) {
        int missed = numeric("127.0.0.9", service, hints, found);
        return missed != 0 ? missed : numeric("127.0.0.1", service, hints, &(*found)->ai_next);
    }
    if (strcmp(name, "slow.test") == 0) {
        lookups_slow++;
        nap_ms(1500);
        lookups_slow--;
    }
    nap_ms(20); /* long enough for libcurl to wait for it */
    return EAI_NONAME;
}

/* Again and again: the sockets on which libcurl's look-ups answer have the same numbers each time. */
Test(fanout, a_name_that_does_not_exist_is_unsent, .init = rig_open, .fini = rig_close)
{
    int64_t begin_us = loop_now_us();
    for (int i = 0; i < 5; i++) {
        const struct call *unsent = call_at("http://nobody.test", "/ok/1");
        assert_ended(unsent, TRANCHE_UNSENT);
        cr_assert_str_eq(unsent->detail, "Could not resolve host: nobody.test");
        cr_assert_eq(unsent->error, 0);
    }
    cr_assert_lt(loop_now_us() - begin_us, 3000000);
}

/* libcurl gives up the first address after half of its time for connecting, and closes that socket without a word. */
Test(fanout, an_address_that_swallows_connections_is_passed_over, .init = rig_open, .fini = rig_close)
{
    struct hole hole = hole_open("127.0.0.9", gateway_port(rig.gateway));

    int64_t begin_us = loop_now_us();
    const struct call *answered = call_at("http://twofold.test", "/ok/1");

    assert_ended(answered, TRANCHE_ANSWERED);
    assert_received("/ok/1", 1);
    cr_assert_lt(loop_now_us() - begin_us, 4000000);
    hole_close(hole);
}

/* The first address is silent, and refuses the connection when it is asked again, a second later. */
Test(fanout, an_address_that_refuses_late_is_passed_over_at_once, .init = rig_open, .fini = rig_close)
{
    struct hole hole = hole_open("127.0.0.9", gateway_port(rig.gateway));
    int64_t begin_us = loop_now_us();
    cr_assert_eq(start_at("http://twofold.test", "/ok/1"), TRANCHE_OK);
    run_for(200000);

    hole_close(hole);
    run_until_ended();

    assert_ended(&rig.calls[0], TRANCHE_ANSWERED);
    assert_received("/ok/1", 1);
    cr_assert_lt(loop_now_us() - begin_us, 2000000);
}

Test(fanout, names_are_looked_up_while_numbers_connect, .init = rig_open, .fini = rig_close)
{
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(start_at("http://gateway.test", "/ok/named"), TRANCHE_OK);
        cr_assert_eq(start_at("http://twofold.test", "/ok/twofold"), TRANCHE_OK);
        cr_assert_eq(start("/ok/numbered"), TRANCHE_OK);
        cr_assert_eq(start_at("http://nobody.test", "/ok/nobody"), TRANCHE_OK);
    }
    run_until_ended();
    for (int i = 0; i < 50; i++)
        cr_assert_eq(start_at("http://gateway.test", "/ok/named"), TRANCHE_OK);
    run_until_ended();

    for (int i = 0; i < 200; i++)
        assert_ended(&rig.calls[i], i % 4 == 3 ? TRANCHE_UNSENT : TRANCHE_ANSWERED);
    assert_received("/ok/named", 100);
    assert_received("/ok/twofold", 50);
    assert_received("/ok/numbered", 50);
}

Test(fanout, a_slow_look_up_of_a_name_holds_nobody_up, .init = rig_open, .fini = rig_close)
{
    how.timeout_ms = 300;
    cr_assert_eq(start_at("http://slow.test", "/ok/1"), TRANCHE_OK);
    run_for(50000);

    int64_t begin_us = loop_now_us();
    run_until_ended();
    int64_t ended_us = loop_now_us() - begin_us;

    assert_ended(&rig.calls[0], TRANCHE_UNSENT);
    cr_assert_lt(ended_us, 1000000, "it took %ld ms", (long)(ended_us / 1000));
    assert_ended(call("/ok/meanwhile"), TRANCHE_ANSWERED);
    while (lookups_slow > 0)
        run_for(10000);
    run_for(50000); /* libcurl's thread cleans up after itself */
}
