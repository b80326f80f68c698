#include "child.h"

#include "fail.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t current;

void *shared_take(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void shared_free(void *memory, size_t bytes)
{
    munmap(memory, bytes);
}

void child_die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1); /* it was gone before we asked */
}

pid_t child_current(void)
{
    return current;
}

static _Noreturn void child_main(enum tranche_code (*body)(void *, struct tranche_err *), void *context,
                                 pid_t parent, struct tranche_err *err)
{
    current = 0;
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    child_die_with(parent);
    enum tranche_code code = body(context, err);
    fflush(NULL);
    _exit((int)code);
}

static enum tranche_code child_wait(pid_t pid, const struct tranche_err *words, struct tranche_err *err)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fail(err, TRANCHE_INTERNAL, "wait for a child: %s", strerror(errno));
    if (WIFSIGNALED(status))
        return fail(err, TRANCHE_INTERNAL, "the child process was ended by %s", strsignal(WTERMSIG(status)));
    enum tranche_code code = (enum tranche_code)WEXITSTATUS(status);
    if (code == TRANCHE_OK || code >= TRANCHE_CODE_COUNT || words->code != code)
        return code == TRANCHE_OK ? code : fail(err, TRANCHE_INTERNAL, "the child process ended with %d", (int)code);
    return fail(err, code, "%s", words->text);
}

enum tranche_code child_run(enum tranche_code (*body)(void *context, struct tranche_err *err), void *context,
                            struct tranche_err *err)
{
    struct tranche_err *words = shared_take(sizeof *words);
    if (words == NULL)
        return fail(err, TRANCHE_NOMEM, "no memory to share with a child");
    fflush(NULL); /* or it would be written twice */
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        child_main(body, context, parent, words);
    current = pid > 0 ? pid : 0;
    enum tranche_code code = pid > 0 ? child_wait(pid, words, err)
                                     : fail(err, TRANCHE_NOMEM, "fork: %s", strerror(errno));
    current = 0;
    shared_free(words, sizeof *words);
    return code;
}
