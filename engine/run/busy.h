/* Which devices have a call open, across all jobs: at most one each. A hash set by device number, bounded by the sum of
 * the jobs' windows. Belongs to the engine thread. */
#ifndef BUSY_H
#define BUSY_H

#include <stdbool.h>
#include <stdint.h>

struct busy_slot {
    uint32_t device; /* 0: empty; device numbers start at 1 */
    bool awaited;    /* somebody wants it after this */
};

struct busy {
    struct busy_slot *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

void busy_free(struct busy *busy);
bool busy_reserve(struct busy *busy); /* room for one more; false: out of memory */
/* Takes the device; there is room. False: it is taken, and now noted as awaited. */
bool busy_take(struct busy *busy, uint32_t device);
/* Releases a taken device; true when somebody waits for it. */
bool busy_release(struct busy *busy, uint32_t device);

#endif
