#include "threshold.h"
#include "amount.h"
#include "decimal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct threshold threshold(const char *text, bool percentage, bool per_batch)
{
    struct threshold made = { .set = true, .per_batch = per_batch };
    cr_assert_eq(amount_parse(text, strlen(text), percentage, &made.amount, NULL), TRANCHE_OK, "%s", text);
    return made;
}

static struct tranche_tally tally(uint32_t total, uint32_t failures)
{
    return (struct tranche_tally){ .total = total, .failed = failures };
}

/* The failure at which a base of devices trips; 0 for never. */
static uint32_t trips_at(const struct threshold *t, uint32_t base)
{
    for (uint32_t failures = 0; failures <= base; failures++) {
        struct tranche_tally counts = tally(base, failures);
        if (threshold_tripped(t, &counts, &counts))
            return failures;
    }
    return 0;
}

Test(threshold, trips_where_the_contract_says)
{
    static const struct {
        const char *value;
        bool percentage;
        uint32_t base, at;
    } rows[] = {
        { "10", false, 11, 11 }, { "10", false, 1000, 11 }, { "0", false, 5, 1 },
        { "10", true, 15, 2 },   { "10", true, 20, 3 },     { "50", true, 3, 2 },
        { "100", true, 1, 0 },   { "100", true, 60, 0 },    { "25", true, 4, 2 },
        { "25", true, 2, 1 },    { "0", true, 9, 1 },       { "10", true, 7, 1 },
        { "12.5", true, 8, 2 },  { "50", true, 7, 4 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct threshold t = threshold(rows[i].value, rows[i].percentage, false);
        cr_assert_eq(trips_at(&t, rows[i].base), rows[i].at, "%s of %u", rows[i].value, rows[i].base);
    }
}

Test(threshold, agrees_with_paper_on_every_percentage_of_two_decimals)
{
    for (unsigned hundredths = 0; hundredths <= 10000; hundredths++) {
        char digits[8], text[16];
        snprintf(digits, sizeof digits, "%u", hundredths);
        snprintf(text, sizeof text, "%u.%02u", hundredths / 100, hundredths % 100);
        struct threshold t = { .set = true, .amount = { .percentage = true } };
        if (amount_parse(text, strlen(text), true, &t.amount, NULL) != TRANCHE_OK)
            cr_assert_fail("%s", text);
        for (uint32_t base = 0; base <= 60; base++) {
            bool rest;
            unsigned long limit = decimal_percent(digits, 2, base, &rest);
            for (uint32_t failures = 0; failures <= base; failures++) {
                struct tranche_tally counts = tally(base, failures);
                if (threshold_tripped(&t, &counts, NULL) != (failures > limit))
                    cr_assert_fail("%u of %u against %s %%", failures, base, text);
            }
        }
    }
}

Test(threshold, agrees_with_plain_comparison_on_every_number)
{
    for (uint32_t number = 0; number <= 62; number++) {
        struct threshold t = { .set = true, .amount = { .mantissa = number } };
        for (uint32_t base = 0; base <= 60; base++)
            for (uint32_t failures = 0; failures <= base; failures++) {
                struct tranche_tally counts = tally(base, failures);
                if (threshold_tripped(&t, &counts, NULL) != (failures > number))
                    cr_assert_fail("%u of %u against %u", failures, base, number);
            }
    }
}

Test(threshold, counts_unknown_outcomes_and_not_completed_ones)
{
    struct threshold t = threshold("2", false, false);
    for (uint32_t failed = 0; failed <= 4; failed++)
        for (uint32_t unknown = 0; unknown <= 4; unknown++) {
            struct tranche_tally counts = { .total = 100, .completed = 90, .failed = failed, .unknown = unknown };
            cr_assert_eq(threshold_tripped(&t, &counts, NULL), failed + unknown > 2, "%u, %u", failed, unknown);
        }
}

Test(threshold, that_is_not_set_never_trips)
{
    struct threshold none = {0};
    struct tranche_tally all_failed = tally(10, 10);
    cr_assert_not(threshold_tripped(&none, &all_failed, &all_failed));
}

Test(threshold, per_batch_looks_at_the_batch_alone)
{
    struct threshold job_wide = threshold("25", true, false);
    struct threshold per_batch = threshold("25", true, true);
    struct tranche_tally job = tally(10, 3), quiet = tally(4, 1), loud = tally(2, 1);
    struct tranche_tally calm_job = tally(10, 2);

    cr_assert(threshold_tripped(&job_wide, &job, &quiet));
    cr_assert_not(threshold_tripped(&per_batch, &job, &quiet));
    cr_assert_not(threshold_tripped(&job_wide, &calm_job, &loud));
    cr_assert(threshold_tripped(&per_batch, &calm_job, &loud));
}

Test(threshold, holds_at_the_largest_counts)
{
    struct threshold almost = threshold("99.9999999999999999", true, false);
    struct threshold all = threshold("100", true, false);
    struct tranche_tally counts = { .total = UINT32_MAX, .failed = UINT32_MAX - 1u, .unknown = 1 };

    cr_assert(threshold_tripped(&almost, &counts, NULL));
    cr_assert_not(threshold_tripped(&all, &counts, NULL));
    counts.unknown = 0;
    cr_assert_not(threshold_tripped(&almost, &counts, NULL));
}
