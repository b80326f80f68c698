/* Texts that many rows have in common (reasons, answers), kept once and named by a number.
 *
 * A small memory in front of the table spares the look-up for the texts that return again and again. It may name rows of
 * a transaction that is still open, so it is to be forgotten when one is rolled back. The writer's own.
 */
#ifndef TEXTS_H
#define TEXTS_H

#include "connection.h"

#define TEXTS_ENTRIES 256       /* a power of two; a fleet has few different answers, or as many as devices */
#define TEXTS_ENTRY_BYTES 256   /* longer texts are seldom the same twice */

struct texts {
    uint64_t seed;
    struct texts_entry {
        uint64_t hash;
        int64_t id; /* 0: empty */
        size_t length;
        unsigned char body[TEXTS_ENTRY_BYTES];
    } entries[TEXTS_ENTRIES];
};

/* The seed is the store's and never changes: the hashes in the table are made with it. */
enum tranche_code texts_open(struct texts *texts, struct connection *connection, struct tranche_err *err);
void texts_forget(struct texts *texts);

/* The number of a text, which is stored if it is new. 0 for the empty text. */
enum tranche_code texts_id(struct texts *texts, struct connection *connection, const char *body, size_t length,
                           int64_t *id, struct tranche_err *err);

#endif
