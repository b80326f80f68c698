/* Who may do what with whose object: every route of the table against every role, and against objects of
 * every organization around the caller's.
 *
 *     nobody's      north ──► north-east ──► north-east-1      south
 *                   └── what a token of north reaches ──┘
 *
 * Each of these owners has a device, a group, a job, a schedule and a token, all with the owner's name as id.
 */
#include "api_world.h"

#include "json.h"
#include "role.h"
#include "router.h"

#include <assert.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROLE_ADMINISTRATOR "ca310b8d-2f4a-44e0-a36e-957c202cd8d4"
#define ROLE_OPERATOR      "ae2c9854-393b-4f97-8c42-479d70ce626e"
#define ROLE_ORG_ADMIN     "c495eb57-eb18-489e-9802-62c474e5645c"
#define ROLE_ORG_VIEWER    "84cc62c1-dabe-49d3-b16e-8b291232b285"
#define OF_NORTH(role)     "[{\"role\":\"" role "\",\"organization\":\"north\"}]"

#define PATH_BYTES 256
#define BODY_BYTES 512

static struct api_world world;

static void open_world(void)
{
    api_world_open(&world, (const char *const[]){ "login_failures_max", "1000", NULL });
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(matrix, .init = open_world, .fini = close_world, .timeout = 120);

/* ---- tokens ---- */

/* The value of a new token with these roles; to be freed. */
static char *mint(const char *id, const char *roles)
{
    char path[PATH_BYTES], body[BODY_BYTES];
    snprintf(path, sizeof path, "/api/apiTokens/%s?" API_VERSION, id);
    snprintf(body, sizeof body, "{\"roles\":%s}", roles);
    struct api_answer answer = api_send(&world, "PUT", path, body);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    struct json_document document;
    struct tranche_err err;
    cr_assert_eq(json_parse(answer.body.bytes, answer.body.length, &document, &err), TRANCHE_OK);
    char *value = strdup(json_string(json_member(document.root, "token")));
    json_free(&document);
    api_answer_free(&answer);
    return value;
}

/* ---- routes and roles ---- */

/* A path that fits a route's pattern, with `id` for each name in braces. */
static void make_path(const struct route *route, const char *id, char path[PATH_BYTES])
{
    size_t used = 0;
    for (const char *at = route->pattern; *at != '\0'; at++) {
        assert(used + strlen(id) + 2 < PATH_BYTES);
        if (*at != '{') {
            path[used++] = *at;
            continue;
        }
        used += (size_t)snprintf(path + used, PATH_BYTES - used, "%s", id);
        at += strcspn(at, "}");
    }
    snprintf(path + used, PATH_BYTES - used, "%s", route_is_contract(route) ? "?" API_VERSION : "");
}

/* Why a route refuses a role for good; false when it does not. */
static bool is_forbidden(const struct route *route, const struct role *role, bool bound,
                         char text[BODY_BYTES])
{
    if (route->permission == PERMISSION_PUBLIC)
        return false;
    if (!role_may(role, route->permission))
        snprintf(text, BODY_BYTES, "The role %s may not %s.", role->name, permission_text(route->permission));
    else if (bound && route->whole)
        snprintf(text, BODY_BYTES, "A token of an organization may not %s.",
                 permission_text(route->permission));
    else
        return false;
    return true;
}

static void check_routes(const struct role *role, bool bound, const char *token)
{
    size_t count;
    const struct route *routes = router_routes(&count);
    for (size_t i = 0; i < count; i++) {
        char path[PATH_BYTES], text[BODY_BYTES];
        make_path(&routes[i], "x", path);
        const struct api_call call = { .method = routes[i].method, .path = path, .token = token };
        struct api_answer answer = api_do(&world, &call);
        if (is_forbidden(&routes[i], role, bound, text)) {
            api_check_error(answer, 403, "Forbidden", text);
            continue;
        }
        cr_assert(answer.status != 403 && answer.status != 401 && answer.status != 500, "%s%s, %s %s: %s",
                  role->word, bound ? " of north" : "", call.method, path, answer.body.bytes);
        api_answer_free(&answer);
    }
}

Test(matrix, roles_may_what_the_table_says_with_the_whole_fleet_and_with_an_organization)
{
    size_t count;
    const struct role *roles = role_all(&count);
    for (size_t i = 0; i < count; i++) {
        for (int bound = 0; bound < 2; bound++) {
            char id[64], body[BODY_BYTES];
            snprintf(id, sizeof id, "%s-%d", roles[i].word, bound);
            snprintf(body, sizeof body, "[{\"role\":\"%s\"%s}]", roles[i].id,
                     bound ? ",\"organization\":\"north\"" : "");
            char *token = mint(id, body);
            check_routes(&roles[i], bound, token);
            free(token);
        }
    }
}

Test(matrix, every_route_but_the_public_ones_wants_a_token)
{
    size_t count, public_count = 0;
    const struct route *routes = router_routes(&count);
    for (size_t i = 0; i < count; i++) {
        char path[PATH_BYTES];
        make_path(&routes[i], "x", path);
        const struct api_call call = { .method = routes[i].method, .path = path, .token = "" };
        struct api_answer answer = api_do(&world, &call);
        bool public = strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0 ||
                      strcmp(path, "/openapi.json") == 0;
        cr_assert_eq(answer.status == 401, !public, "%s %s: %ld", call.method, path, answer.status);
        public_count += public;
        api_answer_free(&answer);
    }
    cr_assert_eq(public_count, 3);
}

/* ---- whose objects ---- */

static const struct owner {
    const char *id;
    const char *parent;  /* organization above; NULL: none */
    bool organization;   /* else the objects belong to none */
    bool reached;        /* by a token of north */
    const char *devices; /* of its group, which has no filter but the template */
} owners[] = {
    { "nobody", NULL, false, false, "nobody north north-east north-east-1 south" },
    { "north", NULL, true, true, "north north-east north-east-1" },
    { "north-east", "north", true, true, "north-east north-east-1" },
    { "north-east-1", "north-east", true, true, "north-east-1" },
    { "south", NULL, true, false, "south" },
};

#define OWNERS (sizeof owners / sizeof owners[0])

/* In a body, @I is the object's id, @O the member `organizations` and @R an organization among roles, with a
 * comma before. */
static const struct kind {
    const char *parameter, *collection, *body, *patch;
} kinds[] = {
    { "{organization}", "/api/organizations", "{\"displayName\":\"O\"@P}", "{\"displayName\":\"P\"}" },
    { "{device}", "/api/devices", "{\"template\":\"" PUMP "\"@O}", "{\"displayName\":\"P\"}" },
    { "{group}", "/api/deviceGroups",
      "{\"displayName\":\"G\",\"filter\":\"SELECT * FROM devices WHERE $template = \\\"" PUMP "\\\"\"@O}",
      "{\"displayName\":\"P\"}" },
    { "{job}", "/api/jobs",
      "{\"group\":\"@I\",\"data\":[{\"type\":\"command\",\"target\":\"" PUMP "\",\"path\":\"restart\"}]@O}",
      NULL },
    { "{schedule}", "/api/scheduledJobs",
      "{\"group\":\"@I\",\"data\":[{\"type\":\"command\",\"target\":\"" PUMP "\",\"path\":\"restart\"}],"
      "\"schedule\":{\"start\":\"2126-03-01T12:00:00Z\"}@O}",
      "{\"displayName\":\"P\"}" },
    { "{token}", "/api/apiTokens", "{\"roles\":[{\"role\":\"" ROLE_ORG_VIEWER "\"@R}]}", NULL },
};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* The kind of object that a route is about; NULL: none that belongs to somebody. */
static const struct kind *find_kind(const struct route *route)
{
    const char *parameter = strchr(route->pattern, '{');
    for (size_t i = 0; parameter != NULL && i < KINDS; i++)
        if (strncmp(parameter, kinds[i].parameter, strlen(kinds[i].parameter)) == 0)
            return &kinds[i];
    return NULL;
}

/* `organization`: NULL for none; `parent` is only an organization's. */
static void make_body(const char *pattern, const char *id, const char *organization, const char *parent,
                      char body[BODY_BYTES])
{
    size_t used = 0;
    for (const char *at = pattern; *at != '\0'; at++) {
        assert(used + 100 < BODY_BYTES);
        const char *format = "%s", *value = id;
        if (*at != '@') {
            body[used++] = *at;
            continue;
        }
        at++;
        if (*at == 'P')
            format = ",\"parent\":\"%s\"", value = parent;
        else if (*at == 'O')
            format = ",\"organizations\":[\"%s\"]", value = organization;
        else if (*at == 'R')
            format = ",\"organization\":\"%s\"", value = organization;
        if (value != NULL)
            used += (size_t)snprintf(body + used, BODY_BYTES - used, format, value);
    }
    body[used] = '\0';
}

static bool has(const struct owner *owner, const struct kind *kind)
{
    return owner->organization || kind != &kinds[0];
}

static void put_object(const struct kind *kind, const struct owner *owner)
{
    char path[PATH_BYTES], body[BODY_BYTES];
    bool conflict = kind->patch == NULL; /* what cannot be changed may be there already */
    snprintf(path, sizeof path, "%s/%s?" API_VERSION, kind->collection, owner->id);
    make_body(kind->body, owner->id, owner->organization ? owner->id : NULL, owner->parent, body);
    struct api_answer answer = api_send(&world, "PUT", path, body);
    cr_assert(answer.status == 200 || (conflict && answer.status == 409), "PUT %s: %s", path,
              answer.body.bytes);
    api_answer_free(&answer);
}

static void put_objects(void)
{
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < OWNERS; i++)
            if (has(&owners[i], &kinds[k]))
                put_object(&kinds[k], &owners[i]);
}

