#include "mem.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sanitizer shall answer NULL to what no machine has, as malloc does, not end the program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

#define TOO_MUCH (SIZE_MAX / 4)

Test(arena, pieces_are_zeroed_aligned_and_do_not_overlap)
{
    enum { PIECES = 3000 };
    struct arena arena = { 0 };
    unsigned char *pieces[PIECES];

    for (size_t i = 0; i < PIECES; i++) {
        size_t bytes = i % 97 == 0 ? 5000 + i : i % 211; /* shared blocks and blocks of their own, mixed */
        pieces[i] = arena_take(&arena, bytes);
        cr_assert_not_null(pieces[i]);
        cr_assert_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t b = 0; b < bytes; b++)
            cr_assert_eq(pieces[i][b], 0);
        memset(pieces[i], (int)(i % 255) + 1, bytes);
    }

    for (size_t i = 0; i < PIECES; i++) {
        size_t bytes = i % 97 == 0 ? 5000 + i : i % 211;
        for (size_t b = 0; b < bytes; b++)
            cr_assert_eq(pieces[i][b], i % 255 + 1, "piece %zu was written over", i);
    }
    cr_assert_not(arena.failed);
    arena_free(&arena);
    cr_assert_null(arena.blocks);
}

Test(arena, empty_pieces_are_distinct)
{
    struct arena arena = { 0 };

    void *first = arena_take(&arena, 0);
    void *second = arena_take(&arena, 0);

    cr_assert_not_null(first);
    cr_assert_neq(first, second);
    arena_free(&arena);
}

Test(arena, a_big_piece_leaves_the_shared_block_in_use)
{
    struct arena arena = { 0 };

    unsigned char *before = arena_take(&arena, 16);
    arena_take(&arena, 100000);
    unsigned char *after = arena_take(&arena, 16);

    cr_assert_eq(after, before + 16);
    arena_free(&arena);
}

Test(arena, a_copy_ends_in_nul)
{
    struct arena arena = { 0 };

    char *copy = arena_copy(&arena, "tranche", 4);
    char *empty = arena_copy(&arena, NULL, 0);

    cr_assert_str_eq(copy, "tran");
    cr_assert_str_eq(empty, "");
    arena_free(&arena);
}

Test(arena, failure_is_remembered_until_freed)
{
    struct arena arena = { 0 };

    cr_assert_null(arena_take(&arena, TOO_MUCH));
    cr_assert(arena.failed);
    cr_assert_not_null(arena_take(&arena, 8));
    cr_assert(arena.failed);
    arena_free(&arena);
    cr_assert_not(arena.failed);

    cr_assert_null(arena_take(&arena, SIZE_MAX));
    cr_assert(arena.failed);
    arena_free(&arena);
}

Test(text, grows_and_stays_terminated)
{
    struct text text = { 0 };
    char expected[4001] = "";

    for (int i = 0; i < 1000; i++) {
        text_printf(&text, "%03d", i);
        text_add(&text, ",x", 1);
        snprintf(expected + 4 * i, 5, "%03d,", i);
        cr_assert_eq(text.length, (size_t)(i + 1) * 4);
        cr_assert_eq(text.bytes[text.length], '\0');
        cr_assert_gt(text.capacity, text.length);
    }

    cr_assert_str_eq(text.bytes, expected);
    text_free(&text);
    cr_assert_null(text.bytes);
}

Test(text, printf_fits_at_every_distance_from_the_end)
{
    for (size_t before = 0; before < 200; before++) {
        struct text text = { 0 };
        for (size_t i = 0; i < before; i++)
            text_puts(&text, "-");
        text_printf(&text, "%s/%d", "tranche", 42);
        cr_assert_str_eq(text.bytes + before, "tranche/42");
        text_free(&text);
    }
}

Test(text, take_hands_over_and_leaves_empty)
{
    struct text text = { 0 };

    text_puts(&text, "one");
    char *one = text_take(&text);
    char *none = text_take(&text);

    cr_assert_str_eq(one, "one");
    cr_assert_str_eq(none, "");
    cr_assert_null(text.bytes);
    free(one);
    free(none);
}

Test(text, clear_keeps_the_memory)
{
    struct text text = { 0 };
    text_puts(&text, "a first text");
    char *memory = text.bytes;

    text_clear(&text);
    cr_assert_str_eq(text.bytes, "");
    text_puts(&text, "second");

    cr_assert_eq(text.bytes, memory);
    cr_assert_str_eq(text.bytes, "second");
    text_free(&text);
    text_clear(&text);
    cr_assert_null(text.bytes);
}

Test(text, failure_stops_the_text_and_is_told_once)
{
    struct text text = { 0 };
    text_puts(&text, "begun");

    text_add(&text, "x", TOO_MUCH);
    text_puts(&text, "ignored");
    text_printf(&text, "%d", 1);

    cr_assert(text.failed);
    cr_assert_str_eq(text.bytes, "begun");
    cr_assert_null(text_take(&text));
    cr_assert_not(text.failed);
    text_puts(&text, "anew");
    cr_assert_str_eq(text.bytes, "anew");
    text_add(&text, "x", SIZE_MAX);
    cr_assert(text.failed);
    text_clear(&text);
    cr_assert_not(text.failed);
    text_free(&text);
}

Test(text, json_strings)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "", "\"\"" },
        { "plain", "\"plain\"" },
        { "say \"hi\"", "\"say \\\"hi\\\"\"" },
        { "back\\slash/slash", "\"back\\\\slash/slash\"" },
        { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
        { "\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"" },
        { "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80",
          "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80\"" },
        { "\xC3", "\"\xEF\xBF\xBD\"" },
        { "\xC3(", "\"\xEF\xBF\xBD(\"" },
        { "a\xED\xA0\x80z", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\"" },
        { "\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = { 0 };
        text_json(&text, cases[i].in);
        cr_assert_str_eq(text.bytes, cases[i].out);
        text_free(&text);
    }
}
