#include "json.h"
#include "json_check.h"
#include "mem.h"
#include "utf8.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- What is refused, and where ---------------------------------------------------------------- */

/* `text` may hold NUL bytes; `error` NULL: accepted. */
struct text_case {
    const char *text;
    size_t bytes;
    const char *error;
};

/* clang-format off */
#define GOOD(text)       { text, sizeof text - 1, NULL }
#define BAD(text, error) { text, sizeof text - 1, error }
/* clang-format on */

/* A copy of just these bytes, so that the sanitizer sees a step too far. */
static char *exact_copy(const char *text, size_t bytes)
{
    char *copy = malloc(bytes > 0 ? bytes : 1);
    cr_assert_not_null(copy);
    memcpy(copy, text, bytes);
    return copy;
}

static void check_cases(const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct json_document document;
        struct tranche_err err = { 0 };
        char *text = exact_copy(cases[i].text, cases[i].bytes);
        enum tranche_code code = json_parse(text, cases[i].bytes, &document, &err);

        if (cases[i].error == NULL)
            cr_assert_eq(code, TRANCHE_OK, "%s: %s", cases[i].text, err.text);
        else {
            cr_assert_eq(code, TRANCHE_BADREQUEST, "%s was accepted", cases[i].text);
            cr_assert_str_eq(err.text, cases[i].error, "%s: %s, expected %s", cases[i].text, err.text,
                             cases[i].error);
            cr_assert_null(document.root);
        }
        json_free(&document);
        free(text);
    }
}

