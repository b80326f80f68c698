#include "fail.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int http;
    bool retry;
    const char *word;
    const char *text;
} codes[] = {
#define X(code, http, retry, word, text) [code] = { http, retry, word, text },
    TRANCHE_CODES(X)
#undef X
};
static_assert(sizeof codes / sizeof codes[0] == TRANCHE_CODE_COUNT, "every code has a row");

int tranche_code_http(enum tranche_code code)
{
    assert(code < TRANCHE_CODE_COUNT);
    return codes[code].http;
}

bool tranche_code_retry(enum tranche_code code)
{
    assert(code < TRANCHE_CODE_COUNT);
    return codes[code].retry;
}

const char *tranche_code_word(enum tranche_code code)
{
    assert(code < TRANCHE_CODE_COUNT);
    return codes[code].word;
}

const char *tranche_code_text(enum tranche_code code)
{
    assert(code < TRANCHE_CODE_COUNT);
    return codes[code].text;
}

enum tranche_code fail(struct tranche_err *err, enum tranche_code code, const char *format, ...)
{
    assert(code != TRANCHE_OK);
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->code = code;
    return code;
}

enum tranche_code fail_in(struct tranche_err *err, enum tranche_code code, const char *format, ...)
{
    assert(code != TRANCHE_OK);
    if (err == NULL)
        return code;
    char below[sizeof err->text];
    memcpy(below, err->text, sizeof below);

    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->text)
        snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", below);
    err->code = code;
    return code;
}
