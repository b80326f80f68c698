#include "filter_token.h"

#include <assert.h>
#include <string.h>

struct scan {
    const char *text;
    size_t bytes;
};

static size_t scan_word(const struct scan *s, struct filter_token *token);
static size_t scan_number(const struct scan *s, struct filter_token *token);
static size_t scan_string(const struct scan *s, struct filter_token *token);
static size_t scan_sign(const struct scan *s, struct filter_token *token);

/* Not those of <ctype.h>, which ask the process's locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return is_letter(c) || is_digit(c);
}

static bool is_template(char c)
{
    return is_name(c) || c == ':' || c == ';' || c == '.';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether a byte is inside a character of UTF-8, not its first. */
static bool is_inner(char c)
{
    return (c & 0xC0) == 0x80;
}

static bool reads_like(const char *text, const char *lower, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != lower[i])
            return false;
    }
    return true;
}

/* The character at an offset; beyond the end a NUL, which no token has in it. */
static char look(const struct scan *s, size_t at)
{
    return at < s->bytes ? s->text[at] : '\0';
}

struct filter_token filter_token_next(const char *text, size_t bytes, size_t at)
{
    assert(at <= bytes);
    struct scan s = { text, bytes };
    while (is_space(look(&s, at)))
        at++;
    struct filter_token token = { .kind = FILTER_TOKEN_END, .at = at };
    if (at == bytes)
        return token;

    token.text = text + at;
    char c = text[at];
    if (is_letter(c))
        token.bytes = scan_word(&s, &token) - at;
    else if (is_digit(c) || c == '-')
        token.bytes = scan_number(&s, &token) - at;
    else if (c == '"' || c == '\'')
        token.bytes = scan_string(&s, &token) - at;
    else
        token.bytes = scan_sign(&s, &token) - at;
    return token;
}

/* Each scan_ function sets the token's kind and returns where the token ends. */

static size_t complain(struct filter_token *token, const char *complaint, size_t complaint_at, size_t end)
{
    token->kind = FILTER_TOKEN_BAD;
    token->complaint = complaint;
    token->complaint_at = complaint_at;
    return end;
}

static size_t scan_name(const struct scan *s, size_t at)
{
    while (is_name(look(s, at)))
        at++;
    return at;
}

static size_t scan_digits(const struct scan *s, size_t at)
{
    while (is_digit(look(s, at)))
        at++;
    return at;
}

static size_t scan_word(const struct scan *s, struct filter_token *token)
{
    static const char scheme[] = "dtmi:";
    const size_t scheme_bytes = sizeof scheme - 1;
    size_t at = token->at;
    if (s->bytes - at >= scheme_bytes && reads_like(s->text + at, scheme, scheme_bytes)) {
        token->kind = FILTER_TOKEN_TEMPLATE;
        at += scheme_bytes;
        while (is_template(look(s, at)))
            at++;
        return at;
    }
    token->kind = FILTER_TOKEN_WORD;
    at = scan_name(s, at);
    while (look(s, at) == '.' && is_letter(look(s, at + 1)))
        at = scan_name(s, at + 1);
    return at;
}

/* What follows a number at once and is no sign makes it malformed: 01, 1.2.3, 5km. */
static size_t scan_number(const struct scan *s, struct filter_token *token)
{
    token->kind = FILTER_TOKEN_NUMBER;
    size_t at = token->at + (look(s, token->at) == '-');
    bool good = is_digit(look(s, at));
    at = look(s, at) == '0' ? at + 1 : scan_digits(s, at);
    if (look(s, at) == '.') {
        good = good && is_digit(look(s, at + 1));
        at = scan_digits(s, at + 1);
    }
    if (good && (look(s, at) == 'e' || look(s, at) == 'E')) {
        at += look(s, at + 1) == '+' || look(s, at + 1) == '-' ? 2 : 1;
        good = is_digit(look(s, at));
        at = scan_digits(s, at);
    }
    if (!good || is_name(look(s, at)) || look(s, at) == '.')
        return complain(token, "a malformed number", token->at, at);
    return at;
}

static bool is_escapable(char c)
{
    return c == '\\' || c == '"' || c == '\'';
}

static size_t scan_string(const struct scan *s, struct filter_token *token)
{
    token->kind = FILTER_TOKEN_STRING;
    char quote = look(s, token->at);
    for (size_t at = token->at + 1; at < s->bytes; at++) {
        char c = s->text[at];
        if (c == '\0')
            return complain(token, "a NUL in a string", at, at);
        if (c == quote && look(s, at + 1) != quote)
            return at + 1;
        if (c == '\\' && at + 1 < s->bytes && !is_escapable(look(s, at + 1)))
            return complain(token, "an unknown escape (known are \\\\, \\\" and \\')", at, at);
        if (c == quote || c == '\\')
            at++; /* over the second quote, or what is escaped */
    }
    return complain(token, "a string without its closing quote", token->at, s->bytes);
}

static size_t scan_sign(const struct scan *s, struct filter_token *token)
{
    size_t at = token->at;
    char c = look(s, at), next = look(s, at + 1);
    if (c == '$') {
        token->kind = FILTER_TOKEN_FIELD;
        return scan_name(s, at + 1);
    }
    token->kind = FILTER_TOKEN_SIGN;
    if ((next == '=' && (c == '!' || c == '<' || c == '>')) || (c == '<' && next == '>'))
        return at + 2;
    do
        at++;
    while (is_inner(look(s, at)));
    return at;
}

bool filter_token_is(const struct filter_token *token, enum filter_token_kind kind, const char *lower)
{
    return token->kind == kind && token->bytes == strlen(lower) && reads_like(token->text, lower, token->bytes);
}

void filter_token_unquote(char *text, size_t bytes)
{
    assert(bytes >= 2);
    char quote = text[0];
    size_t end = 0;
    for (size_t i = 1; i < bytes - 1; i++) {
        if (text[i] == '\\' || text[i] == quote)
            i++;
        text[end++] = text[i];
    }
    text[end] = '\0';
}

void filter_token_show(const struct filter_token *token, char shown[FILTER_SHOWN_BYTES])
{
    size_t bytes = token->bytes;
    if (bytes >= FILTER_SHOWN_BYTES) {
        bytes = FILTER_SHOWN_BYTES - 1;
        while (bytes > 0 && is_inner(token->text[bytes]))
            bytes--;
    }
    for (size_t i = 0; i < bytes; i++) {
        char c = token->text[i];
        shown[i] = (c >= 0 && c < ' ') || c == 0x7f ? '?' : c;
    }
    shown[bytes] = '\0';
}
