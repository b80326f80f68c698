/* Filters against a judge that knows no store: it walks the parsed tree over plain structs. The fleet is small, and its
 * properties are of every kind; the filters are random, from the same small pools of values, so that they hit.
 */
#include "store_suite.h"

#include "filter.h"
#include "mem.h"
#include "random.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLEET   60
#define FILTERS 5000

enum kind { ABSENT, EMPTY, TEXT, INTEGER, REAL, TRUTH, LIST, OBJECT, KINDS };

struct value {
    enum kind kind;
    const char *text; /* a TEXT's own, a REAL as written */
    int64_t integer;
    double real;
    bool truth;
};

static const char *const paths[] = { "a", "b", "site", "c.a", "c.name", "deep.er.x", "nobody" };
#define PATHS 7
#define KEPT  6 /* nobody has the last one */

struct thing {
    struct tranche_device_record record;
    struct value values[PATHS];
};

static const char *const words[] = { "", "x", "X", "xy", "é", "2026-01-01", "2026-01-01T00:00:00Z", "true", "5",
                                     "say \"hi\"", "back\\slash", "it's" };
static const int64_t integers[] = { 0, -1, 1, 5, 6, 9007199254740992, 9007199254740993, INT64_MAX, INT64_MIN };
static const char *const reals[] = { "0.0", "-0.0", "5.0", "5.5", "0.1", "-2.5e-3", "1e300", "9007199254740992.0",
                                     "3.141592653589793" };
static const char *const numbers[] = { "0", "-1", "1", "5", "6", "9007199254740992", "9007199254740993",
                                       "9223372036854775807", "9223372036854775808", "-9223372036854775808", "5.0",
                                       "5e0", "5.5", "0.1", "-2.5E-3", "1e300", "9007199254740992.0",
                                       "3.141592653589793", "-0" };
static const char *const templates[] = { "dtmi:tranche:a;1", "dtmi:tranche:a;2", "dtmi:tranche:b;1" };

#define PICK(random, pool) ((pool)[random_below(random, sizeof(pool) / sizeof(pool)[0])])

/* ---- the fleet ---- */

static struct value random_value(struct random *random)
{
    struct value value = { .kind = (enum kind)random_below(random, KINDS) };
    value.text = value.kind == REAL ? PICK(random, reals) : PICK(random, words);
    value.integer = PICK(random, integers);
    value.real = value.kind == REAL ? strtod(value.text, NULL) : 0;
    value.truth = random_chance(random, 50);
    return value;
}

static void print_value(struct text *json, const struct value *value)
{
    switch (value->kind) {
    case TEXT:
        text_json(json, value->text);
        return;
    case INTEGER:
        text_printf(json, "%lld", (long long)value->integer);
        return;
    case REAL:
        text_puts(json, value->text);
        return;
    case TRUTH:
        text_puts(json, value->truth ? "true" : "false");
        return;
    case LIST:
        text_puts(json, "[5, \"x\"]");
        return;
    case OBJECT:
        text_puts(json, "{\"x\": 5}");
        return;
    default:
        text_puts(json, "null");
        return;
    }
}

static void print_member(struct text *json, const char *name, const struct value *value)
{
    if (value->kind == ABSENT)
        return;
    if (json->bytes[json->length - 1] != '{')
        text_puts(json, ", ");
    text_json(json, name);
    text_puts(json, ": ");
    print_value(json, value);
}

static char *print_properties(const struct thing *thing)
{
    struct text json = { 0 };
    text_puts(&json, "{");
    for (int i = 0; i < 3; i++)
        print_member(&json, paths[i], &thing->values[i]);
    text_puts(&json, json.length > 1 ? ", \"c\": {" : "\"c\": {");
    print_member(&json, "a", &thing->values[3]);
    print_member(&json, "name", &thing->values[4]);
    text_puts(&json, "}, \"deep\": {\"er\": {");
    print_member(&json, "x", &thing->values[5]);
    text_puts(&json, "}}}");
    return text_take(&json);
}

