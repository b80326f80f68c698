#include "device_query.h"

#include "fail.h"
#include "filter.h"
#include "filter_token.h"

#include <string.h>

static const struct {
    const char *name;  /* in small letters, as filter_token_is wants it */
    const char *field;
    bool truth;
} fields[] = {
    { "id", "$id", false },
    { "displayname", "$displayName", false },
    { "template", "$template", false },
    { "scopes", "$organizations", false },
    { "enabled", "$enabled", true },
    { "provisioned", "$provisioned", true },
    { "simulated", "$simulated", true },
};

static const struct {
    const char *word, *sign;
} operators[] = { { "eq", "=" }, { "ne", "!=" }, { "lt", "<" }, { "le", "<=" }, { "gt", ">" }, { "ge", ">=" } };

struct translator {
    const char *query;
    size_t bytes;
    struct filter_token token; /* the next one, not yet taken */
    unsigned depth;
    struct text *out;
    struct tranche_err *err;
};

static enum tranche_code condition(struct translator *t);

static void next(struct translator *t)
{
    t->token = filter_token_next(t->query, t->bytes, t->token.at + t->token.bytes);
}

static bool take(struct translator *t, enum filter_token_kind kind, const char *lower)
{
    if (!filter_token_is(&t->token, kind, lower))
        return false;
    next(t);
    return true;
}

static enum tranche_code expected(struct translator *t, const char *what)
{
    char shown[FILTER_SHOWN_BYTES];
    filter_token_show(&t->token, shown);
    if (t->token.kind == FILTER_TOKEN_BAD)
        return fail(t->err, TRANCHE_INVALID, "%s at position %zu", t->token.complaint, t->token.complaint_at + 1);
    if (t->token.kind == FILTER_TOKEN_END)
        return fail(t->err, TRANCHE_INVALID, "expected %s at position %zu, found the end", what, t->token.at + 1);
    return fail(t->err, TRANCHE_INVALID, "expected %s at position %zu, found \"%s\"", what, t->token.at + 1, shown);
}

static enum tranche_code take_string(struct translator *t)
{
    if (t->token.kind != FILTER_TOKEN_STRING)
        return expected(t, "a string");
    text_add(t->out, t->token.text, t->token.bytes);
    next(t);
    return TRANCHE_OK;
}

/* contains(displayName,'x'), with or without the blank after the comma. */
static enum tranche_code contains(struct translator *t)
{
    if (!take(t, FILTER_TOKEN_SIGN, "("))
        return expected(t, "\"(\"");
    if (!take(t, FILTER_TOKEN_WORD, "displayname"))
        return expected(t, "displayName");
    if (!take(t, FILTER_TOKEN_SIGN, ","))
        return expected(t, "\",\"");
    text_puts(t->out, "$displayName CONTAINS ");
    enum tranche_code code = take_string(t);
    if (code == TRANCHE_OK && !take(t, FILTER_TOKEN_SIGN, ")"))
        return expected(t, "\")\"");
    return code;
}

static enum tranche_code truth(struct translator *t)
{
    bool is = filter_token_is(&t->token, FILTER_TOKEN_WORD, "true");
    if (!is && !filter_token_is(&t->token, FILTER_TOKEN_WORD, "false"))
        return expected(t, "true or false");
    text_puts(t->out, is ? "true" : "false");
    next(t);
    return TRANCHE_OK;
}

static enum tranche_code comparison(struct translator *t)
{
    size_t field = 0, op = 0;
    while (field < sizeof fields / sizeof fields[0] && !take(t, FILTER_TOKEN_WORD, fields[field].name))
        field++;
    if (field == sizeof fields / sizeof fields[0])
        return expected(t, "id, displayName, template, scopes, enabled, provisioned, simulated, contains or \"(\"");
    size_t op_count = fields[field].truth ? 2 : sizeof operators / sizeof operators[0];
    while (op < op_count && !take(t, FILTER_TOKEN_WORD, operators[op].word))
        op++;
    if (op == op_count)
        return expected(t, fields[field].truth ? "eq or ne" : "eq, ne, lt, le, gt or ge");
    text_printf(t->out, "%s %s ", fields[field].field, operators[op].sign);
    return fields[field].truth ? truth(t) : take_string(t);
}

static enum tranche_code unit(struct translator *t)
{
    if (take(t, FILTER_TOKEN_WORD, "contains"))
        return contains(t);
    if (!take(t, FILTER_TOKEN_SIGN, "("))
        return comparison(t);
    if (t->depth == FILTER_DEPTH_MAX - 1)
        return fail(t->err, TRANCHE_INVALID, "conditions nested deeper than %d at position %zu", FILTER_DEPTH_MAX - 1,
                    t->token.at + 1);
    t->depth++;
    text_puts(t->out, "(");
    enum tranche_code code = condition(t);
    if (code != TRANCHE_OK)
        return code;
    if (!take(t, FILTER_TOKEN_SIGN, ")"))
        return expected(t, "and, or or \")\"");
    t->depth--;
    text_puts(t->out, ")");
    return TRANCHE_OK;
}

static enum tranche_code condition(struct translator *t)
{
    enum tranche_code code = unit(t);
    while (code == TRANCHE_OK) {
        if (take(t, FILTER_TOKEN_WORD, "and"))
            text_puts(t->out, " AND ");
        else if (take(t, FILTER_TOKEN_WORD, "or"))
            text_puts(t->out, " OR ");
        else
            break;
        code = unit(t);
    }
    return code;
}

enum tranche_code device_query_translate(const char *query, struct text *filter, struct tranche_err *err)
{
    struct translator t = { .query = query, .bytes = strlen(query), .out = filter, .err = err };
    text_puts(filter, "SELECT * FROM devices WHERE ");
    next(&t);
    enum tranche_code code = condition(&t);
    if (code == TRANCHE_OK && t.token.kind != FILTER_TOKEN_END)
        return expected(&t, "and, or or the end");
    if (code == TRANCHE_OK && filter->failed)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    return code;
}
