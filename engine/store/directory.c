#include "directory.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum tranche_code system_fail(const char *what, const char *path, struct tranche_err *err)
{
    return fail(err, TRANCHE_IO, "%s %s: %s", what, path, strerror(errno));
}

static enum tranche_code out_of_memory(struct tranche_err *err)
{
    return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

char *directory_path(const char *directory, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

/* What was created in a directory survives power loss only when the directory was synced. */
static enum tranche_code sync_parent(const char *directory, struct tranche_err *err)
{
    char *parent = directory_path(directory, "..");
    if (parent == NULL)
        return out_of_memory(err);
    int descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = descriptor >= 0 && fsync(descriptor) == 0;
    enum tranche_code code = synced ? TRANCHE_OK : system_fail("sync", parent, err);
    if (descriptor >= 0)
        close(descriptor);
    free(parent);
    return code;
}

enum tranche_code directory_make(const char *directory, struct tranche_err *err)
{
    if (mkdir(directory, 0700) == 0)
        return sync_parent(directory, err);
    struct stat found;
    if (errno != EEXIST)
        return system_fail("make the directory", directory, err);
    if (stat(directory, &found) != 0)
        return system_fail("look at", directory, err);
    if (!S_ISDIR(found.st_mode))
        return fail(err, TRANCHE_IO, "%s is not a directory", directory);
    return TRANCHE_OK;
}

/* Who has it, for the error's text; the lock itself is what counts. */
static enum tranche_code lock_refused(const char *directory, int descriptor, struct tranche_err *err)
{
    char holder[16] = "";
    ssize_t length = pread(descriptor, holder, sizeof holder - 1, 0);
    if (length <= 0)
        return fail(err, TRANCHE_CONFLICT, "the directory %s is in use by another process", directory);
    holder[strcspn(holder, "\n")] = '\0';
    return fail(err, TRANCHE_CONFLICT, "the directory %s is in use by another process (%s)", directory, holder);
}

static enum tranche_code lock_take(const char *directory, const char *path, int descriptor, struct tranche_err *err)
{
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? lock_refused(directory, descriptor, err) : system_fail("lock", path, err);
    if (ftruncate(descriptor, 0) != 0 || dprintf(descriptor, "%ld\n", (long)getpid()) < 0)
        return system_fail("write", path, err);
    return TRANCHE_OK;
}

enum tranche_code directory_lock(const char *directory, int *descriptor, struct tranche_err *err)
{
    char *path = directory_path(directory, "lock");
    if (path == NULL)
        return out_of_memory(err);
    enum tranche_code code = TRANCHE_OK;
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (opened < 0)
        code = system_fail("open", path, err);
    else
        code = lock_take(directory, path, opened, err);
    if (code == TRANCHE_OK)
        *descriptor = opened;
    else if (opened >= 0)
        close(opened);
    free(path);
    return code;
}