static void make_thing(struct random *random, uint32_t i, struct thing *thing)
{
    static const char starts[] = "aAbB_-.9";
    *thing = (struct thing){ .record = {
        .enabled = random_chance(random, 50), .provisioned = random_chance(random, 50),
        .simulated = random_chance(random, 50),
        .display_name = random_chance(random, 70) ? PICK(random, words) : NULL,
        .template_id = random_chance(random, 80) ? PICK(random, templates) : NULL,
        .organization = random_chance(random, 60) ? PICK(random, words) : NULL,
    } };
    snprintf(thing->record.id, sizeof thing->record.id, "%c%c%u", starts[random_below(random, 8)],
             starts[random_below(random, 8)], i);
    for (int path = 0; path < KEPT; path++)
        thing->values[path] = random_value(random);
    bool bare = random_chance(random, 15);
    if (bare)
        memset(thing->values, 0, sizeof thing->values);
    else
        thing->record.properties = print_properties(thing);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct thing *)a)->record.id, ((const struct thing *)b)->record.id);
}

static void put_fleet(struct suite *s, struct random *random, struct thing fleet[FLEET])
{
    suite_begin(s);
    for (uint32_t i = 0; i < FLEET; i++) {
        bool created = false;
        make_thing(random, i, &fleet[i]);
        must(s->to->device_put(s->store, &fleet[i].record, &created, &s->err));
        if (i % 10 == 7) {
            must(s->to->device_drop(s->store, fleet[i].record.no, &s->err));
            fleet[i].record.deleted = true;
        }
    }
    suite_commit(s);
    qsort(fleet, FLEET, sizeof fleet[0], compare_ids);
}

static void free_fleet(struct thing fleet[FLEET])
{
    for (int i = 0; i < FLEET; i++)
        free((char *)fleet[i].record.properties);
}

/* ---- the judge ---- */

static bool holds(enum filter_op op, int order)
{
    switch (op) {
    case FILTER_EQ:
        return order == 0;
    case FILTER_NE:
        return order != 0;
    case FILTER_LT:
        return order < 0;
    case FILTER_LE:
        return order <= 0;
    case FILTER_GT:
        return order > 0;
    case FILTER_GE:
        return order >= 0;
    case FILTER_CONTAINS:
        break; /* has no order */
    }
    abort();
}

/* A long double holds every 64-bit integer and every double exactly. */
static long double exact(const struct filter_value *value)
{
    char *end = NULL;
    errno = 0;
    long long whole = strtoll(value->text, &end, 10);
    return errno == 0 && *end == '\0' ? (long double)whole : (long double)value->number;
}

static bool judge_value(const struct value *left, enum filter_op op, const struct filter_value *right)
{
    if (left->kind == TEXT && op == FILTER_CONTAINS)
        return strstr(left->text, right->text) != NULL;
    if (left->kind == TEXT && right->type == FILTER_STRING)
        return holds(op, strcmp(left->text, right->text));
    if (left->kind == TRUTH && right->type == FILTER_BOOL)
        return holds(op, (int)left->truth - (int)right->truth);
    if ((left->kind == INTEGER || left->kind == REAL) && right->type == FILTER_NUMBER) {
        long double number = left->kind == INTEGER ? (long double)left->integer : (long double)left->real;
        return holds(op, (number > exact(right)) - (number < exact(right)));
    }
    return false; /* missing, or of another type */
}

static struct value text_value(const char *text)
{
    return (struct value){ .kind = text == NULL ? ABSENT : TEXT, .text = text };
}

static struct value truth_value(bool truth)
{
    return (struct value){ .kind = TRUTH, .truth = truth };
}

static struct value look_up(const struct thing *thing, const struct filter_node *node)
{
    switch (node->field) {
    case FILTER_TEMPLATE:
        return text_value(thing->record.template_id);
    case FILTER_PROVISIONED:
        return truth_value(thing->record.provisioned);
    case FILTER_SIMULATED:
        return truth_value(thing->record.simulated);
    case FILTER_ID:
        return text_value(thing->record.id);
    case FILTER_ENABLED:
        return truth_value(thing->record.enabled);
    case FILTER_DISPLAY_NAME:
        return text_value(thing->record.display_name != NULL ? thing->record.display_name : thing->record.id);
    case FILTER_ORGANIZATIONS:
        return text_value(thing->record.organization);
    case FILTER_PROPERTY:
        break;
    }
    for (int i = 0; i < PATHS; i++)
        if (strcmp(paths[i], node->property) == 0)
            return thing->values[i];
    return (struct value){ .kind = ABSENT };
}

