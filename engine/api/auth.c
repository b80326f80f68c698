#include "auth.h"

#include "fail.h"
#include "percent.h"
#include "uuid.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SECRET_BYTES       32
#define SECRET_TEXT_LENGTH 44   /* of 32 bytes in base64, one "=" included */
#define HEADER_LENGTH_MAX  2048 /* a real one has less than 500 characters */

static_assert(SHA256_DIGEST_LENGTH == TOKEN_HASH_BYTES, "the record keeps a whole hash");

/* What an Authorization header claims. */
struct claim {
    const char *name;
    unsigned char secret[SECRET_BYTES];
};

static const char *after_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    if (strncasecmp(text, word, length) != 0 || text[length] != ' ')
        return NULL;
    text += length;
    return text + strspn(text, " ");
}

/* The part behind the scheme; NULL when it is neither of ours. */
static const char *claim_text(const char *authorization)
{
    const char *bearer = after_word(authorization, "Bearer");
    const char *rest = bearer != NULL ? bearer : authorization;
    const char *signature = after_word(rest, "SharedAccessSignature");
    return signature != NULL ? signature : bearer;
}

/* The decoded value of "name=value" among pairs joined by "&"; NULL when there is none. */
static const char *claim_value(struct arena *arena, const char *text, const char *name)
{
    size_t length = strlen(name);
    while (*text != '\0') {
        size_t pair = strcspn(text, "&");
        if (pair > length && strncmp(text, name, length) == 0 && text[length] == '=') {
            const char *value = NULL;
            percent_decode(arena, text + length + 1, pair - length - 1, &value, NULL);
            return value;
        }
        text += pair + (text[pair] == '&');
    }
    return NULL;
}

static bool secret_decode(const char *base64, unsigned char secret[SECRET_BYTES])
{
    unsigned char decoded[SECRET_TEXT_LENGTH / 4 * 3];
    if (strlen(base64) != SECRET_TEXT_LENGTH || base64[SECRET_TEXT_LENGTH - 1] != '=' ||
        base64[SECRET_TEXT_LENGTH - 2] == '=')
        return false;
    if (EVP_DecodeBlock(decoded, (const unsigned char *)base64, SECRET_TEXT_LENGTH) != sizeof decoded)
        return false;
    memcpy(secret, decoded, SECRET_BYTES);
    OPENSSL_cleanse(decoded, sizeof decoded);
    return true;
}

static bool claim_parse(struct arena *arena, const char *authorization, struct claim *claim)
{
    if (authorization == NULL || strlen(authorization) > HEADER_LENGTH_MAX)
        return false;
    const char *text = claim_text(authorization);
    if (text == NULL)
        return false;
    const char *signature = claim_value(arena, text, "sig");
    claim->name = claim_value(arena, text, "skn");
    return signature != NULL && claim->name != NULL && claim->name[0] != '\0' &&
           strlen(claim->name) < TRANCHE_ID_BYTES && secret_decode(signature, claim->secret);
}

static enum tranche_code refused(struct tranche_err *err)
{
    return fail(err, TRANCHE_UNAUTHORIZED, "The token is missing, unknown or expired.");
}

/* Compares with a hash of zeros when the name is unknown, so that the time taken does not tell known names. */
static enum tranche_code claim_check(struct tranche_reader *reader, const struct claim *claim, int64_t now_us,
                                     struct caller *caller, struct tranche_err *err)
{
    struct tranche_object_record record;
    struct token token = { 0 };
    snprintf(caller->name, sizeof caller->name, "%s", claim->name);
    enum tranche_code code = reader->functions->object_find(reader, TRANCHE_TOKEN, claim->name, &record, err);
    bool known = code == TRANCHE_OK;
    if (known)
        code = token_parse(record.body, &token, err);
    if (code != TRANCHE_OK && code != TRANCHE_NOTFOUND)
        return code;

    unsigned char hash[TOKEN_HASH_BYTES];
    SHA256(claim->secret, SECRET_BYTES, hash);
    bool same = CRYPTO_memcmp(hash, token.hash, sizeof hash) == 0;
    if (!known || !same || token.expires_us <= now_us)
        return refused(err);
    caller->token = token;
    return TRANCHE_OK;
}

enum tranche_code auth_check(struct tranche_reader *reader, const char *authorization, int64_t now_us,
                             struct caller *caller, struct tranche_err *err)
{
    struct arena memory = { 0 };
    struct claim claim = { 0 };
    enum tranche_code code = claim_parse(&memory, authorization, &claim)
                                 ? claim_check(reader, &claim, now_us, caller, err)
                                 : refused(err);
    OPENSSL_cleanse(claim.secret, sizeof claim.secret);
    arena_free(&memory);
    return code;
}

static void print_value(struct text *value, const unsigned char secret[SECRET_BYTES], const char *id, int64_t expires_us)
{
    char guid[UUID_TEXT_BYTES];
    uuid_random(guid);
    unsigned char base64[SECRET_TEXT_LENGTH + 1];
    EVP_EncodeBlock(base64, secret, SECRET_BYTES);
    text_printf(value, "SharedAccessSignature sr=%s&sig=", guid);
    percent_encode(value, (const char *)base64);
    text_printf(value, "&skn=%s&se=%" PRId64, id, expires_us / 1000);
    OPENSSL_cleanse(base64, sizeof base64);
}

enum tranche_code auth_mint(const char *id, int64_t now_us, struct token *token, struct text *value,
                            struct tranche_err *err)
{
    unsigned char secret[SECRET_BYTES];
    if (RAND_bytes(secret, SECRET_BYTES) != 1)
        return fail(err, TRANCHE_INTERNAL, "no random numbers to be had");
    token->created_us = now_us;
    SHA256(secret, SECRET_BYTES, token->hash);
    print_value(value, secret, id, token->expires_us);
    OPENSSL_cleanse(secret, sizeof secret);
    return value->failed ? fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM)) : TRANCHE_OK;
}
