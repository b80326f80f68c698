/* One epoll, its sources and nothing else. Belongs to one thread. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <tranche/err.h>

struct epoll_event;

/* What is called when a source is ready. `events` are EPOLL* bits. May add, change and remove sources, itself too, but
 * not wait. */
struct loop_source {
    void (*ready)(struct loop_source *source, uint32_t events);
    int fd; /* set by loop_add */
};

/* Zeroed is closed. */
struct loop {
    int epoll_fd;
    bool coarse;                  /* the kernel waits in whole milliseconds only */
    struct epoll_event *pending;  /* of the wait that is being told, for loop_remove */
    int pending_count;
};

enum tranche_code loop_open(struct loop *loop, struct tranche_err *err);
void loop_close(struct loop *loop);

/* Add, change and remove a descriptor. The source must outlive its registration. A descriptor that is closed leaves by
 * itself (unless it was duplicated); removing it afterwards does no harm. */
enum tranche_code loop_add(struct loop *loop, int fd, uint32_t events, struct loop_source *source,
                           struct tranche_err *err);
void loop_change(struct loop *loop, int fd, uint32_t events, struct loop_source *source);
void loop_remove(struct loop *loop, int fd);

/* Waits at most wait_us (negative: for ever; rounded up to the clock's millisecond where the kernel knows no finer),
 * then calls `ready` for what is. Returns the number of sources that were ready. A signal ends the wait early. */
int loop_wait(struct loop *loop, int64_t wait_us);

/* CLOCK_MONOTONIC in microseconds: for waits and durations, never for the calendar. */
int64_t loop_now_us(void);

#endif
