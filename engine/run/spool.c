#include "spool.h"

#include "fail.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES_MIN (64 * 1024)        /* most imports are small */
#define BLOCK_BYTES_MAX (16 * 1024 * 1024) /* 1 GiB makes 64 runs: few enough to merge them at once */
#define IMPORTS_MAX     10000              /* spool files at once; a directory with more needs a person */

struct run {
    uint64_t start, end;
};

struct spool {
    char *directory;
    unsigned number;
    FILE *file;          /* import-<n>.tmp */
    uint64_t file_bytes;
    bool finished;
    bool sorted;         /* the runs follow each other in order */
    uint64_t devices;    /* in all runs; with duplicates unless sorted */
    char last_id[TRANCHE_DEVICE_BYTES]; /* the greatest one of the last run; "" for none */

    char *block;
    size_t block_bytes, block_room;
    uint32_t *offsets;   /* of the block's records */
    uint32_t offset_count, offset_room;
    bool block_sorted;   /* ids ascend, without duplicates */

    struct run *runs;
    size_t run_count, run_room;
};

/* ---- paths ---- */

static char *path_in(const char *directory, const char *file)
{
    size_t bytes = strlen(directory) + strlen(file) + 2;
    char *path = malloc(bytes);
    if (path != NULL)
        snprintf(path, bytes, "%s/%s", directory, file);
    return path;
}

static char *spool_path(const struct spool *spool, const char *suffix)
{
    char file[SPOOL_FILE_BYTES];
    snprintf(file, sizeof file, "spool/import-%u%s", spool->number, suffix);
    return path_in(spool->directory, file);
}

static enum tranche_code no_memory(struct tranche_err *err)
{
    return fail(err, TRANCHE_NOMEM, "out of memory");
}

static enum tranche_code trouble(const char *what, const char *path, struct tranche_err *err)
{
    return fail(err, TRANCHE_IO, "%s %s: %s", what, path, strerror(errno));
}

/* Makes a directory's entries durable. */
static enum tranche_code sync_directory(const char *path, struct tranche_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    enum tranche_code code = good ? TRANCHE_OK : trouble("sync", path, err);
    if (fd >= 0)
        close(fd);
    return code;
}

/* ---- opening ---- */

static enum tranche_code make_directory(const char *directory, struct tranche_err *err)
{
    char *path = path_in(directory, "spool");
    if (path == NULL)
        return no_memory(err);
    enum tranche_code code = TRANCHE_OK;
    if (mkdir(path, 0700) == 0)
        code = sync_directory(directory, err);
    else if (errno != EEXIST)
        code = trouble("make", path, err);
    free(path);
    return code;
}

/* Takes the number if neither of its files exists. An import that ends renames the one to the other, hence in this order:
 * first the claim, then the look. */
static enum tranche_code claim(struct spool *spool, bool *taken, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    char *temporary = spool_path(spool, ".tmp"), *final = spool_path(spool, "");
    if (temporary == NULL || final == NULL) {
        code = no_memory(err);
        goto out;
    }
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        code = errno == EEXIST ? TRANCHE_OK : trouble("create", temporary, err);
        goto out;
    }
    if (access(final, F_OK) == 0) {
        close(fd);
        unlink(temporary);
        goto out;
    }
    *taken = true;
    spool->file = fdopen(fd, "w+");
    if (spool->file == NULL) {
        close(fd);
        unlink(temporary);
        code = no_memory(err);
    }
out:
    free(temporary);
    free(final);
    return code;
}

static enum tranche_code open_file(struct spool *spool, struct tranche_err *err)
{
    bool taken = false;
    for (spool->number = 1; spool->number <= IMPORTS_MAX; spool->number++) {
        enum tranche_code code = claim(spool, &taken, err);
        if (code != TRANCHE_OK || taken)
            return code;
    }
    return fail(err, TRANCHE_FULL, "%s/spool holds more than %d imports", spool->directory, IMPORTS_MAX);
}

