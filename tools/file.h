/* A whole file in memory. */
#ifndef FILE_H
#define FILE_H

#include "mem.h"

#include <tranche/err.h>

/* Adds the file, or stdin for "-". The text then is a string, even an empty one. TRANCHE_IO or TRANCHE_TOOLARGE, with the
 * path in front. */
enum tranche_code file_read(const char *path, size_t bytes_max, struct text *out, struct tranche_err *err);

#endif
