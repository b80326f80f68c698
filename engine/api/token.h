/* A token's record: who may use it for what, and the hash of its secret. Pure.
 *
 * Each role counts for the whole fleet, or for one organization and those below it.
 */
#ifndef TOKEN_H
#define TOKEN_H

#include "mem.h"
#include "role.h"

#include <tranche/err.h>
#include <tranche/store.h>

#define TOKEN_ROLES_MAX  8
#define TOKEN_HASH_BYTES 32

struct token_role {
    const struct role *role;             /* NULL: the record names a role that this version does not know */
    char organization[TRANCHE_ID_BYTES]; /* "": the whole fleet */
};

struct token {
    struct token_role roles[TOKEN_ROLES_MAX];
    unsigned role_count;
    int64_t expires_us, created_us;
    unsigned char hash[TOKEN_HASH_BYTES]; /* SHA-256 of the secret */
};

/* To and from the body of the store's object. TRANCHE_IO: it is damaged. */
void token_print(const struct token *token, struct text *body);
enum tranche_code token_parse(const char *body, struct token *token, struct tranche_err *err);

/* Whether one of its roles may, for the whole fleet or for some organization. */
bool token_may(const struct token *token, enum permission permission);

#endif
