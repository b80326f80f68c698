/* Memory that dies together (arena), and text that grows (text).
 *
 * Running out of memory: arena_* and text_* never return NULL to be checked in the middle of building something; they
 * remember the failure, go on harmlessly, and the builder asks once at the end (`failed`).
 */
#ifndef MEM_H
#define MEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

/* Zeroed is empty and ready. Pointers live until arena_free. */
struct arena {
    struct arena_block *blocks;
    bool failed;
};

/* Zeroed memory, aligned for anything. NULL only after `failed` was set. */
void *arena_take(struct arena *arena, size_t bytes);
char *arena_copy(struct arena *arena, const char *text, size_t bytes); /* NUL-terminated copy */
void arena_free(struct arena *arena);

/* A growing string, always NUL-terminated once something was added. Zeroed is empty. */
struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    bool failed;
};

void text_add(struct text *text, const char *bytes, size_t length);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_json(struct text *text, const char *string); /* as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD */
void text_clear(struct text *text); /* keeps the memory */
char *text_take(struct text *text); /* hands the string over (free it), leaves the text empty; NULL if failed */
void text_free(struct text *text);

#endif
