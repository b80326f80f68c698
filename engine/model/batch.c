#include "batch.h"

#include "amount.h"

#include <assert.h>

/* ceil(a / b) without leaving 32 bits. */
static uint32_t parts(uint32_t a, uint32_t b)
{
    return a / b + (a % b != 0);
}

/* Chunks in a full batch. */
static uint32_t batch_chunks(uint32_t batch_devices)
{
    assert(batch_devices > 0);
    return parts(batch_devices, TRANCHE_CHUNK);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t batch_devices(const struct tranche_amount *amount, uint32_t total)
{
    return amount == NULL ? total : least(amount_of(amount, total), total);
}

uint32_t batch_count(uint32_t total, uint32_t batch_devices)
{
    if (total == 0)
        return 0;
    assert(batch_devices > 0);
    return parts(total, batch_devices);
}

struct span batch_span(uint32_t total, uint32_t batch_devices, uint32_t index)
{
    assert(index < batch_count(total, batch_devices));
    uint32_t first = index * batch_devices;
    return (struct span){ first, least(batch_devices, total - first) };
}

uint32_t batch_of(uint32_t batch_devices, uint32_t ordinal)
{
    assert(batch_devices > 0);
    return ordinal / batch_devices;
}

uint32_t chunk_count(uint32_t total, uint32_t batch_devices)
{
    if (total == 0)
        return 0;
    assert(batch_devices > 0);
    uint32_t full = total / batch_devices;
    uint32_t rest = total % batch_devices;
    return full * batch_chunks(batch_devices) + parts(rest, TRANCHE_CHUNK);
}

struct span chunk_span(uint32_t total, uint32_t batch_devices, uint32_t chunk)
{
    assert(chunk < chunk_count(total, batch_devices));
    struct span batch = batch_span(total, batch_devices, chunk_batch(batch_devices, chunk));
    uint32_t skipped = chunk % batch_chunks(batch_devices) * TRANCHE_CHUNK;
    return (struct span){ batch.first + skipped, least(TRANCHE_CHUNK, batch.count - skipped) };
}

uint32_t chunk_of(uint32_t batch_devices, uint32_t ordinal)
{
    uint32_t batch = batch_of(batch_devices, ordinal);
    return batch * batch_chunks(batch_devices) + ordinal % batch_devices / TRANCHE_CHUNK;
}

uint32_t chunk_batch(uint32_t batch_devices, uint32_t chunk)
{
    return chunk / batch_chunks(batch_devices);
}
