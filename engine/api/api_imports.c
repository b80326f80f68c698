/* How imports are getting on, and how they ended.
 *
 *     GET /v1/imports/{import}
 *         {"id","state","lines","bad","devices","created","updated","start"?,"end"?,"reason"?,"complaints"?}
 *     GET /v1/imports
 *         {"value":[...]}: the latest, newest first, without their complaints
 *
 * `state` is receiving, sorting, writing, done or failed. `devices` is how many are to go in, known when all
 * lines are sorted; so many of them as were created and updated are in. From the first durable slice on the
 * store's row is the import; before then it is known to this server alone.
 */
#include "handlers.h"

#include "fail.h"
#include "job_json.h"

#include <inttypes.h>
#include <string.h>

#define IMPORTS_LISTED_MAX 100

static void print_counts(const char *id, const char *state, uint64_t lines, uint64_t bad, uint64_t devices,
                         struct text *out)
{
    text_printf(
        out, "{\"id\":\"%s\",\"state\":\"%s\",\"lines\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"devices\":%" PRIu64,
        id, state, lines, bad, devices);
}

/* One that has no row yet. */
static void print_young(const char *id, const struct import_progress *progress, struct text *out)
{
    static const char *const states[] = {
        [IMPORT_RECEIVING] = "receiving", [IMPORT_SORTING] = "sorting", [IMPORT_WRITING] = "writing"
    };
    print_counts(id, states[progress->phase], progress->lines, progress->bad, progress->devices, out);
    text_puts(out, ",\"created\":0,\"updated\":0}");
}

static void print_import(const struct tranche_import_record *import, struct text *out)
{
    const char *state = !import->done ? "writing" : import->reason != NULL ? "failed" : "done";
    print_counts(import->id, state, import->lines, import->bad, import->devices, out);
    text_printf(out, ",\"created\":%" PRIu64 ",\"updated\":%" PRIu64, import->created, import->updated);
    job_json_time("start", import->begun_us, out);
    job_json_time("end", import->ended_us, out);
    if (import->reason != NULL) {
        text_puts(out, ",\"reason\":");
        text_json(out, import->reason);
    }
    if (import->complaints != NULL)
        text_printf(out, ",\"complaints\":%s", import->complaints);
    text_puts(out, "}");
}

/* ---- one ---- */

static bool find_young(struct request *request, const char *id, struct import_progress *progress)
{
    char other[TRANCHE_ID_BYTES];
    for (unsigned i = 0; i < IMPORTS_MAX; i++)
        if (imports_at(&request->counter->imports, i, other, progress) && strcmp(other, id) == 0)
            return true;
    return false;
}

/* First whether it is under way, then its row: so that one that ends in between is not missed. */
void imports_get(struct request *request)
{
    const char *id = request->parameters[0];
    struct import_progress progress;
    bool is_young = find_young(request, id, &progress);
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_import_record import;
    struct tranche_err err;
    enum tranche_code code = reader->functions->import_find(reader, id, &import, &err);
    if (code == TRANCHE_OK) {
        print_import(&import, request_answer(request, 200));
    } else if (code == TRANCHE_NOTFOUND && is_young) {
        print_young(id, &progress, request_answer(request, 200));
    } else {
        if (code == TRANCHE_NOTFOUND)
            fail(&err, code, "Import \"%s\" was not found.", id);
        request_refuse(request, &err);
    }
}

/* ---- all ---- */

struct young {
    char id[TRANCHE_ID_BYTES];
    struct import_progress progress;
    bool has_row;
};

struct listing {
    struct young youngs[IMPORTS_MAX];
    unsigned young_count;
    struct text rows;
};

static void list_row(void *context, const struct tranche_import_record *import)
{
    struct listing *listing = context;
    for (unsigned i = 0; i < listing->young_count; i++)
        listing->youngs[i].has_row |= strcmp(listing->youngs[i].id, import->id) == 0;
    if (listing->rows.length > 0)
        text_puts(&listing->rows, ",");
    print_import(import, &listing->rows);
}

static void print_listing(const struct listing *listing, struct text *out)
{
    bool any = false;
    text_puts(out, "{\"value\":[");
    for (unsigned i = 0; i < listing->young_count; i++) {
        if (listing->youngs[i].has_row)
            continue;
        text_puts(out, any ? "," : "");
        print_young(listing->youngs[i].id, &listing->youngs[i].progress, out);
        any = true;
    }
    if (listing->rows.length > 0) {
        text_puts(out, any ? "," : "");
        text_puts(out, listing->rows.bytes);
    }
    text_puts(out, "]}");
    out->failed |= listing->rows.failed;
}

void imports_list(struct request *request)
{
    struct listing listing = { 0 };
    for (unsigned i = 0; i < IMPORTS_MAX; i++) {
        struct young *young = &listing.youngs[listing.young_count];
        listing.young_count += imports_at(&request->counter->imports, i, young->id, &young->progress);
    }
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_err err;
    if (reader->functions->imports_page(reader, IMPORTS_LISTED_MAX, list_row, &listing, &err) == TRANCHE_OK)
        print_listing(&listing, request_answer(request, 200));
    else
        request_refuse(request, &err);
    text_free(&listing.rows);
}
