/* The table on stdout. */
#ifndef TABLE_H
#define TABLE_H

#include "machine.h"
#include "rounds.h"

void table_machine(const struct machine *machine, bool pinned, enum bench_scale scale);
void table_group(const struct results *results, enum bench_scale scale);

/* A number as people read it, three digits at least and with its thousands apart: "8.12", "31.4", "41,544". */
#define TABLE_NUMBER_BYTES 32
const char *table_number(double number, char text[TABLE_NUMBER_BYTES]);

/* Prints text and as many blanks as make it so wide, one at least unless width is 0; UTF-8 is counted in characters. */
void table_cell(const char *text, int width);

#endif
