/* A recursive-descent skimmer: each skip_* takes the position of a token and returns the one behind it, or
 * NULL when the text breaks the grammar of RFC 8259. NULL passes through, so that callers need not look in
 * between.
 */
#include "fleetsim_json.h"

#include <ctype.h>

/* Deeper values are refused. The recursion stays within a few KiB of stack, and no device property comes
 * near. */
#define JSON_DEPTH_MAX 64

static const char *skip_value(const char *at, const char *end, unsigned depth);

static const char *skip_space(const char *at, const char *end)
{
    while (at != NULL && at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static const char *skip_byte(const char *at, const char *end, char wanted)
{
    return at != NULL && at < end && *at == wanted ? at + 1 : NULL;
}

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static const char *skip_digits(const char *at, const char *end)
{
    if (at == NULL || !is_digit(at, end))
        return NULL;
    while (is_digit(at, end))
        at++;
    return at;
}

static const char *skip_number(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    at = at < end && *at == '0' ? at + 1 : skip_digits(at, end);
    if (at != NULL && at < end && *at == '.')
        at = skip_digits(at + 1, end);
    if (at != NULL && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = skip_digits(at, end);
    }
    return at;
}

/* `at` is behind the backslash. */
static const char *skip_escape(const char *at, const char *end)
{
    if (at == end)
        return NULL;
    if (*at != 'u')
        return memchr("\"\\/bfnrt", *at, 8) != NULL ? at + 1 : NULL;
    if (end - at < 5)
        return NULL;
    for (int i = 1; i <= 4; i++)
        if (!isxdigit((unsigned char)at[i]))
            return NULL;
    return at + 5;
}

static const char *skip_string(const char *at, const char *end)
{
    at = skip_byte(at, end, '"');
    while (at != NULL && at < end && *at != '"') {
        if ((unsigned char)*at < 0x20)
            return NULL;
        at = *at == '\\' ? skip_escape(at + 1, end) : at + 1;
    }
    return skip_byte(at, end, '"');
}

static const char *skip_word(const char *at, const char *end, const char *word)
{
    size_t bytes = strlen(word);
    return (size_t)(end - at) >= bytes && memcmp(at, word, bytes) == 0 ? at + bytes : NULL;
}

static const char *skip_member(const char *at, const char *end, unsigned depth)
{
    at = skip_space(skip_string(at, end), end);
    at = skip_space(skip_byte(at, end, ':'), end);
    return skip_value(at, end, depth);
}

/* An object or an array, from its opening bracket. */
static const char *skip_nest(const char *at, const char *end, char close, unsigned depth)
{
    at = skip_space(at + 1, end);
    if (at < end && *at == close)
        return at + 1;
    while (at != NULL) {
        at = close == '}' ? skip_member(at, end, depth) : skip_value(at, end, depth);
        at = skip_space(at, end);
        if (at == NULL || at == end)
            return NULL;
        if (*at == close)
            return at + 1;
        at = skip_space(skip_byte(at, end, ','), end);
    }
    return NULL;
}

static const char *skip_value(const char *at, const char *end, unsigned depth)
{
    if (at == NULL || at == end || depth == JSON_DEPTH_MAX)
        return NULL;
    switch (*at) {
    case '{':
        return skip_nest(at, end, '}', depth + 1);
    case '[':
        return skip_nest(at, end, ']', depth + 1);
    case '"':
        return skip_string(at, end);
    case 't':
        return skip_word(at, end, "true");
    case 'f':
        return skip_word(at, end, "false");
    case 'n':
        return skip_word(at, end, "null");
    default:
        return skip_number(at, end);
    }
}

struct json_object json_object_open(struct span text)
{
    struct json_object object = { .at = text.data, .end = text.data + text.bytes };
    object.at = skip_space(skip_byte(skip_space(object.at, object.end), object.end, '{'), object.end);
    object.broken = object.at == NULL;
    return object;
}

static bool object_break(struct json_object *object)
{
    object->broken = true;
    return false;
}

/* At the closing bracket: only white space may follow. */
static bool object_end(struct json_object *object)
{
    object->broken = skip_space(object->at + 1, object->end) != object->end;
    return false;
}

bool json_object_next(struct json_object *object, struct span *name, struct span *value)
{
    if (object->broken || object->at == object->end)
        return object_break(object);
    if (*object->at == '}')
        return object_end(object);

    const char *at = object->at, *end = object->end;
    if (object->started)
        at = skip_space(skip_byte(at, end, ','), end);
    object->started = true;
    const char *name_end = skip_string(at, end);
    const char *colon = skip_space(name_end, end);
    const char *start = skip_space(skip_byte(colon, end, ':'), end);
    const char *value_end = skip_value(start, end, 1);
    if (value_end == NULL)
        return object_break(object);

    *name = (struct span){ at, (size_t)(name_end - at) };
    *value = (struct span){ start, (size_t)(value_end - start) };
    object->at = skip_space(value_end, end);
    return true;
}

/* The length of the well-formed UTF-8 sequence at `at`, or 0 (Unicode, table 3-7). */
static size_t utf8_bytes(const unsigned char *at, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t bytes;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        bytes = 2;
    else if ((at[0] & 0xf0) == 0xe0)
        bytes = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        bytes = 4;
    else
        return 0;
    if (at[0] == 0xe0)
        low = 0xa0;
    if (at[0] == 0xed)
        high = 0x9f;
    if (at[0] == 0xf0)
        low = 0x90;
    if (at[0] == 0xf4)
        high = 0x8f;
    if (left < bytes || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return bytes;
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static void put_escape(struct bytes *out, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    if (byte == '"' || byte == '\\') {
        bytes_put(out, (char[]){ '\\', (char)byte }, 2);
        return;
    }
    bytes_put(out, (char[]){ '\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15] }, 6);
}

void json_put_string(struct bytes *out, struct span text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t i = 0;
    bytes_put(out, "\"", 1);
    while (i < text.bytes) {
        size_t first = i;
        while (i < text.bytes && is_plain(at[i]))
            i++;
        bytes_put(out, text.data + first, i - first);
        if (i == text.bytes)
            break;
        size_t sequence = at[i] >= 0x80 ? utf8_bytes(at + i, text.bytes - i) : 0;
        if (sequence > 0)
            bytes_put(out, text.data + i, sequence);
        else if (at[i] >= 0x80)
            bytes_put_text(out, "\\ufffd");
        else
            put_escape(out, at[i]);
        i += sequence > 0 ? sequence : 1;
    }
    bytes_put(out, "\"", 1);
}
