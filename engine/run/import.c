#include "import.h"

#include "definition.h"
#include "fail.h"
#include "import_line.h"
#include "import_row.h"
#include "mem.h"
#include "sheet.h"
#include "spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines are fed into the spool; finish turns it into a sorted file; slices walk the file with the reader until the record
 * is done. A reopened import begins with the file. */
struct import {
    char *directory;
    char id[TRANCHE_ID_BYTES];
    struct import_summary summary;

    /* for other threads: copies, each for itself */
    atomic_int phase; /* enum import_phase */
    atomic_uint_fast64_t lines_seen, bad_seen, devices_seen;

    /* while lines come in */
    char *template_id;           /* NULL: none */
    struct spool *spool;         /* NULL once it is finished */
    uint64_t line_number;

    /* of NDJSON */
    struct import_line line;
    char *partial;               /* a line whose end has not come yet */
    size_t partial_bytes;
    bool too_long;               /* the partial line was dropped: it exceeds the limit */

    /* of CSV */
    struct sheet *sheet;         /* NULL: it is NDJSON, or finished */
    struct import_row row;

    /* while devices go in */
    char file[SPOOL_FILE_BYTES]; /* inside the directory; "" before finish */
    int fd;                      /* -1 before finish */
    struct spool_reader reader;
    struct text complaints;      /* as JSON, for the store */
    struct tranche_err trouble;  /* of the import's own, why it ends; code TRANCHE_OK: none */
    struct tranche_import_record working;   /* as the open transaction has it; both name what is above */
    struct tranche_import_record committed; /* as the store has it for good; its number is 0 before the first slice */
};

/* ---- opening and closing ---- */

static enum tranche_code no_memory(struct tranche_err *err)
{
    return fail(err, TRANCHE_NOMEM, "out of memory");
}

static struct import *import_new(const char *directory)
{
    struct import *import = calloc(1, sizeof *import);
    if (import == NULL)
        return NULL;
    import->fd = -1;
    import->directory = strdup(directory);
    if (import->directory == NULL) {
        free(import);
        return NULL;
    }
    return import;
}

bool import_format_parse(const char *word, enum import_format *format)
{
    *format = strcmp(word, "csv") == 0 ? IMPORT_CSV : IMPORT_NDJSON;
    return *format == IMPORT_CSV || strcmp(word, "ndjson") == 0;
}

static sheet_visit take_row;

static enum tranche_code open_input(struct import *import, enum import_format format, struct tranche_err *err)
{
    if (format == IMPORT_CSV)
        return sheet_open(&import->sheet, take_row, import, err);
    import->partial = malloc(IMPORT_LINE_BYTES_MAX);
    return import->partial != NULL ? TRANCHE_OK : no_memory(err);
}

enum tranche_code import_open(struct import **out, const char *directory, const struct import_options *options,
                              struct tranche_err *err)
{
    const char *template_id = options->template_id;
    assert(options->id != NULL && strlen(options->id) < TRANCHE_ID_BYTES);
    if (template_id != NULL && (template_id[0] == '\0' || strlen(template_id) > DEFINITION_NAME_BYTES_MAX))
        return fail(err, TRANCHE_INVALID, "template: expected 1 to %d bytes", DEFINITION_NAME_BYTES_MAX);
    struct import *import = import_new(directory);
    if (import == NULL)
        return no_memory(err);
    strcpy(import->id, options->id);
    enum tranche_code code = open_input(import, options->format, err);
    if (template_id != NULL)
        import->template_id = strdup(template_id);
    if (code == TRANCHE_OK && template_id != NULL && import->template_id == NULL)
        code = no_memory(err);
    if (code == TRANCHE_OK)
        code = spool_open(&import->spool, directory, err);
    if (code != TRANCHE_OK) {
        import_close(import);
        return code;
    }
    *out = import;
    return TRANCHE_OK;
}

static char *file_path(const struct import *import)
{
    size_t bytes = strlen(import->directory) + sizeof import->file + 1;
    char *path = malloc(bytes);
    if (path != NULL)
        snprintf(path, bytes, "%s/%s", import->directory, import->file);
    return path;
}

/* Opens the finished file for slices, from the working record's position on. */
static enum tranche_code open_file(struct import *import, struct tranche_err *err)
{
    char *path = file_path(import);
    if (path == NULL)
        return no_memory(err);
    struct stat stat = {0};
    import->fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = import->fd >= 0 && fstat(import->fd, &stat) == 0;
    enum tranche_code code = good ? TRANCHE_OK : fail(err, TRANCHE_IO, "open the import's spool file: %s", strerror(errno));
    if (code == TRANCHE_OK && (import->working.position < 0 || import->working.position > stat.st_size))
        code = fail(err, TRANCHE_IO, "the import's spool file is shorter than what is in the store of it");
    free(path);
    if (code != TRANCHE_OK)
        return code;
    return spool_reader_open(&import->reader, import->fd, (uint64_t)import->working.position, (uint64_t)stat.st_size,
                             err);
}

