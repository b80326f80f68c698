#include "spool_record.h"

#include "fail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES (2 * SPOOL_RECORD_BYTES_MAX) /* so that most records are read together with others */

enum { ENABLED = 1, PROVISIONED = 2, SIMULATED = 4, DISPLAY_NAME = 8, TEMPLATE = 16, ORGANIZATION = 32, PROPERTIES = 64 };

/* ---- writing ---- */

static size_t string_bytes(const char *string)
{
    return string == NULL ? 0 : strlen(string) + 1;
}

size_t spool_record_bytes(const struct tranche_device_record *device)
{
    return sizeof(struct spool_head) + string_bytes(device->id) + string_bytes(device->display_name)
         + string_bytes(device->template_id) + string_bytes(device->organization) + string_bytes(device->properties);
}

static char *write_string(char *at, const char *string)
{
    size_t bytes = string_bytes(string);
    if (bytes > 0)
        memcpy(at, string, bytes);
    return at + bytes;
}

void spool_record_write(char *at, const struct tranche_device_record *device, size_t bytes)
{
    struct spool_head head = {
        .bytes = (uint32_t)bytes,
        .flags = (device->enabled ? ENABLED : 0u) | (device->provisioned ? PROVISIONED : 0u)
               | (device->simulated ? SIMULATED : 0u) | (device->display_name != NULL ? DISPLAY_NAME : 0u)
               | (device->template_id != NULL ? TEMPLATE : 0u) | (device->organization != NULL ? ORGANIZATION : 0u)
               | (device->properties != NULL ? PROPERTIES : 0u),
    };
    memcpy(at, &head, sizeof head);
    at = write_string(at + sizeof head, device->id);
    at = write_string(at, device->display_name);
    at = write_string(at, device->template_id);
    at = write_string(at, device->organization);
    write_string(at, device->properties);
}

/* ---- reading ---- */

enum tranche_code spool_reader_open(struct spool_reader *reader, int fd, uint64_t start, uint64_t end,
                                    struct tranche_err *err)
{
    *reader = (struct spool_reader){ .fd = fd, .position = start, .end = end };
    reader->buffer = malloc(READ_BYTES);
    return reader->buffer != NULL ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "out of memory");
}

void spool_reader_close(struct spool_reader *reader)
{
    free(reader->buffer);
    *reader = (struct spool_reader){0};
}

void spool_seek(struct spool_reader *reader, uint64_t position)
{
    reader->position = position;
    reader->at = reader->have = 0;
}

static enum tranche_code damaged(const struct spool_reader *reader, struct tranche_err *err)
{
    return fail(err, TRANCHE_IO, "the import's spool file is damaged at byte %llu", (unsigned long long)reader->position);
}

/* At least `bytes` in the buffer. */
static enum tranche_code reader_fill(struct spool_reader *reader, size_t bytes, struct tranche_err *err)
{
    if (bytes > reader->end - reader->position)
        return damaged(reader, err);
    if (reader->have - reader->at >= bytes)
        return TRANCHE_OK;
    memmove(reader->buffer, reader->buffer + reader->at, reader->have - reader->at);
    reader->have -= reader->at;
    reader->at = 0;
    while (reader->have < bytes) {
        uint64_t left = reader->end - reader->position - reader->have;
        size_t room = READ_BYTES - reader->have;
        ssize_t got = pread(reader->fd, reader->buffer + reader->have, left < room ? (size_t)left : room,
                            (off_t)(reader->position + reader->have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(err, TRANCHE_IO, "read the import's spool file: %s", strerror(errno));
        if (got == 0)
            return damaged(reader, err);
        reader->have += (size_t)got;
    }
    return TRANCHE_OK;
}

/* The string at *at, if it is present, and past it; false when it does not end before `end`. */
static bool read_string(const char **at, const char *end, bool present, const char **string)
{
    *string = NULL;
    if (!present)
        return true;
    const char *stop = memchr(*at, '\0', (size_t)(end - *at));
    if (stop == NULL)
        return false;
    *string = *at;
    *at = stop + 1;
    return true;
}

static bool read_record(const char *record, const struct spool_head *head, struct tranche_device_record *device)
{
    const char *at = record + sizeof *head, *end = record + head->bytes, *id = NULL;
    *device = (struct tranche_device_record){
        .enabled = head->flags & ENABLED,
        .provisioned = head->flags & PROVISIONED,
        .simulated = head->flags & SIMULATED,
    };
    if (!read_string(&at, end, true, &id) || strlen(id) >= sizeof device->id)
        return false;
    strcpy(device->id, id);
    return read_string(&at, end, head->flags & DISPLAY_NAME, &device->display_name)
        && read_string(&at, end, head->flags & TEMPLATE, &device->template_id)
        && read_string(&at, end, head->flags & ORGANIZATION, &device->organization)
        && read_string(&at, end, head->flags & PROPERTIES, &device->properties) && at == end;
}

enum tranche_code spool_next(struct spool_reader *reader, struct tranche_device_record *device, bool *more,
                             struct tranche_err *err)
{
    *more = reader->position < reader->end;
    if (!*more)
        return TRANCHE_OK;
    struct spool_head head;
    enum tranche_code code = reader_fill(reader, sizeof head, err);
    if (code != TRANCHE_OK)
        return code;
    memcpy(&head, reader->buffer + reader->at, sizeof head);
    if (head.bytes <= sizeof head || head.bytes > SPOOL_RECORD_BYTES_MAX)
        return damaged(reader, err);
    code = reader_fill(reader, head.bytes, err);
    if (code != TRANCHE_OK)
        return code;
    reader->record = reader->buffer + reader->at;
    reader->record_bytes = head.bytes;
    if (!read_record(reader->record, &head, device))
        return damaged(reader, err);
    reader->at += head.bytes;
    reader->position += head.bytes;
    return TRANCHE_OK;
}
