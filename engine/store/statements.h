/* Every SQL statement of the store, whole and visible; prepared once per connection, for those who use it.
 *
 * A row: name, who uses it, what it does (for error texts), the text. Values are bound, never pasted; ?1 is the first
 * value, and the files that bind them follow this order. The one text that is put together is the condition of a filter
 * (filter_sql.h).
 */
#ifndef STATEMENTS_H
#define STATEMENTS_H

enum role { ROLE_WRITER = 1, ROLE_READER = 2, ROLE_ALL = ROLE_WRITER | ROLE_READER };

/* The columns of a job, in the order in which rows_job reads them. */
#define JOB_COLUMNS                                                                                        \
    "job.no, job.id, job.device_group, job.schedule, job.origin, definition.body, job.reason, job.state, " \
    "job.created_us, job.started_us, job.ended_us, job.estimate, job.frozen, job.next, job.batch_devices, " \
    "job.batch, job.intent_seq, job.calls, job.total, job.completed, job.failed, job.unknown, " \
    "job.resumed, job.organization, job.device, job.call "
#define JOB_SOURCE "FROM job JOIN definition ON definition.job = job.no "

/* Whether nothing needs a job any more. */
#define JOB_IS_FREE                                                                                      \
    "open = 0 AND NOT EXISTS (SELECT 1 FROM fold WHERE fold.job = job.no) AND NOT EXISTS " \
    "(SELECT 1 FROM job AS rerun WHERE rerun.origin = job.no AND rerun.open = 1) "

/* In the order of rows_device and rows_group. */
#define DEVICE_COLUMNS                                                                                   \
    "no, id, enabled, provisioned, simulated, deleted, revision, display_name, template_id, organization, " \
    "manifest, properties, stamps, properties_us "
#define GROUP_COLUMNS "id, revision, display_name, description, filter, organization "

/* In the order of sqlite_objects.c and sqlite_schedules.c: the texts that are kept come last. */
#define OBJECT_COLUMNS "id, revision, body "
#define SCHEDULE_COLUMNS \
    "id, revision, estimate, enabled, next, due_us, queued, runs, instance, definition, rule, organization "

/* In the order of sqlite_imports.c; the complaints come after them. */
#define IMPORT_COLUMNS \
    "no, id, position, lines, bad, devices, created, updated, done, begun_us, ended_us, file, reason"

/* In DEVICE_PUT, x'' is no text, so that the table refuses it: one row that is no JSON would break every filter. A CHECK
 * would be plainer, but SQLite 3.40 holds json_valid to be unsafe there. */

