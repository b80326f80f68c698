/* The store: what is durable, behind a struct of functions.
 *
 * UNSTABLE: the interface may change until a second database exists.
 *
 * Two sides. The writer (struct tranche_store) belongs to the one thread that decides; every change happens inside a
 * transaction of its, and what it reads it reads through the same transaction. Readers (struct tranche_reader) are
 * independent, read-only, one per thread at a time, and see only what was committed.
 *
 * Strings handed in are copied or bound during the call. Records handed to a callback, with all their strings, live until
 * the callback returns, and a callback must not call the store or reader that called it. Records written to the caller's
 * memory own their strings (tranche_job_record_free), where no shorter life is said. Unless said otherwise a function
 * returns TRANCHE_OK, TRANCHE_NOTFOUND where something is looked up, or TRANCHE_IO, TRANCHE_NOMEM, TRANCHE_UNAVAILABLE,
 * TRANCHE_INTERNAL for trouble, after which the transaction must be rolled back. A refusal (NOTFOUND, CONFLICT, INVALID)
 * changes nothing, and the transaction goes on.
 */
#ifndef TRANCHE_STORE_H
#define TRANCHE_STORE_H

#include <tranche/err.h>
#include <tranche/job.h>

struct tranche_device_record {
    uint32_t no;            /* never reused; 0 before it is stored */
    bool enabled, provisioned, simulated;
    bool deleted;           /* a tombstone: jobs still refer to the number */
    char id[TRANCHE_DEVICE_BYTES];
    const char *display_name; /* NULL: none */
    const char *template_id;  /* NULL: unassigned */
    const char *organization; /* NULL: none */
    const char *manifest;     /* deployment manifest's id; NULL: none */
    const char *properties;   /* JSON object; NULL: none */
    int64_t properties_us;    /* when they were written as a whole; 0: never */
    const char *stamps;       /* JSON object: path of a value that was written later, and when; the store's to write */
    int64_t revision;         /* grows with every change; makes the etag */
};

/* What it takes to call a device. */
struct tranche_device_brief {
    char id[TRANCHE_DEVICE_BYTES];
    bool enabled, simulated, deleted;
};

struct tranche_group_record {
    char id[TRANCHE_ID_BYTES];
    const char *display_name;
    const char *description;  /* NULL: none */
    const char *filter;
    const char *organization; /* NULL: none */
    int64_t revision;
};

/* What clients keep in the store and the engine does not act on: nouns whose content is a JSON object. */
enum tranche_object { TRANCHE_TEMPLATE, TRANCHE_ORGANIZATION, TRANCHE_TOKEN, TRANCHE_OBJECT_COUNT };

struct tranche_object_record {
    enum tranche_object kind;
    char id[TRANCHE_ID_BYTES];
    const char *body;
    int64_t revision;
};

/* A schedule: a job's definition, when it is run, and how far that has come. */
struct tranche_schedule_record {
    char id[TRANCHE_ID_BYTES];
    const char *definition;   /* as a job's */
    const char *rule;         /* when it fires: the contract's JobSchedule object */
    const char *organization; /* NULL: none */
    uint32_t estimate;        /* devices in the group then */
    bool enabled;
    int64_t revision;

    /* how far it is; see schedule_settle */
    uint32_t next;            /* the first occurrence that is not settled */
    int64_t due_us;           /* when that is due; 0: there is none any more */
    bool queued;              /* a settled occurrence waits for the instance before it to end */
    uint32_t runs;            /* instances that were made */
    char instance[TRANCHE_ID_BYTES]; /* id of the last one; "" */
};

/* A change that was asked for, and what became of it. */
struct tranche_audit_record {
    int64_t no;
    int64_t at_us;
    char who[TRANCHE_ID_BYTES];       /* token, or which part of Tranche */
    char request[40];                 /* id of the request; "" for none */
    char operation[40];               /* "Jobs_Create" */
    char object[TRANCHE_ID_BYTES * 2]; /* ids, "/" between them */
    char etag_before[32], etag_after[32]; /* "" for none */
    char result[24];                  /* "OK", or the code of the refusal */
};

