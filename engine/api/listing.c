#include "listing.h"

#include <stdio.h>
#include <string.h>

/* Then the page ends early: one item may have body_bytes_max bytes. */
#define LIST_BYTES_MAX (4 * 1024 * 1024)
#define FETCHES_MAX    50 /* for one page */

bool listing_takes(struct listing *listing, const char *organization, int64_t number, const char *text)
{
    return listing_takes_if(listing, request_sees(listing->request, organization), number, text);
}

bool listing_takes_if(struct listing *listing, bool visible, int64_t number, const char *text)
{
    listing->seen++;
    listing->seen_number = number;
    snprintf(listing->seen_text, sizeof listing->seen_text, "%s", text != NULL ? text : "");
    if (!visible)
        return false;
    listing->more |= listing->count == listing->limit || listing->out->length > LIST_BYTES_MAX;
    if (listing->more)
        return false;
    if (listing->count++ > 0)
        text_puts(listing->out, ",");
    listing->last_number = number;
    strcpy(listing->last_text, listing->seen_text);
    return true;
}

/* Items until the page is full or the list ends. */
static enum tranche_code fill(struct listing *listing, struct tranche_reader *reader, const char *after, listing_fetch *fetch,
                              struct tranche_err *err)
{
    char place[TRANCHE_ID_BYTES]; /* stays as it is while the store reads it */
    snprintf(place, sizeof place, "%s", after != NULL ? after : "");
    for (unsigned i = 0; i < FETCHES_MAX; i++) {
        listing->seen = 0;
        enum tranche_code code = fetch(listing, reader, place, err);
        if (code != TRANCHE_OK || listing->more || listing->seen < listing->fetch)
            return code;
        listing->before = listing->seen_number;
        strcpy(place, listing->seen_text);
    }
    listing->more = true;
    listing->last_number = listing->seen_number;
    strcpy(listing->last_text, listing->seen_text);
    return TRANCHE_OK;
}

static void finish(struct listing *listing)
{
    text_puts(listing->out, "]");
    if (listing->more && listing->last_text[0] != '\0')
        page_link_after(listing->request, listing->kind, listing->last_text, listing->out);
    else if (listing->more)
        page_link(listing->request, listing->kind, listing->last_number, listing->out);
    text_puts(listing->out, "}");
}

void listing_answer(struct request *request, enum page_kind kind, uint32_t limit_max, listing_fetch *fetch, void *context)
{
    struct tranche_err err;
    struct page page;
    uint32_t standard = (uint32_t)request->counter->config->page_max;
    if (limit_max == 0)
        limit_max = standard;
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    enum tranche_code code =
        page_parse(request, kind, standard < limit_max ? standard : limit_max, limit_max, &page, &err);
    struct listing listing = { .request = request, .context = context, .kind = kind };
    if (code == TRANCHE_OK) {
        listing.limit = page.limit;
        listing.fetch = page.limit + 1; /* one more, only to know that there is one */
        listing.before = page.from;
        listing.out = request_answer(request, 200);
        text_puts(listing.out, "{\"value\":[");
        code = fill(&listing, reader, page.after, fetch, &err);
    }
    if (code == TRANCHE_OK)
        finish(&listing);
    else
        request_refuse(request, &err);
}
