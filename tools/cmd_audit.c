#include "list.h"

static const struct column columns[] = {
    { "ID", "id", COLUMN_WIDE },
    { "TIME", "time", COLUMN_TIME },
    { "WHO", "who", COLUMN_VALUE },
    { "OPERATION", "operation", COLUMN_VALUE },
    { "OBJECT", "object", COLUMN_VALUE },
    { "RESULT", "result", COLUMN_VALUE },
    { "BEFORE", "etagBefore", COLUMN_WIDE },
    { "AFTER", "etagAfter", COLUMN_WIDE },
    { "REQUEST", "requestId", COLUMN_WIDE },
    { 0 },
};

static enum exit_code run_audit(struct cli *cli, struct words *words)
{
    return list_command(cli, words, "/v1/audit", NULL, columns);
}

const struct cmd cmd_audit = {
    .name = "audit",
    .arguments = "",
    .help = "list who changed what, newest first",
    .more = "WHO is a token's name, or the part of Tranche that acted by itself; RESULT is OK or why it\n"
            "was refused. -o wide adds the object's versions before and after, and the request's id.",
    .example = "tranche audit --limit 20",
    .flags = list_flags,
    .run = run_audit,
};