/* ---- one object ---- */

/* A route with an owner's object, asked by a token of north: whether it is refused as if there were none. */
static void check_object(const struct route *route, const struct kind *kind, const struct owner *owner,
                         const char *token)
{
    char path[PATH_BYTES], body[BODY_BYTES] = "", named[PATH_BYTES];
    make_path(route, owner->id, path);
    if (route->body != NULL && strcmp(route->method, "PATCH") == 0)
        snprintf(body, sizeof body, "%s", kind->patch);
    else if (route->body != NULL)
        make_body(kind->body, owner->reached ? owner->id : "north", owner->reached ? owner->id : "north",
                  owner->reached ? owner->parent : NULL, body);
    const struct api_call call = {
        .method = route->method, .path = path, .token = token, .body = body[0] != '\0' ? body : NULL
    };
    struct api_answer answer = api_do(&world, &call);
    snprintf(named, sizeof named, "\\\"%s\\\" was not found.", owner->id);
    bool missing = answer.status == 404 && strstr(answer.body.bytes, named) != NULL;
    bool fine = answer.status < 300 || answer.status == 409 ||
                strstr(answer.body.bytes, "No device can be called") != NULL || /* the fake runner has none */
                strstr(answer.body.bytes, "has no component") != NULL;
    cr_assert(owner->reached ? fine : missing, "%s %s %s: %ld %s", call.method, path, body, answer.status,
              answer.body.bytes);
    api_answer_free(&answer);
}

