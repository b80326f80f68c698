#include "object_call.h"

enum { FILTER = 1, NAME, DESCRIPTION, ORGANIZATION };

static const struct flag flags[] = {
    { FILTER, 0, "filter", "QUERY", "which devices: SELECT * FROM devices WHERE ..." },
    { NAME, 0, "name", "TEXT", "display name (the id)" },
    { DESCRIPTION, 0, "description", "TEXT", "for people" },
    { ORGANIZATION, 0, "organization", "ID", "organization that it belongs to; its devices are of this one or below (none)" },
    { 0 },
};

static enum exit_code create(struct http *http, const char *id, const struct text *body)
{
    if (object_call(http, "PUT", "/api/deviceGroups", id, "", body->bytes, body->length) != EXIT_OK)
        return http_report(http);
    show_object(http->cli, &http->json, group_columns);
    int64_t count;
    if (object_call(http, "GET", "/v1/deviceGroups", id, "/count", NULL, 0) != EXIT_OK)
        return http_report(http);
    if (json_integer(json_member(http->json.root, "count"), &count))
        cli_note(http->cli, count == 0 ? "no device matches now" : "%lld devices match now", (long long)count);
    return EXIT_OK;
}

static enum exit_code run_group_create(struct cli *cli, struct words *words)
{
    const char *filter = NULL, *name = NULL, *description = NULL, *organization = NULL, *value;
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
        case ORGANIZATION:
            organization = value;
            break;
        default:
            return EXIT_USAGE;
        }
    const char *id = words_argument(words, 0);
    if (filter == NULL)
        return cli_usage(cli, "--filter is missing: --filter \"SELECT * FROM devices WHERE $template = '...'\"");

    struct text body = {0};
    struct http http = {0};
    text_puts(&body, "{");
    body_add_string(&body, "displayName", name != NULL ? name : id);
    body_add_string(&body, "filter", filter);
    body_add_string(&body, "description", description);
    body_add_organization(&body, organization);
    text_puts(&body, "}");
    enum exit_code code = body.failed ? cli_fail(EXIT_TROUBLE, "out of memory") : http_open(&http, cli);
    if (code == EXIT_OK)
        code = create(&http, id, &body);
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
