/* Device groups (api-contract.md 3.3, 14.15-14.20). */
#include "handlers.h"

#include "body.h"
#include "definition.h"
#include "device_json.h"
#include "etag.h"
#include "fail.h"
#include "filter.h"
#include "filter_print.h"
#include "paging.h"

#include <stdio.h>
#include <string.h>

/* ---- the answer ---- */

static void print_optional(const char *name, const char *value, struct text *out)
{
    if (value == NULL)
        return;
    text_printf(out, ",\"%s\":", name);
    text_json(out, value);
}

static void print_group(const struct tranche_group_record *group, struct text *out)
{
    char etag[ETAG_BYTES];
    etag_print("g", group->revision, etag);
    text_puts(out, "{\"id\":");
    text_json(out, group->id);
    print_optional("displayName", group->display_name, out);
    print_optional("description", group->description, out);
    print_optional("filter", group->filter, out);
    print_optional("etag", etag, out);
    if (group->organization != NULL) {
        text_puts(out, ",\"organizations\":[");
        text_json(out, group->organization);
        text_puts(out, "]");
    }
    text_puts(out, "}");
}

/* Into the request's answer, which it begins anew, with the header. */
static void print_answer(struct request *request, const struct tranche_group_record *group)
{
    char etag[ETAG_BYTES];
    etag_print("g", group->revision, etag);
    snprintf(request->etag, sizeof request->etag, "%s", etag);
    text_clear(&request->answer);
    print_group(group, &request->answer);
}

static enum tranche_code unknown_group(const struct request *request, struct tranche_err *err)
{
    return fail(err, TRANCHE_NOTFOUND, "Device group \"%.255s\" was not found.", request->parameters[0]);
}

void groups_get(struct request *request)
{
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_err err;
    struct tranche_group_record group = { 0 };
    enum tranche_code code = reader->functions->group_find(reader, request->parameters[0], &group, &err);
    if (code == TRANCHE_NOTFOUND)
        unknown_group(request, &err);
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    print_answer(request, &group);
    request_answer_printed(request, 200);
}

/* ---- lists ---- */

struct group_list {
    struct text *out;
    uint32_t limit, count;
    bool more; /* groups that are not on this page */
    char last[TRANCHE_ID_BYTES];
};

static void list_group(void *context, const struct tranche_group_record *group)
{
    struct group_list *list = context;
    list->more |= list->count == list->limit;
    if (list->more)
        return; /* one more than the limit was asked for, only to know that there is one */
    if (list->count++ > 0)
        text_puts(list->out, ",");
    print_group(group, list->out);
    strcpy(list->last, group->id);
}

