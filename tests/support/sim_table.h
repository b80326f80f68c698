/* Rows with a past: a table of the simulated store.
 *
 * Under each key hangs a chain of versions, newest first. A version is open as long as its transaction is,
 * and counts from a moment on once that is committed. Whoever reads says as of when: the writer sees open
 * versions, a reader those of its moment. So a commit stamps what was touched, a rollback drops it, and
 * nothing is ever copied.
 *
 * Keys are kept ascending in one array; new ones mostly come at its end. Running out of memory aborts: this
 * is a test.
 */
#ifndef SIM_TABLE_H
#define SIM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_OPEN UINT64_MAX /* the moment of what is not committed; as a view, it is the writer's */

/* The head of every row, which is one piece of memory with all its strings. */
struct sim_row {
    struct sim_row *older;
    uint64_t since; /* the moment from which on it counts */
    bool gone;      /* the key has no row from then on */
};

struct sim_slot {
    uint64_t key;
    struct sim_row *newest;
};

/* Zeroed is empty. */
struct sim_table {
    struct sim_slot *slots;
    uint32_t count, capacity;
};

void *sim_row_new(size_t bytes); /* zeroed */
/* Room for a string in a row, and its way there: it is copied to where *tail points, which moves on. NULL
 * stays NULL. */
size_t sim_string_bytes(const char *string);
char *sim_string_keep(char **tail, const char *string);

/* The row under a key as of a moment; NULL: none. */
void *sim_table_find(const struct sim_table *table, uint64_t key, uint64_t view);
/* The place of the first key that is not smaller. */
uint32_t sim_table_from(const struct sim_table *table, uint64_t key);
/* Walks the rows of a moment from place *at on; NULL at the end. The row's key is that of place *at - 1. */
void *sim_table_next(const struct sim_table *table, uint32_t *at, uint64_t view);
uint64_t sim_table_last(const struct sim_table *table); /* the largest key; 0: none */

/* Takes the row as the key's open version, in place of the one it may have. True: there was none. */
bool sim_table_put(struct sim_table *table, uint64_t key, void *row);
/* The key's open version counts from `now` on. Older ones go, unless somebody may still read them. */
void sim_table_commit(struct sim_table *table, uint64_t key, uint64_t now, bool keep_older);
/* Drops the key's open version; a key without a version is forgotten. */
void sim_table_undo(struct sim_table *table, uint64_t key);
void sim_table_free(struct sim_table *table);

#endif