/* An import that was accepted and goes in slice by slice. */
struct tranche_import_record {
    int64_t no;
    char id[TRANCHE_ID_BYTES];
    const char *file;       /* spool file's name inside the data directory */
    int64_t position;       /* bytes of it that are in the store */
    uint64_t lines, bad;    /* that were read, and those among them that say no device */
    uint64_t devices;       /* distinct ones in the spool */
    uint64_t created, updated;
    bool done;              /* no more of it goes in */
    const char *reason;     /* why it is done before its end; NULL: it is not */
    const char *complaints; /* about bad lines, a JSON array; NULL: none */
    int64_t begun_us, ended_us; /* ended_us is 0 until it is done */
};

/* Which devices: those that match a filter now, or those that failed in a job up to a moment. */
struct tranche_selection {
    const char *filter;       /* text of a group's filter; NULL: by origin */
    int64_t origin;           /* job number; its devices that ended failed or unknown */
    int64_t origin_until_us;  /* results later than this do not count */
};

/* A completed step of a device in a job. */
struct tranche_done_record {
    uint32_t ordinal;
    uint16_t step;
    bool final;     /* the device is done: so are the steps after it, if any, since a merged write is one */
    int64_t at_us;
};

enum tranche_device_order { TRANCHE_BY_ID, TRANCHE_BY_NAME, TRANCHE_BY_NAME_DOWN };

/* A page of the living devices. By name: by display name, or id where there is none, and among equals by id; all bytewise. */
struct tranche_device_list {
    const char *filter;       /* text of a group's filter; NULL: all */
    enum tranche_device_order order;
    const char *after_id;     /* behind this one; NULL: from the first */
    const char *after_name;   /* its name; by name only */
    uint32_t limit;
};

enum tranche_commit {
    TRANCHE_COMMIT_PENDING, /* started, not ended */
    TRANCHE_COMMIT_DONE,    /* durable */
    TRANCHE_COMMIT_FAILED,  /* certainly not applied; rolled back */
    TRANCHE_COMMIT_UNKNOWN  /* may have been applied: store->recover, then compare commit_number */
};

struct tranche_store;
struct tranche_reader;

typedef void tranche_job_visit(void *context, const struct tranche_job_record *job);
typedef void tranche_intent_visit(void *context, int64_t job, const struct tranche_intent_record *intent);
typedef void tranche_retry_visit(void *context, const struct tranche_retry_record *retry);
typedef void tranche_import_visit(void *context, const struct tranche_import_record *import);
typedef void tranche_device_visit(void *context, const struct tranche_device_record *device);
typedef void tranche_fold_visit(void *context, const struct tranche_job_record *job, uint32_t next);
typedef void tranche_done_visit(void *context, const struct tranche_done_record *done);
typedef void tranche_value_visit(void *context, const struct tranche_job_record *job,
                                 const struct tranche_done_record *done);
typedef void tranche_object_visit(void *context, const struct tranche_object_record *object);
typedef void tranche_schedule_visit(void *context, const struct tranche_schedule_record *schedule);
typedef void tranche_audit_visit(void *context, const struct tranche_audit_record *audit);
typedef void tranche_group_visit(void *context, const struct tranche_group_record *group);
typedef void tranche_batch_visit(void *context, const struct tranche_batch_record *batch);

/* One device of a job, for lists. */
struct tranche_job_device {
    uint32_t ordinal;
    const char *device;
    uint32_t batch;
    enum tranche_device_state state;
    uint16_t attempt;        /* of its last word; 0 while it has none */
    int32_t code;
    const char *reason;      /* "" for none */
    const char *answer;      /* what the gateway sent; answer_bytes long */
    size_t answer_bytes;
    int64_t at_us;           /* 0 while it has no last word */
};
typedef void tranche_job_device_visit(void *context, const struct tranche_job_device *device);

/* Devices of a job that ended failed or unknown for one reason. */
struct tranche_failure {
    enum tranche_device_state state;
    const char *reason;     /* "" for none */
    uint32_t count;
    int64_t last_us;        /* when the last of them did */
    const char *example;    /* id of the first of them, in the job's order */
};
typedef void tranche_failure_visit(void *context, const struct tranche_failure *failure);

/* The writer's functions. Called on the deciding thread only. None waits for anything but the disk. */
struct tranche_store_functions {
    const char *name;
    void (*close)(struct tranche_store *store);
    /* May be called on any thread while the store is open. */
    enum tranche_code (*reader_open)(struct tranche_store *store, struct tranche_reader **reader, struct tranche_err *err);

