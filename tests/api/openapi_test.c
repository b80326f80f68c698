/* The description of the API against the table of routes that it is made from, as a client gets it. */
#include "api_world.h"

#include "json.h"
#include "router.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct api_world world;
static struct api_answer answer;
static struct json_document document;

static void open_document(void)
{
    api_world_open(&world, NULL);
    answer = api_do(&world, &(struct api_call){ .method = "GET", .path = "/openapi.json", .token = "" });
    cr_assert_eq(answer.status, 200);
    struct tranche_err err;
    cr_assert_eq(json_parse(answer.body.bytes, answer.body.length, &document, &err), TRANCHE_OK, "%s", err.text);
}

static void close_document(void)
{
    json_free(&document);
    api_answer_free(&answer);
    api_world_close(&world);
}

TestSuite(openapi, .init = open_document, .fini = close_document);

static size_t count_members(const struct json *object)
{
    size_t count = 0;
    const char *name;
    struct json *value;
    for (void *cursor = NULL; json_next(object, &cursor, &name, &value);)
        count++;
    return count;
}

Test(openapi, has_every_route_and_no_other)
{
    size_t count, operations = 0;
    const struct route *routes = router_routes(&count);
    const struct json *paths = json_member(document.root, "paths");
    for (size_t i = 0; i < count; i++) {
        char method[16] = "", status[8];
        for (size_t c = 0; routes[i].method[c] != '\0'; c++)
            method[c] = (char)tolower((unsigned char)routes[i].method[c]);
        snprintf(status, sizeof status, "%d", route_status(&routes[i]));
        const struct json *operation = json_member(json_member(paths, routes[i].pattern), method);
        cr_assert_eq(json_type(operation), JSON_OBJECT, "%s %s", routes[i].method, routes[i].pattern);
        cr_assert_str_eq(json_string(json_member(operation, "operationId")), routes[i].operation);
        const struct json *responses = json_member(operation, "responses");
        cr_assert_eq(json_type(json_member(responses, status)), JSON_OBJECT);
        cr_assert_eq(json_type(json_member(responses, "default")), JSON_OBJECT);
    }
    const char *path;
    struct json *item;
    for (void *cursor = NULL; json_next(paths, &cursor, &path, &item);)
        operations += count_members(item);
    cr_assert_eq(operations, count);
}

Test(openapi, names_no_schema_that_it_does_not_have)
{
    static const char reference[] = "\"$ref\":\"#/components/schemas/";
    const struct json *schemas = json_member(json_member(document.root, "components"), "schemas");
    int found = 0;
    for (const char *at = answer.body.bytes; (at = strstr(at, reference)) != NULL; found++) {
        char name[64];
        at += strlen(reference);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\""), at);
        cr_assert_eq(json_type(json_member(schemas, name)), JSON_OBJECT, "%s", name);
    }
    cr_assert_gt(found, 50);
}
