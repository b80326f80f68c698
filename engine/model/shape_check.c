/* Whether a value has a shape.
 *
 * The JSON tree tells types, names and strings; the digits of a number are taken from the bytes, since the
 * tree's numbers are the machine's. So the tree and the bytes are walked side by side: both have the members
 * in the order of the text.
 */
#include "shape.h"

#include "dtdl.h"
#include "fail.h"
#include "json_scan.h"
#include "when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS         "0123456789"
#define TIME_BYTES_MAX 40 /* the longest time has 9 digits of fraction and an offset: well below */
#define CHOICES_MAX    8  /* values of an enum that a refusal lists */
#define EXPONENT_MAX   (10 * JSON_NUMBER_BYTES_MAX) /* beyond any that the other digits could make up for */

struct checker {
    const char *at, *end; /* the bytes that have not been walked */
    const struct trail *root;
    const char *subject;
    struct tranche_err *err;
};

/* A value of the right JSON type: in the tree, and as bytes. */
struct value {
    const struct json *tree;
    const char *raw;
    size_t bytes;
};

/* They walk past a value that fits; the last three from the first thing inside it to the closing bracket. */
typedef enum tranche_code value_checker(struct checker *, const struct shape *, const struct json *,
                                        const struct trail *);
static value_checker check, check_object, check_map, check_array;

enum tranche_code shape_check(const struct shape *shape, const char *raw, size_t bytes,
                              const struct trail *trail, const char *subject, struct tranche_err *err)
{
    struct json_document document;
    enum tranche_code code = json_parse(raw, bytes, &document, err);
    if (code != TRANCHE_OK)
        return code;
    struct checker checker = { json_scan_blank(raw, raw + bytes), raw + bytes, trail, subject, err };
    code = check(&checker, shape, document.root, trail);
    json_free(&document);
    return code;
}

/* -- Refusals ---------------------------------------------------------------------------------- */

static void print_choices(const struct shape *shape, struct text *out)
{
    text_puts(out, "one of ");
    for (size_t i = 0; i < shape->count && i < CHOICES_MAX; i++) {
        text_puts(out, i > 0 ? ", " : "");
        if (shape->kind == SHAPE_NUMBER_ENUM)
            text_printf(out, "%lld", (long long)shape->numbers[i]);
        else
            text_printf(out, "\"%.*s\"", DTDL_SHOWN_BYTES_MAX, shape->strings[i]);
    }
    text_puts(out, shape->count > CHOICES_MAX ? ", ..." : "");
}

/* The value does not have the shape; `found` says what it is instead. */
static enum tranche_code refuse(const struct checker *checker, const struct shape *shape,
                                const struct trail *trail, const char *found)
{
    char where[TRAIL_BYTES];
    struct text phrase = { 0 };
    if (shape->phrase != NULL)
        text_puts(&phrase, shape->phrase);
    else
        print_choices(shape, &phrase);
    bool whole = trail == checker->root;
    enum tranche_code code =
        phrase.failed
            ? fail(checker->err, TRANCHE_NOMEM, "out of memory")
            : fail(checker->err, TRANCHE_INVALID, "%s: %s %s %s%s, found %s.", trail_print(trail, where),
                   checker->subject, whole ? "is" : "holds", phrase.bytes, whole ? "" : " here", found);
    text_free(&phrase);
    return code;
}