Test(matrix, objects_outside_an_organization_do_not_exist_and_those_inside_do)
{
    size_t count, checked = 0;
    const struct route *routes = router_routes(&count);
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_ADMIN));
    for (size_t i = 0; i < count; i++) {
        const struct kind *kind = find_kind(&routes[i]);
        for (size_t o = 0; kind != NULL && o < OWNERS; o++) {
            if (!has(&owners[o], kind))
                continue;
            check_object(&routes[i], kind, &owners[o], token);
            if (strcmp(routes[i].method, "DELETE") == 0)
                put_object(kind, &owners[o]);
            checked++;
        }
    }
    cr_assert_gt(checked, 30 * OWNERS);
    free(token);
}

Test(matrix, rerun_says_nothing_of_a_job_outside)
{
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_ADMIN));
    const struct api_call rerun = { .method = "PUT",
                                    .path = "/api/jobs/north/rerun/south?" API_VERSION,
                                    .token = token };
    api_check_error(api_do(&world, &rerun), 404, "NotFound", "Job \"south\" was not found.");
    free(token);
}

/* ---- lists ---- */

static void add_owner(const struct json *value, const char *id, char found[BODY_BYTES])
{
    for (size_t i = 0; i < json_count(value); i++)
        if (strcmp(json_string(json_member(json_item(value, i), "id")), id) == 0) {
            strcat(found, found[0] != '\0' ? " " : "");
            strcat(found, id);
        }
}

