/* The hash: a 64-bit state, started from seed and purpose, takes in each field as little-endian 64-bit words
 * (the last one padded with zeros) followed by the field's length, so that ("ab", "c") and ("a", "bc")
 * differ. After each word the state goes through splitmix64's finalizer. Not meant to withstand an adversary,
 * only to look random.
 */
#include "fleetsim_device.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum purpose { DRAW_TRANSIENT = 1, DRAW_OFFLINE, DRAW_FAIL, DRAW_SLOW, DRAW_JITTER, DRAW_CLOSE, DRAW_CHOICE };

static uint64_t hash_word(uint64_t state, uint64_t word)
{
    uint64_t z = (state ^ word) + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t hash_span(uint64_t state, struct span span)
{
    for (size_t at = 0; at < span.bytes; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        size_t left = span.bytes - at;
        memcpy(&word, span.data + at, left < sizeof word ? left : sizeof word);
        state = hash_word(state, le64toh(word));
    }
    return hash_word(state, span.bytes);
}

static uint64_t draw_start(const struct device_profile *profile, enum purpose purpose)
{
    return hash_word(hash_word(0, profile->seed), purpose);
}

static uint64_t draw_device(const struct device_profile *profile, enum purpose purpose,
                            const struct device_call *call)
{
    return hash_span(draw_start(profile, purpose), call->device);
}

static uint64_t draw_key(const struct device_profile *profile, enum purpose purpose,
                         const struct device_call *call)
{
    return hash_span(draw_device(profile, purpose, call), call->key);
}

static uint64_t draw_attempt(const struct device_profile *profile, enum purpose purpose,
                             const struct device_call *call)
{
    return hash_word(draw_key(profile, purpose, call), call->attempt);
}

/* Sticky failures know nothing of the key. */
static uint64_t draw_failure(const struct device_profile *profile, enum purpose purpose,
                             const struct device_call *call)
{
    return profile->sticky ? draw_device(profile, purpose, call) : draw_key(profile, purpose, call);
}

static bool hits(uint64_t draw, uint64_t share)
{
    assert(share <= SHARE_WHOLE);
    return draw >> 1 < share;
}

/* Callers look at the share first, because most profiles use few of the faults and a draw costs more than a
 * look. */
static bool is_transient(const struct device_profile *profile, const struct device_call *call)
{
    return profile->transient > 0 && hits(draw_attempt(profile, DRAW_TRANSIENT, call), profile->transient);
}

static bool is_offline(const struct device_profile *profile, const struct device_call *call)
{
    return profile->offline > 0 && hits(draw_device(profile, DRAW_OFFLINE, call), profile->offline);
}

static bool is_failing(const struct device_profile *profile, const struct device_call *call)
{
    return profile->fail > 0 && hits(draw_failure(profile, DRAW_FAIL, call), profile->fail);
}

bool device_is_lost(const struct device_profile *profile, struct span device)
{
    size_t bytes = profile->black_hole_prefix == NULL ? 0 : strlen(profile->black_hole_prefix);
    return bytes > 0 && device.bytes >= bytes && memcmp(device.data, profile->black_hole_prefix, bytes) == 0;
}

enum verdict device_verdict(const struct device_profile *profile, const struct device_call *call)
{
    if (is_transient(profile, call))
        return VERDICT_TRANSIENT;
    if (call->command && is_offline(profile, call))
        return VERDICT_OFFLINE;
    if (is_failing(profile, call))
        return VERDICT_FAIL;
    return VERDICT_OK;
}

uint64_t device_delay_us(const struct device_profile *profile, const struct device_call *call)
{
    if (profile->slow > 0 && hits(draw_attempt(profile, DRAW_SLOW, call), profile->slow))
        return profile->slow_ms * 1000;
    uint64_t delay_us = profile->latency_ms * 1000;
    if (profile->jitter_ms > 0)
        delay_us += draw_attempt(profile, DRAW_JITTER, call) % (profile->jitter_ms * 1000 + 1);
    return delay_us;
}

bool device_closes(const struct device_profile *profile, uint64_t request)
{
    return profile->close_reused > 0 &&
           hits(hash_word(draw_start(profile, DRAW_CLOSE), request), profile->close_reused);
}

size_t device_choice(const struct device_profile *profile, const struct device_call *call,
                     enum verdict verdict, size_t count)
{
    assert(count > 0);
    uint64_t draw = verdict == VERDICT_TRANSIENT ? draw_attempt(profile, DRAW_CHOICE, call)
                                                 : draw_failure(profile, DRAW_CHOICE, call);
    return (size_t)(draw % count);
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {
#define X(verdict, name) [verdict] = name,
        VERDICTS(X)
#undef X
    };
    assert(verdict < VERDICT_COUNT);
    return names[verdict];
}

/* numerator / denominator in units of 2^-63, by long division: exact, and without 128-bit arithmetic. */
static uint64_t share_of(uint64_t numerator, uint64_t denominator)
{
    assert(numerator <= denominator && denominator < SHARE_WHOLE);
    if (numerator == denominator)
        return SHARE_WHOLE;
    uint64_t share = 0;
    for (int bit = 0; bit < 63; bit++) {
        numerator *= 2;
        share *= 2;
        if (numerator >= denominator) {
            numerator -= denominator;
            share++;
        }
    }
    return share;
}

bool share_parse(const char *percent, uint64_t *share)
{
    uint64_t value = 0, scale = 1;
    bool point = false;
    int decimals = 0;
    const char *at = percent;
    for (; *at != '\0'; at++) {
        if (*at == '.' && !point && at > percent) {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9' || decimals == SHARE_DECIMALS_MAX)
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
        if (point) {
            scale *= 10;
            decimals++;
        }
        if (value > 100 * scale)
            return false;
    }
    if (at == percent || at[-1] == '.')
        return false;
    *share = share_of(value, 100 * scale);
    return true;
}
