#include "sheet.h"

#include "fail.h"
#include "utf8.h"

#include <assert.h>
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS (CSV_STRICT | CSV_STRICT_FINI)

static_assert(SHEET_ROW_BYTES_MAX == 64 * 1024, "the error says so");

static const char byte_order_mark[] = "\xef\xbb\xbf";
#define MARK_BYTES (sizeof byte_order_mark - 1)

struct sheet {
    sheet_visit *visit;
    void *context;
    struct csv_parser parser;
    size_t mark_bytes;   /* of a byte order mark that have come; MARK_BYTES once that is settled */
    uint64_t line;       /* the one being read, from 1 */
    bool after_carriage; /* the last byte was a carriage return: a line feed would be the break's second half
                          */
    bool skipping;       /* the rest of the line belongs to a row that was told to be bad */

    /* the row being read */
    uint64_t row_line;                /* where it begins */
    size_t row_bytes;                 /* of it that came in; 0: it has not begun */
    struct text text;                 /* its fields, each with a NUL */
    size_t starts[SHEET_COLUMNS_MAX]; /* in the text */
    const char *fields[SHEET_COLUMNS_MAX];
    size_t count; /* of the fields, also of those that find no room */
    const char *trouble;

    /* what the visits of one call of libcsv came to */
    enum tranche_code code;
    struct tranche_err err;
};

/* Blanks belong to their field; libcsv would strip them. */
static int is_space(unsigned char byte)
{
    (void)byte;
    return 0;
}

static bool parser_open(struct sheet *sheet)
{
    if (csv_init(&sheet->parser, OPTIONS) != 0)
        return false;
    csv_set_space_func(&sheet->parser, is_space);
    return true;
}

enum tranche_code sheet_open(struct sheet **out, sheet_visit *visit, void *context, struct tranche_err *err)
{
    struct sheet *sheet = calloc(1, sizeof *sheet);
    if (sheet == NULL || !parser_open(sheet)) {
        free(sheet);
        return fail(err, TRANCHE_NOMEM, "out of memory");
    }
    sheet->visit = visit;
    sheet->context = context;
    sheet->line = 1;
    *out = sheet;
    return TRANCHE_OK;
}

void sheet_close(struct sheet *sheet)
{
    if (sheet == NULL)
        return;
    csv_free(&sheet->parser);
    text_free(&sheet->text);
    free(sheet);
}

/* ---- a row ---- */

static bool is_good_text(const char *at, size_t left)
{
    while (left > 0) {
        size_t bytes = *at == '\0' ? 0 : utf8_bytes(at, left);
        if (bytes == 0)
            return false;
        at += bytes;
        left -= bytes;
    }
    return true;
}

/* libcsv has a field. */
static void take_field(void *bytes, size_t count, void *context)
{
    struct sheet *sheet = context;
    size_t at = sheet->count++;
    if (at >= SHEET_COLUMNS_MAX) {
        sheet->trouble = "there are too many fields";
        return;
    }
    sheet->starts[at] = sheet->text.length;
    if (!is_good_text(bytes, count))
        sheet->trouble = "the text is not UTF-8";
    text_add(&sheet->text, count > 0 ? bytes : "", count);
    text_add(&sheet->text, "", 1);
}

/* Hands the row over, good or bad, and begins the next. */
static void end_row(struct sheet *sheet)
{
    size_t count = sheet->trouble != NULL ? 0 : sheet->count;
    for (size_t i = 0; i < count; i++)
        sheet->fields[i] = sheet->text.bytes + sheet->starts[i];
    struct sheet_row row = {
        .line = sheet->row_line, .trouble = sheet->trouble, .fields = sheet->fields, .count = count
    };
    if (sheet->code == TRANCHE_OK)
        sheet->code = sheet->text.failed ? fail(&sheet->err, TRANCHE_NOMEM, "out of memory")
                                         : sheet->visit(sheet->context, &row, &sheet->err);
    text_clear(&sheet->text);
    sheet->count = sheet->row_bytes = 0;
    sheet->trouble = NULL;
}

