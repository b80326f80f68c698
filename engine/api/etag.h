/* Entity tags (api-contract.md 2.4): made from a revision, with the quotes that belong to them, compared
 * without. Pure. */
#ifndef ETAG_H
#define ETAG_H

#include <stdbool.h>
#include <stdint.h>

#define ETAG_BYTES 32

/* "g-9d" with its quotes for the prefix "g" and revision 0x9d. */
void etag_print(const char *prefix, int64_t revision, char out[ETAG_BYTES]);

/* Whether what a client sent, one tag or a list of an If-Match header, names `current`. "*" names any; a weak
 * tag none. */
bool etag_matches(const char *sent, const char *current);

#endif
