#include "list.h"
#include "object_call.h"

enum { LIMIT = 1 };

static const struct flag flags[] = { { LIMIT, 0, "limit", "N", LIST_FLAG_HELP }, { 0 } };

static enum exit_code run_group_devices(struct cli *cli, struct words *words)
{
    uint32_t limit = LIST_LIMIT;
    const char *value;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FLAG_BAD || list_limit(cli, value, &limit) != EXIT_OK)
            return EXIT_USAGE;
    struct text path = {0};
    text_puts(&path, "/api/deviceGroups");
    http_path_add(&path, words_argument(words, 0));
    text_puts(&path, "/devices" HTTP_API_VERSION "&maxpagesize=" LIST_PAGE);
    enum exit_code code = list_run(cli, &path, device_columns, limit);
    text_free(&path);
    return code;
}

const struct cmd cmd_group_devices = {
    .name = "group devices",
    .arguments = "GROUP-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "list the devices that a group has now",
    .example = "tranche group devices north --limit 10",
    .flags = flags,
    .run = run_group_devices,
};
