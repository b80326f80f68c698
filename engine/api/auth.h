/* Tokens: making one, and telling who asks.
 *
 * A token is 32 random bytes and a name (skn). Only the SHA-256 of the bytes is kept, with the roles and the
 * expiry, so that a stolen database opens nothing. It is written as IoT Central writes its own,
 *
 *     SharedAccessSignature sr=<guid>&sig=<url-encoded base64>&skn=<name>&se=<expiry in milliseconds>
 *
 * so that scripts paste it unchanged; "Bearer " may stand in front of it or in the place of its first word.
 * `sr` and `se` are for people: what counts is the record in the store.
 */
#ifndef AUTH_H
#define AUTH_H

#include "mem.h"
#include "token.h"

#include <tranche/err.h>
#include <tranche/store.h>

struct caller {
    char name[TRANCHE_ID_BYTES]; /* the token's; of one that is not good, what it says; "" for none */
    struct token token;
};

/* Looks the token up and checks it. `authorization` is the header's value or NULL. TRANCHE_UNAUTHORIZED in
 * one text for every reason; other codes for trouble with the store. */
enum tranche_code auth_check(struct tranche_reader *reader, const char *authorization, int64_t now_us,
                             struct caller *caller, struct tranche_err *err);

/* Makes a token with the roles and the expiry that are in it: fills in the rest and adds the whole Authorization value to
 * `value`. */
enum tranche_code auth_mint(const char *id, int64_t now_us, struct token *token, struct text *value,
                            struct tranche_err *err);

#endif
