/* One line on the terminal that tells how far an import is, written over a few times a second. Where there is
 * no terminal, or --quiet was said, it is silent.
 */
#ifndef TICKER_H
#define TICKER_H

#include "cli.h"
#include "mem.h"

#include <stdbool.h>
#include <stdint.h>

struct ticker {
    const struct cli *cli;
    int64_t due_us; /* monotonic; of the next line */
    bool shown;
};

/* What is known of an import, in the words of GET /v1/imports/{import}. */
struct ticker_state {
    const char *state; /* receiving, sorting, writing */
    int64_t lines, bad, devices, stored;
};

bool ticker_is_due(struct ticker *ticker); /* and then not for a while */
void ticker_show(struct ticker *ticker, const struct ticker_state *state);
void ticker_clear(struct ticker *ticker);                              /* before anything else is said */
void ticker_print(struct text *out, const struct ticker_state *state); /* the line by itself */

#endif
