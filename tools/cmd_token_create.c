#include "auth.h"
#include "cli.h"
#include "config.h"
#include "definition.h"
#include "object_call.h"
#include "organization.h"
#include "sqlite.h"
#include "when.h"

#include <stdio.h>

#define ROLES "administrator, builder, operator, org-admin, org-operator or org-viewer"

enum { ROLE = 1, ORGANIZATION, EXPIRES, DATA };

static const struct flag flags[] = {
    { ROLE, 0, "role", "ROLE", ROLES },
    { ORGANIZATION, 0, "organization", "ID", "good for what belongs to it and to those below it (for everything)" },
    { EXPIRES, 0, "expires", "TIME", "good for 90d, 12h, 2w ... (365d)" },
    { DATA, 0, "data", "DIR", "data directory of the server (./tranche-data, unless a server is named)" },
    { 0 },
};

struct wish {
    const char *name, *organization, *directory; /* NULL: none, and the server */
    const struct role *role;
    int64_t length_us;
};

/* ---- in the data directory ---- */

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

static enum exit_code create_here(const struct wish *wish)
{
    struct tranche_err err = {0};
    struct text value = {0};
    int64_t now_us = when_now_us();
    struct token token = { .roles = { { .role = wish->role } }, .role_count = 1, .expires_us = now_us + wish->length_us };
    enum tranche_code code = id_check("token", wish->name, &err);
    if (code == TRANCHE_OK && wish->organization != NULL)
        code = organization_id_check("--organization", wish->organization, &err);
    if (code == TRANCHE_OK && wish->organization != NULL)
        snprintf(token.roles[0].organization, sizeof token.roles[0].organization, "%s", wish->organization);
    if (code == TRANCHE_OK)
        code = auth_mint(wish->name, now_us, &token, &value, &err);
    if (code == TRANCHE_OK)
        code = store(wish->directory, wish->name, &token, &err);
    if (code == TRANCHE_OK)
        printf("%s\n", value.bytes);
    text_free(&value);
    return code == TRANCHE_OK ? EXIT_OK : cli_fail_err(&err);
}

/* ---- on the server ---- */

static void print_body(const struct wish *wish, struct text *body)
{
    char expiry[WHEN_TEXT_BYTES];
    when_rfc3339(when_now_us() + wish->length_us, expiry);
    text_puts(body, "{\"roles\":[{");
    body_add_string(body, "role", wish->role->id);
    body_add_string(body, "organization", wish->organization);
    text_puts(body, "}]");
    body_add_string(body, "expiry", expiry);
    text_puts(body, "}");
}

static enum exit_code create_there(const struct cli *cli, const struct wish *wish)
{
    struct http http = {0};
    struct text body = {0};
    print_body(wish, &body);
    enum exit_code code = body.failed ? cli_fail(EXIT_TROUBLE, "out of memory") : http_open(&http, cli);
    if (code == EXIT_OK && object_call(&http, "PUT", "/api/apiTokens", wish->name, "", body.bytes, body.length) != EXIT_OK)
        code = http_report(&http);
    const char *value = json_string(json_member(http.json.root, "token"));
    if (code == EXIT_OK && (cli->output == OUTPUT_JSON || cli->output == OUTPUT_JSONL))
        show_object(cli, &http.json, token_columns);
    else if (code == EXIT_OK && value != NULL)
        printf("%s\n", value);
    else if (code == EXIT_OK)
        code = cli_fail(EXIT_TROUBLE, "the server's answer has no token");
    http_close(&http);
    text_free(&body);
    return code;
}

/* ---- the command ---- */

static enum exit_code parse(const struct cli *cli, struct words *words, struct wish *wish)
{
    const char *role = NULL, *expires = "365d", *value;
    struct tranche_err err;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        switch (flag) {
        case ROLE:
            role = value;
            break;
        case ORGANIZATION:
            wish->organization = value;
            break;
        case EXPIRES:
            expires = value;
            break;
        case DATA:
            wish->directory = value;
            break;
        default:
            return EXIT_USAGE;
        }
    wish->name = words_argument(words, 0);
    wish->role = role != NULL ? role_by_word(role) : NULL;
    if (role == NULL)
        return cli_usage(cli, "--role is missing: " ROLES);
    if (wish->role == NULL)
        return cli_usage(cli, "--role: expected " ROLES ", got \"%s\"", role);
    if (when_parse_length(expires, &wish->length_us, &err) != TRANCHE_OK)
        return cli_usage(cli, "--expires: %s", err.text);
    return EXIT_OK;
}

static enum exit_code run_token_create(struct cli *cli, struct words *words)
{
    struct config config;
    struct wish wish = {0};
    struct tranche_err err;
    enum exit_code code = parse(cli, words, &wish);
    if (code != EXIT_OK)
        return code;
    if (wish.directory == NULL && cli->server_named)
        return create_there(cli, &wish);
    config_defaults(&config);
    if (config_read_environment(&config, &err) != TRANCHE_OK)
        return cli_usage(cli, "%s", err.text);
    if (wish.directory == NULL)
        wish.directory = config.data;
    return create_here(&wish);
}

const struct cmd cmd_token_create = {
    .name = "token create",
    .arguments = "NAME",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "make an API token and print it",
    .more = "Works on the data directory, whether it is being served or not; with --server or\n"
            "TRANCHE_SERVER, and without --data, it asks that server. The value is shown once; only its\n"
            "hash is kept.",
    .example = "tranche token create ops --role operator --expires 90d --data /var/lib/tranche",
    .flags = flags,
    .run = run_token_create,
};
