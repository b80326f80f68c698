#include "openapi.h"

#include "router.h"

#include <stdio.h>
#include <string.h>

/* ---- schemas ---- */

#define STRING  "{\"type\":\"string\"}"
#define TIME    "{\"type\":\"string\",\"format\":\"date-time\"}"
#define COUNT   "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0}"
#define FLAG    "{\"type\":\"boolean\"}"
#define LIST_OF(item) "{\"type\":\"array\",\"items\":" item "}"
#define SCHEMA(name)  "{\"$ref\":\"#/components/schemas/" name "\"}"
#define OBJECT(required, properties) \
    "{\"type\":\"object\"," required "\"properties\":{" properties "}}"
#define REQUIRED(names) "\"required\":[" names "],"
#define ONE_ORGANIZATION "{\"type\":\"array\",\"items\":" STRING ",\"minItems\":1,\"maxItems\":1}"

#define JOB_PARTS                                                                                       \
    "\"displayName\":" STRING ",\"description\":" STRING ",\"group\":" STRING ",\"batch\":" SCHEMA("JobBatch") \
    ",\"cancellationThreshold\":" SCHEMA("JobCancellationThreshold") ",\"data\":{\"type\":\"array\",\"items\":" \
    SCHEMA("JobData") ",\"minItems\":1},\"organizations\":" ONE_ORGANIZATION

#define AMOUNT                                                                                          \
    "\"type\":{\"type\":\"string\",\"enum\":[\"number\",\"percentage\"]},\"value\":{\"type\":\"number\"}"