enum tranche_code spool_open(struct spool **out, const char *directory, struct tranche_err *err)
{
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL)
        return no_memory(err);
    spool->sorted = spool->block_sorted = true;
    spool->directory = strdup(directory);
    enum tranche_code code = spool->directory == NULL ? no_memory(err) : make_directory(directory, err);
    if (code == TRANCHE_OK)
        code = open_file(spool, err);
    if (code != TRANCHE_OK) {
        spool_close(spool);
        return code;
    }
    *out = spool;
    return TRANCHE_OK;
}

static void remove_temporary(const struct spool *spool)
{
    char *path = spool_path(spool, ".tmp");
    if (path != NULL)
        unlink(path);
    free(path);
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->file != NULL) {
        fclose(spool->file);
        if (!spool->finished)
            remove_temporary(spool);
    }
    free(spool->directory);
    free(spool->block);
    free(spool->offsets);
    free(spool->runs);
    free(spool);
}

/* ---- the block ---- */

static const char *id_at(const struct spool *spool, uint32_t offset)
{
    return spool->block + offset + sizeof(struct spool_head);
}

static bool grow(void **array, size_t room, size_t bytes)
{
    void *larger = realloc(*array, room * bytes);
    if (larger == NULL)
        return false;
    *array = larger;
    return true;
}

static bool make_room(struct spool *spool, size_t bytes)
{
    if (spool->block_bytes + bytes > spool->block_room) {
        size_t room = spool->block_room == 0 ? BLOCK_BYTES_MIN : spool->block_room;
        while (spool->block_bytes + bytes > room)
            room *= 2;
        if (!grow((void **)&spool->block, room, 1))
            return false;
        spool->block_room = room;
    }
    if (spool->offset_count == spool->offset_room) {
        uint32_t room = spool->offset_room == 0 ? 1024 : spool->offset_room * 2;
        if (!grow((void **)&spool->offsets, room, sizeof *spool->offsets))
            return false;
        spool->offset_room = room;
    }
    return true;
}

static enum tranche_code block_flush(struct spool *spool, struct tranche_err *err);

enum tranche_code spool_put(struct spool *spool, const struct tranche_device_record *device, struct tranche_err *err)
{
    assert(!spool->finished);
    size_t bytes = spool_record_bytes(device);
    assert(bytes <= SPOOL_RECORD_BYTES_MAX);
    if (spool->block_bytes + bytes > BLOCK_BYTES_MAX) {
        enum tranche_code code = block_flush(spool, err);
        if (code != TRANCHE_OK)
            return code;
    }
    if (!make_room(spool, bytes))
        return no_memory(err);

    uint32_t offset = (uint32_t)spool->block_bytes;
    spool_record_write(spool->block + offset, device, bytes);
    if (spool->offset_count > 0 && strcmp(id_at(spool, spool->offsets[spool->offset_count - 1]), device->id) >= 0)
        spool->block_sorted = false;
    spool->offsets[spool->offset_count++] = offset;
    spool->block_bytes += bytes;
    return TRANCHE_OK;
}

/* By id; of the same id in the order in which they came. */
static int compare_offsets(const void *left, const void *right, void *context)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    int order = strcmp(id_at(context, a), id_at(context, b));
    return order != 0 ? order : (a > b) - (a < b);
}

/* Writes the records in the order of the offsets, of each id only the last. */
static bool write_sorted(struct spool *spool)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < spool->offset_count; i++) {
        uint32_t offset = spool->offsets[i];
        if (i + 1 < spool->offset_count && strcmp(id_at(spool, offset), id_at(spool, spool->offsets[i + 1])) == 0)
            continue;
        struct spool_head head;
        memcpy(&head, spool->block + offset, sizeof head);
        if (fwrite(spool->block + offset, head.bytes, 1, spool->file) != 1)
            return false;
        spool->file_bytes += head.bytes;
        spool->offsets[kept++] = offset;
    }
    spool->offset_count = kept;
    return true;
}

static bool write_block(struct spool *spool)
{
    if (!spool->block_sorted) {
        qsort_r(spool->offsets, spool->offset_count, sizeof spool->offsets[0], compare_offsets, spool);
        return write_sorted(spool);
    }
    spool->file_bytes += spool->block_bytes;
    return fwrite(spool->block, spool->block_bytes, 1, spool->file) == 1;
}

