/* What every operation does: the errors of api-contract.md 14.1, routes, tokens, framing. */
#include "api_world.h"

#include "role.h"
#include "router.h"
#include "when.h"

#include <assert.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNAUTHORIZED "The token is missing, unknown or expired."
#define NOTHING      "There is nothing at this path."

static struct api_world world;

static void open_world(void)
{
    const char *const settings[] = { "login_failures_max", "1000", NULL }; /* every route is tried with bad tokens */
    api_world_open(&world, settings);
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(api, .init = open_world, .fini = close_world, .timeout = 60);

/* A path that fits a route's pattern: names in braces become "x". */
static void make_path(const struct route *route, char *path, size_t bytes)
{
    size_t used = 0;
    for (const char *at = route->pattern; *at != '\0'; at++) {
        assert(used + 2 < bytes);
        path[used++] = *at == '{' ? 'x' : *at;
        if (*at == '{')
            at += strcspn(at, "}");
    }
    snprintf(path + used, bytes - used, "%s", route_is_contract(route) ? "?" API_VERSION : "");
}

/* ---- versions ---- */

Test(api, version_is_required)
{
    api_check_error(api_get(&world, "/api/jobs"), 400, "BadRequest",
                    "The query parameter api-version is required.");
}

Test(api, unknown_version_is_not_found)
{
    api_check_error(api_get(&world, "/api/jobs?api-version=2019-01-01"), 404, "NotFound",
                    "\"2019-01-01\" is not a valid API version.");
    api_check_error(api_get(&world, "/api/jobs?api-version=%22%0a"), 404, "NotFound",
                    "\"\"\n\" is not a valid API version.");
}

Test(api, every_known_version_is_served_alike)
{
    static const char *const versions[] = {
        "2022-07-31", "2022-10-31-preview", "2022-06-30-preview", "2022-05-31",
        "1.0",        "1.1-preview",        "1.2-preview",        "preview"
    };
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "/api/jobs?api-version=%s", versions[i]);
        api_check(api_get(&world, path), 200, "{\"value\":[]}");
    }
}

Test(api, version_may_be_doubled_but_not_in_doubt)
{
    api_check(api_get(&world, "/api/jobs?" API_VERSION "&" API_VERSION), 200, "{\"value\":[]}");
    api_check_error(api_get(&world, "/api/jobs?" API_VERSION "&api-version=1.0"), 400, "BadRequest",
                    "The query parameter api-version is given twice with different values.");
}

Test(api, own_routes_want_no_version)
{
    api_check_error(api_get(&world, "/v1/jobs/x/progress"), 404, "NotFound", "Job \"x\" was not found.");
}

/* ---- tokens ---- */

Test(api, every_route_wants_a_good_token)
{
    char *expired = api_token(&world, "old", "administrator", when_now_us() - 1);
    char wrong[512], unknown[512];
    snprintf(wrong, sizeof wrong, "%s", world.administrator);
    char *secret = strstr(wrong, "sig=") + 4;
    *secret = *secret == 'A' ? 'B' : 'A';
    snprintf(unknown, sizeof unknown, "%s", world.administrator);
    memcpy(strstr(unknown, "skn=root") + 4, "toor", 4);
    const char *const tokens[] = { "",
                                   "SharedAccessSignature",
                                   "SharedAccessSignature sr=1&sig=AA%3D&skn=root&se=1",
                                   "SharedAccessSignature sig=%ZZ&skn=root",
                                   "Bearer x",
                                   "Basic cm9vdDpyb290",
                                   wrong,
                                   unknown,
                                   expired };
    size_t count;
    const struct route *routes = router_routes(&count);
    for (size_t r = 0; r < count; r++) {
        char path[128];
        make_path(&routes[r], path, sizeof path);
        for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
            if (routes[r].permission == PERMISSION_PUBLIC)
                continue;
            const struct api_call call = { .method = routes[r].method, .path = path, .token = tokens[i] };
            api_check_error(api_do(&world, &call), 401, "Unauthorized", UNAUTHORIZED);
        }
    }
    free(expired);
}

Test(api, health_wants_none)
{
    const struct api_call live = { .method = "GET", .path = "/healthz", .token = "" };
    const struct api_call ready = { .method = "GET", .path = "/readyz", .token = "" };
    api_check(api_do(&world, &live), 200, "{\"status\":\"live\"}");
    api_check(api_do(&world, &ready), 200, "{\"status\":\"ready\"}");
    fake_runner_set_trouble(world.runner, TRANCHE_UNAVAILABLE);
    api_check(api_do(&world, &live), 200, "{\"status\":\"live\"}");
    api_check_error(api_do(&world, &ready), 503, "ServiceUnavailable",
                    "The store does not accept writes at the moment.");
}

