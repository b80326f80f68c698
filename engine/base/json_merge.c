/* Merge patch (RFC 7386) over the bytes of both texts, so that values pass through as they were written. */
#include "json.h"

#include "json_scan.h"
#include "mem.h"

/* A value as a tree and as bytes. `tree` is NULL where there is none. */
struct side {
    const struct json *tree;
    const char *at, *end;
};

static struct side member_of(const struct side *object, const char *name)
{
    struct side member = { .tree = json_member(object->tree, name), .end = object->end };
    if (member.tree != NULL)
        member.at = json_scan_member(object->at, object->end, name);
    return member;
}

static void merge(struct text *out, const struct side *target, const struct side *patch);

static void add_member(struct text *out, const char **before, const char *name, const struct side *target,
                       const struct side *patch)
{
    text_puts(out, *before);
    *before = ",";
    text_json(out, name);
    text_puts(out, ":");
    merge(out, target, patch);
}

/* A patch that is no object takes the place of what is there; so does an object of what is none. */
static void merge(struct text *out, const struct side *target, const struct side *patch)
{
    const struct side *whole = patch->tree == NULL ? target : patch;
    if (json_type(patch->tree) != JSON_OBJECT) {
        json_compact(out, whole->at, (size_t)(json_scan_value(whole->at, whole->end) - whole->at));
        return;
    }
    const char *before = "{", *name;
    struct json *value;
    for (void *cursor = NULL; json_next(target->tree, &cursor, &name, &value);) {
        struct side old = member_of(target, name), new = member_of(patch, name);
        if (json_type(new.tree) != JSON_NULL)
            add_member(out, &before, name, &old, &new);
    }
    for (void *cursor = NULL; json_next(patch->tree, &cursor, &name, &value);) {
        struct side none = { 0 }, new = member_of(patch, name);
        if (json_type(value) != JSON_NULL && json_member(target->tree, name) == NULL)
            add_member(out, &before, name, &none, &new);
    }
    text_puts(out, before[0] == '{' ? "{}" : "}");
}

static struct side side_of(const struct json_document *document)
{
    const char *end = document->text + document->bytes;
    return (struct side){ document->root, json_scan_blank(document->text, end), end };
}

void json_merge(struct text *out, const struct json_document *target, const struct json_document *patch)
{
    struct side old = side_of(target), new = side_of(patch);
    merge(out, &old, &new);
}
