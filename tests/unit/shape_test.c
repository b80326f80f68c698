#include "quotes.h"
#include "shape.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct trail root = { NULL, "value", 0 };

static enum tranche_code parse(const char *schema, struct arena *memory, const struct shape **shape,
                               struct tranche_err *err)
{
    char text[QUOTES_BYTES];
    struct json_document document;
    quotes(schema, text);
    cr_assert_eq(json_parse(text, strlen(text), &document, err), TRANCHE_OK, "%s", schema);
    enum tranche_code code =
        shape_parse(document.root, &(struct trail){ NULL, "schema", 0 }, memory, shape, err);
    json_free(&document);
    return code;
}

/* What is said of a value: "" when it fits. */
static void verdict(const char *schema, const char *value, struct tranche_err *err)
{
    struct arena memory = { 0 };
    const struct shape *shape;
    char text[QUOTES_BYTES];
    *err = (struct tranche_err){ 0 };
    cr_assert_eq(parse(schema, &memory, &shape, err), TRANCHE_OK, "%s: %s", schema, err->text);
    quotes(value, text);
    enum tranche_code code = shape_check(shape, text, strlen(text), &root, "it", err);
    cr_assert_eq(code, err->code, "%s %s", schema, value);
    arena_free(&memory);
}

static void fits(const char *schema, const char *value)
{
    struct tranche_err err;
    verdict(schema, value, &err);
    cr_assert_str_eq(err.text, "", "%s %s: %s", schema, value, err.text);
}

static void misfits(const char *schema, const char *value, const char *expected)
{
    struct tranche_err err;
    char text[QUOTES_BYTES];
    verdict(schema, value, &err);
    quotes(expected, text);
    cr_assert_eq(err.code, TRANCHE_INVALID, "%s %s", schema, value);
    cr_assert_str_eq(err.text, text, "%s %s: %s, expected %s", schema, value, err.text, text);
}

struct cases {
    const char *schema;
    const char *expected; /* what it says it is */
    const char *fits[20], *misfits[40];
};

static void check_cases(const struct cases *cases)
{
    for (const char *const *value = cases->fits; *value != NULL; value++)
        fits(cases->schema, *value);
    for (const char *const *value = cases->misfits; *value != NULL; value++) {
        char expected[QUOTES_BYTES];
        snprintf(expected, sizeof expected, "value: it is %s, found %s.", cases->expected, *value);
        misfits(cases->schema, *value, expected);
    }
}

#define A_THIRD     "0.33333333333333333333333333333333333333333333333333333333333"
#define A_THIRD_CUT "0.33333333333333333333333333333333333333333333333333333333333333"

/* -- Scalars ----------------------------------------------------------------------------------- */

Test(shape, integers_are_whole_and_exact_however_they_are_written)
{
    check_cases(&(struct cases){
        "'integer'",
        "an integer of 32 bits",
        { "0", "-0", "5", "-5", "5.0", "5.000", "0.5e1", "50e-1", "5E+0", "1.20e2", "2147483647",
          "-2147483648", "0.0", "0e99999", "-0.0e-5", "2147483647.0", "214748364700e-2",
          "0.00000000000000000000000000000005e32" },
        { "5.5", "-0.5", "1e-1", "0.1e0", "2147483648", "-2147483649", "1e10", "2147483647.5", "1e400",
          "1e-400", "12345678901234567890", "99999999999999999999999999", A_THIRD, "1e99999999999999999999",
          "1e-99999999999" },
    });
    check_cases(&(struct cases){
        "'long'",
        "an integer of 64 bits",
        { "0", "9223372036854775807", "-9223372036854775808", "9007199254740993", "9223372036854775807.0",
          "9.2e18", "922337203685477580700e-2", "1e18", "-1e18", "-9223372036854775807",
          "0.9223372036854775807e19" },
        { "9223372036854775808", "-9223372036854775809", "9223372036854775807.1", "1e19",
          "18446744073709551616", "18446744073709551621", "99999999999999999999", "-10000000000000000000",
          "0.5", "10e18", "1e4096" },
    });
}

Test(shape, a_long_number_is_shown_in_part)
{
    misfits("'integer'", A_THIRD_CUT "333333333",
            "value: it is an integer of 32 bits, found " A_THIRD_CUT "....");
}

