/* How a frozen membership of ordinals 0..total-1 is cut into batches, and those into chunk rows.
 *
 * All batches have the same size except the last, which is the remainder; chunks have TRANCHE_CHUNK devices except the
 * last of each batch: a chunk never crosses the border of a batch. Everything is arithmetic; nothing is stored.
 */
#ifndef BATCH_H
#define BATCH_H

#include <tranche/job.h>

struct span {
    uint32_t first; /* ordinal */
    uint32_t count;
};

/* Devices in a full batch, by api-contract.md 6.4: ceil(total * percentage / 100) or the number, at least 1, at most
 * total (a larger number makes one batch). `amount` NULL: everything is one batch. 0 only when total is 0. */
uint32_t batch_devices(const struct tranche_amount *amount, uint32_t total);
uint32_t batch_count(uint32_t total, uint32_t batch_devices);
struct span batch_span(uint32_t total, uint32_t batch_devices, uint32_t index); /* index < batch_count */
uint32_t batch_of(uint32_t batch_devices, uint32_t ordinal);

uint32_t chunk_count(uint32_t total, uint32_t batch_devices);
struct span chunk_span(uint32_t total, uint32_t batch_devices, uint32_t chunk); /* chunk < chunk_count */
uint32_t chunk_of(uint32_t batch_devices, uint32_t ordinal);
uint32_t chunk_batch(uint32_t batch_devices, uint32_t chunk); /* the batch a chunk belongs to */

#endif
