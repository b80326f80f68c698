/* Devices (api-contract.md 3.4, 4.6). A device's properties are no part of its object: what is written here leaves them
 * alone. Tranche provisions nothing by itself, so a device that is registered counts as provisioned, as in an import. */
#include "handlers.h"

#include "change.h"
#include "definition.h"
#include "device_json.h"
#include "device_query.h"
#include "fail.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Into the request's answer, which it begins anew, with the header. */
static void print_answer(struct request *request, const struct tranche_device_record *device)
{
    char etag[ETAG_BYTES];
    device_json_etag(device, etag);
    strcpy(request->etag, etag);
    strcpy(request->command.audit.etag_after, etag);
    text_clear(&request->answer);
    device_json_print(device, &request->answer);
}

void devices_get(struct request *request)
{
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_err err;
    struct tranche_device_record device = { 0 };
    if (device_json_find(request, reader, &device, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    print_answer(request, &device);
    request_answer_printed(request, 200);
}

/* ---- the list ---- */

/* The newer name of a parameter, or the older one with its dollar. */
static enum tranche_code query_either(const struct request *request, const char *older, const char **value,
                                      struct tranche_err *err)
{
    enum tranche_code code = request_query(request, older + 1, value, err);
    return code == TRANCHE_OK && *value == NULL ? request_query(request, older, value, err) : code;
}

static enum tranche_code read_order(const struct request *request, enum tranche_device_order *order,
                                    struct tranche_err *err)
{
    const char *text;
    enum tranche_code code = query_either(request, "$orderby", &text, err);
    *order = TRANCHE_BY_ID;
    if (code != TRANCHE_OK || text == NULL)
        return code;
    if (strcasecmp(text, "displayName") == 0 || strcasecmp(text, "displayName asc") == 0)
        *order = TRANCHE_BY_NAME;
    else if (strcasecmp(text, "displayName desc") == 0)
        *order = TRANCHE_BY_NAME_DOWN;
    else
        return fail(err, TRANCHE_INVALID, "orderby: expected displayName or displayName desc, found \"%.40s\".", text);
    return TRANCHE_OK;
}

static enum tranche_code read_filter(struct request *request, const char **filter, struct tranche_err *err)
{
    const char *query;
    enum tranche_code code = query_either(request, "$filter", &query, err);
    *filter = NULL;
    if (code != TRANCHE_OK || query == NULL)
        return code;
    struct text text = { 0 };
    code = device_query_translate(query, &text, err);
    if (code == TRANCHE_OK)
        *filter = arena_copy(&request->memory, text.bytes, text.length);
    text_free(&text);
    if (code != TRANCHE_OK)
        return fail_in(err, code, "filter");
    return *filter != NULL ? code : fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

/* Leaves out what does not exist for the caller. False after a refusal. */
static bool scope_to_caller(struct request *request, const char **filter)
{
    if (request->scope.whole)
        return true;
    struct text text = { 0 };
    scope_filter(&request->scope, *filter != NULL ? *filter : "SELECT * FROM devices", &text);
    *filter = text.failed ? NULL : arena_copy(&request->memory, text.bytes, text.length);
    text_free(&text);
    struct tranche_err err;
    if (*filter == NULL) {
        fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
        request_refuse(request, &err);
    }
    return *filter != NULL;
}

/* In the back room when something is searched or sorted: that may look at every device. */
static void list(struct request *request)
{
    struct tranche_err err;
    const char *filter;
    enum tranche_device_order order;
    if (read_filter(request, &filter, &err) != TRANCHE_OK || read_order(request, &order, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    struct tranche_reader *reader = request_reader(request);
    if (reader != NULL && scope_to_caller(request, &filter))
        device_json_list(request, reader, filter, order);
}

void devices_list(struct request *request)
{
    struct tranche_err err;
    const char *filter, *order;
    if (query_either(request, "$filter", &filter, &err) != TRANCHE_OK ||
        query_either(request, "$orderby", &order, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else if (filter == NULL && order == NULL && request->scope.whole)
        list(request);
    else
        request_defer(request, list);
}

/* ---- create, replace, change, delete ---- */

/* What the client wants. All in the request's memory. */
struct change {
    bool patch;
    struct body_string display_name, template_id, organization, etag;
    struct body_flag enabled, simulated;
};

static enum tranche_code read_change(struct request *request, const struct json *body, struct change *change,
                                     struct tranche_err *err)
{
    const size_t bytes_max = DEFINITION_NAME_BYTES_MAX;
    enum tranche_code code = body_string(request, body, "displayName", bytes_max, &change->display_name, err);
    if (code == TRANCHE_OK)
        code = body_string(request, body, "template", bytes_max, &change->template_id, err);
    if (code == TRANCHE_OK)
        code = body_string(request, body, "etag", ETAG_BYTES, &change->etag, err);
    if (code == TRANCHE_OK)
        code = body_flag(body, "enabled", &change->enabled, err);
    if (code == TRANCHE_OK)
        code = body_flag(body, "simulated", &change->simulated, err);
    return code == TRANCHE_OK ? body_organization(request, body, &change->organization, err) : code;
}

/* The device as it is, with the client's etags checked. One that is not there may be `optional`: it stays zeroed. */
static enum tranche_code find_present(struct request *request, struct tranche_store *store,
                                      const struct body_string *etag, bool optional,
                                      struct tranche_device_record *present, struct tranche_err *err)
{
    char *current = request->command.audit.etag_before;
    *present = (struct tranche_device_record){ 0 };
    enum tranche_code code = store->functions->device_find(store, request->parameters[0], present, err);
    if (code == TRANCHE_NOTFOUND && optional)
        return body_check_etags(request, etag, NULL, err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, present->organization)))
        return device_json_unknown(request, err);
    if (code != TRANCHE_OK)
        return code;
    device_json_etag(present, current);
    return body_check_etags(request, etag, current, err);
}

static bool flag_over(const struct body_flag *flag, bool otherwise)
{
    return flag->given ? flag->value : otherwise;
}

/* A device that was deleted keeps its number, and one of the same id gets a new one: both are in the etag. */
static enum tranche_code write_device(struct request *request, struct tranche_store *store, int64_t now_us,
                                      struct tranche_err *err)
{
    (void)now_us;
    const struct change *change = request->held;
    struct tranche_device_record device;
    enum tranche_code code = change_check_organization(request, store, &change->organization, err);
    if (code == TRANCHE_OK)
        code = find_present(request, store, &change->etag, !change->patch, &device, err);
    if (code != TRANCHE_OK)
        return code;
    bool created = device.no == 0;
    snprintf(device.id, sizeof device.id, "%s", request->parameters[0]);
    device.display_name = body_over(&change->display_name, change->patch, device.display_name);
    device.template_id = body_over(&change->template_id, change->patch, device.template_id);
    device.organization = change_organization(request, &change->organization, change->patch, device.organization);
    device.enabled = flag_over(&change->enabled, change->patch ? device.enabled : true);
    device.simulated = flag_over(&change->simulated, change->patch && device.simulated);
    device.provisioned = created || device.provisioned;
    code = store->functions->device_put(store, &device, &created, err);
    if (code == TRANCHE_OK)
        print_answer(request, &device);
    return code;
}

static void write_request(struct request *request, bool patch)
{
    struct tranche_err err;
    struct json_document document = { 0 };
    struct change *change = arena_take(&request->memory, sizeof *change);
    enum tranche_code code = device_id_check(request->parameters[0], &err);
    if (code == TRANCHE_OK && change == NULL)
        code = fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (code == TRANCHE_OK)
        code = body_parse(request, &document, &err);
    if (code == TRANCHE_OK) {
        change->patch = patch;
        code = read_change(request, document.root, change, &err);
    }
    json_free(&document);
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    request->held = change;
    change_post(request, write_device);
}

void devices_put(struct request *request)
{
    write_request(request, false);
}

void devices_patch(struct request *request)
{
    write_request(request, true);
}

static enum tranche_code drop_device(struct request *request, struct tranche_store *store, int64_t now_us,
                                     struct tranche_err *err)
{
    (void)now_us;
    struct tranche_device_record present;
    enum tranche_code code = find_present(request, store, NULL, false, &present, err);
    return code == TRANCHE_OK ? store->functions->device_drop(store, present.no, err) : code;
}

void devices_delete(struct request *request)
{
    change_post(request, drop_device);
}
