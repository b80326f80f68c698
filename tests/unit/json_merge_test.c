#include "json.h"
#include "mem.h"

#include <criterion/criterion.h>
#include <string.h>

static void assert_merged(const char *target, const char *patch, const char *expected)
{
    struct json_document old, new;
    struct text out = { 0 };
    cr_assert_eq(json_parse(target, strlen(target), &old, NULL), TRANCHE_OK, "%s", target);
    cr_assert_eq(json_parse(patch, strlen(patch), &new, NULL), TRANCHE_OK, "%s", patch);
    json_merge(&out, &old, &new);
    cr_assert_str_eq(out.bytes, expected, "%s with %s", target, patch);
    text_free(&out);
    json_free(&old);
    json_free(&new);
}

/* The appendix of RFC 7386, without its two patches of no object's members that are the same case. */
Test(json_merge, follows_the_rfc)
{
    static const char *const rows[][3] = {
        { "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
        { "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
        { "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
        { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
        { "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
        { "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
        { "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
        { "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
        { "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
        { "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
        { "{\"a\":\"foo\"}", "null", "null" },
        { "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
        { "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
        { "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_merged(rows[i][0], rows[i][1], rows[i][2]);
}

Test(json_merge, keeps_the_bytes_of_values)
{
    assert_merged("{ \"v\" : 123456789012345678901234567890 , \"z\":-0}", "{\"w\": [ 1.10, \"\\u0041\" ]}",
                  "{\"v\":123456789012345678901234567890,\"z\":-0,\"w\":[1.10,\"\\u0041\"]}");
}
