#include "object_call.h"

#include <string.h>

const struct column device_columns[] = {
    { "ID", "id", COLUMN_VALUE },
    { "NAME", "displayName", COLUMN_VALUE },
    { "TEMPLATE", "template", COLUMN_VALUE },
    { "ENABLED", "enabled", COLUMN_VALUE },
    { "PROVISIONED", "provisioned", COLUMN_WIDE },
    { "SIMULATED", "simulated", COLUMN_WIDE },
    { "ORGANIZATION", "organizations", COLUMN_WIDE },
    { 0 },
};

const struct column organization_columns[] = {
    { "ID", "id", COLUMN_VALUE },
    { "NAME", "displayName", COLUMN_VALUE },
    { "PARENT", "parent", COLUMN_VALUE },
    { 0 },
};

const struct column schedule_columns[] = {
    { "ID", "id", COLUMN_VALUE },
    { "NAME", "displayName", COLUMN_WIDE },
    { "GROUP", "group", COLUMN_VALUE },
    { "START", "schedule.start", COLUMN_TIME },
    { "EVERY", "schedule.recurrence", COLUMN_VALUE },
    { "UNTIL", "schedule.end.date", COLUMN_VALUE },
    { "TIMES", "schedule.end.occurrences", COLUMN_VALUE },
    { "ENABLED", "enabled", COLUMN_VALUE },
    { "COMPLETED", "completed", COLUMN_VALUE },
    { "ORGANIZATION", "organizations", COLUMN_WIDE },
    { 0 },
};

const struct column template_columns[] = {
    { "ID", "@id", COLUMN_VALUE },
    { "NAME", "displayName", COLUMN_VALUE },
    { "DESCRIPTION", "description", COLUMN_WIDE },
    { 0 },
};

const struct column token_columns[] = {
    { "ID", "id", COLUMN_VALUE },
    { "ROLES", "roles", COLUMN_ROLES },
    { "EXPIRY", "expiry", COLUMN_TIME },
    { 0 },
};

const struct column group_columns[] = {
    { "ID", "id", COLUMN_VALUE },
    { "NAME", "displayName", COLUMN_VALUE },
    { "DESCRIPTION", "description", COLUMN_WIDE },
    { "ORGANIZATION", "organizations", COLUMN_WIDE },
    { "FILTER", "filter", COLUMN_VALUE },
    { 0 },
};

enum exit_code object_call(struct http *http, const char *method, const char *base, const char *id, const char *more,
                           const char *body, size_t bytes)
{
    struct text path = {0};
    text_puts(&path, base);
    http_path_add(&path, id);
    text_printf(&path, "%s%s", more, strncmp(base, "/api/", 5) == 0 ? HTTP_API_VERSION : "");
    if (path.failed) {
        text_free(&path);
        return cli_fail(EXIT_TROUBLE, "out of memory");
    }
    enum exit_code code = http_call(http, method, path.bytes, body, bytes);
    text_free(&path);
    return code;
}

enum exit_code object_show(struct cli *cli, struct words *words, const char *base, const char *more,
                           const struct column *columns)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    struct http http = {0};
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK && object_call(&http, "GET", base, words_argument(words, 0), more, NULL, 0) != EXIT_OK)
        code = http_report(&http);
    else if (code == EXIT_OK)
        show_object(cli, &http.json, columns);
    http_close(&http);
    return code;
}

enum exit_code object_delete(struct cli *cli, struct words *words, const char *base)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    const char *id = words_argument(words, 0);
    struct http http = {0};
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK && object_call(&http, "DELETE", base, id, "", NULL, 0) != EXIT_OK)
        code = http_report(&http);
    else if (code == EXIT_OK)
        cli_note(cli, "deleted %s", id);
    http_close(&http);
    return code;
}

enum exit_code object_send(struct cli *cli, const char *method, const char *base, const char *id, struct text *body,
                           const struct column *columns)
{
    struct http http = {0};
    enum exit_code code = body->failed ? cli_fail(EXIT_TROUBLE, "out of memory") : http_open(&http, cli);
    if (code == EXIT_OK && object_call(&http, method, base, id, "", body->bytes, body->length) != EXIT_OK)
        code = http_report(&http);
    else if (code == EXIT_OK)
        show_object(cli, &http.json, columns);
    http_close(&http);
    return code;
}

enum exit_code object_patch(struct cli *cli, struct words *words, const char *base, const char *patch,
                            const struct column *columns)
{
    const char *value;
    struct text body = {0};
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    text_puts(&body, patch);
    enum exit_code code = object_send(cli, "PATCH", base, words_argument(words, 0), &body, columns);
    text_free(&body);
    return code;
}

enum exit_code body_add_flag(const struct cli *cli, struct text *body, const char *name, const char *value)
{
    if (value == NULL)
        return EXIT_OK;
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return cli_usage(cli, "--%s: expected true or false, got \"%s\"", name, value);
    body_add_name(body, name);
    text_puts(body, value);
    return EXIT_OK;
}