Test(shape, floating_numbers_are_any_number)
{
    static const char *const values[] = {
        "0", "-1", "1.5", "1e999", "123456789012345678901234567890", "-0.0"
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        fits("'double'", values[i]);
        fits("'float'", values[i]);
    }
}

Test(shape, points_in_time_are_those_of_the_calendar)
{
    check_cases(&(struct cases){
        "'date'",
        "a date such as '2026-03-02'",
        { "'2026-03-02'", "'2024-02-29'", "'0000-01-01'", "'9999-12-31'" },
        { "'2025-02-29'", "'2026-13-01'", "'2026-00-10'", "'2026-01-32'", "'2026-1-01'", "'26-01-01'", "''",
          "'2026-01-01T00:00:00Z'", "' 2026-01-01'", "'2026-01-01 '", "'2026/01/01'", "'today'" },
    });
    check_cases(&(struct cases){
        "'dateTime'",
        "a date and time such as '2026-03-02T09:15:00Z'",
        { "'2026-03-02T09:15:00Z'", "'2026-03-02T09:15:00.123456789+05:30'", "'2026-03-02t09:15:00z'" },
        { "'2026-03-02'", "'2026-03-02T09:15:00'", "'2026-03-02T25:15:00Z'", "'2026-02-30T09:15:00Z'", "''" },
    });
    check_cases(&(struct cases){
        "'time'",
        "a time such as '09:15:00'",
        { "'09:15:00'", "'23:59:59.999'", "'00:00:00Z'", "'09:15:00+05:30'", "'09:15:00.5-08:00'" },
        { "'24:00:00'", "'09:60:00'", "'09:15:60'", "'09:15'", "'9:15:00'", "'09:15:00+'", "'09:15:00.'",
          "''", "'09:15:00+05'", "'2026-03-02T09:15:00Z'", "'00:00:00.00000000000000000000000000000000'" },
    });
}

Test(shape, durations_are_those_of_iso_8601)
{
    check_cases(&(struct cases){
        "'duration'",
        "a duration such as 'P1DT12H'",
        { "'P1D'", "'P1Y2M3DT4H5M6.7S'", "'PT0S'", "'P2W'", "'PT1,5H'", "'P1M'", "'PT1M'", "'P1YT1S'",
          "'P000000000000000000000000001D'" },
        { "''", "'P'", "'PT'", "'P1DT'", "'1D'", "'P1'", "'PD'", "'P1S'", "'PT1D'", "'P1D1Y'", "'P1D1D'",
          "'P1.D'", "'P.5D'", "'P1DT1H '", "'p1d'", "'P1DT1HT1M'", "'P1.5.5D'", "'-P1D'" },
    });
}

Test(shape, enums_are_of_the_values_they_list)
{
    static const char numbers[] = "{'@type':'Enum','valueSchema':'integer','enumValues':[{'name':'b','"
                                  "enumValue':2},{'name':'a','enumValue':-1},"
                                  "{'name':'c','enumValue':9007199254740993}]}";
    static const char strings[] =
        "{'@type':['Enum','Other'],'valueSchema':'string','enumValues':[{'name':'b','enumValue':'on'},"
        "{'name':'a','enumValue':'off'},{'name':'e','enumValue':''},{'name':'u','enumValue':'\\u00e9'}]}";

    check_cases(&(struct cases){
        numbers,
        "one of -1, 2, 9007199254740993",
        { "2", "-1", "2.0", "9007199254740993" },
        { "0", "1", "2.5", "9007199254740992", "-2" },
    });
    check_cases(&(struct cases){
        strings,
        "one of '', 'off', 'on', '\u00e9'",
        { "'on'", "'off'", "''", "'\u00e9'", "'\\u006fn'" },
        { "'On'", "'on '", "'o'", "'offf'" },
    });
    misfits(numbers, "'2'", "value: it is one of -1, 2, 9007199254740993, found a string.");
    misfits(strings, "2", "value: it is one of '', 'off', 'on', '\u00e9', found a number.");
}

Test(shape, a_long_enum_is_listed_in_part)
{
    misfits(
        "{'@type':'Enum','valueSchema':'integer','enumValues':[{'enumValue':1},{'enumValue':2},{'enumValue':"
        "3},"
        "{'enumValue':4},{'enumValue':5},{'enumValue':6},{'enumValue':7},{'enumValue':8},{'enumValue':9}]}",
        "10", "value: it is one of 1, 2, 3, 4, 5, 6, 7, 8, ..., found 10.");
}

