/* The nouns of a job that everybody shares: states, amounts, steps, outcomes, and the job's persistent record.
 *
 * Pure data. Ownership is said at each struct. Times are microseconds since 1970-01-01T00:00:00Z; 0 means "not yet".
 */
#ifndef TRANCHE_JOB_H
#define TRANCHE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRANCHE_ID_BYTES     256 /* a job's, group's or schedule's id: at most 255 characters and NUL */
#define TRANCHE_DEVICE_BYTES 129 /* a device's id: at most 128 characters and NUL */
#define TRANCHE_CHUNK        256 /* devices in a full chunk row of a frozen membership */
#define TRANCHE_INTENT       64  /* devices an intent row speaks for at most */

enum tranche_job_state {
    TRANCHE_JOB_PENDING,    /* created, queued or freezing its membership */
    TRANCHE_JOB_RUNNING,
    TRANCHE_JOB_STOPPING,   /* stopped by a person, calls still in flight */
    TRANCHE_JOB_STOPPED,
    TRANCHE_JOB_CANCELLING, /* threshold exceeded, calls still in flight */
    TRANCHE_JOB_HELD,       /* counters and rows disagree: a person must look */
    TRANCHE_JOB_COMPLETE,
    TRANCHE_JOB_CANCELLED,
    TRANCHE_JOB_FAILED,     /* the job as a whole could not run */
    TRANCHE_JOB_STATE_COUNT
};

/* Where a device of a job is. Only completed, failed and unknown are final. */
enum tranche_device_state {
    TRANCHE_DEVICE_PENDING,
    TRANCHE_DEVICE_COMPLETED,
    TRANCHE_DEVICE_FAILED,
    TRANCHE_DEVICE_UNKNOWN, /* the call may have run; shown as failed on /api, counted as a failure */
    TRANCHE_DEVICE_STATE_COUNT
};

/* An exact decimal, mantissa / 10^scale, as a percentage or as a number of devices. */
struct tranche_amount {
    bool percentage;
    uint8_t scale;     /* 0..18 */
    uint64_t mantissa; /* at most 18 significant digits */
};

enum tranche_step_kind {
    TRANCHE_STEP_PROPERTY,
    TRANCHE_STEP_COMMAND,
    TRANCHE_STEP_CLOUD_PROPERTY,
    TRANCHE_STEP_TEMPLATE_MIGRATION,
    TRANCHE_STEP_MANIFEST_MIGRATION,
    TRANCHE_STEP_KIND_COUNT
};

/* One entry of a job's `data`. Strings live in the memory of the definition that they were parsed from. */
struct tranche_step {
    enum tranche_step_kind kind;
    const char *target;    /* device template id; for a migration the template or manifest to assign */
    const char *component; /* "" for the device's root */
    const char *name;      /* of the property or command; "" for a migration */
    const char *value;     /* raw JSON, byte for byte as the client sent it; NULL where none was given */
    size_t value_bytes;
};

/* Counts of devices. total = pending + completed + failed + unknown, where pending is what the others leave. */
struct tranche_tally {
    uint32_t total;
    uint32_t completed;
    uint32_t failed;  /* without unknown */
    uint32_t unknown;
};

static inline uint32_t tranche_tally_final(const struct tranche_tally *t)
{
    return t->completed + t->failed + t->unknown;
}

static inline uint32_t tranche_tally_pending(const struct tranche_tally *t)
{
    return t->total - tranche_tally_final(t);
}

/* The persistent record of a job: what the store keeps in one row. Whoever fills it owns `definition` and `reason`
 * and says how they are freed. */
struct tranche_job_record {
    int64_t no;                  /* store's number, ascending with creation; never reused */
    char id[TRANCHE_ID_BYTES];
    char group[TRANCHE_ID_BYTES];
    char schedule[TRANCHE_ID_BYTES]; /* the schedule that made it; "" for none */
    char organization[TRANCHE_ID_BYTES]; /* it belongs to; "" for none */
    char device[TRANCHE_DEVICE_BYTES]; /* a call to this one device, asked for by itself; "": a job on a group */
    char call[TRANCHE_ID_BYTES];       /* and what is called: "commands/component.name" or "properties" */
    int64_t origin;              /* number of the job that this one reruns; 0 for none */
    char *definition;            /* canonical JSON members of the writable part, without the braces' id */
    char *reason;                /* why it failed, is held, or was cancelled; NULL otherwise */
    enum tranche_job_state state;
    int64_t created_us, started_us, ended_us;
    uint32_t estimate;           /* devices in the group at creation; shown until the membership is frozen */
    bool resumed;                /* by a person, once at least */
    bool frozen;                 /* membership is fixed; nothing is sent before */
    uint32_t next;               /* first ordinal that was never issued */
    uint32_t batch_devices;      /* devices in a full batch; 0 until frozen */
    uint32_t batch;              /* index of the current batch */
    int64_t intent_seq;          /* number of the next intent row */
    int64_t calls;               /* attempts that were not taken back unsent; a device may take several */
    struct tranche_tally tally;  /* whole job; total is 0 until frozen */
};

/* The persistent record of one batch, made when the batch starts. */
struct tranche_batch_record {
    uint32_t index;
    int64_t started_us, ended_us;
    struct tranche_tally tally;
};

/* One outcome as the store keeps it. Strings are borrowed for the call. */
struct tranche_result_record {
    uint32_t ordinal;
    uint16_t step;
    uint16_t attempt;             /* 1.. */
    bool final;                   /* the device's last word in this job */
    enum tranche_device_state state;
    int32_t code;                 /* HTTP status, or the device's own code where it has one; 0 for none */
    const char *reason;           /* short, for people; "" where there is nothing to say */
    const char *answer;           /* what the gateway sent, cut to answer_kept_bytes; not NUL-terminated */
    size_t answer_bytes;
    int64_t at_us;
};

/* A row of open devices about to be called, or called and not yet answered durably. */
struct tranche_intent_record {
    int64_t seq;
    uint16_t step;
    uint16_t attempt;
    uint32_t count;
    uint32_t ordinals[TRANCHE_INTENT]; /* ascending */
};

/* An open device that waits. */
struct tranche_retry_record {
    uint32_t ordinal;
    uint16_t step;
    uint16_t attempt; /* of the next call */
    int64_t due_us;   /* 0: now */
};

#endif