    /* Transactions. `number` is the caller's count of commits; it is stored in the same transaction, so that after an
     * unknown end commit_number tells what became of it. TRANCHE_UNAVAILABLE from begin: busy, which is no trouble; try
     * next tick. When commit_start fails, nothing was started: roll back. commit_ended answers the same until the next
     * commit; after DONE, FAILED and UNKNOWN no transaction is open. After UNKNOWN nothing but recover, commit_number and
     * close may be called until recover has succeeded; it answers TRANCHE_UNAVAILABLE while a reader has an old snapshot
     * open, so selections should be closed first. rollback without a transaction does nothing. */
    enum tranche_code (*begin)(struct tranche_store *store, int64_t number, struct tranche_err *err);
    enum tranche_code (*commit_start)(struct tranche_store *store, struct tranche_err *err);
    enum tranche_commit (*commit_ended)(struct tranche_store *store, struct tranche_err *err);
    void (*rollback)(struct tranche_store *store);
    enum tranche_code (*recover)(struct tranche_store *store, struct tranche_err *err);
    enum tranche_code (*commit_number)(struct tranche_store *store, int64_t *number, struct tranche_err *err);

    /* The latest calendar time that was ever written: the writer's stamps never go back, not even over a restart. */
    enum tranche_code (*clock_put)(struct tranche_store *store, int64_t now_us, struct tranche_err *err);
    enum tranche_code (*clock_load)(struct tranche_store *store, int64_t *now_us, struct tranche_err *err);

    /* Jobs. job_insert sets record->no; TRANCHE_CONFLICT: the id is taken. job_update writes everything that may change:
     * not the ids, the origin, the definition and when it was created. */
    enum tranche_code (*job_insert)(struct tranche_store *store, struct tranche_job_record *record,
                                    struct tranche_err *err);
    enum tranche_code (*job_update)(struct tranche_store *store, const struct tranche_job_record *record,
                                    struct tranche_err *err);
    enum tranche_code (*job_find)(struct tranche_store *store, const char *id, struct tranche_job_record *out,
                                  struct tranche_err *err);
    /* Every job in one of the states of the bit mask (1u << state), oldest first. */
    enum tranche_code (*jobs_in)(struct tranche_store *store, uint32_t states, tranche_job_visit *visit, void *context,
                                 struct tranche_err *err);
    /* Removing jobs. job_expired finds the oldest of those that are over since before `before_us` and may be erased.
     * job_erase: the job is gone at once, what belongs to it goes slice by slice with erase_some, which says whether there
     * may be more. TRANCHE_CONFLICT: the job is open, or a rerun of it is, or its values are not folded yet. */
    enum tranche_code (*job_expired)(struct tranche_store *store, int64_t before_us, int64_t *no,
                                     char id[TRANCHE_ID_BYTES], struct tranche_err *err);
    enum tranche_code (*job_erase)(struct tranche_store *store, int64_t no, struct tranche_err *err);
    enum tranche_code (*erase_some)(struct tranche_store *store, bool *more, struct tranche_err *err);
    enum tranche_code (*batch_put)(struct tranche_store *store, int64_t job, const struct tranche_batch_record *batch,
                                   struct tranche_err *err);
    enum tranche_code (*batch_load)(struct tranche_store *store, int64_t job, uint32_t index,
                                    struct tranche_batch_record *out, struct tranche_err *err);

    /* The frozen membership: up to TRANCHE_CHUNK device numbers a row, in the job's order. */
    enum tranche_code (*chunk_put)(struct tranche_store *store, int64_t job, uint32_t chunk, uint32_t batch,
                                   const uint32_t *devices, uint32_t count, struct tranche_err *err);
    enum tranche_code (*chunk_load)(struct tranche_store *store, int64_t job, uint32_t chunk,
                                    uint32_t devices[TRANCHE_CHUNK], uint32_t *count, struct tranche_err *err);
    enum tranche_code (*chunks_drop)(struct tranche_store *store, int64_t job, struct tranche_err *err);

