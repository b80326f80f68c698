/* Who changed what: GET /v1/audit, newest first.
 *
 *     {"id","time","who","operation","object","requestId"?,"etagBefore"?,"etagAfter"?,"result"}
 *
 * `who` is a token, or the part of Tranche that acted by itself. `result` is OK or the code of the refusal.
 */
#include "handlers.h"

#include "change.h"
#include "listing.h"
#include "when.h"

#include <inttypes.h>

#define AUDIT_PAGE_MAX 1000

static const char *given(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static void print_audit(const struct tranche_audit_record *audit, struct text *out)
{
    char time[WHEN_TEXT_BYTES];
    when_rfc3339(audit->at_us, time);
    text_printf(out, "{\"id\":%" PRId64 ",\"time\":\"%s\"", audit->no, time);
    change_print_optional("who", audit->who, out);
    change_print_optional("operation", audit->operation, out);
    change_print_optional("object", audit->object, out);
    change_print_optional("requestId", given(audit->request), out);
    change_print_optional("etagBefore", given(audit->etag_before), out);
    change_print_optional("etagAfter", given(audit->etag_after), out);
    change_print_optional("result", audit->result, out);
    text_puts(out, "}");
}

static void list_audit(void *context, const struct tranche_audit_record *audit)
{
    struct listing *listing = context;
    if (listing_takes(listing, NULL, audit->no, NULL))
        print_audit(audit, listing->out);
}

static enum tranche_code fetch_audit(struct listing *listing, struct tranche_reader *reader, const char *after,
                                     struct tranche_err *err)
{
    (void)after;
    return reader->functions->audit_page(reader, listing->before, listing->fetch, list_audit, listing, err);
}

void audit_list(struct request *request)
{
    listing_answer(request, PAGE_AUDIT, AUDIT_PAGE_MAX, fetch_audit, NULL);
}
