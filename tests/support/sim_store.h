/* A store in memory for the simulated world: the whole interface of <tranche/store.h>, with scripted faults,
 * crashes, and no patience for mistakes.
 *
 * The writer works on one state, readers see the committed one, and a crash leaves the committed one. Nothing
 * here takes time or looks at a clock: what is late stays late until the world says otherwise. One thread
 * uses it all, readers too.
 *
 * It is stricter than a database. Misuse of the interface, and whatever the design forbids to be committed
 * (sim_store_rules.c), is reported to a hook, which by default prints it and aborts. When a hook returns, the
 * call goes on as the interface has it.
 *
 * Where a real store leaves a choice, this one is as unhelpful as it may be: numbers of rows that were rolled
 * back are given again, strings that have outlived their promise are freed, and recover refuses as long as a
 * selection is open.
 */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include <tranche/store.h>

#define SIM_JOBS_MAX     4096  /* numbers of jobs: a runaway ends here */
#define SIM_ORDINALS_MAX 65536 /* devices of a job, likewise */

enum tranche_code sim_store_open(struct tranche_store **store, struct tranche_err *err);

/* What is wrong, for one who can say in which world. */
typedef void sim_store_wrong_hook(void *context, const char *text);
void sim_store_on_wrong(struct tranche_store *store, sim_store_wrong_hook *hook, void *context);

/* ---- faults ---- */

/* How a transaction goes until its commit. Zeroed: well. */
struct sim_store_begin {
    bool refused;           /* begin answers TRANCHE_UNAVAILABLE */
    uint32_t failing_write; /* this write of it fails with TRANCHE_IO, counted from 1; 0: none */
};

enum sim_store_end {
    SIM_STORE_DONE,
    SIM_STORE_FAILED,          /* certainly rolled back */
    SIM_STORE_UNKNOWN_APPLIED, /* TRANCHE_COMMIT_UNKNOWN, and it is in the store */
    SIM_STORE_UNKNOWN_LOST,    /* TRANCHE_COMMIT_UNKNOWN, and it is not */
    SIM_STORE_REFUSED          /* commit_start answers TRANCHE_IO: nothing was started */
};

/* What becomes of a commit. Zeroed: it is done at once. */
struct sim_store_commit {
    enum sim_store_end end;
    bool late;                 /* TRANCHE_COMMIT_PENDING until sim_store_release */
    bool durable_at_crash;     /* of a late one: a crash before its end finds it in the store */
    uint32_t recover_failures; /* of an unknown one: so many times recover answers TRANCHE_IO first */
};

/* The script. Both are asked with the number of the transaction; NULL: all goes well. `decide` is asked by
 * commit_start, so it may arrange for the release. */
struct sim_store_faults {
    void *context;
    struct sim_store_begin (*begin)(void *context, int64_t commit_number);
    struct sim_store_commit (*decide)(void *context, int64_t commit_number);
};

/* The script is copied; NULL takes it away. */
void sim_store_set_faults(struct tranche_store *store, const struct sim_store_faults *faults);

/* The late commit that is underway ends as decided; without one nothing happens. */
void sim_store_release(struct tranche_store *store);

/* The process dies: an open transaction is gone, a late commit is durable or not as decided, and nobody owes
 * recover any more. Readers are closed by whoever opened them; then a new engine may use the same store. */
void sim_store_crash(struct tranche_store *store);

/* ---- the world's own hand: committed at once, whatever the writer is doing ---- */

/* Adds a device whose id no living one has; returns its number. */
uint32_t sim_store_add_device(struct tranche_store *store, const struct tranche_device_record *device);
/* Deletes a living device, which leaves a tombstone. */
void sim_store_delete_device(struct tranche_store *store, const char *id);
void sim_store_add_group(struct tranche_store *store, const struct tranche_group_record *group);

/* ---- for checks: what is committed ---- */

/* NULL: none. Lives until the next commit that changes the job. */
const struct tranche_job_record *sim_store_job(struct tranche_store *store, const char *id);

enum tranche_device_state sim_store_device_state(struct tranche_store *store, int64_t job, uint32_t ordinal);

/* How many rows a job has. */
struct sim_store_count {
    uint32_t members;  /* device numbers in all chunks */
    uint32_t results;  /* of any attempt */
    uint32_t finals;   /* results that are a device's last word */
    uint32_t intents;  /* open intent rows */
    uint32_t intended; /* devices in them */
    uint32_t waiting;  /* retry rows */
};
struct sim_store_count sim_store_count(struct tranche_store *store, int64_t job);

#endif
