#include "list.h"
#include "object_call.h"

enum { LIMIT = 1, FILTER, ORDER };

static const struct flag flags[] = {
    { FILTER, 0, "filter", "QUERY", "for instance \"template eq 'dtmi:a:b;1' and enabled eq true\"" },
    { ORDER, 0, "orderby", "ORDER", "displayName or \"displayName desc\" (by id)" },
    { LIMIT, 0, "limit", "N", LIST_FLAG_HELP },
    { 0 },
};

static void add_query(struct text *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    text_printf(path, "&%s=", name);
    http_text_add(path, value);
}

static enum exit_code run_device_list(struct cli *cli, struct words *words)
{
    uint32_t limit = LIST_LIMIT;
    const char *value, *filter = NULL, *order = NULL;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FILTER)
            filter = value;
        else if (flag == ORDER)
            order = value;
        else if (flag == FLAG_BAD || list_limit(cli, value, &limit) != EXIT_OK)
            return EXIT_USAGE;
    struct text path = {0};
    text_puts(&path, "/api/devices" HTTP_API_VERSION "&maxpagesize=" LIST_PAGE);
    add_query(&path, "filter", filter);
    add_query(&path, "orderby", order);
    enum exit_code code = list_run(cli, &path, device_columns, limit);
    text_free(&path);
    return code;
}

const struct cmd cmd_device_list = {
    .name = "device list",
    .arguments = "",
    .help = "list devices",
    .more = "The filter knows id, displayName, template, scopes, enabled, provisioned, simulated; eq ne lt le gt ge,\n"
            "and, or, contains(displayName,'x').",
    .example = "tranche device list --filter \"contains(displayName,'north')\" -o wide",
    .flags = flags,
    .run = run_device_list,
};
