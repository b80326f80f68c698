/* The shape of a value: a schema of a device model (DTDL 2, and IoT Central's geopoint and vector), and
 * whether a value has it. Pure; any thread.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include "json.h"
#include "mem.h"
#include "trail.h"

enum shape_kind {
    SHAPE_ANY, /* described elsewhere: every value will do */
    SHAPE_BOOLEAN,
    SHAPE_INTEGER, /* 32 bits */
    SHAPE_LONG,    /* 64 bits */
    SHAPE_NUMBER,
    SHAPE_STRING,
    SHAPE_DATE,
    SHAPE_DATE_TIME,
    SHAPE_TIME,
    SHAPE_DURATION,
    SHAPE_GEOJSON, /* an object; what is in it is not looked at */
    SHAPE_NUMBER_ENUM,
    SHAPE_STRING_ENUM,
    SHAPE_OBJECT,
    SHAPE_MAP,
    SHAPE_ARRAY,
};

struct shape_field {
    const char *name;
    const struct shape *shape;
    bool required;
};

/* Lives in the arena it was parsed into, or for ever. What is not of its kind is zero. */
struct shape {
    enum shape_kind kind;
    const char *phrase;    /* "an integer of 32 bits", for error texts; NULL: an enum, which lists its values */
    size_t count;          /* of fields, numbers or strings, which are sorted */
    size_t required_count; /* of fields that must be there */
    const struct shape_field *fields; /* of an object */
    const int64_t *numbers;           /* of an enum */
    const char *const *strings;       /* of an enum */
    const struct shape *inner;        /* of an array's elements, or a map's values */
};

/* Reads the schema at `trail`. TRANCHE_INVALID with a whole sentence that begins with the member; *shape
 * means nothing then. Running out of memory is left to the arena's `failed`. */
enum tranche_code shape_parse(const struct json *schema, const struct trail *trail, struct arena *memory,
                              const struct shape **shape, struct tranche_err *err);

/* Whether a value, raw JSON, has the shape. Inside an object or a map, null stands for a member that is
 * absent. `trail` leads to the value, `subject` says in words what has the shape, and both begin the sentence
 * of a refusal: "data[0].value.lat: "place" of device template "dtmi:x;1" holds a number here, found a
 * string." TRANCHE_INVALID; TRANCHE_NOMEM; json_parse's code and words for what is no JSON. Takes time in
 * proportion to the value's bytes, but for the logarithm of what the shape lists. */
enum tranche_code shape_check(const struct shape *shape, const char *raw, size_t bytes,
                              const struct trail *trail, const char *subject, struct tranche_err *err);

#endif
