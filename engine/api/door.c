/* In this order, cheapest first and nothing about objects before the token is good:
 *
 *     framing, Host 400 ──► path, query 400 ──► route 404, 405 ──► length 413
 *                           ──► token 401 ──► api-version 400, 404 ──► permission 403
 *
 * Routes are public knowledge, so an unknown one needs no token to be refused, and junk never reaches the
 * store.
 */
#include "door.h"

#include "fail.h"
#include "percent.h"
#include "router.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* api-contract.md 2.1; one behaviour for all. */
static const char *const api_versions[] = {
    "2022-07-31", "2022-10-31-preview", "2022-06-30-preview", "2022-05-31",
    "1.0",        "1.1-preview",        "1.2-preview",        "preview"
};

static enum tranche_code doubtful(struct request *request, struct tranche_err *err, const char *text)
{
    request->poisoned = true;
    return fail(err, TRANCHE_BADREQUEST, "%s", text);
}

static bool is_token(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("!#$%&'*+-.^_`|~", *at) == NULL)
            return false;
    return name[0] != '\0';
}

static enum tranche_code read_length(struct request *request, struct tranche_err *err)
{
    const char *text = request_header(request, "Content-Length");
    if (text == NULL)
        return TRANCHE_OK;
    char *end;
    request->length = strtoull(text, &end, 10); /* what overflows becomes the greatest, and too long */
    if (!isdigit((unsigned char)text[0]) || *end != '\0')
        return doubtful(request, err, "Content-Length is not a number.");
    return TRANCHE_OK;
}

/* How long the body is must not be open to two readings: that is how requests are smuggled past a proxy. */
static enum tranche_code check_framing(struct request *request, struct tranche_err *err)
{
    for (unsigned i = 0; i < request->header_count; i++)
        if (!is_token(request->headers[i].name))
            return doubtful(request, err, "A header has a name that is not a token.");
    if (request->overfull)
        return doubtful(request, err, "The request has too many headers or query parameters.");

    const char *coding = request_header(request, "Transfer-Encoding");
    unsigned lengths = request_header_count(request, "Content-Length");
    if (lengths > 1)
        return doubtful(request, err, "Content-Length is given twice.");
    if (coding != NULL && lengths > 0)
        return doubtful(request, err, "Content-Length and Transfer-Encoding exclude each other.");
    if (coding != NULL && (request_header_count(request, "Transfer-Encoding") > 1 || request->http_1_0 ||
                           strcasecmp(coding, "chunked") != 0))
        return doubtful(request, err, "The only Transfer-Encoding understood is chunked, in HTTP/1.1.");
    return read_length(request, err);
}

static enum tranche_code check_host(struct request *request, struct tranche_err *err)
{
    unsigned count = request_header_count(request, "Host");
    if (count > 1 || (count == 0 && !request->http_1_0))
        return doubtful(request, err, "A request needs one Host header.");
    const char *host = request_header(request, "Host");
    for (const char *at = host != NULL ? host : ""; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("-._:[]", *at) == NULL)
            return doubtful(request, err, "The Host header is not the name of a host.");
    return TRANCHE_OK;
}

/* Cuts the path at its slashes and decodes each segment by itself: "a%2Fb" is one segment. */
static enum tranche_code decode_path(struct request *request, const char *segments[REQUEST_SEGMENTS_MAX],
                                     unsigned *count, struct tranche_err *err)
{
    *count = 0;
    const char *at = request->path;
    while (*at == '/') {
        if (*count == REQUEST_SEGMENTS_MAX)
            return fail(err, TRANCHE_NOTFOUND, "There is nothing at this path.");
        size_t length = strcspn(at + 1, "/");
        enum tranche_code code = percent_decode(&request->memory, at + 1, length, &segments[(*count)++], err);
        if (code != TRANCHE_OK)
            return code;
        at += 1 + length;
    }
    return TRANCHE_OK;
}

static enum tranche_code decode_query(struct request *request, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    for (unsigned i = 0; i < request->query_count && code == TRANCHE_OK; i++) {
        struct request_pair *pair = &request->query[i];
        code = percent_decode(&request->memory, pair->name, strlen(pair->name), &pair->name, err);
        if (code == TRANCHE_OK)
            code = percent_decode(&request->memory, pair->value, strlen(pair->value), &pair->value, err);
    }
    return code;
}

static enum tranche_code find_route(struct request *request, struct tranche_err *err)
{
    const char *segments[REQUEST_SEGMENTS_MAX];
    unsigned count;
    enum tranche_code code = decode_path(request, segments, &count, err);
    if (code != TRANCHE_OK)
        return code;
    char allow[ROUTER_ALLOW_BYTES];
    const struct route *route = NULL;
    code = router_find(request->method, segments, count, request->parameters, &route, allow);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "There is nothing at this path.");
    if (code == TRANCHE_NOTALLOWED) {
        request->allow = arena_copy(&request->memory, allow, strlen(allow));
        return fail(err, code, "%.32s is not available on this resource.", request->method);
    }
    request->route = route;
    return TRANCHE_OK;
}

