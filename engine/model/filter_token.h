/* The words of a filter: a scanner that finds one token at a time (the grammar is in filter.h).
 *
 * It never fails. A string or number that is malformed in itself becomes FILTER_TOKEN_BAD, which no rule of the grammar
 * accepts; its complaint is then the error. So errors come out in the order in which a reader meets them.
 * Tokens borrow the text. Offsets count bytes from 0.
 */
#ifndef FILTER_TOKEN_H
#define FILTER_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum filter_token_kind {
    FILTER_TOKEN_END,
    FILTER_TOKEN_WORD,     /* keyword or property: name { "." name } */
    FILTER_TOKEN_FIELD,    /* "$" name; the "$" alone too */
    FILTER_TOKEN_TEMPLATE, /* dtmi:... */
    FILTER_TOKEN_STRING,   /* with its quotes, as written */
    FILTER_TOKEN_NUMBER,   /* as in JSON */
    FILTER_TOKEN_SIGN,     /* operator, bracket, comma, star, or one stray character */
    FILTER_TOKEN_BAD
};

struct filter_token {
    enum filter_token_kind kind;
    const char *text; /* not NUL-terminated */
    size_t bytes;     /* 0 for END only */
    size_t at;
    const char *complaint; /* of BAD: "a malformed number" */
    size_t complaint_at;
};

/* The first token at or after `at`, which must not be beyond the end. */
struct filter_token filter_token_next(const char *text, size_t bytes, size_t at);

/* Whether it is of this kind and reads like this, which is given in small letters; capitals in the token do not matter. */
bool filter_token_is(const struct filter_token *token, enum filter_token_kind kind, const char *lower);

/* Undoes the quotes and escapes of a STRING's text, in place, and ends it with NUL. `bytes` is its length as written. */
void filter_token_unquote(char *text, size_t bytes);

#define FILTER_SHOWN_BYTES 41 /* with NUL */

/* The token for an error text: short, on one line, cut between characters. */
void filter_token_show(const struct filter_token *token, char shown[FILTER_SHOWN_BYTES]);

#endif
