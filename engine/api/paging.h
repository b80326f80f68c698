/* Pages of a list (api-contract.md 2.5): their size and where they begin, and the link to the next one. */
#ifndef PAGING_H
#define PAGING_H

#include "request.h"

struct page {
    uint32_t limit; /* items */
    int64_t from;   /* what the continuation token says; 0 without one */
    const char *after; /* of lists whose place is a text: the same, in the request's memory; NULL without one */
};

/* What a token counts. It is written into the token, so that one list's token is refused by another. */
enum page_kind { PAGE_JOBS, PAGE_DEVICES, PAGE_BATCHES, PAGE_AUDIT, PAGE_GROUPS, PAGE_FLEET, PAGE_SCHEDULES, PAGE_OBJECTS };

/* maxpagesize or $top, clamped to limit_max, and $skiptoken. */
enum tranche_code page_parse(struct request *request, enum page_kind kind, uint32_t limit_standard,
                             uint32_t limit_max, struct page *page, struct tranche_err *err);

/* Adds ,"nextLink":"..." : this request's own URL, absolute, with a token that says `from`. */
void page_link(const struct request *request, enum page_kind kind, int64_t from, struct text *out);

/* The same for a list whose place is a text. */
void page_link_after(const struct request *request, enum page_kind kind, const char *after, struct text *out);

#endif
