#include "batch.h"
#include "amount.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Walks a queue of devices one by one, with a pot for the batch and one for the chunk, and asks at each device whether
 * the arithmetic agrees. */
static void walk(uint32_t total, uint32_t size)
{
    uint32_t batch = 0, in_batch = 0, chunk = 0, in_chunk = 0;
    for (uint32_t ordinal = 0; ordinal < total; ordinal++) {
        if (in_batch == size) {
            batch++;
            in_batch = 0;
            chunk++;
            in_chunk = 0;
        } else if (in_chunk == TRANCHE_CHUNK) {
            chunk++;
            in_chunk = 0;
        }

        struct span of_batch = batch_span(total, size, batch);
        struct span of_chunk = chunk_span(total, size, chunk);
        bool last_of_batch = in_batch + 1 == size || ordinal + 1 == total;
        bool last_of_chunk = in_chunk + 1 == TRANCHE_CHUNK || last_of_batch;
        if (batch_of(size, ordinal) != batch || chunk_of(size, ordinal) != chunk || chunk_batch(size, chunk) != batch)
            cr_assert_fail("device %u of %u in batches of %u is in the wrong place", ordinal, total, size);
        if (of_batch.first + in_batch != ordinal || (of_batch.count == in_batch + 1) != last_of_batch)
            cr_assert_fail("batch %u of %u devices in batches of %u", batch, total, size);
        if (of_chunk.first + in_chunk != ordinal || (of_chunk.count == in_chunk + 1) != last_of_chunk)
            cr_assert_fail("chunk %u of %u devices in batches of %u", chunk, total, size);
        in_batch++;
        in_chunk++;
    }
    if (total > 0 && (batch_count(total, size) != batch + 1 || chunk_count(total, size) != chunk + 1))
        cr_assert_fail("%u devices in batches of %u: %u batches, %u chunks", total, size, batch_count(total, size),
                 chunk_count(total, size));
}

static struct tranche_amount amount(const char *text, bool percentage)
{
    struct tranche_amount value;
    cr_assert_eq(amount_parse(text, strlen(text), percentage, &value, NULL), TRANCHE_OK, "%s", text);
    return value;
}

Test(batch, cuts_as_a_queue_would_for_all_small_totals_and_sizes)
{
    for (uint32_t total = 0; total <= 300; total++)
        for (uint32_t size = 1; size <= 301; size++)
            walk(total, size);
}

Test(batch, cuts_as_a_queue_would_around_the_size_of_a_chunk)
{
    static const uint32_t sizes[] = { 1, 2, 255, 256, 257, 511, 512, 513, 700, 1023, 1024, 1025, 5000 };
    for (uint32_t chunks = 1; chunks <= 8; chunks++)
        for (uint32_t total = chunks * TRANCHE_CHUNK - 2; total <= chunks * TRANCHE_CHUNK + 2; total++)
            for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
                walk(total, sizes[i]);
}

Test(batch, has_the_sizes_of_the_contract)
{
    static const struct {
        uint32_t total;
        const char *value;
        bool percentage;
        const char *batches;
    } rows[] = {
        { 7, "25", true, "2, 2, 2, 1" },
        { 10, "33.4", true, "4, 4, 2" },
        { 7, "14.285714", true, "1, 1, 1, 1, 1, 1, 1" },
        { 200, "12.5", true, "25, 25, 25, 25, 25, 25, 25, 25" },
        { 3, "1", true, "1, 1, 1" },
        { 5, "50", false, "5" },
        { 5, "100", true, "5" },
        { 5, "2", false, "2, 2, 1" },
        { 0, "25", true, "" },
        { 0, "25", false, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tranche_amount value = amount(rows[i].value, rows[i].percentage);
        uint32_t size = batch_devices(&value, rows[i].total);
        cr_assert_leq(size, rows[i].total, "%u by %s", rows[i].total, rows[i].value);
        char batches[128] = "";
        for (uint32_t index = 0; index < batch_count(rows[i].total, size); index++) {
            size_t used = strlen(batches);
            snprintf(batches + used, sizeof batches - used, "%s%u", index > 0 ? ", " : "",
                     batch_span(rows[i].total, size, index).count);
        }
        cr_assert_str_eq(batches, rows[i].batches, "%u by %s", rows[i].total, rows[i].value);
    }
}

Test(batch, a_full_batch_is_never_empty_and_never_more_than_all)
{
    for (uint32_t total = 1; total <= 300; total++)
        for (uint32_t tenth = 1; tenth <= 1000; tenth++) {
            struct tranche_amount value = { .percentage = true, .mantissa = tenth, .scale = 1 };
            uint32_t size = batch_devices(&value, total);
            if (size < 1 || size > total)
                cr_assert_fail("%u tenths of a percent of %u: %u", tenth, total, size);
        }
}

Test(batch, without_an_amount_everything_is_one)
{
    cr_assert_eq(batch_devices(NULL, 0), 0);
    cr_assert_eq(batch_devices(NULL, 1234567), 1234567);
    cr_assert_eq(batch_count(1234567, 1234567), 1);
}

Test(batch, of_nothing_there_is_none)
{
    cr_assert_eq(batch_count(0, 0), 0);
    cr_assert_eq(chunk_count(0, 0), 0);
    cr_assert_eq(batch_count(0, 10), 0);
    cr_assert_eq(chunk_count(0, 10), 0);
}

Test(batch, holds_at_the_largest_total)
{
    static const uint32_t sizes[] = {
        1, 2, 3, 255, 256, 257, 1000, 65535, 65536, UINT32_MAX / 2, UINT32_MAX / 2 + 1, UINT32_MAX - 1, UINT32_MAX,
    };
    const uint32_t total = UINT32_MAX;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t size = sizes[i];
        struct span batch = batch_span(total, size, batch_count(total, size) - 1);
        struct span chunk = chunk_span(total, size, chunk_count(total, size) - 1);
        cr_assert_eq((uint64_t)batch.first + batch.count, total, "%u", size);
        cr_assert_eq((uint64_t)chunk.first + chunk.count, total, "%u", size);
        cr_assert_eq(batch_of(size, total - 1), batch_count(total, size) - 1, "%u", size);
        cr_assert_eq(chunk_of(size, total - 1), chunk_count(total, size) - 1, "%u", size);
        cr_assert_eq(chunk_batch(size, chunk_count(total, size) - 1), batch_count(total, size) - 1, "%u", size);
    }
    struct tranche_amount all = amount("100", true);
    cr_assert_eq(batch_devices(&all, total), total);
}
