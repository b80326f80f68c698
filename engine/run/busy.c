#include "busy.h"

#include <assert.h>
#include <stdlib.h>

#define BUSY_CAPACITY_MIN 1024u

static uint32_t home_of(const struct busy *busy, uint32_t device);
static bool grow(struct busy *busy);

void busy_free(struct busy *busy)
{
    free(busy->slots);
    *busy = (struct busy){ 0 };
}

bool busy_reserve(struct busy *busy)
{
    /* Half full at most, for short searches; without memory for that, one empty slot must end them. */
    return busy->count * 2 < busy->capacity || grow(busy) || busy->count + 1 < busy->capacity;
}

bool busy_take(struct busy *busy, uint32_t device)
{
    assert(device != 0);
    assert(busy->count + 1 < busy->capacity);
    uint32_t i = home_of(busy, device);
    while (busy->slots[i].device != 0) {
        if (busy->slots[i].device == device) {
            busy->slots[i].awaited = true;
            return false;
        }
        i = (i + 1) & (busy->capacity - 1);
    }
    busy->slots[i] = (struct busy_slot){ .device = device };
    busy->count++;
    return true;
}

bool busy_release(struct busy *busy, uint32_t device)
{
    uint32_t mask = busy->capacity - 1;
    uint32_t i = home_of(busy, device);
    while (busy->slots[i].device != device) {
        assert(busy->slots[i].device != 0);
        i = (i + 1) & mask;
    }
    bool awaited = busy->slots[i].awaited;

    /* Close the gap: move back whatever would not be found any more past an empty slot. */
    uint32_t gap = i;
    for (uint32_t j = (i + 1) & mask; busy->slots[j].device != 0; j = (j + 1) & mask) {
        uint32_t home = home_of(busy, busy->slots[j].device);
        if (((j - home) & mask) >= ((j - gap) & mask)) {
            busy->slots[gap] = busy->slots[j];
            gap = j;
        }
    }
    busy->slots[gap] = (struct busy_slot){ 0 };
    busy->count--;
    return awaited;
}

static uint32_t home_of(const struct busy *busy, uint32_t device)
{
    return (device * 2654435761u) & (busy->capacity - 1); /* Knuth's multiplicative hash */
}

static bool grow(struct busy *busy)
{
    uint32_t capacity = busy->capacity ? busy->capacity * 2 : BUSY_CAPACITY_MIN;
    struct busy bigger = { .slots = calloc(capacity, sizeof *bigger.slots), .capacity = capacity };
    if (bigger.slots == NULL)
        return false;
    for (uint32_t i = 0; i < busy->capacity; i++) {
        if (busy->slots[i].device == 0)
            continue;
        uint32_t j = home_of(&bigger, busy->slots[i].device);
        while (bigger.slots[j].device != 0)
            j = (j + 1) & (capacity - 1);
        bigger.slots[j] = busy->slots[i];
        bigger.count++;
    }
    free(busy->slots);
    *busy = bigger;
    return true;
}
