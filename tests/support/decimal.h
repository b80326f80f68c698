/* Percentages as one does them on paper, on digits in strings: the oracle for amounts, batches and thresholds. Shares no
 * arithmetic with them: a product is made digit by digit with a carry, and dividing by a power of ten cuts digits off.
 */
#ifndef DECIMAL_H
#define DECIMAL_H

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DECIMAL_BYTES 64

/* digits * factor; `digits` may have leading zeros. */
static inline void decimal_multiply(const char *digits, unsigned long factor, char product[DECIMAL_BYTES])
{
    size_t length = DECIMAL_BYTES - 1;
    unsigned long carry = 0;
    size_t at = strlen(digits);
    assert(at + 20 < DECIMAL_BYTES);
    product[length] = '\0';
    for (size_t i = length; i-- > 0;) {
        unsigned long sum = carry;
        if (at > 0)
            sum += (unsigned long)(digits[--at] - '0') * factor;
        product[i] = (char)('0' + sum % 10);
        carry = sum / 10;
    }
    assert(carry == 0);
}

/* The whole part of value percent of total, where value is `digits` with its last `decimals` digits behind the point.
 * `rest` tells whether something was cut off. ULONG_MAX stands for anything larger. */
static inline unsigned long decimal_percent(const char *digits, unsigned decimals, unsigned long total, bool *rest)
{
    char product[DECIMAL_BYTES];
    decimal_multiply(digits, total, product);
    size_t cut = strlen(product) - decimals - 2;
    *rest = strspn(product + cut, "0") != decimals + 2;
    product[cut] = '\0';
    return strtoul(product, NULL, 10);
}

#endif
