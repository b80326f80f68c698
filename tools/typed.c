#include "typed.h"

#include "amount.h"
#include "fail.h"
#include "file.h"
#include "json_scan.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 31536000.0 /* a year */

/* ---- values ---- */

static bool is_json(const char *text, size_t bytes)
{
    bool has_pairs;
    return json_scan(text, bytes, &has_pairs, NULL) == TRANCHE_OK;
}

static enum tranche_code add_lenient(const char *text, struct text *value)
{
    if (is_json(text, strlen(text)))
        text_puts(value, text);
    else
        text_json(value, text);
    return TRANCHE_OK;
}

static enum tranche_code add_strict(const char *text, struct text *value, struct tranche_err *err)
{
    bool has_pairs;
    enum tranche_code code = json_scan(text, strlen(text), &has_pairs, err);
    if (code != TRANCHE_OK)
        return fail_in(err, TRANCHE_INVALID, "\"%s\" is no JSON", text);
    text_puts(value, text);
    return TRANCHE_OK;
}

static enum tranche_code add_file(const char *path, struct text *value, struct tranche_err *err)
{
    struct text content = {0};
    enum tranche_code code = file_read(path, TYPED_FILE_BYTES_MAX, &content, err);
    if (code == TRANCHE_OK) {
        while (content.length > 0 && strchr("\r\n", content.bytes[content.length - 1]) != NULL)
            content.bytes[--content.length] = '\0';
        code = strlen(content.bytes) == content.length ? add_lenient(content.bytes, value)
                                                       : fail(err, TRANCHE_INVALID, "%s is no text", path);
    }
    text_free(&content);
    return code;
}

enum tranche_code typed_assignment(const char *text, bool value_optional, struct text *key, struct text *value,
                                   bool *has_value, struct tranche_err *err)
{
    const char *equals = strchr(text, '=');
    *has_value = equals != NULL;
    if (equals == NULL && !value_optional)
        return fail(err, TRANCHE_INVALID, "expected name=value, got \"%s\"", text);
    bool strict = equals != NULL && equals > text && equals[-1] == ':';
    size_t key_bytes = equals == NULL ? strlen(text) : (size_t)(equals - text) - strict;
    if (key_bytes == 0)
        return fail(err, TRANCHE_INVALID, "expected a name before the value, got \"%s\"", text);
    text_add(key, text, key_bytes);
    if (equals == NULL)
        return TRANCHE_OK;
    if (strict)
        return add_strict(equals + 1, value, err);
    if (equals[1] == '@')
        return add_file(equals + 2, value, err);
    return add_lenient(equals + 1, value);
}

/* ---- amounts ---- */

enum tranche_code typed_amount(const char *text, const char *type, const char *more, struct text *out,
                               struct tranche_err *err)
{
    size_t bytes = strlen(text);
    bool percent = bytes > 0 && text[bytes - 1] == '%';
    if (percent)
        bytes--;
    struct tranche_amount amount;
    char number[AMOUNT_TEXT_BYTES];
    if (amount_parse(text, bytes, percent, &amount, NULL) != TRANCHE_OK)
        return fail(err, TRANCHE_INVALID, "expected a number of devices or a percentage such as 250 or 25%%, got \"%s\"",
                    text);
    if (type != NULL && strcmp(type, "number") != 0 && strcmp(type, "percentage") != 0)
        return fail(err, TRANCHE_INVALID, "expected the type number or percentage, got \"%s\"", type);
    amount_print(&amount, number);
    text_printf(out, "{\"type\":\"%s\",\"value\":%s%s}", percent ? "percentage" : type != NULL ? type : "number", number,
                more);
    return TRANCHE_OK;
}

/* ---- times ---- */

enum tranche_code typed_seconds(const char *text, int64_t *us, struct tranche_err *err)
{
    char *end;
    double number = strtod(text, &end);
    double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : 1;
    if (*end == 's' || *end == 'm' || *end == 'h')
        end++;
    bool digits_first = (text[0] >= '0' && text[0] <= '9') || text[0] == '.';
    if (!digits_first || *end != '\0' || !(number * unit <= SECONDS_MAX))
        return fail(err, TRANCHE_INVALID, "expected a length of time such as 2, 0.5, 90s or 10m, got \"%s\"", text);
    *us = (int64_t)(number * unit * 1e6);
    return TRANCHE_OK;
}
