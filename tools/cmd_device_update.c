#include "object_call.h"

enum { NAME = 1, TEMPLATE, ORGANIZATION, ENABLED, SIMULATED };

static const struct flag flags[] = {
    { NAME, 0, "name", "TEXT", "display name (\"\": none)" },
    { TEMPLATE, 0, "template", "DTMI", "template (\"\": none)" },
    { ORGANIZATION, 0, "organization", "ID", "organization (\"\": none)" },
    { ENABLED, 0, "enabled", "true|false", "whether it may be used" },
    { SIMULATED, 0, "simulated", "true|false", "whether Tranche answers for it" },
    { 0 },
};

static enum exit_code run_device_update(struct cli *cli, struct words *words)
{
    const char *values[SIMULATED + 1] = { NULL }, *value;
    bool any = false;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END; any = true)
        if (flag == FLAG_BAD)
            return EXIT_USAGE;
        else
            values[flag] = value;
    if (!any)
        return cli_usage(cli, "what is to be changed? --name, --template, --organization, --enabled, --simulated");
    struct text body = {0};
    text_puts(&body, "{");
    body_add_string(&body, "displayName", values[NAME]);
    body_add_string(&body, "template", values[TEMPLATE]);
    body_add_organization(&body, values[ORGANIZATION]);
    enum exit_code code = body_add_flag(cli, &body, "enabled", values[ENABLED]);
    if (code == EXIT_OK)
        code = body_add_flag(cli, &body, "simulated", values[SIMULATED]);
    text_puts(&body, "}");
    if (code == EXIT_OK)
        code = object_send(cli, "PATCH", "/api/devices", words_argument(words, 0), &body, device_columns);
    text_free(&body);
    return code;
}

const struct cmd cmd_device_update = {
    .name = "device update",
    .arguments = "DEVICE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "change a device; what is not named stays",
    .example = "tranche device update pump-7 --name \"Pump 7\" --enabled false",
    .flags = flags,
    .run = run_device_update,
};
