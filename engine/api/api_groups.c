/* Device groups (api-contract.md 3.3, 14.15-14.20). */
#include "handlers.h"

#include "change.h"
#include "definition.h"
#include "device_json.h"
#include "fail.h"
#include "filter.h"
#include "filter_print.h"
#include "group_filter.h"
#include "listing.h"

#include <stdio.h>
#include <string.h>

/* ---- the answer ---- */

static void print_group(const struct tranche_group_record *group, struct text *out)
{
    char etag[ETAG_BYTES];
    etag_print("g", group->revision, etag);
    text_puts(out, "{\"id\":");
    text_json(out, group->id);
    change_print_optional("displayName", group->display_name, out);
    change_print_optional("description", group->description, out);
    change_print_optional("filter", group->filter, out);
    change_print_optional("etag", etag, out);
    change_print_organization(group->organization, out);
    text_puts(out, "}");
}

static enum tranche_code unknown_group(const struct request *request, struct tranche_err *err)
{
    return fail(err, TRANCHE_NOTFOUND, "Device group \"%.255s\" was not found.", request->parameters[0]);
}

/* The group, if it exists for the caller; else the request is refused. */
static bool find_group(struct request *request, struct tranche_reader *reader, struct tranche_group_record *group)
{
    struct tranche_err err;
    enum tranche_code code = reader->functions->group_find(reader, request->parameters[0], group, &err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, group->organization)))
        code = unknown_group(request, &err);
    if (code != TRANCHE_OK)
        request_refuse(request, &err);
    return code == TRANCHE_OK;
}

void groups_get(struct request *request)
{
    struct tranche_group_record group;
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL || !find_group(request, reader, &group))
        return;
    print_group(&group, change_answer(request, "g", group.revision));
    request_answer_printed(request, 200);
}

/* ---- lists ---- */

static void list_group(void *context, const struct tranche_group_record *group)
{
    struct listing *listing = context;
    if (listing_takes(listing, group->organization, 0, group->id))
        print_group(group, listing->out);
}

static enum tranche_code fetch_groups(struct listing *listing, struct tranche_reader *reader, const char *after,
                                      struct tranche_err *err)
{
    return reader->functions->groups_page(reader, after, listing->fetch, list_group, listing, err);
}

void groups_list(struct request *request)
{
    listing_answer(request, PAGE_GROUPS, 0, fetch_groups, NULL);
}

/* What the group means for the caller, in the request's memory; NULL after a refusal. */
static const char *filter_of(struct request *request, struct tranche_reader *reader)
{
    struct tranche_err err;
    struct tranche_group_record group;
    struct organization_tree tree;
    struct text text = { 0 };
    const char *filter = NULL;
    if (organizations_read(reader, &tree, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else if (!find_group(request, reader, &group))
        ; /* refused */
    else if (group_filter(&group, &tree, "", &text, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else if ((filter = arena_copy(&request->memory, text.bytes, text.length)) == NULL)
        request_answer_empty(request); /* request_run sees that memory has run out */
    organization_tree_free(&tree);
    text_free(&text);
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

/* The devices are counted that the caller reaches: any other number would tell of what does not exist for it. */
static enum tranche_code count_reached(const struct request *request, struct tranche_reader *reader, const char *filter,
                                       uint32_t *count, struct tranche_err *err)
{
    struct text reached = { 0 };
    scope_filter(&request->scope, filter, &reached);
    const struct tranche_selection selection = { .filter = reached.bytes };
    enum tranche_code code = reached.failed ? fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM))
                                            : reader->functions->select_count(reader, &selection, count, err);
    text_free(&reached);
    return code;
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
    uint32_t count = 0;
    if (count_reached(request, reader, text, &count, &err) == TRANCHE_OK) {
        struct text *out = request_answer(request, 200);
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
        { "filter", FILTER_GROUP_BYTES_MAX, &change->filter, true },
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
    enum tranche_code code = store->functions->group_find(store, request->parameters[0], present, err);
    if (code == TRANCHE_NOTFOUND && optional)
        return change_check_etags(request, etag, "g", 0, err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, present->organization)))
        return unknown_group(request, err);
    return code == TRANCHE_OK ? change_check_etags(request, etag, "g", present->revision, err) : code;
}

static enum tranche_code write_group(struct request *request, struct tranche_store *store, int64_t now_us,
                                     struct tranche_err *err)
{
    (void)now_us;
    const struct change *change = request->held;
    struct tranche_group_record present = { 0 }, group = { 0 };
    enum tranche_code code = change_check_organization(request, store, &change->organization, err);
    if (code == TRANCHE_OK)
        code = find_present(request, store, &change->etag, !change->patch, &present, err);
    if (code != TRANCHE_OK)
        return code;
    snprintf(group.id, sizeof group.id, "%s", request->parameters[0]);
    group.display_name = body_over(&change->display_name, change->patch, present.display_name);
    group.description = body_over(&change->description, change->patch, present.description);
    group.filter = body_over(&change->filter, change->patch, present.filter);
    group.organization = change_organization(request, &change->organization, change->patch, present.organization);
    code = store->functions->group_put(store, &group, err);
    if (code == TRANCHE_OK) /* the store counts revisions */
        code = store->functions->group_find(store, group.id, &present, err);
    if (code == TRANCHE_OK)
        print_group(&present, change_answer(request, "g", present.revision));
    return code;
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
    change_post(request, write_group);
}

void groups_put(struct request *request)
{
    write_request(request, false);
}

void groups_patch(struct request *request)
{
    write_request(request, true);
}

static enum tranche_code drop_group(struct request *request, struct tranche_store *store, int64_t now_us,
                                    struct tranche_err *err)
{
    (void)now_us;
    struct tranche_group_record present;
    enum tranche_code code = find_present(request, store, NULL, false, &present, err);
    return code == TRANCHE_OK ? store->functions->group_drop(store, request->parameters[0], err) : code;
}

void groups_delete(struct request *request)
{
    change_post(request, drop_group);
}
