/* Twin of fleetsim_device.c. The draws are deterministic, so the statistics below either hold for good or
 * never. */
#include "fleetsim_device.h"

#include <criterion/criterion.h>
#include <math.h>

#define DEVICES 100000

static uint64_t percent(const char *text)
{
    uint64_t share = 0;
    cr_assert(share_parse(text, &share), "%s", text);
    return share;
}

/* Buffers that a call's spans point into. */
struct names {
    char device[32], key[64];
};

static struct device_call call_make(struct names *names, unsigned device, const char *job, unsigned attempt)
{
    snprintf(names->device, sizeof names->device, "sim-%06u", device);
    snprintf(names->key, sizeof names->key, "%s/sim-%06u", job, device);
    return (struct device_call){
        .device = span_of(names->device), .key = span_of(names->key), .attempt = attempt, .command = true
    };
}

static enum verdict verdict_of(const struct device_profile *profile, unsigned device, const char *job,
                               unsigned attempt)
{
    struct names names;
    struct device_call call = call_make(&names, device, job, attempt);
    return device_verdict(profile, &call);
}

static unsigned count_of(const struct device_profile *profile, enum verdict verdict)
{
    unsigned count = 0;
    for (unsigned i = 0; i < DEVICES; i++)
        count += verdict_of(profile, i, "job-1", 1) == verdict;
    return count;
}

/* Within five standard deviations of a binomial draw. */
static void expect_share(unsigned count, double probability)
{
    double mean = DEVICES * probability, deviation = sqrt(mean * (1 - probability));
    cr_expect(fabs(count - mean) <= 5 * deviation, "%u of %d drawn at %g", count, DEVICES, probability);
}

/* How many devices are judged differently by two (job, attempt) pairs. */
static unsigned count_changed(const struct device_profile *profile, const char *job, unsigned attempt)
{
    unsigned changed = 0;
    for (unsigned i = 0; i < DEVICES; i++)
        changed += verdict_of(profile, i, "job-1", 1) != verdict_of(profile, i, job, attempt);
    return changed;
}

/* ---- percentages ---- */

Test(fleetsim_device, only_the_named_prefix_is_lost)
{
    struct device_profile profile = { .black_hole_prefix = "h-" };
    cr_assert(device_is_lost(&profile, (struct span){ .data = "h-1", .bytes = 3 }));
    cr_assert_not(device_is_lost(&profile, (struct span){ .data = "h", .bytes = 1 }));
    cr_assert_not(device_is_lost(&profile, (struct span){ .data = "sim-h-1", .bytes = 7 }));
    profile.black_hole_prefix = "";
    cr_assert_not(device_is_lost(&profile, (struct span){ .data = "h-1", .bytes = 3 }));
}

Test(fleetsim_device, percentages_are_exact)
{
    cr_expect_eq(percent("0"), 0);
    cr_expect_eq(percent("100"), SHARE_WHOLE);
    cr_expect_eq(percent("100.000000000"), SHARE_WHOLE);
    cr_expect_eq(percent("50"), SHARE_WHOLE / 2);
    cr_expect_eq(percent("12.5"), SHARE_WHOLE / 8);
    cr_expect_eq(percent("0.390625"), SHARE_WHOLE / 256);
    cr_expect_eq(percent("5"), percent("5.000"));
    cr_expect_eq(percent("0.1"), UINT64_C(9223372036854775)); /* 2^63 / 1000, rounded down */
    cr_expect_eq(percent("0.000000001"), UINT64_C(92233720)); /* 2^63 / 10^11 */
}

Test(fleetsim_device, what_is_no_percentage_is_refused)
{
    static const char *const bad[] = { "",
                                       ".",
                                       "5.",
                                       ".5",
                                       "-1",
                                       "+1",
                                       "1e1",
                                       "5%",
                                       " 5",
                                       "1.2.3",
                                       "100.000000001",
                                       "101",
                                       "0.1234567890",
                                       "18446744073709551621",
                                       "nan" };
    uint64_t share = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(share_parse(bad[i], &share), "%s", bad[i]);
    cr_expect_eq(share, 7, "a refused percentage must leave the share alone");
}

