/* What all requests share: the configuration, the readers, the way to the runner. Made and owned by server.c;
 * fixed while requests come, apart from the count. */
#ifndef COUNTER_H
#define COUNTER_H

#include "config.h"
#include "imports.h"
#include "limiter.h"
#include "readers.h"
#include "runner.h"

struct counter {
    const struct config *config;
    struct runner *runner;
    struct readers readers;
    struct imports imports; /* being received or going in */
    struct limiter failures; /* of logins, by address and by name */
    struct limiter requests; /* by token */
};

#endif
