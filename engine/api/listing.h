/* Answering with a page of a list, of what the caller may see. The store hands out items from a place on; those that do not
 * exist for the caller are passed over, and the store is asked again until the page is full, the list ends, or it has been
 * asked often enough: then the page is short, perhaps empty, and has a next one.
 */
#ifndef LISTING_H
#define LISTING_H

#include "paging.h"

#include <tranche/store.h>

struct listing {
    struct request *request;
    struct text *out;      /* where a visitor prints an item */
    void *context;         /* the fetch's */
    uint32_t fetch;        /* items to ask the store for */
    int64_t before;        /* from this place on: a number, or the text that the fetch is given */

    enum page_kind kind;
    uint32_t limit, count; /* of items on the page */
    uint32_t seen;         /* that the store has handed out for this fetch */
    bool more;             /* there are items that are not on this page */
    int64_t last_number, seen_number; /* places of the last item on the page, and of the last one that was seen */
    char last_text[TRANCHE_ID_BYTES], seen_text[TRANCHE_ID_BYTES];
};

/* Asks the store for listing->fetch items behind the place, with a visitor that calls listing_takes for each. */
typedef enum tranche_code listing_fetch(struct listing *listing, struct tranche_reader *reader, const char *after,
                                        struct tranche_err *err);

/* Answers with the page of that list that the request asks for, or refuses the request. A page has config.page_max items unless
 * the client says otherwise, and `limit_max` at most (0: page_max). */
void listing_answer(struct request *request, enum page_kind kind, uint32_t limit_max, listing_fetch *fetch, void *context);

/* Whether the visitor is to print this item. `organization`: to which it belongs; its place is `number` or `text`. */
bool listing_takes(struct listing *listing, const char *organization, int64_t number, const char *text);
/* The same where something else says whether the item exists for the caller. */
bool listing_takes_if(struct listing *listing, bool visible, int64_t number, const char *text);

#endif
