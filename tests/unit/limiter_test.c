#include "limiter.h"

#include <criterion/criterion.h>

#define SECOND_US INT64_C(1000000)

static struct limiter limiter;

static void open_limiter(void)
{
    limiter_open(&limiter);
}

static void close_limiter(void)
{
    limiter_close(&limiter);
}

TestSuite(limiter, .init = open_limiter, .fini = close_limiter);

/* How many of `tries` at once are let through. */
static int taken(const char *key, int tries, int64_t now_us)
{
    int count = 0;
    for (int i = 0; i < tries; i++)
        count += limiter_take(&limiter, key, 1, now_us, 2 * SECOND_US, 5);
    return count;
}

Test(limiter, lets_a_burst_through_and_then_one_by_one)
{
    cr_assert_eq(taken("a", 100, 0), 5);
    cr_assert_eq(taken("a", 100, 2 * SECOND_US - 1), 0);
    cr_assert_eq(taken("a", 100, 2 * SECOND_US), 1);
    cr_assert_eq(taken("a", 100, 3600 * SECOND_US), 5);
}

Test(limiter, keys_do_not_share_unless_their_places_do)
{
    int alone = 0;
    cr_assert_eq(taken("a", 100, 0), 5);
    for (char key[2] = "b"; key[0] <= 'z'; key[0]++)
        alone += taken(key, 100, 0) == 5;
    cr_assert_geq(alone, 23, "%d", alone); /* of 25, in 4,096 places */
}

Test(limiter, a_clock_that_steps_back_shuts_nobody_out)
{
    cr_assert_eq(taken("a", 100, 10000 * SECOND_US), 5);
    cr_assert_eq(taken("a", 100, 90 * SECOND_US), 5);
}