/* Those that routes name, and those that these name. A list's is made from its item's (print_collection). */
static const struct {
    const char *name, *schema;
} schemas[] = {
    { "Job", OBJECT(REQUIRED("\"group\",\"data\""),
                    "\"id\":" STRING ",\"scheduledJobId\":" STRING "," JOB_PARTS ",\"start\":" TIME ",\"end\":" TIME
                    ",\"progress\":" SCHEMA("JobProgress") ",\"status\":{\"type\":\"string\",\"enum\":[\"pending\","
                    "\"running\",\"complete\",\"failed\",\"stopped\",\"cancelled\"]}") },
    { "JobBatch", OBJECT(REQUIRED("\"type\",\"value\""), AMOUNT) },
    { "JobCancellationThreshold", OBJECT(REQUIRED("\"type\",\"value\""), AMOUNT ",\"batch\":" FLAG) },
    { "JobData", OBJECT(REQUIRED("\"type\""),
                        "\"type\":{\"type\":\"string\",\"description\":\"property, command, cloudProperty, "
                        "deviceTemplateMigration or deviceManifestMigration, or the class name of these\"},\"target\":" STRING
                        ",\"path\":" STRING ",\"value\":{},\"template\":" STRING ",\"manifest\":" STRING) },
    { "JobProgress", OBJECT(REQUIRED("\"total\",\"pending\",\"completed\",\"failed\""),
                            "\"total\":" COUNT ",\"pending\":" COUNT ",\"completed\":" COUNT ",\"failed\":" COUNT) },
    { "JobDeviceStatus", OBJECT(REQUIRED("\"id\",\"status\""),
                                "\"id\":" STRING ",\"status\":{\"type\":\"string\",\"enum\":[\"pending\",\"completed\","
                                "\"failed\"]}") },
    { "ScheduledJob", OBJECT(REQUIRED("\"group\",\"data\",\"schedule\""),
                             "\"etag\":" STRING ",\"id\":" STRING "," JOB_PARTS ",\"schedule\":" SCHEMA("JobSchedule")
                             ",\"enabled\":" FLAG ",\"completed\":" FLAG) },
    { "JobSchedule", OBJECT(REQUIRED("\"start\""),
                            "\"start\":" TIME ",\"recurrence\":{\"type\":\"string\",\"enum\":[\"daily\",\"weekly\","
                            "\"monthly\",\"yearly\"]},\"end\":{\"type\":\"object\",\"required\":[\"type\"],\"properties\":{"
                            "\"type\":{\"type\":\"string\",\"enum\":[\"date\",\"occurrences\"]},\"date\":{\"type\":\"string\","
                            "\"format\":\"date\"},\"occurrences\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":999}}}") },
    { "DeviceGroup", OBJECT(REQUIRED("\"displayName\",\"filter\""),
                            "\"id\":" STRING ",\"displayName\":" STRING ",\"description\":" STRING ",\"filter\":" STRING
                            ",\"etag\":" STRING ",\"organizations\":" ONE_ORGANIZATION) },
    { "Device", OBJECT("", "\"id\":" STRING ",\"etag\":" STRING ",\"displayName\":" STRING ",\"template\":" STRING
                       ",\"enabled\":" FLAG ",\"provisioned\":" FLAG ",\"simulated\":" FLAG
                       ",\"organizations\":" ONE_ORGANIZATION) },
    { "DeviceCommand", OBJECT("", "\"id\":" STRING ",\"connectionTimeout\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":30},"
                              "\"responseTimeout\":{\"type\":\"integer\",\"minimum\":5,\"maximum\":30},\"request\":{},"
                              "\"response\":{},\"responseCode\":{\"type\":\"integer\"}") },
    { "Collection", OBJECT(REQUIRED("\"value\""), "\"value\":" LIST_OF("{\"type\":\"object\"}")) },
    { "DeviceProperties", "{\"type\":\"object\"}" },
    { "DeviceTemplate", OBJECT(REQUIRED("\"@type\",\"capabilityModel\""),
                               "\"@id\":" STRING ",\"@type\":" LIST_OF(STRING) ",\"etag\":" STRING ",\"displayName\":" STRING
                               ",\"description\":" STRING ",\"capabilityModel\":{\"type\":\"object\"}") },
    { "Organization", OBJECT(REQUIRED("\"displayName\""),
                             "\"id\":" STRING ",\"displayName\":" STRING ",\"parent\":" STRING) },
    { "Role", OBJECT(REQUIRED("\"displayName\""), "\"id\":" STRING ",\"displayName\":" STRING) },
    { "ApiToken", OBJECT(REQUIRED("\"roles\""),
                         "\"id\":" STRING ",\"roles\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"object\","
                         "\"required\":[\"role\"],\"properties\":{\"role\":" STRING ",\"organization\":" STRING
                         "}}},\"expiry\":" TIME ",\"token\":" STRING) },
    { "Import", OBJECT(REQUIRED("\"id\""),
                       "\"id\":" STRING ",\"state\":" STRING ",\"lines\":" COUNT ",\"bad\":" COUNT ",\"devices\":" COUNT
                       ",\"created\":" COUNT ",\"updated\":" COUNT ",\"start\":" TIME ",\"end\":" TIME ",\"reason\":" STRING
                       ",\"complaints\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}") },
    { "JobProgressNow", OBJECT(REQUIRED("\"total\",\"pending\",\"completed\",\"failed\""),
                               "\"total\":" COUNT ",\"pending\":" COUNT ",\"completed\":" COUNT ",\"failed\":" COUNT
                               ",\"unknown\":" COUNT) },
    { "JobDevice", OBJECT(REQUIRED("\"id\""), "\"id\":" STRING) },
    { "Failure", OBJECT(REQUIRED("\"reason\",\"count\""), "\"reason\":" STRING ",\"count\":" COUNT) },
    { "Batch", OBJECT(REQUIRED("\"total\""), "\"total\":" COUNT) },
    { "Count", OBJECT(REQUIRED("\"count\""), "\"count\":" COUNT) },
    { "Explanation", OBJECT(REQUIRED("\"filter\",\"index\",\"count\""),
                            "\"filter\":" STRING ",\"index\":" STRING ",\"count\":" COUNT) },
    { "Audit", OBJECT(REQUIRED("\"id\",\"time\",\"who\",\"operation\",\"object\",\"result\""),
                      "\"id\":" COUNT ",\"time\":" TIME ",\"who\":" STRING ",\"operation\":" STRING ",\"object\":" STRING
                      ",\"requestId\":" STRING ",\"etagBefore\":" STRING ",\"etagAfter\":" STRING ",\"result\":" STRING) },
    { "Health", "{\"type\":\"object\"}" },
    { "OpenApi", "{\"type\":\"object\"}" },
    { "Error", OBJECT(REQUIRED("\"error\""),
                      "\"error\":{\"type\":\"object\",\"required\":[\"code\",\"message\"],\"properties\":{\"code\":" STRING
                      ",\"message\":" STRING ",\"requestId\":" STRING ",\"time\":" STRING "}}") },
};

#define COLLECTION "Collection"

static size_t item_length(const char *answer)
{
    size_t length = answer != NULL ? strlen(answer) : 0, suffix = strlen(COLLECTION);
    return length > suffix && strcmp(answer + length - suffix, COLLECTION) == 0 ? length - suffix : 0;
}

/* Whether an earlier route answers with the same list. */
static bool is_printed(const struct route *routes, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (routes[i].answer != NULL && strcmp(routes[i].answer, routes[index].answer) == 0)
            return true;
    return false;
}

