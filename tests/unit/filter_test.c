#include "filter.h"
#include "filter_print.h"
#include "random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL "SELECT * FROM devices"
#define W   ALL " WHERE "

/* Parses from memory of exactly that size, so that a look beyond the end is found by the sanitizer. */
static enum tranche_code parse(const char *text, size_t bytes, struct filter *filter, struct tranche_err *err)
{
    char *exact = malloc(bytes > 0 ? bytes : 1);
    cr_assert_not_null(exact);
    memcpy(exact, text, bytes);
    enum tranche_code code = filter_parse(exact, bytes, filter, err);
    free(exact);
    return code;
}

static struct filter accepted(const char *text)
{
    struct filter filter;
    struct tranche_err err = {0};
    if (parse(text, strlen(text), &filter, &err) != TRANCHE_OK)
        cr_assert_fail("%.200s: %s", text, err.text);
    return filter;
}

static char *printed(const struct filter *filter)
{
    struct text out = {0};
    filter_print(filter, &out);
    char *text = text_take(&out);
    cr_assert_not_null(text);
    return text;
}

static void reads_as(const char *text, const char *expected)
{
    struct filter filter = accepted(text);
    char *got = printed(&filter);
    cr_assert_str_eq(got, expected, "%s: %s", text, got);
    free(got);
    filter_free(&filter);
}

static const char *refusal_of(const char *text, size_t bytes)
{
    static struct tranche_err err;
    struct filter filter;
    memset(&filter, 0xa5, sizeof filter);
    cr_assert_eq(parse(text, bytes, &filter, &err), TRANCHE_INVALID, "%.200s", text);
    cr_assert_eq(err.code, TRANCHE_INVALID);
    cr_assert(filter.root == NULL && filter.memory.blocks == NULL && !filter.memory.failed);
    return err.text;
}

static const char *refusal(const char *text)
{
    return refusal_of(text, strlen(text));
}

Test(filter, reads_the_forms_that_iot_central_is_known_to_take)
{
    reads_as(ALL, ALL);
    reads_as("SELECT * FROM Devices", ALL);
    reads_as(W "$template = \"dtmi:modelDefinition:dtdlv2\" AND $provisioned = true",
             W "$template = \"dtmi:modelDefinition:dtdlv2\" AND $provisioned = true");
    reads_as(W "$template = \"dtmi:a:b;1\" AND $simulated = true", W "$template = \"dtmi:a:b;1\" AND $simulated = true");
    reads_as(W "$template = \"dtmi:meadow:pump;2\" AND site = \"north\"",
             W "$template = \"dtmi:meadow:pump;2\" AND site = \"north\"");
    reads_as(W "deviceInformation.model = 'X1'", W "deviceInformation.model = \"X1\"");
}

Test(filter, reads_a_template_as_a_source)
{
    reads_as("SELECT * FROM dtmi:meadow:pump;2", W "$template = \"dtmi:meadow:pump;2\"");
    reads_as("SELECT * FROM dtmi:modelDefinition:dtdlv2", W "$template = \"dtmi:modelDefinition:dtdlv2\"");
    reads_as("SELECT * FROM dtmi:meadow:pump;2 WHERE level > 5",
             W "$template = \"dtmi:meadow:pump;2\" AND level > 5");
    reads_as("SELECT * FROM dtmi:meadow:pump;1.2 WHERE a = 1 OR b = 2",
             W "$template = \"dtmi:meadow:pump;1.2\" AND (a = 1 OR b = 2)");
}

Test(filter, reads_keywords_in_any_case_and_white_space_of_any_kind)
{
    reads_as("select*from DEVICES where a=1 and b In[TRUE,False]oR(c<>'x')",
             W "a = 1 AND b IN [true, false] OR c != \"x\"");
    reads_as("\r\n\tSELECT\n*\tFROM  devices\rWHERE\ta\n=\n1 ", W "a = 1");
}

