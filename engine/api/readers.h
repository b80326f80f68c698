/* A bounded pool of the store's readers: as many as there are threads that may want one, so that nobody ever
 * waits. Readers are opened when first needed and kept. Any thread. */
#ifndef READERS_H
#define READERS_H

#include <pthread.h>
#include <tranche/store.h>

struct readers {
    struct tranche_store *store;
    pthread_mutex_t mutex;
    struct tranche_reader **idle; /* idle_count of them */
    unsigned idle_count;
    unsigned out_count; /* taken and not given back */
    unsigned count_max;
};

enum tranche_code readers_open(struct readers *readers, struct tranche_store *store, unsigned count_max,
                               struct tranche_err *err);
void readers_close(struct readers *readers); /* all must have been given back; a zeroed pool is fine */

/* Fails only when a reader cannot be opened. */
enum tranche_code readers_take(struct readers *readers, struct tranche_reader **reader,
                               struct tranche_err *err);
void readers_give(struct readers *readers, struct tranche_reader *reader);

#endif