/* A body that announces to be too long is refused before it is read. */
static enum tranche_code check_length(struct request *request, struct tranche_err *err)
{
    const struct config *config = request->counter->config;
    request->body_bytes_max =
        request->route->feed != NULL ? config->import_bytes_max : config->body_bytes_max;
    if (request->length > request->body_bytes_max)
        return fail(err, TRANCHE_TOOLARGE, "The body is larger than %llu bytes.",
                    (unsigned long long)request->body_bytes_max);
    return TRANCHE_OK;
}

static enum tranche_code slow_down(struct tranche_err *err)
{
    return fail(err, TRANCHE_TOOMANY, "Rate limit reached; try again in %d s.", REQUEST_RATE_RETRY_S);
}

/* Who guesses is slowed down, by address and by the name that it tries. A good token is let in all the same, so nobody locks
 * others out. */
static enum tranche_code count_failure(struct request *request, struct tranche_err *err)
{
    struct limiter *failures = &request->counter->failures;
    uint32_t burst = (uint32_t)request->counter->config->login_failures_max;
    const int64_t interval_us = REQUEST_RATE_RETRY_S * INT64_C(1000000);
    bool address = limiter_take(failures, request->peer, sizeof request->peer, request->now_us, interval_us, burst);
    size_t length = strlen(request->caller.name);
    bool name = length == 0 || limiter_take(failures, request->caller.name, length, request->now_us, interval_us, burst);
    request->caller.name[0] = '\0';
    return address && name ? TRANCHE_UNAUTHORIZED : slow_down(err);
}

static enum tranche_code check_token(struct request *request, struct tranche_reader *reader, struct tranche_err *err)
{
    const char *authorization = request_header(request, "Authorization");
    enum tranche_code code = auth_check(reader, authorization, request->now_us, &request->caller, err);
    if (code == TRANCHE_UNAUTHORIZED && authorization != NULL)
        return count_failure(request, err);
    uint32_t rate = (uint32_t)request->counter->config->requests_per_s;
    const char *name = request->caller.name;
    bool free = code != TRANCHE_OK || rate == 0 ||
                limiter_take(&request->counter->requests, name, strlen(name), request->now_us, 1000000 / rate, rate);
    return free ? code : slow_down(err);
}

static enum tranche_code check_version(const struct request *request, struct tranche_err *err)
{
    if (!route_is_contract(request->route))
        return TRANCHE_OK;
    const char *version;
    enum tranche_code code = request_query(request, "api-version", &version, err);
    if (code != TRANCHE_OK)
        return code;
    if (version == NULL)
        return fail(err, TRANCHE_BADREQUEST, "The query parameter api-version is required.");
    for (size_t i = 0; i < sizeof api_versions / sizeof api_versions[0]; i++)
        if (strcmp(api_versions[i], version) == 0)
            return TRANCHE_OK;
    return fail(err, TRANCHE_NOTFOUND, "\"%.100s\" is not a valid API version.", version);
}

/* The names of the caller's roles, for people. */
static void print_roles(const struct token *token, struct text *out)
{
    text_puts(out, token->role_count == 1 ? "role" : "roles");
    for (unsigned i = 0; i < token->role_count; i++) {
        const struct role *role = token->roles[i].role;
        text_printf(out, "%s %s", i > 0 ? "," : "", role != NULL ? role->name : "of this token");
    }
}

static enum tranche_code check_permission(struct request *request, struct tranche_reader *reader, struct tranche_err *err)
{
    const struct route *route = request->route;
    const struct token *token = &request->caller.token;
    if (!token_may(token, route->permission)) {
        struct text roles = { 0 };
        print_roles(token, &roles);
        fail(err, TRANCHE_FORBIDDEN, "The %s may not %s.", roles.failed ? "role" : roles.bytes,
             permission_text(route->permission));
        text_free(&roles);
        return TRANCHE_FORBIDDEN;
    }
    enum tranche_code code = scope_open(&request->scope, token, route->permission, reader, err);
    if (code == TRANCHE_OK && route->whole && !request->scope.whole)
        return fail(err, TRANCHE_FORBIDDEN, "A token of an organization may not %s.", permission_text(route->permission));
    return code;
}

/* Who asks, and whether it may. */
static enum tranche_code check_caller(struct request *request, struct tranche_err *err)
{
    if (request->route->permission == PERMISSION_PUBLIC)
        return TRANCHE_OK;
    struct tranche_reader *reader;
    enum tranche_code code = readers_take(&request->counter->readers, &reader, err);
    if (code != TRANCHE_OK)
        return code;
    code = check_token(request, reader, err);
    if (code == TRANCHE_OK)
        code = check_version(request, err);
    if (code == TRANCHE_OK)
        code = check_permission(request, reader, err);
    readers_give(&request->counter->readers, reader);
    return code;
}

void door_enter(struct request *request)
{
    struct tranche_err err;
    uuid_random(request->id);
    if (check_framing(request, &err) != TRANCHE_OK || check_host(request, &err) != TRANCHE_OK ||
        decode_query(request, &err) != TRANCHE_OK || find_route(request, &err) != TRANCHE_OK ||
        check_length(request, &err) != TRANCHE_OK || check_caller(request, &err) != TRANCHE_OK)
        request_refuse(request, &err);
}
