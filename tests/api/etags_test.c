/* An etag stands for one state of one object for good: whoever holds an old one, even of an object that was
 * deleted and made anew, is told so.
 */
#include "api_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS     4 /* each makes, changes and deletes; the server starts anew between them */
#define ETAG_BYTES 64
#define PATH_BYTES 128

static struct api_world world;

static void open_world(void)
{
    api_world_open(&world, NULL);
    api_pumps(&world);
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(etags, .init = open_world, .fini = close_world, .timeout = 60);

static const struct subject {
    const char *path, *body, *patch;
} subjects[] = {
    { "/api/deviceGroups/one", "{\"displayName\":\"G\",\"filter\":\"SELECT * FROM devices\"}",
      "{\"displayName\":\"H\"}" },
    { "/api/scheduledJobs/one",
      "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"command\",\"target\":\"" PUMP
      "\",\"path\":\"restart\"}],"
      "\"schedule\":{\"start\":\"2126-03-01T12:00:00Z\"}}",
      "{\"enabled\":false}" },
    { "/api/devices/one", "{\"template\":\"" PUMP "\"}", "{\"enabled\":false}" },
    { "/api/organizations/one", "{\"displayName\":\"O\"}", "{\"displayName\":\"P\"}" },
    { "/api/deviceTemplates/dtmi:meadow:one;1",
      "{\"@type\":[\"ModelDefinition\",\"DeviceModel\"],\"capabilityModel\":{\"@type\":\"Interface\","
      "\"contents\":[]}}",
      "{\"displayName\":\"T\"}" },
};

#define SUBJECTS (sizeof subjects / sizeof subjects[0])

static struct api_answer ask(const struct subject *subject, const char *method, const char *body,
                             const char *etag)
{
    char path[PATH_BYTES], header[ETAG_BYTES + 16];
    const char *headers[] = { header, NULL };
    snprintf(path, sizeof path, "%s?" API_VERSION, subject->path);
    snprintf(header, sizeof header, "If-Match: %s", etag != NULL ? etag : "");
    const struct api_call call = {
        .method = method, .path = path, .body = body, .headers = etag != NULL ? headers : NULL
    };
    return api_do(&world, &call);
}

/* Writes the subject, and keeps its new etag. */
static void write_subject(const struct subject *subject, const char *method, const char *body,
                          char etag[ETAG_BYTES])
{
    struct api_answer answer = ask(subject, method, body, NULL);
    cr_assert_eq(answer.status, 200, "%s: %s", subject->path, answer.body.bytes);
    const char *value = api_header(&answer, "ETag");
    cr_assert_not_null(value, "%s", subject->path);
    snprintf(etag, ETAG_BYTES, "%s", value);
    api_answer_free(&answer);
}

static void drop_subject(const struct subject *subject)
{
    struct api_answer answer = ask(subject, "DELETE", NULL, NULL);
    cr_assert_eq(answer.status, 204, "%s: %s", subject->path, answer.body.bytes);
    api_answer_free(&answer);
}

static void check_stale(const struct subject *subject, char etags[][ETAG_BYTES], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_neq(etags[i], etags[count], "%s: %s came back", subject->path, etags[i]);
        api_check_error(ask(subject, "PATCH", subject->patch, etags[i]), 412, "PreconditionFailed",
                        "The etag does not match the current one.");
    }
}

Test(etags, object_that_was_deleted_and_made_anew_never_has_an_old_one)
{
    static char etags[SUBJECTS][ROUNDS * 2][ETAG_BYTES];
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < SUBJECTS; i++) {
            write_subject(&subjects[i], "PUT", subjects[i].body, etags[i][2 * round]);
            check_stale(&subjects[i], etags[i], 2 * round);
            write_subject(&subjects[i], "PATCH", subjects[i].patch, etags[i][2 * round + 1]);
            check_stale(&subjects[i], etags[i], 2 * round + 1);
            drop_subject(&subjects[i]);
        }
        api_world_restart(&world);
    }
}
