#include "stats.h"

#include <assert.h>
#include <stdlib.h>

#define TAIL_MAX 0.025 /* on each side */

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

struct spread spread_of(double *values, uint32_t count)
{
    assert(count > 0);
    qsort(values, count, sizeof *values, ascending);
    double low = values[(count - 1) / 2], high = values[count / 2];
    return (struct spread){ .median = (low + high) / 2, .least = values[0], .most = values[count - 1] };
}

/* How many samples may be cut off at each end: the true median is below the k-th smallest of n with the chance
 * that fewer than k of n tosses show heads. */
static uint32_t samples_cut(uint32_t count)
{
    double term = 1, below; /* of the binomial distribution, and its sum */
    for (uint32_t i = 0; i < count; i++)
        term /= 2;
    below = term;
    for (uint32_t cut = 0; cut < count / 2; cut++) {
        term = term * (count - cut) / (cut + 1);
        below += term;
        if (below > TAIL_MAX)
            return cut;
    }
    return 0;
}

struct spread median_interval(double *values, uint32_t count)
{
    struct spread spread = spread_of(values, count);
    uint32_t cut = samples_cut(count);
    spread.least = values[cut];
    spread.most = values[count - 1 - cut];
    return spread;
}
