/* JSON in tests, legibly: written with ' for ". */
#ifndef QUOTES_H
#define QUOTES_H

#include <assert.h>
#include <string.h>

#define QUOTES_BYTES 2048

/* Returns `into`, the text with its quotes. */
static const char *quotes(const char *text, char into[QUOTES_BYTES])
{
    assert(strlen(text) < QUOTES_BYTES);
    strcpy(into, text);
    for (char *at = into; (at = strchr(at, '\'')) != NULL;)
        *at = '"';
    return into;
}

#endif
