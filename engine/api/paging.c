#include "paging.h"

#include "fail.h"
#include "percent.h"

#include <openssl/evp.h>

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPTOKEN         "$skiptoken"
#define TOKEN_PLAIN_BYTES 2048 /* of the longest place: a display name and an id */
#define TOKEN_LENGTH_MAX  (TOKEN_PLAIN_BYTES / 3 * 4)

static const char *const token_prefixes[] = {
    [PAGE_JOBS] = "v1:", [PAGE_DEVICES] = "o:", [PAGE_BATCHES] = "b:", [PAGE_GROUPS] = "g:", [PAGE_FLEET] = "d:",
    [PAGE_SCHEDULES] = "s:", [PAGE_OBJECTS] = "t:", [PAGE_AUDIT] = "a:",
};

static enum tranche_code parse_limit(const char *name, const char *text, uint32_t limit_max, uint32_t *limit,
                                     struct tranche_err *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool starts_well = isdigit((unsigned char)text[0]) || (text[0] == '-' && isdigit((unsigned char)text[1]));
    if (!starts_well || *end != '\0')
        return fail(err, TRANCHE_INVALID, "%s must be an integer.", name);
    if (number < 1)
        return fail(err, TRANCHE_INVALID, "%s must be at least 1.", name);
    *limit = number > limit_max ? limit_max : (uint32_t)number;
    return TRANCHE_OK;
}

/* What follows the prefix in a token; false when it is none of this kind. */
static bool token_decode(enum page_kind kind, const char *token, char place[TOKEN_PLAIN_BYTES + 8])
{
    char padded[TOKEN_LENGTH_MAX + 4];
    size_t length = strlen(token);
    if (length == 0 || length > TOKEN_LENGTH_MAX)
        return false;
    memcpy(padded, token, length);
    while (length % 4 != 0)
        padded[length++] = '=';
    unsigned char plain[TOKEN_PLAIN_BYTES + 8] = { 0 }; /* its end stays NUL */
    if (EVP_DecodeBlock(plain, (const unsigned char *)padded, (int)length) < 0)
        return false;
    size_t prefix = strlen(token_prefixes[kind]);
    if (strncmp((const char *)plain, token_prefixes[kind], prefix) != 0)
        return false;
    strcpy(place, (const char *)plain + prefix);
    return place[0] != '\0';
}

/* The number in a place, or -1. */
static int64_t place_number(enum page_kind kind, const char *place)
{
    char *end;
    errno = 0;
    int64_t number = isdigit((unsigned char)place[0]) ? strtoll(place, &end, 10) : -1;
    bool wide = kind == PAGE_JOBS || kind == PAGE_AUDIT; /* the others count ordinals and indexes */
    bool fits = number >= 0 && errno == 0 && (wide || number <= UINT32_MAX);
    return fits && *end == '\0' ? number : -1;
}

static bool token_read(struct request *request, enum page_kind kind, const char *token, struct page *page)
{
    char place[TOKEN_PLAIN_BYTES + 8];
    if (!token_decode(kind, token, place))
        return false;
    if (kind <= PAGE_AUDIT)
        return (page->from = place_number(kind, place)) >= 0;
    page->after = arena_copy(&request->memory, place, strlen(place));
    return page->after != NULL;
}

static void place_print(enum page_kind kind, const char *place, struct text *out)
{
    char plain[TOKEN_PLAIN_BYTES];
    int length = snprintf(plain, sizeof plain, "%s%s", token_prefixes[kind], place);
    if (length < 0 || (size_t)length >= sizeof plain) { /* no name that came in through us is so long */
        out->failed = true;
        return;
    }
    char token[TOKEN_PLAIN_BYTES * 4 / 3 + 8];
    EVP_EncodeBlock((unsigned char *)token, (const unsigned char *)plain, length);
    token[strcspn(token, "=")] = '\0';
    percent_encode(out, token);
}

enum tranche_code page_parse(struct request *request, enum page_kind kind, uint32_t limit_standard,
                             uint32_t limit_max, struct page *page, struct tranche_err *err)
{
    static const char *const names[] = { "$top", "maxpagesize" }; /* the newer name wins */
    *page = (struct page){ .limit = limit_standard };
    enum tranche_code code;
    const char *text;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        code = request_query(request, names[i], &text, err);
        if (code == TRANCHE_OK && text != NULL)
            code = parse_limit(names[i], text, limit_max, &page->limit, err);
        if (code != TRANCHE_OK)
            return code;
    }
    code = request_query(request, SKIPTOKEN, &text, err);
    if (code == TRANCHE_OK && text != NULL && !token_read(request, kind, text, page))
        code = fail(err, TRANCHE_INVALID, "The continuation token is not valid.");
    return code;
}

/* Where the client found us: never the address that we listen on. */
static void base_print(const struct request *request, struct text *out)
{
    const char *public_url = request->counter->config->public_url;
    const char *host = request_header(request, "Host");
    if (public_url[0] != '\0') {
        size_t length = strlen(public_url);
        while (length > 0 && public_url[length - 1] == '/')
            length--;
        text_add(out, public_url, length);
    } else if (host != NULL)
        text_printf(out, "%s://%s", request->counter->config->tls_cert[0] != '\0' ? "https" : "http", host);
}

static bool is_repeated(const struct request *request, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (strcmp(request->query[i].name, request->query[index].name) == 0)
            return true;
    return false;
}

void page_link(const struct request *request, enum page_kind kind, int64_t from, struct text *out)
{
    char place[24];
    snprintf(place, sizeof place, "%" PRId64, from);
    page_link_after(request, kind, place, out);
}

void page_link_after(const struct request *request, enum page_kind kind, const char *after, struct text *out)
{
    struct text link = { 0 };
    base_print(request, &link);
    text_puts(&link, request->path);
    char separator = '?';
    for (unsigned i = 0; i < request->query_count; i++) {
        const struct request_pair *pair = &request->query[i];
        if (strcmp(pair->name, SKIPTOKEN) == 0 || is_repeated(request, i))
            continue;
        text_add(&link, &separator, 1);
        percent_encode(&link, pair->name);
        text_puts(&link, "=");
        percent_encode(&link, pair->value);
        separator = '&';
    }
    text_add(&link, &separator, 1);
    percent_encode(&link, SKIPTOKEN);
    text_puts(&link, "=");
    place_print(kind, after, &link);

    text_puts(out, ",\"nextLink\":");
    text_json(out, link.failed ? "" : link.bytes);
    out->failed |= link.failed;
    text_free(&link);
}
