/* The spool of an import: device records in a file of DIR/spool, in the end sorted by id, one for each id.
 *
 * Records are gathered in a block of memory; a full block is sorted and appended to import-<n>.tmp as a run, and when
 * all have come the runs are merged into import-<n>. Where the runs follow each other in order (sorted input) the file
 * already is the result and is only renamed; such a block is not sorted either. Of records with the same id the last one
 * put wins.
 *
 * Memory: one block of at most 16 MiB with an index of 4 bytes a record, or, while merging, 160 KiB for each run (16 MiB
 * of records); nothing grows otherwise with the number of devices: 1,000,000 devices of 100 bytes take about 17 MiB.
 * Everything belongs to one thread.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include "spool_record.h"

#define SPOOL_FILE_BYTES 64 /* "spool/import-<n>" and NUL */

struct spool;

enum tranche_code spool_open(struct spool **spool, const char *directory, struct tranche_err *err);
/* Copies the device. Its record must not be longer than SPOOL_RECORD_BYTES_MAX. */
enum tranche_code spool_put(struct spool *spool, const struct tranche_device_record *device, struct tranche_err *err);
/* Sorts, syncs, and tells the file's name inside the directory and the number of devices in it. Nothing is put after. */
enum tranche_code spool_finish(struct spool *spool, char file[SPOOL_FILE_BYTES], uint64_t *devices,
                               struct tranche_err *err);
void spool_close(struct spool *spool); /* removes what was not finished; NULL is fine */

/* Removes every file of DIR/spool that is not in `keep` (names inside the directory): for recovery, before any import is
 * open. A crash leaves such files behind. */
enum tranche_code spool_sweep(const char *directory, const char *const *keep, size_t count, struct tranche_err *err);

#endif
