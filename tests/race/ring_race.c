/* Looks for lost wake-ups, and for items lost, doubled or out of order. Usage: ring_race [items]. Prints one line.
 *
 * Every producer has a ring, and all share the doorbell of one consumer, who sleeps with a deadline: when it passes and a
 * ring has something in it, a wake-up was lost. A later give would hide that, so it is looked for with one producer who
 * gives an item and waits until it is taken, at about the time at which the consumer arms: a wake-up lost then stops
 * both. Without either of the two fences it is found within a second. Then three producers at once give as fast as they can.
 */
#include "ring.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define PRODUCERS_MAX 3
#define SLOTS         64
#define ITEMS_DEFAULT 2000000 /* at once; a tenth of it in step */
#define HOT_TURNS     2000
#define DEADLINE_MS   2000    /* no scheduler keeps a rung consumer waiting that long */

struct item {
    uint64_t number; /* plain: the hand-over alone must make it visible */
};

struct producer {
    pthread_t thread;
    struct ring ring;
    struct doorbell *bell;
    struct item *items;
    uint64_t item_count;
    bool in_step; /* waits for each item to be taken */
    uint64_t taken; /* written by the consumer */
};

static _Noreturn void failed(const char *what)
{
    printf("ring_race: FAILED: %s\n", what);
    exit(1);
}

/* About as long as the next item needs to come, so that it meets the arming: `turns` is longer after each time the
 * consumer had to sleep, shorter after each time it had not. */
static void linger(uint64_t turns)
{
    static uint64_t random = 88172645463325252u;
    random = random * 6364136223846793005u + 1442695040888963407u;
    turns += random >> 59; /* and 0 to 31 by chance */
    for (volatile uint64_t left = turns; left > 0; left--)
        ;
}

/* Hot for a while, as this is about nanoseconds; then it lets others have the core. */
static void wait_for(const uint64_t *taken, uint64_t target)
{
    for (int turns = 0; __atomic_load_n(taken, __ATOMIC_RELAXED) != target; turns++)
        if (turns > HOT_TURNS)
            sched_yield();
}

static void *producer_run(void *context)
{
    struct producer *producer = context;
    for (uint64_t i = 0; i < producer->item_count; i++) {
        producer->items[i].number = i;
        while (!ring_give_spsc(&producer->ring, &producer->items[i]))
            sched_yield();
        doorbell_ring(producer->bell);
        if (producer->in_step)
            wait_for(&producer->taken, i + 1);
    }
    return NULL;
}

/* Takes what is there; false: nothing was. */
static bool take_all(struct producer *producers, int producer_count)
{
    bool any = false;
    for (int i = 0; i < producer_count; i++) {
        struct producer *producer = &producers[i];
        struct item *item;
        while ((item = ring_take_spsc(&producer->ring)) != NULL) {
            if (item->number != producer->taken)
                failed("an item came out of order");
            any = true;
            __atomic_store_n(&producer->taken, producer->taken + 1, __ATOMIC_RELAXED);
        }
    }
    return any;
}

static bool all_taken(const struct producer *producers, int producer_count)
{
    for (int i = 0; i < producer_count; i++)
        if (producers[i].taken < producers[i].item_count)
            return false;
    return true;
}

static void sleep_on(struct doorbell *bell, const struct producer *producers, int producer_count)
{
    /* Slow to fall asleep: a ring within this time costs no switch of threads, which makes far more tries a second. */
    for (int turns = 0; turns < HOT_TURNS && ck_pr_load_32(&bell->sleeping) != 0; turns++)
        ck_pr_stall();
    struct pollfd rung = { .fd = bell->fd, .events = POLLIN };
    if (poll(&rung, 1, DEADLINE_MS) != 0)
        return;
    for (int i = 0; i < producer_count; i++)
        if (ring_count(&producers[i].ring) > 0)
            failed("a wake-up was lost");
}

static uint64_t consume(struct doorbell *bell, struct producer *producers, int producer_count)
{
    uint64_t sleeps = 0, turns = 0;
    while (!all_taken(producers, producer_count)) {
        if (take_all(producers, producer_count)) {
            turns -= turns > 0;
            linger(turns);
            continue;
        }
        doorbell_arm(bell);
        if (!take_all(producers, producer_count)) {
            sleep_on(bell, producers, producer_count);
            sleeps++;
            turns += 2;
        }
        doorbell_disarm(bell);
    }
    return sleeps;
}

/* Runs `item_count` items through `producer_count` producers; returns how often the consumer slept. */
static uint64_t round_run(int producer_count, uint64_t item_count, bool in_step)
{
    struct producer producers[PRODUCERS_MAX] = { 0 };
    struct doorbell bell;
    if (doorbell_open(&bell, NULL) != TRANCHE_OK)
        failed("no doorbell");
    for (int i = 0; i < producer_count; i++) {
        struct producer *producer = &producers[i];
        producer->bell = &bell;
        producer->item_count = item_count / (uint64_t)producer_count;
        producer->in_step = in_step;
        producer->items = calloc(producer->item_count, sizeof(struct item));
        if (producer->items == NULL || ring_open(&producer->ring, SLOTS, NULL) != TRANCHE_OK ||
            pthread_create(&producer->thread, NULL, producer_run, producer) != 0)
            failed("no producer");
    }

    uint64_t sleeps = consume(&bell, producers, producer_count);

    for (int i = 0; i < producer_count; i++) {
        pthread_join(producers[i].thread, NULL);
        if (ring_count(&producers[i].ring) != 0)
            failed("more came out than went in");
        ring_close(&producers[i].ring);
        free(producers[i].items);
    }
    doorbell_close(&bell);
    return sleeps;
}

int main(int argc, char **argv)
{
    uint64_t item_count = argc > 1 ? strtoull(argv[1], NULL, 10) : ITEMS_DEFAULT;
    uint64_t in_step = round_run(1, item_count / 10, true);
    uint64_t at_once = round_run(PRODUCERS_MAX, item_count, false);
    printf("ring_race: %" PRIu64 " items in step, %" PRIu64 " sleeps; %" PRIu64 " at once, %" PRIu64
           " sleeps; no wake-up lost\n", item_count / 10, in_step, item_count, at_once);
    return 0;
}