/* ---- verdicts ---- */

Test(fleetsim_device, each_verdict_has_the_share_that_was_asked_for)
{
    static const struct {
        const char *text;
        double probability;
    } cases[] = { { "0.1", 0.001 }, { "1", 0.01 }, { "5", 0.05 }, { "50", 0.5 }, { "99.9", 0.999 } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            uint64_t share = percent(cases[i].text);
            expect_share(count_of(&(struct device_profile){ .seed = seed, .fail = share }, VERDICT_FAIL),
                         cases[i].probability);
            expect_share(count_of(&(struct device_profile){ .seed = seed, .fail = share, .sticky = true },
                                  VERDICT_FAIL),
                         cases[i].probability);
            expect_share(
                count_of(&(struct device_profile){ .seed = seed, .offline = share }, VERDICT_OFFLINE),
                cases[i].probability);
            expect_share(
                count_of(&(struct device_profile){ .seed = seed, .transient = share }, VERDICT_TRANSIENT),
                cases[i].probability);
        }
}

Test(fleetsim_device, nothing_and_everything_are_absolute)
{
    cr_expect_eq(count_of(&(struct device_profile){ 0 }, VERDICT_OK), DEVICES);
    cr_expect_eq(count_of(&(struct device_profile){ .fail = SHARE_WHOLE }, VERDICT_FAIL), DEVICES);
}

Test(fleetsim_device, faults_are_drawn_independently)
{
    struct device_profile profile = {
        .seed = 5, .transient = percent("20"), .offline = percent("20"), .fail = percent("20")
    };

    expect_share(count_of(&profile, VERDICT_TRANSIENT), 0.2);
    expect_share(count_of(&profile, VERDICT_OFFLINE), 0.8 * 0.2);
    expect_share(count_of(&profile, VERDICT_FAIL), 0.8 * 0.8 * 0.2);
}

Test(fleetsim_device, the_same_call_is_judged_the_same)
{
    struct device_profile profile = {
        .seed = 9, .transient = percent("30"), .offline = percent("30"), .fail = percent("30")
    };

    cr_expect_eq(count_changed(&profile, "job-1", 1), 0);
}

/* The expected row was computed apart, from the description of the hash. A change of the hash gives recorded
 * runs another meaning, so it has to be meant. */
Test(fleetsim_device, known_calls_keep_their_verdicts)
{
    static const char letters[VERDICT_COUNT] = {
        [VERDICT_OK] = '.', [VERDICT_FAIL] = 'F', [VERDICT_TRANSIENT] = 'T', [VERDICT_OFFLINE] = 'O'
    };
    struct device_profile profile = {
        .seed = 7, .transient = percent("20"), .offline = percent("20"), .fail = percent("40")
    };
    char seen[33] = "";

    for (unsigned i = 0; i < 32; i++)
        seen[i] = letters[verdict_of(&profile, i, "job-1", 1)];

    cr_expect_str_eq(seen, "OFF.O.O..OOF..O.T...TOOFFFOTT.FF");
}

Test(fleetsim_device, another_seed_draws_other_devices)
{
    struct device_profile one = { .seed = 1, .fail = percent("50") },
                          two = { .seed = 2, .fail = percent("50") };
    unsigned changed = 0;
    for (unsigned i = 0; i < DEVICES; i++)
        changed += verdict_of(&one, i, "job-1", 1) != verdict_of(&two, i, "job-1", 1);
    expect_share(changed, 0.5);
}

Test(fleetsim_device, a_rerun_draws_anew_unless_sticky)
{
    struct device_profile fresh = { .seed = 1, .fail = percent("50") };
    struct device_profile sticky = { .seed = 1, .fail = percent("50"), .sticky = true };

    expect_share(count_changed(&fresh, "job-2", 1), 0.5);
    cr_expect_eq(count_changed(&sticky, "job-2", 1), 0);
}

Test(fleetsim_device, a_failure_is_the_same_at_each_attempt)
{
    struct device_profile profile = { .seed = 1, .fail = percent("50") };

    cr_expect_eq(count_changed(&profile, "job-1", 2), 0);
}