/* Checks of which owners a list shows the object, and that it shows `further` ones. */
static void check_list(const char *path, const char *token, const char *expected, size_t further)
{
    char found[BODY_BYTES] = "";
    struct json_document document;
    struct tranche_err err;
    const struct api_call call = { .method = "GET", .path = path, .token = token };
    struct api_answer answer = api_do(&world, &call);
    cr_assert_eq(json_parse(answer.body.bytes, answer.body.length, &document, &err), TRANCHE_OK);
    const struct json *value = json_member(document.root, "value");
    for (size_t i = 0; i < OWNERS; i++)
        add_owner(value, owners[i].id, found);
    cr_assert_str_eq(found, expected, "%s: %s, expected %s", path, found, expected);
    size_t words = expected[0] != '\0';
    for (const char *at = expected; *at != '\0'; at++)
        words += *at == ' ';
    cr_assert_eq(json_count(value), words + further, "%s: %s", path, answer.body.bytes);
    json_free(&document);
    api_answer_free(&answer);
}

Test(matrix, lists_show_what_an_organization_reaches)
{
    put_objects();
    char *north = mint("of-north", OF_NORTH(ROLE_ORG_ADMIN));
    char *whole = mint("of-all", "[{\"role\":\"" ROLE_ADMINISTRATOR "\"}]");
    for (size_t k = 0; k < KINDS; k++) {
        char path[PATH_BYTES];
        bool organizations = k == 0, tokens = k == KINDS - 1;
        snprintf(path, sizeof path, "%s?" API_VERSION, kinds[k].collection);
        check_list(path, north, "north north-east north-east-1", tokens ? 1 : 0); /* its own, too */
        check_list(path, whole,
                   organizations ? "north north-east north-east-1 south"
                                 : "nobody north north-east north-east-1 south",
                   tokens ? 3 : 0);
    }
    free(north);
    free(whole);
}

Test(matrix, pages_pass_over_what_lies_outside)
{
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_ADMIN));
    for (size_t k = 0; k < KINDS; k++) {
        char path[PATH_BYTES];
        bool newest_first = strcmp(kinds[k].collection, "/api/jobs") == 0, tokens = k == KINDS - 1;
        snprintf(path, sizeof path, "%s?" API_VERSION "&$top=1", kinds[k].collection);
        check_list(path, token, newest_first ? "north-east-1" : tokens ? "" : "north", tokens ? 1 : 0);
    }
    free(token);
}

Test(matrix, a_group_means_the_devices_of_its_organization_and_of_those_below)
{
    put_objects();
    for (size_t i = 0; i < OWNERS; i++) {
        char path[PATH_BYTES], count[64];
        snprintf(path, sizeof path, "/api/deviceGroups/%s/devices?" API_VERSION, owners[i].id);
        check_list(path, NULL, owners[i].devices, 0);
        size_t words = 1;
        for (const char *at = owners[i].devices; *at != '\0'; at++)
            words += *at == ' ';
        snprintf(path, sizeof path, "/v1/deviceGroups/%s/count", owners[i].id);
        snprintf(count, sizeof count, "{\"count\":%zu}", words);
        api_check(api_get(&world, path), 200, count);
    }
}

