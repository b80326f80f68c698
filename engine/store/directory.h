/* The data directory: made, and locked by the one process that serves it. */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <tranche/err.h>

#define DIRECTORY_DATABASE "tranche.db"

/* Makes the directory, readable by its owner alone, when it is missing; its parent must exist. */
enum tranche_code directory_make(const char *directory, struct tranche_err *err);

/* Takes DIR/lock until the descriptor is closed. TRANCHE_CONFLICT: somebody else has it. */
enum tranche_code directory_lock(const char *directory, int *descriptor, struct tranche_err *err);

/* DIR/name; free it. NULL: out of memory. */
char *directory_path(const char *directory, const char *name);

#endif
