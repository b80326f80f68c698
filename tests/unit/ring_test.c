#include "ring.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

static int things[64];

static bool fd_readable(int fd)
{
    struct pollfd look = { .fd = fd, .events = POLLIN };
    return poll(&look, 1, 0) == 1;
}

static struct ring ring_of(uint32_t slots)
{
    struct ring ring;
    cr_assert_eq(ring_open(&ring, slots, NULL), TRANCHE_OK);
    return ring;
}

Test(ring, holds_one_less_than_its_slots)
{
    struct ring ring = ring_of(8);
    cr_assert_eq(ring.capacity, 7);

    for (int i = 0; i < 7; i++)
        cr_assert(ring_give_spsc(&ring, &things[i]));

    cr_assert_not(ring_give_spsc(&ring, &things[7]));
    cr_assert_eq(ring_count(&ring), 7);
    ring_close(&ring);
}

Test(ring, gives_back_in_order_over_many_laps)
{
    struct ring ring = ring_of(4);
    unsigned given = 0, taken = 0;

    while (taken < 1000) {
        for (unsigned burst = 0; burst <= given % 3; burst++, given++)
            cr_assert(ring_give_spsc(&ring, &things[given % 64]));
        while (ring_count(&ring) > 0)
            cr_assert_eq(ring_take_spsc(&ring), &things[taken++ % 64]);
    }

    cr_assert_eq(given, taken);
    cr_assert_null(ring_take_spsc(&ring));
    ring_close(&ring);
}

Test(ring, room_comes_back_with_each_taking)
{
    struct ring ring = ring_of(4);
    for (int i = 0; i < 3; i++)
        cr_assert(ring_give_spsc(&ring, &things[i]));

    cr_assert_eq(ring_take_spsc(&ring), &things[0]);

    cr_assert(ring_give_spsc(&ring, &things[3]));
    cr_assert_not(ring_give_spsc(&ring, &things[4]));
    ring_close(&ring);
}

Test(doorbell, wakes_only_who_sleeps)
{
    struct doorbell bell;
    cr_assert_eq(doorbell_open(&bell, NULL), TRANCHE_OK);

    doorbell_ring(&bell);
    cr_assert_not(fd_readable(bell.fd), "nobody was asleep");

    doorbell_arm(&bell);
    cr_assert_not(fd_readable(bell.fd), "nobody rang since");
    doorbell_ring(&bell);
    cr_assert(fd_readable(bell.fd));
    doorbell_close(&bell);
}

Test(doorbell, is_quiet_after_disarming_however_often_it_was_rung)
{
    struct doorbell bell;
    cr_assert_eq(doorbell_open(&bell, NULL), TRANCHE_OK);

    for (int rings = 0; rings < 4; rings++) {
        doorbell_arm(&bell);
        for (int i = 0; i < rings; i++)
            doorbell_ring(&bell);
        doorbell_disarm(&bell);
        cr_assert_not(fd_readable(bell.fd), "after %d rings", rings);
        doorbell_disarm(&bell); /* twice does no harm */
    }

    doorbell_ring(&bell);
    cr_assert_not(fd_readable(bell.fd));
    doorbell_close(&bell);
}

/* The producer wins the flag, the consumer disarms, and only then the producer's write arrives. */
Test(doorbell, a_late_ring_wakes_once_and_not_for_ever)
{
    struct doorbell bell;
    cr_assert_eq(doorbell_open(&bell, NULL), TRANCHE_OK);
    doorbell_arm(&bell);
    bell.sleeping = 0; /* as the producer's swap leaves it */
    doorbell_disarm(&bell);
    uint64_t one = 1;
    cr_assert_eq(write(bell.fd, &one, sizeof one), (ssize_t)sizeof one);

    doorbell_arm(&bell);
    cr_assert(fd_readable(bell.fd));
    doorbell_disarm(&bell);

    doorbell_arm(&bell);
    cr_assert_not(fd_readable(bell.fd));
    doorbell_close(&bell);
}
