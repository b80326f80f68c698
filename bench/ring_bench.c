/* Handing a pointer from thread to thread: what an item costs, and how long it takes to wake who sleeps. */
#include "bench.h"

#include "fail.h"
#include "machine.h"
#include "ring.h"
#include "stats.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define SLOTS        1024
#define ITEMS_A_BELL 64 /* the engine gives what a commit carried and rings once */
#define STUCK_MS     10000

/* How a ring is used: ours, or with several consumers allowed, which is what a shared one would cost. */
struct way {
    bool (*give)(struct ring *ring, void *item);
    void *(*take)(struct ring *ring);
    bool apart; /* the two threads have a core each */
};

struct pair {
    const struct way *way;
    bool pinned;
    uint64_t count;
    struct ring there, back;
    struct doorbell peer_bell, our_bell;
    uint64_t taken;
    bool stuck;
};

static bool give_spmc(struct ring *ring, void *item)
{
    return ck_ring_enqueue_spmc(&ring->ring, ring->slots, item);
}

static void *take_spmc(struct ring *ring)
{
    void *item = NULL;
    return ck_ring_dequeue_spmc(&ring->ring, ring->slots, &item) ? item : NULL;
}

/* Sleeps until the bell rings, unless there is something in the ring already. False: nobody rang. */
static bool wait_for(struct doorbell *bell, const struct ring *ring)
{
    struct pollfd rung = { .fd = bell->fd, .events = POLLIN };
    doorbell_arm(bell);
    bool fine = ring_count(ring) > 0 || poll(&rung, 1, STUCK_MS) == 1;
    doorbell_disarm(bell);
    return fine;
}

static void peer_pin(const struct pair *pair)
{
    if (pair->pinned)
        core_pin(pair->way->apart ? 1 : 0);
}

static enum tranche_code pair_open(struct pair *pair, const struct bench_run *run,
                                   const struct bench_variant *variant, struct tranche_err *err)
{
    *pair = (struct pair){ .way = variant->what, .pinned = run->pinned, .count = run->count };
    enum tranche_code code = ring_open(&pair->there, SLOTS, err);
    if (code == TRANCHE_OK)
        code = ring_open(&pair->back, SLOTS, err);
    if (code == TRANCHE_OK)
        code = doorbell_open(&pair->peer_bell, err);
    if (code == TRANCHE_OK)
        code = doorbell_open(&pair->our_bell, err);
    return code;
}

static void pair_close(struct pair *pair)
{
    ring_close(&pair->there);
    ring_close(&pair->back);
    doorbell_close(&pair->peer_bell);
    doorbell_close(&pair->our_bell);
}

/* ---- a stream ---- */

static void *stream_peer(void *context)
{
    struct pair *pair = context;
    peer_pin(pair);
    while (pair->taken < pair->count && !pair->stuck) {
        while (pair->way->take(&pair->there) != NULL)
            pair->taken++;
        if (pair->taken < pair->count)
            pair->stuck = !wait_for(&pair->peer_bell, &pair->there);
    }
    return NULL;
}

static void stream_give(struct pair *pair)
{
    static char item;
    for (uint64_t i = 0; i < pair->count; i++) {
        while (!pair->way->give(&pair->there, &item)) {
            doorbell_ring(&pair->peer_bell);
            sched_yield();
        }
        if (i % ITEMS_A_BELL == ITEMS_A_BELL - 1)
            doorbell_ring(&pair->peer_bell);
    }
    doorbell_ring(&pair->peer_bell);
}

static enum tranche_code stream_sample(struct bench_run *run, const struct bench_variant *variant,
                                       struct bench_sample *sample, struct tranche_err *err)
{
    struct pair pair;
    pthread_t peer;
    enum tranche_code code = pair_open(&pair, run, variant, err);
    struct usage start = usage_now();
    if (code == TRANCHE_OK && pthread_create(&peer, NULL, stream_peer, &pair) != 0)
        code = fail(err, TRANCHE_NOMEM, "a thread cannot be started");
    if (code == TRANCHE_OK) {
        stream_give(&pair);
        pthread_join(peer, NULL);
        struct usage used = usage_since(start);
        double items = (double)run->count;
        *sample = (struct bench_sample){ { used.wall_us * 1e3 / items, used.cpu_us * 1e3 / items } };
        if (pair.stuck)
            code = fail(err, TRANCHE_INTERNAL, "a wake-up was lost");
    }
    pair_close(&pair);
    return code;
}

