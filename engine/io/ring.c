#include "ring.h"

#include "fail.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ThreadSanitizer does not see into ck's assembler and would call every hand-over a race. So it is told what the ring
 * guarantees, slot by slot: what was done before a give has happened before the take of that item. It is asked to look
 * away from the ring's own slots only; an item touched after it was given away it still finds. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define RING_UNDER_TSAN
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define RING_UNDER_TSAN
#endif

#ifdef RING_UNDER_TSAN
#include <sanitizer/tsan_interface.h>
void __tsan_ignore_thread_begin(void);
void __tsan_ignore_thread_end(void);
#define tsan_release   __tsan_release
#define tsan_acquire   __tsan_acquire
#define tsan_look_away __tsan_ignore_thread_begin
#define tsan_look_here __tsan_ignore_thread_end
#else
static inline void tsan_release(void *slot)
{
    (void)slot;
}

static inline void tsan_acquire(void *slot)
{
    (void)slot;
}

static inline void tsan_look_away(void)
{
}

static inline void tsan_look_here(void)
{
}
#endif

/* The rings. */

enum tranche_code ring_open(struct ring *ring, uint32_t slots, struct tranche_err *err)
{
    assert(slots >= 4 && (slots & (slots - 1)) == 0);
    *ring = (struct ring){ .slots = calloc(slots, sizeof *ring->slots), .capacity = slots - 1 };
    if (ring->slots == NULL)
        return fail(err, TRANCHE_NOMEM, "no memory for a ring of %u slots", slots);
    ck_ring_init(&ring->ring, slots);
    return TRANCHE_OK;
}

void ring_close(struct ring *ring)
{
    free(ring->slots);
    *ring = (struct ring){ 0 };
}

bool ring_give_spsc(struct ring *ring, void *item)
{
    assert(item != NULL);
    struct ck_ring_buffer *slot = &ring->slots[ring->ring.p_tail & ring->ring.mask];
    tsan_release(slot);
    tsan_look_away();
    bool given = ck_ring_enqueue_spsc(&ring->ring, ring->slots, item);
    tsan_look_here();
    return given;
}

void *ring_take_spsc(struct ring *ring)
{
    void *item = NULL;
    if (ck_ring_size(&ring->ring) == 0)
        return NULL;
    struct ck_ring_buffer *slot = &ring->slots[ring->ring.c_head & ring->ring.mask];
    tsan_acquire(slot);
    tsan_look_away();
    bool taken = ck_ring_dequeue_spsc(&ring->ring, ring->slots, &item);
    tsan_look_here();
    assert(taken); /* nobody else takes */
    return item;
}

uint32_t ring_count(const struct ring *ring)
{
    return ck_ring_size(&ring->ring);
}

/* The doorbell. */

enum tranche_code doorbell_open(struct doorbell *bell, struct tranche_err *err)
{
    *bell = (struct doorbell){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
    if (bell->fd < 0) {
        *bell = (struct doorbell){ 0 };
        return fail(err, TRANCHE_IO, "open a doorbell: %s", strerrordesc_np(errno));
    }
    return TRANCHE_OK;
}

void doorbell_close(struct doorbell *bell)
{
    if (bell->fd > 0) /* a zeroed bell was never opened */
        close(bell->fd);
    *bell = (struct doorbell){ 0 };
}

void doorbell_arm(struct doorbell *bell)
{
    bell->armed = true;
    ck_pr_store_32(&bell->sleeping, 1);
    /* Without it the consumer's look at the rings may be answered before its flag is seen: the producer finds nobody
     * asleep, the consumer finds nothing to do, and the item lies there. */
    ck_pr_fence_memory();
}

void doorbell_ring(struct doorbell *bell)
{
    /* The other half: without it the flag may be read before the item is seen in the ring. */
    ck_pr_fence_memory();
    if (ck_pr_load_32(&bell->sleeping) == 0)
        return;
    /* Of several producers one wins the swap and pays for the system call. */
    if (ck_pr_fas_32(&bell->sleeping, 0) == 0)
        return;
    uint64_t one = 1;
    ssize_t written = write(bell->fd, &one, sizeof one);
    assert(written == sizeof one); /* the count is far from its end: one ring for each arming */
}

void doorbell_disarm(struct doorbell *bell)
{
    /* A producer that won the flag has written to the fd, or is just about to: what it still owes is remembered, or a
     * late ring would leave the fd readable, and a consumer that was not rung would never empty it. */
    if (ck_pr_fas_32(&bell->sleeping, 0) == 0 && bell->armed)
        bell->owed++;
    bell->armed = false;
    if (bell->owed == 0)
        return;
    uint64_t rings;
    if (read(bell->fd, &rings, sizeof rings) == sizeof rings)
        bell->owed -= rings;
}
