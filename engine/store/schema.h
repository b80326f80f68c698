/* The schema and how it grows: a numbered list of migrations, each in a transaction of its own. The number of those that
 * have run is the file's user_version. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <sqlite3.h>
#include <tranche/err.h>

/* Runs what is missing. Two processes may do it at once: the second finds the work done. TRANCHE_INVALID when the file
 * was written by a newer version, which is left untouched; TRANCHE_UNAVAILABLE when another process holds the file for
 * longer than the connection's busy timeout. */
enum tranche_code schema_migrate(sqlite3 *db, struct tranche_err *err);

#endif
