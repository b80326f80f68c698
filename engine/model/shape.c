/* From a schema to a shape. The recursion follows the schema's nesting, which JSON_DEPTH_MAX bounds. */
#include "shape.h"

#include "dtdl.h"
#include "fail.h"

#include <stdlib.h>
#include <string.h>

static const struct shape any = { .kind = SHAPE_ANY, .phrase = "any value" };
static const struct shape boolean = { .kind = SHAPE_BOOLEAN, .phrase = "a boolean" };
static const struct shape integer = { .kind = SHAPE_INTEGER, .phrase = "an integer of 32 bits" };
static const struct shape long_integer = { .kind = SHAPE_LONG, .phrase = "an integer of 64 bits" };
static const struct shape number = { .kind = SHAPE_NUMBER, .phrase = "a number" };
static const struct shape string = { .kind = SHAPE_STRING, .phrase = "a string" };
static const struct shape date = { .kind = SHAPE_DATE, .phrase = "a date such as \"2026-03-02\"" };
static const struct shape date_time = {
    .kind = SHAPE_DATE_TIME,
    .phrase = "a date and time such as \"2026-03-02T09:15:00Z\"",
};
static const struct shape time_of_day = { .kind = SHAPE_TIME, .phrase = "a time such as \"09:15:00\"" };
static const struct shape duration = { .kind = SHAPE_DURATION, .phrase = "a duration such as \"P1DT12H\"" };
static const struct shape geojson = { .kind = SHAPE_GEOJSON, .phrase = "a GeoJSON object" };

static const struct shape geopoint = {
    .kind = SHAPE_OBJECT,
    .phrase = "an object of lat and lon",
    .count = 3,
    .required_count = 2,
    .fields =
        (const struct shape_field[]){
            { "alt", &number, false },
            { "lat", &number, true },
            { "lon", &number, true },
        },
};

static const struct shape vector = {
    .kind = SHAPE_OBJECT,
    .phrase = "an object of x, y and z",
    .count = 3,
    .required_count = 3,
    .fields =
        (const struct shape_field[]){
            { "x", &number, true },
            { "y", &number, true },
            { "z", &number, true },
        },
};

static const struct {
    const char *word;
    const struct shape *shape;
} simple[] = {
    { "boolean", &boolean },    { "integer", &integer },
    { "long", &long_integer },  { "float", &number },
    { "double", &number },      { "string", &string },
    { "date", &date },          { "dateTime", &date_time },
    { "time", &time_of_day },   { "duration", &duration },
    { "geopoint", &geopoint },  { "vector", &vector },
    { "point", &geojson },      { "multiPoint", &geojson },
    { "lineString", &geojson }, { "multiLineString", &geojson },
    { "polygon", &geojson },    { "multiPolygon", &geojson },
};

struct reader {
    struct arena *memory;
    struct tranche_err *err;
};

typedef enum tranche_code complex_reader(struct reader *, const struct json *, const struct trail *,
                                         struct shape *);
static complex_reader read_enum, read_object, read_map, read_array;

static const struct {
    const char *word;
    complex_reader *read;
} complex[] = {
    { "Enum", read_enum },
    { "Object", read_object },
    { "Map", read_map },
    { "Array", read_array },
};

#define COUNT(table) (sizeof table / sizeof table[0])

static enum tranche_code read_schema(struct reader *reader, const struct json *schema,
                                     const struct trail *trail, const struct shape **shape);

enum tranche_code shape_parse(const struct json *schema, const struct trail *trail, struct arena *memory,
                              const struct shape **shape, struct tranche_err *err)
{
    return read_schema(&(struct reader){ .memory = memory, .err = err }, schema, trail, shape);
}

/* -- Simple schemas ---------------------------------------------------------------------------- */

static enum tranche_code refuse_word(const struct reader *reader, const char *word, const struct trail *trail)
{
    char where[TRAIL_BYTES];
    struct text known = { 0 };
    for (size_t i = 0; i < COUNT(simple); i++)
        text_printf(&known, "%s%s", i > 0 ? ", " : "", simple[i].word);
    enum tranche_code code = known.failed
                                 ? fail(reader->err, TRANCHE_NOMEM, "out of memory")
                                 : fail(reader->err, TRANCHE_INVALID,
                                        "%s: expected an object, a dtmi, or one of %s; found \"%.*s\".",
                                        trail_print(trail, where), known.bytes, DTDL_SHOWN_BYTES_MAX, word);
    text_free(&known);
    return code;
}

