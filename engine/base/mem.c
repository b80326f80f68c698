#include "mem.h"

#include "utf8.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With the block's head and the allocator's own words just below a page. */
#define ARENA_BLOCK_BYTES 4000
/* Bigger pieces get a block of their own, so that at most this much of a shared block is ever left unused. */
#define ARENA_SHARED_BYTES (ARENA_BLOCK_BYTES / 4)
/* The first growth of a text: most are short. */
#define TEXT_BYTES_MIN 64

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *block_open(struct arena *arena, size_t size)
{
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    block->size = size;
    return block;
}

static void *block_take(struct arena_block *block, size_t bytes)
{
    void *piece = block->bytes + block->used;
    block->used += bytes;
    return piece;
}

/* A block for one big piece. It goes behind the shared one, which still has room for small pieces. */
static void *take_big(struct arena *arena, size_t bytes)
{
    struct arena_block *block = block_open(arena, bytes);
    if (block == NULL)
        return NULL;
    struct arena_block **link = arena->blocks != NULL ? &arena->blocks->next : &arena->blocks;
    block->next = *link;
    *link = block;
    return block_take(block, bytes);
}

static void *take_small(struct arena *arena, size_t bytes)
{
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < bytes) {
        block = block_open(arena, ARENA_BLOCK_BYTES);
        if (block == NULL)
            return NULL;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block_take(block, bytes);
}

void *arena_take(struct arena *arena, size_t bytes)
{
    if (bytes > PTRDIFF_MAX) { /* so that no sum below can overflow; nobody has that much memory */
        arena->failed = true;
        return NULL;
    }
    size_t align = alignof(max_align_t);
    size_t whole = bytes == 0 ? align : (bytes + align - 1) / align * align;
    return whole > ARENA_SHARED_BYTES ? take_big(arena, whole) : take_small(arena, whole);
}

char *arena_copy(struct arena *arena, const char *text, size_t bytes)
{
    assert(bytes < PTRDIFF_MAX);
    char *copy = arena_take(arena, bytes + 1);
    if (copy != NULL && bytes > 0)
        memcpy(copy, text, bytes);
    return copy;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    arena->failed = false;
}

/* Makes room for `length` more bytes and the NUL. */
static bool text_grow(struct text *text, size_t length)
{
    if (text->failed)
        return false;
    if (text->capacity > text->length && text->capacity - text->length > length)
        return true;
    if (length > PTRDIFF_MAX - text->length - 1) {
        text->failed = true;
        return false;
    }
    size_t need = text->length + length + 1;
    size_t capacity = text->capacity < TEXT_BYTES_MIN ? TEXT_BYTES_MIN : text->capacity * 2;
    if (capacity < need)
        capacity = need;
    char *bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void text_add(struct text *text, const char *bytes, size_t length)
{
    if (!text_grow(text, length))
        return;
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_puts(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0)
        text->failed = true;
    else if (text_grow(text, (size_t)length)) {
        vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

/* The short escape of a byte that JSON knows one for, else 0. */
static char json_escape(unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* Adds the character at `at` as it must stand inside a JSON string; returns how many bytes it had. */
static size_t text_json_character(struct text *text, const char *at, size_t left)
{
    unsigned char byte = (unsigned char)*at;
    size_t bytes = utf8_bytes(at, left);
    char escape = json_escape(byte);
    if (bytes == 0)
        text_puts(text, "\xEF\xBF\xBD");
    else if (escape != 0)
        text_add(text, (char[]){ '\\', escape }, 2);
    else if (byte < 0x20)
        text_printf(text, "\\u%04x", (unsigned)byte);
    else
        text_add(text, at, bytes);
    return bytes == 0 ? 1 : bytes;
}

static bool json_plain(char character)
{
    unsigned char byte = (unsigned char)character;
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

void text_json(struct text *text, const char *string)
{
    const char *at = string;
    const char *end = string + strlen(string);
    text_puts(text, "\"");
    while (at < end) {
        const char *plain = at;
        while (at < end && json_plain(*at))
            at++;
        text_add(text, plain, (size_t)(at - plain));
        if (at < end)
            at += text_json_character(text, at, (size_t)(end - at));
    }
    text_puts(text, "\"");
}

void text_clear(struct text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->bytes != NULL)
        text->bytes[0] = '\0';
}

char *text_take(struct text *text)
{
    text_add(text, "", 0); /* so that an empty text is a string too */
    char *bytes = text->bytes;
    if (text->failed) {
        free(bytes);
        bytes = NULL;
    }
    *text = (struct text){ 0 };
    return bytes;
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){ 0 };
}
