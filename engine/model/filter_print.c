#include "filter_print.h"

static void print_value(const struct filter_value *value, struct text *out)
{
    if (value->type != FILTER_STRING) {
        text_puts(out, value->text);
        return;
    }
    text_puts(out, "\"");
    for (const char *p = value->text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            text_puts(out, "\\");
        text_add(out, p, 1);
    }
    text_puts(out, "\"");
}

static void print_predicate(const struct filter_node *node, struct text *out)
{
    static const char *const names[] = { "$template", "$provisioned", "$simulated",     "$id",
                                         "$enabled",  "$displayName", "$organizations" };
    static const char *const signs[] = { "=", "!=", "<", "<=", ">", ">=", "CONTAINS" };
    text_puts(out, node->field == FILTER_PROPERTY ? node->property : names[node->field]);
    if (node->kind == FILTER_COMPARE) {
        text_printf(out, " %s ", signs[node->op]);
        print_value(node->values, out);
        return;
    }
    const char *before = " IN [";
    for (const struct filter_value *value = node->values; value != NULL; value = value->next) {
        text_puts(out, before);
        print_value(value, out);
        before = ", ";
    }
    text_puts(out, "]");
}

static void print_node(const struct filter_node *node, struct text *out);

static void print_side(const struct filter_node *node, bool parentheses, struct text *out)
{
    text_puts(out, parentheses ? "(" : "");
    print_node(node, out);
    text_puts(out, parentheses ? ")" : "");
}

static void print_node(const struct filter_node *node, struct text *out)
{
    if (node->kind == FILTER_COMPARE || node->kind == FILTER_IN) {
        print_predicate(node, out);
        return;
    }
    bool loose_left = node->kind == FILTER_AND && node->left->kind == FILTER_OR;
    bool loose_right = node->kind == FILTER_AND && node->right->kind == FILTER_OR;
    print_side(node->left, loose_left, out);
    text_puts(out, node->kind == FILTER_AND ? " AND " : " OR ");
    print_side(node->right, loose_right || node->right->kind == node->kind, out);
}

void filter_print(const struct filter *filter, struct text *out)
{
    text_puts(out, "SELECT * FROM devices");
    if (filter->root->kind == FILTER_ALL)
        return;
    text_puts(out, " WHERE ");
    print_node(filter->root, out);
}

void filter_print_and(const struct filter *filter, struct text *out)
{
    if (filter->root->kind == FILTER_ALL)
        return;
    text_puts(out, " AND ");
    print_side(filter->root, filter->root->kind != FILTER_COMPARE && filter->root->kind != FILTER_IN, out);
}
