#include "amount.h"
#include "definition.h"
#include "definition_check.h"
#include "seed_jobs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct definition parsed(const char *text)
{
    struct definition definition;
    struct tranche_err err = { 0 };
    if (definition_parse(text, strlen(text), &definition, &err) != TRANCHE_OK)
        cr_assert_fail("%s: %s", text, err.text);
    return definition;
}

static void check_printed(const char *text, bool canonical_types, const char *expected)
{
    struct definition definition = parsed(text);
    struct text printed = { 0 };
    definition_check_print(&definition, canonical_types, &printed);

    cr_assert_str_eq(printed.bytes, expected, "%s, expected %s", printed.bytes, expected);
    const char *complaint = definition_check_round_trip(&definition, canonical_types);
    cr_assert_null(complaint, "%s: %s", text, complaint);
    text_free(&printed);
    definition_free(&definition);
}

static void check_refused(const char *text, enum tranche_code code, const char *expected)
{
    struct definition definition;
    struct tranche_err err = { 0 };
    cr_assert_eq(definition_parse(text, strlen(text), &definition, &err), code, "%s", text);
    cr_assert_eq(err.code, code);
    cr_assert_str_eq(err.text, expected, "%s, expected %s", err.text, expected);
    cr_assert_null(definition.group);
    cr_assert_null(definition.memory.blocks);
}

/* -- The documents' own examples --------------------------------------------------------------- */

Test(definition, the_seed_documents_jobs)
{
    cr_assert_eq(sizeof seed_jobs / sizeof seed_jobs[0], 13);
    for (size_t i = 0; i < sizeof seed_jobs / sizeof seed_jobs[0]; i++)
        check_printed(seed_jobs[i].text, false, seed_jobs[i].printed);
}