/* libcsv has a row's end. */
static void take_row(int byte, void *context)
{
    (void)byte;
    end_row(context);
}

/* The row cannot be read any further: it is told, and the rest of its line is passed over. */
static enum tranche_code give_up_row(struct sheet *sheet, const char *trouble, struct tranche_err *err)
{
    sheet->trouble = trouble;
    end_row(sheet);
    csv_free(&sheet->parser);
    sheet->skipping = true;
    return parser_open(sheet) ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "out of memory");
}

/* ---- lines ---- */

static enum tranche_code visited(struct sheet *sheet, struct tranche_err *err)
{
    if (sheet->code != TRANCHE_OK && err != NULL)
        *err = sheet->err;
    return sheet->code;
}

/* A piece of one line, up to the line break where that has come. A line of nothing else, as the second half
 * of a break of two is one, belongs to no row. */
static enum tranche_code take_piece(struct sheet *sheet, const char *bytes, size_t count,
                                    struct tranche_err *err)
{
    bool is_empty = sheet->row_bytes == 0 && (*bytes == '\n' || *bytes == '\r');
    if (sheet->skipping || is_empty)
        return TRANCHE_OK;
    if (sheet->row_bytes == 0)
        sheet->row_line = sheet->line;
    sheet->row_bytes += count;
    enum tranche_code code = TRANCHE_OK;
    if (sheet->row_bytes > SHEET_ROW_BYTES_MAX)
        code = give_up_row(sheet, "the row is longer than 64 KiB; is a closing quote missing?", err);
    else if (csv_parse(&sheet->parser, bytes, count, take_field, take_row, sheet) != count)
        code = csv_error(&sheet->parser) == CSV_EPARSE
                   ? give_up_row(sheet, "a field with quotes in it must be quoted, and those quotes doubled",
                                 err)
                   : fail(err, TRANCHE_NOMEM, "out of memory");
    return code != TRANCHE_OK ? code : visited(sheet, err);
}

/* The first byte of a line break; NULL: none. */
static const char *find_break(const char *bytes, size_t count)
{
    const char *feed = memchr(bytes, '\n', count);
    const char *carriage = memchr(bytes, '\r', feed != NULL ? (size_t)(feed - bytes) : count);
    return carriage != NULL ? carriage : feed;
}

static enum tranche_code take_lines(struct sheet *sheet, const char *bytes, size_t count,
                                    struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    for (const char *end = bytes + count; bytes < end && code == TRANCHE_OK;) {
        const char *stop = find_break(bytes, (size_t)(end - bytes));
        const char *next = stop != NULL ? stop + 1 : end;
        code = take_piece(sheet, bytes, (size_t)(next - bytes), err);
        bool second_half = sheet->after_carriage && *bytes == '\n';
        if (stop != NULL) {
            sheet->line += !second_half;
            sheet->skipping = false;
        }
        sheet->after_carriage = stop != NULL && *stop == '\r';
        bytes = next;
    }
    return code;
}

enum tranche_code sheet_feed(struct sheet *sheet, const char *bytes, size_t count, struct tranche_err *err)
{
    while (sheet->mark_bytes < MARK_BYTES && count > 0) {
        if (*bytes != byte_order_mark[sheet->mark_bytes]) { /* no mark: what looked like one is text */
            size_t held = sheet->mark_bytes;
            sheet->mark_bytes = MARK_BYTES;
            enum tranche_code code = take_lines(sheet, byte_order_mark, held, err);
            if (code != TRANCHE_OK)
                return code;
            break;
        }
        sheet->mark_bytes++;
        bytes++;
        count--;
    }
    return take_lines(sheet, bytes, count, err);
}

enum tranche_code sheet_end(struct sheet *sheet, struct tranche_err *err)
{
    if (sheet->skipping)
        return TRANCHE_OK;
    if (csv_fini(&sheet->parser, take_field, take_row, sheet) != 0) {
        sheet->trouble = "a closing quote is missing";
        end_row(sheet);
    }
    return visited(sheet, err);
}
