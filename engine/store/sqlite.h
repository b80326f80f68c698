/* The store on SQLite: one file in the data directory, WAL, synchronous=FULL, one writer.
 *
 * A data directory has one server: DIR/lock is held with flock for as long as the store is open for writing. A thread
 * of its own checkpoints the WAL, off the writer's path.
 */
#ifndef SQLITE_STORE_H
#define SQLITE_STORE_H

#include <tranche/store.h>

struct sqlite_options {
    const char *directory;    /* created when missing, mode 0700 */
    const char *vfs;          /* NULL: the default; tests bring their own */
    uint32_t wal_bytes_max;   /* checkpoint pressure above this; 0: the default, 64 MiB */
};

/* Opens for writing, migrates the schema, and takes the directory's lock. TRANCHE_CONFLICT, naming the directory, when
 * another process serves it; TRANCHE_INVALID when a newer version wrote it. */
enum tranche_code sqlite_store_open(const struct sqlite_options *options, struct tranche_store **store,
                                    struct tranche_err *err);

/* Stores a new token, and who made it, by a short transaction of its own, beside a server that may be running on the
 * directory; makes the directory and the schema when they are missing. TRANCHE_CONFLICT when the id is taken. */
enum tranche_code sqlite_token_put(const char *directory, const struct tranche_object_record *token,
                                   const struct tranche_audit_record *audit, struct tranche_err *err);

#endif