/* api-contract.md 14.2: what is sent, and the writable members of the answer. */
Test(definition, the_contracts_jobs)
{
    static const struct {
        const char *sent, *printed, *canonical;
    } cases[] = {
        { "{\"displayName\":\"Report every five minutes\",\"group\":\"north-pumps\",\n"
          " \"batch\":{\"type\":\"percentage\",\"value\":25},\n"
          " \"cancellationThreshold\":{\"type\":\"number\",\"value\":2,\"batch\":false},\n"
          " \"data\":[{\"type\":\"PropertyJobData\",\"target\":\"dtmi:meadow:pump;2\","
          "\"path\":\"reporting.intervalSeconds\",\"value\":300}]}",
          "{\"displayName\":\"Report every five minutes\",\"group\":\"north-pumps\","
          "\"batch\":{\"type\":\"percentage\",\"value\":25},"
          "\"cancellationThreshold\":{\"type\":\"number\",\"value\":2,\"batch\":false},"
          "\"data\":[{\"type\":\"PropertyJobData\",\"target\":\"dtmi:meadow:pump;2\","
          "\"path\":\"reporting.intervalSeconds\",\"value\":300}]}",
          "{\"displayName\":\"Report every five minutes\",\"group\":\"north-pumps\","
          "\"batch\":{\"type\":\"percentage\",\"value\":25},"
          "\"cancellationThreshold\":{\"type\":\"number\",\"value\":2,\"batch\":false},"
          "\"data\":[{\"type\":\"property\",\"target\":\"dtmi:meadow:pump;2\","
          "\"path\":\"reporting.intervalSeconds\",\"value\":300}]}" },
        { "{\"displayName\":\"self-test-01\",\"group\":\"north-pumps\",\n"
          " \"cancellationThreshold\":{\"type\":\"percentage\",\"value\":50,\"batch\":\"number\"},\n"
          " \"data\":[{\"type\":\"command\",\"target\":\"dtmi:meadow:pump;2\",\"path\":\"diagnostics."
          "selfTest\","
          "\"value\":{\"depth\":\"full\",\"limit\":1.10}}]}",
          "{\"displayName\":\"self-test-01\",\"group\":\"north-pumps\","
          "\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":50,\"batch\":false},"
          "\"data\":[{\"type\":\"command\",\"target\":\"dtmi:meadow:pump;2\",\"path\":\"diagnostics."
          "selfTest\","
          "\"value\":{\"depth\":\"full\",\"limit\":1.10}}]}",
          NULL },
        { "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"command\",\"target\":\"dtmi:meadow:pump;2\","
          "\"path\":\"restart\",\"value\":null}]}",
          "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"command\",\"target\":\"dtmi:meadow:pump;2\","
          "\"path\":\"restart\",\"value\":null}]}",
          NULL },
        { "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"cloudProperty\",\"target\":\"dtmi:meadow:pump;"
          "2\","
          "\"path\":\"ServiceContract\",\"value\":\"gold\"}]}",
          "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"cloudProperty\",\"target\":\"dtmi:meadow:pump;"
          "2\","
          "\"path\":\"ServiceContract\",\"value\":\"gold\"}]}",
          NULL },
        { "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"deviceTemplateMigration\","
          "\"template\":\"dtmi:meadow:pump;3\"}]}",
          "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"deviceTemplateMigration\","
          "\"template\":\"dtmi:meadow:pump;3\"}]}",
          NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_printed(cases[i].sent, false, cases[i].printed);
        check_printed(cases[i].sent, true,
                      cases[i].canonical != NULL ? cases[i].canonical : cases[i].printed);
    }
}

/* The answer to a GET, sent back: what is read-only does not matter. */
Test(definition, read_only_and_unknown_members_are_ignored)
{
    check_printed(
        "{\"id\":7,\"status\":[],\"progress\":{\"total\":-1},\"start\":null,\"end\":{},\"scheduledJobId\":1,"
        "\"etag\":\"x\",\"colour\":\"red\",\"group\":\"g\",\"data\":[{\"id\":1,\"type\":\"command\","
        "\"target\":\"t\",\"path\":\"p\",\"template\":5,\"manifest\":6}]}",
        false, "{\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}");
}

/* -- What is kept ------------------------------------------------------------------------------ */

Test(definition, every_member_arrives)
{
    struct definition d = parsed(
        "{\"organizations\":[\"north\"],\"data\":["
        "{\"type\":\"property\",\"target\":\"dtmi:a;1\",\"path\":\"plain\",\"value\": { \"x\" : [ 1.10 , -0 "
        "] } },"
        "{\"type\":\"PropertyJobData\",\"target\":\"dtmi:a;2\",\"path\":\"part.inner\",\"value\":false}],"
        "\"cancellationThreshold\":{\"batch\":true,\"value\":0.50,\"type\":\"percentage\"},"
        "\"batch\":{\"value\":5.0,\"type\":\"number\"},\"group\":\"g-1_A\",\"description\":\"\","
        "\"displayName\":\"Gr\\u00fc\\u00dfe \\ud83d\\ude00\"}");

    cr_assert_str_eq(d.display_name, "Gr\xC3\xBC\xC3\x9F"
                                     "e \xF0\x9F\x98\x80");
    cr_assert_str_eq(d.description, "");
    cr_assert_str_eq(d.group, "g-1_A");
    cr_assert_str_eq(d.organization, "north");
    cr_assert(d.batched);
    cr_assert_not(d.batch.percentage);
    cr_assert_eq(amount_compare(&d.batch, 5), 0);
    cr_assert(d.threshold.set);
    cr_assert(d.threshold.per_batch);
    cr_assert(d.threshold.amount.percentage);
    cr_assert(d.threshold.amount.mantissa == 5 && d.threshold.amount.scale == 1);
    cr_assert_eq(d.kind, TRANCHE_STEP_PROPERTY);
    cr_assert_eq(d.step_count, 2);
    cr_assert_str_eq(d.types[0], "property");
    cr_assert_str_eq(d.types[1], "PropertyJobData");
    cr_assert_str_eq(d.steps[0].target, "dtmi:a;1");
    cr_assert_str_eq(d.steps[0].component, "");
    cr_assert_str_eq(d.steps[0].name, "plain");
    cr_assert_str_eq(d.steps[0].value, "{ \"x\" : [ 1.10 , -0 ] }");
    cr_assert_eq(d.steps[0].value_bytes, strlen(d.steps[0].value));
    cr_assert_eq(d.steps[1].kind, TRANCHE_STEP_PROPERTY);
    cr_assert_str_eq(d.steps[1].component, "part");
    cr_assert_str_eq(d.steps[1].name, "inner");
    cr_assert_str_eq(d.steps[1].value, "false");
    definition_free(&d);
    cr_assert_null(d.memory.blocks);
}

Test(definition, what_is_left_out_is_left_out)
{
    static const char *const bodies[] = {
        "{\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}",
        "{\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}],\"displayName\":"
        "null,"
        "\"description\":null,\"batch\":null,\"cancellationThreshold\":null,\"organizations\":null}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct definition d = parsed(bodies[i]);
        cr_assert_null(d.display_name);
        cr_assert_null(d.description);
        cr_assert_null(d.organization);
        cr_assert_not(d.batched);
        cr_assert_not(d.threshold.set);
        cr_assert_null(d.steps[0].value);
        definition_free(&d);
    }
}

/* The text of the body is gone before the definition is used. */
Test(definition, nothing_points_into_the_body)
{
    char body[] = "{\"displayName\":\"n\",\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\","
                  "\"path\":\"c.p\",\"value\":[1,2]}]}";
    struct definition d = parsed(body);
    struct text printed = { 0 };

    memset(body, 'x', sizeof body - 1);
    definition_print(&d, false, &printed);

    cr_assert_str_eq(printed.bytes, "\"displayName\":\"n\",\"group\":\"g\",\"data\":[{\"type\":\"command\","
                                    "\"target\":\"t\",\"path\":\"c.p\",\"value\":[1,2]}]");
    text_free(&printed);
    definition_free(&d);
}

Test(definition, printing_appends)
{
    struct definition d =
        parsed("{\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}");
    struct text printed = { 0 };

    text_puts(&printed, "{\"id\":\"j\",");
    definition_print(&d, false, &printed);

    cr_assert_str_eq(printed.bytes,
                     "{\"id\":\"j\",\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\","
                     "\"path\":\"p\"}]");
    text_free(&printed);
    definition_free(&d);
}

Test(definition, types_in_both_spellings_and_any_case)
{
    static const struct {
        const char *type;
        enum tranche_step_kind kind;
    } cases[] = {
        { "property", TRANCHE_STEP_PROPERTY },
        { "PropertyJobData", TRANCHE_STEP_PROPERTY },
        { "PROPERTY", TRANCHE_STEP_PROPERTY },
        { "propertyjobdata", TRANCHE_STEP_PROPERTY },
        { "command", TRANCHE_STEP_COMMAND },
        { "CommandJobData", TRANCHE_STEP_COMMAND },
        { "cloudProperty", TRANCHE_STEP_CLOUD_PROPERTY },
        { "cloudproperty", TRANCHE_STEP_CLOUD_PROPERTY },
        { "CloudPropertyJobData", TRANCHE_STEP_CLOUD_PROPERTY },
        { "deviceTemplateMigration", TRANCHE_STEP_TEMPLATE_MIGRATION },
        { "DeviceTemplateMigrationJobData", TRANCHE_STEP_TEMPLATE_MIGRATION },
        { "deviceManifestMigration", TRANCHE_STEP_MANIFEST_MIGRATION },
        { "DeviceManifestMigrationJobData", TRANCHE_STEP_MANIFEST_MIGRATION },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        snprintf(body, sizeof body,
                 "{\"group\":\"g\",\"data\":[{\"type\":\"%s\",\"target\":\"t\",\"path\":\"p\",\"value\":1,"
                 "\"template\":\"t\",\"manifest\":\"t\"}]}",
                 cases[i].type);
        struct definition d = parsed(body);
        cr_assert_eq(d.kind, cases[i].kind, "%s", cases[i].type);
        cr_assert_eq(d.steps[0].kind, cases[i].kind);
        cr_assert_str_eq(d.types[0], cases[i].type);
        definition_free(&d);
    }
}

Test(definition, kinds_have_names)
{
    cr_assert_str_eq(step_kind_name(TRANCHE_STEP_PROPERTY), "property");
    cr_assert_str_eq(step_kind_name(TRANCHE_STEP_COMMAND), "command");
    cr_assert_str_eq(step_kind_name(TRANCHE_STEP_CLOUD_PROPERTY), "cloudProperty");
    cr_assert_str_eq(step_kind_name(TRANCHE_STEP_TEMPLATE_MIGRATION), "deviceTemplateMigration");
    cr_assert_str_eq(step_kind_name(TRANCHE_STEP_MANIFEST_MIGRATION), "deviceManifestMigration");
}

Test(definition, migrations)
{
    static const struct {
        const char *entry, *printed;
    } cases[] = {
        { "{\"type\":\"deviceTemplateMigration\",\"template\":\"dtmi:a;2\"}",
          "{\"type\":\"deviceTemplateMigration\",\"template\":\"dtmi:a;2\"}" },
        { "{\"type\":\"deviceTemplateMigration\",\"target\":\"dtmi:a;2\"}",
          "{\"type\":\"deviceTemplateMigration\",\"template\":\"dtmi:a;2\"}" },
        { "{\"type\":\"deviceTemplateMigration\",\"target\":\"dtmi:a;1\",\"template\":\"dtmi:a;2\"}",
          "{\"type\":\"deviceTemplateMigration\",\"template\":\"dtmi:a;2\"}" },
        { "{\"type\":\"deviceTemplateMigration\",\"target\":\"dtmi:a;2\",\"template\":null,\"path\":5,"
          "\"value\":9}",
          "{\"type\":\"deviceTemplateMigration\",\"template\":\"dtmi:a;2\"}" },
        { "{\"type\":\"DeviceManifestMigrationJobData\",\"manifest\":\"edge-7\"}",
          "{\"type\":\"DeviceManifestMigrationJobData\",\"manifest\":\"edge-7\"}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256], printed[256];
        snprintf(body, sizeof body, "{\"group\":\"g\",\"data\":[%s]}", cases[i].entry);
        snprintf(printed, sizeof printed, "{\"group\":\"g\",\"data\":[%s]}", cases[i].printed);
        check_printed(body, false, printed);
    }
}

#define DATA "\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]"

Test(definition, amounts_are_printed_as_plain_decimals)
{
    static const struct {
        const char *type, *value, *printed;
    } cases[] = {
        { "percentage", "25", "25" },
        { "percentage", "12.50", "12.5" },
        { "percentage", "33.4", "33.4" },
        { "percentage", "1e2", "100" },
        { "percentage", "100.0", "100" },
        { "percentage", "0.000000000000000001", "0.000000000000000001" },
        { "percentage", "14.285714", "14.285714" },
        { "percentage", "99.9999999999999999", "99.9999999999999999" },
        { "number", "1", "1" },
        { "number", "5.0", "5" },
        { "number", "1e3", "1000" },
        { "number", "2500e-2", "25" },
        { "number", "999999999999999999", "999999999999999999" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[512], printed[512];
        snprintf(body, sizeof body,
                 "{\"group\":\"g\",\"batch\":{\"type\":\"%s\",\"value\":%s},"
                 "\"cancellationThreshold\":{\"type\":\"%s\",\"value\":%s}," DATA "}",
                 cases[i].type, cases[i].value, cases[i].type, cases[i].value);
        snprintf(printed, sizeof printed,
                 "{\"group\":\"g\",\"batch\":{\"type\":\"%s\",\"value\":%s},"
                 "\"cancellationThreshold\":{\"type\":\"%s\",\"value\":%s,\"batch\":false}," DATA "}",
                 cases[i].type, cases[i].printed, cases[i].type, cases[i].printed);
        check_printed(body, false, printed);
    }
    check_printed(
        "{\"group\":\"g\",\"cancellationThreshold\":{\"type\":\"number\",\"value\":0}," DATA "}", false,
        "{\"group\":\"g\",\"cancellationThreshold\":{\"type\":\"number\",\"value\":0,\"batch\":false}," DATA
        "}");
    check_printed(
        "{\"group\":\"g\",\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":0.0}," DATA "}", false,
        "{\"group\":\"g\",\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":0,\"batch\":false}"
        "," DATA "}");
}

Test(definition, a_thresholds_batch_is_coerced)
{
    static const struct {
        const char *sent;
        bool per_batch;
    } cases[] = {
        { ",\"batch\":true", true },
        { ",\"batch\":\"true\"", true },
        { ",\"batch\":\"True\"", true },
        { ",\"batch\":false", false },
        { ",\"batch\":\"false\"", false },
        { ",\"batch\":\"False\"", false },
        { ",\"batch\":\"number\"", false },
        { ",\"batch\":null", false },
        { "", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256], printed[256];
        snprintf(body, sizeof body,
                 "{\"group\":\"g\",\"cancellationThreshold\":{\"type\":\"number\",\"value\":2%s}," DATA "}",
                 cases[i].sent);
        snprintf(
            printed, sizeof printed,
            "{\"group\":\"g\",\"cancellationThreshold\":{\"type\":\"number\",\"value\":2,\"batch\":%s}," DATA
            "}",
            cases[i].per_batch ? "true" : "false");
        check_printed(body, false, printed);
    }
}

Test(definition, values_keep_every_byte_but_blanks)
{
    static const struct {
        const char *sent, *printed;
    } cases[] = {
        { "1.10", "1.10" },
        { "-0", "-0" },
        { "1e400", "1e400" },
        { "123456789012345678901234567890", "123456789012345678901234567890" },
        { "\"a\\/b \\u00e9\"", "\"a\\/b \\u00e9\"" },
        { "{ \"b\" : [ 1.0 ,\n2 ] , \"a b\" : \" \" }", "{\"b\":[1.0,2],\"a b\":\" \"}" },
        { "true", "true" },
        { "\"\"", "\"\"" },
        { "[]", "[]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256], printed[256];
        const char *form = "{\"group\":\"g\",\"data\":[{\"type\":\"property\",\"target\":\"t\",\"path\":"
                           "\"p\",\"value\":%s}]}";
        snprintf(body, sizeof body,
                 "{\"group\":\"g\",\"data\":[{\"v\\u0061lue\":%s ,\"type\":\"property\","
                 "\"target\":\"t\",\"path\":\"p\"}]}",
                 cases[i].sent);
        snprintf(printed, sizeof printed, form, cases[i].printed);
        check_printed(body, false, printed);
    }
}

/* Two bodies are the same job exactly when their canonical prints are equal (api-contract.md 6.10). */
Test(definition, the_same_job)
{
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        { "{\"group\":\"g\"," DATA "}", "{" DATA ", \"group\" : \"g\", \"status\":\"running\"}", true },
        { "{\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\",\"value\":{\"a\":"
          " 1}}]}",
          "{\"group\":\"\\u0067\",\"data\":[{\"path\":\"p\",\"value\":{ \"a\":1 "
          "},\"type\":\"COMMANDJobData\","
          "\"target\":\"t\"}]}",
          true },
        { "{\"group\":\"g\",\"batch\":{\"type\":\"number\",\"value\":5.0}," DATA "}",
          "{\"group\":\"g\",\"batch\":{\"type\":\"number\",\"value\":5}," DATA "}", true },
        { "{\"group\":\"g\",\"cancellationThreshold\":{\"type\":\"number\",\"value\":5,\"batch\":\"number\"}"
          "," DATA "}",
          "{\"group\":\"g\",\"cancellationThreshold\":{\"type\":\"number\",\"value\":5}," DATA "}", true },
        { "{\"group\":\"g\",\"data\":[{\"type\":\"property\",\"target\":\"t\",\"path\":\"p\",\"value\":1}]}",
          "{\"group\":\"g\",\"data\":[{\"type\":\"property\",\"target\":\"t\",\"path\":\"p\",\"value\":1.0}]"
          "}",
          false },
        { "{\"group\":\"g\"," DATA "}", "{\"group\":\"G\"," DATA "}", false },
        { "{\"group\":\"g\"," DATA "}", "{\"group\":\"g\",\"displayName\":\"\"," DATA "}", false },
        { "{\"group\":\"g\"," DATA "}", "{\"group\":\"g\",\"organizations\":[\"o\"]," DATA "}", false },
        { "{\"group\":\"g\",\"batch\":{\"type\":\"number\",\"value\":5}," DATA "}",
          "{\"group\":\"g\",\"batch\":{\"type\":\"percentage\",\"value\":5}," DATA "}", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct definition one = parsed(cases[i].one), other = parsed(cases[i].other);
        struct text one_text = { 0 }, other_text = { 0 };
        definition_print(&one, true, &one_text);
        definition_print(&other, true, &other_text);
        cr_assert_eq(strcmp(one_text.bytes, other_text.bytes) == 0, cases[i].same, "%s and %s", cases[i].one,
                     cases[i].other);
        text_free(&one_text);
        text_free(&other_text);
        definition_free(&one);
        definition_free(&other);
    }
}

/* -- What is refused --------------------------------------------------------------------------- */

Test(definition, no_json)
{
    check_refused("", TRANCHE_BADREQUEST, "unexpected end at offset 0");
    check_refused("{\"group\":\"north-pumps\",\"data\":[{\"type\":x}]}", TRANCHE_BADREQUEST,
                  "unexpected character at offset 39");
    check_refused("{\"group\":\"g\",\"group\":\"g\"}", TRANCHE_BADREQUEST,
                  "duplicate member \"group\" at offset 13");
    check_refused("{\"group\":\"\\ud800\"}", TRANCHE_BADREQUEST, "lone surrogate at offset 10");
}

Test(definition, no_object)
{
    check_refused("[]", TRANCHE_INVALID, "the body must be an object, found array.");
    check_refused("null", TRANCHE_INVALID, "the body must be an object, found null.");
    check_refused("\"{}\"", TRANCHE_INVALID, "the body must be an object, found string.");
    check_refused("7", TRANCHE_INVALID, "the body must be an object, found number.");
    check_refused("true", TRANCHE_INVALID, "the body must be an object, found boolean.");
}

struct refusal {
    const char *members; /* of the body, or of the entry */
    const char *expected;
};

static void check_refusals(const char *form, const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *blank = strstr(form, "%s");
        struct text body = { 0 };
        text_add(&body, form, (size_t)(blank - form));
        text_puts(&body, refusals[i].members);
        text_puts(&body, blank + 2);
        check_refused(body.bytes, TRANCHE_INVALID, refusals[i].expected);
        text_free(&body);
    }
}

#define REFUSALS(form, ...)                                                   \
    do {                                                                      \
        static const struct refusal refusals[] = { __VA_ARGS__ };             \
        check_refusals(form, refusals, sizeof refusals / sizeof refusals[0]); \
    } while (0)

Test(definition, labels_group_and_organization_refused)
{
    REFUSALS(
        "{%s}", { "", "group: the member is required." }, { DATA, "group: the member is required." },
        { "\"group\":null," DATA, "group: the member is required." },
        { "\"group\":5," DATA, "group: expected a string, found number." },
        { "\"group\":[\"g\"]," DATA, "group: expected a string, found array." },
        { "\"group\":\"\"," DATA, "group: must not be empty." },
        { "\"group\":\"nort pumps\"," DATA,
          "group: expected 1 to 255 of a-z A-Z 0-9 _ -, found \"nort pumps\"." },
        { "\"group\":\"g\"", "data: the member is required." },
        { "\"group\":\"g\",\"displayName\":5," DATA, "displayName: expected a string, found number." },
        { "\"group\":\"g\",\"description\":{}," DATA, "description: expected a string, found object." },
        { "\"group\":\"g\",\"organizations\":\"o\"," DATA,
          "organizations: expected an array, found string." },
        { "\"group\":\"g\",\"organizations\":[]," DATA, "organizations: exactly one is allowed, got 0." },
        { "\"group\":\"g\",\"organizations\":[\"a\",\"b\"]," DATA,
          "organizations: exactly one is allowed, got 2." },
        { "\"group\":\"g\",\"organizations\":[5]," DATA,
          "organizations[0]: expected a string, found number." },
        { "\"group\":\"g\",\"organizations\":[\"\"]," DATA, "organizations[0]: must not be empty." });
}

Test(definition, batch_refused)
{
    REFUSALS(
        "{\"group\":\"g\",\"batch\":%s," DATA "}", { "25", "batch: expected an object, found number." },
        { "[]", "batch: expected an object, found array." }, { "{}", "batch.type: the member is required." },
        { "{\"value\":25}", "batch.type: the member is required." },
        { "{\"type\":\"percentage\"}", "batch.value: the member is required." },
        { "{\"type\":\"percentage\",\"value\":null}", "batch.value: the member is required." },
        { "{\"type\":true,\"value\":25}", "batch.type: expected a string, found boolean." },
        { "{\"type\":\"percent\",\"value\":25}",
          "batch.type: expected number or percentage, found \"percent\"." },
        { "{\"type\":\"Percentage\",\"value\":25}",
          "batch.type: expected number or percentage, found \"Percentage\"." },
        { "{\"type\":\"percentage\",\"value\":\"25\"}", "batch.value: expected a number, found string." },
        { "{\"type\":\"percentage\",\"value\":0}",
          "batch.value: a percentage must be above 0 and at most 100, got 0." },
        { "{\"type\":\"percentage\",\"value\":0.00}",
          "batch.value: a percentage must be above 0 and at most 100, got 0.00." },
        { "{\"type\":\"percentage\",\"value\":-25}",
          "batch.value: a percentage must be above 0 and at most 100, got -25." },
        { "{\"type\":\"percentage\",\"value\":101}",
          "batch.value: a percentage must be above 0 and at most 100, got 101." },
        { "{\"type\":\"percentage\",\"value\":100.000000000000001}",
          "batch.value: a percentage must be above 0 and at most 100, got 100.000000000000001." },
        { "{\"type\":\"number\",\"value\":0}", "batch.value: a number must be whole and at least 1, got 0." },
        { "{\"type\":\"number\",\"value\":-1}",
          "batch.value: a number must be whole and at least 1, got -1." },
        { "{\"type\":\"number\",\"value\":2.5}",
          "batch.value: a number must be whole and at least 1, got 2.5." },
        { "{\"type\":\"number\",\"value\":0.5}",
          "batch.value: a number must be whole and at least 1, got 0.5." },
        { "{\"type\":\"number\",\"value\":1234567890123456789}",
          "batch.value: a number may have at most 18 significant digits, got 1234567890123456789." },
        { "{\"type\":\"number\",\"value\":1e18}", "batch.value: a number must be below 1e18, got 1e18." },
        { "{\"type\":\"percentage\",\"value\":1e-19}",
          "batch.value: a number may have at most 18 decimals, got 1e-19." });
}

Test(definition, threshold_refused)
{
    REFUSALS("{\"group\":\"g\",\"cancellationThreshold\":%s," DATA "}",
             { "10", "cancellationThreshold: expected an object, found number." },
             { "{}", "cancellationThreshold.type: the member is required." },
             { "{\"type\":\"number\"}", "cancellationThreshold.value: the member is required." },
             { "{\"type\":\"none\",\"value\":1}",
               "cancellationThreshold.type: expected number or percentage, found \"none\"." },
             { "{\"type\":\"number\",\"value\":[]}",
               "cancellationThreshold.value: expected a number, found array." },
             { "{\"type\":\"percentage\",\"value\":100.5}",
               "cancellationThreshold.value: a percentage must be between 0 and 100, got 100.5." },
             { "{\"type\":\"percentage\",\"value\":-0.1}",
               "cancellationThreshold.value: a percentage must be between 0 and 100, got -0.1." },
             { "{\"type\":\"number\",\"value\":-1}",
               "cancellationThreshold.value: a number must be whole and at least 0, got -1." },
             { "{\"type\":\"number\",\"value\":1.5}",
               "cancellationThreshold.value: a number must be whole and at least 0, got 1.5." },
             { "{\"type\":\"number\",\"value\":1,\"batch\":\"yes\"}",
               "cancellationThreshold.batch: expected true or false, found \"yes\"." },
             { "{\"type\":\"number\",\"value\":1,\"batch\":\"TRUE\"}",
               "cancellationThreshold.batch: expected true or false, found \"TRUE\"." },
             { "{\"type\":\"number\",\"value\":1,\"batch\":1}",
               "cancellationThreshold.batch: expected a boolean, found number." },
             { "{\"type\":\"number\",\"value\":1,\"batch\":{}}",
               "cancellationThreshold.batch: expected a boolean, found object." });
}

Test(definition, data_refused)
{
    REFUSALS("{\"group\":\"g\",\"data\":%s}", { "{}", "data: expected an array, found object." },
             { "null", "data: the member is required." }, { "[]", "data: at least one entry is required." },
             { "[5]", "data[0]: expected an object, found number." },
             { "[null]", "data[0]: the member is required." },
             { "[{}]", "data[0].type: the member is required." },
             { "[{\"type\":5}]", "data[0].type: expected a string, found number." },
             { "[{\"type\":\"reboot\"}]",
               "data[0].type: expected one of property, command, cloudProperty, deviceTemplateMigration, "
               "deviceManifestMigration; found \"reboot\"." },
             { "[{\"type\":\"property\",\"target\":\"t\",\"path\":\"p\",\"value\":1},"
               "{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]",
               "data: all entries of a job must have the same type (found property and command)." },
             { "[{\"type\":\"CommandJobData\",\"target\":\"t\",\"path\":\"p\"},"
               "{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"},"
               "{\"type\":\"CloudPropertyJobData\",\"target\":\"t\",\"path\":\"p\",\"value\":1}]",
               "data: all entries of a job must have the same type (found command and cloudProperty)." });
}

