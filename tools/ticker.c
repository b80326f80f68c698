#include "ticker.h"

#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TICK_US 500000 /* reads well, and asks little of the server */

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool ticker_is_due(struct ticker *ticker)
{
    if (!ticker->cli->terminal_err || ticker->cli->quiet || now_us() < ticker->due_us)
        return false;
    ticker->due_us = now_us() + TICK_US;
    return true;
}

void ticker_print(struct text *out, const struct ticker_state *state)
{
    text_printf(out, "%s  ", state->state);
    if (strcmp(state->state, "writing") == 0) {
        print_count(out, state->stored);
        text_puts(out, " of ");
        print_count(out, state->devices);
        text_puts(out, " devices, ");
        print_percent(out, state->stored, state->devices);
    } else {
        print_count(out, state->lines);
        text_puts(out, " lines");
    }
    if (state->bad > 0) {
        text_puts(out, ", ");
        print_count(out, state->bad);
        text_puts(out, " bad");
    }
}

void ticker_show(struct ticker *ticker, const struct ticker_state *state)
{
    struct text line = { 0 };
    ticker_print(&line, state);
    if (!line.failed)
        fprintf(stderr, "\r%s\033[K", line.bytes);
    ticker->shown |= !line.failed;
    text_free(&line);
}

void ticker_clear(struct ticker *ticker)
{
    if (ticker->shown)
        fputs("\r\033[K", stderr);
    ticker->shown = false;
}
