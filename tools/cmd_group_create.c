#include "http.h"
#include "show.h"

enum { FILTER = 1, NAME, DESCRIPTION };

static const struct flag flags[] = {
    { FILTER, 0, "filter", "QUERY", "which devices: SELECT * FROM devices WHERE ..." },
    { NAME, 0, "name", "TEXT", "display name (the id)" },
    { DESCRIPTION, 0, "description", "TEXT", "for people" },
    { 0 },
};

static void print_body(struct text *out, const char *name, const char *filter, const char *description)
{
    text_puts(out, "{\"displayName\":");
    text_json(out, name);
    text_puts(out, ",\"filter\":");
    text_json(out, filter);
    if (description != NULL) {
        text_puts(out, ",\"description\":");
        text_json(out, description);
    }
    text_puts(out, "}");
}

static enum exit_code create(struct http *http, const char *id, const char *body, size_t bytes)
{
    static const struct column columns[] = {
        { "ID", "id", COLUMN_VALUE },
        { "NAME", "displayName", COLUMN_VALUE },
        { "FILTER", "filter", COLUMN_VALUE },
        { 0 },
    };
    struct text path = {0};
    text_puts(&path, "/api/deviceGroups");
    http_path_add(&path, id);
    text_puts(&path, HTTP_API_VERSION);
    enum exit_code code = http_call(http, "PUT", path.bytes, body, bytes);
    text_free(&path);
    if (code != EXIT_OK)
        return http_report(http);
    show_object(http->cli, &http->json, columns);
    return EXIT_OK;
}

static enum exit_code run_group_create(struct cli *cli, struct words *words)
{
    const char *filter = NULL, *name = NULL, *description = NULL, *value;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        switch (flag) {
        case FILTER:
            filter = value;
            break;
        case NAME:
            name = value;
            break;
        case DESCRIPTION:
            description = value;
            break;
        default:
            return EXIT_USAGE;
        }
    const char *id = words_argument(words, 0);
    if (filter == NULL)
        return cli_usage(cli, "--filter is missing: --filter \"SELECT * FROM devices WHERE $template = '...'\"");

    struct text body = {0};
    struct http http = {0};
    print_body(&body, name != NULL ? name : id, filter, description);
    enum exit_code code = body.failed ? cli_fail(EXIT_TROUBLE, "out of memory") : http_open(&http, cli);
    if (code == EXIT_OK)
        code = create(&http, id, body.bytes, body.length);
    http_close(&http);
    text_free(&body);
    return code;
}

const struct cmd cmd_group_create = {
    .name = "group create",
    .arguments = "GROUP-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "create a device group, or replace one",
    .more = "A group is a question, not a list: a job asks it when it starts. Fields are properties, and\n"
            "$id, $template, $displayName, $enabled, $provisioned, $simulated, $organizations.",
    .example = "tranche group create north --filter \"SELECT * FROM devices WHERE site = 'north'\"",
    .flags = flags,
    .run = run_group_create,
};
