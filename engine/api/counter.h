/* What all requests share: the configuration, the readers, the way to the runner. Made and owned by server.c;
 * fixed while requests come, apart from the count. */
#ifndef COUNTER_H
#define COUNTER_H

#include "config.h"
#include "readers.h"
#include "runner.h"

#include <stdatomic.h>

#define IMPORTS_MAX 2 /* bulk imports at once: each spools up to import_bytes_max on the disk */

struct counter {
    const struct config *config;
    struct runner *runner;
    struct readers readers;
    atomic_uint imports; /* being received or going in */
};

#endif
