#include "loop.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A source that counts, and may undo another when it is told. */
struct bell {
    struct loop_source source;
    struct loop *loop;
    unsigned told;
    uint32_t events;
    struct bell **victim; /* removed, closed and freed when this one is told */
};

static void bell_free(struct bell *bell)
{
    if (bell == NULL)
        return;
    close(bell->source.fd);
    free(bell);
}

static void bell_ready(struct loop_source *source, uint32_t events)
{
    struct bell *bell = (struct bell *)source;
    bell->told++;
    bell->events = events;
    if (bell->victim == NULL || *bell->victim == NULL)
        return;
    struct bell *victim = *bell->victim;
    *bell->victim = NULL;
    loop_remove(bell->loop, victim->source.fd);
    bell_free(victim);
}

static struct bell *bell_of(struct loop *loop, unsigned count)
{
    struct bell *bell = calloc(1, sizeof *bell);
    bell->source.ready = bell_ready;
    bell->loop = loop;
    int fd = eventfd(count, EFD_NONBLOCK);
    cr_assert_eq(loop_add(loop, fd, EPOLLIN, &bell->source, NULL), TRANCHE_OK);
    return bell;
}

static struct loop loop_new(void)
{
    struct loop loop;
    cr_assert_eq(loop_open(&loop, NULL), TRANCHE_OK);
    return loop;
}

Test(loop, tells_what_is_ready_and_nothing_else)
{
    struct loop loop = loop_new();
    struct bell *ready = bell_of(&loop, 1), *quiet = bell_of(&loop, 0);

    cr_assert_eq(loop_wait(&loop, -1), 1);

    cr_assert_eq(ready->told, 1);
    cr_assert_eq(ready->events, EPOLLIN);
    cr_assert_eq(quiet->told, 0);
    bell_free(ready);
    bell_free(quiet);
    loop_close(&loop);
}

Test(loop, a_changed_source_is_told_what_it_now_wants)
{
    struct loop loop = loop_new();
    struct bell *bell = bell_of(&loop, 1);

    loop_change(&loop, bell->source.fd, EPOLLOUT, &bell->source);

    cr_assert_eq(loop_wait(&loop, 0), 1);
    cr_assert_eq(bell->events, EPOLLOUT);
    bell_free(bell);
    loop_close(&loop);
}

Test(loop, a_removed_source_is_told_nothing)
{
    struct loop loop = loop_new();
    struct bell *bell = bell_of(&loop, 1);

    loop_remove(&loop, bell->source.fd);
    loop_remove(&loop, bell->source.fd); /* no harm */

    cr_assert_eq(loop_wait(&loop, 0), 0);
    cr_assert_eq(bell->told, 0);
    bell_free(bell);
    loop_close(&loop);
}

/* Both are ready in one wait and each removes the other: whoever is told first, the other must not be. */
Test(loop, a_source_removed_by_another_in_the_same_wait_is_not_told)
{
    struct loop loop = loop_new();
    struct bell *one = bell_of(&loop, 1), *other = bell_of(&loop, 1);
    one->victim = &other;
    other->victim = &one;

    cr_assert_eq(loop_wait(&loop, 0), 2);

    cr_assert_neq(one == NULL, other == NULL);
    cr_assert_eq(one != NULL ? one->told : other->told, 1);
    bell_free(one);
    bell_free(other);
    loop_close(&loop);
}

Test(loop, waits_about_as_long_as_it_was_told_to)
{
    struct loop loop = loop_new();

    for (int coarse = 0; coarse <= 1; coarse++) {
        loop.coarse = coarse;
        int64_t begin_us = loop_now_us();
        cr_assert_eq(loop_wait(&loop, 20500), 0);
        int64_t waited_us = loop_now_us() - begin_us;
        cr_assert_geq(waited_us, 20500 - 500, "waited %ld us", (long)waited_us);
        cr_assert_lt(waited_us, 2000000, "waited %ld us", (long)waited_us);
    }
    loop_close(&loop);
}

Test(loop, a_descriptor_that_cannot_be_watched_is_refused_in_words)
{
    struct loop loop = loop_new();
    struct bell bell = { .source.ready = bell_ready };
    struct tranche_err err = { 0 };

    cr_assert_eq(loop_add(&loop, 9999, EPOLLIN, &bell.source, &err), TRANCHE_IO);

    cr_assert_str_eq(err.text, "watch descriptor 9999: Bad file descriptor");
    loop_close(&loop);
}
