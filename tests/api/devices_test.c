/* Devices (api-contract.md 3.4, 4.6). */
#include "api_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct api_world world;

static void open_world(void)
{
    api_world_open(&world, NULL);
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(devices, .init = open_world, .fini = close_world, .timeout = 60);

#define DEVICE "/api/devices/pump-1?" API_VERSION
#define PATCHED(body) api_send(&world, "PATCH", DEVICE, body)

static void make(const char *body)
{
    struct api_answer answer = api_send(&world, "PUT", DEVICE, body);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
}

static struct api_answer with_etag(const char *method, const char *body, const char *if_match)
{
    char header[80];
    snprintf(header, sizeof header, "If-Match: %s", if_match);
    const char *const headers[] = { header, NULL };
    return api_do(&world, &(struct api_call){ .method = method, .path = DEVICE, .body = body, .headers = headers });
}

Test(devices, a_device_is_created_read_changed_and_deleted)
{
    api_check(api_send(&world, "PUT", DEVICE, "{\"displayName\":\"Pump 1\",\"template\":\"dtmi:a:b;1\",\"id\":\"x\"}"), 200,
              "{\"id\":\"pump-1\",\"etag\":\"\\\"d1-1\\\"\",\"displayName\":\"Pump 1\",\"template\":\"dtmi:a:b;1\","
              "\"enabled\":true,\"provisioned\":true,\"simulated\":false}");
    api_check(PATCHED("{\"enabled\":false,\"organizations\":[\"north\"],\"unknown\":1}"), 200,
              "{\"id\":\"pump-1\",\"etag\":\"\\\"d1-2\\\"\",\"displayName\":\"Pump 1\",\"template\":\"dtmi:a:b;1\","
              "\"enabled\":false,\"provisioned\":true,\"simulated\":false,\"organizations\":[\"north\"]}");
    api_check(PATCHED("{\"displayName\":null,\"template\":null,\"organizations\":null}"), 200,
              "{\"id\":\"pump-1\",\"etag\":\"\\\"d1-3\\\"\",\"displayName\":\"pump-1\",\"enabled\":false,"
              "\"provisioned\":true,\"simulated\":false}");
    struct api_answer answer = api_get(&world, DEVICE);
    cr_assert_str_eq(api_header(&answer, "ETag"), "\"d1-3\"");
    api_answer_free(&answer);
    api_check(api_send(&world, "DELETE", DEVICE, NULL), 204, "");
    api_check_error(api_get(&world, DEVICE), 404, "NotFound", "Device \"pump-1\" was not found.");
    api_check_error(api_send(&world, "DELETE", DEVICE, NULL), 404, "NotFound", "Device \"pump-1\" was not found.");
    api_check_error(PATCHED("{}"), 404, "NotFound", "Device \"pump-1\" was not found.");
}

Test(devices, put_replaces_whole_but_leaves_the_properties)
{
    api_pumps(&world);
    api_check(api_send(&world, "PUT", "/api/devices/pump-n01?" API_VERSION, "{}"), 200,
              "{\"id\":\"pump-n01\",\"etag\":\"\\\"d1-2\\\"\",\"displayName\":\"pump-n01\",\"enabled\":true,"
              "\"provisioned\":true,\"simulated\":false}");
    api_check(api_get(&world, "/api/devices/pump-n01/properties?" API_VERSION), 200, "{\"site\":\"north\"}");
}

Test(devices, what_cannot_be_written)
{
    api_check_error(api_send(&world, "PUT", DEVICE, "{\"displayName\":5}"), 422, "UnprocessableEntity",
                    "displayName: expected a string, found number.");
    api_check_error(api_send(&world, "PUT", DEVICE, "{\"enabled\":\"yes\"}"), 422, "UnprocessableEntity",
                    "enabled: expected a boolean, found string.");
    api_check_error(api_send(&world, "PUT", DEVICE, "{\"organizations\":[\"a\",\"b\"]}"), 422, "UnprocessableEntity",
                    "organizations: expected an array of exactly one.");
    api_check_error(api_send(&world, "PUT", DEVICE, "[]"), 422, "UnprocessableEntity",
                    "The body must be an object, found array.");
    struct api_answer answer = api_send(&world, "PUT", "/api/devices/a%20b?" API_VERSION, "{}");
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
    answer = api_send(&world, "POST", DEVICE, "{}");
    cr_assert_eq(answer.status, 405);
    cr_assert_str_eq(api_header(&answer, "Allow"), "GET, PUT, PATCH, DELETE");
    api_answer_free(&answer);
}

Test(devices, etags_are_honoured_in_header_and_body)
{
    api_check_error(with_etag("PUT", "{}", "*"), 412, "PreconditionFailed", "The etag does not match the current one.");
    make("{}");
    api_check_error(with_etag("PATCH", "{}", "\"d1-7\""), 412, "PreconditionFailed",
                    "The etag does not match the current one.");
    api_check_error(PATCHED("{\"etag\":\"d1-7\"}"), 412, "PreconditionFailed", "The etag does not match the current one.");
    struct api_answer answer = with_etag("PATCH", "{\"etag\":\"\\\"d1-1\\\"\"}", "\"d1-1\"");
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    api_check_error(with_etag("DELETE", NULL, "\"d1-1\""), 412, "PreconditionFailed",
                    "The etag does not match the current one.");
    api_check(with_etag("DELETE", NULL, "\"d1-2\""), 204, "");
}

/* ---- lists ---- */

static enum tranche_code put_fleet(struct tranche_store *store, void *context, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    for (unsigned i = 0; i < *(unsigned *)context && code == TRANCHE_OK; i++) {
        char name[24];
        struct tranche_device_record device = { .enabled = i % 2 == 0, .provisioned = true, .template_id = "t" };
        snprintf(device.id, sizeof device.id, "dev-%03u", i);
        snprintf(name, sizeof name, "Name %03u", 999 - i);
        device.display_name = name;
        bool created;
        code = store->functions->device_put(store, &device, &created, err);
    }
    return code;
}

/* Follows the links from a path; returns how many items all pages hold, and the number of pages. */
static unsigned walk(const char *path, unsigned *pages, char first[64], char last[64])
{
    char *next = strdup(path);
    unsigned items = 0;
    for (*pages = 0; next != NULL; ++*pages) {
        cr_assert_lt(*pages, 20);
        struct api_answer answer = api_get(&world, next);
        cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
        free(next);
        next = NULL;
        for (const char *at = answer.body.bytes; (at = strstr(at, "{\"id\":\"")) != NULL; items++) {
            at += strlen("{\"id\":\"");
            char *into = items == 0 ? first : last;
            snprintf(into, 64, "%.*s", (int)strcspn(at, "\""), at);
        }
        const char *link = strstr(answer.body.bytes, "\"nextLink\":\"");
        if (link != NULL) {
            const char *start = strstr(link, "/api/");
            next = strndup(start, strcspn(start, "\""));
        }
        api_answer_free(&answer);
    }
    return items;
}

Test(devices, lists_are_walked_by_their_links)
{
    unsigned count = 250, pages;
    char first[64], last[64];
    api_store(&world, put_fleet, &count);

    cr_assert_eq(walk("/api/devices?" API_VERSION, &pages, first, last), 250);
    cr_assert_eq(pages, 3);
    cr_assert_str_eq(first, "dev-000");
    cr_assert_str_eq(last, "dev-249");
    cr_assert_eq(walk("/api/devices?" API_VERSION "&maxpagesize=100&orderby=displayName", &pages, first, last), 250);
    cr_assert_str_eq(first, "dev-249");
    cr_assert_str_eq(last, "dev-000");
    cr_assert_eq(walk("/api/devices?" API_VERSION "&$top=70&$orderby=displayName%20desc", &pages, first, last), 250);
    cr_assert_eq(pages, 4);
    cr_assert_str_eq(last, "dev-249");
    cr_assert_eq(walk("/api/devices?" API_VERSION "&filter=enabled%20eq%20true%20and%20id%20lt%20'dev-100'", &pages, first,
                      last), 50);
    cr_assert_eq(walk("/api/devices?" API_VERSION "&$filter=contains(displayName,'Name%2099')", &pages, first, last), 10);
}

Test(devices, what_a_list_cannot_be_asked)
{
    api_check_error(api_get(&world, "/api/devices?" API_VERSION "&filter=size%20eq%205"), 422, "UnprocessableEntity",
                    "filter: expected id, displayName, template, scopes, enabled, provisioned, simulated, contains or \"(\" "
                    "at position 1, found \"size\".");
    api_check_error(api_get(&world, "/api/devices?" API_VERSION "&orderby=id"), 422, "UnprocessableEntity",
                    "orderby: expected displayName or displayName desc, found \"id\".");
    api_check_error(api_get(&world, "/api/devices?" API_VERSION "&$skiptoken=ZDphCmI"), 422, "UnprocessableEntity",
                    "The continuation token is not valid."); /* of a list by name */
    api_check_error(api_get(&world, "/api/devices?" API_VERSION "&$skiptoken=ZzphCmI"), 422, "UnprocessableEntity",
                    "The continuation token is not valid."); /* of groups */
    api_check(api_get(&world, "/api/devices?" API_VERSION), 200, "{\"value\":[]}");
}

Test(devices, a_group_lists_counts_and_explains)
{
    unsigned count = 120, pages;
    char first[64], last[64];
    api_store(&world, put_fleet, &count);
    api_pumps(&world);

    cr_assert_eq(walk("/api/deviceGroups/north-pumps/devices?" API_VERSION "&maxpagesize=3", &pages, first, last), 7);
    cr_assert_eq(pages, 3);
    cr_assert_str_eq(last, "pump-n07");
    api_check(api_get(&world, "/v1/deviceGroups/north-pumps/count"), 200, "{\"count\":7}");
    api_check_error(api_get(&world, "/v1/filters/explain?filter=select%20*%20from%20t"), 422, "UnprocessableEntity",
                    "filter: expected devices or a template id at position 15, found \"t\".");
    api_check_error(api_get(&world, "/v1/filters/explain"), 422, "UnprocessableEntity",
                    "The query parameter filter is required.");
    api_check(api_get(&world, "/v1/filters/explain?filter=select%20*%20from%20dtmi:t;1%20where%20((a=1))"), 200,
              "{\"filter\":\"SELECT * FROM devices WHERE $template = \\\"dtmi:t;1\\\" AND a = 1\",\"index\":\"template\","
              "\"count\":0}");
    api_check(api_get(&world, "/v1/filters/explain?filter=SELECT%20*%20FROM%20devices%20WHERE%20site='north'"), 200,
              "{\"filter\":\"SELECT * FROM devices WHERE site = \\\"north\\\"\",\"index\":\"id\",\"count\":7}");
}