static void publish(struct import *import, enum import_phase phase)
{
    atomic_store(&import->phase, (int)phase);
    atomic_store(&import->lines_seen, import->summary.lines);
    atomic_store(&import->bad_seen, import->summary.bad);
    atomic_store(&import->devices_seen, import->summary.devices);
}

enum tranche_code import_reopen(struct import **out, const char *directory, const struct tranche_import_record *record,
                                struct tranche_err *err)
{
    assert(record->no != 0 && !record->done);
    if (strlen(record->file) >= SPOOL_FILE_BYTES)
        return fail(err, TRANCHE_IO, "import %" PRId64 ": \"%s\" is no spool file", record->no, record->file);
    struct import *import = import_new(directory);
    if (import == NULL)
        return no_memory(err);
    strcpy(import->file, record->file);
    strcpy(import->id, record->id);
    import->summary.lines = record->lines;
    import->summary.bad = record->bad;
    import->summary.devices = record->devices;
    import->working = *record;
    import->working.file = import->file;
    import->working.complaints = NULL; /* the store has them */
    import_committed(import);
    publish(import, IMPORT_WRITING);
    enum tranche_code code = open_file(import, &import->trouble);
    if (code == TRANCHE_NOMEM) {
        no_memory(err);
        import_close(import);
        return fail_in(err, code, "import %" PRId64, record->no);
    }
    *out = import;
    return TRANCHE_OK;
}

void import_close(struct import *import)
{
    if (import == NULL)
        return;
    bool was_accepted = import->committed.no != 0;
    if (import->file[0] != '\0' && (!was_accepted || import->committed.done)) {
        char *path = file_path(import);
        if (path != NULL)
            unlink(path);
        free(path);
    }
    spool_close(import->spool);
    spool_reader_close(&import->reader);
    if (import->fd >= 0)
        close(import->fd);
    import_line_free(&import->line);
    import_row_free(&import->row);
    sheet_close(import->sheet);
    free(import->partial);
    text_free(&import->complaints);
    free(import->template_id);
    free(import->directory);
    free(import);
}

/* ---- what is told about it ---- */

const char *import_id(const struct import *import)
{
    return import->id;
}

const struct import_summary *import_summary(const struct import *import)
{
    return &import->summary;
}

bool import_is_accepted(const struct import *import)
{
    return import->committed.no != 0;
}

enum tranche_code import_end_code(const struct import *import, struct tranche_err *err)
{
    if (import->trouble.code != TRANCHE_OK && err != NULL)
        *err = import->trouble;
    return import->trouble.code;
}

struct import_progress import_progress(const struct import *import)
{
    return (struct import_progress){
        .phase = (enum import_phase)atomic_load(&import->phase),
        .lines = atomic_load(&import->lines_seen),
        .bad = atomic_load(&import->bad_seen),
        .devices = atomic_load(&import->devices_seen),
    };
}

void import_complaints_print(const struct import_summary *summary, struct text *out)
{
    text_puts(out, "[");
    for (uint32_t i = 0; i < summary->complaint_count; i++) {
        text_printf(out, "%s{\"line\":%" PRIu64 ",\"text\":", i > 0 ? "," : "", summary->complaints[i].line);
        text_json(out, summary->complaints[i].text);
        text_puts(out, "}");
    }
    text_puts(out, "]");
}

void import_summary_print(const struct import *import, struct text *out)
{
    const struct import_summary *summary = &import->summary;
    text_printf(out,
                "{\"id\":\"%s\",\"lines\":%" PRIu64 ",\"devices\":%" PRIu64 ",\"created\":%" PRIu64
                ",\"updated\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"complaints\":",
                import->id, summary->lines, summary->devices, summary->created, summary->updated, summary->bad);
    import_complaints_print(summary, out);
    text_puts(out, "}");
}

/* ---- what was read ---- */

static void complain(struct import *import, const char *text)
{
    struct import_summary *summary = &import->summary;
    summary->bad++;
    if (summary->complaint_count == IMPORT_COMPLAINTS_MAX)
        return;
    struct import_complaint *complaint = &summary->complaints[summary->complaint_count++];
    complaint->line = import->line_number;
    snprintf(complaint->text, sizeof complaint->text, "%s", text);
}

