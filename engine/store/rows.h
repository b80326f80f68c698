/* How a row becomes a record, and back where both directions are needed. What the writer and the readers look up in the
 * same way is here too. */
#ifndef ROWS_H
#define ROWS_H

#include "connection.h"

#include <tranche/store.h>

/* A job with borrowed strings, which live as long as the row; false when the row is damaged. */
bool row_job(sqlite3_stmt *row, struct tranche_job_record *record);
#define ROW_JOB_COLUMNS 26 /* of JOB_COLUMNS; what a statement selects beyond them comes here */
/* Likewise; false when the row is damaged. */
bool row_device(sqlite3_stmt *row, struct tranche_device_record *record);
bool row_group(sqlite3_stmt *row, struct tranche_group_record *record);
void row_batch(sqlite3_stmt *row, struct tranche_batch_record *record);

/* Numbers packed 4 bytes each, least byte first. `packed` has room for 4 * count bytes. */
void numbers_pack(const uint32_t *numbers, uint32_t count, unsigned char *packed);
/* Unpacks a column; false when there are none, more than `max`, or broken ones. */
bool numbers_unpack(sqlite3_stmt *row, int column, uint32_t *numbers, uint32_t max, uint32_t *count);

/* All rows of a statement that was taken and selects JOB_COLUMNS. */
enum tranche_code rows_visit_jobs(struct connection *connection, enum statement statement, tranche_job_visit *visit,
                                  void *context, struct tranche_err *err);

/* Into memory that the record owns. TRANCHE_NOTFOUND names the id. */
enum tranche_code rows_job_find(struct connection *connection, const char *id, struct tranche_job_record *out,
                                struct tranche_err *err);
enum tranche_code rows_chunk_load(struct connection *connection, int64_t job, uint32_t chunk,
                                  uint32_t devices[TRANCHE_CHUNK], uint32_t *count, struct tranche_err *err);
/* The device at an ordinal of a frozen membership: its number and id. TRANCHE_IO: the rows do not have it. */
enum tranche_code rows_member(struct connection *connection, const struct tranche_job_record *job, uint32_t ordinal,
                              uint32_t *no, char id[TRANCHE_DEVICE_BYTES], struct tranche_err *err);
/* Strings live until the next call that keeps some. Both statements select DEVICE_COLUMNS and have their value bound. */
enum tranche_code rows_device(struct connection *connection, enum statement statement,
                              struct tranche_device_record *out, struct tranche_err *err);
enum tranche_code rows_device_find(struct connection *connection, const char *id, struct tranche_device_record *out,
                                   struct tranche_err *err);
enum tranche_code rows_group_find(struct connection *connection, const char *id, struct tranche_group_record *out,
                                  struct tranche_err *err);

/* A row that no version of ours has written. */
enum tranche_code row_damaged(struct connection *connection, enum statement statement, struct tranche_err *err);

#endif
