/* To change the schema, append a migration; never edit one that was released. A migration is plain SQL, whole and
 * visible, and must leave the rows of running jobs as they would be had they been written by the new version.
 */
#include "schema.h"

#include "connection.h"
#include "fail.h"

#include <stdio.h>

/* What the tables are for is said in the design's section on the store; here is what their form is for.
 *
 * - Keys of jobs and devices are AUTOINCREMENT, because a number must never come back.
 * - result, intent and retry are WITHOUT ROWID: a row sits where its key is, so results written in the job's order are
 *   appended, and a page of a list is one short walk. A chunk row has about a kilobyte, for which WITHOUT ROWID would take
 *   an overflow page each.
 * - A job's definition has a table of its own, since a job's row is rewritten with nearly every commit.
 * - job.open spares the index a list of states: SQLite would build a temporary table to look into it, at every update.
 * - engine has one row. text_seed keys the hash of texts, so that no device can make its answers collide.
 * - result.outcome is an enum tranche_device_state; result.reason and result.answer name rows of text.
 * - Only living devices are indexed by id and template: a tombstone is found by its number alone. Both indexes hand out
 *   numbers in the order of ids without touching the table. */
static const char foundation[] =
    "CREATE TABLE engine ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  commit_number INTEGER NOT NULL,"
    "  text_seed INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO engine VALUES (1, 0, random());"

    "CREATE TABLE job ("
    "  no INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL UNIQUE,"
    "  device_group TEXT NOT NULL,"
    "  schedule TEXT NOT NULL,"
    "  origin INTEGER NOT NULL,"
    "  reason TEXT,"
    "  state TEXT NOT NULL,"
    "  open INTEGER NOT NULL," /* follows from state */
    "  created_us INTEGER NOT NULL,"
    "  started_us INTEGER NOT NULL,"
    "  ended_us INTEGER NOT NULL,"
    "  estimate INTEGER NOT NULL,"
    "  frozen INTEGER NOT NULL,"
    "  next INTEGER NOT NULL,"
    "  batch_devices INTEGER NOT NULL,"
    "  batch INTEGER NOT NULL,"
    "  intent_seq INTEGER NOT NULL,"
    "  calls INTEGER NOT NULL,"
    "  total INTEGER NOT NULL,"
    "  completed INTEGER NOT NULL,"
    "  failed INTEGER NOT NULL,"
    "  unknown INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX job_open ON job (no) WHERE open = 1;"
    "CREATE TABLE definition ("
    "  job INTEGER PRIMARY KEY REFERENCES job (no),"
    "  body TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE batch ("
    "  job INTEGER NOT NULL REFERENCES job (no),"
    "  no INTEGER NOT NULL,"
    "  started_us INTEGER NOT NULL,"
    "  ended_us INTEGER NOT NULL,"
    "  total INTEGER NOT NULL,"
    "  completed INTEGER NOT NULL,"
    "  failed INTEGER NOT NULL,"
    "  unknown INTEGER NOT NULL,"
    "  PRIMARY KEY (job, no)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE chunk ("
    "  job INTEGER NOT NULL,"
    "  no INTEGER NOT NULL,"
    "  batch INTEGER NOT NULL,"
    "  members BLOB NOT NULL," /* device numbers, 4 bytes each, least byte first */
    "  PRIMARY KEY (job, no)"
    ") STRICT;"
    "CREATE TABLE intent ("
    "  job INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL,"
    "  step INTEGER NOT NULL,"
    "  attempt INTEGER NOT NULL,"
    "  ordinals BLOB NOT NULL," /* packed like members */
    "  PRIMARY KEY (job, seq)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE result ("
    "  job INTEGER NOT NULL,"
    "  ordinal INTEGER NOT NULL,"
    "  step INTEGER NOT NULL,"
    "  attempt INTEGER NOT NULL,"
    "  final INTEGER NOT NULL,"
    "  outcome INTEGER NOT NULL,"
    "  code INTEGER NOT NULL,"
    "  reason INTEGER,"
    "  answer INTEGER,"
    "  at_us INTEGER NOT NULL,"
    "  PRIMARY KEY (job, ordinal, step, attempt)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE retry ("
    "  job INTEGER NOT NULL,"
    "  ordinal INTEGER NOT NULL,"
    "  step INTEGER NOT NULL,"
    "  attempt INTEGER NOT NULL,"
    "  due_us INTEGER NOT NULL,"
    "  PRIMARY KEY (job, ordinal)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE text ("
    "  id INTEGER PRIMARY KEY,"
    "  hash INTEGER NOT NULL,"
    "  body BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX text_hash ON text (hash);"

    "CREATE TABLE device ("
    "  no INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL,"
    "  enabled INTEGER NOT NULL,"
    "  provisioned INTEGER NOT NULL,"
    "  simulated INTEGER NOT NULL,"
    "  deleted INTEGER NOT NULL,"
    "  revision INTEGER NOT NULL,"
    "  display_name TEXT,"
    "  template_id TEXT,"
    "  organization TEXT,"
    "  properties TEXT"
    ") STRICT;"
    "CREATE UNIQUE INDEX device_id ON device (id) WHERE deleted = 0;"
    "CREATE INDEX device_template ON device (template_id, id) WHERE deleted = 0;"
    "CREATE TABLE template ("
    "  id TEXT PRIMARY KEY,"
    "  revision INTEGER NOT NULL,"
    "  display_name TEXT,"
    "  body TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE device_group ("
    "  id TEXT PRIMARY KEY,"
    "  revision INTEGER NOT NULL,"
    "  display_name TEXT NOT NULL,"
    "  description TEXT,"
    "  filter TEXT NOT NULL,"
    "  organization TEXT"
    ") STRICT;"
    "CREATE TABLE token ("
    "  id TEXT PRIMARY KEY,"
    "  role TEXT NOT NULL,"
    "  hash BLOB NOT NULL,"
    "  expires_us INTEGER NOT NULL,"
    "  created_us INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE import ("
    "  no INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  file TEXT NOT NULL,"
    "  position INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  updated INTEGER NOT NULL,"
    "  done INTEGER NOT NULL"
    ") STRICT;";