/* A line was read, well or badly (`code`, `bad`), into a device, if well. */
static enum tranche_code take_device(struct import *import, enum tranche_code code, const struct tranche_err *bad,
                                     struct tranche_device_record *device, struct tranche_err *err)
{
    import->summary.lines++;
    if (code == TRANCHE_NOMEM)
        return no_memory(err);
    if (code != TRANCHE_OK) {
        complain(import, bad->text);
        return TRANCHE_OK;
    }
    if (device->template_id == NULL)
        device->template_id = import->template_id;
    return spool_put(import->spool, device, err);
}

/* ---- rows of CSV ---- */

static enum tranche_code take_header(struct import *import, const struct sheet_row *row, struct tranche_err *err)
{
    enum tranche_code code = row->trouble != NULL
                                 ? fail(err, TRANCHE_INVALID, "%s", row->trouble)
                                 : import_row_header(&import->row, row->fields, row->count, err);
    return code == TRANCHE_INVALID ? fail_in(err, code, "line %" PRIu64, row->line) : code;
}

static enum tranche_code take_row(void *context, const struct sheet_row *row, struct tranche_err *err)
{
    struct import *import = context;
    struct tranche_err bad = {0};
    if (import->row.columns == NULL)
        return take_header(import, row, err);
    import->line_number = row->line;
    enum tranche_code code = row->trouble != NULL
                                 ? fail(&bad, TRANCHE_INVALID, "%s", row->trouble)
                                 : import_row_read(&import->row, row->fields, row->count, &bad);
    return take_device(import, code, &bad, &import->row.device, err);
}

static enum tranche_code end_rows(struct import *import, struct tranche_err *err)
{
    enum tranche_code code = sheet_end(import->sheet, err);
    if (code == TRANCHE_OK && import->row.columns == NULL)
        code = fail(err, TRANCHE_INVALID, "there is no row that names the columns, such as id,displayName,template");
    return code;
}

/* ---- lines of NDJSON ---- */

static bool is_blank(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r')
            return false;
    return true;
}

/* A whole line, without its newline; a carriage return before it is white space to JSON. */
static enum tranche_code take_line(struct import *import, const char *bytes, size_t count, struct tranche_err *err)
{
    struct tranche_err bad = {0};
    enum tranche_code code = import_line_read(&import->line, bytes, count, &bad);
    return take_device(import, code, &bad, &import->line.device, err);
}

/* More of a line whose end is not in sight. */
static void keep_partial(struct import *import, const char *bytes, size_t count)
{
    if (import->too_long || count > IMPORT_LINE_BYTES_MAX - import->partial_bytes) {
        import->too_long = true;
        return;
    }
    memcpy(import->partial + import->partial_bytes, bytes, count);
    import->partial_bytes += count;
}

/* The end of a line, whose last bytes are given. */
static enum tranche_code end_line(struct import *import, const char *bytes, size_t count, struct tranche_err *err)
{
    if (import->partial_bytes > 0 || count > IMPORT_LINE_BYTES_MAX) {
        keep_partial(import, bytes, count);
        bytes = import->partial;
        count = import->partial_bytes;
    }
    enum tranche_code code = TRANCHE_OK;
    import->line_number++;
    if (import->too_long) {
        char text[64];
        snprintf(text, sizeof text, "the line is longer than %d bytes", IMPORT_LINE_BYTES_MAX);
        import->summary.lines++;
        complain(import, text);
    } else if (!is_blank(bytes, count)) {
        code = take_line(import, bytes, count, err);
    }
    import->partial_bytes = 0;
    import->too_long = false;
    return code;
}

static enum tranche_code feed_lines(struct import *import, const char *bytes, size_t count, struct tranche_err *err)
{
    const char *end = bytes + count;
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        if (newline == NULL) {
            keep_partial(import, bytes, (size_t)(end - bytes));
            return TRANCHE_OK;
        }
        enum tranche_code code = end_line(import, bytes, (size_t)(newline - bytes), err);
        if (code != TRANCHE_OK)
            return code;
        bytes = newline + 1;
    }
    return TRANCHE_OK;
}

static enum tranche_code end_lines(struct import *import, struct tranche_err *err)
{
    bool is_open = import->partial_bytes > 0 || import->too_long;
    return is_open ? end_line(import, "", 0, err) : TRANCHE_OK;
}

/* ---- all of them ---- */

enum tranche_code import_feed(struct import *import, const char *bytes, size_t count, struct tranche_err *err)
{
    assert(import->spool != NULL);
    enum tranche_code code = import->sheet != NULL ? sheet_feed(import->sheet, bytes, count, err)
                                                   : feed_lines(import, bytes, count, err);
    publish(import, IMPORT_RECEIVING);
    return code;
}