Test(filter, reads_every_operator)
{
    reads_as(W "a=1 AND a!=2 AND a<>3 AND a>4 AND a<5 AND a>=6 AND a<=7",
             W "a = 1 AND a != 2 AND a != 3 AND a > 4 AND a < 5 AND a >= 6 AND a <= 7");
}

Test(filter, reads_every_dollar_field)
{
    reads_as(W "$template='t' AND $id>='i' AND $displayName<'d' AND $organizations IN ['o','p']",
             W "$template = \"t\" AND $id >= \"i\" AND $displayName < \"d\" AND $organizations IN [\"o\", \"p\"]");
    reads_as(W "$displayName contains 'd' AND contains CONTAINS \"\"",
             W "$displayName CONTAINS \"d\" AND contains CONTAINS \"\"");
    reads_as(W "$provisioned=true AND $simulated!=false AND $enabled<>TRUE AND $enabled IN [true]",
             W "$provisioned = true AND $simulated != false AND $enabled != true AND $enabled IN [true]");
}

Test(filter, and_binds_tighter_than_or_and_both_group_to_the_left)
{
    reads_as(W "a=1 OR b=2 AND c=3 OR d=4", W "a = 1 OR b = 2 AND c = 3 OR d = 4");
    reads_as(W "(a=1 OR b=2) AND c=3", W "(a = 1 OR b = 2) AND c = 3");
    reads_as(W "((a=1)) OR ((b=2 AND c=3))", W "a = 1 OR b = 2 AND c = 3");
    reads_as(W "a=1 AND (b=2 AND c=3)", W "a = 1 AND (b = 2 AND c = 3)");
    reads_as(W "a=1 OR (b=2 OR c=3)", W "a = 1 OR (b = 2 OR c = 3)");

    struct filter filter = accepted(W "a=1 OR b=2 AND c=3 OR d=4");
    cr_assert_eq(filter.root->kind, FILTER_OR);
    cr_assert_str_eq(filter.root->right->property, "d");
    cr_assert_eq(filter.root->left->kind, FILTER_OR);
    cr_assert_str_eq(filter.root->left->left->property, "a");
    cr_assert_eq(filter.root->left->right->kind, FILTER_AND);
    cr_assert_str_eq(filter.root->left->right->left->property, "b");
    cr_assert_str_eq(filter.root->left->right->right->property, "c");
    filter_free(&filter);
}

Test(filter, reads_names_as_they_are_written)
{
    reads_as(W "_a1.B_2.c = 1", W "_a1.B_2.c = 1");
    reads_as(W "Site = 1 AND site = 2", W "Site = 1 AND site = 2");
    reads_as(W "switch.in = 1 AND android = 2 AND order = 3 AND nothing = 4",
             W "switch.in = 1 AND android = 2 AND order = 3 AND nothing = 4");
    reads_as(W "dtmi = 1 AND devices = 2", W "dtmi = 1 AND devices = 2");
}

Test(filter, undoes_quotes_and_escapes)
{
    static const struct {
        const char *written, *meant;
    } rows[] = {
        { "\"\"", "" },
        { "''", "" },
        { "\"it's\"", "it's" },
        { "'say \"hi\"'", "say \"hi\"" },
        { "\"a\"\"b\"", "a\"b" },
        { "\"\"\"\"", "\"" },
        { "''''", "'" },
        { "'it''s'", "it's" },
        { "\"\\\"\"", "\"" },
        { "'\\''", "'" },
        { "\"\\'\"", "'" },
        { "\"\\\\\"", "\\" },
        { "\"\\\\\"\"\"", "\\\"" },
        { "'\\\\\\''", "\\'" },
        { "\"gr\xc3\xbc\xc3\x9f\x65\"", "gr\xc3\xbc\xc3\x9f\x65" },
        { "\"tab\there\"", "tab\there" },
        { "\"AND ( ] true\"", "AND ( ] true" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, W "a = %s AND b = 1", rows[i].written);
        struct filter filter = accepted(text);
        const struct filter_value *value = filter.root->left->values;
        cr_assert_eq(value->type, FILTER_STRING);
        cr_assert_str_eq(value->text, rows[i].meant, "%s", rows[i].written);
        filter_free(&filter);
    }
}

