/* The engine as a library: opens a data directory, runs jobs on the devices in it, and tells what became of them.
 *
 *     struct tranche_options options = { .data = "fleet", .gateway = "http://127.0.0.1:9200" };
 *     tranche_engine_open(&engine, &options, &err);
 *     tranche_group_put(engine, &group, &err);
 *     tranche_job_create(engine, "warm-up", "{\"group\":...,\"data\":[...]}", &err);
 *     tranche_job_wait(engine, "warm-up", 60000, &job, &err);
 *     tranche_engine_close(engine);
 *
 * Threads: any function may be called on any thread of the caller's while the engine is open. Those that change something
 * return when the change is durable, within the time of a commit, or when it was refused. None may be called from a
 * callback of this library (a visitor, a connector). Signals: block those that you handle before opening, since the
 * engine's threads inherit the mask; SIGPIPE should be ignored.
 *
 * Errors are those of the REST API: the codes of <tranche/err.h>, and in `err` the same sentences. `err` may be NULL.
 */
#ifndef TRANCHE_ENGINE_H
#define TRANCHE_ENGINE_H

#include <tranche/connector.h>
#include <tranche/err.h>
#include <tranche/job.h>
#include <tranche/store.h>

struct tranche_engine;

/* Zeroed is fine but for `data`. Everything is copied, or used during the call only, but for the connector. */
struct tranche_options {
    const char *data;      /* data directory; made when it is not there; one engine at a time has it */
    const char *gateway;   /* base URL, spoken to as IoT Central's; NULL: none, unless there is a connector */
    const char *listen;    /* "HOST:PORT" of the REST API, port 0 picks a free one; NULL: no server */
    const char *const *settings; /* pairs of option names and values (tranche serve --help-options), ended by NULL */

    /* A connector of one's own instead of the gateway's. Borrowed until the engine is closed; its open and close are not
     * called. */
    const struct tranche_connector *connector;
    const void *connector_state;
};

/* Opens the directory, settles what a crash left open, and goes on with the jobs in it. TRANCHE_CONFLICT:
 * another process has the directory. TRANCHE_INVALID: an option. */
TRANCHE_API enum tranche_code tranche_engine_open(struct tranche_engine **engine, const struct tranche_options *options,
                                                  struct tranche_err *err);
/* The REST API's port; 0 without one. */
TRANCHE_API unsigned tranche_engine_port(const struct tranche_engine *engine);
/* Lets calls in flight end, for the option drain_timeout_ms at most, and closes. Returns the number of calls that had not
 * ended. Jobs go on when the directory is opened again. */
TRANCHE_API uint32_t tranche_engine_close(struct tranche_engine *engine);

/* Creates or replaces a device, or a group, by its id. Of a device, no, revision, deleted and stamps are not read. */
TRANCHE_API enum tranche_code tranche_device_put(struct tranche_engine *engine, const struct tranche_device_record *device,
                                                 struct tranche_err *err);
TRANCHE_API enum tranche_code tranche_group_put(struct tranche_engine *engine, const struct tranche_group_record *group,
                                                struct tranche_err *err);

/* Creates a job and starts it. `definition` is the JSON body of PUT /api/jobs/{id}. The same definition again is no second
 * run; another one under this id is TRANCHE_CONFLICT. */
TRANCHE_API enum tranche_code tranche_job_create(struct tranche_engine *engine, const char *id, const char *definition,
                                                 struct tranche_err *err);
TRANCHE_API enum tranche_code tranche_job_stop(struct tranche_engine *engine, const char *id, struct tranche_err *err);
TRANCHE_API enum tranche_code tranche_job_resume(struct tranche_engine *engine, const char *id, struct tranche_err *err);
/* A new job over exactly the devices that failed. */
TRANCHE_API enum tranche_code tranche_job_rerun(struct tranche_engine *engine, const char *id, const char *as,
                                                struct tranche_err *err);

/* The job as it stands; free it with tranche_job_record_free. */
TRANCHE_API enum tranche_code tranche_job_find(struct tranche_engine *engine, const char *id,
                                               struct tranche_job_record *out, struct tranche_err *err);
/* Returns when the job rests (tranche_job_rests), or after `timeout_ms`; TRANCHE_OK in either case, and *out says which. */
TRANCHE_API enum tranche_code tranche_job_wait(struct tranche_engine *engine, const char *id, uint32_t timeout_ms,
                                               struct tranche_job_record *out, struct tranche_err *err);
/* Visits the job's devices in the job's order, from ordinal `first`, at most `limit`. A page costs what it holds. What the
 * visitor is given lives until it returns. */
TRANCHE_API enum tranche_code tranche_job_devices(struct tranche_engine *engine, const char *id, uint32_t first,
                                                  uint32_t limit, tranche_job_device_visit *visit, void *context,
                                                  struct tranche_err *err);

/* Nothing more happens to the job without a person: it is complete, cancelled, failed, stopped or held. */
static inline bool tranche_job_rests(const struct tranche_job_record *job)
{
    return job->state >= TRANCHE_JOB_HELD || job->state == TRANCHE_JOB_STOPPED;
}

TRANCHE_API const char *tranche_version(void); /* "0.1.0" */

#endif
