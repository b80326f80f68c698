/* One function for each rule of the grammar. Each returns what it built, or NULL after it has written why not; the token
 * at hand when a rule does not fit is the one that the error shows. Nodes and values live in the filter's arena, so a
 * failure has nothing to take back.
 */
#include "filter.h"

#include "fail.h"
#include "filter_token.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const char *text;
    size_t bytes;
    struct filter_token token; /* the next one, not yet taken */
    unsigned depth;
    unsigned nodes;
    struct arena *arena;
    struct tranche_err *err;
    enum tranche_code code; /* once something has failed */
};

static const struct {
    const char *name;
    enum filter_type type;
} fields[] = {
    [FILTER_TEMPLATE]      = { "$template",      FILTER_STRING },
    [FILTER_PROVISIONED]   = { "$provisioned",   FILTER_BOOL },
    [FILTER_SIMULATED]     = { "$simulated",     FILTER_BOOL },
    [FILTER_ID]            = { "$id",            FILTER_STRING },
    [FILTER_ENABLED]       = { "$enabled",       FILTER_BOOL },
    [FILTER_DISPLAY_NAME]  = { "$displayName",   FILTER_STRING },
    [FILTER_ORGANIZATIONS] = { "$organizations", FILTER_STRING },
};
static_assert(sizeof fields / sizeof fields[0] == FILTER_PROPERTY, "every $ field has a row");

static const struct {
    const char *sign;
    enum filter_op op;
} operators[] = {
    { "=", FILTER_EQ },  { "!=", FILTER_NE }, { "<>", FILTER_NE }, { "<", FILTER_LT },
    { "<=", FILTER_LE }, { ">", FILTER_GT },  { ">=", FILTER_GE },
};

static const char *const keywords[] = { "select", "from", "where", "and", "or", "in", "not", "true", "false" };

static void next(struct parser *p);
static struct filter_node *parse_query(struct parser *p);
static struct filter_node *parse_condition(struct parser *p);

enum tranche_code filter_parse(const char *text, size_t bytes, struct filter *filter, struct tranche_err *err)
{
    *filter = (struct filter){0};
    if (bytes > FILTER_BYTES_MAX)
        return fail(err, TRANCHE_INVALID, "%zu bytes are too long, at most %d are allowed", bytes, FILTER_BYTES_MAX);

    struct parser parser = { .text = text, .bytes = bytes, .arena = &filter->memory, .err = err };
    next(&parser);
    filter->root = parse_query(&parser);
    if (filter->root != NULL)
        return TRANCHE_OK;
    assert(parser.code != TRANCHE_OK);
    filter_free(filter);
    return parser.code;
}

void filter_free(struct filter *filter)
{
    arena_free(&filter->memory);
    *filter = (struct filter){0};
}

static bool node_names_template(const struct filter_node *node)
{
    if (node->kind == FILTER_AND)
        return node_names_template(node->left) || node_names_template(node->right);
    return node->kind == FILTER_COMPARE && node->field == FILTER_TEMPLATE && node->op == FILTER_EQ;
}

bool filter_names_template(const struct filter *filter)
{
    return node_names_template(filter->root);
}

static bool node_names_properties(const struct filter_node *node)
{
    switch (node->kind) {
    case FILTER_AND:
    case FILTER_OR:
        return node_names_properties(node->left) || node_names_properties(node->right);
    case FILTER_COMPARE:
    case FILTER_IN:
        return node->field == FILTER_PROPERTY;
    case FILTER_ALL:
        break;
    }
    return false;
}

bool filter_names_properties(const struct filter *filter)
{
    return node_names_properties(filter->root);
}

/* ---- saying no ---- */

static void *expected(struct parser *p, const char *what)
{
    const struct filter_token *token = &p->token;
    char shown[FILTER_SHOWN_BYTES];
    filter_token_show(token, shown);
    if (token->kind == FILTER_TOKEN_BAD)
        p->code = fail(p->err, TRANCHE_INVALID, "%s at position %zu", token->complaint, token->complaint_at + 1);
    else if (token->kind == FILTER_TOKEN_END)
        p->code = fail(p->err, TRANCHE_INVALID, "expected %s at position %zu, found the end", what, token->at + 1);
    else if (token->kind == FILTER_TOKEN_STRING)
        p->code = fail(p->err, TRANCHE_INVALID, "expected %s at position %zu, found the string %s", what,
                       token->at + 1, shown);
    else
        p->code = fail(p->err, TRANCHE_INVALID, "expected %s at position %zu, found \"%s\"", what, token->at + 1,
                       shown);
    return NULL;
}

static void *out_of_memory(struct parser *p)
{
    p->code = fail(p->err, TRANCHE_NOMEM, "out of memory reading the filter");
    return NULL;
}

/* ---- tokens ---- */

static void next(struct parser *p)
{
    p->token = filter_token_next(p->text, p->bytes, p->token.at + p->token.bytes);
}

static bool at_word(const struct parser *p, const char *lower)
{
    return filter_token_is(&p->token, FILTER_TOKEN_WORD, lower);
}

