#include "fault_vfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

atomic_int fault_wal_sync;
atomic_int fault_wal_write;
atomic_int fault_database_sync_ms;

struct fault_file {
    sqlite3_file file;
    bool is_wal;
    sqlite3_int64 real[]; /* the default VFS's own, aligned as SQLite aligns it */
};

static sqlite3_file *real(sqlite3_file *file)
{
    return (sqlite3_file *)((struct fault_file *)file)->real;
}

static bool fails(sqlite3_file *file, atomic_int *countdown)
{
    if (!((struct fault_file *)file)->is_wal || atomic_load(countdown) == 0)
        return false;
    if (atomic_load(countdown) == 1)
        return true;
    atomic_fetch_sub(countdown, 1);
    return false;
}

static int fault_close(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}

static int fault_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
    return real(file)->pMethods->xRead(real(file), bytes, count, at);
}

static int fault_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    return fails(file, &fault_wal_write) ? SQLITE_FULL : real(file)->pMethods->xWrite(real(file), bytes, count, at);
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int fault_sync(sqlite3_file *file, int flags)
{
    if (!((struct fault_file *)file)->is_wal)
        sqlite3_sleep(atomic_load(&fault_database_sync_ms));
    return fails(file, &fault_wal_sync) ? SQLITE_IOERR_FSYNC : real(file)->pMethods->xSync(real(file), flags);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int fault_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int fault_check_lock(sqlite3_file *file, int *held)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), held);
}

static int fault_control(sqlite3_file *file, int what, void *argument)
{
    return real(file)->pMethods->xFileControl(real(file), what, argument);
}

static int fault_sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int fault_characteristics(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int fault_shm_map(sqlite3_file *file, int page, int page_bytes, int extend, void volatile **map)
{
    return real(file)->pMethods->xShmMap(real(file), page, page_bytes, extend, map);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void fault_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int fault_shm_unmap(sqlite3_file *file, int drop)
{
    return real(file)->pMethods->xShmUnmap(real(file), drop);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_size,
    .xDeviceCharacteristics = fault_characteristics,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *flags_out)
{
    sqlite3_vfs *below = vfs->pAppData;
    struct fault_file *fault = (struct fault_file *)file;
    memset(fault, 0, sizeof *fault);
    int result = below->xOpen(below, path, real(file), flags, flags_out);
    fault->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
    if (real(file)->pMethods != NULL)
        fault->file.pMethods = &methods;
    return result;
}

void fault_vfs_register(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.pNext = NULL;
    vfs.zName = FAULT_VFS;
    vfs.szOsFile = (int)sizeof(struct fault_file) + below->szOsFile;
    vfs.pAppData = below;
    vfs.xOpen = fault_open;
    sqlite3_vfs_register(&vfs, 0);
}
