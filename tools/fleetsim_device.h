/* What a simulated device decides. Pure: no device exists anywhere, each decision is a draw from a hash of
 * the seed and of what the call says, so that any number of devices costs no memory, a run can be repeated,
 * and a checker can ask afterwards (`fleetsim verdict`) what was decided.
 *
 * A draw is the 64-bit hash of (seed, purpose, fields...) below. Each purpose draws independently of the
 * others:
 *
 *     purpose        fields                       hits with probability
 *     transient      device, key, attempt         transient     so each X-Attempt draws anew
 *     offline        device                       offline       commands only: a desired value can wait
 *     fail           device, key                  fail          so a rerun, having new keys, draws anew
 *     fail (sticky)  device                       fail          so a rerun meets the same devices
 *     slow           device, key, attempt         slow
 *     jitter         device, key, attempt         uniform 0..jitter_ms, in microseconds
 *     close          number of the request        close_reused
 *
 * The order is the way through a gateway: an overloaded one says so before it looks at the device, and an
 * offline device cannot refuse.
 */
#ifndef FLEETSIM_DEVICE_H
#define FLEETSIM_DEVICE_H

#include "fleetsim_bytes.h"

/* How a request ended: what devices decide, and what the gateway does without asking them. */
#define VERDICTS(X)                                                                              \
    X(VERDICT_OK, "ok")                   /* the device accepted                              */ \
    X(VERDICT_FAIL, "fail")               /* refused for good: a 4xx or a device code >= 400  */ \
    X(VERDICT_TRANSIENT, "transient")     /* 429 or 503: another attempt draws anew           */ \
    X(VERDICT_OFFLINE, "offline")         /* 404: a command for a device that isn't connected */ \
    X(VERDICT_CLOSED, "closed")           /* no answer: the connection was closed instead     */ \
    X(VERDICT_BLACK_HOLE, "black-hole")   /* no answer, and the connection stays open         */ \
    X(VERDICT_NOT_FOUND, "not-found")     /* no such route                                    */ \
    X(VERDICT_BAD_REQUEST, "bad-request") /* framing, device id or body not understood        */

enum verdict {
#define X(verdict, name) verdict,
    VERDICTS(X)
#undef X
        VERDICT_COUNT
};

/* The verdict's name in the log. Static. */
const char *verdict_name(enum verdict verdict);

/* A probability in units of 2^-63: a draw hits when the upper 63 bits of its hash are below it. */
#define SHARE_WHOLE ((uint64_t)1 << 63)

/* Digits allowed behind the point; with them a hundred percent still counts in units that fit 64 bits. */
#define SHARE_DECIMALS_MAX 9

/* Reads a percentage such as "5" or "0.125" exactly (rounded down to a unit only at the end). False if it is
 * none. */
bool share_parse(const char *percent, uint64_t *share);

struct device_profile {
    uint64_t seed;
    uint64_t fail, transient, offline, slow, close_reused; /* shares */
    uint64_t latency_ms, jitter_ms, slow_ms;
    bool sticky;
    bool black_hole;
    const char *black_hole_prefix; /* of device ids; NULL or "": none */
};

/* What a decision is made of. */
struct device_call {
    struct span device; /* the id, decoded */
    struct span key;    /* Idempotency-Key; empty when there was none */
    uint32_t attempt;   /* X-Attempt; 0 when there was none */
    bool command;       /* else a property write */
};

/* Whether the device is one of those that never answer. */
bool device_is_lost(const struct device_profile *profile, struct span device);

/* One of ok, fail, transient, offline. */
enum verdict device_verdict(const struct device_profile *profile, const struct device_call *call);

/* How long the answer takes, from the moment the request is complete. */
uint64_t device_delay_us(const struct device_profile *profile, const struct device_call *call);

/* Whether request number `request` among those on a reused connection finds it closed. */
bool device_closes(const struct device_profile *profile, uint64_t request);

/* An index below `count` for the choice between several wordings of `verdict`, drawn from the same fields as
 * it. */
size_t device_choice(const struct device_profile *profile, const struct device_call *call,
                     enum verdict verdict, size_t count);

#endif
