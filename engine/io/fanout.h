/* The fan-out: many HTTP calls at once on one thread. Start a call with prepared words and a deadline; get an answer or
 * a classified end. Knows nothing of jobs, and nothing above it knows curl.
 *
 * Implemented by small libcurl multis (multi_handles each, the lowest one filled first) on the caller's one epoll, with
 * pooled easy handles. Redirects are never followed; a second send of one call is prevented (libcurl repeats a request
 * by itself when a kept connection dies before an answer). All functions belong to the thread that opened it, or to
 * which it was given before its first call; opening blocks SIGPIPE for the thread (and those it makes), as TLS needs.
 *
 * Descriptors: a connection for each call in flight; kept connections stay within calls_max too, and twice that is the
 * most there are at once while one host's kept connections give way to another's. Names are looked up by libcurl's
 * threads.
 */
#ifndef FANOUT_H
#define FANOUT_H

#include "loop.h"

#include <tranche/connector.h>

struct fanout;

/* Every field must be set; fanout_defaults fills them from the design's table of limits. */
struct fanout_options {
    uint32_t calls_max;          /* calls in flight at once, over all hosts */
    uint32_t multi_handles;      /* handles a multi: 64 keeps libcurl's walks over its connections short */
    uint32_t connect_timeout_ms; /* part of a call's timeout */
    uint32_t answer_bytes_max;   /* a longer body ends the call as TRANCHE_GARBLED */
    const char *ca_file;         /* NULL: the system's; verification is always on */
};

/* A gate that can be closed while calls wait: a call whose epoch is not the gate's any more ends TRANCHE_HALTED with
 * nothing sent. Looked at when the call starts and once more right before its first byte. */
struct fanout_gate {
    uint32_t epoch; /* raised by another thread with release order */
};

/* How one call is to be made. All of it may be freed after fanout_start, except the gate, which must live until the call
 * has ended. */
struct fanout_call {
    const struct tranche_request *request;
    uint32_t timeout_ms;          /* whole call, > 0 */
    uint32_t idle_max_ms;         /* a kept connection that idled longer is not used; in whole seconds, rounded down; less
                                     than one: the call has a connection of its own */
    const struct fanout_gate *gate; /* NULL: none */
    uint32_t epoch;               /* of the gate when the call was decided */
};

/* Called once for each started call, from fanout_tick, never from within fanout_start. `answer` lives for the call.
 * May start further calls, one at least even if calls_max were in flight. Must not close the fan-out. */
typedef void fanout_done(void *context, void *call, const struct tranche_answer *answer);

void fanout_defaults(struct fanout_options *options);
enum tranche_code fanout_open(struct fanout **fanout, struct loop *loop, const struct fanout_options *options,
                              fanout_done *done, void *context, struct tranche_err *err);
void fanout_close(struct fanout *fanout); /* calls still in flight are dropped without `done` */

/* TRANCHE_FULL: calls_max are in flight. Any other failure is a local one; the call did not start, `done` will not come. */
enum tranche_code fanout_start(struct fanout *fanout, const struct fanout_call *call, void *tag, struct tranche_err *err);

/* Bounded work after loop_wait: drives libcurl for sockets that were ready and timers that are due, and reports what has
 * ended. Returns how long the loop may wait at most, in microseconds (0: call again at once; negative: for ever). After
 * a fanout_start outside of it the answer no longer holds: tick again before waiting. */
int64_t fanout_tick(struct fanout *fanout, int64_t now_us);

uint32_t fanout_in_flight(const struct fanout *fanout);

/* Counters since it was opened. Another thread reads each with __atomic_load_n, relaxed; they need not agree. */
struct fanout_counters {
    uint64_t started;
    uint64_t ended[TRANCHE_TRANSPORT_COUNT];
    uint64_t connections; /* sockets opened to connect */
};
const struct fanout_counters *fanout_counters(const struct fanout *fanout);

#endif
