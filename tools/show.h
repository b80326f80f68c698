/* Objects on stdout: a table on a terminal, the same columns with tabs elsewhere, the server's own JSON, or the id. */
#ifndef SHOW_H
#define SHOW_H

#include "cli.h"
#include "json.h"
#include "mem.h"

#include <stdint.h>

enum column_kind {
    COLUMN_VALUE,
    COLUMN_WIDE, /* a value that only -o wide shows */
    COLUMN_TIME, /* shown as "3m ago" on a terminal */
    COLUMN_ROLES /* a role's id, or those of a token: shown as --role takes them, with their organization */
};

struct column {
    const char *title;
    const char *member; /* of the object; "schedule.end.date" for a member of a member of one */
    enum column_kind kind;
};

/* Rows on their way to stdout. */
struct table {
    const struct column *columns; /* ends with a NULL title */
    bool wide, terminal;
    struct text cells;            /* each ended by NUL, row after row */
    size_t rows;
};
void table_open(struct table *table, const struct cli *cli, const struct column *columns);
void table_add(struct table *table, const struct json *object);
void table_print(const struct table *table); /* the head too; nothing where there are no rows */
void table_free(struct table *table);

/* Adds what somebody else named, so that it cannot move the cursor nor break a row. */
void text_harmless(struct text *out, const char *string);
/* What names an object among its kind, on a line: its id, a template's @id, the number of an audit's entry. */
void show_id(const struct json *object);
/* One object in the format that was asked for. `columns` ends with a NULL title. */
void show_object(const struct cli *cli, const struct json_document *object, const struct column *columns);
extern const struct column job_columns[];
void show_job(const struct cli *cli, const struct json_document *job); /* with the columns of a job */

/* Adds a time as people say it: "now", "41s ago", "3h ago", "12d ago", "in 5m". */
void print_ago(struct text *out, int64_t us, int64_t now_us);

#endif
