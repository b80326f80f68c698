#include "sim_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 16u

void *sim_row_new(size_t bytes)
{
    void *row = calloc(1, bytes);
    assert(row != NULL);
    return row;
}

size_t sim_string_bytes(const char *string)
{
    return string == NULL ? 0 : strlen(string) + 1;
}

char *sim_string_keep(char **tail, const char *string)
{
    if (string == NULL)
        return NULL;
    char *kept = *tail;
    *tail = stpcpy(kept, string) + 1;
    return kept;
}

static void free_chain(struct sim_row *row)
{
    while (row != NULL) {
        struct sim_row *older = row->older;
        free(row);
        row = older;
    }
}

/* ---- reading ---- */

uint32_t sim_table_from(const struct sim_table *table, uint64_t key)
{
    uint32_t low = 0, high = table->count;
    if (high == 0 || table->slots[high - 1].key < key)
        return high;
    uint64_t guess = key - table->slots[0].key; /* right at once where the keys have no gaps */
    if (guess < high && table->slots[guess].key == key)
        return (uint32_t)guess;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->slots[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct sim_slot *find_slot(const struct sim_table *table, uint64_t key)
{
    uint32_t at = sim_table_from(table, key);
    return at < table->count && table->slots[at].key == key ? &table->slots[at] : NULL;
}

static struct sim_row *row_at(const struct sim_slot *slot, uint64_t view)
{
    struct sim_row *row = slot->newest;
    while (row != NULL && row->since > view)
        row = row->older;
    return row == NULL || row->gone ? NULL : row;
}

void *sim_table_find(const struct sim_table *table, uint64_t key, uint64_t view)
{
    const struct sim_slot *slot = find_slot(table, key);
    return slot == NULL ? NULL : row_at(slot, view);
}

void *sim_table_next(const struct sim_table *table, uint32_t *at, uint64_t view)
{
    while (*at < table->count) {
        struct sim_row *row = row_at(&table->slots[(*at)++], view);
        if (row != NULL)
            return row;
    }
    return NULL;
}

uint64_t sim_table_last(const struct sim_table *table)
{
    return table->count == 0 ? 0 : table->slots[table->count - 1].key;
}

/* ---- writing ---- */

static struct sim_slot *make_slot(struct sim_table *table, uint64_t key)
{
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? SLOTS_MIN : table->capacity * 2;
        table->slots = realloc(table->slots, table->capacity * sizeof *table->slots);
        assert(table->slots != NULL);
    }
    uint32_t at = sim_table_from(table, key);
    struct sim_slot *slot = &table->slots[at];
    memmove(slot + 1, slot, (table->count - at) * sizeof *slot);
    table->count++;
    *slot = (struct sim_slot){ .key = key };
    return slot;
}

static void remove_slot(struct sim_table *table, struct sim_slot *slot)
{
    table->count--;
    memmove(slot, slot + 1, (size_t)(table->slots + table->count - slot) * sizeof *slot);
}

bool sim_table_put(struct sim_table *table, uint64_t key, void *new_row)
{
    struct sim_row *row = new_row;
    struct sim_slot *slot = find_slot(table, key);
    if (slot == NULL)
        slot = make_slot(table, key);
    struct sim_row *before = slot->newest;
    bool replaces = before != NULL && before->since == SIM_OPEN;
    row->since = SIM_OPEN;
    row->older = replaces ? before->older : before;
    slot->newest = row;
    if (replaces)
        free(before);
    return !replaces;
}

void sim_table_commit(struct sim_table *table, uint64_t key, uint64_t now, bool keep_older)
{
    struct sim_slot *slot = find_slot(table, key);
    assert(slot != NULL && slot->newest->since == SIM_OPEN);
    slot->newest->since = now;
    if (keep_older)
        return;
    free_chain(slot->newest->older);
    slot->newest->older = NULL;
    if (slot->newest->gone) {
        free(slot->newest);
        remove_slot(table, slot);
    }
}

void sim_table_undo(struct sim_table *table, uint64_t key)
{
    struct sim_slot *slot = find_slot(table, key);
    assert(slot != NULL && slot->newest->since == SIM_OPEN);
    struct sim_row *dropped = slot->newest;
    slot->newest = dropped->older;
    free(dropped);
    if (slot->newest == NULL)
        remove_slot(table, slot);
}

void sim_table_free(struct sim_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        free_chain(table->slots[i].newest);
    free(table->slots);
    *table = (struct sim_table){ 0 };
}
