#include "load.h"

#include "fail.h"

#include <inttypes.h>

const char *const load_headers[2] = { "Content-Type: application/json", "X-Attempt: 1" };

void load_words_open(struct load_words *words, const char *gateway)
{
    static const char zeros[] = "0000000";
    _Static_assert(sizeof zeros == LOAD_DIGITS + 1, "a zero for each digit");
    int at = snprintf(words->url, sizeof words->url, "%s/api/devices/dev-", gateway);
    snprintf(words->url + at, sizeof words->url - (size_t)at, "%s/properties?api-version=2022-07-31", zeros);
    words->url_digits = words->url + at;
    at = snprintf(words->key, sizeof words->key, "Idempotency-Key: bench/dev-");
    snprintf(words->key + at, sizeof words->key - (size_t)at, "%s", zeros);
    words->key_digits = words->key + at;
}

enum tranche_code load_check(const struct load *load, struct tranche_err *err)
{
    if (load->refused > 0)
        return fail(err, TRANCHE_UNAVAILABLE, "%" PRIu64 " of %" PRIu64 " requests had no good answer", load->refused,
                    load->ended);
    return TRANCHE_OK;
}

double load_cpu_us(const struct load *load)
{
    return (load->end.cpu_us - load->begin.cpu_us) / (double)load->count;
}

double load_per_second(const struct load *load)
{
    return (double)load->count * 1e6 / (load->end.wall_us - load->begin.wall_us);
}
