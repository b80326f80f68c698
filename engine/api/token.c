#include "token.h"

#include "fail.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void token_print(const struct token *token, struct text *body)
{
    text_puts(body, "{\"roles\":[");
    for (unsigned i = 0; i < token->role_count; i++) {
        text_printf(body, "%s{\"role\":\"%s\"", i > 0 ? "," : "", token->roles[i].role->id);
        if (token->roles[i].organization[0] != '\0') {
            text_puts(body, ",\"organization\":");
            text_json(body, token->roles[i].organization);
        }
        text_puts(body, "}");
    }
    text_printf(body, "],\"expires\":%" PRId64 ",\"created\":%" PRId64 ",\"hash\":\"", token->expires_us,
                token->created_us);
    for (size_t i = 0; i < sizeof token->hash; i++)
        text_printf(body, "%02x", token->hash[i]);
    text_puts(body, "\"}");
}

static bool parse_hash(const char *text, unsigned char hash[TOKEN_HASH_BYTES])
{
    if (text == NULL || strlen(text) != 2 * TOKEN_HASH_BYTES)
        return false;
    for (size_t i = 0; i < TOKEN_HASH_BYTES; i++)
        if (sscanf(text + 2 * i, "%2hhx", &hash[i]) != 1)
            return false;
    return true;
}

static bool parse_role(const struct json *value, struct token_role *role)
{
    const char *id = json_string(json_member(value, "role"));
    const char *organization = json_string(json_member(value, "organization"));
    if (id == NULL || (organization != NULL && strlen(organization) >= sizeof role->organization))
        return false;
    role->role = role_by_id(id);
    strcpy(role->organization, organization != NULL ? organization : "");
    return true;
}

static bool parse(const struct json *root, struct token *token)
{
    const struct json *roles = json_member(root, "roles");
    if (json_count(roles) > TOKEN_ROLES_MAX)
        return false;
    for (size_t i = 0; i < json_count(roles); i++)
        if (!parse_role(json_item(roles, i), &token->roles[token->role_count++]))
            return false;
    return json_integer(json_member(root, "expires"), &token->expires_us) &&
           json_integer(json_member(root, "created"), &token->created_us) &&
           parse_hash(json_string(json_member(root, "hash")), token->hash);
}

enum tranche_code token_parse(const char *body, struct token *token, struct tranche_err *err)
{
    struct json_document document;
    *token = (struct token){ 0 };
    enum tranche_code code = json_parse(body, strlen(body), &document, err);
    if (code == TRANCHE_NOMEM)
        return code;
    bool good = code == TRANCHE_OK && parse(document.root, token);
    json_free(&document);
    return good ? TRANCHE_OK : fail(err, TRANCHE_IO, "the record of a token is damaged");
}

bool token_may(const struct token *token, enum permission permission)
{
    for (unsigned i = 0; i < token->role_count; i++)
        if (token->roles[i].role != NULL && role_may(token->roles[i].role, permission))
            return true;
    return false;
}