static void print_collection(const char *answer, struct text *out)
{
    text_printf(out, ",\"%s\":" OBJECT(REQUIRED("\"value\""), "\"value\":{\"type\":\"array\",\"items\":{\"$ref\":"
                                       "\"#/components/schemas/%.*s\"}},\"nextLink\":" STRING),
                answer, (int)item_length(answer), answer);
}

static void print_schemas(struct text *out)
{
    size_t count;
    const struct route *routes = router_routes(&count);
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
        text_printf(out, "%s\"%s\":%s", i > 0 ? "," : "", schemas[i].name, schemas[i].schema);
    for (size_t i = 0; i < count; i++)
        if (item_length(routes[i].answer) > 0 && !is_printed(routes, i))
            print_collection(routes[i].answer, out);
}

/* ---- operations ---- */

static void print_query(const char *name, const char *type, bool required, struct text *out)
{
    text_printf(out, ",{\"name\":\"%s\",\"in\":\"query\",\"required\":%s,\"schema\":{\"type\":\"%s\"}}", name,
                required ? "true" : "false", type);
}

static void print_parameters(const struct route *route, struct text *out)
{
    struct text list = { 0 };
    for (const char *at = strchr(route->pattern, '{'); at != NULL; at = strchr(at + 1, '{'))
        text_printf(&list, ",{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,\"schema\":" STRING "}",
                    (int)strcspn(at + 1, "}"), at + 1);
    if (route_is_contract(route))
        print_query("api-version", "string", true, &list);
    if (item_length(route->answer) > 0) {
        print_query("maxpagesize", "integer", false, &list);
        print_query("$skiptoken", "string", false, &list);
    }
    if (list.length > 0)
        text_printf(out, ",\"parameters\":[%s]", list.bytes + 1); /* without the first comma */
    out->failed |= list.failed;
    text_free(&list);
}

static void print_body(const struct route *route, struct text *out)
{
    bool patch = strcmp(route->method, "PATCH") == 0;
    if (route->feed != NULL)
        text_puts(out, ",\"requestBody\":{\"content\":{\"application/x-ndjson\":{},\"text/csv\":{}}}");
    if (route->body == NULL)
        return;
    text_puts(out, ",\"requestBody\":{\"required\":true,\"content\":{");
    if (patch) /* what a patch does not name stays, so nothing of the schema is required */
        text_puts(out, "\"application/merge-patch+json\":{\"schema\":{\"type\":\"object\"}},\"application/json\":{\"schema\":"
                       "{\"type\":\"object\"}}");
    else
        text_printf(out, "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}", route->body);
    text_puts(out, "}}");
}

static void print_operation(const struct route *route, struct text *out)
{
    char method[16] = "";
    for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof method; i++)
        method[i] = (char)(route->method[i] | 0x20); /* lower case */
    text_printf(out, "\"%s\":{\"operationId\":\"%s\",\"summary\":", method, route->operation);
    text_json(out, route->summary);
    if (route->permission == PERMISSION_PUBLIC)
        text_puts(out, ",\"security\":[]");
    else
        text_printf(out, ",\"x-permission\":\"%s\"", permission_text(route->permission));
    print_parameters(route, out);
    print_body(route, out);
    text_printf(out, ",\"responses\":{\"%d\":{\"description\":\"success\"", route_status(route));
    if (route->answer != NULL)
        text_printf(out, ",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}",
                    route->answer);
    text_puts(out, "},\"default\":{\"description\":\"failure\",\"content\":{\"application/json\":{\"schema\":"
                   SCHEMA("Error") "}}}}}");
}

/* The routes of one path stand together. */
static void print_paths(struct text *out)
{
    size_t count;
    const struct route *routes = router_routes(&count);
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && strcmp(routes[i].pattern, routes[i - 1].pattern) == 0;
        if (same)
            text_puts(out, ",");
        else
            text_printf(out, "%s\"%s\":{", i > 0 ? "}," : "", routes[i].pattern);
        print_operation(&routes[i], out);
    }
    text_puts(out, "}");
}

void openapi_print(struct text *out)
{
    text_puts(out, "{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"Tranche\",\"version\":\"" TRANCHE_VERSION "\"},"
                   "\"security\":[{\"token\":[]}],\"paths\":{");
    print_paths(out);
    text_puts(out, "},\"components\":{\"securitySchemes\":{\"token\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":"
                   "\"Authorization\"}},\"schemas\":{");
    print_schemas(out);
    text_puts(out, "}}}");
}