static bool judge(const struct thing *thing, const struct filter_node *node)
{
    switch (node->kind) {
    case FILTER_ALL:
        return true;
    case FILTER_AND:
        return judge(thing, node->left) && judge(thing, node->right);
    case FILTER_OR:
        return judge(thing, node->left) || judge(thing, node->right);
    default:
        break;
    }
    struct value value = look_up(thing, node);
    enum filter_op op = node->kind == FILTER_IN ? FILTER_EQ : node->op;
    bool any = false;
    for (const struct filter_value *right = node->values; right != NULL; right = right->next)
        any = any || judge_value(&value, op, right);
    return any;
}

/* ---- random filters ---- */

static void print_string(struct random *random, const char *word, struct text *out)
{
    char quote = random_chance(random, 50) ? '"' : '\'';
    text_add(out, &quote, 1);
    for (const char *p = word; *p != '\0'; p++) {
        if (*p == quote)
            text_add(out, random_chance(random, 50) ? "\\" : &quote, 1);
        else if (*p == '\\')
            text_puts(out, "\\");
        text_add(out, p, 1);
    }
    text_add(out, &quote, 1);
}

static void print_operand(struct random *random, enum filter_type type, const char *const *pool, uint32_t pool_size,
                          struct text *out)
{
    if (type == FILTER_STRING)
        print_string(random, pool[random_below(random, pool_size)], out);
    else if (type == FILTER_NUMBER)
        text_puts(out, PICK(random, numbers));
    else
        text_puts(out, random_chance(random, 50) ? "true" : "false");
}

static void print_predicate(struct random *random, const struct thing fleet[FLEET], struct text *out)
{
    static const char *const fields[] = { "$template", "$id", "$displayName", "$organizations", "$provisioned",
                                          "$simulated", "$enabled" };
    static const char *const signs[] = { "=", "!=", "<>", "<", "<=", ">", ">=", "contains" };
    static const uint32_t sign_counts[] = { [FILTER_STRING] = 8, [FILTER_NUMBER] = 7, [FILTER_BOOL] = 3 };
    const char *ids[] = { fleet[0].record.id, fleet[FLEET / 2].record.id, fleet[FLEET - 1].record.id, "a", "b" };
    bool property = random_chance(random, 60);
    uint32_t field = random_below(random, 7);
    enum filter_type type = field < 4 ? FILTER_STRING : FILTER_BOOL;
    const char *const *pool = field == 0 ? templates : field == 1 ? ids : words;
    uint32_t pool_size = field == 0 ? 3 : field == 1 ? 5 : sizeof words / sizeof words[0];
    if (property) {
        type = (enum filter_type)random_below(random, 3);
        pool = words;
        pool_size = sizeof words / sizeof words[0];
    }
    text_puts(out, property ? PICK(random, paths) : fields[field]);
    if (random_chance(random, 75)) {
        text_printf(out, " %s ", signs[random_below(random, sign_counts[type])]);
        print_operand(random, type, pool, pool_size, out);
        return;
    }
    text_puts(out, " in [");
    for (uint32_t i = 0, count = random_between(random, 1, 5); i < count; i++) {
        text_puts(out, i == 0 ? "" : ", ");
        print_operand(random, property ? (enum filter_type)random_below(random, 3) : type, pool, pool_size, out);
    }
    text_puts(out, "]");
}

static void print_condition(struct random *random, const struct thing fleet[FLEET], unsigned depth, struct text *out)
{
    uint32_t count = depth == 0 ? 1 : random_between(random, 1, 3);
    for (uint32_t i = 0; i < count; i++) {
        bool parentheses = depth > 0 && random_chance(random, 60);
        text_puts(out, i == 0 ? "" : random_chance(random, 50) ? " AND " : " or ");
        text_puts(out, parentheses ? "(" : "");
        if (parentheses)
            print_condition(random, fleet, depth - 1, out);
        else
            print_predicate(random, fleet, out);
        text_puts(out, parentheses ? ")" : "");
    }
}