Test(filter, keeps_numbers_as_written_and_knows_their_value)
{
    static const struct {
        const char *text;
        double number;
    } rows[] = {
        { "0", 0 },       { "-0", -0.0 },   { "7", 7 },          { "-7", -7 },       { "1.50", 1.5 },
        { "-0.25", -.25 }, { "1e3", 1000 }, { "1E+3", 1000 },    { "25e-2", 0.25 },  { "0.1", 0.1 },
        { "1e-400", 0 },  { "9007199254740993", 9007199254740992.0 },
        { "123456789012345678901234567890", 123456789012345678901234567890.0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, W "a=%s", rows[i].text);
        struct filter filter = accepted(text);
        const struct filter_value *value = filter.root->values;
        cr_assert_eq(value->type, FILTER_NUMBER);
        cr_assert_str_eq(value->text, rows[i].text);
        cr_assert(value->number >= rows[i].number && value->number <= rows[i].number, "%s", rows[i].text);
        filter_free(&filter);
    }
}

Test(filter, knows_true_from_false)
{
    struct filter filter = accepted(W "a IN [TRUE, False]");
    const struct filter_value *first = filter.root->values, *second = first->next;
    cr_assert(first->type == FILTER_BOOL && first->truth);
    cr_assert_str_eq(first->text, "true");
    cr_assert(second->type == FILTER_BOOL && !second->truth);
    cr_assert_str_eq(second->text, "false");
    cr_assert_null(second->next);
    filter_free(&filter);
}

Test(filter, remembers_each_field_and_where_it_stands)
{
    struct filter filter = accepted(W "a = 1 AND (bb IN [1] OR $id = 'x')");
    const struct filter_node *root = filter.root;
    cr_assert_eq(root->left->column, strlen(W) + 1);
    cr_assert_eq(root->right->left->column, strlen(W "a = 1 AND (") + 1);
    cr_assert_eq(root->right->right->column, strlen(W "a = 1 AND (bb IN [1] OR ") + 1);
    cr_assert_eq(root->column, root->left->column);
    cr_assert_str_eq(root->right->left->property, "bb");
    cr_assert_null(root->right->right->property);
    cr_assert_eq(root->right->column, root->right->left->column);
    filter_free(&filter);

    filter = accepted("SELECT * FROM dtmi:a:b;1");
    cr_assert_eq(filter.root->column, strlen("SELECT * FROM ") + 1);
    filter_free(&filter);
}

