/* What is said about a handful of samples. */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

struct spread {
    double median, least, most;
};

/* `values` are sorted by it. */
struct spread spread_of(double *values, uint32_t count);

/* The same, with least and most drawn in to an interval that holds the true median with at least 95 % confidence:
 * the order statistics between which it lies by the binomial law, whatever the distribution. With fewer than 6
 * samples there is none that narrow; then it is the whole range. */
struct spread median_interval(double *values, uint32_t count);

#endif