/* ---- there and back ---- */

static void *echo_peer(void *context)
{
    struct pair *pair = context;
    peer_pin(pair);
    while (pair->taken < pair->count && !pair->stuck) {
        void *item = pair->way->take(&pair->there);
        if (item == NULL) {
            pair->stuck = !wait_for(&pair->peer_bell, &pair->there);
            continue;
        }
        pair->taken++;
        pair->way->give(&pair->back, item);
        doorbell_ring(&pair->our_bell);
    }
    return NULL;
}

static bool echo_once(struct pair *pair)
{
    static char item;
    pair->way->give(&pair->there, &item);
    doorbell_ring(&pair->peer_bell);
    while (pair->way->take(&pair->back) == NULL)
        if (!wait_for(&pair->our_bell, &pair->back))
            return false;
    return true;
}

/* Half of there and back is one way, in microseconds. */
static enum tranche_code echo_all(struct pair *pair, double *one_way_us, struct tranche_err *err)
{
    pthread_t peer;
    bool fine = true;
    if (pthread_create(&peer, NULL, echo_peer, pair) != 0)
        return fail(err, TRANCHE_NOMEM, "a thread cannot be started");
    for (uint64_t i = 0; i < pair->count && fine; i++) {
        double start_us = usage_now().wall_us;
        fine = echo_once(pair);
        one_way_us[i] = (usage_now().wall_us - start_us) / 2;
    }
    pthread_join(peer, NULL);
    return fine && !pair->stuck ? TRANCHE_OK : fail(err, TRANCHE_INTERNAL, "a wake-up was lost");
}

static enum tranche_code echo_sample(struct bench_run *run, const struct bench_variant *variant,
                                     struct bench_sample *sample, struct tranche_err *err)
{
    struct pair pair;
    double *one_way_us = calloc(run->count, sizeof *one_way_us);
    enum tranche_code code = pair_open(&pair, run, variant, err);
    if (code == TRANCHE_OK && one_way_us == NULL)
        code = fail(err, TRANCHE_NOMEM, "out of memory");
    if (code == TRANCHE_OK)
        code = echo_all(&pair, one_way_us, err);
    if (code == TRANCHE_OK) {
        double median = spread_of(one_way_us, (uint32_t)run->count).median;
        *sample = (struct bench_sample){ { median, one_way_us[run->count * 99 / 100] } };
    }
    pair_close(&pair);
    free(one_way_us);
    return code;
}

static const struct way one_core = { ring_give_spsc, ring_take_spsc, false },
                        two_cores = { ring_give_spsc, ring_take_spsc, true },
                        shared = { give_spmc, take_spmc, true };

static const struct bench_variant stream_variants[] = {
    { .name = "two cores", .what = &two_cores },
    { .name = "one core", .what = &one_core },
    { .name = "two cores, spmc ring", .what = &shared },
};

static const struct bench_variant echo_variants[] = {
    { .name = "two cores", .what = &two_cores },
    { .name = "one core", .what = &one_core },
};

static const struct bench_group groups[] = {
    {
        .name = "ring",
        .about = "a stream of pointers, a doorbell every 64",
        .unit = "items a sample",
        .counts = { 10000, 1000000, 1000000 },
        .metrics = { "ns/item", "CPU ns/item" },
        .variants = stream_variants,
        .variant_count = BENCH_COUNT(stream_variants),
        .base = 0,
        .sample = stream_sample,
    },
    {
        .name = "wake-up",
        .about = "from giving one pointer until its sleeping taker has it",
        .unit = "times a sample",
        .counts = { 100, 5000, 5000 },
        .metrics = { "µs, median", "µs, 99 %" },
        .variants = echo_variants,
        .variant_count = BENCH_COUNT(echo_variants),
        .base = BENCH_NO_BASE,
        .sample = echo_sample,
    },
};

const struct bench_table ring_benches = { groups, BENCH_COUNT(groups) };
