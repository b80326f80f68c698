/* What people type for values, amounts and times, turned into JSON and numbers. Pure, apart from k=@file. */
#ifndef TYPED_H
#define TYPED_H

#include "mem.h"

#include <stdint.h>
#include <tranche/err.h>

#define TYPED_FILE_BYTES_MAX (1024 * 1024) /* a value from a file; the server takes no longer body either */

/* Splits an assignment: "k=v" (v as JSON when it is JSON, else as a string), "k:=json" (JSON or refused), "k=@file" (as
 * v, from a file; newlines at its end do not count). "k" alone is allowed where `value_optional`: *has_value is false
 * then. Adds the key to `key` and the JSON to `value`. */
enum tranche_code typed_assignment(const char *text, bool value_optional, struct text *key, struct text *value,
                                   bool *has_value, struct tranche_err *err);

/* Adds {"type":"percentage","value":25} for "25%", of type number for "25". `type`, when not NULL, is "number" or
 * "percentage" and decides for a text without a percent sign. `more` are further members ("" for none). */
enum tranche_code typed_amount(const char *text, const char *type, const char *more, struct text *out,
                               struct tranche_err *err);

/* "2", "0.5", "2s", "10m", "1h" in microseconds; seconds where no unit is given. */
enum tranche_code typed_seconds(const char *text, int64_t *us, struct tranche_err *err);

#endif
