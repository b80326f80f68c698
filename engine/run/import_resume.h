/* Imports that a crash or a shutdown interrupted go on where they were. */
#ifndef IMPORT_RESUME_H
#define IMPORT_RESUME_H

#include "runner.h"

struct import_resume; /* one interrupted import; a list */

/* Finds them, and removes spool files that no import needs. Before runner_open: it reads through the writer. */
enum tranche_code import_resume_find(struct import_resume **first, const char *directory, struct tranche_store *store,
                                     struct tranche_err *err);
/* Posts them. Each frees itself when it is done; what cannot be posted waits for the next start. */
void import_resume_post(struct import_resume *first, struct runner *runner);
void import_resume_free(struct import_resume *first); /* instead of posting; NULL is fine */

#endif