Test(filter, says_what_it_expected_and_where)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        { "", "expected SELECT at position 1, found the end" },
        { "  ", "expected SELECT at position 3, found the end" },
        { "GET * FROM devices", "expected SELECT at position 1, found \"GET\"" },
        { "SELECTED", "expected SELECT at position 1, found \"SELECTED\"" },
        { "SELECT $id FROM devices", "expected \"*\" at position 8, found \"$id\"" },
        { "SELECT *, a FROM devices", "expected FROM at position 9, found \",\"" },
        { "SELECT * FROM", "expected devices or a template id at position 14, found the end" },
        { "SELECT * FROM jobs", "expected devices or a template id at position 15, found \"jobs\"" },
        { "SELECT * FROM \"dtmi:a;1\"",
          "expected devices or a template id at position 15, found the string \"dtmi:a;1\"" },
        { ALL " ORDER BY $id", "expected WHERE or the end at position 23, found \"ORDER\"" },
        { ALL ";", "expected WHERE or the end at position 22, found \";\"" },
        { "SELECT * FROM dtmi:a/b;1", "expected WHERE or the end at position 21, found \"/\"" },
        { W, "expected a field or \"(\" at position 29, found the end" },
        { W "= 1", "expected a field or \"(\" at position 29, found \"=\"" },
        { W "NOT a = 1", "expected a field or \"(\" at position 29, found \"NOT\"" },
        { W "a = 1 AND", "expected a field or \"(\" at position 38, found the end" },
        { W "a = 1 AND OR b = 2", "expected a field or \"(\" at position 39, found \"OR\"" },
        { W "5 = a", "expected a field or \"(\" at position 29, found \"5\"" },
        { W "'a' = 1", "expected a field or \"(\" at position 29, found the string 'a'" },
        { W "dtmi:a:b;1 = 1", "expected a field or \"(\" at position 29, found \"dtmi:a:b;1\"" },
        { W "building eq \"x\"", "expected an operator at position 38, found \"eq\"" },
        { W "a == 1", "expected a value at position 32, found \"=\"" },
        { W "a ! 1", "expected an operator at position 31, found \"!\"" },
        { W "a. = 1", "expected an operator at position 30, found \".\"" },
        { W "a.1 = 1", "expected an operator at position 30, found \".\"" },
        { W "a", "expected an operator at position 30, found the end" },
        { W "a CONTAINS 5", "a at position 29 can contain only a string" },
        { W "$enabled contains 'x'", "$enabled at position 29 compares only with true or false" },
        { W "a CONTAINS ['x']", "expected a value at position 40, found \"[\"" },
        { W "a LIKE 'x%'", "expected an operator at position 31, found \"LIKE\"" },
        { W "a NOT IN [1]", "expected an operator at position 31, found \"NOT\"" },
        { W "a =", "expected a value at position 32, found the end" },
        { W "a = b", "expected a value at position 33, found \"b\"" },
        { W "a = null", "expected a value at position 33, found \"null\"" },
        { W "a = $id", "expected a value at position 33, found \"$id\"" },
        { W "a = (1)", "expected a value at position 33, found \"(\"" },
        { W "a IN 1", "expected \"[\" at position 34, found \"1\"" },
        { W "a IN (1, 2)", "expected \"[\" at position 34, found \"(\"" },
        { W "a IN []", "expected a value at position 35, found \"]\"" },
        { W "a IN [1,]", "expected a value at position 37, found \"]\"" },
        { W "a IN [1", "expected \",\" or \"]\" at position 36, found the end" },
        { W "a IN [1 2]", "expected \",\" or \"]\" at position 37, found \"2\"" },
        { W "(a = 1", "expected AND, OR or \")\" at position 35, found the end" },
        { W "(a = 1 b = 2)", "expected AND, OR or \")\" at position 36, found \"b\"" },
        { W "a = 1)", "expected AND, OR or the end at position 34, found \")\"" },
        { W "()", "expected a field or \"(\" at position 30, found \")\"" },
        { W "a = 1 b = 2", "expected AND, OR or the end at position 35, found \"b\"" },
        { W "a = 1 ANDb = 2", "expected AND, OR or the end at position 35, found \"ANDb\"" },
        { W "a = 'x' \xc3\xbc", "expected AND, OR or the end at position 37, found \"\xc3\xbc\"" },
        { W "a\x01= 1", "expected an operator at position 30, found \"?\"" },
        { W "a = trueish", "expected a value at position 33, found \"trueish\"" },
        { W "a_name_that_is_longer_than_what_an_error_has_room_for a",
          "expected an operator at position 83, found \"a\"" },
        { W "a = a_name_that_is_longer_than_what_an_error_has_room_for",
          "expected a value at position 33, found \"a_name_that_is_longer_than_what_an_error\"" },
        { W "'123456789012345678901234567890123456789\xc3\xbc' = 1",
          "expected a field or \"(\" at position 29, found the string '123456789012345678901234567890123456789" },
        { W "'12345678901234567890123456789012345678\xc3\xbc' = 1",
          "expected a field or \"(\" at position 29, found the string '12345678901234567890123456789012345678" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_str_eq(refusal(rows[i].text), rows[i].error, "%s: %s", rows[i].text, refusal(rows[i].text));
}