/* Else it could be asked, value by value, what devices have that do not exist for the caller. */
Test(matrix, explaining_a_filter_counts_the_devices_within_reach)
{
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_VIEWER));
    const char *path =
        "/v1/filters/"
        "explain?filter=SELECT%20*%20FROM%20devices%20WHERE%20a%20=%201%20OR%20$enabled%20=%20true";
    const char *const tokens[] = { token, world.administrator };
    for (size_t i = 0; i < 2; i++) {
        char expected[BODY_BYTES];
        snprintf(expected, sizeof expected,
                 "{\"filter\":\"SELECT * FROM devices WHERE a = 1 OR $enabled = "
                 "true\",\"index\":\"id\",\"count\":%d}",
                 i == 0 ? 3 : 5);
        api_check(api_do(&world, &(struct api_call){ .method = "GET", .path = path, .token = tokens[i] }),
                  200, expected);
    }
    free(token);
}

Test(matrix, a_filter_of_devices_or_of_a_group_does_not_lead_outside)
{
    static const char group[] =
        "{\"displayName\":\"G\",\"filter\":\"SELECT * FROM devices WHERE a = 1 OR $enabled = true\"}";
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_ADMIN));
    check_list("/api/devices?" API_VERSION "&$filter=id%20eq%20%27south%27%20or%20enabled%20eq%20true", token,
               "north north-east north-east-1", 0);
    const struct api_call put = {
        .method = "PUT", .path = "/api/deviceGroups/any?" API_VERSION, .token = token, .body = group
    };
    struct api_answer answer = api_do(&world, &put);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    check_list("/api/deviceGroups/any/devices?" API_VERSION, token, "north north-east north-east-1", 0);
    check_list("/api/deviceGroups/any/devices?" API_VERSION, NULL, "north north-east north-east-1", 0);
    free(token);
}

/* ---- making objects ---- */

static struct api_answer put_as(const char *token, const struct kind *kind, const char *id,
                                const char *organization, const char *parent)
{
    char path[PATH_BYTES], body[BODY_BYTES];
    snprintf(path, sizeof path, "%s/%s?" API_VERSION, kind->collection, id);
    make_body(kind->body, organization != NULL ? organization : "north", organization, parent, body);
    return api_do(&world, &(struct api_call){ .method = "PUT", .path = path, .token = token, .body = body });
}

Test(matrix, nothing_can_be_put_into_another_organization)
{
    static const char *const elsewhere[] = { "south", "unknown-one" };
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_ADMIN));
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
            char text[BODY_BYTES];
            const char *member = k == 0           ? "parent"
                                 : k == KINDS - 1 ? "roles[0].organization"
                                                  : "organizations[0]";
            snprintf(text, sizeof text, "%s: organization \"%s\" does not exist.", member, elsewhere[i]);
            api_check_error(put_as(token, &kinds[k], "new-one", elsewhere[i], elsewhere[i]), 422,
                            "UnprocessableEntity", text);
        }
    free(token);
}

Test(matrix, nothing_can_be_moved_into_another_organization)
{
    static const char *const moved[] = { "/api/devices/north", "/api/deviceGroups/north",
                                         "/api/scheduledJobs/north" };
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_ADMIN));
    for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s?" API_VERSION, moved[i]);
        const struct api_call away = {
            .method = "PATCH", .path = path, .token = token, .body = "{\"organizations\":[\"south\"]}"
        };
        api_check_error(api_do(&world, &away), 422, "UnprocessableEntity",
                        "organizations[0]: organization \"south\" does not exist.");
        const struct api_call freed = {
            .method = "PATCH", .path = path, .token = token, .body = "{\"organizations\":null}"
        };
        struct api_answer answer = api_do(&world, &freed);
        cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
        cr_assert_not_null(strstr(answer.body.bytes, "\"organizations\":[\"north\"]"), "%s",
                           answer.body.bytes);
        api_answer_free(&answer);
    }
    free(token);
}