    /* Intents, results, retries. intent_put and retry_put replace a row of the same key; results are only ever inserted
     * (TRANCHE_CONFLICT: the attempt has a result already). Dropping what is not there is fine. intents_open goes by job
     * and seq, retries_of by ordinal. */
    enum tranche_code (*intent_put)(struct tranche_store *store, int64_t job, const struct tranche_intent_record *intent,
                                    struct tranche_err *err);
    enum tranche_code (*intent_drop)(struct tranche_store *store, int64_t job, int64_t seq, struct tranche_err *err);
    enum tranche_code (*intents_open)(struct tranche_store *store, tranche_intent_visit *visit, void *context,
                                      struct tranche_err *err);
    enum tranche_code (*result_put)(struct tranche_store *store, int64_t job, const struct tranche_result_record *result,
                                    struct tranche_err *err);
    enum tranche_code (*retry_put)(struct tranche_store *store, int64_t job, const struct tranche_retry_record *retry,
                                   struct tranche_err *err);
    enum tranche_code (*retry_drop)(struct tranche_store *store, int64_t job, uint32_t ordinal, struct tranche_err *err);
    enum tranche_code (*retries_of)(struct tranche_store *store, int64_t job, tranche_retry_visit *visit, void *context,
                                    struct tranche_err *err);

    /* Folds: which jobs have values that are not in their devices' properties yet, namely those of the ordinals from `next`
     * on. fold_put replaces. folds go by job number: those above `after`, at most `limit`. job_done visits the
     * completed steps of ordinals [first, first + count) in order. */
    enum tranche_code (*fold_put)(struct tranche_store *store, int64_t job, uint32_t next, struct tranche_err *err);
    enum tranche_code (*fold_drop)(struct tranche_store *store, int64_t job, struct tranche_err *err);
    enum tranche_code (*folds)(struct tranche_store *store, int64_t after, uint32_t limit, tranche_fold_visit *visit,
                               void *context, struct tranche_err *err);
    enum tranche_code (*job_done)(struct tranche_store *store, int64_t job, uint32_t first, uint32_t count,
                                  tranche_done_visit *visit, void *context, struct tranche_err *err);

    /* The registry. device_put finds by id among the living: an existing device keeps its number (created: false). It sets
     * no and revision; stamps are kept unless properties_us says that the properties are new, and a
     * manifest unless there is another.
     * TRANCHE_INVALID: the properties are no JSON. The strings that device_load and device_find hand out live until the
     * next of them, or group_find, on the store. */
    enum tranche_code (*device_load)(struct tranche_store *store, uint32_t no, struct tranche_device_record *out,
                                     struct tranche_err *err);
    enum tranche_code (*device_find)(struct tranche_store *store, const char *id, struct tranche_device_record *out,
                                     struct tranche_err *err); /* among the living */
    enum tranche_code (*device_brief)(struct tranche_store *store, uint32_t no, struct tranche_device_brief *out,
                                      struct tranche_err *err);
    enum tranche_code (*device_put)(struct tranche_store *store, struct tranche_device_record *device, bool *created,
                                    struct tranche_err *err);
    /* What steps that a device has completed mean for its record: a property or cloud property sets the value, unless the
     * stored one is younger than `at_us`; a migration assigns. Commands mean nothing. A tombstone stays as it is. */
    enum tranche_code (*device_apply)(struct tranche_store *store, uint32_t no, const struct tranche_step *steps,
                                      uint16_t step_count, int64_t at_us, struct tranche_err *err);
    /* Deletes a device, which leaves a tombstone: its number and id are still there for device_load and the jobs' lists, and
     * the id is free. TRANCHE_NOTFOUND: no living device has the number. */
    enum tranche_code (*device_drop)(struct tranche_store *store, uint32_t no, struct tranche_err *err);
    /* Finds a group; its strings live until the next device_load or group_find on the store. group_put finds by id; it
     * makes the revision, which is above those of all groups that had the id before. */
    enum tranche_code (*group_find)(struct tranche_store *store, const char *id, struct tranche_group_record *out,
                                    struct tranche_err *err);
    enum tranche_code (*group_put)(struct tranche_store *store, const struct tranche_group_record *group,
                                   struct tranche_err *err);
    /* TRANCHE_NOTFOUND: there is no such group. Jobs that have frozen their members do not miss it. */
    enum tranche_code (*group_drop)(struct tranche_store *store, const char *id, struct tranche_err *err);

    /* Objects. object_put finds by kind and id; it makes the revision, which is above those of all that had the id before, as
     * group_put's and schedule_put's. objects visits all of a kind by id. Strings live as group_find's. */
    enum tranche_code (*object_find)(struct tranche_store *store, enum tranche_object kind, const char *id,
                                     struct tranche_object_record *out, struct tranche_err *err);
    enum tranche_code (*object_put)(struct tranche_store *store, struct tranche_object_record *object,
                                    struct tranche_err *err);
    enum tranche_code (*object_drop)(struct tranche_store *store, enum tranche_object kind, const char *id,
                                     struct tranche_err *err);
    enum tranche_code (*objects)(struct tranche_store *store, enum tranche_object kind, tranche_object_visit *visit,
                                 void *context, struct tranche_err *err);
    /* What keeps an object from being deleted: "jobs", "schedules", "device groups" or "devices" of an organization, devices of
     * a template; NULL: nothing. */
    enum tranche_code (*object_holds)(struct tranche_store *store, enum tranche_object kind, const char *id,
                                      const char **what, struct tranche_err *err);

