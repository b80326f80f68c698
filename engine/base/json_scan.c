/* A recursive descent over the bytes, at most JSON_DEPTH_MAX deep. Besides the grammar of RFC 8259 it
 * enforces what makes a text mean the same to everyone who reads it: names of an object differ after their
 * escapes are resolved, surrogates come in pairs, UTF-8 is valid.
 *
 * Duplicates: the names of all objects still open lie in one growing list, the innermost object's last. At
 * the end of an object its part is sorted, which brings equal names together, and is dropped. Sorting keeps
 * the cost at n log n whatever names a client thinks up; a hash table would have to fear chosen ones.
 */
#include "json_scan.h"

#include "fail.h"
#include "json.h"
#include "mem.h"
#include "utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HEX_INVALID          UINT32_MAX
#define NAMES_MIN            64 /* the list's first size */
#define NAME_SHOWN_BYTES_MAX 64 /* of a duplicate, in the error text */

/* The name of a member as it stands between its quotes in the text, or a plain string to compare one with. */
struct name {
    const char *bytes;
    size_t length;
    bool escaped; /* a backslash in it begins an escape */
};

struct scan {
    const char *text;
    const char *at;
    const char *end;
    int depth;
    struct name *names;
    size_t name_count;
    size_t name_capacity;
    bool has_pairs;
    struct tranche_err *err;
};

static enum tranche_code scan_value(struct scan *scan);

static enum tranche_code refuse(const struct scan *scan, const char *at, const char *what)
{
    return fail(scan->err, TRANCHE_BADREQUEST, "%s at offset %zu", what, (size_t)(at - scan->text));
}

static enum tranche_code unexpected(const struct scan *scan)
{
    return refuse(scan, scan->at, scan->at < scan->end ? "unexpected character" : "unexpected end");
}

static bool next_is(const struct scan *scan, char wanted)
{
    return scan->at < scan->end && *scan->at == wanted;
}

static bool take(struct scan *scan, char wanted)
{
    if (!next_is(scan, wanted))
        return false;
    scan->at++;
    return true;
}

static void skip_blank(struct scan *scan)
{
    scan->at = json_scan_blank(scan->at, scan->end);
}

enum tranche_code json_scan(const char *text, size_t bytes, bool *has_pairs, struct tranche_err *err)
{
    struct scan scan = { .text = text, .at = text, .end = text + bytes, .err = err };
    skip_blank(&scan);
    enum tranche_code code = scan_value(&scan);
    skip_blank(&scan);
    if (code == TRANCHE_OK && scan.at < scan.end)
        code = unexpected(&scan);
    free(scan.names);
    *has_pairs = scan.has_pairs;
    return code;
}

/* -- Scalars ----------------------------------------------------------------------------------- */

static enum tranche_code scan_word(struct scan *scan, const char *word)
{
    for (; *word != '\0'; word++)
        if (!take(scan, *word))
            return unexpected(scan);
    return TRANCHE_OK;
}

static bool take_digits(struct scan *scan)
{
    const char *first = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > first;
}

static enum tranche_code scan_number(struct scan *scan)
{
    const char *first = scan->at;
    take(scan, '-');
    if (!take(scan, '0') && !take_digits(scan))
        return unexpected(scan);
    if (take(scan, '.') && !take_digits(scan))
        return unexpected(scan);
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+'))
            take(scan, '-');
        if (!take_digits(scan))
            return unexpected(scan);
    }
    if (scan->at - first > JSON_NUMBER_BYTES_MAX)
        return refuse(scan, first, "number too long");
    return TRANCHE_OK;
}

static uint32_t hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (uint32_t)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (uint32_t)(digit - 'a' + 10);
    if (digit >= 'A' && digit <= 'F')
        return (uint32_t)(digit - 'A' + 10);
    return HEX_INVALID;
}

