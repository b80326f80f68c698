#include "import_row.h"

#include "definition.h"
#include "fail.h"
#include "json.h"
#include "json_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROPERTIES_BYTES_MAX \
    65536 /* as an NDJSON line of properties; escapes may make a row's longer than its text */

typedef enum tranche_code take_cell(struct import_row *row, const struct import_column *column,
                                    const char *cell, struct tranche_err *err);

static take_cell take_id, take_display_name, take_template, take_organization, take_enabled, take_provisioned,
    take_simulated, take_nothing, take_property, take_json_property;

static const struct spelling {
    const char *name;
    take_cell *take;
} spellings[] = {
    { "id", take_id },
    { "deviceId", take_id },
    { "IOTC_DEVICEID", take_id },
    { "displayName", take_display_name },
    { "IOTC_DEVICENAME", take_display_name },
    { "template", take_template },
    { "organization", take_organization },
    { "organizations", take_organization },
    { "enabled", take_enabled },
    { "provisioned", take_provisioned },
    { "simulated", take_simulated },
};

#define SPELLING_COUNT (sizeof spellings / sizeof spellings[0])

struct import_column {
    take_cell *take;
    char *name;        /* as the header has it; a property's name */
    struct text label; /* the name as JSON, with its colon: what begins a property */
};

/* ---- the header ---- */

static bool ends_in(const char *text, const char *end)
{
    size_t bytes = strlen(text), end_bytes = strlen(end);
    return bytes > end_bytes && strcasecmp(text + bytes - end_bytes, end) == 0;
}

static take_cell *find_taker(const char *name)
{
    for (size_t i = 0; i < SPELLING_COUNT; i++)
        if (strcasecmp(spellings[i].name, name) == 0)
            return spellings[i].take;
    if (strncasecmp(name, "IOTC_", strlen("IOTC_")) == 0)
        return take_nothing;
    return ends_in(name, ":json") ? take_json_property : take_property;
}

static bool is_property(const struct import_column *column)
{
    return column->take == take_property || column->take == take_json_property;
}

/* Two columns for the same thing: which of them counts would be a guess. */
static bool says_the_same(const struct import_column *a, const struct import_column *b)
{
    if (is_property(a) && is_property(b))
        return strcmp(a->name, b->name) == 0;
    return a->take == b->take && a->take != take_nothing;
}

static enum tranche_code add_column(struct import_row *row, const char *name, struct tranche_err *err)
{
    size_t number = row->column_count + 1;
    if (name[0] == '\0')
        return fail(err, TRANCHE_INVALID, "column %zu has no name", number);
    struct import_column *column = &row->columns[row->column_count++];
    column->take = find_taker(name);
    column->name = strdup(name);
    if (column->name == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    if (column->take == take_json_property)
        column->name[strlen(name) - strlen(":json")] = '\0';
    text_json(&column->label, column->name);
    text_puts(&column->label, ":");
    for (size_t i = 0; i + 1 < row->column_count; i++)
        if (says_the_same(&row->columns[i], column))
            return fail(err, TRANCHE_INVALID, "columns %zu and %zu say the same: %.100s", i + 1, number,
                        name);
    return column->label.failed ? fail(err, TRANCHE_NOMEM, "out of memory") : TRANCHE_OK;
}

enum tranche_code import_row_header(struct import_row *row, const char *const *fields, size_t count,
                                    struct tranche_err *err)
{
    assert(row->columns == NULL);
    row->columns = calloc(count > 0 ? count : 1, sizeof *row->columns);
    enum tranche_code code = row->columns != NULL ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "out of memory");
    for (size_t i = 0; i < count && code == TRANCHE_OK; i++)
        code = add_column(row, fields[i], err);
    bool has_id = false;
    for (size_t i = 0; i < row->column_count; i++)
        has_id |= row->columns[i].take == take_id;
    if (code == TRANCHE_OK && !has_id)
        code = fail(err, TRANCHE_INVALID,
                    "the first row names no column for the id; it should be like "
                    "id,displayName,template,site");
    return code;
}

void import_row_free(struct import_row *row)
{
    for (size_t i = 0; i < row->column_count; i++) {
        free(row->columns[i].name);
        text_free(&row->columns[i].label);
    }
    free(row->columns);
    text_free(&row->properties);
    *row = (struct import_row){ 0 };
}

/* ---- a row ---- */

static enum tranche_code take_cells(struct import_row *row, const char *const *cells, struct tranche_err *err)
{
    for (size_t i = 0; i < row->column_count; i++) {
        const struct import_column *column = &row->columns[i];
        if (cells[i][0] == '\0')
            continue;
        enum tranche_code code = column->take(row, column, cells[i], err);
        if (code != TRANCHE_OK)
            return fail_in(err, code, "column %zu, %.100s", i + 1, column->name);
    }
    return TRANCHE_OK;
}

