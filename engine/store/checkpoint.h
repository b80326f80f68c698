/* The checkpointer: a thread that copies the write-ahead log (WAL) into the database file, off the writer's path.
 *
 * The writer tells it after each commit how long the WAL is. Each time it has grown by about 4 MiB, a PASSIVE
 * checkpoint runs beside the writer and the readers. Under steady load that alone never lets the WAL begin anew,
 * since the writer is always a little ahead; so above `wal_bytes_max` the checkpointer asks the writer to stand back
 * for a moment and runs a whole one; above twice that the writer stands back at once, so that the WAL stays bounded
 * whatever the writer's speed. An old snapshot of a reader makes that pointless: then it waits for the reader's end,
 * lets the WAL grow, and warns once the snapshot is older than a minute.
 *
 * It fails by trying again, and says in the log when it begins and ends to fail. Nothing is lost by that: the WAL
 * grows.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <tranche/err.h>

#define CHECKPOINT_PAGE_BYTES 4096

struct checkpointer;

/* A reader's share in the checkpointer's knowledge. Embedded in the reader, who alone opens and closes it. */
struct snapshot {
    struct snapshot *next;
    _Atomic int64_t since_ms; /* of the monotonic clock; 0: none is open */
};

/* Opens a connection of its own, and starts the thread. */
enum tranche_code checkpointer_open(const char *path, const char *vfs, int64_t wal_bytes_max,
                                    struct checkpointer **checkpointer, struct tranche_err *err);
/* Ends the thread. Every snapshot must have been removed. NULL is fine. */
void checkpointer_close(struct checkpointer *checkpointer);

/* From now on every commit on `writer` reports the WAL's length. */
void checkpointer_watch(struct checkpointer *checkpointer, sqlite3 *writer);
/* Whether the writer should not begin a transaction now. True for some ten milliseconds at a time. */
bool checkpointer_asks(const struct checkpointer *checkpointer);

/* Any thread. */
void checkpointer_add(struct checkpointer *checkpointer, struct snapshot *snapshot);
void checkpointer_remove(struct checkpointer *checkpointer, struct snapshot *snapshot);
void snapshot_opened(struct snapshot *snapshot);
void snapshot_closed(struct snapshot *snapshot);

#endif
