#include "sheet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Rows in words: "1[a|b] 2[c|d]", a bad one as "3!why". */
static struct text seen;

static enum tranche_code note(void *context, const struct sheet_row *row, struct tranche_err *err)
{
    (void)context, (void)err;
    text_printf(&seen, "%s%llu", seen.length > 0 ? " " : "", (unsigned long long)row->line);
    if (row->trouble != NULL) {
        text_printf(&seen, "!%s", row->trouble);
        return TRANCHE_OK;
    }
    text_puts(&seen, "[");
    for (size_t i = 0; i < row->count; i++)
        text_printf(&seen, "%s%s", i > 0 ? "|" : "", row->fields[i]);
    text_puts(&seen, "]");
    return TRANCHE_OK;
}

/* The rows of a text that comes in pieces. */
static const char *read_in(const char *bytes, size_t count, size_t piece)
{
    struct sheet *sheet = NULL;
    struct tranche_err err = { 0 };
    text_clear(&seen);
    text_puts(&seen, "");
    cr_assert_eq(sheet_open(&sheet, note, NULL, &err), TRANCHE_OK);
    for (size_t at = 0; at < count; at += piece) {
        size_t size = count - at < piece ? count - at : piece;
        cr_assert_eq(sheet_feed(sheet, bytes + at, size, &err), TRANCHE_OK, "%s", err.text);
    }
    cr_assert_eq(sheet_end(sheet, &err), TRANCHE_OK, "%s", err.text);
    sheet_close(sheet);
    return seen.bytes;
}

/* However the text is cut, its rows are these. */
static void expect(const char *text, const char *rows)
{
    size_t count = strlen(text);
    for (size_t piece = 1; piece <= count + 1; piece++)
        cr_expect_str_eq(read_in(text, count, piece), rows, "in pieces of %zu:\n%s\nexpected\n%s", piece,
                         seen.bytes, rows);
}

static void tear_down(void)
{
    text_free(&seen);
    seen = (struct text){ 0 };
}

TestSuite(sheet, .fini = tear_down);

Test(sheet, rows_end_with_any_line_break_or_with_the_text)
{
    expect("a,b\nc,d\n", "1[a|b] 2[c|d]");
    expect("a,b\r\nc,d\r\n", "1[a|b] 2[c|d]");
    expect("a,b\rc,d", "1[a|b] 2[c|d]");
    expect("", "");
}

Test(sheet, empty_lines_are_counted_and_passed_over)
{
    expect("\n\r\na\n\n\nb\r\n\r\nc", "3[a] 6[b] 8[c]");
}

Test(sheet, quoted_fields_hold_commas_quotes_and_line_breaks)
{
    expect("\"a,b\",\"say \"\"hi\"\"\"\nc,d\n", "1[a,b|say \"hi\"] 2[c|d]");
    expect("\"a\nb\r\nc\",d\ne,f\n", "1[a\nb\r\nc|d] 4[e|f]");
}

Test(sheet, blanks_belong_to_their_field)
{
    expect(" a ,\tb\n", "1[ a |\tb]");
    expect("a, \"b\"\n", "1!a field with quotes in it must be quoted, and those quotes doubled");
}

Test(sheet, empty_fields_are_fields)
{
    expect(",\n\"\",,a\n,", "1[|] 2[||a] 3[|]");
}

Test(sheet, a_byte_order_mark_is_passed_over_where_it_stands_in_front)
{
    expect("\xef\xbb\xbf"
           "a,b\n",
           "1[a|b]");
    expect("\xef\xbb\xbf\"a\",b\n\xef\xbb\xbf"
           "c",
           "1[a|b] 2[\xef\xbb\xbf"
           "c]");
    expect("\xef\xbf\xbd"
           "a\n",
           "1[\xef\xbf\xbd"
           "a]"); /* it only begins like one */
}

