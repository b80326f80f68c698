/* A bulk import straight into a data directory that no server has open. */
#ifndef IMPORT_OFFLINE_H
#define IMPORT_OFFLINE_H

#include "import.h"
#include "mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <tranche/err.h>

struct import_wish {
    const char *directory;
    struct import_options options;
    bool all_or_nothing;
    void (*tick)(void *context, const struct import *import); /* called now and then; NULL: none */
    void *tick_context;
};

/* Imports that a crash interrupted in the directory go in before: this one is the newer. Prints the summary as the server would answer it. TRANCHE_CONFLICT: the directory is being served. TRANCHE_INVALID:
 * refused because of bad lines; then the summary is printed too. */
enum tranche_code import_offline(const struct import_wish *wish, FILE *input, struct text *summary,
                                 struct tranche_err *err);

#endif
