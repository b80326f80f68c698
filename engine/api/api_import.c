/* Bulk import: POST /v1/devices/import?id=ID&template=ID&all_or_nothing=true|false&format=ndjson|csv
 *
 * One JSON object a line (import_line.h), or a table with a header (import_row.h) where the format or the
 * Content-Type, text/csv, says so.
 *
 * The lines go to the spool while they arrive, on an HTTP thread; the back room sorts and syncs it; the
 * engine takes it in, slice by slice. The answer comes when all of it is durable:
 *
 *     {"id","lines","devices","created","updated","bad","complaints":[{"line","text"}]}
 *
 * A client that names the id can ask meanwhile how far the import is (api_imports.c); else it gets one.
 *
 * A client that goes away before the body is complete has imported nothing. Once a slice is durable the
 * import is accepted and goes in to its end, whether the client stays or not, over trouble of the store and
 * over a restart; only a shutdown makes the answer come before the end. An import that is refused or given up
 * before that has left nothing, and its id is free. Imports go in one after the other, in the order in which
 * their bodies were complete.
 */
#include "handlers.h"

#include "backroom.h"
#include "definition.h"
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
    imports_leave(&request->counter->imports, import_id(import_of(request)));
    import_close(import_of(request));
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

/* The client's id, which must be new, or one of ours. */
static enum tranche_code read_id(struct request *request, const char **id, struct tranche_err *err)
{
    enum tranche_code code = request_query(request, "id", id, err);
    if (code != TRANCHE_OK)
        return code;
    if (*id == NULL) {
        char *own = arena_take(&request->memory, UUID_TEXT_BYTES);
        if (own == NULL)
            return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
        uuid_random(own);
        *id = own;
        return TRANCHE_OK;
    }
    struct tranche_reader *reader;
    struct tranche_import_record found;
    code = id_check("id", *id, err);
    if (code == TRANCHE_OK)
        code = readers_take(&request->counter->readers, &reader, err);
    if (code != TRANCHE_OK)
        return code;
    code = reader->functions->import_find(reader, *id, &found, err);
    readers_give(&request->counter->readers, reader);
    if (code == TRANCHE_OK)
        return fail(err, TRANCHE_CONFLICT, "Import \"%s\" exists already.", *id);
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static enum tranche_code open_import(struct request *request, struct tranche_err *err)
{
    struct import_options options;
    bool all_or_nothing; /* looked at again in the end; a wrong word is refused before the body is sent */
    enum tranche_code code = request_query(request, "template", &options.template_id, err);
    if (code == TRANCHE_OK)
        code = read_format(request, &options.format, err);
    if (code == TRANCHE_OK)
        code = read_id(request, &options.id, err);
    if (code == TRANCHE_OK)
        code = request_query_flag(request, "all_or_nothing", &all_or_nothing, err);
    if (code != TRANCHE_OK)
        return code;

    struct counter *counter = request->counter;
    code = imports_enter(&counter->imports, options.id, err);
    if (code != TRANCHE_OK)
        return code;
    struct import *import;
    code = import_open(&import, counter->config->data, &options, err);
    if (code != TRANCHE_OK) {
        imports_leave(&counter->imports, options.id);
        return code;
    }
    imports_set(&counter->imports, options.id, import);
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

/* Not the end, for a shutdown: what was accepted is not lost, and the client had better not send it again. */
static void answer_kept(struct request *request)
{
    struct tranche_err err;
    fail(
        &err, TRANCHE_UNAVAILABLE,
        "The server is shutting down. Import \"%s\" is kept and goes on when it is back; see /v1/imports/%s.",
        import_id(import_of(request)), import_id(import_of(request)));
    request_refuse(request, &err);
}

/* It ended early through a fault of its own, and what went in before is in. */
static void answer_failed(struct request *request, const struct tranche_err *trouble)
{
    const struct import_summary *summary = import_summary(import_of(request));
    struct text members = { 0 };
    text_printf(&members, "\"import\":\"%s\",\"created\":%" PRIu64 ",\"updated\":%" PRIu64 ",\"reason\":",
                import_id(import_of(request)), summary->created, summary->updated);
    text_json(&members, trouble->text);
    struct tranche_err err;
    fail(&err, TRANCHE_IO, "import %s: %s", import_id(import_of(request)), trouble->text);
    request_refuse_with(request, &err, members.failed ? NULL : members.bytes);
    text_free(&members);
}

static void answer_summary(struct request *request)
{
    const struct import *import = import_of(request);
    struct tranche_err trouble;
    if (request->command.code != TRANCHE_OK && import_is_accepted(import))
        answer_kept(request);
    else if (request->command.code != TRANCHE_OK)
        request_refuse(request, &request->command.err);
    else if (import_end_code(import, &trouble) != TRANCHE_OK)
        answer_failed(request, &trouble);
    else
        import_summary_print(import, request_answer(request, 200));
}

/* The complaints go into the error when nothing was to be imported because of them. */
static void refuse_import(struct request *request, const struct tranche_err *err)
{
    struct text members = { 0 };
    text_puts(&members, "\"complaints\":");
    import_complaints_print(import_summary(import_of(request)), &members);
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
    request->command.in_turn = true;
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