Test(filter, says_what_is_wrong_inside_a_string_or_number)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        { W "a = \"x", "a string without its closing quote at position 33" },
        { W "a = \"", "a string without its closing quote at position 33" },
        { W "a = 'x\"", "a string without its closing quote at position 33" },
        { W "a = \"x\\\"", "a string without its closing quote at position 33" },
        { W "a = \"x\\", "a string without its closing quote at position 33" },
        { W "a = \"x\"\"", "a string without its closing quote at position 33" },
        { W "a = \"x\\n\"", "an unknown escape (known are \\\\, \\\" and \\') at position 35" },
        { W "a = 'x' AND b = '\\u0041'", "an unknown escape (known are \\\\, \\\" and \\') at position 46" },
        { W "a = 01", "a malformed number at position 33" },
        { W "a = -", "a malformed number at position 33" },
        { W "a = - 1", "a malformed number at position 33" },
        { W "a = 1.", "a malformed number at position 33" },
        { W "a = 1.e5", "a malformed number at position 33" },
        { W "a = 1e", "a malformed number at position 33" },
        { W "a = 1e+", "a malformed number at position 33" },
        { W "a = 1.2.3", "a malformed number at position 33" },
        { W "a = 5km", "a malformed number at position 33" },
        { W "a = 1AND b = 2", "a malformed number at position 33" },
        { W "a = 0x10", "a malformed number at position 33" },
        { W "a = 1 b = 01", "expected AND, OR or the end at position 35, found \"b\"" },
        { W "a = 1e999", "a number out of range at position 33" },
        { W "a IN [1, -1e999]", "a number out of range at position 38" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_str_eq(refusal(rows[i].text), rows[i].error, "%s: %s", rows[i].text, refusal(rows[i].text));

    static const char with_nul[] = W "a = 'x\0y'";
    cr_assert_str_eq(refusal_of(with_nul, sizeof with_nul - 1), "a NUL in a string at position 35");
    static const char nul_outside[] = W "a \0= 'x'";
    cr_assert_str_eq(refusal_of(nul_outside, sizeof nul_outside - 1),
                     "expected an operator at position 31, found \"?\"");
}

Test(filter, says_which_field_does_not_fit_its_value)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        { W "$ts > 1", "unknown field at position 29: \"$ts\"" },
        { W "$ = 1", "unknown field at position 29: \"$\"" },
        { W "$Template = 'x'", "unknown field at position 29: \"$Template\"" },
        { W "$templates = 'x'", "unknown field at position 29: \"$templates\"" },
        { W "$provisioned = 1", "$provisioned at position 29 compares only with true or false" },
        { W "$simulated != 'true'", "$simulated at position 29 compares only with true or false" },
        { W "$enabled IN [true, 1]", "$enabled at position 29 compares only with true or false" },
        { W "$provisioned > true", "$provisioned at position 29 compares with true only by = or !=" },
        { W "$template = true", "$template at position 29 compares only with a string" },
        { W "$id = 5", "$id at position 29 compares only with a string" },
        { W "$displayName < 5", "$displayName at position 29 compares only with a string" },
        { W "a = 1 AND $organizations IN ['x', false]",
          "$organizations at position 39 compares only with a string" },
        { W "a >= false", "a at position 29 compares with false only by = or !=" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_str_eq(refusal(rows[i].text), rows[i].error, "%s: %s", rows[i].text, refusal(rows[i].text));
}

/* Text that is built from a repeated piece: head, count times piece, tail. */
static char *repeated(const char *head, const char *piece, size_t count, const char *tail)
{
    struct text out = {0};
    text_puts(&out, head);
    while (count-- > 0)
        text_puts(&out, piece);
    text_puts(&out, tail);
    char *text = text_take(&out);
    cr_assert_not_null(text);
    return text;
}

