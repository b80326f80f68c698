/* Limits how often something may happen for each of many keys (an address, a token), in constant memory: a key has a place
 * by its hash, which others may share. The hash is seeded, so that nobody can choose whose place it shares. Any thread.
 */
#ifndef LIMITER_H
#define LIMITER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITER_PLACES 4096 /* a power of two */

struct limiter {
    pthread_mutex_t mutex;
    uint64_t seed;
    int64_t free_us[LIMITER_PLACES]; /* when all that was taken at a place is given back */
};

void limiter_open(struct limiter *limiter);
void limiter_close(struct limiter *limiter);

/* Takes one of `burst` that a key has, each of which comes back after `interval_us`. False: none is left. */
bool limiter_take(struct limiter *limiter, const void *key, size_t bytes, int64_t now_us, int64_t interval_us,
                  uint32_t burst);

#endif
