/* The flags of `schedule create` and `schedule update`: those of a job, and when it runs. */
#ifndef SCHEDULE_FLAGS_H
#define SCHEDULE_FLAGS_H

#include "job_flags.h"
#include "schedule_body.h"

enum {
    SCHEDULE_START = JOB_FLAG_OWN,
    SCHEDULE_EVERY,
    SCHEDULE_UNTIL,
    SCHEDULE_TIMES,
    SCHEDULE_FLAG_OWN /* the first id that a command may use for its own flags */
};

#define SCHEDULE_FLAGS                                                                                        \
    JOB_FLAGS,                                                                                                \
    { SCHEDULE_START, 0, "start", "TIME", "now, or a time such as 2026-03-02T09:20:00Z" },                    \
    { SCHEDULE_EVERY, 0, "every", "UNIT", "again every day, week, month or year after it (once)" },           \
    { SCHEDULE_UNTIL, 0, "until", "DATE", "last day on which it may run, in UTC" },                           \
    { SCHEDULE_TIMES, 0, "times", "N", "how often it runs, counted from the start" }

/* What the flags said. */
struct schedule_wish {
    struct job_words job;
    struct schedule_words when;
};

/* Takes one of them; what is wrong with it is said. */
enum exit_code schedule_flags_take(const struct cli *cli, struct schedule_wish *wish, int flag, const char *value);
/* Adds what was named to a body that was begun with "{". `group` is for job_flags_print. What goes wrong is said. */
enum exit_code schedule_flags_print(struct http *http, const struct schedule_wish *wish, const char *group,
                                    struct text *body);

#endif
