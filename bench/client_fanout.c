/* Our fan-out as a client of the benches: the same requests through engine/io/fanout.h. */
#include "load.h"

#include "fail.h"
#include "fanout.h"

#include <stdlib.h>

#define TIMEOUT_MS  15000
#define IDLE_MAX_MS 60000

struct client {
    struct loop loop;
    struct fanout *fanout;
    uint32_t in_flight;
    struct load_words words;
    struct tranche_request request;
    struct load *load;
    enum tranche_code code; /* of a start that failed */
    struct tranche_err err;
};

static void start(struct client *client)
{
    uint64_t number;
    if (client->code != TRANCHE_OK || !load_next(client->load, &number))
        return;
    load_words_set(&client->words, number);
    struct fanout_call call = { .request = &client->request, .timeout_ms = TIMEOUT_MS, .idle_max_ms = IDLE_MAX_MS };
    client->code = fanout_start(client->fanout, &call, NULL, &client->err);
}

static void done(void *context, void *call, const struct tranche_answer *answer)
{
    (void)call;
    struct client *client = context;
    load_answered(client->load, answer->transport == TRANCHE_ANSWERED ? answer->status : 0);
    start(client);
}

static void client_close(void *context)
{
    struct client *client = context;
    if (client == NULL)
        return;
    fanout_close(client->fanout);
    loop_close(&client->loop);
    free(client);
}

static enum tranche_code client_open(void **context, const struct load_target *target, struct tranche_err *err)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    *context = client;
    client->in_flight = target->in_flight;
    load_words_open(&client->words, target->gateway);
    client->request = (struct tranche_request){
        .method = "PATCH",
        .url = client->words.url,
        .body = LOAD_BODY,
        .body_bytes = strlen(LOAD_BODY),
        .headers = { load_headers[0], load_headers[1], client->words.key },
        .header_count = 3,
    };
    struct fanout_options options;
    fanout_defaults(&options);
    options.calls_max = target->in_flight;
    enum tranche_code code = loop_open(&client->loop, err);
    if (code == TRANCHE_OK)
        code = fanout_open(&client->fanout, &client->loop, &options, done, client, err);
    return code;
}

/* A call that gets no answer ends by its own timeout, so this ends. */
static enum tranche_code client_run(void *context, struct load *load, struct tranche_err *err)
{
    struct client *client = context;
    client->load = load;
    for (uint32_t i = 0; i < client->in_flight; i++)
        start(client);
    while (!load_is_idle(load) && client->code == TRANCHE_OK) {
        int64_t wait_us = fanout_tick(client->fanout, loop_now_us());
        if (!load_is_idle(load))
            loop_wait(&client->loop, wait_us);
    }
    if (client->code != TRANCHE_OK)
        return fail(err, client->code, "%s", client->err.text);
    return load_check(load, err);
}

const struct client_kind client_fanout = { client_open, client_run, client_close };
