#include "percent.h"

#include "fail.h"

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The byte that "%XY" at `at` stands for, or -1. */
static int escaped_byte(const char *at, const char *end)
{
    if (end - at < 3)
        return -1;
    int high = hex_value(at[1]);
    int low = hex_value(at[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum tranche_code percent_decode(struct arena *arena, const char *text, size_t bytes, const char **out,
                                 struct tranche_err *err)
{
    char *decoded = arena_take(arena, bytes + 1);
    if (decoded == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));

    const char *end = text + bytes;
    char *to = decoded;
    for (const char *at = text; at < end; at++) {
        int byte = *at;
        if (*at == '%') {
            byte = escaped_byte(at, end);
            if (byte < 0)
                return fail(err, TRANCHE_BADREQUEST, "The URL has a \"%%\" without two hexadecimal digits.");
            at += 2;
        }
        if (byte == 0)
            return fail(err, TRANCHE_BADREQUEST, "The URL has a NUL character.");
        *to++ = (char)byte;
    }
    *out = decoded;
    return TRANCHE_OK;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void percent_encode(struct text *out, const char *string)
{
    for (const char *at = string; *at != '\0'; at++) {
        if (is_unreserved(*at))
            text_add(out, at, 1);
        else
            text_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
    }
}
