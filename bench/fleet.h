/* A store with a fleet in it, and transactions on it that wait while the store is busy with itself. */
#ifndef FLEET_H
#define FLEET_H

#include <stdint.h>
#include <tranche/err.h>
#include <tranche/store.h>

#define FLEET_TEMPLATE     "dtmi:tranche:bench;1"       /* of every other device */
#define FLEET_TEMPLATE_TOO "dtmi:tranche:bench:other;1" /* of the rest */
#define FLEET_FLOORS       100                          /* property "floor" goes from 0 to this */

enum tranche_code fleet_store_open(const char *directory, struct tranche_store **store, struct tranche_err *err);
void fleet_store_close(struct tranche_store *store); /* NULL is fine */

/* Imports so many devices, dev-0000000 and on, sorted, the way a client's import goes in; and the group "all". */
enum tranche_code fleet_import(struct tranche_store *store, const char *directory, uint32_t devices,
                               struct tranche_err *err);

/* The same devices otherwise written: as CSV; under ids without any order, as a list of GUIDs has them. */
enum fleet_manner { FLEET_SORTED, FLEET_CSV, FLEET_GUIDS };
enum tranche_code fleet_import_as(struct tranche_store *store, const char *directory, uint32_t devices,
                                  enum fleet_manner manner, struct tranche_err *err);

/* fleet_import into a new store, in a child whose memory is gone afterwards. The directory is made. */
enum tranche_code fleet_fill(const char *directory, uint32_t devices, struct tranche_err *err);

enum tranche_code fleet_begin(struct tranche_store *store, struct tranche_err *err);
enum tranche_code fleet_commit(struct tranche_store *store, struct tranche_err *err);

#endif
