/* libcurl as its examples use it: one multi, perform and poll, every request's settings told anew. Documented as
 * naive: it is what one would write first, not what libcurl can do. */
#include "load.h"

#include "fail.h"

#include <curl/curl.h>
#include <stdlib.h>

#define POLL_MS    1000
#define TIMEOUT_MS 15000L

struct slot {
    CURL *easy;
    struct curl_slist *headers;
    struct load_words words;
};

struct naive {
    CURLM *multi;
    uint32_t count;
    struct slot slots[];
};

static void naive_close(void *client)
{
    struct naive *naive = client;
    if (naive == NULL)
        return;
    for (uint32_t i = 0; i < naive->count; i++) {
        curl_easy_cleanup(naive->slots[i].easy);
        curl_slist_free_all(naive->slots[i].headers);
    }
    curl_multi_cleanup(naive->multi);
    free(naive);
    curl_global_cleanup();
}

static enum tranche_code naive_open(void **client, const struct load_target *target, struct tranche_err *err)
{
    struct naive *naive = calloc(1, sizeof *naive + target->in_flight * sizeof naive->slots[0]);
    if (naive == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(err, TRANCHE_NOMEM, "libcurl cannot be set up");
    naive->multi = curl_multi_init();
    bool good = naive->multi != NULL;
    for (; good && naive->count < target->in_flight; naive->count++) {
        struct slot *slot = &naive->slots[naive->count];
        load_words_open(&slot->words, target->gateway);
        slot->easy = curl_easy_init();
        good = slot->easy != NULL;
    }
    *client = naive;
    return good ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "libcurl cannot be set up");
}

static size_t body_drop(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes, (void)context;
    return size * count;
}

static void slot_word(struct slot *slot)
{
    CURL *easy = slot->easy;
    curl_slist_free_all(slot->headers);
    slot->headers = curl_slist_append(NULL, load_headers[0]);
    slot->headers = curl_slist_append(slot->headers, load_headers[1]);
    slot->headers = curl_slist_append(slot->headers, slot->words.key);
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(easy, CURLOPT_URL, slot->words.url);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, LOAD_BODY);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_drop);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static void slot_start(struct naive *naive, struct slot *slot, struct load *load)
{
    uint64_t number;
    if (!load_next(load, &number))
        return;
    load_words_set(&slot->words, number);
    slot_word(slot);
    curl_multi_add_handle(naive->multi, slot->easy);
}

static void naive_reap(struct naive *naive, struct load *load)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(naive->multi, &left)) != NULL) {
        struct slot *slot = NULL;
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
        if (message->data.result == CURLE_OK)
            curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(naive->multi, slot->easy);
        load_answered(load, status);
        slot_start(naive, slot, load);
    }
}

/* A request that gets no answer ends by its own timeout, so this ends. */
static enum tranche_code naive_run(void *client, struct load *load, struct tranche_err *err)
{
    struct naive *naive = client;
    int running;
    for (uint32_t i = 0; i < naive->count; i++)
        slot_start(naive, &naive->slots[i], load);
    for (;;) {
        curl_multi_perform(naive->multi, &running);
        naive_reap(naive, load);
        if (load_is_idle(load))
            return load_check(load, err);
        curl_multi_poll(naive->multi, NULL, 0, POLL_MS, NULL);
    }
}

const struct client_kind client_naive = { naive_open, naive_run, naive_close };
