#include "device_json.h"

#include "change.h"
#include "fail.h"
#include "paging.h"

#include <stdio.h>
#include <string.h>

enum tranche_code device_json_unknown(const struct request *request, struct tranche_err *err)
{
    return fail(err, TRANCHE_NOTFOUND, "Device \"%.128s\" was not found.", request->parameters[0]);
}

enum tranche_code device_json_find(const struct request *request, struct tranche_reader *reader,
                                   struct tranche_device_record *device, struct tranche_err *err)
{
    enum tranche_code code = reader->functions->device_find(reader, request->parameters[0], device, err);
    bool hidden = code == TRANCHE_OK && !request_sees(request, device->organization);
    return code == TRANCHE_NOTFOUND || hidden ? device_json_unknown(request, err) : code;
}

void device_json_etag(const struct tranche_device_record *device, char etag[])
{
    char prefix[16];
    snprintf(prefix, sizeof prefix, "d%x", device->no);
    etag_print(prefix, device->revision, etag);
}

static void print_member(const char *name, const char *value, struct text *out)
{
    text_printf(out, ",\"%s\":", name);
    text_json(out, value);
}

static const char *truth(bool is)
{
    return is ? "true" : "false";
}

/* A device that was given no name goes by its id. */
static const char *name_of(const struct tranche_device_record *device)
{
    return device->display_name != NULL ? device->display_name : device->id;
}

void device_json_print(const struct tranche_device_record *device, struct text *out)
{
    char etag[ETAG_BYTES];
    device_json_etag(device, etag);
    text_puts(out, "{\"id\":");
    text_json(out, device->id);
    print_member("etag", etag, out);
    print_member("displayName", name_of(device), out);
    if (device->template_id != NULL)
        print_member("template", device->template_id, out);
    text_printf(out, ",\"enabled\":%s,\"provisioned\":%s,\"simulated\":%s", truth(device->enabled),
                truth(device->provisioned), truth(device->simulated));
    change_print_organization(device->organization, out);
    text_puts(out, "}");
}

/* ---- a page ---- */

struct device_page {
    struct text *out;
    uint32_t limit, count;
    bool more;         /* devices that are not on this page */
    bool by_name;
    struct text place; /* of the last one: its id, and behind a line's end its name */
};

static void list_device(void *context, const struct tranche_device_record *device)
{
    struct device_page *page = context;
    page->more |= page->count == page->limit;
    if (page->more)
        return; /* one more than the limit was asked for, only to know that there is one */
    if (page->count++ > 0)
        text_puts(page->out, ",");
    device_json_print(device, page->out);
    text_clear(&page->place);
    text_puts(&page->place, device->id);
    if (page->by_name)
        text_printf(&page->place, "\n%s", name_of(device));
}

/* A place, as list_device writes it. */
static enum tranche_code read_place(struct request *request, const char *after, struct tranche_device_list *list,
                                    struct tranche_err *err)
{
    if (after == NULL)
        return TRANCHE_OK;
    const char *end = strchr(after, '\n');
    if ((end != NULL) != (list->order != TRANCHE_BY_ID))
        return fail(err, TRANCHE_INVALID, "The continuation token is not valid.");
    list->after_name = end == NULL ? NULL : end + 1;
    list->after_id = end == NULL ? after : arena_copy(&request->memory, after, (size_t)(end - after));
    return list->after_id != NULL ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

void device_json_list(struct request *request, struct tranche_reader *reader, const char *filter,
                      enum tranche_device_order order)
{
    struct tranche_err err;
    struct page page;
    uint32_t page_max = (uint32_t)request->counter->config->page_max;
    struct tranche_device_list list = { .filter = filter, .order = order };
    enum tranche_code code = page_parse(request, PAGE_FLEET, page_max, page_max, &page, &err);
    if (code == TRANCHE_OK)
        code = read_place(request, page.after, &list, &err);
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    list.limit = page.limit + 1;
    struct device_page printed = { .out = request_answer(request, 200), .limit = page.limit,
                                   .by_name = order != TRANCHE_BY_ID };
    text_puts(printed.out, "{\"value\":[");
    code = reader->functions->devices_page(reader, &list, list_device, &printed, &err);
    text_puts(printed.out, "]");
    if (code == TRANCHE_OK && printed.more && !printed.place.failed)
        page_link_after(request, PAGE_FLEET, printed.place.bytes, printed.out);
    text_puts(printed.out, "}");
    printed.out->failed |= printed.place.failed;
    text_free(&printed.place);
    if (code != TRANCHE_OK)
        request_refuse(request, &err);
}
