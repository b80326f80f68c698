#include "fleetsim_delay.h"

#include "fleetsim_bytes.h"

#include <assert.h>
#include <time.h>

uint64_t delay_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void place(struct delays *delays, size_t index, struct delay *delay)
{
    delays->heap[index] = delay;
    delay->place = index + 1;
}

static void sift_up(struct delays *delays, size_t index, struct delay *delay)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (delays->heap[parent]->due_us <= delay->due_us)
            break;
        place(delays, index, delays->heap[parent]);
        index = parent;
    }
    place(delays, index, delay);
}

static void sift_down(struct delays *delays, size_t index, struct delay *delay)
{
    for (size_t child; (child = 2 * index + 1) < delays->count; index = child) {
        if (child + 1 < delays->count && delays->heap[child + 1]->due_us < delays->heap[child]->due_us)
            child++;
        if (delay->due_us <= delays->heap[child]->due_us)
            break;
        place(delays, index, delays->heap[child]);
    }
    place(delays, index, delay);
}

void delays_put(struct delays *delays, struct delay *delay, uint64_t due_us)
{
    assert(!delay_is_set(delay));
    if (delays->count == delays->room) {
        delays->room = delays->room > 0 ? 2 * delays->room : 64;
        delays->heap = memory_or_exit(realloc(delays->heap, delays->room * sizeof(struct delay *)));
    }
    delay->due_us = due_us;
    sift_up(delays, delays->count++, delay);
}

void delays_cut(struct delays *delays, struct delay *delay)
{
    if (!delay_is_set(delay))
        return;
    size_t index = delay->place - 1;
    assert(index < delays->count && delays->heap[index] == delay);
    delay->place = 0;

    struct delay *last = delays->heap[--delays->count];
    if (last == delay)
        return;
    if (index > 0 && last->due_us < delays->heap[(index - 1) / 2]->due_us)
        sift_up(delays, index, last);
    else
        sift_down(delays, index, last);
}

void delays_free(struct delays *delays)
{
    free(delays->heap);
    *delays = (struct delays){ 0 };
}
