#include "imports.h"

#include "fail.h"

#include <string.h>

void imports_open(struct imports *imports)
{
    *imports = (struct imports){ 0 };
    pthread_mutex_init(&imports->mutex, NULL);
}

void imports_close(struct imports *imports)
{
    pthread_mutex_destroy(&imports->mutex);
}

/* Holding the mutex. NULL: nobody has the id; "" finds a free place. */
static struct import_place *find(struct imports *imports, const char *id)
{
    for (unsigned i = 0; i < IMPORTS_MAX; i++)
        if (strcmp(imports->places[i].id, id) == 0)
            return &imports->places[i];
    return NULL;
}

enum tranche_code imports_enter(struct imports *imports, const char *id, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    pthread_mutex_lock(&imports->mutex);
    struct import_place *place = find(imports, "");
    if (find(imports, id) != NULL)
        code = fail(err, TRANCHE_CONFLICT, "Import \"%s\" exists already.", id);
    else if (place == NULL)
        code = fail(err, TRANCHE_TOOMANY, "%d imports are under way already; try again later.", IMPORTS_MAX);
    else
        strcpy(place->id, id);
    pthread_mutex_unlock(&imports->mutex);
    return code;
}

void imports_set(struct imports *imports, const char *id, const struct import *import)
{
    pthread_mutex_lock(&imports->mutex);
    find(imports, id)->import = import;
    pthread_mutex_unlock(&imports->mutex);
}

void imports_leave(struct imports *imports, const char *id)
{
    pthread_mutex_lock(&imports->mutex);
    *find(imports, id) = (struct import_place){ 0 };
    pthread_mutex_unlock(&imports->mutex);
}

bool imports_at(struct imports *imports, unsigned place, char id[TRANCHE_ID_BYTES],
                struct import_progress *progress)
{
    pthread_mutex_lock(&imports->mutex);
    const struct import_place *at = &imports->places[place];
    bool is_open = at->import != NULL;
    if (is_open) {
        strcpy(id, at->id);
        *progress = import_progress(at->import);
    }
    pthread_mutex_unlock(&imports->mutex);
    return is_open;
}
