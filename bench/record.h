/* A run as JSON: the machine, every sample, and what the table makes of them; and two runs compared. */
#ifndef RECORD_H
#define RECORD_H

#include "machine.h"
#include "rounds.h"

#include "mem.h"

/* Zeroed is empty. */
struct record {
    struct text text;
    uint32_t groups;
};

void record_begin(struct record *record, const struct machine *machine, bool pinned);
void record_group(struct record *record, const struct results *results, enum bench_scale scale);
void record_end(struct record *record, double stolen_percent);
enum tranche_code record_write(const struct record *record, const char *path, struct tranche_err *err);
void record_free(struct record *record);

/* Prints how the medians of a complete record stand to those of the older one in the file `path`. */
enum tranche_code compare_print(const struct record *record, const char *path, struct tranche_err *err);

#endif
