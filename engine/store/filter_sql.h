/* A device group's filter as an SQL condition on the table device, with every value bound.
 *
 * Pure text. Missing properties, and values of another type than the one compared with, make a predicate NULL or false,
 * and both keep a device out, since the language has no NOT. Strings compare by bytes; numbers exactly, whether they are
 * kept as integers or as binary fractions.
 *
 * SQLite's parser has a stack of 100, and each parenthesis to the right of an operand takes three places, one to the
 * left takes one. AND and OR commute, so the more deeply nested side is written first: then every filter that the parser
 * of filters accepts fits (its 64 levels, with SQLite's own dozen).
 */
#ifndef FILTER_SQL_H
#define FILTER_SQL_H

#include "filter.h"

#include <stdint.h>

struct filter_sql_value {
    enum { FILTER_SQL_INTEGER, FILTER_SQL_REAL, FILTER_SQL_TEXT } type;
    int64_t integer;
    double real;
    const char *text;
    struct filter_sql_value *next;
};

/* Zeroed is empty. Texts of the filter are borrowed: keep it until the statement with the values is finished. */
struct filter_sql {
    struct text condition;
    struct filter_sql_value *values; /* of ?1, ?2, ... */
    int value_count;
    bool one_template; /* all devices that match have one and the same template: the index by template serves best */
    struct arena memory;
};

/* TRANCHE_NOMEM is the only failure. */
enum tranche_code filter_sql_write(const struct filter *filter, struct filter_sql *out, struct tranche_err *err);
void filter_sql_free(struct filter_sql *sql); /* zeroed is fine */

#endif