    /* Schedules. schedule_put writes all of the record and makes the revision. schedule_settle writes how far it is and
     * leaves the revision: the schedule is the same. schedules_due visits those that are due or have an occurrence queued, at
     * most `limit`; schedules_wake says when the next one is due (0: none), and whether any is queued. */
    enum tranche_code (*schedule_find)(struct tranche_store *store, const char *id, struct tranche_schedule_record *out,
                                       struct tranche_err *err);
    enum tranche_code (*schedule_put)(struct tranche_store *store, struct tranche_schedule_record *schedule,
                                      struct tranche_err *err);
    enum tranche_code (*schedule_settle)(struct tranche_store *store, const struct tranche_schedule_record *schedule,
                                         struct tranche_err *err);
    enum tranche_code (*schedule_drop)(struct tranche_store *store, const char *id, struct tranche_err *err);
    enum tranche_code (*schedules_due)(struct tranche_store *store, int64_t now_us, uint32_t limit,
                                       tranche_schedule_visit *visit, void *context, struct tranche_err *err);
    enum tranche_code (*schedules_wake)(struct tranche_store *store, int64_t *due_us, bool *queued,
                                        struct tranche_err *err);

    /* Appends. */
    enum tranche_code (*audit_put)(struct tranche_store *store, const struct tranche_audit_record *audit,
                                   struct tranche_err *err);

    /* Imports. import_put inserts when no is 0 and sets it (TRANCHE_CONFLICT: the id is taken), else updates what may change:
     * the position, what was created and updated, and how it ended. imports_open visits those that are not done, without
     * their complaints. */
    enum tranche_code (*import_put)(struct tranche_store *store, struct tranche_import_record *import,
                                    struct tranche_err *err);
    enum tranche_code (*imports_open)(struct tranche_store *store, tranche_import_visit *visit, void *context,
                                      struct tranche_err *err);
};

struct tranche_store {
    const struct tranche_store_functions *functions;
};

/* A reader's functions. One thread at a time; each call sees one committed state, which is that of the selection while
 * one is open. All readers must be closed before the store. */
