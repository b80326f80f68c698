/* The imports that are under way over HTTP, so that others may ask how far they are. Its mutex is held for
 * moments. */
#ifndef IMPORTS_H
#define IMPORTS_H

#include "import.h"

#include <pthread.h>
#include <stdbool.h>

#define IMPORTS_MAX 2 /* bulk imports at once: each spools up to import_bytes_max on the disk */

struct imports {
    pthread_mutex_t mutex;
    struct import_place {
        char id[TRANCHE_ID_BYTES];   /* "": free */
        const struct import *import; /* NULL until it is open */
    } places[IMPORTS_MAX];
};

void imports_open(struct imports *imports);
void imports_close(struct imports *imports); /* zeroed is fine */

/* Takes a place under the id. TRANCHE_TOOMANY: there is none. TRANCHE_CONFLICT: the id has one. */
enum tranche_code imports_enter(struct imports *imports, const char *id, struct tranche_err *err);
void imports_set(struct imports *imports, const char *id, const struct import *import);
void imports_leave(struct imports *imports, const char *id); /* before the import is closed */

/* The id at a place and how far it is; false: none, or not open yet. */
bool imports_at(struct imports *imports, unsigned place, char id[TRANCHE_ID_BYTES],
                struct import_progress *progress);

#endif