static enum tranche_code refuse_all(const struct import_summary *summary, struct tranche_err *err)
{
    return fail(err, TRANCHE_INVALID, "%" PRIu64 " of %" PRIu64 " lines are bad, so nothing was imported; line %" PRIu64
                ": %s", summary->bad, summary->lines, summary->complaints[0].line, summary->complaints[0].text);
}

/* What the store is told with the first slice. */
static void begin_record(struct import *import)
{
    if (import->summary.bad > 0)
        import_complaints_print(&import->summary, &import->complaints);
    import->working = (struct tranche_import_record){
        .file = import->file,
        .lines = import->summary.lines,
        .bad = import->summary.bad,
        .devices = import->summary.devices,
        .complaints = import->complaints.bytes,
    };
    strcpy(import->working.id, import->id);
    import->committed = import->working;
}

enum tranche_code import_finish(struct import *import, bool all_or_nothing, struct tranche_err *err)
{
    assert(import->spool != NULL);
    enum tranche_code code = import->sheet != NULL ? end_rows(import, err) : end_lines(import, err);
    publish(import, IMPORT_SORTING);
    if (code == TRANCHE_OK && all_or_nothing && import->summary.bad > 0)
        code = refuse_all(&import->summary, err);
    if (code == TRANCHE_OK)
        code = spool_finish(import->spool, import->file, &import->summary.devices, err);
    if (code != TRANCHE_OK)
        return code;

    spool_close(import->spool); /* its block is needed no more */
    import->spool = NULL;
    sheet_close(import->sheet);
    import->sheet = NULL;
    free(import->partial);
    import->partial = NULL;
    begin_record(import);
    if (import->complaints.failed)
        return no_memory(err);
    publish(import, IMPORT_WRITING);
    return open_file(import, err);
}

/* ---- slices ---- */

/* The import's own trouble: it is over, and that much is written like a slice. */
static void end_badly(struct import *import, const struct tranche_err *trouble)
{
    import->trouble = *trouble;
    import->working.reason = import->trouble.text;
    import->working.done = true;
}

/* Devices, up to a slice. What the store refuses (4xx) is a fault of the spool, whose devices have all been checked. */
static enum tranche_code put_devices(struct import *import, struct tranche_store *store, int64_t now_us,
                                     struct tranche_err *err)
{
    struct tranche_import_record *working = &import->working;
    for (int i = 0; i < IMPORT_SLICE; i++) {
        struct tranche_device_record device;
        struct tranche_err trouble = {0};
        bool is_there = false, created = false;
        if (spool_next(&import->reader, &device, &is_there, &trouble) != TRANCHE_OK) {
            end_badly(import, &trouble);
            return TRANCHE_OK;
        }
        if (!is_there)
            break;
        device.properties_us = now_us;
        enum tranche_code code = store->functions->device_put(store, &device, &created, &trouble);
        if (code != TRANCHE_OK && tranche_code_http(code) < 500) {
            end_badly(import, &trouble);
            return TRANCHE_OK;
        }
        if (code != TRANCHE_OK)
            return fail(err, code, "import: %s", trouble.text);
        working->created += created;
        working->updated += !created;
        working->position = (int64_t)import->reader.position;
    }
    working->done = import->reader.position == import->reader.end;
    return TRANCHE_OK;
}

enum tranche_code import_slice(struct import *import, struct tranche_store *store, int64_t now_us, bool *more,
                               struct tranche_err *err)
{
    struct tranche_import_record *working = &import->working;
    assert(!working->done);
    enum tranche_code code = TRANCHE_OK;
    if (working->no == 0) { /* first, so that a refusal leaves nothing written */
        working->begun_us = now_us;
        code = store->functions->import_put(store, working, err);
    }
    if (code != TRANCHE_OK)
        return code;
    if (import->trouble.code != TRANCHE_OK)
        end_badly(import, &import->trouble);
    else
        code = put_devices(import, store, now_us, err);
    if (code != TRANCHE_OK)
        return code;
    if (working->done)
        working->ended_us = now_us;
    *more = !working->done;
    return store->functions->import_put(store, working, err);
}

void import_rolled_back(struct import *import)
{
    import->working = import->committed;
    if (import->fd >= 0 && import->reader.buffer != NULL)
        import->trouble = (struct tranche_err){0}; /* it shows itself again */
    spool_seek(&import->reader, (uint64_t)import->committed.position);
}

void import_committed(struct import *import)
{
    import->committed = import->working;
    import->summary.created = import->committed.created;
    import->summary.updated = import->committed.updated;
}
