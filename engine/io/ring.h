/* A bounded queue of pointers between exactly two threads, and the doorbell that wakes its consumer.
 *
 * One producer, one consumer, never more (ck_ring's spsc form). Giving a pointer away ends the giver's right to touch
 * what it points to; taking it begins the taker's. A ring of n slots holds n - 1 pointers.
 *
 * A doorbell belongs to one consumer, who may listen to several rings with it. The consumer's loop is:
 *
 *     take all it can; doorbell_arm; look at every ring once more; if all are empty, wait on doorbell.fd; doorbell_disarm
 *
 * and a producer calls doorbell_ring after giving. Both sides pass a full fence between their write and their look, so
 * that one of them always sees the other: without the fences a pointer could lie in the ring while its consumer sleeps.
 */
#ifndef RING_H
#define RING_H

#include <ck_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <tranche/err.h>

/* Zeroed is closed. */
struct doorbell {
    int fd;            /* eventfd, readable when somebody rang */
    uint32_t sleeping; /* 1 from arming until somebody rings or the consumer disarms; written by both sides */

    /* the consumer's own */
    bool armed;
    uint64_t owed; /* rings that were won but not yet read from fd */
};

enum tranche_code doorbell_open(struct doorbell *bell, struct tranche_err *err);
void doorbell_close(struct doorbell *bell);
void doorbell_arm(struct doorbell *bell);    /* consumer: I am about to look once more and then sleep */
void doorbell_disarm(struct doorbell *bell); /* consumer: I am awake; empties the fd */
void doorbell_ring(struct doorbell *bell);   /* any producer, after giving: costs a system call only if armed */

struct ring {
    struct ck_ring ring;
    struct ck_ring_buffer *slots;
    uint32_t capacity; /* pointers it can hold: slots - 1 */
};

/* `slots` is a power of two, at least 4. */
enum tranche_code ring_open(struct ring *ring, uint32_t slots, struct tranche_err *err);
void ring_close(struct ring *ring); /* must be empty or hold only what others free; does not free pointers */
bool ring_give_spsc(struct ring *ring, void *item); /* false: full, the item is still the caller's */
void *ring_take_spsc(struct ring *ring);            /* NULL: empty */
uint32_t ring_count(const struct ring *ring);       /* exact for the two ends, a snapshot for others */

#endif
