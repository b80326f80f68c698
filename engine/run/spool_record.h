/* Device records as a spool file keeps them, and a reader that hands them out one after the other.
 *
 * The file stays on the machine that wrote it, so numbers are in the machine's own order.
 */
#ifndef SPOOL_RECORD_H
#define SPOOL_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <tranche/err.h>
#include <tranche/store.h>

#define SPOOL_RECORD_BYTES_MAX (80 * 1024) /* a line of import.h, and what may be added to it */

/* A record: this head, then NUL-terminated strings: the id, and those that the flags name, in their order. Records follow
 * each other without gaps, so that a head may lie at any address. */
struct spool_head {
    uint32_t bytes; /* of the record, with the head */
    uint32_t flags;
};

/* A device's number, revision and `deleted` are not kept. */
size_t spool_record_bytes(const struct tranche_device_record *device);
void spool_record_write(char *at, const struct tranche_device_record *device, size_t bytes); /* as many as said above */

/* Zeroed is closed. */
struct spool_reader {
    int fd;             /* borrowed */
    uint64_t position;  /* in the file, of the record after the one handed out last */
    uint64_t end;
    char *buffer;
    size_t at, have;    /* of the buffer: bytes handed out, bytes there */
    const char *record; /* the last one, as it stands in the file; lives until the next call */
    size_t record_bytes;
};

enum tranche_code spool_reader_open(struct spool_reader *reader, int fd, uint64_t start, uint64_t end,
                                    struct tranche_err *err);
/* The next device, or *more false at the end. Its strings live until the next call. TRANCHE_IO for a damaged file. */
enum tranche_code spool_next(struct spool_reader *reader, struct tranche_device_record *device, bool *more,
                             struct tranche_err *err);
void spool_seek(struct spool_reader *reader, uint64_t position); /* of a record, or the end */
void spool_reader_close(struct spool_reader *reader);

#endif
