/* Bulk import of devices: lines are checked and spooled, sorted by id, and go into the store slice by slice. What a line
 * of NDJSON may say is in import_line.h, what a row of CSV may say in import_row.h; a row counts as a line here.
 *
 * A spool belongs to one thread. While lines come in, good ones are appended to DIR/spool/import-<n>.tmp as binary records
 * and bad ones are noted with their numbers. import_finish sorts the records by id (a later line of the same id wins),
 * writes DIR/spool/import-<n>, and syncs it. From the first slice on the file and a row in the store are the import: a crash
 * resumes from the row's position. A device is as the import says from the moment when its slice is written: what was
 * written before then is replaced.
 *
 * Trouble of the store rolls a slice back, and it is tried again. Trouble of the import's own, with its file, ends it: the
 * row says why, what is in the store stays, and everybody else goes on.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "command.h"

#include <stddef.h>
#include <tranche/err.h>
#include <tranche/store.h>

#define IMPORT_LINE_BYTES_MAX 65536 /* one device with its properties */
#define IMPORT_COMPLAINTS_MAX 100   /* bad lines that are reported one by one; the rest are counted */
#define IMPORT_SLICE          1000  /* devices a transaction takes at once: about 5 ms */

enum import_format { IMPORT_NDJSON, IMPORT_CSV };

struct import_complaint {
    uint64_t line;   /* from 1; of a row of several lines the first */
    char text[200];
};

struct import_summary {
    uint64_t lines;  /* that were not blank; of CSV the rows below the header */
    uint64_t bad;
    uint64_t devices; /* distinct good ones */
    uint64_t created, updated; /* known when the import is done */
    struct import_complaint complaints[IMPORT_COMPLAINTS_MAX];
    uint32_t complaint_count;
};

struct import; /* an import being spooled or going in */

struct import_options {
    const char *id;          /* passes id_check; no other import has it */
    enum import_format format;
    const char *template_id; /* given to devices that name none; NULL: none */
};

/* "ndjson" or "csv"; false for another word. */
bool import_format_parse(const char *word, enum import_format *format);

enum tranche_code import_open(struct import **import, const char *directory, const struct import_options *options,
                              struct tranche_err *err);
/* The next bytes, cut anywhere. Fails on trouble of ours (disk, memory), and with TRANCHE_INVALID where the first row of CSV
 * is no header; bad lines are complaints. */
enum tranche_code import_feed(struct import *import, const char *bytes, size_t count, struct tranche_err *err);
/* The end of the input: sorts and syncs. With all_or_nothing any bad line makes this TRANCHE_INVALID,
 * as the want of a header does. */
enum tranche_code import_finish(struct import *import, bool all_or_nothing, struct tranche_err *err);

/* Reopens one that a crash interrupted. Trouble with its file is left to the first slice. */
enum tranche_code import_reopen(struct import **import, const char *directory,
                                const struct tranche_import_record *record, struct tranche_err *err);

/* One slice into the store, inside the caller's transaction; the shape of command->write. An import that fails for a reason
 * of its own ends with TRANCHE_OK here; import_end_code tells. */
enum tranche_code import_slice(struct import *import, struct tranche_store *store, int64_t now_us, bool *more,
                               struct tranche_err *err);
void import_rolled_back(struct import *import);
void import_committed(struct import *import);

const char *import_id(const struct import *import);
const struct import_summary *import_summary(const struct import *import);
bool import_is_accepted(const struct import *import); /* a slice is durable: it goes on even over a restart */
enum tranche_code import_end_code(const struct import *import, struct tranche_err *err); /* of one that is done */

/* How far it is, on any thread, while it is open. */
enum import_phase { IMPORT_RECEIVING, IMPORT_SORTING, IMPORT_WRITING };
struct import_progress {
    enum import_phase phase;
    uint64_t lines, bad, devices; /* devices is 0 before all lines have come */
};
struct import_progress import_progress(const struct import *import);

struct text;
/* {"id","lines","devices","created","updated","bad","complaints"} */
void import_summary_print(const struct import *import, struct text *out);
void import_complaints_print(const struct import_summary *summary, struct text *out); /* [{"line","text"}] */

void import_close(struct import *import); /* removes the spool file when the import is done or never was accepted */

#endif
