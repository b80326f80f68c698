/* The registry: the writer's side of devices and groups, and both sides of imports. */
#include "sim_store_internal.h"

#include "fail.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

/* ---- rows ---- */

struct device_row *device_row_new(const struct tranche_device_record *record)
{
    struct device_row *device = sim_row_new(
        sizeof *device + sim_string_bytes(record->display_name) + sim_string_bytes(record->template_id) +
        sim_string_bytes(record->organization) + sim_string_bytes(record->manifest) +
        sim_string_bytes(record->properties) + sim_string_bytes(record->stamps));
    char *tail = (char *)(device + 1);
    device->record = *record;
    device->record.display_name = sim_string_keep(&tail, record->display_name);
    device->record.template_id = sim_string_keep(&tail, record->template_id);
    device->record.organization = sim_string_keep(&tail, record->organization);
    device->record.manifest = sim_string_keep(&tail, record->manifest);
    device->record.properties = sim_string_keep(&tail, record->properties);
    device->record.stamps = sim_string_keep(&tail, record->stamps);
    return device;
}

struct group_row *group_row_new(const struct tranche_group_record *record)
{
    struct group_row *group = sim_row_new(
        sizeof *group + sim_string_bytes(record->display_name) + sim_string_bytes(record->description) +
        sim_string_bytes(record->filter) + sim_string_bytes(record->organization));
    char *tail = (char *)(group + 1);
    group->record = *record;
    group->record.display_name = sim_string_keep(&tail, record->display_name);
    group->record.description = sim_string_keep(&tail, record->description);
    group->record.filter = sim_string_keep(&tail, record->filter);
    group->record.organization = sim_string_keep(&tail, record->organization);
    return group;
}

struct import_row *import_row_new(const struct tranche_import_record *record)
{
    struct import_row *import =
        sim_row_new(sizeof *import + sim_string_bytes(record->file) + sim_string_bytes(record->reason) +
                    sim_string_bytes(record->complaints));
    char *tail = (char *)(import + 1);
    import->record = *record;
    import->record.file = sim_string_keep(&tail, record->file);
    import->record.reason = sim_string_keep(&tail, record->reason);
    import->record.complaints = sim_string_keep(&tail, record->complaints);
    return import;
}

/* ---- devices and groups ---- */

void sim_store_lend(struct sim_store *s, struct sim_row *copy)
{
    free(s->lent);
    s->lent = copy;
}

