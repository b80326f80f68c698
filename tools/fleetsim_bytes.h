/* Spans (bytes somebody else owns) and a growable buffer. Running out of memory ends the program: a simulator
 * that sheds load by itself would falsify whatever is being tested against it.
 */
#ifndef FLEETSIM_BYTES_H
#define FLEETSIM_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Borrowed bytes, not terminated. Empty is {0}. */
struct span {
    const char *data;
    size_t bytes;
};

/* Owned bytes. Zeroed is empty, and safe to free. */
struct bytes {
    char *data;
    size_t count;
    size_t room;
};

static inline struct span span_of(const char *text)
{
    return (struct span){ .data = text, .bytes = strlen(text) };
}

static inline bool span_is(struct span span, const char *text)
{
    return span.bytes == strlen(text) && memcmp(span.data, text, span.bytes) == 0;
}

static inline void *memory_or_exit(void *memory)
{
    if (memory == NULL) {
        fputs("fleetsim: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

/* Makes room for `more` bytes behind the present ones. */
static inline void bytes_reserve(struct bytes *b, size_t more)
{
    if (b->room - b->count >= more)
        return;
    size_t room = b->room > 0 ? b->room : 512;
    while (room - b->count < more)
        room *= 2;
    b->data = memory_or_exit(realloc(b->data, room));
    b->room = room;
}

static inline void bytes_put(struct bytes *b, const char *data, size_t count)
{
    if (count == 0)
        return;
    bytes_reserve(b, count);
    memcpy(b->data + b->count, data, count);
    b->count += count;
}

static inline void bytes_put_span(struct bytes *b, struct span span)
{
    bytes_put(b, span.data, span.bytes);
}

static inline void bytes_put_text(struct bytes *b, const char *text)
{
    bytes_put(b, text, strlen(text));
}

static inline void bytes_put_number(struct bytes *b, uint64_t number)
{
    char digits[20]; /* 2^64 - 1 has twenty */
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    bytes_put(b, digits + at, sizeof digits - at);
}

static inline void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){ 0 };
}

#endif
