/* What is due first: a binary heap of deadlines embedded in whatever waits for them. Putting in order of
 * time, as a constant latency does, costs one comparison; taking the first costs log2(n). Owns only its
 * array.
 */
#ifndef FLEETSIM_DELAY_H
#define FLEETSIM_DELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The clock of the deadlines: monotonic, in microseconds. */
uint64_t delay_now_us(void);

/* Embed one; zeroed is "not waiting". */
struct delay {
    uint64_t due_us;
    size_t place; /* in the heap, counted from 1; 0 when not in it */
};

struct delays {
    struct delay **heap;
    size_t count, room;
};

static inline bool delay_is_set(const struct delay *delay)
{
    return delay->place > 0;
}

/* The earliest, or NULL. */
static inline struct delay *delays_first(const struct delays *delays)
{
    return delays->count > 0 ? delays->heap[0] : NULL;
}

/* `delay` must not be set. */
void delays_put(struct delays *delays, struct delay *delay, uint64_t due_us);

/* Takes it out; does nothing if it is not set. */
void delays_cut(struct delays *delays, struct delay *delay);

void delays_free(struct delays *delays);

#endif
