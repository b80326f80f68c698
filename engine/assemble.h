/* The stairwell: assembles store, connector, engine and counter from a configuration. The one place that names
 * implementations. <tranche/engine.h> is how others use it; the program `tranche` comes in here, with a configuration that
 * it has read itself. */
#ifndef ASSEMBLE_H
#define ASSEMBLE_H

#include "config.h"

#include <pthread.h>
#include <tranche/engine.h>

struct runner;
struct server;

struct tranche_engine {
    struct tranche_store *store;
    const struct tranche_connector *connector;
    void *connector_state;      /* ours, from the connector's open; NULL when it was lent */
    struct config config;       /* the server's, for as long as it runs */
    struct runner *runner;
    struct server *server;      /* NULL: none */
    pthread_mutex_t reading;    /* guards the reader: callers of the library share it */
    struct tranche_reader *reader; /* NULL until the library needs it */
};

/* Opens floor by floor: store (lock, migrations), connector, engine with recovery, listener (none where `listen` is empty).
 * `connector`: the caller's, instead of the configured one; NULL: none. */
enum tranche_code engine_assemble(struct tranche_engine **engine, const struct config *config,
                                  const struct tranche_connector *connector, const void *connector_state,
                                  struct tranche_err *err);

/* Reads anew what may change while all goes on: the server's TLS files. Says in the log what became of it. One thread at a
 * time, and not while the engine closes. */
void engine_reload(struct tranche_engine *engine);

#endif
