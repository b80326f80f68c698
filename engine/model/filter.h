/* The device group filter: SELECT * FROM devices WHERE ... (api-contract.md section 7).
 *
 * A hand-written recursive descent parser into a tree that lives in one arena; errors point at the column. The grammar,
 * keywords case-insensitive, names case-sensitive:
 *
 *     query   = SELECT "*" FROM source [ WHERE cond ]        source = "devices" | dtmi (means: $template = dtmi AND (cond))
 *     cond    = and { OR and }    and = unit { AND unit }    unit = predicate | "(" cond ")"
 *     predicate = field op value | field IN "[" value { "," value } "]" | field CONTAINS string
 *     field   = "$" name | name { "." name }     op = "=" "!=" "<>" ">" "<" ">=" "<="
 *     value   = string in "..." or '...' (escapes: \\ \" \' and the doubled quote) | number as in JSON | true | false
 *
 * IN, CONTAINS (a part of a string, byte for byte), OR and parentheses are more than IoT Central's groups know.
 * $ fields: $template $provisioned $simulated $id $enabled $displayName $organizations. The keywords, and NOT, which is
 * not in the language, cannot be property names; inside a dotted name they can. A dotted name has no spaces in it.
 */
#ifndef FILTER_H
#define FILTER_H

#include "mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <tranche/err.h>

#define FILTER_GROUP_BYTES_MAX 16384 /* a group's: room for the 100 filters that IoT Central allows in one */
#define FILTER_BYTES_MAX 32768 /* and what is put in front of it: as many organizations as there may be */
#define FILTER_DEPTH_MAX 64    /* parentheses in parentheses; FROM dtmi counts as one */
/* Nodes of the tree, values not counted: 512 conditions and what joins them. `a AND b AND c` grows to the left, so a
 * tree is at most about 512 deep: fit for recursion, and below SQLite's limit of 1,000 for an expression. */
#define FILTER_NODES_MAX 1024

enum filter_kind { FILTER_ALL, FILTER_AND, FILTER_OR, FILTER_COMPARE, FILTER_IN };
enum filter_op { FILTER_EQ, FILTER_NE, FILTER_LT, FILTER_LE, FILTER_GT, FILTER_GE,
                 FILTER_CONTAINS };
enum filter_field { FILTER_TEMPLATE, FILTER_PROVISIONED, FILTER_SIMULATED, FILTER_ID, FILTER_ENABLED,
                    FILTER_DISPLAY_NAME, FILTER_ORGANIZATIONS, FILTER_PROPERTY };
enum filter_type { FILTER_STRING, FILTER_NUMBER, FILTER_BOOL };

struct filter_value {
    enum filter_type type;
    const char *text; /* string: unescaped, NUL-terminated; number: as written; bool: "true" or "false" */
    double number;    /* of a number; finite */
    bool truth;       /* of a bool */
    struct filter_value *next; /* in an IN list, in the order written */
};

struct filter_node {
    enum filter_kind kind;
    struct filter_node *left, *right; /* AND, OR */
    enum filter_field field;          /* COMPARE, IN */
    const char *property;             /* FILTER_PROPERTY: "name" or "component.name"; NULL for a $ field */
    enum filter_op op;                /* COMPARE; FILTER_EQ for IN */
    struct filter_value *values;      /* one for COMPARE, a list for IN */
    size_t column;                    /* of its field, or of the first field below; counted from 1 */
};

struct filter {
    struct filter_node *root; /* kind FILTER_ALL when there is no WHERE */
    struct arena memory;      /* everything above points into it */
};

/* TRANCHE_INVALID with a text like: expected an operator at position 38, found "eq". Positions count bytes from 1.
 * Also refused, with the position of the field: a bool field compared with anything but a bool, a string field compared
 * with a number or bool, a bool compared by anything but = or != (<>), and an unknown $ name. TRANCHE_NOMEM when memory
 * ran out. `text` is UTF-8 without need for a NUL; nothing of it is kept. `filter` is zeroed on failure. */
enum tranche_code filter_parse(const char *text, size_t bytes, struct filter *filter, struct tranche_err *err);
void filter_free(struct filter *filter); /* a zeroed filter is fine */
bool filter_names_template(const struct filter *filter); /* all that match have one and the same template */
bool filter_names_properties(const struct filter *filter); /* it asks for more than $ fields */

#endif
