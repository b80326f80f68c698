/* Device templates (api-contract.md 3.5, 4.6): the model of a kind of device, against which jobs are checked.
 * A PUT publishes at once. */
#include "handlers.h"

#include "change.h"
#include "fail.h"
#include "listing.h"
#include "template.h"

#include <stdio.h>
#include <string.h>

static enum tranche_code unknown(const struct request *request, struct tranche_err *err)
{
    return fail(err, TRANCHE_NOTFOUND, "Device template \"%.255s\" was not found.", request->parameters[0]);
}

/* The stored body is the object without its id and etag, and never empty. */
static void print_template(const struct tranche_object_record *object, struct text *out)
{
    char etag[ETAG_BYTES];
    etag_print("t", object->revision, etag);
    text_puts(out, "{\"@id\":");
    text_json(out, object->id);
    change_print_optional("etag", etag, out);
    text_printf(out, ",%s", object->body + 1);
}

void templates_get(struct request *request)
{
    struct tranche_err err;
    struct tranche_object_record object;
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    enum tranche_code code =
        reader->functions->object_find(reader, TRANCHE_TEMPLATE, request->parameters[0], &object, &err);
    if (code == TRANCHE_NOTFOUND)
        unknown(request, &err);
    if (code != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    print_template(&object, change_answer(request, "t", object.revision));
    request_answer_printed(request, 200);
}

/* Templates belong to the whole fleet, and everybody may see them. */
static void list_template(void *context, const struct tranche_object_record *object)
{
    struct listing *listing = context;
    if (listing_takes_if(listing, true, 0, object->id))
        print_template(object, listing->out);
}

static enum tranche_code fetch_templates(struct listing *listing, struct tranche_reader *reader, const char *after,
                                         struct tranche_err *err)
{
    return reader->functions->objects_page(reader, TRANCHE_TEMPLATE, after, listing->fetch, list_template, listing, err);
}

void templates_list(struct request *request)
{
    listing_answer(request, PAGE_OBJECTS, 0, fetch_templates, NULL);
}

/* ---- changes ---- */

struct change {
    const char *body; /* to be stored */
    struct body_string etag;
    int64_t revision; /* that was patched; 0: a PUT */
};

static enum tranche_code id_of_template_check(const char *id, struct tranche_err *err)
{
    size_t length = strlen(id);
    bool dtmi = strncmp(id, "dtmi:", strlen("dtmi:")) == 0;
    for (size_t i = 0; i < length; i++)
        dtmi &= id[i] > ' ' && id[i] < 0x7f && strchr("\"\\", id[i]) == NULL;
    if (!dtmi || length >= TRANCHE_ID_BYTES)
        return fail(err, TRANCHE_INVALID,
                    "id: expected a DTMI of at most %d characters such as dtmi:contoso:Thermostat;1.",
                    TRANCHE_ID_BYTES - 1);
    return TRANCHE_OK;
}

/* The members that are kept, with their bytes as they came. */
static void print_kept(const struct json_document *document, struct text *out)
{
    static const char *const members[] = { "@type", "displayName", "description", "capabilityModel" };
    const char *before = "{";
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        size_t bytes;
        const char *raw = json_raw(document, &bytes, members[i], NULL);
        if (raw == NULL || json_type(json_member(document->root, members[i])) == JSON_NULL)
            continue;
        text_printf(out, "%s\"%s\":", before, members[i]);
        json_compact(out, raw, bytes);
        before = ",";
    }
    text_puts(out, "}");
}

static enum tranche_code read_body(struct request *request, const char *text, size_t bytes,
                                   struct change *change, struct tranche_err *err)
{
    struct json_document document;
    struct tranche_err cause;
    struct template template;
    enum tranche_code code = template_parse(text, bytes, &template, &cause);
    template_free(&template);
    if (code == TRANCHE_BADREQUEST)
        return fail(err, code, "The body is not valid JSON: %s.", cause.text);
    if (code != TRANCHE_OK)
        return fail(err, code, "%s", cause.text);
    code = json_parse(text, bytes, &document, err);
    if (code == TRANCHE_OK)
        code = body_string(request, document.root, "etag", ETAG_BYTES, &change->etag, err);
    struct text kept = { 0 };
    if (code == TRANCHE_OK)
        print_kept(&document, &kept);
    change->body =
        kept.failed || code != TRANCHE_OK ? NULL : arena_copy(&request->memory, kept.bytes, kept.length);
    text_free(&kept);
    json_free(&document);
    if (code == TRANCHE_OK && change->body == NULL)
        code = fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    return code;
}