static enum tranche_code read_word(const struct reader *reader, const char *word, const struct trail *trail,
                                   const struct shape **shape)
{
    for (size_t i = 0; i < COUNT(simple); i++)
        if (strcmp(word, simple[i].word) == 0) {
            *shape = simple[i].shape;
            return TRANCHE_OK;
        }
    if (!dtdl_is_reference(word))
        return refuse_word(reader, word, trail);
    *shape = &any;
    return TRANCHE_OK;
}

/* -- Complex schemas --------------------------------------------------------------------------- */

static enum tranche_code read_complex(struct reader *reader, const struct json *schema,
                                      const struct trail *trail, const struct shape **shape)
{
    struct shape *out = arena_take(reader->memory, sizeof *out);
    if (out == NULL)
        return TRANCHE_OK; /* the arena remembers */
    *shape = out;
    for (size_t i = 0; i < COUNT(complex); i++)
        if (dtdl_is_a(schema, complex[i].word))
            return complex[i].read(reader, schema, trail, out);
    return dtdl_refuse_type(schema, trail, "Enum, Object, Map, Array", reader->err);
}

static enum tranche_code read_schema(struct reader *reader, const struct json *schema,
                                     const struct trail *trail, const struct shape **shape)
{
    if (json_type(schema) == JSON_STRING)
        return read_word(reader, json_string(schema), trail, shape);
    enum tranche_code code = dtdl_require(schema, trail, JSON_OBJECT, reader->err);
    return code == TRANCHE_OK ? read_complex(reader, schema, trail, shape) : code;
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_fields(const void *a, const void *b)
{
    return strcmp(((const struct shape_field *)a)->name, ((const struct shape_field *)b)->name);
}

static enum tranche_code read_number(struct reader *reader, const struct json *value,
                                     const struct trail *trail, int64_t *into)
{
    enum tranche_code code = dtdl_require(value, trail, JSON_NUMBER, reader->err);
    char where[TRAIL_BYTES];
    if (code == TRANCHE_OK && !json_integer(value, into))
        return fail(reader->err, TRANCHE_INVALID, "%s: expected an integer of 64 bits.",
                    trail_print(trail, where));
    return code;
}

static enum tranche_code read_string(struct reader *reader, const struct json *value,
                                     const struct trail *trail, const char **into)
{
    enum tranche_code code = dtdl_require(value, trail, JSON_STRING, reader->err);
    if (code == TRANCHE_OK)
        *into = arena_copy(reader->memory, json_string(value), strlen(json_string(value)));
    return code;
}

/* The values of an enum: of two arrays, the one that is there. */
static enum tranche_code read_enum_values(struct reader *reader, const struct json *values,
                                          const struct trail *trail, int64_t *numbers, const char **strings)
{
    enum tranche_code code = TRANCHE_OK;
    for (size_t i = 0; i < json_count(values) && code == TRANCHE_OK; i++) {
        struct trail item = { trail, NULL, i };
        struct trail value = { &item, "enumValue", 0 };
        const struct json *found = json_member(json_item(values, i), "enumValue");
        code = dtdl_require(json_item(values, i), &item, JSON_OBJECT, reader->err);
        if (code == TRANCHE_OK && numbers != NULL)
            code = read_number(reader, found, &value, &numbers[i]);
        else if (code == TRANCHE_OK)
            code = read_string(reader, found, &value, &strings[i]);
    }
    return code;
}

static enum tranche_code read_enum_kind(struct reader *reader, const struct json *schema,
                                        const struct trail *trail, enum shape_kind *kind)
{
    enum tranche_code code = dtdl_require_member(schema, trail, "valueSchema", JSON_STRING, reader->err);
    if (code != TRANCHE_OK)
        return code;
    const char *word = json_string(json_member(schema, "valueSchema"));
    char where[TRAIL_BYTES];
    *kind = strcmp(word, "integer") == 0 ? SHAPE_NUMBER_ENUM : SHAPE_STRING_ENUM;
    if (*kind == SHAPE_STRING_ENUM && strcmp(word, "string") != 0)
        return fail(reader->err, TRANCHE_INVALID, "%s: expected integer or string, found \"%.*s\".",
                    trail_print(&(struct trail){ trail, "valueSchema", 0 }, where), DTDL_SHOWN_BYTES_MAX,
                    word);
    return TRANCHE_OK;
}

static enum tranche_code read_enum(struct reader *reader, const struct json *schema,
                                   const struct trail *trail, struct shape *out)
{
    const struct json *values = json_member(schema, "enumValues");
    struct trail below = { trail, "enumValues", 0 };
    enum tranche_code code = read_enum_kind(reader, schema, trail, &out->kind);
    if (code == TRANCHE_OK)
        code = dtdl_require(values, &below, JSON_ARRAY, reader->err);
    if (code != TRANCHE_OK)
        return code;
    char where[TRAIL_BYTES];
    if (json_count(values) == 0)
        return fail(reader->err, TRANCHE_INVALID, "%s: at least one entry is required.",
                    trail_print(&below, where));

    bool numeric = out->kind == SHAPE_NUMBER_ENUM;
    size_t entry_bytes = numeric ? sizeof(int64_t) : sizeof(char *);
    void *entries = arena_take(reader->memory, json_count(values) * entry_bytes);
    if (entries == NULL)
        return TRANCHE_OK;
    code = read_enum_values(reader, values, &below, numeric ? entries : NULL, entries);
    if (code != TRANCHE_OK || reader->memory->failed)
        return code;
    out->count = json_count(values);
    qsort(entries, out->count, entry_bytes, numeric ? compare_numbers : compare_strings);
    if (numeric)
        out->numbers = entries;
    else
        out->strings = entries;
    return TRANCHE_OK;
}

/* The schema in an object's member. */
static enum tranche_code read_member(struct reader *reader, const struct json *object,
                                     const struct trail *trail, const char *name, const struct shape **shape)
{
    return read_schema(reader, json_member(object, name), &(struct trail){ trail, name, 0 }, shape);
}

static enum tranche_code read_field(struct reader *reader, const struct json *field,
                                    const struct trail *trail, struct shape_field *out)
{
    enum tranche_code code = dtdl_require(field, trail, JSON_OBJECT, reader->err);
    if (code == TRANCHE_OK)
        code = dtdl_read_name(field, trail, reader->memory, &out->name, reader->err);
    return code == TRANCHE_OK ? read_member(reader, field, trail, "schema", &out->shape) : code;
}

static enum tranche_code sort_fields(struct reader *reader, struct shape_field *fields, size_t count,
                                     const struct trail *trail)
{
    char where[TRAIL_BYTES];
    qsort(fields, count, sizeof *fields, compare_fields);
    for (size_t i = 1; i < count; i++)
        if (compare_fields(&fields[i - 1], &fields[i]) == 0)
            return fail(reader->err, TRANCHE_INVALID, "%s: there are two fields \"%.*s\".",
                        trail_print(trail, where), DTDL_SHOWN_BYTES_MAX, fields[i].name);
    return TRANCHE_OK;
}

static enum tranche_code read_object(struct reader *reader, const struct json *schema,
                                     const struct trail *trail, struct shape *out)
{
    const struct json *list = json_member(schema, "fields");
    struct trail below = { trail, "fields", 0 };
    enum tranche_code code = dtdl_require(list, &below, JSON_ARRAY, reader->err);
    if (code != TRANCHE_OK)
        return code;
    size_t count = json_count(list);
    struct shape_field *fields = arena_take(reader->memory, count * sizeof *fields);
    for (size_t i = 0; i < count && code == TRANCHE_OK && !reader->memory->failed; i++)
        code = read_field(reader, json_item(list, i), &(struct trail){ &below, NULL, i }, &fields[i]);
    if (code != TRANCHE_OK || reader->memory->failed)
        return code;
    *out = (struct shape){ SHAPE_OBJECT, "an object", count, .fields = fields };
    return sort_fields(reader, fields, count, &below);
}

static enum tranche_code read_map(struct reader *reader, const struct json *schema, const struct trail *trail,
                                  struct shape *out)
{
    *out = (struct shape){ .kind = SHAPE_MAP, .phrase = "an object" };
    enum tranche_code code = dtdl_require_member(schema, trail, "mapValue", JSON_OBJECT, reader->err);
    if (code != TRANCHE_OK)
        return code;
    struct trail below = { trail, "mapValue", 0 };
    return read_member(reader, json_member(schema, "mapValue"), &below, "schema", &out->inner);
}

static enum tranche_code read_array(struct reader *reader, const struct json *schema,
                                    const struct trail *trail, struct shape *out)
{
    *out = (struct shape){ .kind = SHAPE_ARRAY, .phrase = "an array" };
    return read_member(reader, schema, trail, "elementSchema", &out->inner);
}