static bool add_run(struct spool *spool, uint64_t start)
{
    if (spool->run_count == spool->run_room) {
        size_t room = spool->run_room == 0 ? 16 : spool->run_room * 2;
        if (!grow((void **)&spool->runs, room, sizeof *spool->runs))
            return false;
        spool->run_room = room;
    }
    spool->runs[spool->run_count++] = (struct run){ .start = start, .end = spool->file_bytes };
    return true;
}

/* Sorts the block, appends it to the file as a run, and empties it. */
static enum tranche_code block_flush(struct spool *spool, struct tranche_err *err)
{
    if (spool->offset_count == 0)
        return TRANCHE_OK;
    uint64_t start = spool->file_bytes;
    if (!write_block(spool))
        return fail(err, TRANCHE_IO, "write %s/spool: %s", spool->directory, strerror(errno));
    if (!add_run(spool, start))
        return no_memory(err);

    const char *first = id_at(spool, spool->offsets[0]);
    if (strcmp(spool->last_id, first) >= 0) /* "" is below every id */
        spool->sorted = false;
    strcpy(spool->last_id, id_at(spool, spool->offsets[spool->offset_count - 1]));
    spool->devices += spool->offset_count;
    spool->block_bytes = 0;
    spool->offset_count = 0;
    spool->block_sorted = true;
    return TRANCHE_OK;
}

/* ---- merging ---- */

/* A run being merged, with its foremost device. */
struct lane {
    struct spool_reader reader;
    struct tranche_device_record device;
    size_t run;
};

/* A heap of lanes, the one to be taken next on top. */
struct merge {
    struct lane *lanes;
    struct lane **heap;
    size_t heap_count;
};

/* Of the same id the later run comes first; the others are then passed over. */
static bool comes_before(const struct lane *a, const struct lane *b)
{
    int order = strcmp(a->device.id, b->device.id);
    return order != 0 ? order < 0 : a->run > b->run;
}

static void sift_down(struct merge *merge, size_t at)
{
    struct lane **heap = merge->heap;
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < merge->heap_count && comes_before(heap[left], heap[least]))
            least = left;
        if (right < merge->heap_count && comes_before(heap[right], heap[least]))
            least = right;
        if (least == at)
            return;
        struct lane *held = heap[at];
        heap[at] = heap[least];
        heap[least] = held;
        at = least;
    }
}

/* Moves the top lane to its next device, or takes it out at its end. */
static enum tranche_code advance(struct merge *merge, struct tranche_err *err)
{
    struct lane *top = merge->heap[0];
    bool more = false;
    enum tranche_code code = spool_next(&top->reader, &top->device, &more, err);
    if (code != TRANCHE_OK)
        return code;
    if (!more)
        merge->heap[0] = merge->heap[--merge->heap_count];
    sift_down(merge, 0);
    return TRANCHE_OK;
}

static enum tranche_code merge_open(struct merge *merge, const struct spool *spool, struct tranche_err *err)
{
    merge->lanes = calloc(spool->run_count, sizeof *merge->lanes);
    merge->heap = calloc(spool->run_count, sizeof *merge->heap);
    if (merge->lanes == NULL || merge->heap == NULL)
        return no_memory(err);
    for (size_t i = 0; i < spool->run_count; i++) {
        struct lane *lane = &merge->lanes[i];
        const struct run *run = &spool->runs[i];
        bool more = false;
        lane->run = i;
        enum tranche_code code = spool_reader_open(&lane->reader, fileno(spool->file), run->start, run->end, err);
        if (code == TRANCHE_OK)
            code = spool_next(&lane->reader, &lane->device, &more, err);
        if (code != TRANCHE_OK)
            return code;
        assert(more); /* no run is empty */
        merge->heap[merge->heap_count++] = lane;
    }
    for (size_t i = merge->heap_count / 2; i-- > 0;)
        sift_down(merge, i);
    return TRANCHE_OK;
}

static void merge_close(struct merge *merge, size_t run_count)
{
    for (size_t i = 0; merge->lanes != NULL && i < run_count; i++)
        spool_reader_close(&merge->lanes[i].reader);
    free(merge->lanes);
    free(merge->heap);
}

