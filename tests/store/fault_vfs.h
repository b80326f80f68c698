/* A SQLite VFS that passes everything on to the default one, but lets chosen calls fail, or take long.
 *
 * Register once a process, then open the store with the VFS named FAULT_VFS. The switches of the log count down: when
 * one is 1, the next call of its kind fails, and it stays at 1 until it is set to 0, as a broken disk stays broken.
 */
#ifndef FAULT_VFS_H
#define FAULT_VFS_H

#include <stdatomic.h>

#define FAULT_VFS "fault"

extern atomic_int fault_wal_sync;  /* fails with an I/O error, after the pages were written */
extern atomic_int fault_wal_write; /* fails as on a full disk */

extern atomic_int fault_database_sync_ms; /* what each sync of the database file takes, as on a slow disk */

void fault_vfs_register(void);

#endif
