#include "loop.h"

#include "fail.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* Sources taken from the kernel in one wait: enough to spread the cost of the call, few enough that timers and rings are
 * looked at often. */
#define LOOP_EVENTS_MAX 256

enum tranche_code loop_open(struct loop *loop, struct tranche_err *err)
{
    *loop = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
    if (loop->epoll_fd < 0) {
        *loop = (struct loop){ 0 };
        return fail(err, TRANCHE_IO, "open an epoll: %s", strerrordesc_np(errno));
    }
    return TRANCHE_OK;
}

void loop_close(struct loop *loop)
{
    if (loop->epoll_fd > 0) /* a zeroed loop was never opened */
        close(loop->epoll_fd);
    *loop = (struct loop){ 0 };
}

enum tranche_code loop_add(struct loop *loop, int fd, uint32_t events, struct loop_source *source,
                           struct tranche_err *err)
{
    assert(source != NULL && source->ready != NULL);
    struct epoll_event event = { .events = events, .data.ptr = source };
    source->fd = fd;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return TRANCHE_OK;
    return fail(err, errno == ENOMEM ? TRANCHE_NOMEM : TRANCHE_IO, "watch descriptor %d: %s", fd,
                strerrordesc_np(errno));
}

void loop_change(struct loop *loop, int fd, uint32_t events, struct loop_source *source)
{
    assert(source->fd == fd);
    struct epoll_event event = { .events = events, .data.ptr = source };
    int changed = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);
    assert(changed == 0); /* it is registered, or the caller is mistaken */
}

void loop_remove(struct loop *loop, int fd)
{
    int removed = epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    assert(removed == 0 || errno == ENOENT || errno == EBADF); /* a closed one has left by itself */
    /* What this wait has still to tell of it must not be told: the source may be gone by then. */
    for (int i = 0; i < loop->pending_count; i++) {
        struct loop_source *source = loop->pending[i].data.ptr;
        if (source != NULL && source->fd == fd)
            loop->pending[i].data.ptr = NULL;
    }
}

/* Finer than a millisecond where the kernel can: a pause of 200 us at 30,000 calls a second is six calls. */
static int wait_for_events(struct loop *loop, struct epoll_event *events, int64_t wait_us)
{
    if (wait_us > 0 && !loop->coarse) {
        struct timespec wait = { .tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000 };
        int count = epoll_pwait2(loop->epoll_fd, events, LOOP_EVENTS_MAX, &wait, NULL);
        if (count >= 0 || errno != ENOSYS)
            return count;
        loop->coarse = true;
    }
    int64_t wait_ms = wait_us < 0 ? -1 : wait_us / 1000 + (wait_us % 1000 != 0);
    return epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms);
}

int loop_wait(struct loop *loop, int64_t wait_us)
{
    assert(loop->pending_count == 0); /* not from within a `ready` */
    struct epoll_event events[LOOP_EVENTS_MAX];
    int count = wait_for_events(loop, events, wait_us);
    if (count < 0) {
        assert(errno == EINTR);
        return 0;
    }
    loop->pending = events;
    loop->pending_count = count;
    for (int i = 0; i < count; i++) {
        struct loop_source *source = events[i].data.ptr;
        if (source != NULL)
            source->ready(source, events[i].events);
    }
    loop->pending_count = 0;
    return count;
}

int64_t loop_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