Test(definition, targets_and_paths_refused)
{
    REFUSALS(
        "{\"group\":\"g\",\"data\":[{\"type\":\"command\",%s}]}",
        { "\"path\":\"p\"", "data[0].target: the member is required." },
        { "\"template\":\"t\",\"path\":\"p\"", "data[0].target: the member is required." },
        { "\"target\":\"\",\"path\":\"p\"", "data[0].target: must not be empty." },
        { "\"target\":7,\"path\":\"p\"", "data[0].target: expected a string, found number." },
        { "\"target\":\"t\"", "data[0].path: the member is required." },
        { "\"target\":\"t\",\"path\":\"\"", "data[0].path: must not be empty." },
        { "\"target\":\"t\",\"path\":[]", "data[0].path: expected a string, found array." },
        { "\"target\":\"t\",\"path\":\"a.b.c\"",
          "data[0].path: expected name or component.name, found \"a.b.c\"." },
        { "\"target\":\"t\",\"path\":\".b\"",
          "data[0].path: expected name or component.name, found \".b\"." },
        { "\"target\":\"t\",\"path\":\"a.\"",
          "data[0].path: expected name or component.name, found \"a.\"." },
        { "\"target\":\"t\",\"path\":\".\"", "data[0].path: expected name or component.name, found \".\"." });
    REFUSALS("{\"group\":\"g\",\"data\":[{\"type\":\"property\",\"target\":\"t\",\"value\":1,\"path\":%s}]}",
             { "\"a\\\"b\"", "data[0].path: a property's name may hold no quote, backslash or control character." },
             { "\"a\\u0001\"", "data[0].path: a property's name may hold no quote, backslash or control character." });
    REFUSALS("{\"group\":\"g\",\"data\":[%s]}",
             { "{\"type\":\"property\",\"target\":\"t\",\"path\":\"c.p\",\"value\":1},"
               "{\"type\":\"property\",\"target\":\"t\",\"path\":\"p\",\"value\":1},"
               "{\"type\":\"property\",\"target\":\"u\",\"path\":\"c.p\",\"value\":2}",
               "data[2].path: \"c.p\" is set twice." });
    REFUSALS(
        "{\"group\":\"g\",\"data\":[{\"type\":%s}]}",
        { "\"deviceTemplateMigration\"", "data[0].template: the member is required." },
        { "\"deviceTemplateMigration\",\"template\":\"\"", "data[0].template: must not be empty." },
        { "\"deviceTemplateMigration\",\"target\":5", "data[0].target: expected a string, found number." },
        { "\"deviceManifestMigration\"", "data[0].manifest: the member is required." },
        { "\"deviceManifestMigration\",\"target\":\"t\"", "data[0].manifest: the member is required." });
}

