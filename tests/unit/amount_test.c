#include "amount.h"
#include "decimal.h"
#include "random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct tranche_amount amount(const char *text, bool percentage)
{
    struct tranche_amount value = {0};
    struct tranche_err err = {0};
    if (amount_parse(text, strlen(text), percentage, &value, &err) != TRANCHE_OK)
        cr_assert_fail("%s: %s", text, err.text);
    return value;
}

static const char *refusal(const char *text)
{
    static struct tranche_err err;
    struct tranche_amount untouched = { .mantissa = 77, .scale = 7 };
    cr_assert_eq(amount_parse(text, strlen(text), true, &untouched, &err), TRANCHE_INVALID, "%s", text);
    cr_assert_eq(err.code, TRANCHE_INVALID);
    cr_assert(untouched.mantissa == 77 && untouched.scale == 7 && !untouched.percentage, "%s wrote", text);
    return err.text;
}

Test(amount, reads_json_numbers_exactly)
{
    static const struct {
        const char *text;
        uint64_t mantissa;
        int scale;
        const char *printed;
    } rows[] = {
        { "0", 0, 0, "0" },
        { "0.0", 0, 0, "0" },
        { "0e5", 0, 0, "0" },
        { "0e-999999999999999999999999", 0, 0, "0" },
        { "0.000000000000000000000000000000", 0, 0, "0" },
        { "25", 25, 0, "25" },
        { "100", 100, 0, "100" },
        { "12.5", 125, 1, "12.5" },
        { "12.50", 125, 1, "12.5" },
        { "5.0", 5, 0, "5" },
        { "5.000000000000000000000000000000", 5, 0, "5" },
        { "1e1", 10, 0, "10" },
        { "1E+1", 10, 0, "10" },
        { "1.5e1", 15, 0, "15" },
        { "1.5e0", 15, 1, "1.5" },
        { "15e-1", 15, 1, "1.5" },
        { "150e-2", 15, 1, "1.5" },
        { "100e-2", 1, 0, "1" },
        { "0.05", 5, 2, "0.05" },
        { "0.050", 5, 2, "0.05" },
        { "14.285714", 14285714, 6, "14.285714" },
        { "10.01", 1001, 2, "10.01" },
        { "1000000.0000001", UINT64_C(10000000000001), 7, "1000000.0000001" },
        { "999999999999999999", UINT64_C(999999999999999999), 0, "999999999999999999" },
        { "99.9999999999999999", UINT64_C(999999999999999999), 16, "99.9999999999999999" },
        { "0.999999999999999999", UINT64_C(999999999999999999), 18, "0.999999999999999999" },
        { "0.000000000000000001", 1, 18, "0.000000000000000001" },
        { "1e-18", 1, 18, "0.000000000000000001" },
        { "1e17", UINT64_C(100000000000000000), 0, "100000000000000000" },
        { "100000000000000000.0000", UINT64_C(100000000000000000), 0, "100000000000000000" },
        { "0.00000000000000000000000000001e29", 1, 0, "1" },
        { "100000000000000000000000000000e-29", 1, 0, "1" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tranche_amount got = amount(rows[i].text, i % 2 == 0);
        char printed[AMOUNT_TEXT_BYTES];
        amount_print(&got, printed);

        cr_assert_eq(got.mantissa, rows[i].mantissa, "%s", rows[i].text);
        cr_assert_eq(got.scale, rows[i].scale, "%s", rows[i].text);
        cr_assert_eq(got.percentage, i % 2 == 0, "%s", rows[i].text);
        cr_assert_str_eq(printed, rows[i].printed);
        struct tranche_amount again = amount(printed, i % 2 == 0);
        cr_assert(again.mantissa == got.mantissa && again.scale == got.scale, "%s", rows[i].text);
    }
}

Test(amount, refuses_what_is_no_json_number)
{
    static const char *const texts[] = {
        "", " ", "a", "+1", ".5", "5.", "5.e1", "1e", "1e+", "1e-", "01", "00", "1 ", " 1", "1,5", "0x10", "1.2.3", "1e1.5",
        "NaN", "Infinity", "1_000", "12%", "\"5\"", "null",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char expected[80];
        snprintf(expected, sizeof expected, "expected a number, got %s", texts[i]);
        cr_assert_str_eq(refusal(texts[i]), expected);
    }
}

Test(amount, refuses_negative_numbers)
{
    cr_assert_str_eq(refusal("-1"), "a number must not be negative, got -1");
    cr_assert_str_eq(refusal("-0"), "a number must not be negative, got -0");
    cr_assert_str_eq(refusal("-0.5e3"), "a number must not be negative, got -0.5e3");
}

Test(amount, refuses_more_than_18_significant_digits)
{
    cr_assert_str_eq(refusal("1234567890123456789"),
                     "a number may have at most 18 significant digits, got 1234567890123456789");
    cr_assert_str_eq(refusal("1.234567890123456789"),
                     "a number may have at most 18 significant digits, got 1.234567890123456789");
    cr_assert_str_eq(refusal("1000000000000000000.5"),
                     "a number may have at most 18 significant digits, got 1000000000000000000.5");
    cr_assert_str_eq(refusal("18446744073709551616"),
                     "a number may have at most 18 significant digits, got 18446744073709551616");
}

Test(amount, refuses_what_is_out_of_reach)
{
    cr_assert_str_eq(refusal("1e18"), "a number must be below 1e18, got 1e18");
    cr_assert_str_eq(refusal("1000000000000000000"), "a number must be below 1e18, got 1000000000000000000");
    cr_assert_str_eq(refusal("12e17"), "a number must be below 1e18, got 12e17");
    cr_assert_str_eq(refusal("1e99999999999999999999999999"),
                     "a number must be below 1e18, got 1e99999999999999999999999999");
    cr_assert_str_eq(refusal("1e-19"), "a number may have at most 18 decimals, got 1e-19");
    cr_assert_str_eq(refusal("1e-99999999999999999999999999"),
                     "a number may have at most 18 decimals, got 1e-99999999999999999999999999");
}

Test(amount, shows_only_the_beginning_of_a_long_text)
{
    char text[1000];
    memset(text, '9', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    const char *said = refusal(text);

    cr_assert_str_eq(said, "a number may have at most 18 significant digits, got 9999999999999999999999999999999999999999");
}

Test(amount, reads_only_the_bytes_it_is_given)
{
    struct tranche_amount value;
    cr_assert_eq(amount_parse("12.5678", 4, false, &value, NULL), TRANCHE_OK);
    cr_assert(value.mantissa == 125 && value.scale == 1);
    cr_assert_eq(amount_parse("12.5678", 3, false, &value, NULL), TRANCHE_INVALID);
}

Test(amount, prints_the_shortest_form_of_what_was_made_by_hand)
{
    char text[AMOUNT_TEXT_BYTES];
    amount_print(&(struct tranche_amount){ .mantissa = 500, .scale = 2 }, text);
    cr_assert_str_eq(text, "5");
    amount_print(&(struct tranche_amount){ .mantissa = 0, .scale = 18 }, text);
    cr_assert_str_eq(text, "0");
    amount_print(&(struct tranche_amount){ .mantissa = 1050, .scale = 3 }, text);
    cr_assert_str_eq(text, "1.05");
}

Test(amount, compares_with_whole_numbers)
{
    static const struct {
        const char *text;
        uint64_t whole;
        int order;
    } rows[] = {
        { "0", 0, 0 },        { "0", 1, -1 },
        { "0.000000000000000001", 0, 1 }, { "0.999999999999999999", 1, -1 },
        { "100", 100, 0 },    { "100.0000000000001", 100, 1 }, { "99.9999999999999", 100, -1 },
        { "999999999999999999", UINT64_C(999999999999999999), 0 },
        { "999999999999999999", UINT64_MAX, -1 },
        { "0.999999999999999999", UINT64_MAX, -1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tranche_amount value = amount(rows[i].text, false);
        int order = amount_compare(&value, rows[i].whole);
        cr_assert_eq((order > 0) - (order < 0), rows[i].order, "%s", rows[i].text);
    }
}

Test(amount, knows_whole_numbers)
{
    static const char *const whole[] = { "0", "1", "5.0", "1e1", "100", "999999999999999999" };
    static const char *const broken[] = { "0.5", "1e-1", "12.5", "0.000000000000000001", "99999999999.9999999" };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        struct tranche_amount value = amount(whole[i], false);
        cr_assert(amount_is_whole(&value), "%s", whole[i]);
    }
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct tranche_amount value = amount(broken[i], false);
        cr_assert_not(amount_is_whole(&value), "%s", broken[i]);
    }
    cr_assert(amount_is_whole(&(struct tranche_amount){ .mantissa = 50, .scale = 1 }));
}

Test(amount, is_the_same_however_many_zeros_are_written_behind_the_point)
{
    for (unsigned hundredths = 0; hundredths <= 10000; hundredths++) {
        char text[16];
        snprintf(text, sizeof text, "%u.%02u", hundredths / 100, hundredths % 100);
        struct tranche_amount value = amount(text, true);
        if (hundredths % 10 == 0)
            snprintf(text, sizeof text, "%u.%u", hundredths / 100, hundredths / 10 % 10);
        struct tranche_amount shorter = amount(text, true);
        if (hundredths % 100 == 0)
            snprintf(text, sizeof text, "%u", hundredths / 100);
        struct tranche_amount shortest = amount(text, true);

        char printed[AMOUNT_TEXT_BYTES];
        amount_print(&value, printed);
        if (value.mantissa != shorter.mantissa || value.scale != shorter.scale ||
            value.mantissa != shortest.mantissa || value.scale != shortest.scale || strcmp(printed, text) != 0)
            cr_assert_fail("%s is printed as %s", text, printed);
    }
}

Test(amount, agrees_with_paper_on_every_percentage_of_two_decimals)
{
    for (unsigned hundredths = 0; hundredths <= 10000; hundredths++) {
        char text[16], digits[16];
        snprintf(text, sizeof text, "%u.%02u", hundredths / 100, hundredths % 100);
        snprintf(digits, sizeof digits, "%u", hundredths);
        struct tranche_amount value = amount(text, true);
        for (uint32_t total = 0; total <= 200; total++) {
            bool rest;
            unsigned long limit = decimal_percent(digits, 2, total, &rest);
            unsigned long devices = limit + rest;
            if (devices == 0 && total > 0)
                devices = 1;
            if (amount_of(&value, total) != devices)
                cr_assert_fail("%s %% of %u: %u, not %lu", text, total, amount_of(&value, total), devices);
            for (uint64_t count = limit > 0 ? limit - 1 : 0; count <= limit + 2; count++)
                if (amount_exceeded(&value, count, total) != (count > limit))
                    cr_assert_fail("%lu of %u against %s %%", (unsigned long)count, total, text);
        }
    }
}

Test(amount, agrees_with_paper_on_random_percentages_of_many_digits)
{
    struct random random = { 42 };
    for (int i = 0; i < 200000; i++) {
        unsigned length = random_between(&random, 1, AMOUNT_DIGITS_MAX);
        unsigned decimals = random_below(&random, length + 1);
        uint32_t total = (uint32_t)(random_next(&random) >> random_between(&random, 32, 63));
        char digits[24], text[32];
        for (unsigned at = 0; at < length; at++)
            digits[at] = (char)('0' + random_below(&random, 10));
        digits[length] = '\0';
        if (digits[0] == '0')
            digits[0] = '1'; /* JSON knows no leading zeros */
        snprintf(text, sizeof text, "%s%.*s%s%s", decimals == length ? "0" : "", (int)(length - decimals), digits,
                 decimals > 0 ? "." : "", digits + length - decimals);
        struct tranche_amount value = amount(text, true);

        bool rest;
        unsigned long limit = decimal_percent(digits, decimals, total, &rest);
        unsigned long devices = limit >= UINT32_MAX ? UINT32_MAX : limit + rest;
        if (devices == 0 && total > 0)
            devices = 1;

        if (amount_of(&value, total) != devices)
            cr_assert_fail("%s %% of %u: %u, not %lu", text, total, amount_of(&value, total), devices);
        if (amount_exceeded(&value, limit, total) || (limit < UINT64_MAX && !amount_exceeded(&value, limit + 1, total)))
            cr_assert_fail("the limit of %s %% of %u is not %lu", text, total, limit);
    }
}

Test(amount, a_number_ignores_what_it_is_compared_with)
{
    for (uint32_t number = 0; number <= 60; number++) {
        char text[8];
        snprintf(text, sizeof text, "%u", number);
        struct tranche_amount value = amount(text, false);
        cr_assert_eq(amount_of(&value, 0), 0);
        cr_assert_eq(amount_of(&value, 7), number == 0 ? 1 : number);
        for (uint64_t count = 0; count <= 62; count++)
            for (uint64_t base = 0; base <= 3; base++)
                if (amount_exceeded(&value, count, base * 31) != (count > number))
                    cr_assert_fail("%lu against %u", (unsigned long)count, number);
    }
}

Test(amount, a_broken_number_is_rounded_up_and_exceeded_from_the_next_whole_one)
{
    struct tranche_amount value = amount("2.5", false);
    cr_assert_eq(amount_of(&value, 100), 3);
    cr_assert_not(amount_exceeded(&value, 2, 100));
    cr_assert(amount_exceeded(&value, 3, 100));
}

Test(amount, stays_exact_at_the_extremes)
{
    struct tranche_amount most = amount("999999999999999999", true);
    struct tranche_amount least = amount("0.000000000000000001", true);
    struct tranche_amount almost = amount("99.9999999999999999", true);
    struct tranche_amount number = amount("999999999999999999", false);

    cr_assert_eq(amount_of(&most, UINT32_MAX), UINT32_MAX);
    cr_assert_eq(amount_of(&most, 1), UINT32_MAX);
    cr_assert_eq(amount_of(&number, 1), UINT32_MAX);
    cr_assert_eq(amount_of(&least, UINT32_MAX), 1);
    cr_assert_eq(amount_of(&almost, UINT32_MAX), UINT32_MAX);
    cr_assert(amount_exceeded(&almost, UINT32_MAX, UINT32_MAX));
    cr_assert_not(amount_exceeded(&almost, UINT32_MAX - 1u, UINT32_MAX));
    cr_assert_not(amount_exceeded(&most, UINT64_MAX, UINT64_MAX));
    cr_assert(amount_exceeded(&least, 1, 1));
    cr_assert(amount_exceeded(&almost, UINT64_MAX, UINT64_MAX));
    cr_assert_not(amount_exceeded(&least, 0, UINT64_MAX));
    cr_assert(amount_exceeded(&number, UINT64_C(1000000000000000000), 0));
    cr_assert_not(amount_exceeded(&number, UINT64_C(999999999999999999), 0));
}
