/* The runner: the engine thread with its workers and its reader thread, as seen from the floors above.
 *
 * runner_open recovers before it returns: open intents are settled, so a server may open its listener afterwards.
 */
#ifndef RUNNER_H
#define RUNNER_H

#include "command.h"

#include "config.h"

#include <tranche/connector.h>
#include <tranche/store.h>

struct runner;

/* Borrows store, connector and its state until runner_close; copies the configuration. */
enum tranche_code runner_open(struct runner **runner, const struct config *config, struct tranche_store *store,
                              const struct tranche_connector *connector, const void *connector_state,
                              struct tranche_err *err);

/* Any thread. Never blocks. After TRANCHE_OK `done` will be called exactly once, on the engine thread. */
enum tranche_code runner_post(struct runner *runner, struct command *command, struct tranche_err *err);

/* Whether the engine accepts writes now; false with the reason in err while the store refuses them. Any thread. */
bool runner_is_healthy(struct runner *runner, struct tranche_err *err);

/* Calls at once, over all jobs, that descriptors allow. */
uint32_t runner_calls_max(const struct runner *runner);

/* Stops issuing, lets calls in flight end (drain_timeout_ms at most), commits, and ends the engine thread. Posted commands
 * are answered; later posts are refused, so the floors above may still hold the runner until runner_close. Returns the
 * number of calls that had not ended. */
uint32_t runner_stop(struct runner *runner);
void runner_close(struct runner *runner); /* after runner_stop; ends the other threads, dropping calls that are left */

#endif