Test(definition, values_refused)
{
    REFUSALS("{\"group\":\"g\",\"data\":[%s]}",
             { "{\"type\":\"property\",\"target\":\"t\",\"path\":\"p\"}",
               "data[0].value: a property needs a value." },
             { "{\"type\":\"PropertyJobData\",\"target\":\"t\",\"path\":\"p\",\"value\":null}",
               "data[0].value: a property needs a value." },
             { "{\"type\":\"cloudProperty\",\"target\":\"t\",\"path\":\"p\",\"value\":1},"
               "{\"type\":\"cloudProperty\",\"target\":\"t\",\"path\":\"q\"}",
               "data[1].value: a cloudProperty needs a value." });
}

/* -- Limits ------------------------------------------------------------------------------------ */

static void body_with_label(struct text *body, const char *name, size_t bytes)
{
    text_clear(body);
    text_printf(body, "{\"group\":\"g\",\"%s\":\"", name);
    for (size_t i = 0; i < bytes; i++)
        text_puts(body, "x");
    text_puts(body, "\"," DATA "}");
}

static void body_with_entries(struct text *body, size_t count)
{
    text_clear(body);
    text_puts(body, "{\"group\":\"g\",\"data\":[");
    for (size_t i = 0; i < count; i++)
        text_printf(body, "%s{\"type\":\"command\",\"target\":\"t\",\"path\":\"p%zu\",\"value\":%zu}",
                    i > 0 ? "," : "", i, i);
    text_puts(body, "]}");
}

