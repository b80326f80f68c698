#include "import_row.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct import_row row;
static struct tranche_err err;

static void tear_down(void)
{
    import_row_free(&row);
}

TestSuite(import_row, .fini = tear_down);

#define CELLS_MAX 16

/* Cells are written with bars between them. */
static size_t cut(char *cells, const char *fields[CELLS_MAX])
{
    size_t count = 0;
    for (char *at = cells; at != NULL; count++) {
        fields[count] = strsep(&at, "|");
        cr_assert_lt(count, CELLS_MAX);
    }
    return count;
}

static enum tranche_code header(const char *cells)
{
    char *copy = strdup(cells);
    const char *fields[CELLS_MAX];
    size_t count = cut(copy, fields);
    enum tranche_code code = import_row_header(&row, fields, count, &err);
    free(copy);
    return code;
}

static void expect_header_refused(const char *cells, const char *text)
{
    cr_expect_eq(header(cells), TRANCHE_INVALID, "%s", cells);
    cr_expect_str_eq(err.text, text);
    import_row_free(&row);
}

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

/* The device of a row, in words. */
static void expect(const char *cells, const char *device)
{
    char *copy = strdup(cells);
    const char *fields[CELLS_MAX];
    size_t count = cut(copy, fields);
    cr_assert_eq(import_row_read(&row, fields, count, &err), TRANCHE_OK, "%s", err.text);
    struct text text = { 0 };
    text_printf(&text, "%s %c%c%c %s %s %s %s", row.device.id, row.device.enabled ? 'e' : '-',
                row.device.provisioned ? 'p' : '-', row.device.simulated ? 's' : '-',
                or_dash(row.device.display_name), or_dash(row.device.template_id),
                or_dash(row.device.organization), or_dash(row.device.properties));
    cr_expect_str_eq(text.bytes, device);
    text_free(&text);
    free(copy);
}

static void expect_refused(const char *cells, const char *text)
{
    char *copy = strdup(cells);
    const char *fields[CELLS_MAX];
    size_t count = cut(copy, fields);
    cr_expect_neq(import_row_read(&row, fields, count, &err), TRANCHE_OK, "%s", cells);
    cr_expect_str_eq(err.text, text);
    free(copy);
}

Test(import_row, every_column_is_taken)
{
    cr_assert_eq(header("id|displayName|template|organization|enabled|provisioned|simulated|site"),
                 TRANCHE_OK);
    expect("a|North 01|dtmi:meadow:pump;2|north|false|false|true|no rth",
           "a --s North 01 dtmi:meadow:pump;2 north {\"site\":\"no rth\"}");
}

Test(import_row, empty_cells_say_nothing_and_a_row_leaves_nothing_to_the_next)
{
    cr_assert_eq(header("displayName|template|organization|enabled|provisioned|simulated|site|n:json|id"),
                 TRANCHE_OK);
    expect("A|t|o|FALSE|False|TRUE|s|1|a", "a --s A t o {\"site\":\"s\",\"n\":1}");
    expect("||||||||b", "b ep- - - - -");
}

Test(import_row, an_iot_central_export_is_understood_and_its_keys_are_left_out)
{
    cr_assert_eq(header("IOTC_DeviceID|IOTC_DEVICENAME|IOTC_SASKEY_PRIMARY|IOTC_SASKEY_SECONDARY|"
                        "IOTC_X509THUMBPRINT_PRIMARY|IOTC_X509THUMBPRINT_SECONDARY"),
                 TRANCHE_OK);
    expect("a|A|secret|secret|print|print", "a ep- A - - -");
}

Test(import_row, names_of_columns_may_be_in_any_case_and_those_of_properties_stay)
{
    cr_assert_eq(header("DEVICEID|DisplayName|Site|site|a.b:c|FLOOR:JSON"), TRANCHE_OK);
    expect("a|A|1|2|3|4", "a ep- A - - {\"Site\":\"1\",\"site\":\"2\",\"a.b:c\":\"3\",\"FLOOR\":4}");
}

Test(import_row, a_property_is_a_string_whatever_it_looks_like)
{
    cr_assert_eq(header("id|p"), TRANCHE_OK);
    expect("a|007", "a ep- - - - {\"p\":\"007\"}");
    expect("a|true", "a ep- - - - {\"p\":\"true\"}");
    expect("a|{\"q\":1}", "a ep- - - - {\"p\":\"{\\\"q\\\":1}\"}");
    expect("a| \n\xc3\xa9", "a ep- - - - {\"p\":\" \\n\xc3\xa9\"}");
}

Test(import_row, a_json_column_keeps_the_types)
{
    cr_assert_eq(header("id|p:json"), TRANCHE_OK);
    expect("a|1.10", "a ep- - - - {\"p\":1.10}");
    expect("a| true ", "a ep- - - - {\"p\":true}");
    expect("a|\"007\"", "a ep- - - - {\"p\":\"007\"}");
    expect("a|{\"q\" : [1, null]}", "a ep- - - - {\"p\":{\"q\":[1,null]}}");
    expect_refused("a|north", "column 2, p: unexpected character at offset 1");
    expect_refused("a|1 2", "column 2, p: unexpected character at offset 2");
}

Test(import_row, a_bad_cell_is_told_with_its_column)
{
    cr_assert_eq(header("id|enabled|organization|displayName"), TRANCHE_OK);
    expect_refused("a|yes||", "column 2, enabled: expected true or false, found \"yes\"");
    expect_refused("a||no rth|",
                   "column 3, organization: the organization: expected 1 to 255 of a-z A-Z 0-9 _ -, "
                   "found \"no rth\".");
    expect_refused("|true||", "the id is missing");
    expect_refused("a|true|", "the row has 3 fields and the header 4");
    expect_refused("a|true|||", "the row has 5 fields and the header 4");
    expect_refused(
        "a b|||",
        "column 1, id: device id: expected 1 to 128 of letters, digits and - : . + % _ # * ? ! ( ) , "
        "= @ $ ', but not . or .., found \"a b\".");

    char cells[1200] = "a|||";
    memset(cells + 4, 'x', 1025);
    expect_refused(cells, "column 4, displayName: expected 1 to 1024 bytes, found 1025");
}

Test(import_row, properties_have_a_limit_however_they_grow)
{
    cr_assert_eq(header("id|p"), TRANCHE_OK);
    char *cells = malloc(20000);
    strcpy(cells, "a|");
    memset(cells + 2, '\001', 19000); /* six bytes each in JSON */
    cells[19002] = '\0';
    expect_refused(cells, "the properties are longer than 65536 bytes");
    free(cells);
}

Test(import_row, properties_together_are_no_deeper_than_json_may_be)
{
    cr_assert_eq(header("id|p:json"), TRANCHE_OK);
    char cells[128] = "a|";
    memset(cells + 2, '[', 32);
    memset(cells + 34, ']', 32);
    expect_refused(cells, "the properties: nested too deeply at offset 36");
}

Test(import_row, a_header_must_name_an_id_and_each_thing_once)
{
    expect_header_refused("", "column 1 has no name");
    expect_header_refused("id|", "column 2 has no name");
    expect_header_refused("name|template", "the first row names no column for the id; it should be like "
                                           "id,displayName,template,site");
    expect_header_refused("id|IOTC_DEVICEID", "columns 1 and 2 say the same: IOTC_DEVICEID");
    expect_header_refused("id|site|site", "columns 2 and 3 say the same: site");
    expect_header_refused("id|site|site:json", "columns 2 and 3 say the same: site:json");
}
