#include "sim_filter.h"

#include "json.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

static_assert(LDBL_MANT_DIG >= 64, "a long double holds every 64-bit integer and every double");

/* ---- comparing ---- */

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

/* Does what the device has stand to one of the values as the node says? */
static bool string_holds(const struct filter_node *node, const char *string)
{
    for (const struct filter_value *value = node->values; string != NULL && value != NULL;
         value = value->next)
        if (value->type == FILTER_STRING && (node->op == FILTER_CONTAINS ? strstr(string, value->text) != NULL
                                                                         : holds(node->op, strcmp(string, value->text))))
            return true;
    return false;
}

static bool truth_holds(const struct filter_node *node, bool truth)
{
    for (const struct filter_value *value = node->values; value != NULL; value = value->next)
        if (value->type == FILTER_BOOL && holds(node->op, (int)truth - (int)value->truth))
            return true;
    return false;
}

static long double number_of(const char *text)
{
    char *end = NULL;
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' ? (long double)integer : (long double)strtod(text, NULL);
}

static bool number_holds(const struct filter_node *node, long double number)
{
    for (const struct filter_value *value = node->values; value != NULL; value = value->next) {
        if (value->type != FILTER_NUMBER)
            continue;
        long double other = number_of(value->text);
        if (holds(node->op, (number > other) - (number < other)))
            return true;
    }
    return false;
}

/* ---- properties ---- */

static bool json_holds(const struct filter_node *node, const char *raw, size_t bytes)
{
    struct json_document document = { 0 };
    bool does = false;
    if (json_parse(raw, bytes, &document, NULL) != TRANCHE_OK)
        return false;
    switch (json_type(document.root)) {
    case JSON_STRING:
        does = string_holds(node, json_string(document.root));
        break;
    case JSON_BOOL:
        does = truth_holds(node, json_true(document.root));
        break;
    case JSON_NUMBER: {
        char *text = strndup(raw, bytes); /* json-c would clamp it to 64 bits */
        assert(text != NULL);
        does = number_holds(node, number_of(text));
        free(text);
        break;
    }
    default:
        break;
    }
    json_free(&document);
    return does;
}

/* Walks down "component.name", a document for each level. */
static bool property_holds(const struct filter_node *node, const char *path, const char *raw, size_t bytes)
{
    size_t length = strcspn(path, ".");
    char *name = strndup(path, length);
    struct json_document document = { 0 };
    assert(name != NULL);
    bool does = false;
    if (json_parse(raw, bytes, &document, NULL) == TRANCHE_OK) {
        size_t inner_bytes = 0;
        const char *inner = json_raw(&document, &inner_bytes, name, NULL);
        if (inner != NULL && path[length] == '.')
            does = property_holds(node, path + length + 1, inner, inner_bytes);
        else if (inner != NULL)
            does = json_holds(node, inner, inner_bytes);
    }
    json_free(&document);
    free(name);
    return does;
}

/* ---- the tree ---- */

static bool predicate_holds(const struct filter_node *node, const struct tranche_device_record *device)
{
    switch (node->field) {
    case FILTER_TEMPLATE:
        return string_holds(node, device->template_id);
    case FILTER_PROVISIONED:
        return truth_holds(node, device->provisioned);
    case FILTER_SIMULATED:
        return truth_holds(node, device->simulated);
    case FILTER_ID:
        return string_holds(node, device->id);
    case FILTER_ENABLED:
        return truth_holds(node, device->enabled);
    case FILTER_DISPLAY_NAME:
        return string_holds(node, device->display_name != NULL ? device->display_name : device->id);
    case FILTER_ORGANIZATIONS:
        return string_holds(node, device->organization);
    case FILTER_PROPERTY:
        return device->properties != NULL &&
               property_holds(node, node->property, device->properties, strlen(device->properties));
    }
    abort(); /* all of the enum are above */
}

bool sim_filter_matches(const struct filter_node *node, const struct tranche_device_record *device)
{
    switch (node->kind) {
    case FILTER_ALL:
        return true;
    case FILTER_AND:
        return sim_filter_matches(node->left, device) && sim_filter_matches(node->right, device);
    case FILTER_OR:
        return sim_filter_matches(node->left, device) || sim_filter_matches(node->right, device);
    case FILTER_COMPARE:
    case FILTER_IN:
        return predicate_holds(node, device);
    }
    abort(); /* all of the enum are above */
}
