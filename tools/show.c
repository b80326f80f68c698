#include "show.h"

#include "when.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void print_ago(struct text *out, int64_t us, int64_t now_us)
{
    static const struct {
        int64_t s;
        char letter;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    int64_t s = (now_us - us) / 1000000;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (s >= units[i].s) {
            text_printf(out, "%" PRId64 "%c ago", s / units[i].s, units[i].letter);
            return;
        }
    text_puts(out, "now");
}

/* ---- cells ---- */

static const struct json *member_at(const struct json *object, const char *path)
{
    char name[64];
    const char *dot = strchr(path, '.');
    if (dot == NULL)
        return json_member(object, path);
    assert((size_t)(dot - path) < sizeof name);
    memcpy(name, path, (size_t)(dot - path));
    name[dot - path] = '\0';
    return json_member(json_member(object, name), dot + 1);
}

/* What somebody else named must not move the cursor, nor break the row. */
static void add_harmless(struct text *cell, const char *string)
{
    for (; *string != '\0'; string++)
        text_add(cell, (unsigned char)*string < ' ' || *string == 0x7f ? "?" : string, 1);
}

static void add_time(struct text *cell, const char *string, bool terminal)
{
    int64_t us;
    if (terminal && when_parse(string, &us, NULL) == TRANCHE_OK)
        print_ago(cell, us, when_now_us());
    else
        add_harmless(cell, string);
}

static void add_cell(struct text *cell, const struct json *value, enum column_kind kind, bool terminal)
{
    int64_t number;
    const char *string = json_string(value);
    if (string != NULL && kind == COLUMN_TIME)
        add_time(cell, string, terminal);
    else if (string != NULL)
        add_harmless(cell, string);
    else if (json_integer(value, &number))
        text_printf(cell, "%" PRId64, number);
    else if (json_type(value) == JSON_BOOL)
        text_puts(cell, json_true(value) ? "true" : "false");
    else
        text_puts(cell, terminal ? "-" : "");
}

/* Columns that a text takes on a terminal, for all we know: one a character. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void add_padded(struct text *line, const char *cell, int width)
{
    text_puts(line, cell);
    for (int i = width_of(cell); i < width; i++)
        text_puts(line, " ");
}

/* ---- the object ---- */

static void show_table(const struct json *object, const struct column *columns, bool terminal)
{
    struct text head = {0}, row = {0}, cell = {0};
    for (size_t i = 0; columns[i].title != NULL; i++) {
        text_clear(&cell);
        add_cell(&cell, member_at(object, columns[i].member), columns[i].kind, terminal);
        const char *shown = cell.failed || cell.bytes == NULL ? "" : cell.bytes;
        bool last = columns[i + 1].title == NULL;
        int cell_width = width_of(shown), title_width = width_of(columns[i].title);
        int width = !terminal || last ? 0 : (cell_width > title_width ? cell_width : title_width) + 2;
        add_padded(&head, columns[i].title, width);
        add_padded(&row, shown, width);
        if (!terminal && !last) {
            text_puts(&head, "\t");
            text_puts(&row, "\t");
        }
    }
    printf("%s\n%s\n", head.bytes, row.bytes);
    text_free(&head);
    text_free(&row);
    text_free(&cell);
}

void show_object(const struct cli *cli, const struct json_document *object, const struct column *columns)
{
    const char *id = json_string(json_member(object->root, "id"));
    switch (cli->output) {
    case OUTPUT_JSON:
        printf("%.*s\n", (int)object->bytes, object->text);
        return;
    case OUTPUT_ID:
        if (id != NULL)
            printf("%s\n", id);
        return;
    case OUTPUT_TABLE:
        show_table(object->root, columns, cli->terminal_out);
        return;
    case OUTPUT_TSV:
        show_table(object->root, columns, false);
        return;
    }
}

void show_job(const struct cli *cli, const struct json_document *job)
{
    static const struct column columns[] = {
        { "ID", "id", COLUMN_VALUE },
        { "STATUS", "status", COLUMN_VALUE },
        { "GROUP", "group", COLUMN_VALUE },
        { "TOTAL", "progress.total", COLUMN_VALUE },
        { "PENDING", "progress.pending", COLUMN_VALUE },
        { "COMPLETED", "progress.completed", COLUMN_VALUE },
        { "FAILED", "progress.failed", COLUMN_VALUE },
        { "START", "start", COLUMN_TIME },
        { "END", "end", COLUMN_TIME },
        { 0 },
    };
    show_object(cli, job, columns);
}