static enum tranche_code device_load(struct tranche_store *store, uint32_t no,
                                     struct tranche_device_record *out, struct tranche_err *err)
{
    struct sim_store *s = sim_store_enter(store, "device_load");
    const struct device_row *device = sim_table_find(&s->devices, no, SIM_OPEN);
    if (device == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no device number %u", no);
    struct device_row *copy = device_row_new(&device->record);
    sim_store_lend(s, &copy->row);
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code device_find(struct tranche_store *store, const char *id, struct tranche_device_record *out,
                                     struct tranche_err *err)
{
    struct sim_store *s = sim_store_enter(store, "device_find");
    const struct device_row *device = sim_store_living(s, id, SIM_OPEN);
    if (device == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no device \"%s\"", id);
    struct device_row *copy = device_row_new(&device->record);
    sim_store_lend(s, &copy->row);
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code device_brief(struct tranche_store *store, uint32_t no, struct tranche_device_brief *out,
                                      struct tranche_err *err)
{
    struct sim_store *s = sim_store_enter(store, "device_brief");
    const struct device_row *device = sim_table_find(&s->devices, no, SIM_OPEN);
    if (device == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no device number %u", no);
    *out = (struct tranche_device_brief){ .enabled = device->record.enabled,
                                          .simulated = device->record.simulated,
                                          .deleted = device->record.deleted };
    strcpy(out->id, device->record.id);
    return TRANCHE_OK;
}

static bool is_json(const char *text)
{
    struct json_document document = { 0 };
    bool is = json_parse(text, strlen(text), &document, NULL) == TRANCHE_OK;
    json_free(&document);
    return is;
}

static enum tranche_code device_put(struct tranche_store *store, struct tranche_device_record *device,
                                    bool *created, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "device_put", err);
    if (code != TRANCHE_OK)
        return code;
    if (device->properties != NULL && !is_json(device->properties))
        return fail(err, TRANCHE_INVALID, "the properties of device \"%s\" are no JSON", device->id);
    const struct device_row *before = sim_store_living(s, device->id, SIM_OPEN);
    *created = before == NULL;
    device->no = before == NULL ? (uint32_t)sim_table_last(&s->devices) + 1 : before->record.no;
    device->revision = before == NULL ? 1 : before->record.revision + 1;
    struct tranche_device_record record = *device;
    bool properties_stay = before != NULL && before->record.properties_us == record.properties_us;
    record.stamps = properties_stay ? before->record.stamps : NULL;
    if (record.manifest == NULL && before != NULL)
        record.manifest = before->record.manifest;
    struct device_row *row = device_row_new(&record);
    row->record.deleted = false;
    sim_store_put(s, NULL, &s->devices, device->no, row);
    if (*created)
        sim_store_index_add(s, &row->record);
    return TRANCHE_OK;
}

static enum tranche_code device_drop(struct tranche_store *store, uint32_t no, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "device_drop", err);
    if (code != TRANCHE_OK)
        return code;
    const struct device_row *before = sim_table_find(&s->devices, no, SIM_OPEN);
    if (before == NULL || before->record.deleted)
        return fail(err, TRANCHE_NOTFOUND, "there is no living device number %u", no);
    struct device_row *tombstone = device_row_new(&before->record);
    tombstone->record.deleted = true;
    tombstone->record.revision++;
    sim_store_put(s, NULL, &s->devices, no, tombstone);
    return TRANCHE_OK;
}

struct group_row *sim_store_group_named(struct sim_store *s, const char *id, uint64_t view)
{
    struct group_row *group;
    for (uint32_t at = 0; (group = sim_table_next(&s->groups, &at, view)) != NULL;)
        if (strcmp(group->record.id, id) == 0)
            return group;
    return NULL;
}

static enum tranche_code group_find(struct tranche_store *store, const char *id,
                                    struct tranche_group_record *out, struct tranche_err *err)
{
    struct sim_store *s = sim_store_enter(store, "group_find");
    const struct group_row *group = sim_store_group_named(s, id, SIM_OPEN);
    if (group == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no device group \"%s\"", id);
    struct group_row *copy = group_row_new(&group->record);
    sim_store_lend(s, &copy->row);
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code group_put(struct tranche_store *store, const struct tranche_group_record *group,
                                   struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "group_put", err);
    if (code != TRANCHE_OK)
        return code;
    struct group_row *row = group_row_new(group);
    uint64_t key = 0;
    row->record.revision = sim_store_first_revision(s);
    const struct group_row *before;
    for (uint32_t at = 0; key == 0 && (before = sim_table_next(&s->groups, &at, SIM_OPEN)) != NULL;)
        if (strcmp(before->record.id, group->id) == 0) {
            key = s->groups.slots[at - 1].key;
            row->record.revision = before->record.revision + 1;
        }
    sim_store_put(s, NULL, &s->groups, key == 0 ? sim_table_last(&s->groups) + 1 : key, row);
    return TRANCHE_OK;
}

static enum tranche_code group_drop(struct tranche_store *store, const char *id, struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "group_drop", err);
    if (code != TRANCHE_OK)
        return code;
    const struct group_row *group;
    for (uint32_t at = 0; (group = sim_table_next(&s->groups, &at, SIM_OPEN)) != NULL;)
        if (strcmp(group->record.id, id) == 0) {
            sim_store_drop(s, NULL, &s->groups, s->groups.slots[at - 1].key);
            return TRANCHE_OK;
        }
    return fail(err, TRANCHE_NOTFOUND, "there is no device group \"%s\"", id);
}

/* ---- imports ---- */

struct import_row *sim_store_import_named(const struct sim_store *s, const char *id, uint64_t view)
{
    struct import_row *import;
    for (uint32_t at = 0; (import = sim_table_next(&s->imports, &at, view)) != NULL;)
        if (strcmp(import->record.id, id) == 0)
            return import;
    return NULL;
}

/* What an update leaves as it was. */
static struct tranche_import_record changed(const struct import_row *before, const struct tranche_import_record *import)
{
    struct tranche_import_record record = before->record;
    record.position = import->position;
    record.created = import->created;
    record.updated = import->updated;
    record.done = import->done;
    record.reason = import->reason;
    record.ended_us = import->ended_us;
    return record;
}

static enum tranche_code import_put(struct tranche_store *store, struct tranche_import_record *import,
                                    struct tranche_err *err)
{
    struct sim_store *s = sim_store(store);
    enum tranche_code code = sim_store_change(store, "import_put", err);
    if (code != TRANCHE_OK)
        return code;
    if (import->no == 0) {
        if (sim_store_import_named(s, import->id, SIM_OPEN) != NULL)
            return fail(err, TRANCHE_CONFLICT, "there is an import \"%s\" already", import->id);
        import->no = (int64_t)sim_table_last(&s->imports) + 1;
        sim_store_put(s, NULL, &s->imports, (uint64_t)import->no, import_row_new(import));
        return TRANCHE_OK;
    }
    const struct import_row *before = sim_table_find(&s->imports, (uint64_t)import->no, SIM_OPEN);
    if (before == NULL) {
        sim_store_wrong(s, "import_put: import %lld was never inserted", (long long)import->no);
        return fail(err, TRANCHE_INTERNAL, "import_put: import %lld is not there", (long long)import->no);
    }
    struct tranche_import_record record = changed(before, import);
    sim_store_put(s, NULL, &s->imports, (uint64_t)import->no, import_row_new(&record));
    return TRANCHE_OK;
}

static enum tranche_code imports_open(struct tranche_store *store, tranche_import_visit *visit, void *context,
                                      struct tranche_err *err)
{
    (void)err;
    struct sim_store *s = sim_store_enter(store, "imports_open");
    const struct import_row *import;
    s->visiting = true;
    for (uint32_t at = 0; (import = sim_table_next(&s->imports, &at, SIM_OPEN)) != NULL;)
        if (!import->record.done) {
            struct tranche_import_record record = import->record;
            record.complaints = NULL;
            visit(context, &record);
        }
    s->visiting = false;
    return TRANCHE_OK;
}

static enum tranche_code reader_import_find(struct tranche_reader *reader, const char *id,
                                            struct tranche_import_record *out, struct tranche_err *err)
{
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    const struct import_row *import = sim_store_import_named(r->store, id, view);
    if (import == NULL)
        return fail(err, TRANCHE_NOTFOUND, "there is no import \"%s\"", id);
    struct import_row *copy = import_row_new(&import->record);
    r->lent = &copy->row;
    *out = copy->record;
    return TRANCHE_OK;
}

static enum tranche_code reader_imports_page(struct tranche_reader *reader, uint32_t limit,
                                             tranche_import_visit *visit, void *context, struct tranche_err *err)
{
    (void)err;
    uint64_t view;
    struct sim_reader *r = sim_reader_enter(reader, &view);
    r->visiting = true;
    for (int64_t no = (int64_t)sim_table_last(&r->store->imports); no > 0 && limit > 0; no--) {
        const struct import_row *import = sim_table_find(&r->store->imports, (uint64_t)no, view);
        if (import == NULL)
            continue;
        struct tranche_import_record record = import->record;
        record.complaints = NULL;
        visit(context, &record);
        limit--;
    }
    r->visiting = false;
    return TRANCHE_OK;
}

void sim_store_fleet_reader_functions(struct tranche_reader_functions *functions)
{
    functions->import_find = reader_import_find;
    functions->imports_page = reader_imports_page;
}

void sim_store_fleet_functions(struct tranche_store_functions *functions)
{
    functions->device_load = device_load;
    functions->device_find = device_find;
    functions->device_brief = device_brief;
    functions->device_put = device_put;
    functions->device_drop = device_drop;
    functions->group_find = group_find;
    functions->group_put = group_put;
    functions->group_drop = group_drop;
    functions->import_put = import_put;
    functions->imports_open = imports_open;
}
