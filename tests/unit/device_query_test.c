#include "device_query.h"

#include "filter.h"

#include <criterion/criterion.h>
#include <string.h>

static void becomes(const char *query, const char *condition)
{
    struct text filter = { 0 };
    struct filter parsed;
    struct tranche_err err = { 0 };
    cr_assert_eq(device_query_translate(query, &filter, &err), TRANCHE_OK, "%s: %s", query, err.text);
    cr_assert_str_eq(filter.bytes + strlen("SELECT * FROM devices WHERE "), condition);
    cr_assert_eq(filter_parse(filter.bytes, filter.length, &parsed, &err), TRANCHE_OK, "%s: %s", filter.bytes, err.text);
    filter_free(&parsed);
    text_free(&filter);
}

static void refused(const char *query, const char *why)
{
    struct text filter = { 0 };
    struct tranche_err err = { 0 };
    cr_assert_eq(device_query_translate(query, &filter, &err), TRANCHE_INVALID, "%s", query);
    cr_assert_str_eq(err.text, why);
    text_free(&filter);
}

Test(device_query, every_field_and_operator)
{
    becomes("id eq 'a'", "$id = 'a'");
    becomes("ID NE \"a\"", "$id != \"a\"");
    becomes("displayName lt 'a' and template le 'b'", "$displayName < 'a' AND $template <= 'b'");
    becomes("scopes gt 'a' or id ge 'it''s'", "$organizations > 'a' OR $id >= 'it''s'");
    becomes("enabled eq true and provisioned ne FALSE and simulated eq false",
            "$enabled = true AND $provisioned != false AND $simulated = false");
    becomes("contains(displayName,'x')", "$displayName CONTAINS 'x'");
    becomes("contains( displayName , 'x' ) or ( id eq 'y' and (enabled eq true) )",
            "$displayName CONTAINS 'x' OR ($id = 'y' AND ($enabled = true))");
}

Test(device_query, what_is_wrong_and_where)
{
    refused("", "expected id, displayName, template, scopes, enabled, provisioned, simulated, contains or \"(\" at "
                "position 1, found the end");
    refused("type eq 'a'", "expected id, displayName, template, scopes, enabled, provisioned, simulated, contains or \"(\" "
                           "at position 1, found \"type\"");
    refused("id = 'a'", "expected eq, ne, lt, le, gt or ge at position 4, found \"=\"");
    refused("enabled lt true", "expected eq or ne at position 9, found \"lt\"");
    refused("enabled eq 'true'", "expected true or false at position 12, found \"'true'\"");
    refused("id eq 5", "expected a string at position 7, found \"5\"");
    refused("id eq 'a", "a string without its closing quote at position 7");
    refused("(id eq 'a'", "expected and, or or \")\" at position 11, found the end");
    refused("id eq 'a' id", "expected and, or or the end at position 11, found \"id\"");
    refused("contains(id,'a')", "expected displayName at position 10, found \"id\"");
    refused("contains(displayName 'a')", "expected \",\" at position 22, found \"'a'\"");
}

Test(device_query, nesting_has_an_end)
{
    char deep[400] = "";
    for (int i = 0; i < 100; i++)
        strcat(deep, "(");
    refused(deep, "conditions nested deeper than 63 at position 65");
}
