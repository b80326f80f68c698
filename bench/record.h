/* A run as JSON: the machine, every sample, and what the table makes of them; and two runs compared. */
#ifndef RECORD_H
#define RECORD_H

#include "machine.h"
#include "rounds.h"

#include "mem.h"

void record_begin(struct text *record, const struct machine *machine, bool pinned, bool more_groups);
void record_group(struct text *record, const struct results *results, enum bench_scale scale, bool more);
void record_end(struct text *record, double stolen_percent);
enum tranche_code record_write(const struct text *record, const char *path, struct tranche_err *err);

/* Prints how the medians of `record` stand to those of the record in the file `path`. */
enum tranche_code compare_print(const struct text *record, const char *path, struct tranche_err *err);

#endif
