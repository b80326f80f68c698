#include "filter_sql.h"

#include "fail.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct filter_sql *out;
    struct filter_sql_value **last;
};

static const char *const columns[] = {
    [FILTER_TEMPLATE] = "template_id",
    [FILTER_PROVISIONED] = "provisioned",
    [FILTER_SIMULATED] = "simulated",
    [FILTER_ID] = "id",
    [FILTER_ENABLED] = "enabled",
    [FILTER_DISPLAY_NAME] = "ifnull(display_name, id)", /* a device without a name goes by its id */
    [FILTER_ORGANIZATIONS] = "organization",
};

static const char *const signs[] = {
    [FILTER_EQ] = "=", [FILTER_NE] = "<>", [FILTER_LT] = "<", [FILTER_LE] = "<=", [FILTER_GT] = ">", [FILTER_GE] = ">=",
};

static void write_node(struct writer *w, const struct filter_node *node);

/* ---- values ---- */

/* Keeps a value; returns the number of its place. */
static int bind(struct writer *w, struct filter_sql_value value)
{
    struct filter_sql_value *kept = arena_take(&w->out->memory, sizeof *kept);
    if (kept != NULL) {
        *kept = value;
        *w->last = kept;
        w->last = &kept->next;
    }
    return ++w->out->value_count;
}

/* A whole number is bound as one, so that all 64 bits count. */
static int bind_number(struct writer *w, const struct filter_value *value)
{
    char *end = NULL;
    errno = 0;
    long long integer = strtoll(value->text, &end, 10);
    if (errno == 0 && *end == '\0')
        return bind(w, (struct filter_sql_value){ .type = FILTER_SQL_INTEGER, .integer = integer });
    return bind(w, (struct filter_sql_value){ .type = FILTER_SQL_REAL, .real = value->number });
}

static int bind_value(struct writer *w, const struct filter_value *value)
{
    switch (value->type) {
    case FILTER_NUMBER:
        return bind_number(w, value);
    case FILTER_BOOL:
        return bind(w, (struct filter_sql_value){ .type = FILTER_SQL_INTEGER, .integer = value->truth });
    case FILTER_STRING:
        break;
    }
    return bind(w, (struct filter_sql_value){ .type = FILTER_SQL_TEXT, .text = value->text });
}

/* "component.name" as the path $."component"."name". */
static int bind_path(struct writer *w, const char *property)
{
    assert(strchr(property, '"') == NULL); /* no name has one; SQLite's paths could not say it */
    size_t room = 1;
    for (const char *p = property; *p != '\0'; p++)
        room += *p == '.' ? 3 : 1;
    char *path = arena_take(&w->out->memory, room + 5);
    if (path != NULL) {
        char *end = stpcpy(path, "$.\"");
        for (const char *p = property; *p != '\0'; p++) {
            if (*p == '.')
                end = stpcpy(end, "\".\"");
            else
                *end++ = *p;
        }
        strcpy(end, "\"");
    }
    return bind(w, (struct filter_sql_value){ .type = FILTER_SQL_TEXT, .text = path });
}

/* ---- predicates ---- */

static void write_property_type(struct writer *w, int path, enum filter_type type)
{
    static const char *const types[] = {
        [FILTER_STRING] = "= 'text'", [FILTER_NUMBER] = "IN ('integer', 'real')", [FILTER_BOOL] = "IN ('true', 'false')",
    };
    text_printf(&w->out->condition, "json_type(properties, ?%d) %s AND json_extract(properties, ?%d)", path, types[type],
                path);
}

static void write_contains(struct writer *w, const struct filter_node *node)
{
    struct text *out = &w->out->condition;
    if (node->field == FILTER_PROPERTY) {
        int path = bind_path(w, node->property);
        text_printf(out, "json_type(properties, ?%d) = 'text' AND instr(json_extract(properties, ?%d), ?%d) > 0", path, path,
                    bind_value(w, node->values));
    } else {
        text_printf(out, "instr(%s, ?%d) > 0", columns[node->field], bind_value(w, node->values));
    }
}

