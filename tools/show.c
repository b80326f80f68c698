#include "show.h"

#include "role.h"
#include "when.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 16

void print_ago(struct text *out, int64_t us, int64_t now_us)
{
    static const struct {
        int64_t s;
        char letter;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    bool past = us <= now_us;
    int64_t s = (past ? now_us - us : us - now_us) / 1000000;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (s >= units[i].s) {
            text_printf(out, "%s%" PRId64 "%c%s", past ? "" : "in ", s / units[i].s, units[i].letter, past ? " ago" : "");
            return;
        }
    text_puts(out, "now");
}

const struct column job_columns[] = {
    { "ID", "id", COLUMN_VALUE },
    { "NAME", "displayName", COLUMN_WIDE },
    { "STATUS", "status", COLUMN_VALUE },
    { "GROUP", "group", COLUMN_VALUE },
    { "TOTAL", "progress.total", COLUMN_VALUE },
    { "PENDING", "progress.pending", COLUMN_VALUE },
    { "COMPLETED", "progress.completed", COLUMN_VALUE },
    { "FAILED", "progress.failed", COLUMN_VALUE },
    { "START", "start", COLUMN_TIME },
    { "END", "end", COLUMN_TIME },
    { "SCHEDULE", "scheduledJobId", COLUMN_WIDE },
    { "ORGANIZATION", "organizations", COLUMN_WIDE },
    { 0 },
};

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
    return member_at(json_member(object, name), dot + 1);
}

void text_harmless(struct text *out, const char *string)
{
    for (; *string != '\0'; string++)
        text_add(out, (unsigned char)*string < ' ' || *string == 0x7f ? "?" : string, 1);
}

static void add_time(struct text *cell, const char *string, bool terminal)
{
    int64_t us;
    if (terminal && when_parse(string, &us, NULL) == TRANCHE_OK)
        print_ago(cell, us, when_now_us());
    else
        text_harmless(cell, string);
}

/* Another server may have roles that are not ours: their ids will do. */
static void add_role(struct text *cell, const char *id, const char *organization)
{
    const struct role *role = role_by_id(id);
    text_harmless(cell, role != NULL ? role->word : id);
    if (organization == NULL)
        return;
    text_puts(cell, " of ");
    text_harmless(cell, organization);
}

static void add_roles(struct text *cell, const struct json *value)
{
    if (json_string(value) != NULL)
        add_role(cell, json_string(value), NULL);
    for (size_t i = 0; i < json_count(value); i++) {
        const struct json *item = json_item(value, i);
        const char *id = json_string(json_member(item, "role"));
        text_puts(cell, i > 0 ? ", " : "");
        if (id != NULL)
            add_role(cell, id, json_string(json_member(item, "organization")));
    }
}

static void add_cell(struct text *cell, const struct json *value, enum column_kind kind, bool terminal)
{
    int64_t number;
    const char *string = json_string(value);
    if (kind == COLUMN_ROLES)
        add_roles(cell, value);
    else if (string != NULL && kind == COLUMN_TIME)
        add_time(cell, string, terminal);
    else if (string != NULL)
        text_harmless(cell, string);
    else if (json_integer(value, &number))
        text_printf(cell, "%" PRId64, number);
    else if (json_type(value) == JSON_ARRAY)
        add_cell(cell, json_item(value, 0), kind, terminal); /* those of the contract hold one */
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

/* ---- tables ---- */

void table_open(struct table *table, const struct cli *cli, const struct column *columns)
{
    *table = (struct table){
        .columns = columns,
        .wide = cli->output == OUTPUT_WIDE,
        .terminal = cli->terminal_out && cli->output != OUTPUT_TSV,
    };
}

static bool is_shown(const struct table *table, const struct column *column)
{
    return table->wide || column->kind != COLUMN_WIDE;
}

void table_add(struct table *table, const struct json *object)
{
    struct text cell = {0};
    for (const struct column *column = table->columns; column->title != NULL; column++) {
        if (!is_shown(table, column))
            continue;
        text_clear(&cell);
        add_cell(&cell, member_at(object, column->member), column->kind, table->terminal);
        text_puts(&table->cells, cell.failed || cell.bytes == NULL ? "" : cell.bytes);
        text_add(&table->cells, "", 1);
    }
    text_free(&cell);
    table->rows++;
}

/* The width of the column that is shown as number `index`. */
static int column_width(const struct table *table, size_t index, size_t shown, const char *title)
{
    int width = width_of(title);
    const char *cell = table->cells.bytes;
    for (size_t i = 0; i < table->rows * shown; i++, cell += strlen(cell) + 1)
        if (i % shown == index && width_of(cell) > width)
            width = width_of(cell);
    return width + 2;
}

static size_t shown_columns(const struct table *table, const char *titles[COLUMNS_MAX])
{
    size_t shown = 0;
    for (const struct column *column = table->columns; column->title != NULL; column++)
        if (is_shown(table, column)) {
            assert(shown < COLUMNS_MAX);
            titles[shown++] = column->title;
        }
    return shown;
}

static void print_row(const char *const cells[], const int widths[], size_t count)
{
    struct text line = {0};
    for (size_t i = 0; i < count; i++) {
        if (widths[i] == 0 && i > 0)
            text_puts(&line, "\t");
        add_padded(&line, cells[i], i + 1 < count ? widths[i] : 0);
    }
    if (!line.failed)
        printf("%s\n", line.bytes);
    text_free(&line);
}

void table_print(const struct table *table)
{
    const char *row[COLUMNS_MAX];
    int widths[COLUMNS_MAX] = { 0 };
    size_t shown = shown_columns(table, row);
    if (table->rows == 0 || table->cells.failed)
        return;
    for (size_t i = 0; table->terminal && i < shown; i++)
        widths[i] = column_width(table, i, shown, row[i]);
    print_row(row, widths, shown);
    const char *cell = table->cells.bytes;
    for (size_t i = 0; i < table->rows; i++) {
        for (size_t j = 0; j < shown; j++, cell += strlen(cell) + 1)
            row[j] = cell;
        print_row(row, widths, shown);
    }
}

void table_free(struct table *table)
{
    text_free(&table->cells);
}

/* ---- the object ---- */

static void show_row(const struct cli *cli, const struct json *object, const struct column *columns)
{
    struct table table;
    table_open(&table, cli, columns);
    table_add(&table, object);
    table_print(&table);
    table_free(&table);
}

void show_id(const struct json *object)
{
    int64_t number;
    const struct json *id = json_member(object, "id");
    if (id == NULL)
        id = json_member(object, "@id");
    if (json_integer(id, &number))
        printf("%" PRId64 "\n", number);
    else if (json_string(id) != NULL)
        printf("%s\n", json_string(id));
}

void show_object(const struct cli *cli, const struct json_document *object, const struct column *columns)
{
    switch (cli->output) {
    case OUTPUT_JSON:
    case OUTPUT_JSONL:
        printf("%.*s\n", (int)object->bytes, object->text);
        return;
    case OUTPUT_ID:
        show_id(object->root);
        return;
    case OUTPUT_TABLE:
    case OUTPUT_WIDE:
    case OUTPUT_TSV:
        show_row(cli, object->root, columns);
        return;
    }
}

void show_job(const struct cli *cli, const struct json_document *job)
{
    show_object(cli, job, job_columns);
}