Test(fleetsim_device, a_transient_fault_is_drawn_anew_for_each_attempt)
{
    struct device_profile profile = { .seed = 1, .transient = percent("50") };

    expect_share(count_changed(&profile, "job-1", 2), 0.5);
}

Test(fleetsim_device, an_offline_device_is_offline_for_all_jobs_and_attempts)
{
    struct device_profile profile = { .seed = 1, .offline = percent("50") };

    cr_expect_eq(count_changed(&profile, "job-2", 3), 0);
}

Test(fleetsim_device, an_offline_device_takes_property_writes)
{
    struct device_profile profile = { .seed = 1, .offline = SHARE_WHOLE };
    struct names names;
    struct device_call call = call_make(&names, 1, "job-1", 1);

    cr_expect_eq(device_verdict(&profile, &call), VERDICT_OFFLINE);
    call.command = false;
    cr_expect_eq(device_verdict(&profile, &call), VERDICT_OK);
}

Test(fleetsim_device, the_border_between_device_and_key_counts)
{
    struct device_profile profile = { .seed = 1, .fail = percent("50") };
    unsigned changed = 0;
    char text[24];
    for (unsigned i = 0; i < DEVICES; i++) {
        snprintf(text, sizeof text, "%016u", i);
        struct device_call early = { .device = { text, 8 }, .key = { text + 8, 8 } };
        struct device_call late = { .device = { text, 16 }, .key = { text + 16, 0 } };
        changed += device_verdict(&profile, &early) != device_verdict(&profile, &late);
    }
    expect_share(changed, 0.5);
}

/* ---- time ---- */

Test(fleetsim_device, jitter_stays_within_its_bounds_and_fills_them)
{
    struct device_profile profile = { .seed = 3, .latency_ms = 20, .jitter_ms = 10 };
    uint64_t least = UINT64_MAX, most = 0, sum = 0;
    struct names names;
    for (unsigned i = 0; i < DEVICES; i++) {
        struct device_call call = call_make(&names, i, "job-1", 1);
        uint64_t delay_us = device_delay_us(&profile, &call);
        least = delay_us < least ? delay_us : least;
        most = delay_us > most ? delay_us : most;
        sum += delay_us;
    }
    cr_expect(least >= 20000 && least < 20010, "least %lu", (unsigned long)least);
    cr_expect(most > 29990 && most <= 30000, "most %lu", (unsigned long)most);
    cr_expect(sum / DEVICES > 24900 && sum / DEVICES < 25100, "mean %lu", (unsigned long)(sum / DEVICES));
}

Test(fleetsim_device, slow_answers_take_exactly_what_they_are_told)
{
    struct device_profile profile = {
        .seed = 3, .latency_ms = 20, .jitter_ms = 10, .slow = percent("5"), .slow_ms = 2000
    };
    unsigned slow = 0;
    struct names names;
    for (unsigned i = 0; i < DEVICES; i++) {
        struct device_call call = call_make(&names, i, "job-1", 1);
        slow += device_delay_us(&profile, &call) == 2000000;
    }
    expect_share(slow, 0.05);
}

Test(fleetsim_device, closing_is_drawn_for_each_request)
{
    struct device_profile profile = { .seed = 3, .close_reused = percent("5") };
    unsigned closed = 0;
    for (uint64_t i = 0; i < DEVICES; i++)
        closed += device_closes(&profile, i);
    expect_share(closed, 0.05);
    profile.close_reused = 0;
    for (uint64_t i = 0; i < DEVICES; i++)
        cr_expect_not(device_closes(&profile, i));
}

Test(fleetsim_device, each_wording_of_a_failure_is_as_likely)
{
    struct device_profile profile = { .seed = 3 };
    unsigned counts[8] = { 0 };
    struct names names;
    for (unsigned i = 0; i < DEVICES; i++) {
        struct device_call call = call_make(&names, i, "job-1", 1);
        counts[device_choice(&profile, &call, VERDICT_FAIL, 8)]++;
    }
    for (size_t i = 0; i < 8; i++)
        expect_share(counts[i], 0.125);
}
