#include "list.h"
#include "object_call.h"

enum { LIMIT = 1 };

static const struct flag flags[] = { { LIMIT, 0, "limit", "N", LIST_FLAG_HELP }, { 0 } };

static enum exit_code run_group_list(struct cli *cli, struct words *words)
{
    uint32_t limit = LIST_LIMIT;
    const char *value;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FLAG_BAD || list_limit(cli, value, &limit) != EXIT_OK)
            return EXIT_USAGE;
    struct text path = {0};
    text_puts(&path, "/api/deviceGroups" HTTP_API_VERSION "&maxpagesize=" LIST_PAGE);
    enum exit_code code = list_run(cli, &path, group_columns, limit);
    text_free(&path);
    return code;
}

const struct cmd cmd_group_list = {
    .name = "group list",
    .arguments = "",
    .help = "list device groups",
    .example = "tranche group list -o tsv",
    .flags = flags,
    .run = run_group_list,
};
