#include "dtdl.h"

#include "fail.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

bool dtdl_is_given(const struct json *value)
{
    return json_type(value) != JSON_NONE && json_type(value) != JSON_NULL;
}

enum tranche_code dtdl_require(const struct json *value, const struct trail *trail, enum json_type type,
                               struct tranche_err *err)
{
    enum json_type found = json_type(value);
    if (found == type)
        return TRANCHE_OK;
    char where[TRAIL_BYTES];
    trail_print(trail, where);
    if (!dtdl_is_given(value))
        return fail(err, TRANCHE_INVALID, "%s: the member is required.", where);
    bool vowel = type == JSON_ARRAY || type == JSON_OBJECT;
    return fail(err, TRANCHE_INVALID, "%s: expected %s %s, found %s.", where, vowel ? "an" : "a",
                json_type_name(type), json_type_name(found));
}

enum tranche_code dtdl_require_member(const struct json *object, const struct trail *trail, const char *name,
                                      enum json_type type, struct tranche_err *err)
{
    return dtdl_require(json_member(object, name), &(struct trail){ trail, name, 0 }, type, err);
}

static bool is_name(const char *text, size_t bytes)
{
    return bytes > 0 && bytes <= DTDL_NAME_BYTES_MAX && strchr(LETTERS, text[0]) != NULL &&
           strspn(text, LETTERS DIGITS "_") == bytes && text[bytes - 1] != '_';
}

enum tranche_code dtdl_read_name(const struct json *object, const struct trail *trail, struct arena *memory,
                                 const char **name, struct tranche_err *err)
{
    enum tranche_code code = dtdl_require_member(object, trail, "name", JSON_STRING, err);
    if (code != TRANCHE_OK)
        return code;
    const char *text = json_string(json_member(object, "name"));
    size_t bytes = strlen(text);
    *name = arena_copy(memory, text, bytes);
    if (is_name(text, bytes))
        return TRANCHE_OK;
    char where[TRAIL_BYTES];
    return fail(
        err, TRANCHE_INVALID,
        "%s: expected a letter and at most %d more of a-z A-Z 0-9 _ but no _ at the end, found \"%.*s\".",
        trail_print(&(struct trail){ trail, "name", 0 }, where), DTDL_NAME_BYTES_MAX - 1,
        DTDL_SHOWN_BYTES_MAX, text);
}

static bool is_word(const struct json *value, const char *word)
{
    const char *string = json_string(value);
    return string != NULL && strcmp(string, word) == 0;
}

bool dtdl_is_a(const struct json *object, const char *type)
{
    const struct json *types = json_member(object, "@type");
    bool found = is_word(types, type);
    for (size_t i = 0; i < json_count(types) && !found; i++)
        found = is_word(json_item(types, i), type);
    return found;
}

enum tranche_code dtdl_refuse_type(const struct json *object, const struct trail *trail, const char *types,
                                   struct tranche_err *err)
{
    const char *found = json_string(json_member(object, "@type"));
    char where[TRAIL_BYTES];
    trail_print(&(struct trail){ trail, "@type", 0 }, where);
    if (found == NULL)
        return fail(err, TRANCHE_INVALID, "%s: one of %s is required.", where, types);
    return fail(err, TRANCHE_INVALID, "%s: one of %s is required, found \"%.*s\".", where, types,
                DTDL_SHOWN_BYTES_MAX, found);
}

bool dtdl_is_reference(const char *word)
{
    return strncmp(word, "dtmi:", 5) == 0;
}
