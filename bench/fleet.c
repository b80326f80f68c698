#include "fleet.h"

#include "child.h"
#include "fail.h"
#include "import.h"
#include "sqlite.h"
#include "when.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_POLL_US     1000
#define BUSY_POLLS_MAX   60000
#define SLICES_A_COMMIT  10 /* as the offline import has it */

/* ---- transactions ---- */

enum tranche_code fleet_store_open(const char *directory, struct tranche_store **store, struct tranche_err *err)
{
    struct sqlite_options options = { .directory = directory };
    return sqlite_store_open(&options, store, err);
}

void fleet_store_close(struct tranche_store *store)
{
    if (store != NULL)
        store->functions->close(store);
}

enum tranche_code fleet_begin(struct tranche_store *store, struct tranche_err *err)
{
    int64_t number = 0;
    enum tranche_code code = store->functions->commit_number(store, &number, err);
    if (code != TRANCHE_OK)
        return code;
    code = store->functions->begin(store, number + 1, err);
    for (int polls = 0; code == TRANCHE_UNAVAILABLE && polls < BUSY_POLLS_MAX; polls++) {
        usleep(BUSY_POLL_US);
        code = store->functions->begin(store, number + 1, err);
    }
    return code;
}

enum tranche_code fleet_commit(struct tranche_store *store, struct tranche_err *err)
{
    enum tranche_code code = store->functions->commit_start(store, err);
    if (code != TRANCHE_OK)
        return code;
    enum tranche_commit end;
    while ((end = store->functions->commit_ended(store, err)) == TRANCHE_COMMIT_PENDING)
        usleep(BUSY_POLL_US);
    return end == TRANCHE_COMMIT_DONE ? TRANCHE_OK : fail_in(err, TRANCHE_IO, "commit");
}

/* ---- devices ---- */

#define ID_BYTES 40

/* The same for the same number, and in no order (splitmix64). */
static uint64_t scatter(uint64_t number)
{
    number += 0x9e3779b97f4a7c15u;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

static void id_print(char id[ID_BYTES], uint32_t i, enum fleet_manner manner)
{
    uint64_t high = scatter(2ull * i), low = scatter(2ull * i + 1);
    if (manner == FLEET_GUIDS)
        snprintf(id, ID_BYTES, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff),
                 (unsigned)(high & 0xfff), (unsigned)(low >> 48 & 0xfff), (unsigned long long)(low & 0xffffffffffff));
    else
        snprintf(id, ID_BYTES, "dev-%07u", i);
}

static enum tranche_code lines_feed(struct import *import, uint32_t devices, enum fleet_manner manner,
                                    struct tranche_err *err)
{
    static const char header[] = "id,displayName,template,floor:json,firmware\n";
    const char *format = manner == FLEET_CSV ? "%s,Device %u,%s,%u,1.%u\n"
                                             : "{\"id\":\"%s\",\"displayName\":\"Device %u\",\"template\":\"%s\","
                                               "\"properties\":{\"floor\":%u,\"firmware\":\"1.%u\"}}\n";
    char line[256], id[ID_BYTES];
    enum tranche_code code =
        manner == FLEET_CSV ? import_feed(import, header, sizeof header - 1, err) : TRANCHE_OK;
    for (uint32_t i = 0; i < devices && code == TRANCHE_OK; i++) {
        id_print(id, i, manner);
        int bytes = snprintf(line, sizeof line, format, id, i, i % 2 == 0 ? FLEET_TEMPLATE : FLEET_TEMPLATE_TOO,
                             i % FLEET_FLOORS, i % 7);
        code = import_feed(import, line, (size_t)bytes, err);
    }
    return code == TRANCHE_OK ? import_finish(import, true, err) : code;
}

static enum tranche_code slices_store(struct import *import, struct tranche_store *store, bool *more,
                                      struct tranche_err *err)
{
    enum tranche_code code = fleet_begin(store, err);
    for (int i = 0; i < SLICES_A_COMMIT && *more && code == TRANCHE_OK; i++)
        code = import_slice(import, store, when_now_us(), more, err);
    if (code == TRANCHE_OK)
        code = fleet_commit(store, err);
    if (code == TRANCHE_OK)
        import_committed(import);
    return code;
}

static enum tranche_code group_store(struct tranche_store *store, struct tranche_err *err)
{
    struct tranche_group_record group = { .id = "all", .display_name = "All", .filter = "SELECT * FROM devices" };
    enum tranche_code code = fleet_begin(store, err);
    if (code == TRANCHE_OK)
        code = store->functions->group_put(store, &group, err);
    return code == TRANCHE_OK ? fleet_commit(store, err) : code;
}

enum tranche_code fleet_import(struct tranche_store *store, const char *directory, uint32_t devices,
                               struct tranche_err *err)
{
    return fleet_import_as(store, directory, devices, FLEET_SORTED, err);
}

enum tranche_code fleet_import_as(struct tranche_store *store, const char *directory, uint32_t devices,
                                  enum fleet_manner manner, struct tranche_err *err)
{
    struct import_options options = { .id = "fleet", .format = manner == FLEET_CSV ? IMPORT_CSV : IMPORT_NDJSON };
    struct import *import = NULL;
    bool more = true;
    enum tranche_code code = import_open(&import, directory, &options, err);
    if (code != TRANCHE_OK)
        return code;
    code = lines_feed(import, devices, manner, err);
    while (code == TRANCHE_OK && more)
        code = slices_store(import, store, &more, err);
    import_close(import);
    return code == TRANCHE_OK ? group_store(store, err) : code;
}

/* ---- in a child ---- */

struct filling {
    const char *directory;
    uint32_t devices;
};

static enum tranche_code fill(void *context, struct tranche_err *err)
{
    const struct filling *filling = context;
    struct tranche_store *store = NULL;
    enum tranche_code code = fleet_store_open(filling->directory, &store, err);
    if (code == TRANCHE_OK)
        code = fleet_import(store, filling->directory, filling->devices, err);
    fleet_store_close(store);
    return code;
}

enum tranche_code fleet_fill(const char *directory, uint32_t devices, struct tranche_err *err)
{
    struct filling filling = { .directory = directory, .devices = devices };
    if (mkdir(directory, 0700) != 0)
        return fail(err, TRANCHE_IO, "make %s: %s", directory, strerror(errno));
    enum tranche_code code = child_run(fill, &filling, err);
    return code == TRANCHE_OK ? code : fail_in(err, code, "fill a store");
}
