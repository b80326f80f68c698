#include "threshold.h"

#include "amount.h"

bool threshold_tripped(const struct threshold *threshold, const struct tranche_tally *job,
                       const struct tranche_tally *batch)
{
    if (!threshold->set)
        return false;
    const struct tranche_tally *tally = threshold->per_batch ? batch : job;
    uint32_t failures = tally->failed + tally->unknown; /* of distinct devices, so no more than total */
    return amount_exceeded(&threshold->amount, failures, tally->total);
}
