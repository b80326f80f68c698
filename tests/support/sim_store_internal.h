/* What the files of the simulated store share: sim_store.c (transactions, faults, the world's hand),
 * sim_store_rows.c (what a transaction has touched), sim_store_jobs.c, sim_store_fleet.c, sim_store_objects.c and
 * sim_store_values.c (the writer's side), sim_store_read.c (readers), sim_store_rules.c (what may be committed).
 */
#ifndef SIM_STORE_INTERNAL_H
#define SIM_STORE_INTERNAL_H

#include "sim_store.h"
#include "sim_table.h"

/* ---- rows; their strings lie behind them, in the same memory ---- */

struct job_row {
    struct sim_row row;
    struct tranche_job_record record;
};
struct batch_row {
    struct sim_row row;
    struct tranche_batch_record record;
};
struct chunk_row {
    struct sim_row row;
    uint32_t batch, count;
    uint32_t devices[];
};
struct intent_row {
    struct sim_row row;
    struct tranche_intent_record record;
};
struct result_row {
    struct sim_row row;
    struct tranche_result_record record;
};
struct retry_row {
    struct sim_row row;
    struct tranche_retry_record record;
};
struct device_row {
    struct sim_row row;
    struct tranche_device_record record;
};
struct group_row {
    struct sim_row row;
    struct tranche_group_record record;
};
struct import_row {
    struct sim_row row;
    struct tranche_import_record record;
};

struct fold_row {
    struct sim_row row;
    int64_t job;
    uint32_t next;
};

/* Where the writer's state has a device of a job: it must be in one place, once. */
struct place {
    uint16_t intents, retries, finals;
};

enum rows_kind { ROWS_BATCH, ROWS_CHUNK, ROWS_INTENT, ROWS_RESULT, ROWS_RETRY, ROWS_KIND_COUNT };

/* The rows that belong to a job, also to one that has no row of its own. */
struct job_rows {
    int64_t no;
    struct sim_table tables[ROWS_KIND_COUNT]; /* by index, chunk, seq, result_key, ordinal */

    /* counted in step with the writer's state */
    struct place *places; /* by ordinal */
    uint32_t place_count;
    uint32_t members, intended, waiting;
    uint32_t finals[TRANCHE_DEVICE_STATE_COUNT];

    int64_t checked_number; /* the last commit whose rules it went through */
};

static inline uint64_t result_key(uint32_t ordinal, uint16_t step, uint16_t attempt)
{
    return (uint64_t)ordinal << 32 | (uint64_t)step << 16 | attempt;
}

/* A row that the open transaction has touched. */
struct touch {
    struct sim_table *table;
    struct job_rows *job; /* whose row, or whose own; NULL: the registry's */
    uint64_t key;
};

enum sim_state {
    SIM_IDLE,
    SIM_WRITING, /* a transaction is open */
    SIM_ENDING,  /* a commit was started and is late */
    SIM_UNSURE   /* its end is unknown: recover comes first */
};

struct sim_store {
    struct tranche_store store;
    struct tranche_store_functions functions; /* filled by the files that implement them */
    sim_store_wrong_hook *wrong;
    void *wrong_context;
    struct sim_store_faults faults;

    uint64_t now;                     /* the moment of the last commit */
    struct sim_table jobs;            /* by number */
    struct sim_table devices;         /* by number */
    struct sim_table groups, imports; /* by order of creation */
    struct sim_table folds;           /* by job */
    struct sim_table objects, schedules, audit; /* by order of creation */
    int64_t erased_last;              /* the largest number of a job that was erased: it never comes back */
    struct job_rows **rows;           /* by number - 1; NULL: never had any */
    uint32_t rows_count;
    uint32_t *by_id; /* numbers of all devices, bytewise by id, then by number */
    uint32_t by_id_count, by_id_capacity;

    /* the transaction */
    enum sim_state state;
    int64_t number, open_number; /* committed, and of the transaction */
    int64_t clock_us, open_clock_us;
    struct sim_store_begin begin;
    struct sim_store_commit commit;
    bool failed; /* a write has failed: only rollback helps */
    uint32_t writes;
    struct touch *touched;
    uint32_t touched_count, touched_capacity;
    enum tranche_commit ended;

    struct sim_row *lent;         /* what the last device_load or group_find gave out */
    bool visiting;                /* a callback runs */
    uint32_t readers, selections; /* open ones */
};

