/* Bulk import: POST /v1/devices/import?template=ID&all_or_nothing=true|false&format=ndjson|csv
 *
 * One JSON object a line (import_line.h), or a table with a header (import_row.h) where the format or the Content-Type,
 * text/csv, says so.
 *
 * The lines go to the spool while they arrive, on an HTTP thread; the back room sorts and syncs it; the
 * engine takes it in, slice by slice. The answer comes when all of it is durable:
 *
 *     {"lines","devices","created","updated","bad","complaints":[{"line","text"}]}
 *
 * A client that goes away before the body is complete has imported nothing. One that goes away later may have
 * imported all: an import that reached the engine goes in to its end, over a restart too.
 */
#include "handlers.h"

#include "backroom.h"
#include "fail.h"
#include "import.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

static_assert(IMPORTS_MAX < BACKROOM_THREADS, "sorting imports never hold up everything else");

static struct import *import_of(const struct request *request)
{
    return request->held;
}

static void import_release(struct request *request)
{
    import_close(import_of(request));
    atomic_fetch_sub(&request->counter->imports, 1);
}

static bool is_csv_type(const char *type)
{
    const size_t bytes = strlen("text/csv");
    return type != NULL && strncasecmp(type, "text/csv", bytes) == 0 && strchr("; ", type[bytes]) != NULL;
}

static enum tranche_code read_format(const struct request *request, enum import_format *format,
                                     struct tranche_err *err)
{
    const char *word;
    enum tranche_code code = request_query(request, "format", &word, err);
    if (code != TRANCHE_OK)
        return code;
    if (word == NULL)
        *format = is_csv_type(request_header(request, "Content-Type")) ? IMPORT_CSV : IMPORT_NDJSON;
    else if (!import_format_parse(word, format))
        return fail(err, TRANCHE_INVALID, "format must be ndjson or csv.");
    return TRANCHE_OK;
}

static enum tranche_code open_import(struct request *request, struct tranche_err *err)
{
    struct import_options options;
    bool all_or_nothing; /* looked at again in the end; a wrong word is refused before the body is sent */
    enum tranche_code code = request_query(request, "template", &options.template_id, err);
    if (code == TRANCHE_OK)
        code = read_format(request, &options.format, err);
    if (code == TRANCHE_OK)
        code = request_query_flag(request, "all_or_nothing", &all_or_nothing, err);
    if (code != TRANCHE_OK)
        return code;

    struct counter *counter = request->counter;
    if (atomic_fetch_add(&counter->imports, 1) >= IMPORTS_MAX) {
        atomic_fetch_sub(&counter->imports, 1);
        return fail(err, TRANCHE_TOOMANY, "%d imports are under way already; try again later.", IMPORTS_MAX);
    }
    struct import *import;
    code = import_open(&import, counter->config->data, &options, err);
    if (code != TRANCHE_OK) {
        atomic_fetch_sub(&counter->imports, 1);
        return code;
    }
    request->held = import;
    request->release = import_release;
    return TRANCHE_OK;
}

void import_take(struct request *request, const char *bytes, size_t count)
{
    struct tranche_err err;
    enum tranche_code code = request->held != NULL ? TRANCHE_OK : open_import(request, &err);
    if (code == TRANCHE_OK)
        code = import_feed(import_of(request), bytes, count, &err);
    if (code != TRANCHE_OK)
        request_refuse(request, &err);
}

/* ---- answers ---- */

static void print_complaints(const struct import_summary *summary, struct text *out)
{
    for (uint32_t i = 0; i < summary->complaint_count; i++) {
        text_printf(out, "%s{\"line\":%" PRIu64 ",\"text\":", i > 0 ? "," : "", summary->complaints[i].line);
        text_json(out, summary->complaints[i].text);
        text_puts(out, "}");
    }
}

static void answer_summary(struct request *request)
{
    if (request->command.code != TRANCHE_OK) {
        request_refuse(request, &request->command.err);
        return;
    }
    const struct import_summary *summary = import_summary(import_of(request));
    struct text *out = request_answer(request, 200);
    text_printf(out,
                "{\"lines\":%" PRIu64 ",\"devices\":%" PRIu64 ",\"created\":%" PRIu64 ",\"updated\":%" PRIu64
                ",\"bad\":%" PRIu64 ",\"complaints\":[",
                summary->lines, summary->devices, summary->created, summary->updated, summary->bad);
    print_complaints(summary, out);
    text_puts(out, "]}");
}

/* The complaints go into the error when nothing was to be imported because of them. */
static void refuse_import(struct request *request, const struct tranche_err *err)
{
    struct text members = { 0 };
    text_puts(&members, "\"complaints\":[");
    print_complaints(import_summary(import_of(request)), &members);
    text_puts(&members, "]");
    request_refuse_with(request, err, members.failed ? NULL : members.bytes);
    text_free(&members);
}

/* ---- going in ---- */

static enum tranche_code write_slice(struct command *command, struct tranche_store *store, int64_t now_us,
                                     bool *more, struct tranche_err *err)
{
    return import_slice(import_of(request_of(command)), store, now_us, more, err);
}

static void slice_rolled_back(struct command *command)
{
    import_rolled_back(import_of(request_of(command)));
}

static void slice_committed(struct command *command)
{
    import_committed(import_of(request_of(command)));
}

/* In the back room. */
static void finish(struct request *request)
{
    struct tranche_err err;
    bool all_or_nothing;
    enum tranche_code code = request_query_flag(request, "all_or_nothing", &all_or_nothing, &err);
    if (code == TRANCHE_OK)
        code = import_finish(import_of(request), all_or_nothing, &err);
    if (code == TRANCHE_INVALID)
        refuse_import(request, &err);
    else if (code != TRANCHE_OK)
        request_refuse(request, &err);
    if (code != TRANCHE_OK)
        return;
    request->command.write = write_slice;
    request->command.rolled_back = slice_rolled_back;
    request->command.committed = slice_committed;
    request_post(request, COMMAND_WRITE, answer_summary);
}

void import_end(struct request *request)
{
    struct tranche_err err;
    if (request->held == NULL && open_import(request, &err) != TRANCHE_OK) /* a body of no bytes */
        request_refuse(request, &err);
    else
        request_defer(request, finish);
}