/* The UTF-16 unit of an escape "\uXXXX" at `at`; HEX_INVALID if there is none. */
static uint32_t escape_unit(const char *at, const char *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return HEX_INVALID;
    uint32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        uint32_t digit = hex_digit(at[i]);
        if (digit == HEX_INVALID)
            return HEX_INVALID;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_high_surrogate(uint32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(uint32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static enum tranche_code scan_unicode_escape(struct scan *scan)
{
    uint32_t unit = escape_unit(scan->at, scan->end);
    if (unit == HEX_INVALID)
        return refuse(scan, scan->at, "invalid escape");
    if (unit == 0) /* JSON allows it, but a C string would end there */
        return refuse(scan, scan->at, "NUL character");
    bool pair = is_high_surrogate(unit) && is_low_surrogate(escape_unit(scan->at + 6, scan->end));
    if (!pair && (is_high_surrogate(unit) || is_low_surrogate(unit)))
        return refuse(scan, scan->at, "lone surrogate");
    scan->has_pairs = scan->has_pairs || pair;
    scan->at += pair ? 12 : 6;
    return TRANCHE_OK;
}

static enum tranche_code scan_escape(struct scan *scan)
{
    static const char short_escapes[] = { '"', '\\', '/', 'b', 'f', 'n', 'r', 't' };
    if (scan->end - scan->at < 2)
        return refuse(scan, scan->end, "unexpected end");
    if (scan->at[1] == 'u')
        return scan_unicode_escape(scan);
    if (memchr(short_escapes, scan->at[1], sizeof short_escapes) == NULL)
        return refuse(scan, scan->at, "invalid escape");
    scan->at += 2;
    return TRANCHE_OK;
}

static enum tranche_code scan_character(struct scan *scan)
{
    if (*scan->at == '\\')
        return scan_escape(scan);
    if ((unsigned char)*scan->at < 0x20)
        return refuse(scan, scan->at, "control character in a string");
    size_t bytes = utf8_bytes(scan->at, (size_t)(scan->end - scan->at));
    if (bytes == 0)
        return refuse(scan, scan->at, "invalid UTF-8");
    scan->at += bytes;
    return TRANCHE_OK;
}

static enum tranche_code scan_string(struct scan *scan)
{
    if (!take(scan, '"'))
        return unexpected(scan);
    while (scan->at < scan->end && *scan->at != '"') {
        enum tranche_code code = scan_character(scan);
        if (code != TRANCHE_OK)
            return code;
    }
    return take(scan, '"') ? TRANCHE_OK : unexpected(scan);
}

/* -- Names ------------------------------------------------------------------------------------- */

/* The name between the quotes from `first` to before `end`. */
static struct name name_between(const char *first, const char *end)
{
    struct name name = { .bytes = first + 1, .length = (size_t)(end - first) - 2 };
    name.escaped = memchr(name.bytes, '\\', name.length) != NULL;
    return name;
}

/* The character that a valid escape at *at stands for; moves past it. */
static uint32_t escape_point(const char **at, const char *end)
{
    uint32_t unit = escape_unit(*at, end);
    if (unit != HEX_INVALID) {
        *at += 6;
        if (!is_high_surrogate(unit))
            return unit;
        uint32_t low = escape_unit(*at, end);
        *at += 6;
        return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    char letter = (*at)[1];
    *at += 2;
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return (unsigned char)letter;
    }
}

static uint32_t name_point(const struct name *name, const char **at)
{
    const char *end = name->bytes + name->length;
    if (name->escaped && **at == '\\')
        return escape_point(at, end);
    size_t bytes = utf8_bytes(*at, (size_t)(end - *at));
    assert(bytes > 0); /* the scan, or the caller's literal, is valid */
    uint32_t point = utf8_point(*at, bytes);
    *at += bytes;
    return point;
}

/* By code points, which for UTF-8 is the order of the bytes too. */
static int name_compare(const struct name *a, const struct name *b)
{
    if (!a->escaped && !b->escaped) {
        size_t common = a->length < b->length ? a->length : b->length;
        int order = memcmp(a->bytes, b->bytes, common);
        return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
    }
    const char *a_at = a->bytes, *a_end = a->bytes + a->length;
    const char *b_at = b->bytes, *b_end = b->bytes + b->length;
    while (a_at < a_end && b_at < b_end) {
        uint32_t a_point = name_point(a, &a_at);
        uint32_t b_point = name_point(b, &b_at);
        if (a_point != b_point)
            return a_point < b_point ? -1 : 1;
    }
    return (a_at < a_end) - (b_at < b_end);
}

/* Equal names in the order of their places in the text. */
static int name_order(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    int order = name_compare(left, right);
    return order != 0 ? order : (left->bytes > right->bytes) - (left->bytes < right->bytes);
}

static enum tranche_code remember_name(struct scan *scan, struct name name)
{
    if (scan->name_count == scan->name_capacity) {
        size_t capacity = scan->name_capacity == 0 ? NAMES_MIN : scan->name_capacity * 2;
        struct name *names = realloc(scan->names, capacity * sizeof *names);
        if (names == NULL)
            return fail(scan->err, TRANCHE_NOMEM, "out of memory");
        scan->names = names;
        scan->name_capacity = capacity;
    }
    scan->names[scan->name_count++] = name;
    return TRANCHE_OK;
}

/* Drops the names from `first` on, those of the object that has just ended, after a look whether two are
 * equal. */
static enum tranche_code settle_names(struct scan *scan, size_t first)
{
    size_t count = scan->name_count - first;
    scan->name_count = first;
    if (count < 2)
        return TRANCHE_OK;
    struct name *names = scan->names + first;
    qsort(names, count, sizeof *names, name_order);
    const struct name *duplicate = NULL;
    for (size_t i = 1; i < count; i++)
        if (name_compare(&names[i - 1], &names[i]) == 0 &&
            (duplicate == NULL || names[i].bytes < duplicate->bytes))
            duplicate = &names[i];
    if (duplicate == NULL)
        return TRANCHE_OK;
    size_t shown = duplicate->length < NAME_SHOWN_BYTES_MAX ? duplicate->length : NAME_SHOWN_BYTES_MAX;
    return fail(scan->err, TRANCHE_BADREQUEST, "duplicate member \"%.*s\" at offset %zu", (int)shown,
                duplicate->bytes, (size_t)(duplicate->bytes - 1 - scan->text));
}

/* -- Arrays and objects ------------------------------------------------------------------------ */

static enum tranche_code scan_name(struct scan *scan, size_t names_before)
{
    const char *first = scan->at;
    enum tranche_code code = scan_string(scan);
    if (code != TRANCHE_OK)
        return code;
    if (scan->name_count - names_before == JSON_MEMBERS_MAX)
        return refuse(scan, first, "too many members in one object");
    return remember_name(scan, name_between(first, scan->at));
}

static enum tranche_code scan_member(struct scan *scan, size_t names_before)
{
    enum tranche_code code = scan_name(scan, names_before);
    if (code != TRANCHE_OK)
        return code;
    skip_blank(scan);
    if (!take(scan, ':'))
        return unexpected(scan);
    skip_blank(scan);
    return scan_value(scan);
}

/* The members or items from behind the opening bracket to past the closing one. */
static enum tranche_code scan_inside(struct scan *scan, bool object)
{
    const char closing = object ? '}' : ']';
    size_t names_before = scan->name_count;
    skip_blank(scan);
    if (take(scan, closing))
        return TRANCHE_OK;
    do {
        skip_blank(scan);
        enum tranche_code code = object ? scan_member(scan, names_before) : scan_value(scan);
        if (code != TRANCHE_OK)
            return code;
        skip_blank(scan);
    } while (take(scan, ','));
    if (!take(scan, closing))
        return unexpected(scan);
    return settle_names(scan, names_before);
}

static enum tranche_code scan_container(struct scan *scan)
{
    if (scan->depth == JSON_DEPTH_MAX)
        return refuse(scan, scan->at, "nested too deeply");
    scan->depth++;
    bool object = take(scan, '{');
    if (!object)
        take(scan, '[');
    enum tranche_code code = scan_inside(scan, object);
    scan->depth--;
    return code;
}

static enum tranche_code scan_value(struct scan *scan)
{
    if (scan->at == scan->end)
        return unexpected(scan);
    switch (*scan->at) {
    case '{':
    case '[':
        return scan_container(scan);
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        return scan_number(scan);
    }
}

/* -- In a text that was accepted --------------------------------------------------------------- */

/* Such a text has backslashes only inside strings, and each begins an escape. */
void json_scan_join_pairs(struct text *out, const char *text, size_t bytes)
{
    const char *end = text + bytes;
    const char *at = text;
    for (const char *escape; (escape = memchr(at, '\\', (size_t)(end - at))) != NULL;) {
        text_add(out, at, (size_t)(escape - at));
        at = escape;
        uint32_t point = escape_point(&at, end);
        char character[4];
        if (point > 0xFFFF)
            text_add(out, character, utf8_write(point, character));
        else
            text_add(out, escape, (size_t)(at - escape));
    }
    text_add(out, at, (size_t)(end - at));
}

const char *json_scan_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

const char *json_scan_string(const char *at, const char *end)
{
    at++;
    while (at < end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    return at < end ? at + 1 : end;
}

static const char *past_scalar(const char *at, const char *end)
{
    static const char delimiters[] = { ',', ']', '}', ' ', '\t', '\n', '\r' };
    while (at < end && memchr(delimiters, *at, sizeof delimiters) == NULL)
        at++;
    return at;
}

const char *json_scan_value(const char *at, const char *end)
{
    if (*at == '"')
        return json_scan_string(at, end);
    if (*at != '{' && *at != '[')
        return past_scalar(at, end);
    size_t open = 0;
    while (at < end) {
        if (*at == '"') {
            at = json_scan_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            open++;
        else if (*at == '}' || *at == ']')
            open--;
        at++;
        if (open == 0)
            break;
    }
    return at;
}

/* From the end of a member or item to the beginning of the next, or to the closing bracket. */
static const char *past_comma(const char *at, const char *end)
{
    at = json_scan_blank(at, end);
    return at < end && *at == ',' ? json_scan_blank(at + 1, end) : at;
}

const char *json_scan_member(const char *at, const char *end, const char *name)
{
    if (*at != '{')
        return NULL;
    const struct name wanted = { .bytes = name, .length = strlen(name) };
    at = json_scan_blank(at + 1, end);
    while (at < end && *at == '"') {
        const char *name_end = json_scan_string(at, end);
        const struct name found = name_between(at, name_end);
        const char *colon = json_scan_blank(name_end, end);
        const char *value = json_scan_blank(colon + 1, end);
        if (name_compare(&found, &wanted) == 0)
            return value;
        at = past_comma(json_scan_value(value, end), end);
    }
    return NULL;
}

const char *json_scan_item(const char *at, const char *end, size_t index)
{
    if (*at != '[')
        return NULL;
    at = json_scan_blank(at + 1, end);
    while (at < end && *at != ']' && index > 0) {
        at = past_comma(json_scan_value(at, end), end);
        index--;
    }
    return at < end && *at != ']' ? at : NULL;
}