struct sim_reader {
    struct tranche_reader reader;
    struct tranche_reader_functions functions; /* filled by the files that implement them */
    struct sim_store *store;
    struct sim_row *lent; /* what the last call gave out */
    bool visiting;        /* a callback runs */

    /* the selection */
    bool selecting;
    uint64_t moment;
    uint32_t *selected;
    uint32_t selected_count, selected_at;
};

/* The revision of what is new: above all that its id ever had. */
static inline int64_t sim_store_first_revision(const struct sim_store *s)
{
    return s->open_number * 65536;
}

static inline struct sim_store *sim_store(struct tranche_store *store)
{
    return (struct sim_store *)store;
}

/* sim_store.c */
void sim_store_wrong(struct sim_store *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The doors: every function of the writer passes the first, one that changes something the second, which
 * fails as scripted. */
struct sim_store *sim_store_enter(struct tranche_store *store, const char *what);
enum tranche_code sim_store_change(struct tranche_store *store, const char *what, struct tranche_err *err);

/* sim_store_rows.c */
struct job_rows *sim_store_rows(struct sim_store *s, int64_t job);      /* made where there are none */
struct job_rows *sim_store_rows_find(struct sim_store *s, int64_t job); /* NULL: none */
/* Puts a row into the open transaction, or takes away what is under the key. `job` is NULL for the
 * registry's. */
void sim_store_put(struct sim_store *s, struct job_rows *job, struct sim_table *table, uint64_t key,
                   void *row);
void sim_store_drop(struct sim_store *s, struct job_rows *job, struct sim_table *table, uint64_t key);
void sim_store_apply(struct sim_store *s); /* the transaction's rows are committed */
void sim_store_undo(struct sim_store *s);  /* they were never there; fine without a transaction */
void sim_store_index_add(struct sim_store *s, const struct tranche_device_record *device);
struct device_row *sim_store_living(struct sim_store *s, const char *id, uint64_t view); /* NULL: none */

/* sim_store_jobs.c */
void sim_store_jobs_functions(struct tranche_store_functions *functions);                /* enters its own */
struct job_row *sim_store_job_named(struct sim_store *s, const char *id, uint64_t view); /* NULL: none */
enum tranche_code sim_store_job_find(struct sim_store *s, const char *id, uint64_t view,
                                     struct tranche_job_record *out, struct tranche_err *err);

/* sim_store_fleet.c */
/* What is handed out is a copy that dies with its promise, so that a sanitizer sees who uses it longer. */
void sim_store_lend(struct sim_store *s, struct sim_row *copy);
void sim_store_fleet_functions(struct tranche_store_functions *functions); /* enters its own */
void sim_store_fleet_reader_functions(struct tranche_reader_functions *functions);
struct device_row *device_row_new(const struct tranche_device_record *record);
struct import_row *import_row_new(const struct tranche_import_record *record);
struct import_row *sim_store_import_named(const struct sim_store *s, const char *id, uint64_t view);
struct group_row *group_row_new(const struct tranche_group_record *record);
struct group_row *sim_store_group_named(struct sim_store *s, const char *id, uint64_t view); /* NULL: none */

/* sim_store_values.c */
void sim_store_values_functions(struct tranche_store_functions *functions); /* enters its own */
void sim_store_visit_done(const struct job_rows *rows, uint32_t first, uint32_t count, uint64_t view,
                          tranche_done_visit *visit, void *context);

/* sim_store_erase.c */
void sim_store_erase_functions(struct tranche_store_functions *functions);

/* sim_store_objects.c */
void sim_store_objects_functions(struct tranche_store_functions *functions);
void sim_store_objects_reader_functions(struct tranche_reader_functions *functions);

/* sim_store_read.c */
struct sim_reader *sim_reader_enter(struct tranche_reader *reader, uint64_t *view); /* every function's first word */
enum tranche_code sim_store_reader_open(struct tranche_store *store, struct tranche_reader **reader,
                                        struct tranche_err *err);
/* The last word of a device; NULL: none. */
struct result_row *sim_store_final(const struct job_rows *job, uint32_t ordinal, uint64_t view);
/* Counts the final results of ordinals [first, end) row by row; leaves total alone. */
void sim_store_tally(const struct job_rows *job, uint32_t first, uint64_t end, uint64_t view,
                     struct tranche_tally *tally);
uint32_t sim_store_members(const struct job_rows *job, uint64_t view); /* in all chunks */

/* sim_store_rules.c: what the transaction would commit; tells what is wrong with it */
void sim_store_check_commit(struct sim_store *s);

#endif