static enum tranche_code refuse_type(const struct checker *checker, const struct shape *shape,
                                     const struct trail *trail, enum json_type found)
{
    static const char *const names[] = {
        [JSON_NONE] = "nothing",     [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean",
        [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object",
    };
    return refuse(checker, shape, trail, names[found]);
}

static enum tranche_code refuse_value(const struct checker *checker, const struct shape *shape,
                                      const struct trail *trail, const struct value *value)
{
    char found[DTDL_SHOWN_BYTES_MAX + sizeof "..."];
    bool cut = value->bytes > DTDL_SHOWN_BYTES_MAX;
    snprintf(found, sizeof found, "%.*s%s", cut ? DTDL_SHOWN_BYTES_MAX : (int)value->bytes, value->raw,
             cut ? "..." : "");
    return refuse(checker, shape, trail, found);
}

/* -- Scalars ----------------------------------------------------------------------------------- */

static long read_exponent(const char *at, const char *end)
{
    if (at == end)
        return 0;
    at++; /* the e */
    bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    long exponent = 0;
    for (; at < end && exponent < EXPONENT_MAX; at++)
        exponent = exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

/* Appends zeros to the number; false when it gets too big. */
static bool append_zeros(uint64_t *number, long count)
{
    for (; count > 0 && *number > 0; count--)
        if (__builtin_mul_overflow(*number, 10, number))
            return false;
    return true;
}

/* The number where it is a whole one of 64 bits, however it is written: 5, 5.0, 0.5e1. Zeros wait for a digit
 * behind them, so what does not fit although they are left out is too big or has a fraction. */
static bool read_whole(const struct value *value, int64_t *number)
{
    bool negative = value->raw[0] == '-', fraction = false;
    const char *at = value->raw + negative, *end = value->raw + value->bytes;
    uint64_t magnitude = 0;
    long places = 0, exponent = 0;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        exponent -= fraction;
        places++;
        if (*at == '0')
            continue;
        if (!append_zeros(&magnitude, places) || __builtin_add_overflow(magnitude, *at - '0', &magnitude))
            return false;
        places = 0;
    }
    exponent += places + read_exponent(at, end);
    if (magnitude > 0 && (exponent < 0 || !append_zeros(&magnitude, exponent)))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *number = negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
    return true;
}

static bool is_anything(const struct shape *shape, const struct value *value)
{
    (void)shape;
    (void)value;
    return true;
}

static bool is_integer(const struct shape *shape, const struct value *value)
{
    int64_t number;
    bool whole = read_whole(value, &number);
    return whole && (shape->kind == SHAPE_LONG || (number >= INT32_MIN && number <= INT32_MAX));
}

static int compare_number(const void *key, const void *entry)
{
    int64_t left = *(const int64_t *)key, right = *(const int64_t *)entry;
    return (left > right) - (left < right);
}

static bool is_listed_number(const struct shape *shape, const struct value *value)
{
    int64_t number;
    return read_whole(value, &number) &&
           bsearch(&number, shape->numbers, shape->count, sizeof *shape->numbers, compare_number) != NULL;
}

static int compare_string(const void *key, const void *entry)
{
    return strcmp(key, *(const char *const *)entry);
}

static bool is_listed_string(const struct shape *shape, const struct value *value)
{
    return bsearch(json_string(value->tree), shape->strings, shape->count, sizeof *shape->strings,
                   compare_string) != NULL;
}

static bool is_point_in_time(const char *date, const char *time, const char *offset)
{
    char text[sizeof "2000-01-01TZ" + TIME_BYTES_MAX];
    int64_t us;
    snprintf(text, sizeof text, "%sT%s%s", date, time, offset);
    return when_parse(text, &us, NULL) == TRANCHE_OK;
}

static bool is_date(const struct shape *shape, const struct value *value)
{
    (void)shape;
    const char *text = json_string(value->tree);
    return strlen(text) == strlen("2000-01-01") && is_point_in_time(text, "00:00:00", "Z");
}

static bool is_date_time(const struct shape *shape, const struct value *value)
{
    (void)shape;
    int64_t us;
    return when_parse(json_string(value->tree), &us, NULL) == TRANCHE_OK;
}

/* With an offset, as RFC 3339 wants it, or without, as people write it. */
static bool is_time(const struct shape *shape, const struct value *value)
{
    (void)shape;
    const char *text = json_string(value->tree);
    bool local = strpbrk(text, "Zz+-") == NULL;
    return strlen(text) <= TIME_BYTES_MAX && is_point_in_time("2000-01-01", text, local ? "Z" : "");
}

/* Past numbers with a unit each, in the order of `units`; NULL where something else follows a number. */
static const char *past_units(const char *at, const char *units)
{
    size_t digits;
    while ((digits = strspn(at, DIGITS)) > 0) {
        at += digits;
        if (*at == '.' || *at == ',')
            at += 1 + strspn(at + 1, DIGITS);
        const char *unit = *at != '\0' ? strchr(units, *at) : NULL;
        if (unit == NULL || at[-1] == '.' || at[-1] == ',')
            return NULL;
        units = unit + 1;
        at++;
    }
    return at;
}

/* ISO 8601: "P1Y2M3DT4H5M6.7S", any of it left out, but not all. */
static bool is_duration(const struct shape *shape, const struct value *value)
{
    (void)shape;
    const char *text = json_string(value->tree);
    const char *days = text[0] == 'P' ? past_units(text + 1, "YMWD") : NULL;
    if (days == NULL || *days == '\0')
        return days != NULL && days > text + 1;
    const char *seconds = *days == 'T' ? past_units(days + 1, "HMS") : NULL;
    return seconds != NULL && seconds > days + 1 && *seconds == '\0';
}

static const struct {
    enum json_type type;
    bool (*fits)(const struct shape *shape, const struct value *value); /* a value of that type */
    value_checker *inside;                                              /* or whether what it holds fits */
} kinds[] = {
    [SHAPE_ANY] = { JSON_NONE, .fits = is_anything },
    [SHAPE_BOOLEAN] = { JSON_BOOL, .fits = is_anything },
    [SHAPE_INTEGER] = { JSON_NUMBER, .fits = is_integer },
    [SHAPE_LONG] = { JSON_NUMBER, .fits = is_integer },
    [SHAPE_NUMBER] = { JSON_NUMBER, .fits = is_anything },
    [SHAPE_STRING] = { JSON_STRING, .fits = is_anything },
    [SHAPE_DATE] = { JSON_STRING, .fits = is_date },
    [SHAPE_DATE_TIME] = { JSON_STRING, .fits = is_date_time },
    [SHAPE_TIME] = { JSON_STRING, .fits = is_time },
    [SHAPE_DURATION] = { JSON_STRING, .fits = is_duration },
    [SHAPE_GEOJSON] = { JSON_OBJECT, .fits = is_anything },
    [SHAPE_NUMBER_ENUM] = { JSON_NUMBER, .fits = is_listed_number },
    [SHAPE_STRING_ENUM] = { JSON_STRING, .fits = is_listed_string },
    [SHAPE_OBJECT] = { JSON_OBJECT, .inside = check_object },
    [SHAPE_MAP] = { JSON_OBJECT, .inside = check_map },
    [SHAPE_ARRAY] = { JSON_ARRAY, .inside = check_array },
};

/* -- What holds values ------------------------------------------------------------------------- */

/* To the first member or item, or to the end of there being none. */
static void walk_in(struct checker *checker)
{
    checker->at = json_scan_blank(checker->at + 1, checker->end);
}

/* From a member's name to its value. */
static void walk_name(struct checker *checker)
{
    const char *colon = json_scan_blank(json_scan_string(checker->at, checker->end), checker->end);
    checker->at = json_scan_blank(colon + 1, checker->end);
}

/* From the end of a member or item to the next, or to the bracket that closes them. */
static void walk_on(struct checker *checker)
{
    checker->at = json_scan_blank(checker->at, checker->end);
    if (*checker->at == ',')
        walk_in(checker);
}

static int compare_field(const void *key, const void *entry)
{
    return strcmp(key, ((const struct shape_field *)entry)->name);
}

static const struct shape_field *field_find(const struct shape *shape, const char *name)
{
    return bsearch(name, shape->fields, shape->count, sizeof *shape->fields, compare_field);
}

static enum tranche_code refuse_member(const struct checker *checker, const struct trail *trail)
{
    char where[TRAIL_BYTES];
    return fail(checker->err, TRANCHE_INVALID, "%s: %s has no such field.", trail_print(trail, where),
                checker->subject);
}

/* Some required field is not among an object's members. */
static enum tranche_code refuse_gap(const struct checker *checker, const struct shape *shape,
                                    const struct json *tree, const struct trail *trail)
{
    const struct shape_field *field = shape->fields;
    while (!field->required || dtdl_is_given(json_member(tree, field->name)))
        field++;
    struct trail below = { trail, field->name, 0 };
    return refuse_type(checker, field->shape, &below, JSON_NONE);
}

/* A null is as good as absent. */
static enum tranche_code check_member(struct checker *checker, const struct shape *shape,
                                      const struct json *tree, const struct trail *trail)
{
    if (dtdl_is_given(tree))
        return check(checker, shape, tree, trail);
    checker->at = json_scan_value(checker->at, checker->end);
    return TRANCHE_OK;
}

static enum tranche_code check_object(struct checker *checker, const struct shape *shape,
                                      const struct json *tree, const struct trail *trail)
{
    enum tranche_code code = TRANCHE_OK;
    size_t required_count = 0;
    const char *name;
    struct json *member;
    for (void *cursor = NULL; json_next(tree, &cursor, &name, &member) && code == TRANCHE_OK;
         walk_on(checker)) {
        struct trail below = { trail, name, 0 };
        const struct shape_field *field = field_find(shape, name);
        if (field == NULL)
            return refuse_member(checker, &below);
        required_count += field->required && dtdl_is_given(member);
        walk_name(checker);
        code = check_member(checker, field->shape, member, &below);
    }
    if (code == TRANCHE_OK && required_count < shape->required_count)
        code = refuse_gap(checker, shape, tree, trail);
    return code;
}

static enum tranche_code check_map(struct checker *checker, const struct shape *shape,
                                   const struct json *tree, const struct trail *trail)
{
    enum tranche_code code = TRANCHE_OK;
    const char *name;
    struct json *member;
    for (void *cursor = NULL; json_next(tree, &cursor, &name, &member) && code == TRANCHE_OK;
         walk_on(checker)) {
        walk_name(checker);
        code = check_member(checker, shape->inner, member, &(struct trail){ trail, name, 0 });
    }
    return code;
}

static enum tranche_code check_array(struct checker *checker, const struct shape *shape,
                                     const struct json *tree, const struct trail *trail)
{
    enum tranche_code code = TRANCHE_OK;
    for (size_t i = 0; i < json_count(tree) && code == TRANCHE_OK; i++, walk_on(checker))
        code = check(checker, shape->inner, json_item(tree, i), &(struct trail){ trail, NULL, i });
    return code;
}

static enum tranche_code check_scalar(struct checker *checker, const struct shape *shape,
                                      const struct json *tree, const struct trail *trail)
{
    struct value value = { .tree = tree, .raw = checker->at };
    checker->at = json_scan_value(checker->at, checker->end);
    value.bytes = (size_t)(checker->at - value.raw);
    return kinds[shape->kind].fits(shape, &value) ? TRANCHE_OK : refuse_value(checker, shape, trail, &value);
}

static enum tranche_code check(struct checker *checker, const struct shape *shape, const struct json *tree,
                               const struct trail *trail)
{
    enum json_type expected = kinds[shape->kind].type, found = json_type(tree);
    if (expected != JSON_NONE && expected != found)
        return refuse_type(checker, shape, trail, found);
    if (kinds[shape->kind].inside == NULL)
        return check_scalar(checker, shape, tree, trail);
    walk_in(checker);
    enum tranche_code code = kinds[shape->kind].inside(checker, shape, tree, trail);
    checker->at += code == TRANCHE_OK; /* the bracket that closes it */
    return code;
}
