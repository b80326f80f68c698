/* A load: how many requests a client makes, and what it is measured by.
 *
 * The client keeps all its slots busy until `lead + count` answers are in; what is measured begins when `lead` are
 * in and ends there. So a sample has neither the start, where connections are made, nor the end, where slots run
 * empty.
 *
 * All clients make the same request, a property write worded as IoT Central's, each for another device.
 */
#ifndef LOAD_H
#define LOAD_H

#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <tranche/err.h>

#define LOAD_STUCK_MS 30000 /* no answer for so long: a client gives up */

struct load {
    uint64_t lead, count;
    uint64_t issued, ended, refused;
    struct usage begin, end;
};

static inline bool load_is_over(const struct load *load)
{
    return load->ended >= load->lead + load->count;
}

static inline bool load_is_idle(const struct load *load)
{
    return load->issued == load->ended;
}

/* Makes up a request; false: no more. */
static inline bool load_next(struct load *load, uint64_t *number)
{
    if (load_is_over(load))
        return false;
    *number = load->issued++;
    return true;
}

/* An answer is in; `status` 0: there was none. */
static inline void load_answered(struct load *load, long status)
{
    if (load->ended == load->lead)
        load->begin = usage_now();
    load->refused += status < 200 || status > 299;
    if (++load->ended == load->lead + load->count)
        load->end = usage_now();
}

/* TRANCHE_UNAVAILABLE when an answer was missing or none of 2xx: then there is nothing to measure. */
enum tranche_code load_check(const struct load *load, struct tranche_err *err);
double load_cpu_us(const struct load *load);   /* a request */
double load_per_second(const struct load *load);

/* ---- the words ---- */

#define LOAD_DIGITS 7 /* of a device's number */
#define LOAD_BODY   "{\"targetTemperature\":56}"

/* The words that differ from device to device, for one slot of a client. */
struct load_words {
    char url[160];
    char key[64]; /* a header line */
    char *url_digits, *key_digits;
};

/* Header lines that are the same for all. */
extern const char *const load_headers[2];

void load_words_open(struct load_words *words, const char *gateway);

static inline void load_number_put(char *digits, uint64_t number)
{
    for (int i = LOAD_DIGITS; i-- > 0; number /= 10)
        digits[i] = (char)('0' + number % 10);
}

static inline void load_words_set(struct load_words *words, uint64_t number)
{
    load_number_put(words->url_digits, number);
    load_number_put(words->key_digits, number);
}

/* ---- who makes them ---- */

struct load_target {
    const char *gateway; /* URL */
    unsigned port;
    uint32_t in_flight;
};

struct client_kind {
    enum tranche_code (*open)(void **client, const struct load_target *target, struct tranche_err *err);
    /* May be called again and again; connections are kept in between. */
    enum tranche_code (*run)(void *client, struct load *load, struct tranche_err *err);
    void (*close)(void *client); /* NULL is fine */
};

extern const struct client_kind client_raw;    /* the floor: epoll, one send and one recv a request */
extern const struct client_kind client_naive;  /* libcurl as its examples use it */
extern const struct client_kind client_tuned;  /* libcurl as performance.md found it fastest: the yardstick */
extern const struct client_kind client_fanout; /* ours, engine/io/fanout.h */

#endif
