/* A runner for tests of the counter: it answers commands on a thread of its own against the real store, and
 * makes no calls.
 *
 * Created jobs stay pending; what an engine would have made of them, tests write themselves with
 * fake_runner_do. Texts of refusals are those of api-contract.md 14.
 */
#ifndef FAKE_RUNNER_H
#define FAKE_RUNNER_H

#include "runner.h"

/* Every command posted from now on is answered this much later (but all run side by side). */
void fake_runner_set_delay_ms(struct runner *runner, unsigned delay_ms);

/* Posts are refused with this code, and the runner is unhealthy with it; TRANCHE_OK ends that. */
void fake_runner_set_trouble(struct runner *runner, enum tranche_code code);

/* Commands wait in the runner until it is let go again. */
void fake_runner_hold(struct runner *runner, bool hold);

/* Runs `act` on the runner's thread inside a transaction of its own, which is rolled back when it fails, and
 * waits. */
#define FAKE_CALLS_MAX 1000 /* what runner_calls_max answers */

typedef enum tranche_code fake_runner_act(struct tranche_store *store, void *context,
                                          struct tranche_err *err);
enum tranche_code fake_runner_do(struct runner *runner, fake_runner_act *act, void *context,
                                 struct tranche_err *err);

/* Transactions ended by COMMAND_WRITE so far. */
unsigned fake_runner_slices(const struct runner *runner);

#endif
