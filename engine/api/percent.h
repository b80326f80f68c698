/* Percent-encoding (RFC 3986) of single path segments and query values. Pure; any thread. */
#ifndef PERCENT_H
#define PERCENT_H

#include "mem.h"

#include <tranche/err.h>

/* Decodes into the arena. TRANCHE_BADREQUEST: a "%" without two hex digits, or a NUL. A "+" stays a "+". */
enum tranche_code percent_decode(struct arena *arena, const char *text, size_t bytes, const char **out,
                                 struct tranche_err *err);

/* Encodes everything but letters, digits, "-", ".", "_" and "~". */
void percent_encode(struct text *out, const char *string);

#endif
