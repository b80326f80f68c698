/* The scan of a JSON text: refuses what json-c accepts or repairs silently, and finds the exact bytes of a
 * value. Allocates nothing that outlives a call; any thread.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <tranche/err.h>

/* Whether the text is one JSON value by RFC 8259, in valid UTF-8, within json.h's limits, without duplicate
 * members, lone surrogates and NUL characters. Reports the first fault that it meets; it meets duplicates at
 * the end of their object. *has_pairs: whether an escaped surrogate pair occurs. */
enum tranche_code json_scan(const char *text, size_t bytes, bool *has_pairs, struct tranche_err *err);

/* The rest works on text that json_scan has accepted: `at` is somewhere in it, `end` is its end. */

struct text;
/* Adds the text with each escaped surrogate pair as the UTF-8 character that it stands for. */
void json_scan_join_pairs(struct text *out, const char *text, size_t bytes);

/* Past the white space at `at`. */
const char *json_scan_blank(const char *at, const char *end);
/* Past the value that begins at `at`. */
const char *json_scan_value(const char *at, const char *end);
/* Past the string whose opening quote is at `at`. */
const char *json_scan_string(const char *at, const char *end);
/* The value of the member `name` of the object that begins at `at`; NULL when absent or no object. */
const char *json_scan_member(const char *at, const char *end, const char *name);
/* The item `index` of the array that begins at `at`; NULL when absent or no array. */
const char *json_scan_item(const char *at, const char *end, size_t index);

#endif
