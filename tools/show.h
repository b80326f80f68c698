/* Objects on stdout: a table on a terminal, the same columns with tabs elsewhere, the server's own JSON, or the id. */
#ifndef SHOW_H
#define SHOW_H

#include "cli.h"
#include "json.h"
#include "mem.h"

#include <stdint.h>

enum column_kind { COLUMN_VALUE, COLUMN_TIME /* shown as "3m ago" on a terminal */ };

struct column {
    const char *title;
    const char *member; /* of the object; "progress.total" for a member of a member */
    enum column_kind kind;
};

/* One object in the format that was asked for. `columns` ends with a NULL title. */
void show_object(const struct cli *cli, const struct json_document *object, const struct column *columns);
void show_job(const struct cli *cli, const struct json_document *job); /* with the columns of a job */

/* Adds a time as people say it: "now", "41s ago", "3h ago", "12d ago". */
void print_ago(struct text *out, int64_t us, int64_t now_us);

#endif