static void write_compare(struct writer *w, const struct filter_node *node)
{
    struct text *out = &w->out->condition;
    if (node->op == FILTER_CONTAINS) {
        write_contains(w, node);
        return;
    }
    if (node->field == FILTER_PROPERTY)
        write_property_type(w, bind_path(w, node->property), node->values->type);
    else
        text_puts(out, columns[node->field]);
    text_printf(out, " %s ?%d", signs[node->op], bind_value(w, node->values));
}

/* Writes " IN (?1, ?2)" with the values of one type. */
static void write_list(struct writer *w, const struct filter_value *values, enum filter_type type)
{
    const char *before = " IN (";
    for (const struct filter_value *value = values; value != NULL; value = value->next) {
        if (value->type != type)
            continue;
        text_printf(&w->out->condition, "%s?%d", before, bind_value(w, value));
        before = ", ";
    }
    text_puts(&w->out->condition, ")");
}

static bool has_type(const struct filter_value *values, enum filter_type type)
{
    while (values != NULL && values->type != type)
        values = values->next;
    return values != NULL;
}

/* A property may be compared with values of several types: one list a type. */
static void write_in(struct writer *w, const struct filter_node *node)
{
    static const enum filter_type types[] = { FILTER_STRING, FILTER_NUMBER, FILTER_BOOL };
    struct text *out = &w->out->condition;
    if (node->field != FILTER_PROPERTY) {
        text_puts(out, columns[node->field]);
        write_list(w, node->values, node->values->type);
        return;
    }
    const char *before = "(";
    int path = bind_path(w, node->property);
    for (int i = 0; i < 3; i++) {
        if (!has_type(node->values, types[i]))
            continue;
        text_puts(out, before);
        write_property_type(w, path, types[i]);
        write_list(w, node->values, types[i]);
        before = " OR ";
    }
    text_puts(out, ")");
}

/* ---- the tree ---- */

static bool is_join(const struct filter_node *node)
{
    return node->kind == FILTER_AND || node->kind == FILTER_OR;
}

/* AND binds closer than OR. */
static bool needs_parentheses(const struct filter_node *parent, const struct filter_node *child)
{
    return parent->kind == FILTER_AND && child->kind == FILTER_OR;
}

/* How many parentheses deep the text of a node gets. */
static unsigned nesting(const struct filter_node *node)
{
    if (!is_join(node))
        return node->kind == FILTER_IN;
    unsigned left = nesting(node->left) + needs_parentheses(node, node->left);
    unsigned right = nesting(node->right) + needs_parentheses(node, node->right);
    return left > right ? left : right;
}

static void write_side(struct writer *w, const struct filter_node *parent, const struct filter_node *child)
{
    bool parentheses = needs_parentheses(parent, child);
    text_puts(&w->out->condition, parentheses ? "(" : "");
    write_node(w, child);
    text_puts(&w->out->condition, parentheses ? ")" : "");
}

static void write_join(struct writer *w, const struct filter_node *node)
{
    bool swap = nesting(node->right) + needs_parentheses(node, node->right) >
                nesting(node->left) + needs_parentheses(node, node->left);
    write_side(w, node, swap ? node->right : node->left);
    text_puts(&w->out->condition, node->kind == FILTER_AND ? " AND " : " OR ");
    write_side(w, node, swap ? node->left : node->right);
}

static void write_node(struct writer *w, const struct filter_node *node)
{
    switch (node->kind) {
    case FILTER_ALL:
        text_puts(&w->out->condition, "1");
        return;
    case FILTER_AND:
    case FILTER_OR:
        write_join(w, node);
        return;
    case FILTER_COMPARE:
        write_compare(w, node);
        return;
    case FILTER_IN:
        write_in(w, node);
        return;
    }
}

enum tranche_code filter_sql_write(const struct filter *filter, struct filter_sql *out, struct tranche_err *err)
{
    *out = (struct filter_sql){ .one_template = filter_names_template(filter) };
    struct writer writer = { .out = out, .last = &out->values };
    write_node(&writer, filter->root);
    if (!out->condition.failed && !out->memory.failed)
        return TRANCHE_OK;
    filter_sql_free(out);
    return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

void filter_sql_free(struct filter_sql *sql)
{
    text_free(&sql->condition);
    arena_free(&sql->memory);
    *sql = (struct filter_sql){ 0 };
}
