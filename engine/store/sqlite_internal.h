/* What the files of the SQLite store share: the writer, the reader, and how they are put together. */
#ifndef SQLITE_INTERNAL_H
#define SQLITE_INTERNAL_H

#include "checkpoint.h"
#include "connection.h"
#include "filter_sql.h"
#include "sqlite.h"
#include "texts.h"

#include <assert.h>

struct sqlite_store {
    struct tranche_store store;
    struct tranche_store_functions functions; /* filled by the files that implement them */

    /* fixed after open */
    char *path; /* of the database */
    char *vfs;  /* NULL: the default */
    int lock;   /* descriptor of DIR/lock */
    struct checkpointer *checkpointer;

    /* the deciding thread's */
    struct connection connection;
    struct texts texts;
    int64_t number;             /* of the open transaction */
    bool unknown;               /* a commit has an unknown end: recover comes first */
    enum tranche_commit ended;  /* how the last commit ended, and why, when it was not well */
    struct tranche_err trouble;
};

/* An open selection: a cursor by filter, or a walk along the failures of the origin. */
struct selection {
    bool open;
    bool at_end;
    sqlite3_stmt *by_filter;       /* NULL: by origin */
    struct filter parsed;          /* the cursor's values point into these two */
    struct filter_sql filter;
    int64_t origin;
    uint32_t total, batch_devices; /* of the origin */
    uint32_t first, count;         /* the ordinals whose device numbers are in members */
    uint32_t members[TRANCHE_CHUNK];
};

struct sqlite_reader {
    struct tranche_reader reader;
    struct tranche_reader_functions functions;
    struct checkpointer *checkpointer;
    struct connection connection;
    struct snapshot snapshot;
    struct selection selection;
};

static inline struct sqlite_store *sqlite_store(struct tranche_store *store)
{
    return (struct sqlite_store *)store;
}

static inline struct sqlite_reader *sqlite_reader(struct tranche_reader *reader)
{
    return (struct sqlite_reader *)reader;
}

/* A statement that changes something. */
static inline sqlite3_stmt *change_take(struct tranche_store *store, enum statement statement)
{
    assert(sqlite_store(store)->connection.writing); /* every change belongs to a transaction */
    return statement_take(&sqlite_store(store)->connection, statement);
}

/* The revision of what is new. Its id may have been another's, which had one revision more with each change, of which a
 * commit has never so many: so an etag never comes back. */
#define REVISIONS_A_COMMIT 65536
static inline int64_t first_revision(const struct tranche_store *store)
{
    return ((const struct sqlite_store *)store)->number * REVISIONS_A_COMMIT;
}

static inline enum tranche_code change_run(struct tranche_store *store, enum statement statement,
                                           struct tranche_err *err)
{
    return statement_run(&sqlite_store(store)->connection, statement, err);
}

/* Each file enters its own. */
void sqlite_jobs_functions(struct tranche_store_functions *functions);
void sqlite_fleet_functions(struct tranche_store_functions *functions);
void sqlite_values_functions(struct tranche_store_functions *functions);
void sqlite_select_functions(struct tranche_reader_functions *functions);
void sqlite_values_reader_functions(struct tranche_reader_functions *functions);
void sqlite_lists_functions(struct tranche_reader_functions *functions);

/* Binds a filter's values, ?1 and the following. */
void bind_filter(sqlite3_stmt *statement, const struct filter_sql *filter);

/* sqlite_imports.c */
void sqlite_imports_functions(struct tranche_store_functions *functions);
void sqlite_imports_reader_functions(struct tranche_reader_functions *functions);

enum tranche_code sqlite_reader_open(struct tranche_store *store, struct tranche_reader **reader,
                                     struct tranche_err *err);

/* One committed state for several statements. Inside a selection its snapshot serves; `opened` says whether there is one
 * of our own to be closed. */
enum tranche_code reader_snapshot_open(struct sqlite_reader *reader, bool *opened, struct tranche_err *err);
void reader_snapshot_close(struct sqlite_reader *reader, bool opened);

/* sqlite_erase.c */
void sqlite_erase_functions(struct tranche_store_functions *functions);

/* sqlite_objects.c */
void sqlite_objects_functions(struct tranche_store_functions *functions);
void sqlite_objects_reader_functions(struct tranche_reader_functions *functions);
/* In the open transaction. TRANCHE_CONFLICT: the id is taken. */
enum tranche_code object_insert(struct connection *connection, const struct tranche_object_record *object,
                                struct tranche_err *err);
enum tranche_code audit_insert(struct connection *connection, const struct tranche_audit_record *audit,
                               struct tranche_err *err);

/* sqlite_schedules.c */
void sqlite_schedules_functions(struct tranche_store_functions *functions);
void sqlite_schedules_reader_functions(struct tranche_reader_functions *functions);

#endif