Test(definition, limits)
{
    struct text body = { 0 };

    body_with_label(&body, "displayName", DEFINITION_NAME_BYTES_MAX);
    struct definition d = parsed(body.bytes);
    cr_assert_eq(strlen(d.display_name), DEFINITION_NAME_BYTES_MAX);
    definition_free(&d);
    body_with_label(&body, "displayName", DEFINITION_NAME_BYTES_MAX + 1);
    check_refused(body.bytes, TRANCHE_INVALID, "displayName: at most 1024 bytes are allowed, got 1025.");
    body_with_label(&body, "description", 5000);
    check_refused(body.bytes, TRANCHE_INVALID, "description: at most 1024 bytes are allowed, got 5000.");

    body_with_entries(&body, DEFINITION_STEPS_MAX);
    d = parsed(body.bytes);
    cr_assert_eq(d.step_count, DEFINITION_STEPS_MAX);
    for (int i = 0; i < DEFINITION_STEPS_MAX; i++) {
        char number[24];
        snprintf(number, sizeof number, "%d", i);
        cr_assert_str_eq(d.steps[i].name + 1, number);
        cr_assert_str_eq(d.steps[i].value, number);
    }
    cr_assert_null(definition_check_round_trip(&d, true));
    definition_free(&d);
    body_with_entries(&body, DEFINITION_STEPS_MAX + 1);
    check_refused(body.bytes, TRANCHE_INVALID, "data: at most 32 entries are allowed, got 33.");
    text_free(&body);
}

