/* From what was typed about a job to the members of its JSON. */
#ifndef JOB_BODY_H
#define JOB_BODY_H

#include "mem.h"

#include <tranche/err.h>

#define JOB_ENTRIES_MAX 32 /* the server's own limit */
#define JOB_BODY_BYTES_MAX (64 * 1024 * 1024) /* of a file; the server's limit is an option and it will say so */

struct job_entry {
    const char *type; /* "property", "command", "cloudProperty", "deviceTemplateMigration" */
    const char *text; /* as typed: an assignment, or a template */
};

/* What the flags said; NULL where they said nothing. */
struct job_words {
    const char *name, *description, *group, *organization, *target;
    struct job_entry entries[JOB_ENTRIES_MAX];
    int entry_count;
    const char *content;                       /* file or inline JSON array that is `data` */
    const char *batch, *batch_type;
    const char *cancel, *cancel_type;
    bool per_batch;
};

/* Whether entries need a target that was not given. */
bool job_words_need_target(const struct job_words *words);
/* Adds the members that were named to an object that was begun with "{"; what is "" becomes null. TRANCHE_INVALID names the
 * flag. */
enum tranche_code job_body_print(const struct job_words *words, struct text *out, struct tranche_err *err);

/* The one template that a group's filter asks for; false when it names none or several. */
bool filter_template(const char *filter, struct text *out);

#endif
