/* The writer's side of the registry: devices and groups. */
#include "sqlite_internal.h"

#include "fail.h"
#include "rows.h"

#include <string.h>

/* ---- devices ---- */

static enum tranche_code device_load(struct tranche_store *store, uint32_t no, struct tranche_device_record *out,
                                     struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    bind_integer(statement_take(connection, STATEMENT_DEVICE_LOAD), 1, no);
    enum tranche_code code = rows_device(connection, STATEMENT_DEVICE_LOAD, out, err);
    return code == TRANCHE_NOTFOUND ? fail(err, code, "there is no device number %u", no) : code;
}

static enum tranche_code device_find(struct tranche_store *store, const char *id, struct tranche_device_record *out,
                                     struct tranche_err *err)
{
    return rows_device_find(&sqlite_store(store)->connection, id, out, err);
}

/* The hot path's look-up: the columns that come after these are not decoded. */
static enum tranche_code device_brief(struct tranche_store *store, uint32_t no, struct tranche_device_brief *out,
                                      struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    sqlite3_stmt *row = statement_take(connection, STATEMENT_DEVICE_BRIEF);
    bind_integer(row, 1, no);
    enum tranche_code code = statement_row(connection, STATEMENT_DEVICE_BRIEF, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "there is no device number %u", no);
    if (code != TRANCHE_OK)
        return code;
    if (!column_copy(row, 0, out->id, sizeof out->id))
        return row_damaged(connection, STATEMENT_DEVICE_BRIEF, err);
    out->enabled = column_number(row, 1) != 0;
    out->simulated = column_number(row, 2) != 0;
    out->deleted = column_number(row, 3) != 0;
    statement_end(connection, STATEMENT_DEVICE_BRIEF);
    return TRANCHE_OK;
}

/* Of a device that was there before. */
static enum tranche_code device_number(struct connection *connection, const char *id, int64_t *no, int64_t *revision,
                                       struct tranche_err *err)
{
    sqlite3_stmt *row = statement_take(connection, STATEMENT_DEVICE_NUMBER);
    bind_text(row, 1, id);
    enum tranche_code code = statement_row(connection, STATEMENT_DEVICE_NUMBER, err);
    assert(code != TRANCHE_NOTFOUND); /* it has just been updated */
    if (code != TRANCHE_OK)
        return code;
    *no = sqlite3_column_int64(row, 0);
    *revision = sqlite3_column_int64(row, 1);
    statement_end(connection, STATEMENT_DEVICE_NUMBER);
    return TRANCHE_OK;
}

/* One statement for a new device, which is what an import has a million of: SQLite's last row number tells whether it
 * inserted or updated. (RETURNING would say it too, but costs a third more.) */
static enum tranche_code device_put(struct tranche_store *store, struct tranche_device_record *device, bool *created,
                                    struct tranche_err *err)
{
    struct connection *connection = &sqlite_store(store)->connection;
    sqlite3_stmt *put = change_take(store, STATEMENT_DEVICE_PUT);
    bind_text(put, 1, device->id);
    bind_integer(put, 2, device->enabled);
    bind_integer(put, 3, device->provisioned);
    bind_integer(put, 4, device->simulated);
    bind_text(put, 5, device->display_name);
    bind_text(put, 6, device->template_id);
    bind_text(put, 7, device->organization);
    bind_text(put, 8, device->properties);
    bind_integer(put, 9, device->properties_us);
    bind_text(put, 10, device->manifest);
    sqlite3_set_last_insert_rowid(connection->db, 0);
    enum tranche_code code = change_run(store, STATEMENT_DEVICE_PUT, err);
    if (code == TRANCHE_INVALID)
        return fail(err, code, "the properties of device \"%s\" are no JSON", device->id);

    int64_t no = sqlite3_last_insert_rowid(connection->db);
    *created = no != 0;
    device->revision = 1;
    if (code == TRANCHE_OK && !*created)
        code = device_number(connection, device->id, &no, &device->revision, err);
    if (code == TRANCHE_OK && no > UINT32_MAX)
        code = fail(err, TRANCHE_UNAVAILABLE, "the store has run out of device numbers");
    device->no = (uint32_t)no;
    return code;
}

static enum tranche_code device_drop(struct tranche_store *store, uint32_t no, struct tranche_err *err)
{
    bind_integer(change_take(store, STATEMENT_DEVICE_DROP), 1, no);
    enum tranche_code code = change_run(store, STATEMENT_DEVICE_DROP, err);
    if (code == TRANCHE_OK && sqlite3_changes(sqlite_store(store)->connection.db) == 0)
        return fail(err, TRANCHE_NOTFOUND, "there is no living device number %u", no);
    return code;
}

/* ---- groups ---- */

static enum tranche_code group_find(struct tranche_store *store, const char *id, struct tranche_group_record *out,
                                    struct tranche_err *err)
{
    return rows_group_find(&sqlite_store(store)->connection, id, out, err);
}

static enum tranche_code group_put(struct tranche_store *store, const struct tranche_group_record *group,
                                   struct tranche_err *err)
{
    sqlite3_stmt *put = change_take(store, STATEMENT_GROUP_PUT);
    bind_text(put, 1, group->id);
    bind_text(put, 2, group->display_name);
    bind_text(put, 3, group->description);
    bind_text(put, 4, group->filter);
    bind_text(put, 5, group->organization);
    bind_integer(put, 6, first_revision(store));
    return change_run(store, STATEMENT_GROUP_PUT, err);
}

static enum tranche_code group_drop(struct tranche_store *store, const char *id, struct tranche_err *err)
{
    bind_text(change_take(store, STATEMENT_GROUP_DROP), 1, id);
    enum tranche_code code = change_run(store, STATEMENT_GROUP_DROP, err);
    if (code == TRANCHE_OK && sqlite3_changes(sqlite_store(store)->connection.db) == 0)
        return fail(err, TRANCHE_NOTFOUND, "there is no device group \"%s\"", id);
    return code;
}

void sqlite_fleet_functions(struct tranche_store_functions *functions)
{
    functions->device_load = device_load;
    functions->device_find = device_find;
    functions->device_brief = device_brief;
    functions->device_put = device_put;
    functions->device_drop = device_drop;
    functions->group_find = group_find;
    functions->group_put = group_put;
    functions->group_drop = group_drop;
}
