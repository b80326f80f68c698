/* Device groups (api-contract.md 14.15, 14.16) and their etags (2.4). */
#include "api_world.h"

#include "etag.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH   "/api/deviceGroups/north-pumps?" API_VERSION
#define FILTER "SELECT * FROM devices WHERE $template = \\\"dtmi:meadow:pump;2\\\" AND site = \\\"north\\\""
#define BODY \
    "{\"displayName\":\"Pumps of the north site\",\"filter\":\"" FILTER "\",\"organizations\":[\"north\"]}"

static struct api_world world;

static void open_world(void)
{
    api_world_open(&world, NULL);
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(groups, .init = open_world, .fini = close_world, .timeout = 60);

static struct api_answer put(const char *body, const char *if_match)
{
    char header[128];
    snprintf(header, sizeof header, "If-Match: %s", if_match != NULL ? if_match : "");
    const char *const headers[] = { if_match != NULL ? header : NULL, NULL };
    return api_do(&world,
                  &(struct api_call){ .method = "PUT", .path = PATH, .body = body, .headers = headers });
}

static void make(void)
{
    struct api_answer answer = put(BODY, NULL);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
}

/* The ETag header of the group as it is; with its quotes. */
static char *current_etag(void)
{
    struct api_answer answer = api_get(&world, PATH);
    char *etag = strdup(api_header(&answer, "ETag"));
    api_answer_free(&answer);
    return etag;
}

/* An answer must show `members`, and the same etag in the body and in the header. */
static void check_group(struct api_answer answer, const char *before_etag, const char *behind_etag)
{
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    const char *etag = api_header(&answer, "ETag");
    cr_assert_not_null(etag);
    cr_assert_eq(etag[0], '"');
    char inner[64], expected[1000];
    snprintf(inner, sizeof inner, "%.*s", (int)strlen(etag) - 2, etag + 1);
    snprintf(expected, sizeof expected, "{%s,\"etag\":\"\\\"%s\\\"\"%s}", before_etag, inner, behind_etag);
    api_check(answer, 200, expected);
}

Test(groups, group_is_created_and_read_back)
{
    const char *head =
        "\"id\":\"north-pumps\",\"displayName\":\"Pumps of the north site\",\"filter\":\"" FILTER "\"";
    check_group(put(BODY, NULL), head, ",\"organizations\":[\"north\"]");
    check_group(api_get(&world, PATH), head, ",\"organizations\":[\"north\"]");
}

Test(groups, put_replaces_whole)
{
    make();
    check_group(
        put("{\"displayName\":\"P\",\"description\":\"\",\"filter\":\"SELECT * FROM devices\",\"id\":\"x\"}",
            NULL),
        "\"id\":\"north-pumps\",\"displayName\":\"P\",\"description\":\"\",\"filter\":\"SELECT * FROM "
        "devices\"",
        "");
}

Test(groups, unknown_group_is_not_found)
{
    api_check_error(api_get(&world, "/api/deviceGroups/nope?" API_VERSION), 404, "NotFound",
                    "Device group \"nope\" was not found.");
}

Test(groups, etag_changes_with_the_group)
{
    make();
    char *first = current_etag();
    make();
    char *second = current_etag();
    cr_assert_eq(strncmp(first, "\"g-", 3), 0, "%s", first);
    cr_assert_str_neq(first, second);
    free(first);
    free(second);
}

#define STALE "The etag does not match the current one."

Test(groups, if_match_is_honoured)
{
    make();
    char *etag = current_etag();
    api_check_error(put(BODY, "\"g-ffff\""), 412, "PreconditionFailed", STALE);
    struct api_answer answer = put(BODY, etag);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    api_check_error(put(BODY, etag), 412, "PreconditionFailed", STALE);
    answer = put(BODY, "*");
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    free(etag);
}

Test(groups, if_match_where_no_group_is)
{
    api_check_error(put(BODY, "*"), 412, "PreconditionFailed", STALE);
    api_check_error(put(BODY, "\"g-1\""), 412, "PreconditionFailed", STALE);
    api_check_error(api_get(&world, PATH), 404, "NotFound", "Device group \"north-pumps\" was not found.");
}

Test(groups, etag_of_the_body_is_honoured_with_and_without_quotes)
{
    make();
    char *etag = current_etag();
    char body[400];
    snprintf(body, sizeof body,
             "{\"displayName\":\"P\",\"filter\":\"SELECT * FROM devices\",\"etag\":\"%.*s\"}",
             (int)strlen(etag) - 2, etag + 1);
    struct api_answer answer = put(body, NULL);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    api_check_error(put(body, NULL), 412, "PreconditionFailed", STALE);
    free(etag);

    etag = current_etag();
    snprintf(body, sizeof body,
             "{\"displayName\":\"P\",\"filter\":\"SELECT * FROM devices\",\"etag\":\"\\\"%.*s\\\"\"}",
             (int)strlen(etag) - 2, etag + 1);
    api_check_error(put(body, "\"other\""), 412, "PreconditionFailed", STALE); /* both must match */
    answer = put(body, etag);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    free(etag);
}

Test(groups, what_is_wrong_is_said)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        { "{\"filter\":\"SELECT * FROM devices\"}", "displayName: the member is required." },
        { "{\"displayName\":\"P\"}", "filter: the member is required." },
        { "{\"displayName\":\"P\",\"filter\":null}", "filter: the member is required." },
        { "{\"displayName\":7,\"filter\":\"SELECT * FROM devices\"}",
          "displayName: expected a string, found number." },
        { "{\"displayName\":\"P\",\"filter\":\"SELECT * FROM devices WHERE location eq true\"}",
          "filter: expected an operator at position 38, found \"eq\"." },
        { "{\"displayName\":\"P\",\"filter\":\"SELECT * FROM devices\",\"organizations\":[\"a\",\"b\"]}",
          "organizations: expected an array of exactly one." },
        { "{\"displayName\":\"P\",\"filter\":\"SELECT * FROM devices\",\"organizations\":[7]}",
          "organizations[0]: expected the id of an organization." },
        { "[]", "The body must be an object, found array." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        api_check_error(put(cases[i].body, NULL), 422, "UnprocessableEntity", cases[i].message);
    api_check_error(put("{\"displayName\":", NULL), 400, "BadRequest",
                    "The body is not valid JSON: unexpected end at offset 15.");
}

/* The answer's etag is whatever it is. */
static void check_patched(const char *body, const char *shown)
{
    struct api_answer answer = api_send(&world, "PATCH", PATH, body);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    cr_assert_not_null(strstr(answer.body.bytes, shown), "%s", answer.body.bytes);
    api_answer_free(&answer);
}

Test(groups, patch_changes_what_it_names)
{
    make();
    check_patched("{\"description\":\"All pumps north of the river\"}",
                  "\"displayName\":\"Pumps of the north site\",\"description\":\"All pumps north of the river\",\"filter\"");
    check_patched("{\"displayName\":\"P\"}", "\"displayName\":\"P\",\"description\":\"All pumps north of the river\"");
    check_patched("{\"description\":null,\"organizations\":null}", "\"displayName\":\"P\",\"filter\"");
    struct api_answer answer = api_get(&world, PATH);
    cr_assert_null(strstr(answer.body.bytes, "organizations"));
    api_answer_free(&answer);

    api_check_error(api_send(&world, "PATCH", PATH, "{\"filter\":null}"), 422, "UnprocessableEntity",
                    "filter: the member is required and cannot be removed.");
    api_check_error(api_send(&world, "PATCH", PATH, "{\"filter\":\"\"}"), 422, "UnprocessableEntity",
                    "filter: the member is required.");
    api_check_error(api_send(&world, "PATCH", PATH, "{\"etag\":\"g-99\"}"), 412, "PreconditionFailed", STALE);
    api_check_error(api_send(&world, "PATCH", "/api/deviceGroups/nope?" API_VERSION, "{}"), 404, "NotFound",
                    "Device group \"nope\" was not found.");
}

Test(groups, a_deleted_group_is_gone)
{
    make();
    const char *const headers[] = { "If-Match: \"g-99\"", NULL };
    api_check_error(api_do(&world, &(struct api_call){ .method = "DELETE", .path = PATH, .headers = headers }), 412,
                    "PreconditionFailed", STALE);
    api_check(api_send(&world, "DELETE", PATH, NULL), 204, "");
    api_check_error(api_get(&world, PATH), 404, "NotFound", "Device group \"north-pumps\" was not found.");
    api_check_error(api_send(&world, "DELETE", PATH, NULL), 404, "NotFound",
                    "Device group \"north-pumps\" was not found.");
    api_check(api_get(&world, "/api/deviceGroups?" API_VERSION), 200, "{\"value\":[]}");
}

Test(groups, a_list_is_paged_by_id)
{
    static const char body[] = "{\"displayName\":\"G\",\"filter\":\"SELECT * FROM devices\"}";
    const char *ids[] = { "b", "a", "c" };
    for (int i = 0; i < 3; i++) {
        char path[80];
        snprintf(path, sizeof path, "/api/deviceGroups/%s?" API_VERSION, ids[i]);
        struct api_answer answer = api_send(&world, "PUT", path, body);
        cr_assert_eq(answer.status, 200);
        api_answer_free(&answer);
    }
    struct api_answer answer = api_get(&world, "/api/deviceGroups?" API_VERSION "&$top=2");
    cr_assert_not_null(strstr(answer.body.bytes, "{\"value\":[{\"id\":\"a\""), "%s", answer.body.bytes);
    cr_assert_not_null(strstr(answer.body.bytes, "{\"id\":\"b\""));
    const char *link = strstr(answer.body.bytes, "/api/deviceGroups?");
    cr_assert_not_null(link);
    char next[200];
    snprintf(next, sizeof next, "%.*s", (int)strcspn(link, "\""), link);
    api_answer_free(&answer);
    answer = api_get(&world, next);
    cr_assert_eq(strncmp(answer.body.bytes, "{\"value\":[{\"id\":\"c\"", 19), 0, "%s", answer.body.bytes);
    cr_assert_null(strstr(answer.body.bytes, "nextLink"));
    api_answer_free(&answer);
}

Test(groups, id_outside_the_pattern_is_refused)
{
    struct api_answer answer = api_send(&world, "PUT", "/api/deviceGroups/a.b?" API_VERSION, BODY);
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
}

Test(etag, is_compared_without_quotes_and_in_lists)
{
    char etag[ETAG_BYTES];
    etag_print("g", 0x9d1, etag);
    cr_assert_str_eq(etag, "\"g-9d1\"");
    static const char *const good[] = { "\"g-9d1\"", "g-9d1", "*", " \"g-9d1\" ", "\"x\", \"g-9d1\"", "a,*" };
    static const char *const bad[] = { "",        "\"\"",   "W/\"g-9d1\"", "\"g-9d\"",
                                       "\"g-9d1", "\"*\"x", "g-9d1x",      ",,",  "\"*\"" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(etag_matches(good[i], etag), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(etag_matches(bad[i], etag), "%s", bad[i]);
}
