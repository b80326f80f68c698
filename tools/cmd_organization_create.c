#include "object_call.h"

enum { NAME = 1, PARENT };

static const struct flag flags[] = {
    { NAME, 0, "name", "TEXT", "display name (the id)" },
    { PARENT, 0, "parent", "ID", "organization that it is a part of (none)" },
    { 0 },
};

static enum exit_code run_organization_create(struct cli *cli, struct words *words)
{
    const char *name = NULL, *parent = NULL, *value;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FLAG_BAD)
            return EXIT_USAGE;
        else if (flag == NAME)
            name = value;
        else
            parent = value;
    const char *id = words_argument(words, 0);
    struct text body = { 0 };
    text_puts(&body, "{");
    body_add_string(&body, "displayName", name != NULL ? name : id);
    body_add_string(&body, "parent", parent);
    text_puts(&body, "}");
    enum exit_code code = object_send(cli, "PUT", "/api/organizations", id, &body, organization_columns);
    text_free(&body);
    return code;
}

const struct cmd cmd_organization_create = {
    .name = "organization create",
    .arguments = "ORGANIZATION-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "create an organization, or replace one",
    .more = "Whoever has a role in an organization sees what belongs to it and to those below it, and\n"
            "nothing else.",
    .example = "tranche organization create north --name \"North works\" --parent contoso",
    .flags = flags,
    .run = run_organization_create,
};