static enum tranche_code merge_into(struct spool *spool, FILE *out, const char *path, struct tranche_err *err)
{
    struct merge merge = {0};
    char last_id[TRANCHE_DEVICE_BYTES] = "";
    spool->devices = 0;
    enum tranche_code code = merge_open(&merge, spool, err);
    while (code == TRANCHE_OK && merge.heap_count > 0) {
        const struct lane *top = merge.heap[0];
        if (strcmp(top->device.id, last_id) != 0) {
            if (fwrite(top->reader.record, top->reader.record_bytes, 1, out) != 1) {
                code = trouble("write", path, err);
                break;
            }
            strcpy(last_id, top->device.id);
            spool->devices++;
        }
        code = advance(&merge, err);
    }
    merge_close(&merge, spool->run_count);
    return code;
}

static void block_free(struct spool *spool)
{
    free(spool->block);
    free(spool->offsets);
    spool->block = NULL;
    spool->offsets = NULL;
}

/* Writes the sorted file beside the unsorted one. */
static enum tranche_code finish_merged(struct spool *spool, const char *final, struct tranche_err *err)
{
    block_free(spool); /* its memory is better used by the lanes */
    int fd = open(final, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (out == NULL) {
        enum tranche_code code = trouble("create", final, err);
        if (fd >= 0)
            close(fd);
        return code;
    }
    enum tranche_code code = merge_into(spool, out, final, err);
    if (code == TRANCHE_OK && (fflush(out) != 0 || fsync(fileno(out)) != 0))
        code = trouble("write", final, err);
    if (fclose(out) != 0 && code == TRANCHE_OK)
        code = trouble("close", final, err);
    if (code != TRANCHE_OK)
        unlink(final);
    return code;
}

static enum tranche_code finish_sorted(struct spool *spool, const char *temporary, const char *final,
                                       struct tranche_err *err)
{
    if (fsync(fileno(spool->file)) != 0)
        return trouble("sync", temporary, err);
    if (rename(temporary, final) != 0)
        return trouble("rename", temporary, err);
    return TRANCHE_OK;
}

enum tranche_code spool_finish(struct spool *spool, char file[SPOOL_FILE_BYTES], uint64_t *devices,
                               struct tranche_err *err)
{
    assert(!spool->finished);
    char *temporary = spool_path(spool, ".tmp"), *final = spool_path(spool, "");
    char *folder = path_in(spool->directory, "spool");
    enum tranche_code code = temporary == NULL || final == NULL || folder == NULL ? no_memory(err)
                                                                                  : block_flush(spool, err);
    if (code == TRANCHE_OK && fflush(spool->file) != 0)
        code = trouble("write", temporary, err);
    if (code == TRANCHE_OK)
        code = spool->sorted ? finish_sorted(spool, temporary, final, err) : finish_merged(spool, final, err);
    if (code == TRANCHE_OK)
        code = sync_directory(folder, err);
    if (code == TRANCHE_OK) {
        if (!spool->sorted)
            unlink(temporary);
        snprintf(file, SPOOL_FILE_BYTES, "spool/import-%u", spool->number);
        *devices = spool->devices;
        spool->finished = true;
    }
    free(temporary);
    free(final);
    free(folder);
    return code;
}

/* ---- what a crash leaves ---- */

static bool is_kept(const char *name, const char *const *keep, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(keep[i], "spool/", 6) == 0 && strcmp(keep[i] + 6, name) == 0)
            return true;
    return false;
}

enum tranche_code spool_sweep(const char *directory, const char *const *keep, size_t count, struct tranche_err *err)
{
    char *path = path_in(directory, "spool");
    if (path == NULL)
        return no_memory(err);
    DIR *folder = opendir(path);
    if (folder == NULL && errno != ENOENT) {
        enum tranche_code code = trouble("open", path, err);
        free(path);
        return code;
    }
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (strncmp(entry->d_name, "import-", 7) == 0 && !is_kept(entry->d_name, keep, count))
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
    free(path);
    return TRANCHE_OK;
}
