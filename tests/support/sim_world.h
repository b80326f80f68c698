/* A simulated world for the core: virtual time, a scripted gateway, and a store that can be late, fail, or crash.
 *
 * Everything that happens is an event on one heap, so a world with the same seed lives the same life. Workers are modelled as
 * the core sees them: a lane a job, its cap, the gate looked at before a call begins. The gateway keeps a log of every
 * request that reached it; checks read that log, and the store's rows, never the core.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "config.h"
#include "core.h"
#include "random.h"
#include "sim_store.h"

#define SIM_DEVICES_MAX 2000
#define SIM_LOG_MAX     200000 /* requests in one life: more is a runaway */

/* What the gateway does with one request. */
struct sim_call {
    const char *job;
    const char *device;
    uint32_t ordinal;
    uint16_t step, attempt;
    bool command;
};
struct sim_verdict {
    enum tranche_transport transport; /* TRANCHE_UNSENT, TRANCHE_LOCAL: it never reached the gateway; the latter is not logged */
    int status;                       /* for TRANCHE_ANSWERED */
    int64_t latency_us;
};

struct sim_entry { /* a request; TRANCHE_UNSENT: it did not reach the gateway */
    int64_t at_us;
    char job[32];
    uint32_t ordinal;
    uint16_t step, attempt;
    struct sim_verdict verdict;
};

/* A command that was posted, and what became of it. */
struct sim_order {
    struct command command;
    struct sim *sim;
    bool done;
    bool lost; /* the engine died first */
    int64_t answered_us;
    struct sim_order *next;
};

struct sim_event;

struct sim {
    uint64_t seed;
    struct random random;
    struct config config;
    struct tranche_store *store;
    struct world world;
    struct tranche_connector connector; /* never asked for words; a script may set `merges` */
    struct core *core; /* NULL: the engine is dead */
    int64_t mono_us;   /* virtual time */
    int64_t step_us;   /* by which the calendar has stepped */
    uint32_t names;    /* given out to what the engine makes by itself */

    struct sim_verdict (*gateway)(struct sim *sim, const struct sim_call *call);
    void *context;     /* the script's */
    int64_t reader_us; /* how long the reader takes for one reply */
    void (*watch)(struct sim *sim, const struct sim_entry *entry); /* at each request; may be NULL */

    struct sim_entry *log;
    uint32_t log_count, log_capacity;
    struct sim_order *orders, *awaited;

    /* workers, reader, events: sim_world.c */
    struct sim_worker *workers;
    struct sim_event *events;
    uint32_t event_count, event_capacity;
    uint64_t event_last;
    struct question questions[64];
    uint32_t question_count;
    struct tranche_reader *reader;
    bool selecting, totalled;
    bool reading;      /* an event for the reader's next reply is on the heap */
    uint32_t replies_out;
    struct reply *ready[4];
    uint32_t ready_count;
};

/* An empty world with a store; zeroed `workers` in config means 1. Prints nothing. */
void sim_open(struct sim *sim, uint64_t seed);
void sim_close(struct sim *sim);

/* For a script of commit faults: the commit that is underway ends after this long. */
void sim_commit_ends_in(struct sim *sim, int64_t late_us);

void sim_devices(struct sim *sim, uint32_t count, bool simulated); /* dev-0000... of template "t"; group "all" has them */
void sim_start(struct sim *sim);  /* opens a core and recovers */
void sim_crash(struct sim *sim);  /* kill -9: calls in flight have had their effect, all memory is gone */

struct sim_order *sim_create(struct sim *sim, const char *id, const char *group, const char *definition);
/* A change of the registry, in one slice; see command.h. */
typedef enum tranche_code sim_write_function(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                                             struct tranche_err *err);
struct sim_order *sim_write(struct sim *sim, sim_write_function *write);
struct sim_order *sim_call(struct sim *sim, const char *id, const char *device, const char *definition); /* one device */
struct sim_order *sim_stop(struct sim *sim, const char *id);
struct sim_order *sim_resume(struct sim *sim, const char *id);
struct sim_order *sim_rerun(struct sim *sim, const char *id, const char *as);

/* Lives until `until_us` of virtual time, or until `enough` says so. False: time was up first. */
bool sim_run(struct sim *sim, int64_t span_us, bool (*enough)(struct sim *sim));
bool sim_run_order(struct sim *sim, struct sim_order *order); /* until it is answered, 60 virtual seconds at most */
bool sim_job_rests(struct sim *sim, const char *id);          /* complete, cancelled, failed, stopped or held */
const struct tranche_job_record *sim_job(struct sim *sim, const char *id); /* durable; NULL: none */

#endif