/* JSON cells are good each by itself; together they may be too deep or too many. */
static enum tranche_code end_properties(struct import_row *row, struct tranche_err *err)
{
    struct text *properties = &row->properties;
    if (properties->length == 0)
        return TRANCHE_OK;
    text_puts(properties, "}");
    if (properties->failed)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    if (properties->length > PROPERTIES_BYTES_MAX)
        return fail(err, TRANCHE_INVALID, "the properties are longer than %d bytes", PROPERTIES_BYTES_MAX);
    row->device.properties = properties->bytes;
    if (!row->has_json)
        return TRANCHE_OK;
    bool has_pairs;
    enum tranche_code code = json_scan(properties->bytes, properties->length, &has_pairs, err);
    return code == TRANCHE_OK ? code : fail_in(err, code, "the properties");
}

enum tranche_code import_row_read(struct import_row *row, const char *const *fields, size_t count,
                                  struct tranche_err *err)
{
    row->device = (struct tranche_device_record){ .enabled = true, .provisioned = true };
    text_clear(&row->properties);
    row->has_json = false;
    if (count != row->column_count)
        return fail(err, TRANCHE_INVALID, "the row has %zu fields and the header %zu", count,
                    row->column_count);
    enum tranche_code code = take_cells(row, fields, err);
    if (code == TRANCHE_OK && row->device.id[0] == '\0')
        code = fail(err, TRANCHE_INVALID, "the id is missing");
    return code == TRANCHE_OK ? end_properties(row, err) : code;
}

/* ---- cells: none is empty ---- */

static enum tranche_code take_id(struct import_row *row, const struct import_column *column, const char *cell,
                                 struct tranche_err *err)
{
    (void)column;
    enum tranche_code code = device_id_check(cell, err);
    if (code == TRANCHE_OK)
        strcpy(row->device.id, cell);
    return code;
}

static enum tranche_code take_text(const char **text, const char *cell, struct tranche_err *err)
{
    *text = cell;
    if (strlen(cell) <= DEFINITION_NAME_BYTES_MAX)
        return TRANCHE_OK;
    return fail(err, TRANCHE_INVALID, "expected 1 to %d bytes, found %zu", DEFINITION_NAME_BYTES_MAX,
                strlen(cell));
}

static enum tranche_code take_display_name(struct import_row *row, const struct import_column *column,
                                           const char *cell, struct tranche_err *err)
{
    (void)column;
    return take_text(&row->device.display_name, cell, err);
}

static enum tranche_code take_template(struct import_row *row, const struct import_column *column,
                                       const char *cell, struct tranche_err *err)
{
    (void)column;
    return take_text(&row->device.template_id, cell, err);
}

static enum tranche_code take_organization(struct import_row *row, const struct import_column *column,
                                           const char *cell, struct tranche_err *err)
{
    (void)column;
    row->device.organization = cell;
    return id_check("the organization", cell, err);
}

/* In upper case too, as spreadsheets write them. */
static enum tranche_code take_bool(bool *truth, const char *cell, struct tranche_err *err)
{
    *truth = strcasecmp(cell, "true") == 0;
    if (*truth || strcasecmp(cell, "false") == 0)
        return TRANCHE_OK;
    return fail(err, TRANCHE_INVALID, "expected true or false, found \"%.40s\"", cell);
}

static enum tranche_code take_enabled(struct import_row *row, const struct import_column *column,
                                      const char *cell, struct tranche_err *err)
{
    (void)column;
    return take_bool(&row->device.enabled, cell, err);
}

static enum tranche_code take_provisioned(struct import_row *row, const struct import_column *column,
                                          const char *cell, struct tranche_err *err)
{
    (void)column;
    return take_bool(&row->device.provisioned, cell, err);
}

static enum tranche_code take_simulated(struct import_row *row, const struct import_column *column,
                                        const char *cell, struct tranche_err *err)
{
    (void)column;
    return take_bool(&row->device.simulated, cell, err);
}

static enum tranche_code take_nothing(struct import_row *row, const struct import_column *column,
                                      const char *cell, struct tranche_err *err)
{
    (void)row, (void)column, (void)cell, (void)err;
    return TRANCHE_OK;
}

static void begin_property(struct import_row *row, const struct import_column *column)
{
    text_puts(&row->properties, row->properties.length == 0 ? "{" : ",");
    text_add(&row->properties, column->label.bytes, column->label.length);
}

static enum tranche_code take_property(struct import_row *row, const struct import_column *column,
                                       const char *cell, struct tranche_err *err)
{
    (void)err;
    begin_property(row, column);
    text_json(&row->properties, cell);
    return TRANCHE_OK;
}

static enum tranche_code take_json_property(struct import_row *row, const struct import_column *column,
                                            const char *cell, struct tranche_err *err)
{
    bool has_pairs;
    enum tranche_code code = json_scan(cell, strlen(cell), &has_pairs, err);
    if (code != TRANCHE_OK)
        return code;
    row->has_json = true;
    begin_property(row, column);
    json_compact_names(&row->properties, cell, strlen(cell));
    return TRANCHE_OK;
}
