#include "file.h"

#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum tranche_code file_read(const char *path, size_t bytes_max, struct text *out, struct tranche_err *err)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (file == NULL)
        return fail(err, TRANCHE_IO, "%s: %s", path, strerror(errno));
    char piece[4096];
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0 && out->length <= bytes_max;)
        text_add(out, piece, got);
    text_add(out, "", 0); /* an empty file is an empty string */
    enum tranche_code code = TRANCHE_OK;
    if (ferror(file))
        code = fail(err, TRANCHE_IO, "%s: %s", path, strerror(errno));
    else if (out->failed)
        code = fail(err, TRANCHE_NOMEM, "%s: out of memory", path);
    else if (out->length > bytes_max)
        code = fail(err, TRANCHE_TOOLARGE, "%s: is longer than %zu bytes", path, bytes_max);
    if (!standard)
        fclose(file);
    return code;
}