Test(sheet, misplaced_quotes_spoil_their_line_and_no_other)
{
    expect("a,19\" rack\nb,c\n",
           "1!a field with quotes in it must be quoted, and those quotes doubled 2[b|c]");
    expect("\"a\"b,c\nd\n", "1!a field with quotes in it must be quoted, and those quotes doubled 2[d]");
}

Test(sheet, a_quote_that_is_never_closed_is_told_where_it_was_opened)
{
    expect("a\nb,\"c\nd\n", "1[a] 2!a closing quote is missing");
}

Test(sheet, only_utf8_is_text)
{
    expect("\xc3\xa9\nM\xfcller\nok\n", "1[\xc3\xa9] 2!the text is not UTF-8 3[ok]");
    static const char with_nul[] = "a\0b\nok";
    cr_expect_str_eq(read_in(with_nul, sizeof with_nul - 1, 3), "1!the text is not UTF-8 2[ok]");
}

Test(sheet, a_row_with_more_fields_than_there_is_room_for_is_bad)
{
    struct text text = { 0 };
    for (int i = 1; i < SHEET_COLUMNS_MAX; i++)
        text_puts(&text, ",");
    text_puts(&text, "\n");
    for (int i = 0; i < SHEET_COLUMNS_MAX; i++)
        text_puts(&text, ",");
    text_puts(&text, "\nok\n");
    read_in(text.bytes, text.length, 777);
    cr_expect_not_null(strstr(seen.bytes, "|] 2!there are too many fields 3[ok]"), "%s", seen.bytes);
    text_free(&text);
}

/* A row of `bytes` bytes in all, its line feed included. */
static void add_row(struct text *text, size_t bytes)
{
    for (size_t i = 1; i < bytes; i++)
        text_add(text, "x", 1);
    text_puts(text, "\n");
}

Test(sheet, a_row_may_be_as_long_as_the_limit_and_no_longer)
{
    static const size_t pieces[] = { 1, 4096, SHEET_ROW_BYTES_MAX, SIZE_MAX };
    struct text text = { 0 };
    add_row(&text, SHEET_ROW_BYTES_MAX);
    add_row(&text, SHEET_ROW_BYTES_MAX + 1);
    text_puts(&text, "ok\n");
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t piece = pieces[i] < text.length ? pieces[i] : text.length;
        read_in(text.bytes, text.length, piece);
        cr_expect_eq(strncmp(seen.bytes, "1[xx", 4), 0);
        cr_expect_str_eq(seen.bytes + SHEET_ROW_BYTES_MAX - 1 + strlen("1[]"),
                         " 2!the row is longer than 64 KiB; is a closing quote missing? 3[ok]", "%s",
                         seen.bytes + SHEET_ROW_BYTES_MAX);
    }
    text_free(&text);
}

Test(sheet, after_a_forgotten_quote_reading_goes_on_in_a_while)
{
    struct text text = { 0 };
    text_puts(&text, "a,\"b\n");
    for (int i = 0; i < 4; i++)
        add_row(&text, SHEET_ROW_BYTES_MAX / 4);
    text_puts(&text, "ok,c\n");
    cr_expect_str_eq(read_in(text.bytes, text.length, 1000),
                     "1!the row is longer than 64 KiB; is a closing quote missing? 6[ok|c]");
    text_free(&text);
}

static enum tranche_code refuse(void *context, const struct sheet_row *row, struct tranche_err *err)
{
    int *visits = context;
    ++*visits;
    (void)row, (void)err;
    return TRANCHE_FULL;
}

Test(sheet, a_visit_ends_the_feeding)
{
    struct sheet *sheet = NULL;
    struct tranche_err err = { 0 };
    int visits = 0;
    cr_assert_eq(sheet_open(&sheet, refuse, &visits, &err), TRANCHE_OK);
    cr_expect_eq(sheet_feed(sheet, "a\nb\n", 4, &err), TRANCHE_FULL);
    cr_expect_eq(visits, 1);
    sheet_close(sheet);
}
