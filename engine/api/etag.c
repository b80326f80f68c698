#include "etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void etag_print(const char *prefix, int64_t revision, char out[ETAG_BYTES])
{
    snprintf(out, ETAG_BYTES, "\"%s-%" PRIx64 "\"", prefix, (uint64_t)revision);
}

static void cut_blanks(const char **text, size_t *length)
{
    while (*length > 0 && strchr(" \t", **text) != NULL) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && strchr(" \t", (*text)[*length - 1]) != NULL)
        (*length)--;
}

/* Cuts one pair of quotes off. */
static void cut_quotes(const char **text, size_t *length)
{
    if (*length >= 2 && (*text)[0] == '"' && (*text)[*length - 1] == '"') {
        (*text)++;
        *length -= 2;
    }
}

bool etag_matches(const char *sent, const char *current)
{
    size_t current_length = strlen(current);
    cut_quotes(&current, &current_length);
    for (;;) {
        size_t part = strcspn(sent, ",");
        const char *tag = sent;
        size_t length = part;
        cut_blanks(&tag, &length);
        if (length == 1 && tag[0] == '*') /* in quotes it is a tag like any other */
            return true;
        cut_quotes(&tag, &length);
        if (length == current_length && memcmp(tag, current, length) == 0)
            return true;
        if (sent[part] == '\0')
            return false;
        sent += part + 1;
    }
}
