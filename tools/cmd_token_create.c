#include "auth.h"
#include "cli.h"
#include "config.h"
#include "definition.h"
#include "sqlite.h"
#include "when.h"

#include <stdio.h>

enum { ROLE = 1, EXPIRES, DATA };

static const struct flag flags[] = {
    { ROLE, 0, "role", "ROLE", "administrator, builder, operator or org-viewer" },
    { EXPIRES, 0, "expires", "TIME", "good for 90d, 12h, 2w ... (365d)" },
    { DATA, 0, "data", "DIR", "data directory of the server (./tranche-data)" },
    { 0 },
};

/* Straight into the data directory, with its entry in the audit. */
static enum tranche_code store(const char *directory, const char *name, const struct token *token, struct tranche_err *err)
{
    struct text body = {0};
    token_print(token, &body);
    struct tranche_object_record record = { .kind = TRANCHE_TOKEN, .body = body.bytes };
    struct tranche_audit_record audit = { .at_us = token->created_us, .who = "command line",
                                          .operation = "ApiTokens_Create", .result = "OK" };
    snprintf(record.id, sizeof record.id, "%s", name);
    snprintf(audit.object, sizeof audit.object, "%s", name);
    enum tranche_code code = body.failed ? TRANCHE_NOMEM : sqlite_token_put(directory, &record, &audit, err);
    text_free(&body);
    return code;
}

static enum exit_code create(const char *name, const struct role *role, int64_t length_us, const char *directory)
{
    struct tranche_err err = {0};
    struct text value = {0};
    int64_t now_us = when_now_us();
    struct token token = { .roles = { { .role = role } }, .role_count = 1, .expires_us = now_us + length_us };
    enum tranche_code code = id_check("token", name, &err);
    if (code == TRANCHE_OK)
        code = auth_mint(name, now_us, &token, &value, &err);
    if (code == TRANCHE_OK)
        code = store(directory, name, &token, &err);
    if (code == TRANCHE_OK)
        printf("%s\n", value.bytes);
    text_free(&value);
    return code == TRANCHE_OK ? EXIT_OK : cli_fail_err(&err);
}

static enum exit_code run_token_create(struct cli *cli, struct words *words)
{
    struct config config;
    const char *role_word = NULL, *expires = "365d", *data = NULL, *value;
    struct tranche_err err;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        switch (flag) {
        case ROLE:
            role_word = value;
            break;
        case EXPIRES:
            expires = value;
            break;
        case DATA:
            data = value;
            break;
        default:
            return EXIT_USAGE;
        }
    const struct role *role = role_word != NULL ? role_by_word(role_word) : NULL;
    if (role_word == NULL)
        return cli_usage(cli, "--role is missing: administrator, builder, operator or org-viewer");
    if (role == NULL)
        return cli_usage(cli, "--role: expected administrator, builder, operator or org-viewer, got \"%s\"", role_word);
    int64_t length_us;
    if (when_parse_length(expires, &length_us, &err) != TRANCHE_OK)
        return cli_usage(cli, "--expires: %s", err.text);

    config_defaults(&config);
    if (config_read_environment(&config, &err) != TRANCHE_OK)
        return cli_usage(cli, "%s", err.text);
    return create(words_argument(words, 0), role, length_us, data != NULL ? data : config.data);
}

const struct cmd cmd_token_create = {
    .name = "token create",
    .arguments = "NAME",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "make an API token and print it",
    .more = "Works on the data directory, whether it is being served or not. The value is shown once;\n"
            "only its hash is kept.",
    .example = "tranche token create ops --role operator --expires 90d --data /var/lib/tranche",
    .flags = flags,
    .run = run_token_create,
};