static bool take(struct parser *p, enum filter_token_kind kind, const char *lower)
{
    if (!filter_token_is(&p->token, kind, lower))
        return false;
    next(p);
    return true;
}

static bool take_word(struct parser *p, const char *lower)
{
    return take(p, FILTER_TOKEN_WORD, lower);
}

static bool take_sign(struct parser *p, const char *sign)
{
    return take(p, FILTER_TOKEN_SIGN, sign);
}

static bool at_keyword(const struct parser *p)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (at_word(p, keywords[i]))
            return true;
    return false;
}

/* The token's text in the filter's memory. Takes nothing. */
static char *keep(struct parser *p)
{
    return arena_copy(p->arena, p->token.text, p->token.bytes);
}

/* ---- values ---- */

/* strtod would take its decimal point from the process's locale, which belongs to whoever embeds us. */
static double number_of(const char *text)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert(plain != (locale_t)0); /* it is built in: there is nothing to load */
    double number = strtod_l(text, NULL, plain);
    freelocale(plain);
    return number;
}

static struct filter_value *parse_value(struct parser *p)
{
    enum filter_token_kind kind = p->token.kind;
    bool truth = at_word(p, "true");
    if (kind != FILTER_TOKEN_STRING && kind != FILTER_TOKEN_NUMBER && !truth && !at_word(p, "false"))
        return expected(p, "a value");

    struct filter_value *value = arena_take(p->arena, sizeof *value);
    char *text = keep(p);
    if (value == NULL || text == NULL)
        return out_of_memory(p);
    if (kind == FILTER_TOKEN_STRING) {
        filter_token_unquote(text, p->token.bytes);
        *value = (struct filter_value){ .type = FILTER_STRING, .text = text };
    } else if (kind == FILTER_TOKEN_NUMBER) {
        *value = (struct filter_value){ .type = FILTER_NUMBER, .text = text, .number = number_of(text) };
        if (!isfinite(value->number)) {
            p->code = fail(p->err, TRANCHE_INVALID, "a number out of range at position %zu", p->token.at + 1);
            return NULL;
        }
    } else
        *value = (struct filter_value){ .type = FILTER_BOOL, .text = truth ? "true" : "false", .truth = truth };
    next(p);
    return value;
}

static struct filter_value *parse_list(struct parser *p)
{
    if (!take_sign(p, "["))
        return expected(p, "\"[\"");
    struct filter_value *first = parse_value(p);
    for (struct filter_value *last = first; last != NULL; last = last->next) {
        if (take_sign(p, "]"))
            return first;
        if (!take_sign(p, ","))
            return expected(p, "\",\" or \"]\"");
        last->next = parse_value(p);
    }
    return NULL;
}

/* ---- predicates ---- */

static struct filter_node *new_node(struct parser *p, enum filter_kind kind, size_t column)
{
    if (p->nodes == FILTER_NODES_MAX) {
        p->code = fail(p->err, TRANCHE_INVALID, "too many conditions at position %zu, at most %d are allowed", column,
                       FILTER_NODES_MAX / 2);
        return NULL;
    }
    p->nodes++;
    struct filter_node *node = arena_take(p->arena, sizeof *node);
    if (node == NULL)
        return out_of_memory(p);
    node->kind = kind;
    node->column = column;
    return node;
}

/* The $ field at hand; FILTER_PROPERTY if there is none of that name. */
static enum filter_field find_field(const struct parser *p)
{
    unsigned i = 0;
    while (i < FILTER_PROPERTY && (strlen(fields[i].name) != p->token.bytes ||
                                   memcmp(fields[i].name, p->token.text, p->token.bytes) != 0))
        i++;
    return (enum filter_field)i;
}

/* A node for the field at hand. */
static struct filter_node *parse_field(struct parser *p)
{
    bool named = p->token.kind == FILTER_TOKEN_WORD && !at_keyword(p);
    if (!named && p->token.kind != FILTER_TOKEN_FIELD)
        return expected(p, "a field or \"(\"");

    enum filter_field field = named ? FILTER_PROPERTY : find_field(p);
    if (!named && field == FILTER_PROPERTY) {
        char shown[FILTER_SHOWN_BYTES];
        filter_token_show(&p->token, shown);
        p->code = fail(p->err, TRANCHE_INVALID, "unknown field at position %zu: \"%s\"", p->token.at + 1, shown);
        return NULL;
    }
    struct filter_node *node = new_node(p, FILTER_COMPARE, p->token.at + 1);
    if (node == NULL)
        return NULL;
    node->field = field;
    node->property = named ? keep(p) : NULL;
    if (named && node->property == NULL)
        return out_of_memory(p);
    next(p);
    return node;
}

static bool parse_operator(struct parser *p, enum filter_op *op)
{
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (take_sign(p, operators[i].sign)) {
            *op = operators[i].op;
            return true;
        }
    expected(p, "an operator");
    return false;
}

