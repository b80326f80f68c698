#include "sqlite_place.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static struct tranche_store *place_open(struct store_place *place)
{
    struct tranche_err err = { 0 };
    struct tranche_store *store = NULL;
    cr_assert_eq(sqlite_store_open(&((struct sqlite_place *)place)->options, &store, &err), TRANCHE_OK, "%s", err.text);
    return store;
}

void sqlite_place_make(struct sqlite_place *place)
{
    *place = (struct sqlite_place){ .place.open = place_open };
    snprintf(place->directory, sizeof place->directory, "/tmp/tranche-store-XXXXXX");
    cr_assert_not_null(mkdtemp(place->directory));
    place->options.directory = place->directory;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

void sqlite_place_remove(struct sqlite_place *place)
{
    nftw(place->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *sqlite_place_path(const struct sqlite_place *place, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", place->directory, name);
    return path;
}
