/* A table as CSV text (RFC 4180): a thin adapter over libcsv, which no other file sees.
 *
 * Bytes come in, cut anywhere, and rows go out one by one: memory is bounded by the longest row,
 * SHEET_ROW_BYTES_MAX. Fields are separated by commas, rows by line feeds or carriage returns; a field in
 * quotes may hold commas, line breaks and doubled quotes; blanks belong to their field; empty lines and a
 * byte order mark in front are passed over. Whoever writes otherwise (text after a closing quote, a quote
 * inside an unquoted field) has written a bad row, which is told and which ends where its line ends. So does
 * a row that grows too long, as one does whose closing quote was forgotten.
 *
 * Belongs to one thread.
 */
#ifndef SHEET_H
#define SHEET_H

#include "mem.h"

#include <tranche/err.h>

#define SHEET_ROW_BYTES_MAX 65536 /* one device with its properties, as a line of NDJSON may have */
#define SHEET_COLUMNS_MAX   1024  /* wide enough for any export; bounds what a row's fields are listed in */

struct sheet_row {
    uint64_t line;             /* from 1, where the row begins */
    const char *trouble;       /* why it cannot be read: then there are no fields; NULL: it can */
    const char *const *fields; /* valid UTF-8 without NUL */
    size_t count;
};

/* Any code but TRANCHE_OK ends the feeding. The row lives until the visit returns. */
typedef enum tranche_code sheet_visit(void *context, const struct sheet_row *row, struct tranche_err *err);

struct sheet;

enum tranche_code sheet_open(struct sheet **sheet, sheet_visit *visit, void *context,
                             struct tranche_err *err);
enum tranche_code sheet_feed(struct sheet *sheet, const char *bytes, size_t count, struct tranche_err *err);
enum tranche_code sheet_end(struct sheet *sheet,
                            struct tranche_err *err); /* no more bytes: the last row ends too */
void sheet_close(struct sheet *sheet);                /* NULL is fine */

#endif