/* Values that jobs wrote. device.stamps tells for each path when its value was written, where that was after the
 * properties as a whole; a path is a key of it as it is written in a job ("component.name"). fold.next is the first ordinal
 * whose values are not in device.properties yet. Jobs from before keep theirs unfolded, as they were. */
static const char job_values[] =
    "ALTER TABLE device ADD COLUMN properties_us INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN stamps TEXT;"
    "ALTER TABLE device ADD COLUMN manifest TEXT;"
    "CREATE TABLE fold ("
    "  job INTEGER PRIMARY KEY REFERENCES job (no),"
    "  next INTEGER NOT NULL"
    ") STRICT;";

/* Imports have an id, and are remembered when they have ended. */
static const char import_ids[] =
    "CREATE TABLE import_with_id ("
    "  no INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL UNIQUE,"
    "  file TEXT NOT NULL,"
    "  position INTEGER NOT NULL,"
    "  lines INTEGER NOT NULL,"
    "  bad INTEGER NOT NULL,"
    "  devices INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  updated INTEGER NOT NULL,"
    "  done INTEGER NOT NULL,"
    "  reason TEXT,"
    "  begun_us INTEGER NOT NULL,"
    "  ended_us INTEGER NOT NULL,"
    "  complaints TEXT" /* the longest comes last: seldom read */
    ") STRICT;"
    "INSERT INTO import_with_id SELECT no, 'import-' || no, file, position, created + updated, 0, created + updated, "
    "  created, updated, done, NULL, 0, 0, NULL FROM import;"
    "DROP TABLE import;"
    "ALTER TABLE import_with_id RENAME TO import;"
    "CREATE INDEX import_open ON import (no) WHERE done = 0;";

/* engine.clock_us is the latest time that was written, whatever the calendar says since. */
static const char clock[] = "ALTER TABLE engine ADD COLUMN clock_us INTEGER NOT NULL DEFAULT 0;";

/* Nobody needs to know it of a job that has begun, so jobs from before are not asked. */
static const char job_resumed[] = "ALTER TABLE job ADD COLUMN resumed INTEGER NOT NULL DEFAULT 0;";

/* Objects that the engine does not act on (a token's body is auth.c's); schedules; who changed what. Organizations are
 * looked for by what belongs to them, before they are deleted. */
