/* The stairwell: assembles store, connector, engine and counter from a configuration. The one place that names
 * implementations. */
#ifndef ENGINE_H
#define ENGINE_H

#include "config.h"

struct tranche_engine;

/* Opens floor by floor: store (lock, migrations), connector, engine with recovery, listener. */
enum tranche_code tranche_engine_open(struct tranche_engine **engine, const struct config *config,
                                      struct tranche_err *err);
unsigned tranche_engine_port(const struct tranche_engine *engine);
/* Closes in reverse: no new requests, calls in flight end (drain_timeout_ms at most), commit. Returns the calls that had
 * not ended by then. */
uint32_t tranche_engine_close(struct tranche_engine *engine);

#endif
