/* What must hold of every text that is given to json_parse; used by the unit test and the fuzzer. The
 * functions return NULL when all is well, else what is not. */
#ifndef JSON_CHECK_H
#define JSON_CHECK_H

#include "json.h"
#include "mem.h"

#include <stdio.h>
#include <string.h>

static const char *json_check_document(const struct json_document *document);

/* The bytes that json_raw gives for a value are a document of their own, and the same kind of value. */
static const char *json_check_value(const struct json *value, const char *raw, size_t bytes)
{
    struct json_document document;
    if (raw == NULL)
        return "a value of the tree has no bytes";
    if (json_parse(raw, bytes, &document, NULL) != TRANCHE_OK)
        return "the bytes of a value are no document";
    const char *complaint = json_type(document.root) == json_type(value)
                                ? json_check_document(&document)
                                : "the bytes of a value have another type";
    json_free(&document);
    return complaint;
}

static const char *json_check_members(const struct json_document *document)
{
    void *cursor = NULL;
    const char *name, *complaint = NULL;
    struct json *value;
    while (complaint == NULL && json_next(document->root, &cursor, &name, &value)) {
        size_t bytes = 0;
        const char *raw = json_raw(document, &bytes, name, NULL);
        complaint = json_member(document->root, name) == value ? json_check_value(value, raw, bytes)
                                                               : "json_member and json_next disagree";
    }
    return complaint;
}

static const char *json_check_items(const struct json_document *document)
{
    const char *complaint = NULL;
    size_t count = json_count(document->root), bytes = 0;
    char step[32];
    for (size_t i = 0; complaint == NULL && i < count; i++) {
        snprintf(step, sizeof step, "[%zu]", i);
        const char *raw = json_raw(document, &bytes, step, NULL);
        complaint = json_check_value(json_item(document->root, i), raw, bytes);
    }
    snprintf(step, sizeof step, "[%zu]", count);
    if (complaint == NULL && json_type(document->root) == JSON_ARRAY &&
        json_raw(document, &bytes, step, NULL) != NULL)
        complaint = "an item behind the last one";
    return complaint;
}

static const char *json_check_document(const struct json_document *document)
{
    const char *complaint = json_check_members(document);
    return complaint != NULL ? complaint : json_check_items(document);
}

/* Compacting gives a document again, and compacting that changes nothing. */
static const char *json_check_compact(const char *text, size_t bytes)
{
    struct text once = { 0 }, twice = { 0 };
    struct json_document document = { 0 };
    const char *complaint = NULL;
    json_compact(&once, text, bytes);
    json_compact(&twice, once.bytes, once.length);
    if (once.length > bytes)
        complaint = "compacting made it longer";
    else if (json_parse(once.bytes, once.length, &document, NULL) != TRANCHE_OK)
        complaint = "the compact text is no document";
    else if (twice.length != once.length || memcmp(once.bytes, twice.bytes, once.length) != 0)
        complaint = "compacting twice differs from once";
    json_free(&document);
    text_free(&once);
    text_free(&twice);
    return complaint;
}

static const char *json_check(const char *text, size_t bytes, bool *accepted)
{
    struct json_document document;
    struct tranche_err err = { 0 };
    enum tranche_code code = json_parse(text, bytes, &document, &err);
    *accepted = code == TRANCHE_OK;
    if (!*accepted) {
        bool explained =
            code == TRANCHE_BADREQUEST && err.code == code && strstr(err.text, " at offset ") != NULL;
        return explained && document.root == NULL ? NULL : "refused without a good reason";
    }
    const char *complaint = json_check_document(&document);
    json_free(&document);
    return complaint != NULL ? complaint : json_check_compact(text, bytes);
}

#endif