struct tranche_reader_functions {
    void (*close)(struct tranche_reader *reader);
    enum tranche_code (*job_find)(struct tranche_reader *reader, const char *id, struct tranche_job_record *out,
                                  struct tranche_err *err);
    /* Newest first, numbers below `before` (0: from the newest), at most `limit`: of jobs on groups, or of calls of one kind
     * to one device. */
    enum tranche_code (*calls_page)(struct tranche_reader *reader, const char *device, const char *call, int64_t before,
                                    uint32_t limit, tranche_job_visit *visit, void *context, struct tranche_err *err);
    enum tranche_code (*jobs_page)(struct tranche_reader *reader, int64_t before, uint32_t limit,
                                   tranche_job_visit *visit, void *context, struct tranche_err *err);
    /* In the job's order from ordinal `first`, at most `limit`; costs what the page costs. Nothing before the freeze. */
    enum tranche_code (*job_devices_page)(struct tranche_reader *reader, const struct tranche_job_record *job,
                                          uint32_t first, uint32_t limit, tranche_job_device_visit *visit, void *context,
                                          struct tranche_err *err);
    enum tranche_code (*batches_page)(struct tranche_reader *reader, int64_t job, uint32_t first, uint32_t limit,
                                      tranche_batch_visit *visit, void *context, struct tranche_err *err);
    /* Devices in open intents, and devices that wait. */
    enum tranche_code (*job_open)(struct tranche_reader *reader, int64_t job, uint32_t *open, uint32_t *waiting,
                                  struct tranche_err *err);
    /* Failures by reason, the most frequent first, at most `limit`. Looks at all of the job's rows. */
    enum tranche_code (*job_failures)(struct tranche_reader *reader, const struct tranche_job_record *job, uint32_t limit,
                                      tranche_failure_visit *visit, void *context, struct tranche_err *err);
    /* Counts the rows: final results of the whole job and of the ordinals [first, first + count). The whole's total is the
     * number of members in the chunks, the batch's how many of the ordinals are among them. */
    enum tranche_code (*recount)(struct tranche_reader *reader, int64_t job, uint32_t first, uint32_t count,
                                 struct tranche_tally *whole, struct tranche_tally *batch, struct tranche_err *err);
    /* Strings live until the next call on the reader. */
    enum tranche_code (*group_find)(struct tranche_reader *reader, const char *id, struct tranche_group_record *out,
                                    struct tranche_err *err);
    enum tranche_code (*device_find)(struct tranche_reader *reader, const char *id, struct tranche_device_record *out,
                                     struct tranche_err *err);
    /* Groups by id, behind `after` (NULL: from the first). */
    enum tranche_code (*groups_page)(struct tranche_reader *reader, const char *after, uint32_t limit,
                                     tranche_group_visit *visit, void *context, struct tranche_err *err);
    /* TRANCHE_INVALID: the filter is broken. By id a page costs what it holds; by name all that match are sorted. */
    enum tranche_code (*devices_page)(struct tranche_reader *reader, const struct tranche_device_list *list,
                                      tranche_device_visit *visit, void *context, struct tranche_err *err);
    /* The completed steps that are not folded into the living device's properties yet: by job number, then by step. */
    enum tranche_code (*device_values)(struct tranche_reader *reader, const struct tranche_device_record *device,
                                       tranche_value_visit *visit, void *context, struct tranche_err *err);
    /* Likewise. Objects and schedules go by id behind `after`, jobs of a schedule and the audit from the newest below
     * `before`. */
    enum tranche_code (*object_find)(struct tranche_reader *reader, enum tranche_object kind, const char *id,
                                     struct tranche_object_record *out, struct tranche_err *err);
    enum tranche_code (*objects_page)(struct tranche_reader *reader, enum tranche_object kind, const char *after,
                                      uint32_t limit, tranche_object_visit *visit, void *context, struct tranche_err *err);
    enum tranche_code (*schedule_find)(struct tranche_reader *reader, const char *id, struct tranche_schedule_record *out,
                                       struct tranche_err *err);
    enum tranche_code (*schedules_page)(struct tranche_reader *reader, const char *after, uint32_t limit,
                                        tranche_schedule_visit *visit, void *context, struct tranche_err *err);
    enum tranche_code (*schedule_jobs_page)(struct tranche_reader *reader, const char *schedule, int64_t before,
                                            uint32_t limit, tranche_job_visit *visit, void *context,
                                            struct tranche_err *err);
    enum tranche_code (*audit_page)(struct tranche_reader *reader, int64_t before, uint32_t limit,
                                    tranche_audit_visit *visit, void *context, struct tranche_err *err);
    /* Strings live until the next call on the reader. imports_page goes from the newest, at most `limit`, without their
     * complaints. */
    enum tranche_code (*import_find)(struct tranche_reader *reader, const char *id, struct tranche_import_record *out,
                                     struct tranche_err *err);
    enum tranche_code (*imports_page)(struct tranche_reader *reader, uint32_t limit, tranche_import_visit *visit,
                                      void *context, struct tranche_err *err);

    /* Resolving a selection on one snapshot: open counts it, next hands out device numbers bytewise by device id (by
     * filter) or in the origin's order, close ends the snapshot (without a selection it does nothing). Deleted devices are
     * in a selection by origin, but in none by filter. TRANCHE_INVALID: the filter is broken. Keep it short: an open
     * snapshot makes the store grow. */
    enum tranche_code (*select_count)(struct tranche_reader *reader, const struct tranche_selection *selection,
                                      uint32_t *count, struct tranche_err *err);
    enum tranche_code (*select_open)(struct tranche_reader *reader, const struct tranche_selection *selection,
                                     uint32_t *count, struct tranche_err *err);
    enum tranche_code (*select_next)(struct tranche_reader *reader, uint32_t *devices, uint32_t max, uint32_t *count,
                                     struct tranche_err *err); /* count 0: the end */
    void (*select_close)(struct tranche_reader *reader);
};

struct tranche_reader {
    const struct tranche_reader_functions *functions;
};

/* Frees what a record's strings own and empties them. A zeroed record is fine. */
TRANCHE_API void tranche_job_record_free(struct tranche_job_record *record);

#endif
