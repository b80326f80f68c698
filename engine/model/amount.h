/* An exact amount of devices: a decimal number, or a percentage of something. No binary floating point anywhere. */
#ifndef AMOUNT_H
#define AMOUNT_H

#include <tranche/err.h>
#include <tranche/job.h>

#define AMOUNT_DIGITS_MAX 18 /* significant digits, and decimals: the largest power of ten that always fits in 64 bits */
#define AMOUNT_TEXT_BYTES 24 /* "0." and 18 decimals, or 18 digits with a point, and NUL */

/* Reads a JSON number ("25", "12.5", "5.0", "1e1") exactly; trailing zeros of the fraction are dropped. Negative numbers
 * ("-0" too), more than 18 significant digits, and values of 1e18 and above or with more than 18 decimals are
 * TRANCHE_INVALID. Sets `percentage` as given. `amount` is written only on success. */
enum tranche_code amount_parse(const char *text, size_t bytes, bool percentage, struct tranche_amount *amount,
                               struct tranche_err *err);

/* Prints the shortest plain decimal ("12.5"). */
void amount_print(const struct tranche_amount *amount, char text[AMOUNT_TEXT_BYTES]);

int amount_compare(const struct tranche_amount *amount, uint64_t whole); /* <0, 0, >0 against a whole number */
bool amount_is_whole(const struct tranche_amount *amount);

/* ceil(percentage of total), or ceil of the number itself; exact. At least 1 and at most 2^32 - 1, but 0 when total is 0. */
uint32_t amount_of(const struct tranche_amount *amount, uint32_t total);

/* count > amount of base, exactly: a percentage compares count * 100 with value * base, a number ignores base. */
bool amount_exceeded(const struct tranche_amount *amount, uint64_t count, uint64_t base);

#endif