static void check_limit(char *within, char *beyond, const char *error)
{
    struct filter filter = accepted(within);
    filter_free(&filter);
    cr_assert_str_eq(refusal(beyond), error, "%s", refusal(beyond));
    free(within);
    free(beyond);
}

Test(filter, takes_so_many_bytes_and_no_more)
{
    size_t pad = FILTER_BYTES_MAX - strlen(ALL);
    check_limit(repeated(ALL, " ", pad, ""), repeated(ALL, " ", pad + 1, ""),
                "32769 bytes are too long, at most 32768 are allowed");
}

static char *nested(const char *head, size_t depth)
{
    char *open = repeated(head, "(", depth, "a=1");
    char *text = repeated(open, ")", depth, "");
    free(open);
    return text;
}

Test(filter, nests_so_deep_and_no_deeper)
{
    check_limit(nested(W, FILTER_DEPTH_MAX), nested(W, FILTER_DEPTH_MAX + 1),
                "conditions nested deeper than 64 at position 94");
    const char *from = "SELECT * FROM dtmi:a;1 WHERE ";
    check_limit(nested(from, FILTER_DEPTH_MAX - 1), nested(from, FILTER_DEPTH_MAX),
                "conditions nested deeper than 64 at position 94");
}

Test(filter, depth_is_that_of_now_not_of_all_before)
{
    char *text = repeated(W, "(a=1) AND ", 100, "a=1");
    struct filter filter = accepted(text);
    filter_free(&filter);
    free(text);
}

Test(filter, takes_so_many_conditions_and_no_more)
{
    size_t most = FILTER_NODES_MAX / 2;
    check_limit(repeated(W, "a=1 OR ", most - 1, "a=1"), repeated(W, "a=1 OR ", most, "a=1"),
                "too many conditions at position 3613, at most 512 are allowed");
    const char *from = "SELECT * FROM dtmi:a;1 WHERE ";
    check_limit(repeated(from, "a=1 OR ", most - 2, "a=1"), repeated(from, "a=1 OR ", most - 1, "a=1"),
                "too many conditions at position 15, at most 512 are allowed");
}

Test(filter, a_list_is_limited_by_bytes_alone)
{
    char *text = repeated(W "a IN [", "1,", 8000, "2]");
    struct filter filter = accepted(text);
    size_t count = 0;
    const struct filter_value *last = NULL;
    for (const struct filter_value *value = filter.root->values; value != NULL; value = value->next, count++)
        last = value;
    cr_assert_eq(count, 8001);
    cr_assert_str_eq(last->text, "2");
    filter_free(&filter);
    free(text);
}

Test(filter, every_beginning_of_a_filter_is_read_or_refused_within_it)
{
    static const char whole[] = "SELECT * FROM dtmi:a:b;1 WHERE (x.y >= -1.5e+3 AND $id IN [\"a\\\"b\", 'c''d']) OR "
                                "$enabled <> false AND z = \"\xc3\xbc\"";
    for (size_t bytes = 0; bytes < sizeof whole; bytes++) {
        struct filter filter;
        struct tranche_err err = {0};
        enum tranche_code code = parse(whole, bytes, &filter, &err);
        if (code != TRANCHE_OK) {
            const char *position = strstr(err.text, "at position ");
            cr_assert_not_null(position, "%s", err.text);
            cr_assert_leq(strtoul(position + strlen("at position "), NULL, 10), bytes + 1, "%s", err.text);
        }
        filter_free(&filter);
    }
}

