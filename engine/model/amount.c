#include "amount.h"

#include "fail.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* Mantissas have 18 digits, counts 20: products need up to 38, which is what 128 bits hold. */
__extension__ typedef unsigned __int128 wide;

static const uint64_t powers[AMOUNT_DIGITS_MAX + 1] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
    UINT64_C(10000000000), UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(10000000000000),
    UINT64_C(100000000000000), UINT64_C(1000000000000000), UINT64_C(10000000000000000),
    UINT64_C(100000000000000000), UINT64_C(1000000000000000000),
};

/* Digits read so far, as mantissa * 10^exponent. Zeros wait until a digit follows them, so that those at the end, of the
 * fraction and of the integer alike, only move the exponent. */
struct decimal {
    uint64_t mantissa;
    int digits;       /* of the mantissa */
    int64_t zeros;    /* seen, not yet in the mantissa */
    int64_t exponent; /* after the last digit seen */
    bool full;        /* a digit did not fit */
};

static const char *read_number(const char *p, const char *end, struct decimal *decimal);

static void check(const struct tranche_amount *amount)
{
    assert(amount->scale <= AMOUNT_DIGITS_MAX);
    assert(amount->mantissa < powers[AMOUNT_DIGITS_MAX]);
}

enum tranche_code amount_parse(const char *text, size_t bytes, bool percentage, struct tranche_amount *amount,
                               struct tranche_err *err)
{
    int shown = bytes < 40 ? (int)bytes : 40; /* of a text that may be long and is not NUL-terminated */
    if (bytes > 0 && text[0] == '-')
        return fail(err, TRANCHE_INVALID, "a number must not be negative, got %.*s", shown, text);

    struct decimal decimal = {0};
    if (read_number(text, text + bytes, &decimal) != text + bytes)
        return fail(err, TRANCHE_INVALID, "expected a number, got %.*s", shown, text);
    if (decimal.full)
        return fail(err, TRANCHE_INVALID, "a number may have at most %d significant digits, got %.*s",
                    AMOUNT_DIGITS_MAX, shown, text);

    int64_t exponent = decimal.mantissa == 0 ? 0 : decimal.exponent + decimal.zeros;
    if (exponent > AMOUNT_DIGITS_MAX - decimal.digits)
        return fail(err, TRANCHE_INVALID, "a number must be below 1e%d, got %.*s", AMOUNT_DIGITS_MAX, shown, text);
    if (exponent < -AMOUNT_DIGITS_MAX)
        return fail(err, TRANCHE_INVALID, "a number may have at most %d decimals, got %.*s", AMOUNT_DIGITS_MAX, shown,
                    text);

    *amount = (struct tranche_amount){
        .percentage = percentage,
        .scale = exponent < 0 ? (uint8_t)-exponent : 0,
        .mantissa = exponent > 0 ? decimal.mantissa * powers[exponent] : decimal.mantissa,
    };
    return TRANCHE_OK;
}

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static void add_digit(struct decimal *decimal, char digit)
{
    if (digit == '0') {
        decimal->zeros += decimal->mantissa != 0; /* leading ones mean nothing */
        return;
    }
    if (decimal->zeros >= AMOUNT_DIGITS_MAX - decimal->digits) {
        decimal->full = true;
        return;
    }
    int more = (int)decimal->zeros + 1;
    decimal->mantissa = decimal->mantissa * powers[more] + (uint64_t)(digit - '0');
    decimal->digits += more;
    decimal->zeros = 0;
}

/* A huge exponent stops growing where no text is long enough to bring it back into reach. */
static const char *read_exponent(const char *p, const char *end, int64_t *exponent)
{
    const int64_t enough = INT64_C(1000000000000);
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '+' || *p == '-'))
        p++;
    if (!is_digit(p, end))
        return NULL;
    int64_t value = 0;
    for (; is_digit(p, end); p++)
        if (value < enough)
            value = value * 10 + (*p - '0');
    *exponent = negative ? -value : value;
    return p;
}

/* The longest JSON number without a sign; NULL where there is none. */
static const char *read_number(const char *p, const char *end, struct decimal *decimal)
{
    if (!is_digit(p, end))
        return NULL;
    if (*p == '0')
        p++;
    else
        for (; is_digit(p, end); p++)
            add_digit(decimal, *p);

    if (p < end && *p == '.') {
        p++;
        if (!is_digit(p, end))
            return NULL;
        for (; is_digit(p, end); p++) {
            add_digit(decimal, *p);
            decimal->exponent--;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        int64_t exponent = 0;
        p = read_exponent(p + 1, end, &exponent);
        decimal->exponent += exponent;
    }
    return p;
}

void amount_print(const struct tranche_amount *amount, char text[AMOUNT_TEXT_BYTES])
{
    check(amount);
    uint64_t mantissa = amount->mantissa;
    int scale = amount->scale;
    for (; scale > 0 && mantissa % 10 == 0; scale--)
        mantissa /= 10;

    uint64_t whole = mantissa / powers[scale];
    uint64_t fraction = mantissa % powers[scale];
    if (scale == 0)
        snprintf(text, AMOUNT_TEXT_BYTES, "%" PRIu64, whole);
    else
        snprintf(text, AMOUNT_TEXT_BYTES, "%" PRIu64 ".%0*" PRIu64, whole, scale, fraction);
}

int amount_compare(const struct tranche_amount *amount, uint64_t whole)
{
    check(amount);
    wide left = amount->mantissa;
    wide right = (wide)whole * powers[amount->scale];
    return (left > right) - (left < right);
}

bool amount_is_whole(const struct tranche_amount *amount)
{
    check(amount);
    return amount->mantissa % powers[amount->scale] == 0;
}

/* What amount / of is divided by to get devices. */
static wide divisor(const struct tranche_amount *amount)
{
    return (wide)powers[amount->scale] * (amount->percentage ? 100 : 1);
}

uint32_t amount_of(const struct tranche_amount *amount, uint32_t total)
{
    check(amount);
    if (total == 0)
        return 0;
    wide product = (wide)amount->mantissa * (amount->percentage ? total : 1);
    wide devices = product / divisor(amount) + (product % divisor(amount) != 0);
    if (devices > UINT32_MAX)
        return UINT32_MAX;
    return devices == 0 ? 1 : (uint32_t)devices;
}

bool amount_exceeded(const struct tranche_amount *amount, uint64_t count, uint64_t base)
{
    check(amount);
    /* A whole count exceeds a limit exactly when it exceeds the limit's whole part; multiplying the count instead could
     * leave 128 bits. */
    wide limit = (wide)amount->mantissa * (amount->percentage ? base : 1) / divisor(amount);
    return count > limit;
}
