#include "listing.h"

#include <stdio.h>
#include <string.h>

/* Then the page ends early: one item may have body_bytes_max bytes. */
#define LIST_BYTES_MAX (4 * 1024 * 1024)
/* So often the store is asked for one page, which then ends early, perhaps empty, with a next one. */
#define FETCHES_MAX 50

bool listing_open(struct listing *listing, struct request *request, enum page_kind kind,
                  uint32_t limit_standard, uint32_t limit_max)
{
    struct tranche_err err;
    struct page page;
    if (page_parse(request, kind, limit_standard, limit_max, &page, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return false;
    }
    *listing = (struct listing){ .request = request, .kind = kind, .limit = page.limit, .before = page.from };
    listing->fetch = page.limit + 1; /* one more, only to know that there is one */
    snprintf(listing->after, sizeof listing->after, "%s", page.after != NULL ? page.after : "");
    listing->out = request_answer(request, 200);
    text_puts(listing->out, "{\"value\":[");
    return true;
}

bool listing_takes(struct listing *listing, const char *organization, int64_t number, const char *text)
{
    return listing_takes_if(listing, request_sees(listing->request, organization), number, text);
}

bool listing_takes_if(struct listing *listing, bool exists, int64_t number, const char *text)
{
    listing->seen++;
    listing->before = number;
    snprintf(listing->after, sizeof listing->after, "%s", text != NULL ? text : "");
    if (!exists)
        return false;
    listing->more |= listing->count == listing->limit || listing->out->length > LIST_BYTES_MAX;
    if (listing->more)
        return false;
    if (listing->count++ > 0)
        text_puts(listing->out, ",");
    listing->last_number = number;
    strcpy(listing->last_text, listing->after);
    return true;
}

bool listing_goes_on(struct listing *listing)
{
    bool whole = listing->seen == listing->fetch;
    listing->seen = 0;
    if (whole && !listing->more && ++listing->fetches == FETCHES_MAX) {
        listing->more = true;
        listing->last_number = listing->before;
        strcpy(listing->last_text, listing->after);
    }
    return whole && !listing->more;
}

void listing_end(struct listing *listing, enum tranche_code code, const struct tranche_err *err)
{
    if (code != TRANCHE_OK) {
        request_refuse(listing->request, err);
        return;
    }
    text_puts(listing->out, "]");
    if (listing->more && listing->last_text[0] != '\0')
        page_link_after(listing->request, listing->kind, listing->last_text, listing->out);
    else if (listing->more)
        page_link(listing->request, listing->kind, listing->last_number, listing->out);
    text_puts(listing->out, "}");
}