Test(filter, says_whether_it_names_properties)
{
    static const struct {
        const char *text;
        bool names;
    } rows[] = {
        { "SELECT * FROM devices", false },
        { W "$id = 'a' OR ($enabled = true AND $template IN ['t'])", false },
        { W "$id = 'a' OR ($enabled = true AND b = 1)", true },
        { W "a.b IN [1]", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct filter filter = accepted(rows[i].text);
        cr_expect_eq(filter_names_properties(&filter), rows[i].names, "%s", rows[i].text);
        filter_free(&filter);
    }
}

Test(filter, nothing_is_freed_twice)
{
    struct filter none = {0};
    filter_free(&none);
    struct filter filter = accepted(W "a = 1");
    filter_free(&filter);
    filter_free(&filter);
    cr_assert_null(filter.root);
}

/* ---- soup ---- */

static struct random dice = { 20240607 };

static unsigned roll(unsigned sides)
{
    return random_below(&dice, sides);
}

#define SOUP_TOKENS_MAX 96

struct soup {
    const char *tokens[SOUP_TOKENS_MAX];
    size_t count;
};

#define PICK(list) ((list)[roll((unsigned)(sizeof(list) / sizeof((list)[0])))])

static const char *const names[] = { "a", "b.c", "_x9", "Site", "orders", "switch.in" };
static const char *const strings[] = { "'x'", "\"y\"", "\"q\"\"q\"", "'\\\\'", "\"\\\"\"", "''", "\"\xc3\xbc\"", "'a b'" };
static const char *const numbers[] = { "0", "-1", "2.5", "1e3", "-0.25E-2", "12345678901234567890" };
static const char *const truths[] = { "true", "FALSE" };
static const char *const signs[] = { "=", "!=", "<>", "<", ">", "<=", ">=" };
static const char *const text_fields[] = { "$template", "$id", "$displayName", "$organizations" };
static const char *const bool_fields[] = { "$provisioned", "$simulated", "$enabled" };
static const char *const anything[] = {
    "SELECT", "*", "FROM", "devices", "WHERE", "AND", "OR", "NOT", "IN", "(", ")", "[", "]", ",", "=", "<>", "<", "!", ".",
    "$", "$ts", "$id", "$enabled", "a", "a.b", "dtmi:a:b;1", "true", "null", "1", "-", "01", "1e999", "'x'", "\"", "'", "\\",
    "\x01", "\xc3\xbc", "\xff", ";", "--", "/*", "eq",
};

static void add(struct soup *soup, const char *token)
{
    if (soup->count < SOUP_TOKENS_MAX)
        soup->tokens[soup->count++] = token;
}

static void add_list(struct soup *soup, const char *const *from, unsigned kinds)
{
    add(soup, "IN");
    add(soup, "[");
    for (unsigned i = roll(3);; i--) {
        add(soup, from[roll(kinds)]);
        if (i == 0)
            break;
        add(soup, ",");
    }
    add(soup, "]");
}

static void add_predicate(struct soup *soup)
{
    switch (roll(6)) {
    case 0:
        add(soup, PICK(text_fields));
        add(soup, PICK(signs));
        add(soup, PICK(strings));
        break;
    case 1:
        add(soup, PICK(bool_fields));
        add(soup, signs[roll(3)]);
        add(soup, PICK(truths));
        break;
    case 2:
        add(soup, PICK(text_fields));
        add_list(soup, strings, sizeof strings / sizeof strings[0]);
        break;
    case 3:
        add(soup, PICK(names));
        add_list(soup, numbers, sizeof numbers / sizeof numbers[0]);
        break;
    case 4:
        add(soup, PICK(names));
        add(soup, PICK(signs));
        add(soup, PICK(strings));
        break;
    default:
        add(soup, PICK(names));
        add(soup, PICK(signs));
        add(soup, PICK(numbers));
    }
}

static void add_condition(struct soup *soup, unsigned depth)
{
    unsigned kind = depth == 0 ? 0 : roll(4);
    if (kind == 3) {
        add(soup, "(");
        add_condition(soup, depth - 1);
        add(soup, ")");
    } else if (kind > 0) {
        add_condition(soup, depth - 1);
        add(soup, kind == 1 ? "AND" : "or");
        add_condition(soup, depth - 1);
    } else
        add_predicate(soup);
}

static void cook(struct soup *soup)
{
    soup->count = 0;
    add(soup, "SELECT");
    add(soup, "*");
    add(soup, "FROM");
    add(soup, roll(4) == 0 ? "dtmi:meadow:pump;2" : "devices");
    if (roll(16) > 0) {
        add(soup, "WHERE");
        add_condition(soup, roll(5));
    }
}

/* Takes a token away, puts one in, or puts another in its place. */
static void spoil(struct soup *soup)
{
    size_t at = roll((unsigned)soup->count);
    switch (roll(3)) {
    case 0:
        memmove(&soup->tokens[at], &soup->tokens[at + 1], (soup->count - at - 1) * sizeof soup->tokens[0]);
        soup->count--;
        break;
    case 1:
        if (soup->count < SOUP_TOKENS_MAX) {
            memmove(&soup->tokens[at + 1], &soup->tokens[at], (soup->count - at) * sizeof soup->tokens[0]);
            soup->count++;
            soup->tokens[at] = PICK(anything);
        }
        break;
    default:
        soup->tokens[at] = PICK(anything);
    }
}

static void pour(const struct soup *soup, struct text *out)
{
    static const char *const gaps[] = { " ", " ", " ", " ", " ", " ", " ", "  ", "\t", "\n" };
    bool tight = roll(8) == 0;
    text_clear(out);
    for (size_t i = 0; i < soup->count; i++) {
        text_puts(out, soup->tokens[i]);
        if (!tight || roll(4) > 0)
            text_puts(out, PICK(gaps));
    }
}

/* Whether it was accepted. */
static bool taste(const struct text *text)
{
    struct filter filter, again;
    struct tranche_err err = {0};
    if (parse(text->bytes, text->length, &filter, &err) != TRANCHE_OK) {
        const char *position = strstr(err.text, "at position ");
        unsigned long at = position == NULL ? 0 : strtoul(position + strlen("at position "), NULL, 10);
        if (at < 1 || at > text->length + 1)
            cr_assert_fail("%s: %s", text->bytes, err.text);
        return false;
    }
    char *first = printed(&filter);
    if (filter_parse(first, strlen(first), &again, &err) != TRANCHE_OK)
        cr_assert_fail("%s was accepted, but not as it is printed: %s: %s", text->bytes, first, err.text);
    char *second = printed(&again);
    if (strcmp(first, second) != 0)
        cr_assert_fail("%s is printed as %s and then as %s", text->bytes, first, second);
    free(first);
    free(second);
    filter_free(&filter);
    filter_free(&again);
    return true;
}

Test(filter, what_the_grammar_makes_is_accepted)
{
    struct text text = {0};
    for (int i = 0; i < 20000; i++) {
        struct soup soup;
        do
            cook(&soup);
        while (soup.count == SOUP_TOKENS_MAX); /* that one may have been cut off */
        text_clear(&text);
        for (size_t at = 0; at < soup.count; at++)
            text_printf(&text, "%s ", soup.tokens[at]);
        if (!taste(&text))
            cr_assert_fail("%s", text.bytes);
    }
    text_free(&text);
}

Test(filter, survives_200000_spoiled_soups_and_accepts_only_what_reads_the_same_again)
{
    struct text text = {0};
    int accepted_count = 0;
    const int soups = 200000;
    for (int i = 0; i < soups; i++) {
        struct soup soup;
        cook(&soup);
        for (unsigned spoons = roll(4); spoons > 0 && soup.count > 0; spoons--)
            spoil(&soup);
        pour(&soup, &text);
        accepted_count += taste(&text);
    }
    cr_assert_gt(accepted_count, soups / 10);
    cr_assert_lt(accepted_count, soups - soups / 10);
    text_free(&text);
}