Test(api, token_may_be_worded_as_bearer)
{
    const char *bare = world.administrator + strlen("SharedAccessSignature ");
    char whole[600], rest[600], lower[600];
    snprintf(whole, sizeof whole, "Bearer %s", world.administrator);
    snprintf(rest, sizeof rest, "Bearer %s", bare);
    snprintf(lower, sizeof lower, "sharedaccesssignature %s", bare);
    const char *const tokens[] = { whole, rest, lower };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        api_check(api_do(&world, &(struct api_call){ .method = "GET",
                                                     .path = "/api/jobs?" API_VERSION,
                                                     .token = tokens[i] }),
                  200, "{\"value\":[]}");
}

Test(api, token_made_later_is_good_at_once)
{
    char *token = api_token(&world, "new", "org-viewer", when_now_us() + 60000000);
    const struct api_call call = { .method = "GET", .path = "/api/jobs?" API_VERSION, .token = token };
    api_check(api_do(&world, &call), 200, "{\"value\":[]}");
    free(token);
}

Test(api, viewers_view_and_operators_run_and_builders_build)
{
    const struct role *viewer = role_by_word("org-viewer");
    const struct role *operator= role_by_word("operator");
    const struct role *builder = role_by_word("builder");

    cr_assert(role_may(viewer, PERMISSION_JOBS_VIEW));
    cr_assert_not(role_may(viewer, PERMISSION_JOBS_RUN));
    cr_assert(role_may(operator, PERMISSION_JOBS_RUN));
    cr_assert_not(role_may(operator, PERMISSION_GROUPS_WRITE));
    cr_assert(role_may(builder, PERMISSION_GROUPS_WRITE));
    cr_assert_null(role_by_word("owner"));
    cr_assert_str_eq(role_by_id("ae2c9854-393b-4f97-8c42-479d70ce626e")->name, "Operator");
}

/* ---- routes ---- */

static bool allows(const struct route *routes, size_t count, const char *pattern, const char *method)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].pattern, pattern) == 0 && strcmp(routes[i].method, method) == 0)
            return true;
    return false;
}

/* Whether `allow` lists exactly the methods that the table has for the pattern. */
static void check_allow(const struct route *routes, size_t count, const char *pattern, const char *allow)
{
    char expected[64] = "";
    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].pattern, pattern) == 0) {
            strcat(expected, expected[0] != '\0' ? ", " : "");
            strcat(expected, routes[i].method);
        }
    cr_assert_str_eq(allow, expected, "%s: %s, expected %s", pattern, allow, expected);
}

Test(api, other_methods_are_not_allowed_and_the_answer_says_which_are)
{
    static const char *const methods[] = { "GET",     "PUT",   "POST", "PATCH", "DELETE",
                                           "OPTIONS", "TRACE", "HEAD", "BREW" };
    size_t count;
    const struct route *routes = router_routes(&count);
    for (size_t r = 0; r < count; r++) {
        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
            if (allows(routes, count, routes[r].pattern, methods[i]))
                continue;
            char path[128], text[128];
            make_path(&routes[r], path, sizeof path);
            struct api_answer answer = api_send(&world, methods[i], path, NULL);
            const char *allow = api_header(&answer, "Allow");
            cr_assert_not_null(allow, "%s %s: %ld", methods[i], path, answer.status);
            check_allow(routes, count, routes[r].pattern, allow);
            if (strcmp(methods[i], "HEAD") == 0) { /* has no body by HTTP's own rule */
                cr_assert_eq(answer.status, 405);
                cr_assert_eq(answer.body.length, 0);
                api_answer_free(&answer);
                continue;
            }
            snprintf(text, sizeof text, "%s is not available on this resource.", methods[i]);
            api_check_error(answer, 405, "MethodNotAllowed", text);
        }
    }
}

Test(api, job_cannot_be_deleted)
{
    struct api_answer answer = api_send(&world, "DELETE", "/api/jobs/set-interval-01?" API_VERSION, NULL);
    cr_assert_str_eq(api_header(&answer, "Allow"), "GET, PUT");
    api_check_error(answer, 405, "MethodNotAllowed", "DELETE is not available on this resource.");
}