/* Whether the store and the judge agree, on which devices and in which order; how many there are. */
static uint32_t check_filter(struct suite *s, const struct thing fleet[FLEET], const char *text)
{
    struct filter filter = { 0 };
    cr_assert_eq(filter_parse(text, strlen(text), &filter, &s->err), TRANCHE_OK, "%s: %s", text, s->err.text);
    uint32_t expected[FLEET], count = 0, announced = 0, taken = 0, devices[FLEET + 1];
    for (int i = 0; i < FLEET; i++)
        if (!fleet[i].record.deleted && judge(&fleet[i], filter.root))
            expected[count++] = fleet[i].record.no;
    filter_free(&filter);

    struct tranche_selection selection = { .filter = text };
    cr_assert_eq(s->from->select_open(s->reader, &selection, &announced, &s->err), TRANCHE_OK, "%s: %s", text,
                 s->err.text);
    must(s->from->select_next(s->reader, devices, FLEET + 1, &taken, &s->err));
    s->from->select_close(s->reader);
    cr_assert_eq(announced, count, "%s\n%u counted, %u expected", text, announced, count);
    cr_assert_eq(taken, count, "%s\n%u selected, %u expected", text, taken, count);
    cr_assert_eq(memcmp(devices, expected, count * sizeof devices[0]), 0, "%s", text);
    return count;
}

void store_case_filters_select_what_they_say(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct random random = { 2026 };
    struct thing fleet[FLEET];
    suite_open(s, place);
    put_fleet(s, &random, fleet);

    uint32_t telling = 0; /* filters that split the fleet */
    for (int i = 0; i < FILTERS; i++) {
        struct text text = { 0 };
        text_puts(&text, random_chance(&random, 90) ? "SELECT * FROM devices WHERE "
                                                    : "select * from dtmi:tranche:a;1 where ");
        print_condition(&random, fleet, random_below(&random, 4), &text);
        uint32_t count = check_filter(s, fleet, text.bytes);
        telling += count > 0 && count < FLEET - FLEET / 10;
        text_free(&text);
    }
    cr_assert_gt(telling, FILTERS / 2);
    check_filter(s, fleet, "SELECT * FROM devices");
    free_fleet(fleet);
    suite_close(s);
}

/* Nested as deeply, and as long, as the language allows, on either side. */
void store_case_deeply_nested_filters_are_understood(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct random random = { 7 };
    struct thing fleet[FLEET];
    suite_open(s, place);
    put_fleet(s, &random, fleet);
    struct text right = { 0 }, left = { 0 }, both = { 0 }, chain = { 0 }, list = { 0 };
    static const char start[] = "SELECT * FROM devices WHERE ";

    text_puts(&right, start);
    text_puts(&left, start);
    for (int i = 0; i < FILTER_DEPTH_MAX; i++) {
        text_puts(&right, i % 2 ? "a = 5 OR (" : "b != 5 AND (");
        text_puts(&left, "(");
    }
    text_puts(&right, "site > 0");
    text_puts(&left, "site > 0");
    for (int i = 0; i < FILTER_DEPTH_MAX; i++) {
        text_puts(&right, ")");
        text_puts(&left, i % 2 ? ") OR a = 5" : ") AND b != 5");
    }

    /* Both sides of each AND have much below them. */
    text_puts(&both, start);
    for (int i = 0; i < FILTER_DEPTH_MAX - 8; i++)
        text_puts(&both, i % 2 ? "a = 5 OR (" : "(a = 1 OR (b = 5 AND (c.a = 5 OR site < 3))) AND (");
    text_puts(&both, "site > 0");
    for (int i = 0; i < FILTER_DEPTH_MAX - 8; i++)
        text_puts(&both, ")");

    text_printf(&chain, "%sa = 1", start);
    for (int i = 1; i < FILTER_NODES_MAX / 2; i++)
        text_printf(&chain, " %s a!=%d", i % 7 ? "OR" : "AND", i);
    text_printf(&list, "%sa IN [7", start);
    while (list.length < FILTER_BYTES_MAX - 10)
        text_printf(&list, ",%zu", list.length % 10);
    text_puts(&list, "]");

    check_filter(s, fleet, right.bytes);
    check_filter(s, fleet, left.bytes);
    check_filter(s, fleet, both.bytes);
    check_filter(s, fleet, chain.bytes);
    check_filter(s, fleet, list.bytes);
    text_free(&right), text_free(&left), text_free(&both), text_free(&chain), text_free(&list);
    free_fleet(fleet);
    suite_close(s);
}
