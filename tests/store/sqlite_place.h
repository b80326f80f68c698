/* A place for a SQLite store: a directory under /tmp that is gone afterwards. */
#ifndef SQLITE_PLACE_H
#define SQLITE_PLACE_H

#include "sqlite.h"
#include "store_suite.h"

struct sqlite_place {
    struct store_place place;
    char directory[64];
    struct sqlite_options options; /* a test may set more of them before the first open */
};

void sqlite_place_make(struct sqlite_place *place);
void sqlite_place_remove(struct sqlite_place *place);
/* directory/name */
const char *sqlite_place_path(const struct sqlite_place *place, const char *name, char path[128]);

#endif
