/* The core: decides what happens to jobs. One thread, no I/O of its own, no clock: it is given `now`, a store and a world,
 * so that whole job lives run in a simulated world.
 *
 * A tick, in this order: end the commit that was started; take what workers gave back and count it; take what the reader
 * answered; carry out commands; move jobs on; and, if the commit rule says so, choose the next devices and write
 * everything that changed in one transaction. Only after that commit has ended well are tasks given to workers and
 * commands answered. While a commit runs nothing is decided.
 *
 * How it fails: a transaction that fails is written again later, since whatever differs from the store stays marked; until
 * it succeeds no task is given. A commit with an unknown end is settled by the commit number in the store.
 */
#ifndef CORE_H
#define CORE_H

#include "command.h"
#include "config.h"
#include "world.h"

#include <tranche/connector.h>
#include <tranche/store.h>

struct core;

/* Borrows everything but the configuration, which it copies. */
enum tranche_code core_open(struct core **core, const struct config *config, struct tranche_store *store,
                            struct world *world, const struct tranche_connector *connector,
                            const void *connector_state, struct tranche_err *err);
/* The workers must have ended; tasks they still held are dropped, their intents stay open in the store. Open commands are
 * answered TRANCHE_UNAVAILABLE. NULL is fine. */
void core_close(struct core *core);

/* Loads the jobs that have something to do and settles every open intent (reliability.md 3.2): commands become unknown,
 * property writes wait to be sent again. Durable once core_tick has made core_is_recovered true; nothing is issued before. */
enum tranche_code core_recover(struct core *core, int64_t now_us, struct tranche_err *err);
bool core_is_recovered(const struct core *core);

/* Hands a command over; it is answered by its `done`. */
void core_post(struct core *core, struct command *command);

/* One turn. `now_us` is the calendar's time, `mono_us` a clock that never steps, for waits and rates. Returns the time on the
 * latter at which it wants to be called at the latest (INT64_MAX: only when something comes in). */
int64_t core_tick(struct core *core, int64_t now_us, int64_t mono_us);

/* Stops issuing and takes back what was not sent; jobs stay as they are. core_is_drained: no task is with a worker and
 * nothing waits to be written. */
void core_drain(struct core *core);
/* The end of a drain, whether it came in time or not: commands that are still open are answered TRANCHE_UNAVAILABLE. */
void core_refuse_orders(struct core *core);
bool core_is_drained(const struct core *core);
uint32_t core_tasks_out(const struct core *core); /* tasks with workers */

/* Whether the store takes writes; else false with the reason. */
bool core_is_healthy(const struct core *core, struct tranche_err *err);

/* Counters since it was opened. */
struct core_counters {
    uint64_t commits, commits_failed, results, intents, tasks_given;
    uint64_t commit_us; /* time spent in transactions, by mono_us of the ticks around it */
};
const struct core_counters *core_counters(const struct core *core);

#endif