/* What is written is well formed; does it make sense? A property's type is not known here, only a $ field's is. */
static struct filter_node *check_types(struct parser *p, struct filter_node *node)
{
    bool known = node->field != FILTER_PROPERTY;
    const char *name = known ? fields[node->field].name : node->property;
    bool ordered = node->op != FILTER_EQ && node->op != FILTER_NE;
    for (const struct filter_value *value = node->values; value != NULL; value = value->next) {
        if (known && value->type != fields[node->field].type) {
            p->code = fail(p->err, TRANCHE_INVALID, "%s at position %zu compares only with %s", name, node->column,
                           fields[node->field].type == FILTER_BOOL ? "true or false" : "a string");
            return NULL;
        }
        if (value->type != FILTER_STRING && node->op == FILTER_CONTAINS) {
            p->code = fail(p->err, TRANCHE_INVALID, "%.*s at position %zu can contain only a string",
                           FILTER_SHOWN_BYTES - 1, name, node->column);
            return NULL;
        }
        if (value->type == FILTER_BOOL && ordered) {
            p->code = fail(p->err, TRANCHE_INVALID, "%.*s at position %zu compares with %s only by = or !=",
                           FILTER_SHOWN_BYTES - 1, name, node->column, value->text);
            return NULL;
        }
    }
    return node;
}

static struct filter_node *parse_predicate(struct parser *p)
{
    struct filter_node *node = parse_field(p);
    if (node == NULL)
        return NULL;
    if (take_word(p, "in")) {
        node->kind = FILTER_IN;
        node->values = parse_list(p);
    } else if (take_word(p, "contains")) {
        node->op = FILTER_CONTAINS;
        node->values = parse_value(p);
    } else if (parse_operator(p, &node->op))
        node->values = parse_value(p);
    return node->values == NULL ? NULL : check_types(p, node);
}

/* ---- conditions ---- */

static struct filter_node *join(struct parser *p, enum filter_kind kind, struct filter_node *left,
                                struct filter_node *right)
{
    struct filter_node *node = right == NULL ? NULL : new_node(p, kind, left->column);
    if (node == NULL)
        return NULL;
    node->left = left;
    node->right = right;
    return node;
}

static struct filter_node *parse_unit(struct parser *p)
{
    if (!take_sign(p, "("))
        return parse_predicate(p);
    struct filter_node *node = parse_condition(p);
    if (node != NULL && !take_sign(p, ")"))
        return expected(p, "AND, OR or \")\"");
    return node;
}

static struct filter_node *parse_and(struct parser *p)
{
    struct filter_node *node = parse_unit(p);
    while (node != NULL && take_word(p, "and"))
        node = join(p, FILTER_AND, node, parse_unit(p));
    return node;
}

static struct filter_node *parse_or(struct parser *p)
{
    struct filter_node *node = parse_and(p);
    while (node != NULL && take_word(p, "or"))
        node = join(p, FILTER_OR, node, parse_and(p));
    return node;
}

/* A condition one deeper: in parentheses, or behind FROM dtmi. */
static struct filter_node *parse_condition(struct parser *p)
{
    if (p->depth == FILTER_DEPTH_MAX) {
        p->code = fail(p->err, TRANCHE_INVALID, "conditions nested deeper than %d at position %zu", FILTER_DEPTH_MAX,
                       p->token.at + 1);
        return NULL;
    }
    p->depth++;
    struct filter_node *node = parse_or(p);
    p->depth--;
    return node;
}

/* ---- the query ---- */

/* A node of kind FILTER_ALL for "devices", else $template = dtmi. */
static struct filter_node *parse_source(struct parser *p)
{
    size_t column = p->token.at + 1;
    if (take_word(p, "devices"))
        return new_node(p, FILTER_ALL, column);
    if (p->token.kind != FILTER_TOKEN_TEMPLATE)
        return expected(p, "devices or a template id");
    struct filter_node *node = new_node(p, FILTER_COMPARE, column);
    struct filter_value *value = arena_take(p->arena, sizeof *value);
    char *text = keep(p);
    if (node == NULL || value == NULL || text == NULL)
        return out_of_memory(p);
    *value = (struct filter_value){ .type = FILTER_STRING, .text = text };
    node->field = FILTER_TEMPLATE;
    node->op = FILTER_EQ;
    node->values = value;
    next(p);
    return node;
}

static struct filter_node *parse_query(struct parser *p)
{
    if (!take_word(p, "select"))
        return expected(p, "SELECT");
    if (!take_sign(p, "*"))
        return expected(p, "\"*\"");
    if (!take_word(p, "from"))
        return expected(p, "FROM");
    struct filter_node *root = parse_source(p);
    if (root == NULL)
        return NULL;

    const char *rest = "WHERE or the end";
    if (take_word(p, "where")) {
        root = root->kind == FILTER_ALL ? parse_or(p) : join(p, FILTER_AND, root, parse_condition(p));
        rest = "AND, OR or the end";
    }
    if (root != NULL && p->token.kind != FILTER_TOKEN_END)
        return expected(p, rest);
    return root;
}
