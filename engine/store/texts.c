#include "texts.h"

#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15; /* odd, and its bits look like noise: 2^64 by the golden ratio */
    return hash ^ hash >> 29;
}

/* Good enough to tell answers apart; two texts with the same hash cost a comparison, nothing else. */
static uint64_t text_hash(uint64_t seed, const char *body, size_t length)
{
    uint64_t hash = mix(seed, length);
    while (length > 0) {
        uint64_t word = 0;
        size_t bytes = length < sizeof word ? length : sizeof word;
        memcpy(&word, body, bytes);
        hash = mix(hash, word);
        body += bytes;
        length -= bytes;
    }
    return mix(hash, seed);
}

enum tranche_code texts_open(struct texts *texts, struct connection *connection, struct tranche_err *err)
{
    texts_forget(texts);
    sqlite3_stmt *load = statement_take(connection, STATEMENT_SEED_LOAD);
    enum tranche_code code = statement_row(connection, STATEMENT_SEED_LOAD, err);
    if (code != TRANCHE_OK)
        return code;
    texts->seed = (uint64_t)sqlite3_column_int64(load, 0);
    statement_end(connection, STATEMENT_SEED_LOAD);
    return TRANCHE_OK;
}

void texts_forget(struct texts *texts)
{
    for (int i = 0; i < TEXTS_ENTRIES; i++)
        texts->entries[i].id = 0;
}

static enum tranche_code text_find(struct connection *connection, uint64_t hash, const char *body, size_t length,
                                   int64_t *id, struct tranche_err *err)
{
    sqlite3_stmt *find = statement_take(connection, STATEMENT_TEXT_FIND);
    bind_integer(find, 1, (int64_t)hash);
    bind_blob(find, 2, body, length);
    enum tranche_code code = statement_row(connection, STATEMENT_TEXT_FIND, err);
    if (code == TRANCHE_OK) {
        *id = sqlite3_column_int64(find, 0);
        statement_end(connection, STATEMENT_TEXT_FIND);
    }
    return code;
}

static enum tranche_code text_insert(struct connection *connection, uint64_t hash, const char *body, size_t length,
                                     int64_t *id, struct tranche_err *err)
{
    sqlite3_stmt *insert = statement_take(connection, STATEMENT_TEXT_INSERT);
    bind_integer(insert, 1, (int64_t)hash);
    bind_blob(insert, 2, body, length);
    enum tranche_code code = statement_run(connection, STATEMENT_TEXT_INSERT, err);
    *id = sqlite3_last_insert_rowid(connection->db);
    return code;
}

enum tranche_code texts_id(struct texts *texts, struct connection *connection, const char *body, size_t length,
                           int64_t *id, struct tranche_err *err)
{
    *id = 0;
    if (length == 0)
        return TRANCHE_OK;
    uint64_t hash = text_hash(texts->seed, body, length);
    struct texts_entry *entry = &texts->entries[hash % TEXTS_ENTRIES];
    if (entry->id != 0 && entry->hash == hash && entry->length == length && memcmp(entry->body, body, length) == 0) {
        *id = entry->id;
        return TRANCHE_OK;
    }

    enum tranche_code code = text_find(connection, hash, body, length, id, err);
    if (code == TRANCHE_NOTFOUND)
        code = text_insert(connection, hash, body, length, id, err);
    if (code == TRANCHE_OK && length <= TEXTS_ENTRY_BYTES) {
        *entry = (struct texts_entry){ .hash = hash, .id = *id, .length = length };
        memcpy(entry->body, body, length);
    }
    return code;
}
