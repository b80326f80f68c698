/* Twin of fleetsim_request.c. */
#include "fleetsim_request.h"

#include <criterion/criterion.h>

static enum request_progress read_text(struct http_request *request, const char *text)
{
    return request_read(request, span_of(text));
}

static void expect_span(struct span span, const char *text)
{
    cr_expect(span_is(span, text), "\"%.*s\" is not \"%s\"", (int)span.bytes, span.data, text);
}

static const char patch[] = "PATCH /api/devices/d1/properties?api-version=2022-07-31 HTTP/1.1\r\n"
                            "Host: gateway\r\n"
                            "content-LENGTH: 7\r\n"
                            "idempotency-key:  job-1/d1 \t\r\n"
                            "X-ATTEMPT: 3\r\n"
                            "\r\n"
                            "{\"a\":1}";

Test(fleetsim_request, a_whole_request_is_taken_apart)
{
    struct http_request request;

    cr_assert_eq(read_text(&request, patch), REQUEST_WHOLE);

    expect_span(request.method, "PATCH");
    expect_span(request.path, "/api/devices/d1/properties");
    expect_span(request.key, "job-1/d1");
    expect_span(request.body, "{\"a\":1}");
    cr_expect_eq(request.attempt, 3);
    cr_expect_eq(request.bytes, sizeof patch - 1);
    cr_expect(request.keep_alive);
}

Test(fleetsim_request, wherever_it_is_cut_it_is_only_not_complete_yet)
{
    struct http_request request;
    for (size_t bytes = 0; bytes < sizeof patch - 1; bytes++)
        cr_expect_eq(request_read(&request, (struct span){ patch, bytes }), REQUEST_PARTIAL, "cut at %zu",
                     bytes);
}

Test(fleetsim_request, what_follows_is_left_for_the_next)
{
    struct http_request request;

    cr_assert_eq(read_text(&request, "\r\nGET /a HTTP/1.1\n\nGET /b HTTP/1.1\r\n\r\n"), REQUEST_WHOLE);

    expect_span(request.path, "/a");
    cr_expect_eq(request.bytes, strlen("\r\nGET /a HTTP/1.1\n\n"));
}

Test(fleetsim_request, connections_are_kept_as_the_version_and_the_header_say)
{
    static const struct {
        const char *text;
        bool keep_alive;
    } cases[] = {
        { "GET / HTTP/1.1\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nConnection: Upgrade, CLOSE\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
    };
    struct http_request request;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(read_text(&request, cases[i].text), REQUEST_WHOLE);
        cr_expect_eq(request.keep_alive, cases[i].keep_alive, "%s", cases[i].text);
    }
}

Test(fleetsim_request, an_attempt_that_is_no_number_counts_as_none)
{
    struct http_request request;
    read_text(&request, "GET / HTTP/1.1\r\nX-Attempt: 4294967295\r\n\r\n");
    cr_expect_eq(request.attempt, UINT32_MAX);
    read_text(&request, "GET / HTTP/1.1\r\nX-Attempt: 4294967296\r\n\r\n");
    cr_expect_eq(request.attempt, 0);
    read_text(&request, "GET / HTTP/1.1\r\nX-Attempt: one\r\n\r\n");
    cr_expect_eq(request.attempt, 0);
}

Test(fleetsim_request, a_client_that_waits_for_100_continue_is_noticed)
{
    struct http_request request;
    const char *head = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    cr_expect_eq(read_text(&request, head), REQUEST_EXPECTING);
}

Test(fleetsim_request, bad_framing_is_refused_with_the_status_for_it)
{
    static const struct {
        const char *text;
        unsigned refusal;
    } cases[] = {
        { "\x16\x03\x01\n", 400 },
        { "GET\r\n", 400 },
        { "GET  HTTP/1.1\r\n", 400 },
        { "GET http://host/ HTTP/1.1\r\n", 400 },
        { "GET / HTTP/2.0\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost\r\n", 400 },
        { "GET / HTTP/1.1\r\n: x\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost : x\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n", 400 },
        { "GET / HTTP/1.1\r\nContent-Length: 7x\r\n", 400 },
        { "GET / HTTP/1.1\r\nContent-Length: -7\r\n", 400 },
        { "GET / HTTP/1.1\r\nContent-Length:\r\n", 400 },
        { "GET / HTTP/1.1\r\nContent-Length: 7\r\nContent-Length: 8\r\n", 400 },
        { "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 411 },
        { "GET / HTTP/1.1\r\nContent-Length: 65537\r\n", 413 },
        { "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n", 413 },
        { "GET / HTTP/1.1\r\nContent-Length: 65536\r\n\r\n", 413 }, /* with its head it is too large */
    };
    struct http_request request;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(read_text(&request, cases[i].text), REQUEST_REFUSED, "%s", cases[i].text);
        cr_expect_eq(request.refusal, cases[i].refusal, "%s: %u", cases[i].text, request.refusal);
    }
}

Test(fleetsim_request, a_head_without_an_end_is_refused_when_the_limit_is_reached)
{
    static char text[REQUEST_BYTES_MAX];
    struct http_request request;
    memset(text, 'a', sizeof text);

    cr_expect_eq(request_read(&request, (struct span){ text, sizeof text - 1 }), REQUEST_PARTIAL);
    cr_expect_eq(request_read(&request, (struct span){ text, sizeof text }), REQUEST_REFUSED);
    cr_expect_eq(request.refusal, 413);
}