void groups_list(struct request *request)
{
    struct tranche_err err;
    struct page page;
    uint32_t page_max = (uint32_t)request->counter->config->page_max;
    struct tranche_reader *reader = NULL;
    if (page_parse(request, PAGE_GROUPS, page_max, page_max, &page, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else
        reader = request_reader(request);
    if (reader == NULL)
        return;
    struct group_list list = { .out = request_answer(request, 200), .limit = page.limit };
    text_puts(list.out, "{\"value\":[");
    if (reader->functions->groups_page(reader, page.after, page.limit + 1, list_group, &list, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    text_puts(list.out, "]");
    if (list.more)
        page_link_after(request, PAGE_GROUPS, list.last, list.out);
    text_puts(list.out, "}");
}

/* The group's filter in the request's memory; NULL after a refusal. */
static const char *filter_of(struct request *request, struct tranche_reader *reader)
{
    struct tranche_err err;
    struct tranche_group_record group = { 0 };
    enum tranche_code code = reader->functions->group_find(reader, request->parameters[0], &group, &err);
    if (code == TRANCHE_NOTFOUND)
        unknown_group(request, &err);
    const char *filter = NULL;
    if (code == TRANCHE_OK)
        filter = arena_copy(&request->memory, group.filter, strlen(group.filter));
    if (code == TRANCHE_OK && filter == NULL)
        fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (filter == NULL)
        request_refuse(request, &err);
    return filter;
}

/* In the back room, as is counting: a filter on properties may look at every device. */
static void answer_devices(struct request *request)
{
    struct tranche_reader *reader = request_reader(request);
    const char *filter = reader == NULL ? NULL : filter_of(request, reader);
    if (filter != NULL)
        device_json_list(request, reader, filter, TRANCHE_BY_ID);
}

void groups_devices(struct request *request)
{
    request_defer(request, answer_devices);
}

static void answer_count(struct request *request)
{
    struct tranche_reader *reader = request_reader(request);
    struct tranche_selection selection = { 0 };
    if (reader == NULL || (selection.filter = filter_of(request, reader)) == NULL)
        return;
    struct tranche_err err;
    uint32_t count = 0;
    if (reader->functions->select_count(reader, &selection, &count, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else
        text_printf(request_answer(request, 200), "{\"count\":%u}", count);
}

void groups_count(struct request *request)
{
    request_defer(request, answer_count);
}

/* ---- explain ---- */

static void print_filter(const struct filter *filter, struct text *out)
{
    struct text printed = { 0 };
    filter_print(filter, &printed);
    text_json(out, printed.failed ? "" : printed.bytes);
    out->failed |= printed.failed;
    text_free(&printed);
}

static void explain(struct request *request)
{
    struct tranche_err err;
    const char *text = request->held;
    struct tranche_reader *reader = request_reader(request);
    struct filter filter;
    if (reader == NULL)
        return;
    if (filter_parse(text, strlen(text), &filter, &err) != TRANCHE_OK) {
        fail_in(&err, err.code, "filter");
        request_refuse(request, &err);
        return;
    }
    struct tranche_selection selection = { .filter = text };
    uint32_t count = 0;
    struct text *out = NULL;
    if (reader->functions->select_count(reader, &selection, &count, &err) == TRANCHE_OK) {
        out = request_answer(request, 200);
        text_puts(out, "{\"filter\":");
        print_filter(&filter, out);
        text_printf(out, ",\"index\":\"%s\",\"count\":%u}", filter_names_template(&filter) ? "template" : "id", count);
    } else {
        request_refuse(request, &err);
    }
    filter_free(&filter);
}

/* How a filter is understood: in one spelling, with no parentheses that are not needed; whether the index by template serves
 * it or all devices are looked at (by id); and how many match now. */
void groups_explain(struct request *request)
{
    struct tranche_err err = { 0 };
    const char *text;
    enum tranche_code code = request_query(request, "filter", &text, &err);
    if (code == TRANCHE_OK && text == NULL)
        code = fail(&err, TRANCHE_INVALID, "The query parameter filter is required.");
    if (code == TRANCHE_OK) {
        request->held = (void *)text;
        request_defer(request, explain);
    } else {
        request_refuse(request, &err);
    }
}

/* ---- create, replace, change, delete ---- */

/* What the client wants. All in the request's memory. */
struct change {
    bool patch;
    struct body_string display_name, description, filter, organization, etag;
};

static enum tranche_code check_filter(const char *text, struct tranche_err *err)
{
    struct filter filter;
    enum tranche_code code = filter_parse(text, strlen(text), &filter, err);
    if (code != TRANCHE_OK)
        return fail_in(err, code, "filter");
    filter_free(&filter);
    return TRANCHE_OK;
}

static enum tranche_code read_change(struct request *request, const struct json *body, struct change *change,
                                     struct tranche_err *err)
{
    const struct {
        const char *name;
        size_t bytes_max;
        struct body_string *member;
        bool required;
    } members[] = {
        { "displayName", DEFINITION_NAME_BYTES_MAX, &change->display_name, true },
        { "description", DEFINITION_NAME_BYTES_MAX, &change->description, false },
        { "filter", FILTER_BYTES_MAX, &change->filter, true },
        { "etag", ETAG_BYTES, &change->etag, false },
    };
    enum tranche_code code = TRANCHE_OK;
    for (size_t i = 0; i < sizeof members / sizeof members[0] && code == TRANCHE_OK; i++) {
        code = body_string(request, body, members[i].name, members[i].bytes_max, members[i].member, err);
        if (code == TRANCHE_OK && members[i].required)
            code = body_required(members[i].member, change->patch, members[i].name, err);
    }
    if (code == TRANCHE_OK && change->filter.value != NULL)
        code = check_filter(change->filter.value, err);
    return code == TRANCHE_OK ? body_organization(request, body, &change->organization, err) : code;
}

/* The group as it is, with the client's etags checked. A group that is not there may be `optional`. */
static enum tranche_code find_present(struct request *request, struct tranche_store *store,
                                      const struct body_string *etag, bool optional,
                                      struct tranche_group_record *present, struct tranche_err *err)
{
    char current[ETAG_BYTES];
    enum tranche_code code = store->functions->group_find(store, request->parameters[0], present, err);
    if (code == TRANCHE_NOTFOUND && optional)
        return body_check_etags(request, etag, NULL, err);
    if (code == TRANCHE_NOTFOUND)
        return unknown_group(request, err);
    if (code != TRANCHE_OK)
        return code;
    etag_print("g", present->revision, current);
    return body_check_etags(request, etag, current, err);
}

/* On the engine thread, inside a transaction. May run again after a rollback. Prints the answer, which goes
 * out when the transaction has ended well: only here is it sure what was written. */
static enum tranche_code write_group(struct command *command, struct tranche_store *store, int64_t now_us,
                                     bool *more, struct tranche_err *err)
{
    (void)now_us;
    *more = false;
    struct request *request = request_of(command);
    const struct change *change = request->held;
    struct tranche_group_record present = { 0 }, group = { 0 };
    enum tranche_code code = find_present(request, store, &change->etag, !change->patch, &present, err);
    if (code != TRANCHE_OK)
        return code;
    snprintf(group.id, sizeof group.id, "%s", request->parameters[0]);
    group.display_name = body_over(&change->display_name, change->patch, present.display_name);
    group.description = body_over(&change->description, change->patch, present.description);
    group.filter = body_over(&change->filter, change->patch, present.filter);
    group.organization = body_over(&change->organization, change->patch, present.organization);
    code = store->functions->group_put(store, &group, err);
    if (code == TRANCHE_OK) /* the store counts revisions */
        code = store->functions->group_find(store, group.id, &present, err);
    if (code == TRANCHE_OK)
        print_answer(request, &present);
    return code;
}

static void answer_written(struct request *request)
{
    if (request->command.code != TRANCHE_OK)
        request_refuse(request, &request->command.err);
    else
        request_answer_printed(request, 200); /* by write_group */
}

static enum tranche_code read_request(struct request *request, bool patch, struct change **out, struct tranche_err *err)
{
    struct json_document document = { 0 };
    enum tranche_code code = id_check("id", request->parameters[0], err);
    struct change *change = *out = arena_take(&request->memory, sizeof *change);
    if (code == TRANCHE_OK && change == NULL)
        code = fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (code == TRANCHE_OK)
        code = body_parse(request, &document, err);
    if (code == TRANCHE_OK) {
        change->patch = patch;
        code = read_change(request, document.root, change, err);
    }
    json_free(&document);
    return code;
}

static void write_request(struct request *request, bool patch)
{
    struct tranche_err err;
    struct change *change;
    if (read_request(request, patch, &change, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    request->held = change;
    request->command.write = write_group;
    request_post(request, COMMAND_WRITE, answer_written);
}

void groups_put(struct request *request)
{
    write_request(request, false);
}

void groups_patch(struct request *request)
{
    write_request(request, true);
}

static enum tranche_code drop_group(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                                    struct tranche_err *err)
{
    (void)now_us;
    *more = false;
    struct request *request = request_of(command);
    struct tranche_group_record present;
    enum tranche_code code = find_present(request, store, NULL, false, &present, err);
    return code == TRANCHE_OK ? store->functions->group_drop(store, request->parameters[0], err) : code;
}

static void answer_dropped(struct request *request)
{
    if (request->command.code != TRANCHE_OK)
        request_refuse(request, &request->command.err);
    else
        request_answer_empty(request);
}

void groups_delete(struct request *request)
{
    request->command.write = drop_group;
    request_post(request, COMMAND_WRITE, answer_dropped);
}
