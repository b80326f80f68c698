/* The tree of organizations: what a token of one of them may do to it, and how large it grows. */
#include "api_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORGANIZATIONS_MAX 200

static struct api_world world;

static void open_world(void)
{
    api_world_open(&world, NULL); /* north is there */
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(organizations, .init = open_world, .fini = close_world, .timeout = 120);

static void put(const char *id, const char *body)
{
    char path[128];
    snprintf(path, sizeof path, "/api/organizations/%s?" API_VERSION, id);
    struct api_answer answer = api_send(&world, "PUT", path, body);
    cr_assert_eq(answer.status, 200, "%s: %s", id, answer.body.bytes);
    api_answer_free(&answer);
}

/* meadow ──► north ──► hall, and a token of north. */
static char *make_tree(void)
{
    put("meadow", "{\"displayName\":\"M\"}");
    put("north", "{\"displayName\":\"N\",\"parent\":\"meadow\"}");
    put("hall", "{\"displayName\":\"H\",\"parent\":\"north\"}");
    return api_token_of(&world, "caller", "org-admin", "north");
}

/* Whoever is above it would lose sight of it. */
Test(organizations, stay_where_they_are_when_one_who_does_not_reach_the_whole_fleet_names_no_parent)
{
    static const struct {
        const char *id, *parent;
    } organizations[] = { { "north", "meadow" }, { "hall", "north" } };
    static const char *const changes[] = { "{\"displayName\":\"X\"}",
                                           "{\"displayName\":\"X\",\"parent\":null}" };
    static const char *const methods[] = { "PUT", "PATCH" };
    char *token = make_tree();
    for (size_t i = 0; i < 8; i++) {
        char path[128], expected[128];
        const size_t organization = i & 1;
        snprintf(path, sizeof path, "/api/organizations/%s?" API_VERSION, organizations[organization].id);
        snprintf(expected, sizeof expected, "{\"id\":\"%s\",\"displayName\":\"X\",\"parent\":\"%s\"}",
                 organizations[organization].id, organizations[organization].parent);
        const struct api_call call = {
            .method = methods[i >> 1 & 1], .path = path, .token = token, .body = changes[i >> 2]
        };
        api_check(api_do(&world, &call), 200, expected);
    }
    free(token);
}

Test(organizations, cannot_be_moved_out_of_what_the_caller_reaches)
{
    char *token = make_tree();
    put("south", "{\"displayName\":\"S\"}");
    const struct api_call calls[] = {
        { .method = "PATCH",
          .path = "/api/organizations/hall?" API_VERSION,
          .body = "{\"parent\":\"meadow\"}" },
        { .method = "PATCH",
          .path = "/api/organizations/north?" API_VERSION,
          .body = "{\"parent\":\"south\"}" },
    };
    static const char *const messages[] = { "parent: organization \"meadow\" does not exist.",
                                            "parent: organization \"south\" does not exist." };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct api_call call = calls[i];
        call.token = token;
        api_check_error(api_do(&world, &call), 422, "UnprocessableEntity", messages[i]);
    }
    free(token);
}

Test(organizations, go_to_the_top_when_one_who_reaches_the_whole_fleet_names_no_parent)
{
    free(make_tree());
    api_check(api_send(&world, "PATCH", "/api/organizations/hall?" API_VERSION, "{\"parent\":null}"), 200,
              "{\"id\":\"hall\",\"displayName\":\"H\"}");
    api_check(api_send(&world, "PUT", "/api/organizations/north?" API_VERSION, "{\"displayName\":\"N\"}"),
              200, "{\"id\":\"north\",\"displayName\":\"N\"}");
}

/* With ids as long as may be; a token of north still reaches into all of them. */
Test(organizations, are_limited_in_number_wherever_they_are)
{
    static const char *const more[] = { "{\"displayName\":\"M\"}",
                                        "{\"displayName\":\"M\",\"parent\":\"north\"}" };
    char *token = api_token_of(&world, "caller", "org-admin", "north");
    for (int i = 1; i < ORGANIZATIONS_MAX; i++) {
        char id[64];
        snprintf(id, sizeof id, "%048d", i);
        put(id, more[i > 1]);
    }
    for (size_t i = 0; i < 2; i++)
        api_check_error(api_send(&world, "PUT", "/api/organizations/one-more?" API_VERSION, more[i]), 422,
                        "UnprocessableEntity", "There are 200 organizations already, which is the most.");
    put("north", more[0]); /* is there already */

    static const char *const places[] = { "000000000000000000000000000000000000000000000001",
                                          "000000000000000000000000000000000000000000000199" };
    for (size_t i = 0; i < 2; i++) {
        char path[64], body[128];
        snprintf(path, sizeof path, "/api/devices/pump-%zu?" API_VERSION, i);
        snprintf(body, sizeof body, "{\"organizations\":[\"%s\"]}", places[i]);
        struct api_answer answer = api_send(&world, "PUT", path, body);
        cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
        api_answer_free(&answer);
    }
    const struct api_call count = { .method = "GET",
                                    .path = "/v1/filters/explain?filter=SELECT%20*%20FROM%20devices",
                                    .token = token };
    api_check(api_do(&world, &count), 200,
              "{\"filter\":\"SELECT * FROM devices\",\"index\":\"id\",\"count\":1}");
    free(token);
}

/* Its id could be given to another organization later, which the token then would reach. */
Test(organizations, cannot_be_deleted_while_tokens_are_bound_to_them)
{
    char *token = make_tree();
    const struct api_call hall = { .method = "DELETE",
                                   .path = "/api/organizations/hall?" API_VERSION,
                                   .token = token };
    const struct api_call north = { .method = "DELETE",
                                    .path = "/api/organizations/north?" API_VERSION,
                                    .token = token };
    api_check(api_do(&world, &hall), 204, "");
    api_check_error(api_do(&world, &north), 409, "Conflict",
                    "Organization \"north\" cannot be deleted: tokens belong to it.");
    api_check(api_send(&world, "DELETE", "/api/apiTokens/caller?" API_VERSION, NULL), 204, "");
    api_check(api_send(&world, "DELETE", "/api/organizations/north?" API_VERSION, NULL), 204, "");
    free(token);
}