static enum tranche_code write_template(struct request *request, struct tranche_store *store, int64_t now_us,
                                        struct tranche_err *err)
{
    (void)now_us;
    const struct change *change = request->held;
    const char *id = request->parameters[0];
    struct tranche_object_record present = { 0 }, object = { .kind = TRANCHE_TEMPLATE, .body = change->body };
    enum tranche_code code = store->functions->object_find(store, TRANCHE_TEMPLATE, id, &present, err);
    if (code == TRANCHE_NOTFOUND && change->revision == 0)
        code = TRANCHE_OK;
    else if (code == TRANCHE_NOTFOUND)
        code = unknown(request, err);
    if (code == TRANCHE_OK)
        code = change_check_etags(request, &change->etag, "t", present.revision, err);
    if (code == TRANCHE_OK && change->revision != 0 && change->revision != present.revision)
        code = change_overtaken(err);
    if (code != TRANCHE_OK)
        return code;
    strcpy(object.id, id);
    code = store->functions->object_put(store, &object, err);
    if (code == TRANCHE_OK)
        print_template(&object, change_answer(request, "t", object.revision));
    return code;
}

static void post(struct request *request, struct change *change)
{
    request->held = change;
    change_post(request, write_template);
}

void templates_put(struct request *request)
{
    struct tranche_err err;
    struct change *change = arena_take(&request->memory, sizeof *change);
    const char *body = request->body.bytes != NULL ? request->body.bytes : "";
    enum tranche_code code = id_of_template_check(request->parameters[0], &err);
    if (code == TRANCHE_OK && change == NULL)
        code = fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (code == TRANCHE_OK)
        code = read_body(request, body, request->body.length, change, &err);
    if (code == TRANCHE_OK)
        post(request, change);
    else
        request_refuse(request, &err);
}

static enum tranche_code read_patch(struct request *request, struct change *change, struct tranche_err *err)
{
    static const char *const required[] = { "@type", "capabilityModel", NULL };
    struct tranche_object_record present;
    const char *merged;
    struct tranche_reader *reader = request->reader;
    enum tranche_code code =
        reader->functions->object_find(reader, TRANCHE_TEMPLATE, request->parameters[0], &present, err);
    if (code == TRANCHE_NOTFOUND)
        return unknown(request, err);
    if (code != TRANCHE_OK)
        return code;
    change->revision = present.revision;
    code = change_merge(request, present.body, required, &merged, err);
    return code == TRANCHE_OK ? read_body(request, merged, strlen(merged), change, err) : code;
}

void templates_patch(struct request *request)
{
    struct tranche_err err;
    struct change *change = arena_take(&request->memory, sizeof *change);
    if (request_reader(request) == NULL)
        return;
    if (change == NULL)
        fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (change != NULL && read_patch(request, change, &err) == TRANCHE_OK)
        post(request, change);
    else
        request_refuse(request, &err);
}

static enum tranche_code drop_template(struct request *request, struct tranche_store *store, int64_t now_us,
                                       struct tranche_err *err)
{
    (void)now_us;
    const char *id = request->parameters[0], *what = NULL;
    struct tranche_object_record present;
    enum tranche_code code = store->functions->object_find(store, TRANCHE_TEMPLATE, id, &present, err);
    if (code == TRANCHE_NOTFOUND)
        return unknown(request, err);
    if (code == TRANCHE_OK)
        code = change_check_etags(request, NULL, "t", present.revision, err);
    if (code == TRANCHE_OK)
        code = store->functions->object_holds(store, TRANCHE_TEMPLATE, id, &what, err);
    if (code == TRANCHE_OK && what != NULL)
        return fail(err, TRANCHE_CONFLICT,
                    "Device template \"%s\" cannot be deleted: there are devices of it.", id);
    return code == TRANCHE_OK ? store->functions->object_drop(store, TRANCHE_TEMPLATE, id, err) : code;
}

void templates_delete(struct request *request)
{
    change_post(request, drop_template);
}