Test(matrix, what_names_no_organization_belongs_to_the_callers)
{
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_ADMIN));
    for (size_t k = 0; k < KINDS - 1; k++) { /* a token must say it */
        struct api_answer answer = put_as(token, &kinds[k], "new-one", NULL, NULL);
        cr_assert_eq(answer.status, 200, "%s: %s", kinds[k].collection, answer.body.bytes);
        const char *member = k == 0 ? "\"parent\":\"north\"" : "\"organizations\":[\"north\"]";
        cr_assert_not_null(strstr(answer.body.bytes, member), "%s: %s", kinds[k].collection,
                           answer.body.bytes);
        api_answer_free(&answer);
    }
    api_check_error(put_as(token, &kinds[KINDS - 1], "new-one", NULL, NULL), 422, "UnprocessableEntity",
                    "roles[0].organization: the member is required.");
    for (size_t k = 0; k < KINDS; k++) {
        struct api_answer answer = put_as(token, &kinds[k], "newer-one", "north-east-1", "north-east-1");
        cr_assert_eq(answer.status, 200, "%s: %s", kinds[k].collection, answer.body.bytes);
        api_answer_free(&answer);
    }
    free(token);
}

/* Three devices are in north's part of the fleet, five in all of it. */
Test(matrix, a_job_of_an_organization_counts_the_devices_of_it)
{
    put_objects();
    char *token = mint("caller", OF_NORTH(ROLE_ORG_ADMIN));
    struct api_answer answer = put_as(token, &kinds[3], "of-three", "north", NULL);
    cr_assert_not_null(strstr(answer.body.bytes, "\"total\":3"), "%s", answer.body.bytes);
    api_answer_free(&answer);
    const struct api_call whole = {
        .method = "PUT",
        .path = "/api/jobs/of-all?" API_VERSION,
        .token = token,
        .body =
            "{\"group\":\"nobody\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"restart\"}]}"
    };
    api_check_error(api_do(&world, &whole), 422, "UnprocessableEntity",
                    "group: device group \"nobody\" does not exist.");
    free(token);
}

/* ---- several roles ---- */

static long status_as(const char *token, const char *method, const char *path)
{
    char whole[PATH_BYTES];
    snprintf(whole, sizeof whole, "%s?" API_VERSION, path);
    struct api_answer answer =
        api_do(&world, &(struct api_call){ .method = method, .path = whole, .token = token });
    api_answer_free(&answer);
    return answer.status;
}

Test(matrix, each_role_of_a_token_counts_where_it_was_given)
{
    put_objects();
    char *token = mint("caller", "[{\"role\":\"" ROLE_ORG_VIEWER "\",\"organization\":\"north-east\"},"
                                 "{\"role\":\"" ROLE_ORG_ADMIN "\",\"organization\":\"south\"}]");
    check_list("/api/jobs?" API_VERSION, token, "north-east north-east-1 south", 0);
    check_list("/api/devices?" API_VERSION, token, "north-east north-east-1 south", 0);
    check_list("/api/apiTokens?" API_VERSION, token, "south",
               0); /* its own reaches further than it may look */
    cr_assert_eq(status_as(token, "GET", "/api/jobs/north-east-1"), 200);
    cr_assert_eq(status_as(token, "GET", "/api/jobs/north"), 404);
    cr_assert_eq(status_as(token, "POST", "/api/jobs/north-east-1/stop"), 404);
    cr_assert_eq(status_as(token, "POST", "/api/jobs/south/stop"), 204);
    cr_assert_eq(status_as(token, "DELETE", "/api/deviceGroups/north-east"), 404);
    cr_assert_eq(status_as(token, "DELETE", "/api/deviceGroups/south"), 204);
    free(token);
}

Test(matrix, a_role_for_the_whole_fleet_is_not_narrowed_by_another)
{
    put_objects();
    char *token = mint("caller", "[{\"role\":\"" ROLE_ORG_ADMIN "\",\"organization\":\"north\"},"
                                 "{\"role\":\"" ROLE_OPERATOR "\"}]");
    check_list("/api/jobs?" API_VERSION, token, "nobody north north-east north-east-1 south", 0);
    cr_assert_eq(status_as(token, "POST", "/api/jobs/south/stop"), 204);
    cr_assert_eq(status_as(token, "DELETE", "/api/deviceGroups/south"), 404);
    cr_assert_eq(status_as(token, "DELETE", "/api/deviceGroups/north"), 204);
    free(token);
}
