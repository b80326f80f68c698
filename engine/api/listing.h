/* Answering with a page of a list, of what the caller may see. The store hands out items from a place on;
 * those that do not exist for the caller are passed over, and the store is asked again until the page is full
 * or the list ends.
 *
 *     listing_open ──► { store's page function ──► visitor: listing_takes, print } while listing_goes_on ──►
 * listing_end
 */
#ifndef LISTING_H
#define LISTING_H

#include "paging.h"

#include <tranche/store.h>

struct listing {
    struct request *request;
    enum page_kind kind;
    struct text *out;             /* where the visitor prints an item */
    uint32_t fetch;               /* items to ask the store for */
    int64_t before;               /* from this place on: a number, */
    char after[TRANCHE_ID_BYTES]; /* or a text; "" at the beginning */

    uint32_t limit, count; /* of items on the page */
    uint32_t fetches;          /* so far */
    uint32_t seen;         /* that the store has handed out for this fetch */
    bool more;             /* there are items that are not on this page */
    int64_t last_number;   /* place of the last item on the page */
    char last_text[TRANCHE_ID_BYTES];
};

/* Begins the answer. False after having refused the request. */
bool listing_open(struct listing *listing, struct request *request, enum page_kind kind,
                  uint32_t limit_standard, uint32_t limit_max);
/* Whether the visitor is to print this item. `organization`: to which it belongs; its place is `number` or
 * `text`. */
bool listing_takes(struct listing *listing, const char *organization, int64_t number, const char *text);
/* The same where something else says whether the item exists for the caller. */
bool listing_takes_if(struct listing *listing, bool exists, int64_t number, const char *text);
bool listing_goes_on(struct listing *listing);
/* Ends the answer, or refuses the request with the error that the store gave. */
void listing_end(struct listing *listing, enum tranche_code code, const struct tranche_err *err);

#endif
