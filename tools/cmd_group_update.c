#include "object_call.h"

enum { FILTER = 1, NAME, DESCRIPTION, ORGANIZATION };

static const struct flag flags[] = {
    { FILTER, 0, "filter", "QUERY", "which devices: SELECT * FROM devices WHERE ..." },
    { NAME, 0, "name", "TEXT", "display name" },
    { DESCRIPTION, 0, "description", "TEXT", "for people (\"\": none)" },
    { ORGANIZATION, 0, "organization", "ID", "organization that it belongs to (\"\": none)" },
    { 0 },
};

static enum exit_code run_group_update(struct cli *cli, struct words *words)
{
    const char *values[ORGANIZATION + 1] = { NULL }, *value;
    bool any = false;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END; any = true)
        if (flag == FLAG_BAD)
            return EXIT_USAGE;
        else
            values[flag] = value;
    if (!any)
        return cli_usage(cli, "what is to be changed? --filter, --name, --description, --organization");
    struct text body = {0};
    text_puts(&body, "{");
    body_add_string(&body, "filter", values[FILTER]);
    body_add_string(&body, "displayName", values[NAME]);
    body_add_string(&body, "description", values[DESCRIPTION]);
    body_add_organization(&body, values[ORGANIZATION]);
    text_puts(&body, "}");
    enum exit_code code = object_send(cli, "PATCH", "/api/deviceGroups", words_argument(words, 0), &body, group_columns);
    text_free(&body);
    return code;
}

const struct cmd cmd_group_update = {
    .name = "group update",
    .arguments = "GROUP-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "change a device group; what is not named stays",
    .more = "A job that has begun keeps its devices.",
    .example = "tranche group update north --description \"All pumps north of the river\"",
    .flags = flags,
    .run = run_group_update,
};