Test(api, unknown_paths_are_not_found)
{
    static const char *const paths[] = {
        "/",
        "/api",
        "/api/",
        "/api/jobs/?" API_VERSION,
        "/api//jobs?" API_VERSION,
        "/api/Jobs?" API_VERSION,
        "/api/jobs/x/stop/now?" API_VERSION,
        "/api/jobs//devices?" API_VERSION,
        "/api%2Fjobs?" API_VERSION,
        "/api/jobs/a%2Fdevices/b?" API_VERSION,
        "/a/b/c/d/e/f/g/h/i/j/k",
        "/api/jobs/..%2f..%2fhealthz/x/y?" API_VERSION,
        "/v1/jobs/x/y",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        api_check_error(api_get(&world, paths[i]), 404, "NotFound", NOTHING);
}

Test(api, path_is_decoded_by_segment)
{
    api_check(api_get(&world, "/api/%6a%6Fbs?" API_VERSION), 200, "{\"value\":[]}");
    api_check_error(api_get(&world, "/api/jobs/a%2Fb?" API_VERSION), 404, "NotFound",
                    "Job \"a/b\" was not found.");
    api_check_error(api_get(&world, "/api/jobs/a%2fdevices?" API_VERSION), 404, "NotFound",
                    "Job \"a/devices\" was not found.");
    api_check_error(api_get(&world, "/api/jobs/a%252F?" API_VERSION), 404, "NotFound",
                    "Job \"a%2F\" was not found.");
    api_check_error(api_get(&world, "/api/jobs/a+b?" API_VERSION), 404, "NotFound",
                    "Job \"a+b\" was not found.");
    api_check_error(api_get(&world, "/api/jobs/%22%0d%0aX%3A%20y?" API_VERSION), 404, "NotFound",
                    "Job \"\"\r\nX: y\" was not found.");
    api_check_error(api_get(&world, "/api/jobs/%ff?" API_VERSION), 404, "NotFound",
                    "Job \"\xEF\xBF\xBD\" was not found.");
}

Test(api, bad_encodings_are_refused)
{
    static const char *const bad[] = { "/api/jobs/%?" API_VERSION, "/api/jobs/%4?" API_VERSION,
                                       "/api/jobs/%zz?" API_VERSION,
                                       "/api/jobs?" API_VERSION "&maxpagesize=%1", "/%g0" };
    static const char *const nul[] = { "/api/jobs/x%00?" API_VERSION, "/api/jobs?" API_VERSION "&a%00=1" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        api_check_error(api_get(&world, bad[i]), 400, "BadRequest",
                        "The URL has a \"%\" without two hexadecimal digits.");
    for (size_t i = 0; i < sizeof nul / sizeof nul[0]; i++)
        api_check_error(api_get(&world, nul[i]), 400, "BadRequest", "The URL has a NUL character.");
}

/* ---- headers ---- */

Test(api, client_request_id_comes_back)
{
    static const char *const good[] = { "x-ms-client-request-id: 9d0f6b1e-0000-4000-8000-000000000001",
                                        NULL };
    static const char *const bad[] = { "x-ms-client-request-id: a b\"c", NULL };
    struct api_call call = { .method = "GET", .path = "/api/jobs?" API_VERSION, .headers = good };

    struct api_answer answer = api_do(&world, &call);
    cr_assert_str_eq(api_header(&answer, "x-ms-client-request-id"), "9d0f6b1e-0000-4000-8000-000000000001");
    api_answer_free(&answer);

    call.headers = bad;
    answer = api_do(&world, &call);
    cr_assert_eq(answer.status, 200);
    cr_assert_null(api_header(&answer, "x-ms-client-request-id"));
    api_answer_free(&answer);
}

Test(api, answers_do_not_tell_what_serves_them)
{
    struct api_answer answer = api_get(&world, "/api/jobs?" API_VERSION);
    cr_assert_null(api_header(&answer, "Server"));
    cr_assert_null(api_header(&answer, "x-ms-error-code"));
    cr_assert_null(api_header(&answer, "Access-Control-Allow-Origin"));
    api_answer_free(&answer);
}

/* ---- framing, byte by byte ---- */

static void check_raw(const char *request, const char *status, const char *message)
{
    char *answer = api_raw(&world, request, strlen(request));
    cr_assert_eq(strncmp(answer, status, strlen(status)), 0, "%s\n-> %s", request, answer);
    cr_assert_not_null(strstr(answer, message), "%s\n-> %s", request, answer);
    cr_assert_null(strstr(answer + 1, "HTTP/1.1 200"), "%s\n-> %s", request, answer);
    free(answer);
}

#define SMUGGLED "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

Test(api, doubtful_framing_ends_the_connection)
{
    check_raw("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: "
              "chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
              "HTTP/1.1 400", "Content-Length and Transfer-Encoding exclude each other.");
    check_raw("GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: "
              "chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
              "HTTP/1.1 400", "Content-Length and Transfer-Encoding exclude each other.");
    check_raw("GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n" SMUGGLED,
              "HTTP/1.1 400", "Content-Length is given twice.");
    check_raw("GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" SMUGGLED,
              "HTTP/1.1 400", "The only Transfer-Encoding understood is chunked");
    check_raw("GET /healthz HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
              "HTTP/1.", "The only Transfer-Encoding understood is chunked");
    check_raw("GET /healthz HTTP/1.1\r\nHost: a\r\nX y: 1\r\n\r\n" SMUGGLED, "HTTP/1.1 400",
              "A header has a name that is not a token.");
    check_raw("GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n" SMUGGLED, "HTTP/1.1 400",
              "\"BadRequest\"");
}

Test(api, host_is_needed_and_one)
{
    check_raw("GET /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400", "A request needs one Host header.");
    check_raw("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400",
              "A request needs one Host header.");
    check_raw("GET /healthz HTTP/1.1\r\nHost: a/b\"c\r\n\r\n", "HTTP/1.1 400",
              "The Host header is not the name of a host.");
}

Test(api, oldest_http_is_served)
{
    const char *request = "GET /healthz HTTP/1.0\r\n\r\n";
    char *answer = api_raw(&world, request, strlen(request));
    cr_assert_eq(strncmp(answer, "HTTP/1.", 7), 0, "%s", answer);
    cr_assert_not_null(strstr(answer, "{\"status\":\"live\"}"), "%s", answer);
    free(answer);
}

Test(api, too_many_headers_are_refused)
{
    struct text request = { 0 };
    text_puts(&request, "GET /healthz HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 100; i++)
        text_printf(&request, "X-%d: 1\r\n", i);
    text_puts(&request, "\r\n");
    check_raw(request.bytes, "HTTP/1.1 400", "The request has too many headers or query parameters.");
    text_free(&request);
}

Test(api, pipelined_requests_are_answered_in_order)
{
    const char *requests = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
                           "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
                           "GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    char *answer = api_raw(&world, requests, strlen(requests));
    const char *first = strstr(answer, "\"live\"");
    const char *second = strstr(answer, NOTHING);
    const char *third = strstr(answer, "\"ready\"");
    cr_assert_not_null(first, "%s", answer);
    cr_assert_not_null(second, "%s", answer);
    cr_assert_not_null(third, "%s", answer);
    cr_assert(first < second && second < third, "%s", answer);
    free(answer);
}

/* ---- bodies ---- */

#define JOB_PATH "/api/jobs/j?" API_VERSION

static char *spaces(size_t count)
{
    char *bytes = malloc(count);
    cr_assert_not_null(bytes);
    memset(bytes, ' ', count);
    return bytes;
}

Test(api, body_that_is_no_json_is_a_bad_request)
{
    api_check_error(api_send(&world, "PUT", JOB_PATH, NULL), 400, "BadRequest",
                    "The body is not valid JSON: unexpected end at offset 0.");
    api_check_error(api_send(&world, "PUT", JOB_PATH, "{"), 400, "BadRequest",
                    "The body is not valid JSON: unexpected end at offset 1.");
    api_check_error(api_send(&world, "PUT", JOB_PATH, "{\"a\":1,\"a\":2}"), 400, "BadRequest",
                    "The body is not valid JSON: duplicate member \"a\" at offset 7.");
}

Test(api, body_that_is_no_object_is_invalid)
{
    struct api_answer answer = api_send(&world, "PUT", JOB_PATH, "[]");
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
}

Test(api, body_over_the_limit_is_refused_in_every_framing)
{
    size_t count = 2 * 1024 * 1024;
    char *bytes = spaces(count);
    static const char *const expect[] = { "Expect: 100-continue", NULL };
    struct api_call call = { .method = "PUT", .path = JOB_PATH, .body = bytes, .body_bytes = count };
    const char *message = "The body is larger than 1048576 bytes.";

    api_check_error(api_do(&world, &call), 413, "PayloadTooLarge", message);
    call.chunked = true;
    api_check_error(api_do(&world, &call), 413, "PayloadTooLarge", message);
    call.headers = expect;
    api_check_error(api_do(&world, &call), 413, "PayloadTooLarge", message);
    call.chunked = false;
    api_check_error(api_do(&world, &call), 413, "PayloadTooLarge", message);
    free(bytes);
}

Test(api, body_at_the_limit_is_read)
{
    char *bytes = spaces(1024 * 1024);
    memcpy(bytes, "[]", 2);
    struct api_call call = { .method = "PUT", .path = JOB_PATH, .body = bytes, .body_bytes = 1024 * 1024 };
    struct api_answer answer = api_do(&world, &call);
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
    free(bytes);
}

Test(api, refused_body_leaves_the_connection_usable)
{
    const char *requests = "PUT /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 34\r\n\r\n" SMUGGLED
                           "GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    cr_assert_eq(strlen(SMUGGLED), 34);
    char *answer = api_raw(&world, requests, strlen(requests));
    cr_assert_not_null(strstr(answer, NOTHING), "%s", answer);
    cr_assert_not_null(strstr(answer, "\"ready\""), "%s", answer);
    cr_assert_null(strstr(answer, "\"live\""), "%s", answer);
    free(answer);
}