Test(definition, the_longest_path_comes_back_whole)
{
    char path[DEFINITION_NAME_BYTES_MAX + 1];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    path[1000] = '.';
    struct text body = { 0 };
    text_printf(&body, "{\"group\":\"g\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"%s\"}]}",
                path);

    check_printed(body.bytes, false, body.bytes);
    text_free(&body);
}

/* -- Ids --------------------------------------------------------------------------------------- */

Test(definition, ids)
{
    char longest[TRANCHE_ID_BYTES], longer[TRANCHE_ID_BYTES + 1];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *good[] = {
        "a", "Z", "0", "-", "_", "job-014", "833d7a7d-8f99-4e04-9e56-745806bdba6e", longest
    };
    const char *bad[] = { "", "a b", "a.b", "a/b", "a%", "\xC3\xA4", "a\n", " a", longer };
    struct tranche_err err = { 0 };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert_eq(id_check("id", good[i], &err), TRANCHE_OK, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(id_check("id", bad[i], &err), TRANCHE_INVALID, "%s", bad[i]);
    id_check("rerunId", "a b", &err);
    cr_assert_str_eq(err.text, "rerunId: expected 1 to 255 of a-z A-Z 0-9 _ -, found \"a b\".");
}

/* All 255 bytes, each alone and between two letters. */
Test(definition, device_ids_byte_by_byte)
{
    static const char marks[] = "-:.+%_#*?!(),=@$'";
    for (int byte = 1; byte < 256; byte++) {
        char alone[] = { (char)byte, '\0' }, inside[] = { 'a', (char)byte, 'b', '\0' };
        bool letter =
            (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        bool known = letter || strchr(marks, byte) != NULL;

        cr_assert_eq(device_id_check(inside, NULL) == TRANCHE_OK, known, "byte %d", byte);
        cr_assert_eq(device_id_check(alone, NULL) == TRANCHE_OK, known && byte != '.', "byte %d", byte);
    }
}

Test(definition, device_ids)
{
    char longest[TRANCHE_DEVICE_BYTES], longer[TRANCHE_DEVICE_BYTES + 1];
    memset(longest, 'd', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memset(longer, 'd', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct tranche_err err = { 0 };

    cr_assert_eq(device_id_check(longest, &err), TRANCHE_OK);
    cr_assert_eq(device_id_check("...", &err), TRANCHE_OK);
    cr_assert_eq(device_id_check(longer, &err), TRANCHE_INVALID);
    cr_assert_eq(device_id_check("", &err), TRANCHE_INVALID);
    cr_assert_eq(device_id_check(".", &err), TRANCHE_INVALID);
    cr_assert_eq(device_id_check("..", &err), TRANCHE_INVALID);
    cr_assert_str_eq(err.text,
                     "device id: expected 1 to 128 of letters, digits and - : . + % _ # * ? ! ( ) , = @ $ ', "
                     "but not . or .., found \"..\".");
}

/* Every seed body with one byte changed, each byte once to each of a few that matter in JSON. */
Test(definition, broken_bodies)
{
    static const char bytes[] = "\"{}[]:,\\ 0-eu\x80";
    unsigned accepted = 0, refused = 0;
    for (size_t i = 0; i < sizeof seed_jobs / sizeof seed_jobs[0]; i++)
        for (size_t place = 0; place < strlen(seed_jobs[i].text); place++) {
            char body[1024];
            bool taken;
            size_t length = strlen(seed_jobs[i].text);
            cr_assert_lt(length, sizeof body);
            memcpy(body, seed_jobs[i].text, length);
            body[place] = bytes[place % (sizeof bytes - 1)];
            const char *complaint = definition_check(body, length, &taken);
            cr_assert_null(complaint, "%s: %.*s", complaint, (int)length, body);
            accepted += taken;
            refused += !taken;
        }
    cr_assert_gt(accepted, 100);
    cr_assert_gt(refused, 100);
}