Test(json, grammar)
{
    static const struct text_case cases[] = {
        GOOD("null"),
        GOOD("true"),
        GOOD("false"),
        GOOD("\"\""),
        GOOD("{}"),
        GOOD("[]"),
        GOOD(" \t\r\n[ ] \n"),
        GOOD("[1,[2,{\"a\":[]}],\"x\"]"),
        GOOD("{\"a\" : { \"b\":null } , \"c\":[ ]}"),
        GOOD("{\"\":0}"),
        BAD("", "unexpected end at offset 0"),
        BAD("  ", "unexpected end at offset 2"),
        BAD("nul", "unexpected end at offset 3"),
        BAD("nulL", "unexpected character at offset 3"),
        BAD("True", "unexpected character at offset 0"),
        BAD("NaN", "unexpected character at offset 0"),
        BAD("Infinity", "unexpected character at offset 0"),
        BAD("-Infinity", "unexpected character at offset 1"),
        BAD("undefined", "unexpected character at offset 0"),
        BAD("[", "unexpected end at offset 1"),
        BAD("]", "unexpected character at offset 0"),
        BAD("[1", "unexpected end at offset 2"),
        BAD("[1,", "unexpected end at offset 3"),
        BAD("[1,]", "unexpected character at offset 3"),
        BAD("[,1]", "unexpected character at offset 1"),
        BAD("[1 2]", "unexpected character at offset 3"),
        BAD("[1}", "unexpected character at offset 2"),
        BAD("{", "unexpected end at offset 1"),
        BAD("{\"a\"", "unexpected end at offset 4"),
        BAD("{\"a\":", "unexpected end at offset 5"),
        BAD("{\"a\":1", "unexpected end at offset 6"),
        BAD("{\"a\":1,}", "unexpected character at offset 7"),
        BAD("{\"a\" 1}", "unexpected character at offset 5"),
        BAD("{\"a\":1 \"b\":2}", "unexpected character at offset 7"),
        BAD("{a:1}", "unexpected character at offset 1"),
        BAD("{'a':1}", "unexpected character at offset 1"),
        BAD("{1:1}", "unexpected character at offset 1"),
        BAD("{\"a\":1]", "unexpected character at offset 6"),
        BAD("{} {}", "unexpected character at offset 3"),
        BAD("1 2", "unexpected character at offset 2"),
        BAD("[1] // why", "unexpected character at offset 4"),
        BAD("/* why */ 1", "unexpected character at offset 0"),
        BAD("[1]\0", "unexpected character at offset 3"),
        BAD("\0", "unexpected character at offset 0"),
        BAD("[1]\f", "unexpected character at offset 3"),
        BAD("\xEF\xBB\xBF{}", "unexpected character at offset 0"),
        BAD("[1,\xC2\xA0 2]", "unexpected character at offset 3"),
        BAD("{\"displayName\":\"Set\",\"group\":\"north-pumps\" \"data\":[]}",
            "unexpected character at offset 43"),
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

Test(json, numbers)
{
    static const struct text_case cases[] = {
        GOOD("0"),
        GOOD("-0"),
        GOOD("7"),
        GOOD("-12"),
        GOOD("0.5"),
        GOOD("-0.0"),
        GOOD("1e2"),
        GOOD("1E+2"),
        GOOD("1.25e-7"),
        GOOD("1e400"),
        GOOD("1e999"),
        GOOD("18446744073709551615"),
        GOOD("123456789012345678901234567890"),
        GOOD("-9223372036854775809"),
        GOOD("[0,-0,0e0,1.0]"),
        GOOD(" 1 "),
        BAD("-", "unexpected end at offset 1"),
        BAD("+1", "unexpected character at offset 0"),
        BAD(".5", "unexpected character at offset 0"),
        BAD("1.", "unexpected end at offset 2"),
        BAD("[1.]", "unexpected character at offset 3"),
        BAD("1.e5", "unexpected character at offset 2"),
        BAD("1e", "unexpected end at offset 2"),
        BAD("1e+", "unexpected end at offset 3"),
        BAD("1e+-2", "unexpected character at offset 3"),
        BAD("1e-+2", "unexpected character at offset 3"),
        BAD("01", "unexpected character at offset 1"),
        BAD("-01", "unexpected character at offset 2"),
        BAD("00", "unexpected character at offset 1"),
        BAD("--1", "unexpected character at offset 1"),
        BAD("1.2.3", "unexpected character at offset 3"),
        BAD("1e2.5", "unexpected character at offset 3"),
        BAD("0x10", "unexpected character at offset 1"),
        BAD("1_000", "unexpected character at offset 1"),
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

Test(json, strings_and_escapes)
{
    static const struct text_case cases[] = {
        GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        GOOD("\"\\u0041\\u00e9\\u20AC\""),
        GOOD("\"a/b\""),
        GOOD("\"\x7f\""),
        BAD("\"", "unexpected end at offset 1"),
        BAD("\"abc", "unexpected end at offset 4"),
        BAD("\"\\", "unexpected end at offset 2"),
        BAD("\"\\\"", "unexpected end at offset 3"),
        BAD("'a'", "unexpected character at offset 0"),
        BAD("\"\\x41\"", "invalid escape at offset 1"),
        BAD("\"\\'\"", "invalid escape at offset 1"),
        BAD("\"\\\0\"", "invalid escape at offset 1"),
        BAD("\"a\\U0041\"", "invalid escape at offset 2"),
        BAD("\"\\u004\"", "invalid escape at offset 1"),
        BAD("\"\\u004", "invalid escape at offset 1"),
        BAD("\"\\u 041\"", "invalid escape at offset 1"),
        BAD("\"\\u00g1\"", "invalid escape at offset 1"),
        BAD("\"\\u+041\"", "invalid escape at offset 1"),
        BAD("\"tab\there\"", "control character in a string at offset 4"),
        BAD("\"line\nbreak\"", "control character in a string at offset 5"),
        BAD("\"nul\0byte\"", "control character in a string at offset 4"),
        BAD("\"\x1f\"", "control character in a string at offset 1"),
        BAD("\"x\\u0000\"", "NUL character at offset 2"),
        BAD("{\"\\u0000\":1}", "NUL character at offset 2"),
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

Test(json, surrogates_come_in_pairs)
{
    static const struct text_case cases[] = {
        GOOD("\"\\ud83d\\ude00\""),
        GOOD("\"\\uD800\\uDC00\""),
        GOOD("\"\\uDBFF\\uDFFF\""),
        GOOD("\"\\uD7FF\\uE000\""),
        BAD("\"\\ud800\"", "lone surrogate at offset 1"),
        BAD("\"\\udfff\"", "lone surrogate at offset 1"),
        BAD("\"\\ud800", "lone surrogate at offset 1"),
        BAD("\"\\ud800x\"", "lone surrogate at offset 1"),
        BAD("\"\\ud800\\n\"", "lone surrogate at offset 1"),
        BAD("\"\\ud800\\u0041\"", "lone surrogate at offset 1"),
        BAD("\"\\ud800\\ud800\"", "lone surrogate at offset 1"),
        BAD("\"\\ud800\\udc0\"", "lone surrogate at offset 1"),
        BAD("\"\\ud800udc00\"", "lone surrogate at offset 1"),
        BAD("\"\\udc00\\ud800\"", "lone surrogate at offset 1"),
        BAD("\"\\ud800\\udc00\\udc00\"", "lone surrogate at offset 13"),
        BAD("{\"\\ud800\":1}", "lone surrogate at offset 2"),
        BAD("[[{\"a\":\"\\udead\"}]]", "lone surrogate at offset 8"),
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

Test(json, utf8_is_valid)
{
    static const struct text_case cases[] = {
        GOOD("\"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF\""),
        GOOD("{\"\xC3\xBC\":1}"),
        BAD("\"\x80\"", "invalid UTF-8 at offset 1"),
        BAD("\"\xC3\"", "invalid UTF-8 at offset 1"),
        BAD("\"\xC3", "invalid UTF-8 at offset 1"),
        BAD("\"a\xC0\xAF\"", "invalid UTF-8 at offset 2"),
        BAD("\"\xE0\x80\xAF\"", "invalid UTF-8 at offset 1"),
        BAD("\"\xF0\x80\x80\xAF\"", "invalid UTF-8 at offset 1"),
        BAD("\"\xED\xA0\x80\"", "invalid UTF-8 at offset 1"),
        BAD("\"\xF4\x90\x80\x80\"", "invalid UTF-8 at offset 1"),
        BAD("\"\xF5\x80\x80\x80\"", "invalid UTF-8 at offset 1"),
        BAD("\"\xFF\"", "invalid UTF-8 at offset 1"),
        BAD("{\"\xFE\":1}", "invalid UTF-8 at offset 2"),
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

Test(json, names_differ_after_their_escapes)
{
    static const struct text_case cases[] = {
        GOOD("{\"v\":1,\"V\":2}"),
        GOOD("[{\"v\":1},{\"v\":2}]"),
        GOOD("{\"v\":{\"v\":{\"v\":1}}}"),
        GOOD("{\"a\":1,\"a \":2,\"aa\":3,\"\":4}"),
        GOOD("{\"\\\\u0061\":1,\"a\":2}"),
        GOOD("{\"\xC3\xBC\":1,\"u\":2}"),
        GOOD("{\"\\n\":1,\"n\":2,\"\\\\n\":3}"),
        GOOD("{\"a\":1,\"\\u0061b\":2}"),
        GOOD("{\"\\u0061b\":1,\"\\u0061\":2}"),
        BAD("{\"v\":1,\"v\":2}", "duplicate member \"v\" at offset 7"),
        BAD("{\"a\":1,\"\\u0061\":2}", "duplicate member \"\\u0061\" at offset 7"),
        BAD("{\"\\u0061\":1,\"a\":2}", "duplicate member \"a\" at offset 12"),
        BAD("{\"\\u0061b\":1,\"a\\u0062\":2}", "duplicate member \"a\\u0062\" at offset 13"),
        BAD("{\"\":1,\"\":2}", "duplicate member \"\" at offset 6"),
        BAD("{\"\\/\":1,\"/\":2}", "duplicate member \"/\" at offset 8"),
        BAD("{\"\\n\":1,\"\\u000A\":2}", "duplicate member \"\\u000A\" at offset 8"),
        BAD("{\"\\u00fc\":1,\"\xC3\xBC\":2}", "duplicate member \"\xC3\xBC\" at offset 12"),
        BAD("{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}",
            "duplicate member \"\xF0\x9F\x98\x80\" at offset 18"),
        BAD("{\"b\":1,\"a\":2,\"a\":3,\"b\":4,\"a\":5}", "duplicate member \"a\" at offset 13"),
        BAD("[0,{\"x\":[{\"y\":{\"a\":1,\"b\":2,\"\\u0061\":3}}]}]",
            "duplicate member \"\\u0061\" at offset 27"),
        BAD("{\"a\":{\"x\":1},\"b\":[{\"x\":1}],\"a\":0}", "duplicate member \"a\" at offset 27"),
        BAD("{\"0123456789012345678901234567890123456789012345678901234567890123-more\":1,"
            "\"0123456789012345678901234567890123456789012345678901234567890123-more\":2}",
            "duplicate member \"0123456789012345678901234567890123456789012345678901234567890123\" at offset "
            "75"),
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

/* -- Limits ------------------------------------------------------------------------------------ */

static const char *refusal(const struct text *text)
{
    static struct tranche_err err;
    struct json_document document;
    enum tranche_code code = json_parse(text->bytes, text->length, &document, &err);
    json_free(&document);
    return code == TRANCHE_OK ? NULL : err.text;
}

static void nest(struct text *text, size_t depth, const char *open, const char *inside, const char *close)
{
    text_clear(text);
    for (size_t i = 0; i < depth; i++)
        text_puts(text, open);
    text_puts(text, inside);
    for (size_t i = 0; i < depth; i++)
        text_puts(text, close);
}

Test(json, depth)
{
    struct text text = { 0 };

    nest(&text, JSON_DEPTH_MAX, "[", "\"x\"", "]");
    cr_assert_null(refusal(&text));
    nest(&text, JSON_DEPTH_MAX + 1, "[", "", "]");
    cr_assert_str_eq(refusal(&text), "nested too deeply at offset 32");
    nest(&text, JSON_DEPTH_MAX, "{\"a\":", "1.5", "}");
    cr_assert_null(refusal(&text));
    nest(&text, JSON_DEPTH_MAX + 1, "{\"a\":", "1", "}");
    cr_assert_str_eq(refusal(&text), "nested too deeply at offset 160");
    nest(&text, 300000, "[", "", "");
    cr_assert_str_eq(refusal(&text), "nested too deeply at offset 32");
    nest(&text, 300000, "{\"a\":", "", "");
    cr_assert_str_eq(refusal(&text), "nested too deeply at offset 160");

    text_clear(&text);
    text_puts(&text, "[");
    for (int i = 0; i < 100000; i++) /* depth is not the number of arrays */
        text_puts(&text, "[],{},");
    text_puts(&text, "0]");
    cr_assert_null(refusal(&text));
    text_free(&text);
}

/* An object of `count` members m0, m1, ... in an order that jumps about, and one more named `last`. */
static void wide_object(struct text *text, size_t count, const char *last)
{
    text_clear(text);
    text_puts(text, "{");
    for (size_t i = 0; i < count; i++)
        text_printf(text, "\"m%zu\":0,", i * 1009 % count);
    text_printf(text, "\"%s\":0}", last);
}

Test(json, members)
{
    struct text text = { 0 };

    wide_object(&text, JSON_MEMBERS_MAX - 1, "last");
    cr_assert_null(refusal(&text));
    wide_object(&text, JSON_MEMBERS_MAX, "last");
    cr_assert_eq(strncmp(refusal(&text), "too many members in one object at offset ", 41), 0);
    wide_object(&text, JSON_MEMBERS_MAX - 1, "m2000");
    cr_assert_eq(strncmp(refusal(&text), "duplicate member \"m2000\" at offset ", 35), 0);

    struct text outer = { 0 };
    wide_object(&text, JSON_MEMBERS_MAX - 1, "last");
    text_printf(&outer, "{\"a\":%s,\"b\":[%s,%s],\"c\":0}", text.bytes, text.bytes, text.bytes);
    cr_assert_null(refusal(&outer)); /* the limit is for each object alone */
    text_free(&outer);
    text_free(&text);
}

Test(json, number_length)
{
    struct text text = { 0 };

    nest(&text, JSON_NUMBER_BYTES_MAX, "9", "", "");
    cr_assert_null(refusal(&text));
    nest(&text, JSON_NUMBER_BYTES_MAX + 1, "9", "", "");
    cr_assert_str_eq(refusal(&text), "number too long at offset 0");
    text_clear(&text);
    text_puts(&text, "[-1.");
    for (int i = 0; i < JSON_NUMBER_BYTES_MAX; i++)
        text_puts(&text, "0");
    text_puts(&text, "]");
    cr_assert_str_eq(refusal(&text), "number too long at offset 1");
    text_free(&text);
}

Test(json, an_error_slip_is_not_needed)
{
    struct json_document document;
    cr_assert_eq(json_parse("{\"v\":1,\"v\":2}", 13, &document, NULL), TRANCHE_BADREQUEST);
    cr_assert_null(document.root);
}

/* -- The tree ---------------------------------------------------------------------------------- */

static struct json_document parsed(const char *text)
{
    struct json_document document;
    struct tranche_err err;
    if (json_parse(text, strlen(text), &document, &err) != TRANCHE_OK)
        cr_assert_fail("%s: %s", text, err.text);
    return document;
}

Test(json, types_and_their_names)
{
    struct json_document document = parsed("[null,true,false,1,1.5,\"s\",[],{}]");
    static const enum json_type types[] = { JSON_NULL,   JSON_BOOL,   JSON_BOOL,  JSON_NUMBER,
                                            JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
    static const char *const names[] = { "null",   "boolean", "boolean", "number",
                                         "number", "string",  "array",   "object" };

    cr_assert_eq(json_count(document.root), 8);
    for (size_t i = 0; i < 8; i++) {
        cr_assert_eq(json_type(json_item(document.root, i)), types[i]);
        cr_assert_str_eq(json_type_name(types[i]), names[i]);
    }
    cr_assert_null(json_item(document.root, 8));
    cr_assert_eq(json_type(NULL), JSON_NONE);
    cr_assert_str_eq(json_type_name(JSON_NONE), "nothing");
    json_free(&document);
}

Test(json, scalars_at_the_top)
{
    static const struct {
        const char *text;
        enum json_type type;
    } cases[] = {
        { "null", JSON_NULL },
        { "true", JSON_BOOL },
        { "0", JSON_NUMBER },
        { "-1.5e3", JSON_NUMBER },
        { "123456789012345678901234567890", JSON_NUMBER },
        { "\"x\"", JSON_STRING },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_document document = parsed(cases[i].text);
        cr_assert_eq(json_type(document.root), cases[i].type, "%s", cases[i].text);
        json_free(&document);
        cr_assert_null(document.root);
    }
    struct json_document number = parsed("42");
    int64_t found = 0;
    cr_assert(json_integer(number.root, &found));
    cr_assert_eq(found, 42);
    json_free(&number);
}

Test(json, members_and_absent_ones)
{
    struct json_document document = parsed("{\"a\":null,\"b\":\"x\",\"\\u0063\":{\"d\":true}}");
    const struct json *root = document.root;

    cr_assert_eq(json_type(json_member(root, "a")), JSON_NULL);
    cr_assert_str_eq(json_string(json_member(root, "b")), "x");
    cr_assert(json_true(json_member(json_member(root, "c"), "d")));
    cr_assert_null(json_member(root, "z"));
    cr_assert_null(json_member(json_member(root, "z"), "y"));
    cr_assert_null(json_member(json_member(root, "a"), "y"));
    cr_assert_null(json_member(json_member(root, "b"), "y"));
    cr_assert_eq(json_count(root), 0);
    cr_assert_null(json_item(root, 0));
    json_free(&document);
}

Test(json, nothing_of_the_wrong_type)
{
    struct json_document document =
        parsed("{\"null\":null,\"number\":1,\"string\":\"1\",\"array\":[1],\"true\":true}");
    static const char *const names[] = { "null", "number", "string", "array", "true", "absent" };
    for (size_t i = 0; i < 6; i++) {
        const struct json *value = json_member(document.root, names[i]);
        int64_t integer = 4711;
        void *cursor = NULL;
        const char *name;
        struct json *member;

        cr_assert_eq(json_string(value) != NULL, strcmp(names[i], "string") == 0);
        cr_assert_eq(json_true(value), strcmp(names[i], "true") == 0);
        cr_assert_eq(json_integer(value, &integer), strcmp(names[i], "number") == 0);
        cr_assert_eq(integer, strcmp(names[i], "number") == 0 ? 1 : 4711);
        cr_assert_eq(json_number(value) > 0, strcmp(names[i], "number") == 0);
        cr_assert_eq(json_count(value), strcmp(names[i], "array") == 0 ? 1 : 0);
        cr_assert_not(json_next(value, &cursor, &name, &member));
    }
    json_free(&document);
}

Test(json, integers)
{
    static const struct {
        const char *text;
        bool fits;
        int64_t number;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "-1", true, -1 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775807", true, -INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "18446744073709551615", false, 0 },
        { "18446744073709551616", false, 0 },
        { "123456789012345678901234567890", false, 0 },
        { "-9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "-123456789012345678901234567890", false, 0 },
        { "1.0", false, 0 },
        { "1e2", false, 0 },
        { "1e400", false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_document document = parsed(cases[i].text);
        int64_t number = 0;
        cr_assert_eq(json_integer(document.root, &number), cases[i].fits, "%s", cases[i].text);
        cr_assert_eq(number, cases[i].number, "%s", cases[i].text);
        json_free(&document);
    }
}

Test(json, numbers_as_doubles)
{
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        { "1", 1 },     { "-2.5", -2.5 },      { "1e2", 100 },
        { "0.1", 0.1 }, { "1e400", HUGE_VAL }, { "5e-324", 5e-324 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_document document = parsed(cases[i].text);
        double number = json_number(document.root);
        cr_assert(!(number < cases[i].number) && !(number > cases[i].number), "%s gave %g", cases[i].text,
                  number);
        json_free(&document);
    }
}

Test(json, strings_are_unescaped)
{
    struct json_document document = parsed("[\"a/b\\/c\",\"\\u00fc\\ud83d\\ude00\",\"\\\"\\\\\\n\"]");

    cr_assert_str_eq(json_string(json_item(document.root, 0)), "a/b/c");
    cr_assert_str_eq(json_string(json_item(document.root, 1)), "\xC3\xBC\xF0\x9F\x98\x80");
    cr_assert_str_eq(json_string(json_item(document.root, 2)), "\"\\\n");
    json_free(&document);
}

static void escape(struct text *text, uint32_t point)
{
    if (point > 0xFFFF)
        text_printf(text, "\\u%04X\\u%04x", 0xD800 + ((point - 0x10000) >> 10), 0xDC00 + (point & 0x3FF));
    else
        text_printf(text, "\\u%04X", point);
}

/* A thousand to a string, between escapes of other forms. */
Test(json, every_escaped_character_arrives)
{
    for (uint32_t first = 0; first < 0x110000; first += 1024) {
        struct text text = { 0 }, expected = { 0 };
        text_puts(&text, "[\"\\\\\\n");
        for (uint32_t point = first > 0 ? first : 1; point < first + 1024; point++) {
            char character[4];
            if (point >= 0xD800 && point <= 0xDFFF)
                continue;
            escape(&text, point);
            text_add(&expected, character, utf8_write(point, character));
        }
        text_puts(&expected, "\\");
        text_puts(&text, "\\\\\"]");

        struct json_document document = parsed(text.bytes);
        const char *string = json_string(json_item(document.root, 0));
        cr_assert_eq(strncmp(string, "\\\n", 2), 0);
        cr_assert_str_eq(string + 2, expected.bytes, "from U+%04X", first);
        json_free(&document);
        text_free(&text);
        text_free(&expected);
    }
}

Test(json, next_walks_in_order)
{
    struct json_document document = parsed("{\"z\":1,\"a\":null,\"\\u006d\":[]}");
    static const char *const names[] = { "z", "a", "m" };
    static const enum json_type types[] = { JSON_NUMBER, JSON_NULL, JSON_ARRAY };
    void *cursor = NULL;
    const char *name;
    struct json *value;

    for (size_t i = 0; i < 3; i++) {
        cr_assert(json_next(document.root, &cursor, &name, &value));
        cr_assert_str_eq(name, names[i]);
        cr_assert_eq(json_type(value), types[i]);
    }
    cr_assert_not(json_next(document.root, &cursor, &name, &value));
    json_free(&document);

    struct json_document empty = parsed("{}");
    cursor = NULL;
    cr_assert_not(json_next(empty.root, &cursor, &name, &value));
    json_free(&empty);
}

/* -- The bytes of a value ---------------------------------------------------------------------- */

static void check_raw(const char *expected, const char *raw, const size_t *bytes)
{
    cr_assert_not_null(raw, "%s is absent", expected);
    cr_assert_eq(*bytes, strlen(expected), "%.*s, expected %s", (int)*bytes, raw, expected);
    cr_assert_eq(memcmp(raw, expected, *bytes), 0, "%.*s, expected %s", (int)*bytes, raw, expected);
}

/* json-c loses each of these (api-contract.md 2.3). */
Test(json, raw_keeps_every_byte_of_a_value)
{
    static const char *const values[] = {
        "1.10",
        "1e999",
        "1E2",
        "0.1000000000000000055511151231257827",
        "18446744073709551615",
        "123456789012345678901234567890",
        "-9223372036854775809",
        "-0",
        "-0.0",
        "1e400",
        "\"a/b\"",
        "\"a\\/b\"",
        "\"\\u00e9\\ud83d\\ude00 \xC3\xA9\"",
        "\"}],{[\\\"\"",
        "\"\\\\\"",
        "null",
        "true",
        "[]",
        "{}",
        "{ \"b\" : [ 1 , {\"value\":2} ] , \"a\":\"]\" }",
        "[[[\"[\"]], {\"x\":\"{\"}]",
    };
    static const char *const forms[] = { "{\"value\":%s}",
                                         " { \"x\":[{\"value\":0}],\n\"value\" :\t%s\n, \"y\":1 } ",
                                         "{\"v\\u0061lue\":%s,\"z\":{}}" };
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
        for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
            const char *blank = strstr(forms[f], "%s");
            struct text text = { 0 };
            text_add(&text, forms[f], (size_t)(blank - forms[f]));
            text_puts(&text, values[v]);
            text_puts(&text, blank + 2);

            struct json_document document = parsed(text.bytes);
            size_t bytes = 0;
            const char *raw = json_raw(&document, &bytes, "value", NULL);
            check_raw(values[v], raw, &bytes);
            json_free(&document);
            text_free(&text);
        }
}

Test(json, raw_follows_a_path)
{
    struct json_document document = parsed(" {\"data\": [ {\"value\": 1 }, [2, 3] , {\"value\" :{\"a\":[-0 "
                                           "]}}],\"[0]\":\"odd\",\"\xC3\xBC\":7} ");
    size_t bytes = 0;

#define RAW(...) json_raw(&document, &bytes, __VA_ARGS__, NULL)
    check_raw("1", RAW("data", "[0]", "value"), &bytes);
    check_raw("[2, 3]", RAW("data", "[1]"), &bytes);
    check_raw("3", RAW("data", "[1]", "[1]"), &bytes);
    check_raw("-0", RAW("data", "[2]", "value", "a", "[0]"), &bytes);
    check_raw("\"odd\"", RAW("[0]"), &bytes);
    check_raw("7", RAW("\xC3\xBC"), &bytes);
    bytes = 99;
    cr_assert_null(RAW("absent"));
    cr_assert_null(RAW("data", "[3]"));
    cr_assert_null(RAW("data", "[18446744073709551616]"));
    cr_assert_null(RAW("data", "[1]", "[2]"));
    cr_assert_null(RAW("data", "value"));
    cr_assert_null(RAW("data", "[0"));
    cr_assert_null(RAW("data", "[0]x"));
    cr_assert_null(RAW("data", "[]"));
    cr_assert_null(RAW("data", "[-1]"));
    cr_assert_null(RAW("data", "[ 1]"));
    cr_assert_null(RAW("data", "[0]", "value", "deeper"));
    cr_assert_null(RAW("data", "[0]", "value", "[0]"));
    cr_assert_eq(bytes, 99);
#undef RAW
    const char *whole = json_raw(&document, &bytes, NULL);
    cr_assert_eq(whole, document.text + 1);
    cr_assert_eq(bytes, document.bytes - 2);
    json_free(&document);
    cr_assert_null(json_raw(&document, &bytes, "data", NULL));
}

/* A plain name with a backslash in it is not an escape. */
Test(json, raw_takes_names_as_they_are)
{
    struct json_document document = parsed("{\"a\\\\u0062\":1,\"ab\":2,\"q\\\"\":3}");
    size_t bytes;

    check_raw("1", json_raw(&document, &bytes, "a\\u0062", NULL), &bytes);
    check_raw("2", json_raw(&document, &bytes, "ab", NULL), &bytes);
    check_raw("3", json_raw(&document, &bytes, "q\"", NULL), &bytes);
    json_free(&document);
}

Test(json, compaction)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "1", "1" },
        { " \n1.10\t ", "1.10" },
        { "{ }", "{}" },
        { "[ 1 , 2 ]", "[1,2]" },
        { "{ \"a b\" : \" \\\" : , \" , \"c\" : [ { } , [\r\n] ] }",
          "{\"a b\":\" \\\" : , \",\"c\":[{},[]]}" },
        { "\" keep \\\\\"", "\" keep \\\\\"" },
        { "[-0, 1e400, 123456789012345678901234567890]", "[-0,1e400,123456789012345678901234567890]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = { 0 };
        text_puts(&text, ">");
        json_compact(&text, cases[i].in, strlen(cases[i].in));
        cr_assert_str_eq(text.bytes + 1, cases[i].out);
        text_free(&text);
    }
}

/* -- Random documents -------------------------------------------------------------------------- */

static uint64_t seed = 0x5DEECE66D1234567;

static unsigned draw(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static const char *pick(const char *const *from, unsigned count)
{
    return from[draw(count)];
}

#define PICK(...)                              \
    pick((const char *const[]){ __VA_ARGS__ }, \
         sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void draw_blank(struct text *text)
{
    while (draw(4) == 0)
        text_puts(text, PICK(" ", "\t", "\n", "\r"));
}

static void draw_characters(struct text *text)
{
    for (unsigned count = draw(6); count > 0; count--)
        text_puts(text, PICK("a", "b", "{", "]", ",", ":", "/", "\\\"", "\\\\", "\\/", "\\n", "\\u0061",
                             "\\uD83D\\uDE00", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x7f"));
}

static void draw_scalar(struct text *text)
{
    if (draw(3) == 0) {
        text_puts(text, "\"");
        draw_characters(text);
        text_puts(text, "\"");
    } else
        text_puts(text, PICK("null", "true", "false", "0", "-0", "7", "-12.50", "1e400", "1E-7", "0.1",
                             "18446744073709551615", "123456789012345678901234567890"));
}

static void draw_value(struct text *text, unsigned depth)
{
    draw_blank(text);
    unsigned form = depth < 6 ? draw(4) : 3;
    if (form > 1)
        draw_scalar(text);
    else {
        text_puts(text, form == 0 ? "[" : "{");
        draw_blank(text);
        for (unsigned i = 0, count = draw(5); i < count; i++) {
            if (i > 0)
                text_puts(text, ",");
            draw_blank(text);
            if (form == 1) {
                text_printf(text, "\"%u", i); /* names begin with a number of their own */
                draw_characters(text);
                text_puts(text, "\"");
                draw_blank(text);
                text_puts(text, ":");
            }
            draw_value(text, depth + 1);
        }
        text_puts(text, form == 0 ? "]" : "}");
    }
    draw_blank(text);
}

static void mutate(struct text *text)
{
    size_t place = draw((unsigned)text->length);
    char byte = draw(2) == 0 ? (char)draw(256)
                             : *PICK("{", "}", "[", "]", ",", ":", "\"", "\\", "0", "-", ".", "e", " ");
    switch (draw(3)) {
    case 0:
        text->bytes[place] = byte;
        break;
    case 1:
        memmove(text->bytes + place, text->bytes + place + 1, text->length - place);
        text->length--;
        break;
    default:
        text_add(text, " ", 1);
        memmove(text->bytes + place + 1, text->bytes + place, text->length - 1 - place);
        text->bytes[place] = byte;
    }
}

static bool check_random(const struct text *text)
{
    bool accepted;
    char *copy = exact_copy(text->bytes, text->length);
    const char *complaint = json_check(copy, text->length, &accepted);
    cr_assert_null(complaint, "%s: %s", complaint, text->bytes);
    free(copy);
    return accepted;
}

Test(json, random_documents_whole_and_broken)
{
    unsigned accepted = 0;
    for (int i = 0; i < 20000; i++) {
        struct text text = { 0 };
        draw_value(&text, 0);

        cr_assert(check_random(&text), "%s", text.bytes);
        mutate(&text);
        accepted += check_random(&text);
        text_free(&text);
    }
    /* The mutations must hit both sides; that some leave a document valid is expected of blanks, digits and
     * letters. */
    cr_assert(accepted > 2000 && accepted < 18000, "%u", accepted);
}

Test(json, names_are_compacted_to_one_spelling)
{
    static const struct {
        const char *raw, *compact;
    } rows[] = {
        { "{ \"a\" : 1.10, \"b\":{ } }", "{\"a\":1.10,\"b\":{}}" },
        { "{\"caf\\u00e9\": \"\\u00e9\", \"a\\/b\":-0}", "{\"café\":\"\\u00e9\",\"a/b\":-0}" },
        { "{\"c\\u0041\":{\"n\\u0041\":[1, {\"\\u0041\":2}],\"e\":{}}}", "{\"cA\":{\"nA\":[1,{\"\\u0041\":2}],\"e\":{}}}" },
        { "[\"\\u0041\", 1]", "[\"\\u0041\",1]" },
        { "{\"\\u0041\":{}}", "{\"A\":{}}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text out = { 0 };
        json_compact_names(&out, rows[i].raw, strlen(rows[i].raw));
        cr_expect_str_eq(out.bytes, rows[i].compact);
        text_free(&out);
    }
}