Test(shape, a_value_of_another_type_is_named_by_its_type)
{
    static const struct {
        const char *schema, *value, *expected;
    } cases[] = {
        { "'boolean'", "1", "a boolean, found a number" },
        { "'boolean'", "'true'", "a boolean, found a string" },
        { "'boolean'", "null", "a boolean, found null" },
        { "'integer'", "'5'", "an integer of 32 bits, found a string" },
        { "'integer'", "true", "an integer of 32 bits, found a boolean" },
        { "'long'", "[1]", "an integer of 64 bits, found an array" },
        { "'double'", "'1.5'", "a number, found a string" },
        { "'float'", "{}", "a number, found an object" },
        { "'string'", "5", "a string, found a number" },
        { "'date'", "20260302", "a date such as '2026-03-02', found a number" },
        { "'duration'", "5", "a duration such as 'P1DT12H', found a number" },
        { "'geopoint'", "[1,2]", "an object of lat and lon, found an array" },
        { "'vector'", "'x'", "an object of x, y and z, found a string" },
        { "'point'", "[1,2]", "a GeoJSON object, found an array" },
        { "{'@type':'Object','fields':[]}", "[]", "an object, found an array" },
        { "{'@type':'Map','mapValue':{'schema':'string'}}", "true", "an object, found a boolean" },
        { "{'@type':'Array','elementSchema':'string'}", "{}", "an array, found an object" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[QUOTES_BYTES];
        snprintf(expected, sizeof expected, "value: it is %s.", cases[i].expected);
        misfits(cases[i].schema, cases[i].value, expected);
    }
}

Test(shape, scalars_of_their_own_type_fit)
{
    fits("'boolean'", "true");
    fits("'boolean'", " false ");
    fits("'string'", "''");
    fits("'string'", "'any \\u0041 text'");
}

Test(shape, what_is_described_elsewhere_may_be_anything)
{
    static const char *const values[] = { "null", "true", "1e999", "'x'", "[1,{'a':2}]", "{'a':[null]}" };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        fits("'dtmi:elsewhere:schema;1'", values[i]);
}

/* -- What holds values ------------------------------------------------------------------------- */

Test(shape, geopoints_and_vectors_are_complete)
{
    fits("'geopoint'", "{'lat':47.6,'lon':-122}");
    fits("'geopoint'", "{'alt':0,'lon':1,'lat':2}");
    fits("'geopoint'", "{'alt':null,'lon':1,'lat':2}");
    misfits("'geopoint'", "{'lat':1}", "value.lon: it holds a number here, found nothing.");
    misfits("'geopoint'", "{'lat':null,'lon':1}", "value.lat: it holds a number here, found nothing.");
    misfits("'geopoint'", "{'lat':'1','lon':1}", "value.lat: it holds a number here, found a string.");
    misfits("'geopoint'", "{'lat':1,'lon':1,'lng':1}", "value.lng: it has no such field.");
    fits("'vector'", "{'x':1,'y':2.5,'z':-3}");
    misfits("'vector'", "{'x':1,'y':2}", "value.z: it holds a number here, found nothing.");
    misfits("'vector'", "{}", "value.x: it holds a number here, found nothing.");
    fits("'polygon'", "{'type':'Polygon','coordinates':[[[1,2],[3,4]]]}");
}

#define WINDOW                                                                                               \
    "{'@type':'Object','fields':[{'name':'start','schema':'time'},{'name':'days','schema':{'@type':'Array'," \
    "'elementSchema':'integer'}},{'name':'notes','schema':{'@type':'Map','mapKey':{'name':'k','schema':"     \
    "'string'},'mapValue':{'name':'v','schema':'string'}}},{'name':'place','schema':'geopoint'},"            \
    "{'name':'more','schema':'dtmi:x:y;1'}]}"

Test(shape, objects_arrays_and_maps_are_checked_inside)
{
    fits(WINDOW, "{}");
    fits(WINDOW, "{ 'start' : '09:15:00' , 'days' : [ 1 , 2.0,3 ] , 'notes' : { 'a b' : 'c' , 'd' : '' } }");
    fits(WINDOW, "{'days':[],'notes':{},'more':{'x':[1,{'y':',]}'}]},'start':'00:00:00'}");
    fits(WINDOW, "{'st\\u0061rt':'09:15:00'}");
    fits(WINDOW, "{'start':null,'notes':{'gone':null},'days':null,'place':null}");
    misfits(WINDOW, "{'start':'9'}", "value.start: it holds a time such as '09:15:00' here, found '9'.");
    misfits(WINDOW, "{'more':[1,2,{'a':']'}],'days':[1,2,2.5]}",
            "value.days[2]: it holds an integer of 32 bits here, found 2.5.");
    misfits(WINDOW, "{'days':[1,null]}", "value.days[1]: it holds an integer of 32 bits here, found null.");
    misfits(WINDOW, "{'notes':{'a':'b','c d':1}}",
            "value.notes.c d: it holds a string here, found a number.");
    misfits(WINDOW, "{'place':{'lat':1,'lon':true}}",
            "value.place.lon: it holds a number here, found a boolean.");
    misfits(WINDOW, "{'place':{'lat':1}}", "value.place.lon: it holds a number here, found nothing.");
    misfits(WINDOW, "{'ends':'10:00:00'}", "value.ends: it has no such field.");
    misfits(WINDOW, "{'':1}", "value: it has no such field.");
}

/* The tree has lost these digits: they must come from the right place in the text. */
Test(shape, digits_are_found_however_deep)
{
    static const char schema[] = "{'@type':'Array','elementSchema':{'@type':'Map','mapValue':{'schema':{'@"
                                 "type':'Array','elementSchema':'long'}}}}";
    fits(schema,
         "[{'a':[1,2],'\\u007d\\'':[ 3 ]} ,{} , {'b' : [ 9223372036854775807 , -9223372036854775808 ]}]");
    misfits(schema, "[{'a':[1,2],'b':[3]},{},{'c':[4, 9223372036854775808]}]",
            "value[2].c[1]: it holds an integer of 64 bits here, found 9223372036854775808.");
}

Test(shape, many_values_of_a_long_enum_take_no_time)
{
    struct text schema = { 0 }, value = { 0 };
    struct arena memory = { 0 };
    const struct shape *shape;
    struct json_document document;
    text_puts(&schema, "{\"@type\":\"Array\",\"elementSchema\":{\"@type\":\"Enum\",\"valueSchema\":"
                       "\"integer\",\"enumValues\":[");
    text_puts(&value, "[");
    for (int i = 0; i < 100000; i++) {
        text_printf(&schema, "%s{\"enumValue\":%d}", i > 0 ? "," : "", i);
        text_printf(&value, "%s%d", i > 0 ? "," : "", 99999 - i);
    }
    text_puts(&schema, "]}}");
    text_puts(&value, "]");

    cr_assert_eq(json_parse(schema.bytes, schema.length, &document, NULL), TRANCHE_OK);
    cr_assert_eq(shape_parse(document.root, &root, &memory, &shape, NULL), TRANCHE_OK);
    cr_assert_eq(shape_check(shape, value.bytes, value.length, &root, "it", NULL), TRANCHE_OK);

    json_free(&document);
    arena_free(&memory);
    text_free(&schema);
    text_free(&value);
}

Test(shape, a_deep_trail_loses_its_middle)
{
    struct trail trails[20] = { { NULL, "value", 0 } };
    for (size_t i = 1; i < 20; i++)
        trails[i] = (struct trail){ &trails[i - 1], "a_long_member_name", 0 };
    char text[TRAIL_BYTES];
    trail_print(&trails[19], text);

    cr_assert_eq(strlen(text), TRAIL_BYTES - 1);
    cr_assert_eq(strncmp(text, "value.a_long_member_name.", 25), 0);
    cr_assert_not_null(strstr(text, "..."));
    cr_assert_str_eq(text + strlen(text) - 19, ".a_long_member_name");
}

/* -- Schemas ----------------------------------------------------------------------------------- */

#define SIMPLE                                                                                          \
    "boolean, integer, long, float, double, string, date, dateTime, time, duration, geopoint, vector, " \
    "point, multiPoint, "                                                                               \
    "lineString, multiLineString, polygon, multiPolygon"

Test(shape, wrong_schemas_are_refused_with_their_place)
{
    static const struct {
        const char *schema, *expected;
    } cases[] = {
        { "'int'", "schema: expected an object, a dtmi, or one of " SIMPLE "; found 'int'." },
        { "'Boolean'", "schema: expected an object, a dtmi, or one of " SIMPLE "; found 'Boolean'." },
        { "5", "schema: expected an object, found number." },
        { "null", "schema: the member is required." },
        { "[]", "schema: expected an object, found array." },
        { "{}", "schema.@type: one of Enum, Object, Map, Array is required." },
        { "{'@type':'Set'}", "schema.@type: one of Enum, Object, Map, Array is required, found 'Set'." },
        { "{'@type':['Set',5]}", "schema.@type: one of Enum, Object, Map, Array is required." },
        { "{'@type':'Enum'}", "schema.valueSchema: the member is required." },
        { "{'@type':'Enum','valueSchema':'long'}",
          "schema.valueSchema: expected integer or string, found 'long'." },
        { "{'@type':'Enum','valueSchema':'string'}", "schema.enumValues: the member is required." },
        { "{'@type':'Enum','valueSchema':'string','enumValues':[]}",
          "schema.enumValues: at least one entry is required." },
        { "{'@type':'Enum','valueSchema':'string','enumValues':[5]}",
          "schema.enumValues[0]: expected an object, found number." },
        { "{'@type':'Enum','valueSchema':'string','enumValues':[{'enumValue':'a'},{'enumValue':1}]}",
          "schema.enumValues[1].enumValue: expected a string, found number." },
        { "{'@type':'Enum','valueSchema':'integer','enumValues':[{'name':'a'}]}",
          "schema.enumValues[0].enumValue: the member is required." },
        { "{'@type':'Enum','valueSchema':'integer','enumValues':[{'enumValue':1.5}]}",
          "schema.enumValues[0].enumValue: expected an integer of 64 bits." },
        { "{'@type':'Enum','valueSchema':'integer','enumValues':[{'enumValue':99999999999999999999}]}",
          "schema.enumValues[0].enumValue: expected an integer of 64 bits." },
        { "{'@type':'Object'}", "schema.fields: the member is required." },
        { "{'@type':'Object','fields':{}}", "schema.fields: expected an array, found object." },
        { "{'@type':'Object','fields':['a']}", "schema.fields[0]: expected an object, found string." },
        { "{'@type':'Object','fields':[{'schema':'long'}]}",
          "schema.fields[0].name: the member is required." },
        { "{'@type':'Object','fields':[{'name':'a'}]}", "schema.fields[0].schema: the member is required." },
        { "{'@type':'Object','fields':[{'name':'a','schema':'long'},{'name':'b','schema':'long'},"
          "{'name':'a','schema':'long'}]}",
          "schema.fields: there are two fields 'a'." },
        { "{'@type':'Map'}", "schema.mapValue: the member is required." },
        { "{'@type':'Map','mapValue':'string'}", "schema.mapValue: expected an object, found string." },
        { "{'@type':'Map','mapValue':{}}", "schema.mapValue.schema: the member is required." },
        { "{'@type':'Array'}", "schema.elementSchema: the member is required." },
        { "{'@type':'Array','elementSchema':{'@type':'Array','elementSchema':{'@type':'Map','mapValue':{'"
          "schema':1}}}}",
          "schema.elementSchema.elementSchema.mapValue.schema: expected an object, found number." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena memory = { 0 };
        const struct shape *shape;
        struct tranche_err err = { 0 };
        char expected[QUOTES_BYTES];
        cr_assert_eq(parse(cases[i].schema, &memory, &shape, &err), TRANCHE_INVALID, "%s", cases[i].schema);
        cr_assert_str_eq(err.text, quotes(cases[i].expected, expected), "%s: %s", cases[i].schema, err.text);
        arena_free(&memory);
    }
}

/* As deep as JSON may be: nothing but its limit stops it. */
Test(shape, nesting_is_limited_by_json_alone)
{
    char schema[QUOTES_BYTES] = "", value[QUOTES_BYTES] = "";
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        strcat(schema, "{'@type':'Array','elementSchema':");
        strcat(value, "[");
    }
    strcat(schema, "'long'");
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        strcat(schema, "}");
        strcat(value, "]");
    }
    fits(schema, value);
}
