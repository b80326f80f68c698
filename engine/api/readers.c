#include "readers.h"

#include "fail.h"

#include <assert.h>
#include <stdlib.h>

enum tranche_code readers_open(struct readers *readers, struct tranche_store *store, unsigned count_max,
                               struct tranche_err *err)
{
    assert(count_max > 0);
    *readers = (struct readers){ .store = store, .count_max = count_max };
    readers->idle = calloc(count_max, sizeof readers->idle[0]);
    if (readers->idle == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    pthread_mutex_init(&readers->mutex, NULL);
    return TRANCHE_OK;
}

void readers_close(struct readers *readers)
{
    if (readers->idle == NULL)
        return;
    assert(readers->out_count == 0);
    for (unsigned i = 0; i < readers->idle_count; i++)
        readers->idle[i]->functions->close(readers->idle[i]);
    free(readers->idle);
    pthread_mutex_destroy(&readers->mutex);
    *readers = (struct readers){ 0 };
}

enum tranche_code readers_take(struct readers *readers, struct tranche_reader **reader,
                               struct tranche_err *err)
{
    *reader = NULL;
    pthread_mutex_lock(&readers->mutex);
    if (readers->idle_count > 0)
        *reader = readers->idle[--readers->idle_count];
    readers->out_count++;
    assert(readers->out_count + readers->idle_count <= readers->count_max);
    pthread_mutex_unlock(&readers->mutex);
    if (*reader != NULL)
        return TRANCHE_OK;

    /* Opening reads files, so not under the mutex; the place is already ours. */
    enum tranche_code code = readers->store->functions->reader_open(readers->store, reader, err);
    if (code == TRANCHE_OK)
        return TRANCHE_OK;
    pthread_mutex_lock(&readers->mutex);
    readers->out_count--;
    pthread_mutex_unlock(&readers->mutex);
    return fail_in(err, code, "open a reader");
}

void readers_give(struct readers *readers, struct tranche_reader *reader)
{
    pthread_mutex_lock(&readers->mutex);
    assert(readers->out_count > 0);
    readers->out_count--;
    readers->idle[readers->idle_count++] = reader;
    pthread_mutex_unlock(&readers->mutex);
}