/* clang-format off */
#define STATEMENTS(X)                                                                                       \
    X(BEGIN, ROLE_WRITER, "begin a transaction",                                                            \
      "BEGIN IMMEDIATE")                                                                                    \
    X(COMMIT, ROLE_WRITER, "commit",                                                                        \
      "COMMIT")                                                                                             \
    X(ROLLBACK, ROLE_WRITER, "roll back",                                                                   \
      "ROLLBACK")                                                                                           \
    X(SNAPSHOT_OPEN, ROLE_READER, "open a snapshot",                                                        \
      "BEGIN")                                                                                              \
    X(SNAPSHOT_CLOSE, ROLE_READER, "close a snapshot",                                                      \
      "COMMIT")                                                                                             \
    X(NUMBER_PUT, ROLE_WRITER, "store the commit's number",                                                 \
      "UPDATE engine SET commit_number = ?1")                                                               \
    X(NUMBER_LOAD, ROLE_WRITER, "load the commit's number",                                                 \
      "SELECT commit_number FROM engine")                                                                   \
    X(CLOCK_PUT, ROLE_WRITER, "store the time",                                                             \
      "UPDATE engine SET clock_us = ?1")                                                                    \
    X(CLOCK_LOAD, ROLE_WRITER, "load the time",                                                             \
      "SELECT clock_us FROM engine")                                                                        \
    X(SEED_LOAD, ROLE_WRITER, "load the seed of the texts' hash",                                           \
      "SELECT text_seed FROM engine")                                                                       \
                                                                                                            \
    X(JOB_INSERT, ROLE_WRITER, "insert a job",                                                              \
      "INSERT INTO job (id, device_group, schedule, origin, reason, state, open, created_us, started_us, "  \
      "ended_us, estimate, frozen, next, batch_devices, batch, intent_seq, calls, total, completed, "       \
      "failed, unknown, resumed, organization, device, call) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "  \
      "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)")                    \
    X(DEFINITION_INSERT, ROLE_WRITER, "insert a job's definition",                                          \
      "INSERT INTO definition (job, body) VALUES (?1, ?2)")                                                 \
    X(JOB_UPDATE, ROLE_WRITER, "update a job",                                                              \
      "UPDATE job SET reason = ?5, state = ?6, open = ?7, started_us = ?9, ended_us = ?10, estimate = ?11, " \
      "frozen = ?12, next = ?13, batch_devices = ?14, batch = ?15, intent_seq = ?16, calls = ?17, "         \
      "total = ?18, completed = ?19, failed = ?20, unknown = ?21, resumed = ?22 "                           \
      "WHERE no = ?23")                                                                                     \
    X(JOB_FIND, ROLE_ALL, "find a job",                                                                     \
      "SELECT " JOB_COLUMNS JOB_SOURCE "WHERE job.id = ?1")                                                 \
    X(JOB_SHAPE, ROLE_READER, "load the shape of a job's membership",                                       \
      "SELECT total, batch_devices FROM job WHERE no = ?1")                                                 \
    X(JOBS_OPEN, ROLE_WRITER, "list the open jobs",                                                         \
      "SELECT " JOB_COLUMNS JOB_SOURCE "WHERE job.open = 1 ORDER BY job.no")                                \
    X(JOBS_ALL, ROLE_WRITER, "list the jobs",                                                               \
      "SELECT " JOB_COLUMNS JOB_SOURCE "ORDER BY job.no")                                                   \
    X(JOBS_PAGE, ROLE_READER, "list the jobs",                                                              \
      "SELECT " JOB_COLUMNS JOB_SOURCE "WHERE job.no < ?1 AND job.device = '' "                             \
      "ORDER BY job.no DESC LIMIT ?2")                                                                      \
    X(CALLS_PAGE, ROLE_READER, "list the calls to a device",                                                \
      "SELECT " JOB_COLUMNS JOB_SOURCE "WHERE job.device = ?1 AND job.device <> '' AND job.call = ?2 "      \
      "AND job.no < ?3 ORDER BY job.no DESC LIMIT ?4")                                                      \
    X(JOB_EXPIRED, ROLE_WRITER, "find a job that has expired",                                              \
      "SELECT no, id FROM job WHERE state IN ('complete', 'cancelled', 'failed') AND ended_us < ?1 "        \
      "AND " JOB_IS_FREE "ORDER BY ended_us LIMIT 1")                                                       \
    X(JOB_IS_FREE, ROLE_WRITER, "look whether a job may be erased",                                         \
      "SELECT " JOB_IS_FREE "FROM job WHERE no = ?1")                                                       \
    X(ERASURE_PUT, ROLE_WRITER, "store an erasure",                                                         \
      "INSERT INTO erasure (job) VALUES (?1)")                                                              \
    X(ERASURE_FIND, ROLE_WRITER, "find an erasure",                                                         \
      "SELECT job FROM erasure ORDER BY job LIMIT 1")                                                       \
    X(ERASURE_DROP, ROLE_WRITER, "end an erasure",                                                          \
      "DELETE FROM erasure WHERE job = ?1")                                                                 \
    X(JOB_DROP, ROLE_WRITER, "delete a job",                                                                \
      "DELETE FROM job WHERE no = ?1")                                                                      \
    X(DEFINITION_DROP, ROLE_WRITER, "delete a job's definition",                                            \
      "DELETE FROM definition WHERE job = ?1")                                                              \
    X(BATCHES_ERASE, ROLE_WRITER, "erase batches",                                                          \
      "DELETE FROM batch WHERE job = ?1 AND no < (SELECT min(no) FROM batch WHERE job = ?1) + ?2")          \
    X(CHUNKS_ERASE, ROLE_WRITER, "erase members",                                                           \
      "DELETE FROM chunk WHERE job = ?1 AND no < (SELECT min(no) FROM chunk WHERE job = ?1) + ?2")          \
    X(RESULTS_ERASE, ROLE_WRITER, "erase results",                                                          \
      "DELETE FROM result WHERE job = ?1 "                                                                  \
      "AND ordinal < (SELECT min(ordinal) FROM result WHERE job = ?1) + ?2")                                \
    X(RETRIES_ERASE, ROLE_WRITER, "erase waiting devices",                                                  \
      "DELETE FROM retry WHERE job = ?1 "                                                                   \
      "AND ordinal < (SELECT min(ordinal) FROM retry WHERE job = ?1) + ?2")                                 \
    X(BATCH_PUT, ROLE_WRITER, "store a batch",                                                              \
      "INSERT INTO batch (job, no, started_us, ended_us, total, completed, failed, unknown) "               \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET started_us = ?3, ended_us = ?4, "  \
      "total = ?5, completed = ?6, failed = ?7, unknown = ?8")                                              \
    X(BATCH_LOAD, ROLE_WRITER, "load a batch",                                                              \
      "SELECT no, started_us, ended_us, total, completed, failed, unknown FROM batch "                      \
      "WHERE job = ?1 AND no = ?2")                                                                         \
    X(BATCHES_PAGE, ROLE_READER, "list the batches",                                                        \
      "SELECT no, started_us, ended_us, total, completed, failed, unknown FROM batch "                      \
      "WHERE job = ?1 AND no >= ?2 ORDER BY no LIMIT ?3")                                                   \
                                                                                                            \
    X(CHUNK_PUT, ROLE_WRITER, "store a chunk of the members",                                               \
      "INSERT INTO chunk (job, no, batch, members) VALUES (?1, ?2, ?3, ?4)")                                \
    X(CHUNK_LOAD, ROLE_ALL, "load a chunk of the members",                                                  \
      "SELECT members FROM chunk WHERE job = ?1 AND no = ?2")                                               \
    X(CHUNKS_DROP, ROLE_WRITER, "drop the members",                                                         \
      "DELETE FROM chunk WHERE job = ?1")                                                                   \
    X(INTENT_PUT, ROLE_WRITER, "store an intent",                                                           \
      "INSERT INTO intent (job, seq, step, attempt, ordinals) VALUES (?1, ?2, ?3, ?4, ?5) "                 \
      "ON CONFLICT DO UPDATE SET step = ?3, attempt = ?4, ordinals = ?5")                                   \
    X(INTENT_DROP, ROLE_WRITER, "drop an intent",                                                           \
      "DELETE FROM intent WHERE job = ?1 AND seq = ?2")                                                     \
    X(INTENTS_OPEN, ROLE_WRITER, "list the open intents",                                                   \
      "SELECT job, seq, step, attempt, ordinals FROM intent ORDER BY job, seq")                             \
    X(RESULT_PUT, ROLE_WRITER, "store a result",                                                            \
      "INSERT INTO result (job, ordinal, step, attempt, final, outcome, code, reason, answer, at_us) "      \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                                                   \
    X(TEXT_FIND, ROLE_WRITER, "find a text",                                                                \
      "SELECT id FROM text WHERE hash = ?1 AND body = ?2")                                                  \
    X(TEXT_INSERT, ROLE_WRITER, "store a text",                                                             \
      "INSERT INTO text (hash, body) VALUES (?1, ?2)")                                                      \
    X(RETRY_PUT, ROLE_WRITER, "store a waiting device",                                                     \
      "INSERT INTO retry (job, ordinal, step, attempt, due_us) VALUES (?1, ?2, ?3, ?4, ?5) "                \
      "ON CONFLICT DO UPDATE SET step = ?3, attempt = ?4, due_us = ?5")                                     \
    X(RETRY_DROP, ROLE_WRITER, "drop a waiting device",                                                     \
      "DELETE FROM retry WHERE job = ?1 AND ordinal = ?2")                                                  \
    X(RETRIES_OF, ROLE_WRITER, "list the waiting devices",                                                  \
      "SELECT ordinal, step, attempt, due_us FROM retry WHERE job = ?1 ORDER BY ordinal")                   \
                                                                                                            \
    X(RESULTS_FINAL, ROLE_READER, "list the results",                                                       \
      "SELECT result.ordinal, result.attempt, result.outcome, result.code, reason.body, answer.body, "      \
      "result.at_us FROM result LEFT JOIN text AS reason ON reason.id = result.reason "                     \
      "LEFT JOIN text AS answer ON answer.id = result.answer "                                              \
      "WHERE result.job = ?1 AND result.ordinal >= ?2 AND result.ordinal < ?3 AND result.final = 1 "        \
      "ORDER BY result.ordinal")                                                                            \
    X(RESULTS_COUNT, ROLE_READER, "count the results",                                                      \
      "SELECT count(*) FILTER (WHERE outcome = 1), count(*) FILTER (WHERE outcome = 2), "                   \
      "count(*) FILTER (WHERE outcome = 3) FROM result "                                                    \
      "WHERE job = ?1 AND ordinal >= ?2 AND ordinal < ?3 AND final = 1")                                    \
    X(MEMBERS_COUNT, ROLE_READER, "count the members",                                                      \
      "SELECT coalesce(sum(length(members)) / 4, 0) FROM chunk WHERE job = ?1")                             \
    X(FAILURES_COUNT, ROLE_READER, "count the failed devices",                                              \
      "SELECT count(*) FROM result WHERE job = ?1 AND final = 1 AND outcome IN (2, 3) AND at_us <= ?2")     \
    X(FAILURES, ROLE_READER, "list the failed devices",                                                     \
      "SELECT ordinal FROM result WHERE job = ?1 AND final = 1 AND outcome IN (2, 3) AND at_us <= ?2 "      \
      "ORDER BY ordinal")                                                                                   \
                                                                                                            \
    X(DEVICE_LOAD, ROLE_WRITER, "load a device",                                                            \
      "SELECT " DEVICE_COLUMNS "FROM device WHERE no = ?1")                                                 \
    X(DEVICE_BRIEF, ROLE_WRITER, "load what it takes to call a device",                                     \
      "SELECT id, enabled, simulated, deleted FROM device WHERE no = ?1")                                   \
    X(DEVICE_FIND, ROLE_ALL, "find a device",                                                               \
      "SELECT " DEVICE_COLUMNS "FROM device WHERE id = ?1 AND deleted = 0")                                 \
    X(DEVICE_NAME, ROLE_READER, "load a device's id",                                                       \
      "SELECT id FROM device WHERE no = ?1")                                                                \
    X(DEVICE_PUT, ROLE_WRITER, "store a device",                                                            \
      "INSERT INTO device (id, enabled, provisioned, simulated, deleted, revision, display_name, "          \
      "template_id, organization, properties, properties_us, manifest) VALUES (?1, ?2, ?3, ?4, 0, 1, ?5, "  \
      "?6, ?7, CASE WHEN json_valid(ifnull(?8, '{}')) THEN ?8 ELSE x'' END, ?9, ?10) "                      \
      "ON CONFLICT (id) WHERE deleted = 0 DO UPDATE SET enabled = ?2, provisioned = ?3, simulated = ?4, "   \
      "revision = revision + 1, display_name = ?5, template_id = ?6, organization = ?7, manifest = ifnull(?10, manifest), " \
      "properties = excluded.properties, properties_us = ?9, "                                              \
      "stamps = CASE WHEN properties_us = ?9 THEN stamps END")                                              \
    X(DEVICE_SET, ROLE_WRITER, "set a device's value",                                                      \
      "UPDATE device SET properties = json_set("                                                            \
      "CASE WHEN json_type(properties, ?3) <> 'object' THEN json_remove(properties, ?3) "                   \
      "ELSE ifnull(properties, '{}') END, ?2, json(?4)), stamps = json_set(ifnull(stamps, '{}'), ?5, ?6) "  \
      "WHERE no = ?1 AND deleted = 0 AND properties_us < ?6 AND ifnull(json_extract(stamps, ?5), 0) < ?6")  \
    X(DEVICE_ASSIGN, ROLE_WRITER, "assign a template to a device",                                          \
      "UPDATE device SET template_id = ?2, revision = revision + 1 WHERE no = ?1 AND deleted = 0")          \
    X(DEVICE_DEPLOY, ROLE_WRITER, "assign a manifest to a device",                                          \
      "UPDATE device SET manifest = ?2, revision = revision + 1 WHERE no = ?1 AND deleted = 0")             \
    X(FOLD_PUT, ROLE_WRITER, "store a fold",                                                                \
      "INSERT INTO fold (job, next) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET next = ?2")                   \
    X(FOLD_DROP, ROLE_WRITER, "delete a fold",                                                              \
      "DELETE FROM fold WHERE job = ?1")                                                                    \
    X(FOLDS, ROLE_ALL, "list the folds",                                                                    \
      "SELECT " JOB_COLUMNS ", fold.next FROM fold JOIN job ON job.no = fold.job "                          \
      "JOIN definition ON definition.job = job.no WHERE fold.job > ?1 ORDER BY fold.job LIMIT ?2")          \
    X(JOB_OPEN, ROLE_READER, "count a job's open devices",                                                  \
      "SELECT (SELECT ifnull(sum(length(ordinals)), 0) / 4 FROM intent WHERE job = ?1), "                   \
      "(SELECT count(*) FROM retry WHERE job = ?1)")                                                        \
    X(FAILURE_REASONS, ROLE_READER, "group the failures",                                                   \
      "SELECT result.outcome, text.body, count(*), max(result.at_us), min(result.ordinal) FROM result "     \
      "LEFT JOIN text ON text.id = result.reason WHERE result.job = ?1 AND result.final = 1 "               \
      "AND result.outcome IN (2, 3) GROUP BY result.outcome, result.reason "                                \
      "ORDER BY count(*) DESC, min(result.ordinal) LIMIT ?2")                                               \
    X(DONE_RANGE, ROLE_ALL, "list completed steps",                                                         \
      "SELECT ordinal, step, final, at_us FROM result "                                                     \
      "WHERE job = ?1 AND ordinal >= ?2 AND ordinal < ?3 AND outcome = 1 ORDER BY ordinal, step")           \
    X(DEVICE_NUMBER, ROLE_WRITER, "find a device's number",                                                 \
      "SELECT no, revision FROM device WHERE id = ?1 AND deleted = 0")                                      \
    X(DEVICE_DROP, ROLE_WRITER, "delete a device",                                                          \
      "UPDATE device SET deleted = 1, revision = revision + 1 WHERE no = ?1 AND deleted = 0")               \
    X(GROUP_FIND, ROLE_ALL, "find a device group",                                                          \
      "SELECT " GROUP_COLUMNS "FROM device_group WHERE id = ?1")                                            \
    X(GROUP_PUT, ROLE_WRITER, "store a device group",                                                       \
      "INSERT INTO device_group (id, revision, display_name, description, filter, organization) "           \
      "VALUES (?1, ?6, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET revision = revision + 1, "                 \
      "display_name = ?2, description = ?3, filter = ?4, organization = ?5")                                \
    X(GROUP_DROP, ROLE_WRITER, "delete a device group",                                                     \
      "DELETE FROM device_group WHERE id = ?1")                                                             \
    X(GROUPS_PAGE, ROLE_READER, "list the device groups",                                                   \
      "SELECT " GROUP_COLUMNS "FROM device_group WHERE id > ?1 ORDER BY id LIMIT ?2")                       \
    X(OBJECT_FIND, ROLE_ALL, "find an object",                                                              \
      "SELECT " OBJECT_COLUMNS "FROM object WHERE kind = ?1 AND id = ?2")                                   \
    X(OBJECT_PUT, ROLE_WRITER, "store an object",                                                           \
      "INSERT INTO object (kind, id, revision, body) VALUES (?1, ?2, ?4, ?3) "                              \
      "ON CONFLICT DO UPDATE SET revision = revision + 1, body = ?3 RETURNING revision")                    \
    X(OBJECT_DROP, ROLE_WRITER, "delete an object",                                                         \
      "DELETE FROM object WHERE kind = ?1 AND id = ?2")                                                     \
    X(OBJECTS, ROLE_ALL, "list objects",                                                                    \
      "SELECT " OBJECT_COLUMNS "FROM object WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3")              \
    X(ORGANIZATION_HOLDS, ROLE_WRITER, "look for what belongs to an organization",                          \
      "SELECT CASE WHEN EXISTS (SELECT 1 FROM job WHERE organization = ?1 AND organization <> '') THEN 1 "  \
      "WHEN EXISTS (SELECT 1 FROM schedule WHERE organization = ?1) THEN 2 "                                \
      "WHEN EXISTS (SELECT 1 FROM device_group WHERE organization = ?1) THEN 3 "                            \
      "WHEN EXISTS (SELECT 1 FROM device WHERE organization = ?1 AND deleted = 0) THEN 4 ELSE 0 END")       \
    X(TEMPLATE_HOLDS, ROLE_WRITER, "look for devices of a template",                                        \
      "SELECT CASE WHEN EXISTS (SELECT 1 FROM device WHERE template_id = ?1 AND deleted = 0) THEN 4 ELSE 0 END") \
    X(SCHEDULE_FIND, ROLE_ALL, "find a schedule",                                                           \
      "SELECT " SCHEDULE_COLUMNS "FROM schedule WHERE id = ?1")                                             \
    X(SCHEDULE_PUT, ROLE_WRITER, "store a schedule",                                                        \
      "INSERT INTO schedule (id, revision, definition, rule, organization, estimate, enabled, next, due_us, " \
      "queued, runs, instance) VALUES (?1, ?12, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "                 \
      "ON CONFLICT DO UPDATE SET revision = revision + 1, definition = ?2, rule = ?3, organization = ?4, "  \
      "estimate = ?5, enabled = ?6, next = ?7, due_us = ?8, queued = ?9, runs = ?10, instance = ?11 "       \
      "RETURNING revision")                                                                                 \
    X(SCHEDULE_SETTLE, ROLE_WRITER, "settle an occurrence",                                                 \
      "UPDATE schedule SET next = ?2, due_us = ?3, queued = ?4, runs = ?5, instance = ?6 WHERE id = ?1")    \
    X(SCHEDULE_DROP, ROLE_WRITER, "delete a schedule",                                                      \
      "DELETE FROM schedule WHERE id = ?1")                                                                 \
    X(SCHEDULES_DUE, ROLE_WRITER, "list the schedules that are due",                                        \
      "SELECT " SCHEDULE_COLUMNS "FROM schedule WHERE (due_us > 0 AND due_us <= ?1) OR queued = 1 "         \
      "ORDER BY due_us = 0, due_us, id LIMIT ?2")                                                           \
    X(SCHEDULES_WAKE, ROLE_WRITER, "find the next occurrence",                                              \
      "SELECT (SELECT min(due_us) FROM schedule WHERE due_us > 0), "                                        \
      "EXISTS (SELECT 1 FROM schedule WHERE queued = 1)")                                                   \
    X(SCHEDULES_PAGE, ROLE_READER, "list the schedules",                                                    \
      "SELECT " SCHEDULE_COLUMNS "FROM schedule WHERE id > ?1 ORDER BY id LIMIT ?2")                        \
    X(SCHEDULE_JOBS_PAGE, ROLE_READER, "list a schedule's jobs",                                            \
      "SELECT " JOB_COLUMNS JOB_SOURCE "WHERE job.schedule = ?1 AND job.schedule <> '' AND job.no < ?2 "    \
      "ORDER BY job.no DESC LIMIT ?3")                                                                      \
    X(AUDIT_PUT, ROLE_WRITER, "store an audit record",                                                      \
      "INSERT INTO audit (at_us, who, request, operation, object, etag_before, etag_after, result) "        \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                            \
    X(AUDIT_PAGE, ROLE_READER, "list the audit records",                                                    \
      "SELECT no, at_us, who, request, operation, object, etag_before, etag_after, result FROM audit "      \
      "WHERE no < ?1 ORDER BY no DESC LIMIT ?2")                                                            \
    X(IMPORT_INSERT, ROLE_WRITER, "store an import",                                                        \
      "INSERT INTO import (position, created, updated, done, reason, ended_us, id, file, lines, bad, "      \
      "devices, begun_us, complaints) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")     \
    X(IMPORT_UPDATE, ROLE_WRITER, "update an import",                                                       \
      "UPDATE import SET position = ?1, created = ?2, updated = ?3, done = ?4, reason = ?5, ended_us = ?6 " \
      "WHERE no = ?7")                                                                                      \
    X(IMPORTS_OPEN, ROLE_WRITER, "list the open imports",                                                   \
      "SELECT " IMPORT_COLUMNS ", NULL FROM import WHERE done = 0 ORDER BY no")                             \
    X(IMPORT_FIND, ROLE_READER, "find an import",                                                           \
      "SELECT " IMPORT_COLUMNS ", complaints FROM import WHERE id = ?1")                                    \
    X(IMPORTS_PAGE, ROLE_READER, "list imports",                                                            \
      "SELECT " IMPORT_COLUMNS ", NULL FROM import ORDER BY no DESC LIMIT ?1")
/* clang-format on */

enum statement {
#define X(name, roles, what, sql) STATEMENT_##name,
    STATEMENTS(X)
#undef X
    STATEMENT_COUNT
};

#endif
