/* JSON: a thin adapter over json-c, and the scan that keeps what json-c loses.
 *
 * No other file sees json-c's types. A document is scanned before json-c parses it: the scan refuses what json-c accepts
 * or repairs silently (duplicate members, lone surrogates, invalid UTF-8, over-long numbers, too much depth) and finds
 * the exact bytes of a value, since json-c clamps integers beyond 64 bits and prints -0 as 0.
 * A document belongs to one thread at a time. Pointers handed out live until json_free.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tranche/err.h>

#define JSON_DEPTH_MAX        32    /* arrays and objects in one another: bounds the stack */
#define JSON_MEMBERS_MAX      4096  /* in one object: bounds what the search for duplicates remembers */
#define JSON_NUMBER_BYTES_MAX 1024  /* passes big integers through, refuses megabytes of digits */

enum json_type { JSON_NONE, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json; /* one value of a document; NULL stands for "absent" and is fine everywhere: its type is JSON_NONE */

struct json_document {
    struct json *root;
    const char *text; /* borrowed from the caller of json_parse, who keeps it alive and unchanged */
    size_t bytes;
};

/* TRANCHE_BADREQUEST with "unexpected character at offset 41", "duplicate member \"v\" at offset 7" and the like. Offsets
 * count bytes from 0. TRANCHE_TOOLARGE beyond 2 GiB, TRANCHE_NOMEM. A failure leaves the document empty. */
enum tranche_code json_parse(const char *text, size_t bytes, struct json_document *document, struct tranche_err *err);
void json_free(struct json_document *document); /* a zeroed document is fine */

enum json_type json_type(const struct json *value);
const char *json_type_name(enum json_type type); /* "string", "number", ...; "nothing" for JSON_NONE */
struct json *json_member(const struct json *object, const char *name); /* NULL: absent or no object */
size_t json_count(const struct json *array);                           /* 0 for anything but an array */
struct json *json_item(const struct json *array, size_t index);
const char *json_string(const struct json *value); /* NULL unless a string; none has a NUL inside */
bool json_true(const struct json *value);          /* false unless it is true */
/* A number written without fraction and exponent, from INT64_MIN + 1 to INT64_MAX; else false, *number untouched. */
bool json_integer(const struct json *value, int64_t *number);
double json_number(const struct json *value); /* 0 unless a number; as near as a double comes, 64-bit limits apply */

/* Walks an object's members in their order of appearance: start with *cursor = NULL; false at the end. */
bool json_next(const struct json *object, void **cursor, const char **name, struct json **value);

/* The exact bytes of the value at a path, e.g. json_raw(doc, &n, "data", "[2]", "value", NULL); NULL when absent. Points
 * into document->text. Surrounding white space is not included. Names are given unescaped. */
const char *json_raw(const struct json_document *document, size_t *bytes, ...) __attribute__((sentinel));

struct text;
/* Adds raw JSON with insignificant white space removed. `raw` must be valid JSON. */
void json_compact(struct text *out, const char *raw, size_t bytes);
/* The same for an object's properties: names of its members, and of theirs, are written without needless escapes, so that
 * equal names have equal bytes, as those compare them who look into the text without us. */
void json_compact_names(struct text *out, const char *raw, size_t bytes);
/* Adds the target with a merge patch (RFC 7386) applied; values that stay, or come whole, keep their bytes. */
void json_merge(struct text *out, const struct json_document *target, const struct json_document *patch);

#endif
