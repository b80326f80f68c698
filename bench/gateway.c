#include "gateway.h"

#include "child.h"
#include "fail.h"
#include "machine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 10000

static bool path_beside_us(const char *name, char path[PATH_MAX])
{
    char us[PATH_MAX];
    ssize_t bytes = readlink("/proc/self/exe", us, sizeof us - 1);
    if (bytes <= 0)
        return false;
    us[bytes] = '\0';
    *strrchr(us, '/') = '\0';
    return snprintf(path, PATH_MAX, "%s/%s", us, name) < PATH_MAX && access(path, X_OK) == 0;
}

static _Noreturn void gateway_main(const char *path, const char *const *options, bool pinned, int out, pid_t parent)
{
    const char *arguments[GATEWAY_OPTIONS_MAX + 4] = { "fleetsim", "--listen", "127.0.0.1:0" };
    for (size_t i = 0; options[i] != NULL; i++) {
        assert(i < GATEWAY_OPTIONS_MAX);
        arguments[3 + i] = options[i];
    }
    child_die_with(parent);
    if (pinned)
        core_pin(1);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(out, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO); /* its summary when it ends */
    execv(path, (char *const *)arguments);
    _exit(127);
}

/* Its first line, cut anywhere, within START_MS. */
static bool line_read(int fd, char *line, size_t bytes)
{
    size_t count = 0;
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    while (count + 1 < bytes && poll(&ready, 1, START_MS) == 1) {
        ssize_t got = read(fd, line + count, bytes - 1 - count);
        if (got <= 0)
            return false;
        count += (size_t)got;
        line[count] = '\0';
        if (strchr(line, '\n') != NULL)
            return true;
    }
    return false;
}

static enum tranche_code address_read(struct gateway *gateway, int fd, struct tranche_err *err)
{
    char line[128] = "";
    if (!line_read(fd, line, sizeof line) || sscanf(line, "fleetsim: listening on %63s", gateway->url) != 1 ||
        sscanf(gateway->url, "http://127.0.0.1:%u", &gateway->port) != 1) {
        gateway_close(gateway);
        return fail(err, TRANCHE_UNAVAILABLE, "fleetsim did not start; it said \"%s\"", line);
    }
    return TRANCHE_OK;
}

enum tranche_code gateway_open(struct gateway *gateway, const char *const *options, bool pinned,
                               struct tranche_err *err)
{
    char path[PATH_MAX];
    int out[2];
    *gateway = (struct gateway){ 0 };
    if (!path_beside_us("fleetsim", path))
        return fail(err, TRANCHE_NOTFOUND, "fleetsim is not in the folder of this program; build it");
    if (pipe2(out, O_CLOEXEC) != 0)
        return fail(err, TRANCHE_IO, "make a pipe: %s", strerror(errno));
    pid_t parent = getpid();
    gateway->pid = fork();
    if (gateway->pid == 0)
        gateway_main(path, options, pinned, out[1], parent);
    close(out[1]);
    enum tranche_code code = TRANCHE_OK;
    if (gateway->pid < 0) {
        *gateway = (struct gateway){ 0 };
        code = fail(err, TRANCHE_NOMEM, "fork: %s", strerror(errno));
    } else {
        code = address_read(gateway, out[0], err);
    }
    close(out[0]);
    return code;
}

void gateway_close(struct gateway *gateway)
{
    if (gateway->pid == 0)
        return;
    kill(gateway->pid, SIGTERM);
    while (waitpid(gateway->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *gateway = (struct gateway){ 0 };
}