static const char contract[] =
    "CREATE TABLE object ("
    "  kind TEXT NOT NULL,"
    "  id TEXT NOT NULL,"
    "  revision INTEGER NOT NULL,"
    "  body TEXT NOT NULL,"
    "  PRIMARY KEY (kind, id)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO object SELECT 'token', id, 1, json_object('roles', json_array(json_object('role', role)), "
    "  'expires', expires_us, 'created', created_us, 'hash', lower(hex(hash))) FROM token;"
    "DROP TABLE token;"
    "DROP TABLE template;"
    "CREATE TABLE schedule ("
    "  id TEXT PRIMARY KEY,"
    "  revision INTEGER NOT NULL,"
    "  definition TEXT NOT NULL,"
    "  rule TEXT NOT NULL,"
    "  organization TEXT,"
    "  estimate INTEGER NOT NULL,"
    "  enabled INTEGER NOT NULL,"
    "  next INTEGER NOT NULL,"
    "  due_us INTEGER NOT NULL,"
    "  queued INTEGER NOT NULL,"
    "  runs INTEGER NOT NULL,"
    "  instance TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX schedule_due ON schedule (due_us) WHERE due_us > 0;"
    "CREATE INDEX schedule_queued ON schedule (id) WHERE queued = 1;"
    "CREATE TABLE audit ("
    "  no INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  at_us INTEGER NOT NULL,"
    "  who TEXT NOT NULL,"
    "  request TEXT NOT NULL,"
    "  operation TEXT NOT NULL,"
    "  object TEXT NOT NULL,"
    "  etag_before TEXT NOT NULL,"
    "  etag_after TEXT NOT NULL,"
    "  result TEXT NOT NULL"
    ") STRICT;"
    "ALTER TABLE job ADD COLUMN organization TEXT NOT NULL DEFAULT '';"
    "UPDATE job SET organization = ifnull((SELECT json_extract('{' || body || '}', '$.organizations[0]') "
    "  FROM definition WHERE definition.job = job.no), '');"
    "CREATE INDEX job_organization ON job (organization) WHERE organization <> '';"
    "CREATE INDEX job_schedule ON job (schedule, no) WHERE schedule <> '';"
    "CREATE INDEX device_organization ON device (organization) WHERE organization IS NOT NULL AND deleted = 0;";

/* erasure: jobs that are gone, but not all of their rows. */
static const char retention[] =
    "CREATE TABLE erasure (job INTEGER PRIMARY KEY) STRICT;"
    "CREATE INDEX job_ended ON job (ended_us) WHERE open = 0;"
    "CREATE INDEX job_origin ON job (origin) WHERE open = 1 AND origin <> 0;";

/* Calls to single devices. */
static const char calls[] =
    "ALTER TABLE job ADD COLUMN device TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE job ADD COLUMN call TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX job_call ON job (device, call, no) WHERE device <> '';";

static const char *const migrations[] = { foundation, job_values, import_ids, clock, job_resumed, contract, retention, calls };
#define SCHEMA_VERSION ((int)(sizeof migrations / sizeof migrations[0]))

static int take_version(void *version, int columns, char **values, char **names)
{
    (void)columns, (void)names;
    return sscanf(values[0], "%d", (int *)version) == 1 ? 0 : 1;
}

static enum tranche_code schema_version(sqlite3 *db, int *version, struct tranche_err *err)
{
    if (sqlite3_exec(db, "PRAGMA user_version", take_version, version, NULL) != SQLITE_OK)
        return sqlite_fail(db, "read the schema's version", err);
    if (*version > SCHEMA_VERSION)
        return fail(err, TRANCHE_INVALID,
                    "the store has schema %d, written by a newer version; this one knows schemas up to %d", *version,
                    SCHEMA_VERSION);
    return TRANCHE_OK;
}

/* Inside a transaction: the next migration, unless somebody else ran it while we waited for the lock. */
static enum tranche_code schema_step(sqlite3 *db, int from, struct tranche_err *err)
{
    int version = 0;
    enum tranche_code code = schema_version(db, &version, err);
    if (code != TRANCHE_OK || version != from)
        return code;

    char pragma[64]; /* a pragma takes no bound values */
    snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", from + 1);
    if (sqlite3_exec(db, migrations[from], NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, pragma, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(db, "migrate the schema", err);
    return TRANCHE_OK;
}

enum tranche_code schema_migrate(sqlite3 *db, struct tranche_err *err)
{
    int version = 0;
    enum tranche_code code = schema_version(db, &version, err);
    while (code == TRANCHE_OK && version < SCHEMA_VERSION) {
        if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
            return sqlite_fail(db, "migrate the schema", err);
        code = schema_step(db, version, err);
        if (!sqlite3_get_autocommit(db))
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        version++;
    }
    return code;
}
