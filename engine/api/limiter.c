#include "limiter.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

void limiter_open(struct limiter *limiter)
{
    memset(limiter, 0, sizeof *limiter);
    ssize_t got = getrandom(&limiter->seed, sizeof limiter->seed, 0); /* so few bytes it neither fails to give nor cuts */
    assert(got == sizeof limiter->seed);
    pthread_mutex_init(&limiter->mutex, NULL);
}

void limiter_close(struct limiter *limiter)
{
    pthread_mutex_destroy(&limiter->mutex);
}

/* FNV-1a over the seed and the key, and its upper half folded in. */
static size_t place_of(const struct limiter *limiter, const unsigned char *key, size_t bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ limiter->seed;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ key[i]) * UINT64_C(0x100000001b3);
    return (hash ^ hash >> 32) % LIMITER_PLACES;
}

bool limiter_take(struct limiter *limiter, const void *key, size_t bytes, int64_t now_us, int64_t interval_us,
                  uint32_t burst)
{
    size_t place = place_of(limiter, key, bytes);
    pthread_mutex_lock(&limiter->mutex);
    int64_t free_us = limiter->free_us[place] > now_us ? limiter->free_us[place] : now_us;
    if (free_us - now_us > (int64_t)burst * interval_us)
        free_us = now_us; /* the clock was set back: what was taken is forgiven */
    bool takes = free_us - now_us <= (int64_t)(burst - 1) * interval_us;
    if (takes)
        limiter->free_us[place] = free_us + interval_us;
    pthread_mutex_unlock(&limiter->mutex);
    return takes;
}
