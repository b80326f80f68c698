/* Tokens: making one, and telling who asks.
 *
 * A token is 32 random bytes and a name (skn). Only the SHA-256 of the bytes is kept, with the role and the
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
#include "role.h"

#include <tranche/err.h>
#include <tranche/store.h>

struct caller {
    char token[TRANCHE_ID_BYTES]; /* the token's name; "" until it was found good */
    const struct role *role;      /* NULL: the record names a role that this version does not know */
};

/* Looks the token up and checks it. `authorization` is the header's value or NULL. TRANCHE_UNAUTHORIZED in
 * one text for every reason; other codes for trouble with the store. */
enum tranche_code auth_check(struct tranche_reader *reader, const char *authorization, int64_t now_us,
                             struct caller *caller, struct tranche_err *err);

/* Makes a token: fills the record to be stored and adds the whole Authorization value to `value`.
 * TRANCHE_INVALID: the id is no id. */
enum tranche_code auth_mint(const char *id, const struct role *role, int64_t expires_us, int64_t now_us,
                            struct tranche_token_record *record, struct text *value, struct tranche_err *err);

#endif
