/* Twin of fleetsim_delay.c. */
#include "fleetsim_delay.h"

#include <criterion/criterion.h>

#define WAITERS 1000

static struct delay waiters[WAITERS];

/* A fixed scatter of 1000 times with some equal ones. */
static uint64_t time_of(size_t i)
{
    return (i * 7919 + 13) % 997;
}

static void put_all(struct delays *delays)
{
    for (size_t i = 0; i < WAITERS; i++)
        delays_put(delays, &waiters[i], time_of(i));
}

/* Takes out what is left and checks that it comes in order. */
static size_t drain(struct delays *delays)
{
    uint64_t last_us = 0;
    size_t count = 0;
    for (struct delay *first; (first = delays_first(delays)) != NULL; count++) {
        cr_expect(first->due_us >= last_us);
        last_us = first->due_us;
        delays_cut(delays, first);
        cr_expect_not(delay_is_set(first));
    }
    return count;
}

Test(fleetsim_delay, nothing_is_due_when_nothing_waits)
{
    struct delays delays = { 0 };
    cr_expect_null(delays_first(&delays));
    delays_free(&delays);
}

Test(fleetsim_delay, what_is_due_first_comes_first)
{
    struct delays delays = { 0 };
    put_all(&delays);
    cr_expect_eq(drain(&delays), WAITERS);
    delays_free(&delays);
}

Test(fleetsim_delay, any_may_be_taken_out_and_put_again)
{
    struct delays delays = { 0 };
    put_all(&delays);

    for (size_t i = 0; i < WAITERS; i += 3)
        delays_cut(&delays, &waiters[i]);
    for (size_t i = 0; i < WAITERS; i += 6)
        delays_put(&delays, &waiters[i], time_of(i + 1));
    delays_cut(&delays, &waiters[3]); /* is out already */

    cr_expect_eq(drain(&delays), WAITERS - (WAITERS + 2) / 3 + (WAITERS + 5) / 6);
    delays_free(&delays);
}
