#include "fanout_internal.h"

#include "fail.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

void fanout_defaults(struct fanout_options *options)
{
    *options = (struct fanout_options){
        .calls_max = 256,
        .multi_handles = 64,
        .connect_timeout_ms = 5000,
        .answer_bytes_max = 64 * 1024,
    };
}

static bool options_copy(struct fanout *fanout, const struct fanout_options *options)
{
    fanout->options = *options;
    if (options->ca_file == NULL)
        return true;
    fanout->options.ca_file = strdup(options->ca_file);
    return fanout->options.ca_file != NULL;
}

/* One more handle than calls: an ended call keeps its handle while `done` reads the answer, and may start another. */
static bool tables_open(struct fanout *fanout)
{
    const struct fanout_options *options = &fanout->options;
    fanout->multi_count = (options->calls_max + options->multi_handles - 1) / options->multi_handles;
    fanout->multis = calloc(fanout->multi_count, sizeof *fanout->multis);
    fanout->handles = calloc((size_t)options->calls_max + 1, sizeof(struct fanout_handle *));
    if (fanout->multis == NULL || fanout->handles == NULL)
        return false;
    for (uint32_t i = 0; i < fanout->multi_count; i++)
        fanout->multis[i].fanout = fanout;
    return true;
}

/* All multis are of one thread, so nothing needs a lock. */
static bool share_open(struct fanout *fanout)
{
    fanout->share = curl_share_init();
    return fanout->share != NULL &&
           curl_share_setopt(fanout->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
           curl_share_setopt(fanout->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

/* TLS libraries write to sockets without asking that a lost connection be an error only. A blocked signal stays pending
 * without effect, and the rest of the process is not touched. */
static void broken_pipes_ignore(void)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
}

enum tranche_code fanout_open(struct fanout **opened, struct loop *loop, const struct fanout_options *options,
                              fanout_done *done, void *context, struct tranche_err *err)
{
    assert(options->calls_max > 0 && options->multi_handles > 0 && options->connect_timeout_ms > 0 &&
           options->answer_bytes_max > 0 && done != NULL);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(err, TRANCHE_INTERNAL, "libcurl cannot be set up");
    struct fanout *fanout = calloc(1, sizeof *fanout);
    if (fanout == NULL) {
        curl_global_cleanup();
        return fail(err, TRANCHE_NOMEM, "no memory for a fan-out");
    }
    fanout->done = done;
    fanout->context = context;
    fanout->halted_end = &fanout->halted_first;
    fanout->now_us = loop_now_us();
    sockets_open(&fanout->sockets, loop);
    if (!options_copy(fanout, options) || !tables_open(fanout) || !share_open(fanout)) {
        fanout_close(fanout);
        return fail(err, TRANCHE_NOMEM, "no memory for a fan-out of %u calls", options->calls_max);
    }
    broken_pipes_ignore();
    *opened = fanout;
    return TRANCHE_OK;
}

/* In libcurl's order: transfers, connections, handles, what the handles share. Closing a connection still calls us. */
void fanout_close(struct fanout *fanout)
{
    if (fanout == NULL)
        return;
    for (uint32_t i = 0; i < fanout->handle_count; i++)
        if (fanout->handles[i]->multi != NULL)
            multi_remove(fanout->handles[i]);
    for (uint32_t i = 0; i < fanout->multi_opened; i++)
        multi_close(&fanout->multis[i]);
    for (uint32_t i = 0; i < fanout->handle_count; i++)
        handle_close(fanout->handles[i]);
    curl_share_cleanup(fanout->share);
    sockets_close(&fanout->sockets);
    free(fanout->handles);
    free(fanout->multis);
    free((char *)fanout->options.ca_file);
    free(fanout);
    curl_global_cleanup();
}

uint32_t fanout_in_flight(const struct fanout *fanout)
{
    return fanout->in_flight;
}

const struct fanout_counters *fanout_counters(const struct fanout *fanout)
{
    return &fanout->counters;
}

/* Starting. */

static enum tranche_code idle_take(struct fanout *fanout, struct fanout_handle **handle, struct tranche_err *err)
{
    if (fanout->idle == NULL) {
        assert(fanout->handle_count <= fanout->options.calls_max);
        enum tranche_code code = handle_open(handle, fanout, err);
        if (code == TRANCHE_OK)
            fanout->handles[fanout->handle_count++] = *handle;
        return code;
    }
    *handle = fanout->idle;
    fanout->idle = fanout->idle->next;
    return TRANCHE_OK;
}

static void idle_put(struct fanout_handle *handle)
{
    struct fanout *fanout = handle->fanout;
    handle_rest(handle);
    handle->next = fanout->idle;
    fanout->idle = handle;
}

/* Lowest first: few calls then use few connections, and use them often. */
static struct fanout_multi *multi_with_room(struct fanout *fanout)
{
    while (fanout->multis[fanout->multi_free_first].handles == fanout->options.multi_handles) {
        fanout->multi_free_first++;
        assert(fanout->multi_free_first < fanout->multi_count); /* fewer than calls_max are in flight */
    }
    if (fanout->multi_opened <= fanout->multi_free_first)
        fanout->multi_opened = fanout->multi_free_first + 1;
    return &fanout->multis[fanout->multi_free_first];
}

static void multi_left(struct fanout *fanout, const struct fanout_multi *multi)
{
    uint32_t index = (uint32_t)(multi - fanout->multis);
    if (index < fanout->multi_free_first)
        fanout->multi_free_first = index;
}

static void halted_put(struct fanout_handle *handle)
{
    handle->next = NULL;
    *handle->fanout->halted_end = handle;
    handle->fanout->halted_end = &handle->next;
}

static enum tranche_code handle_start(struct fanout_handle *handle, struct tranche_err *err)
{
    if (!handle_halted(handle))
        return multi_add(multi_with_room(handle->fanout), handle, err);
    halted_put(handle);
    return TRANCHE_OK;
}

enum tranche_code fanout_start(struct fanout *fanout, const struct fanout_call *call, void *tag, struct tranche_err *err)
{
    if (fanout->in_flight == fanout->options.calls_max)
        return fail(err, TRANCHE_FULL, "%u calls are in flight", fanout->in_flight);
    struct fanout_handle *handle;
    enum tranche_code code = idle_take(fanout, &handle, err);
    if (code != TRANCHE_OK)
        return code;
    code = handle_word(handle, call, tag, err);
    if (code == TRANCHE_OK)
        code = handle_start(handle, err);
    if (code != TRANCHE_OK) {
        idle_put(handle);
        return code;
    }
    fanout->in_flight++;
    fanout_count(&fanout->counters.started);
    return TRANCHE_OK;
}

/* Ending. */

static void stall_end(struct fanout_handle *handle)
{
    handle->stalled = false;
    handle->fanout->stalled--;
}

void fanout_end_call(struct fanout_handle *handle, CURLcode result)
{
    struct fanout *fanout = handle->fanout;
    if (handle->multi != NULL) {
        multi_left(fanout, handle->multi);
        multi_remove(handle);
    }
    if (handle->stalled)
        stall_end(handle);
    struct tranche_answer answer;
    handle_answer(handle, result, &answer);
    fanout->in_flight--;
    fanout_count(&fanout->counters.ended[answer.transport]);
    fanout->done(fanout->context, handle->tag, &answer);
    idle_put(handle);
}

/* Only those that are there now: `done` may start more. */
static void halted_end_all(struct fanout *fanout)
{
    struct fanout_handle *handle = fanout->halted_first;
    fanout->halted_first = NULL;
    fanout->halted_end = &fanout->halted_first;
    while (handle != NULL) {
        struct fanout_handle *next = handle->next;
        fanout_end_call(handle, CURLE_ABORTED_BY_CALLBACK);
        handle = next;
    }
}

/* Mostly nothing to do: a connection that failed for good has ended its call by now. */
static void stalled_nudge_all(struct fanout *fanout)
{
    for (uint32_t i = 0; i < fanout->handle_count && fanout->stalled > 0; i++) {
        struct fanout_handle *handle = fanout->handles[i];
        if (!handle->stalled)
            continue;
        stall_end(handle);
        if (!handle->sent)
            handle_nudge(handle);
    }
}

static int64_t wait_us(const struct fanout *fanout)
{
    int64_t due_us = FANOUT_NEVER_US;
    for (uint32_t i = 0; i < fanout->multi_opened; i++)
        if (fanout->multis[i].due_us < due_us)
            due_us = fanout->multis[i].due_us;
    if (fanout->halted_first != NULL || due_us <= fanout->now_us)
        return 0;
    return due_us == FANOUT_NEVER_US ? -1 : due_us - fanout->now_us;
}

int64_t fanout_tick(struct fanout *fanout, int64_t now_us)
{
    fanout->now_us = now_us;
    halted_end_all(fanout);
    sockets_act(&fanout->sockets);
    for (uint32_t i = 0; i < fanout->multi_opened; i++)
        if (fanout->multis[i].due_us <= now_us)
            multi_act(&fanout->multis[i], CURL_SOCKET_TIMEOUT, 0);
    stalled_nudge_all(fanout);
    return wait_us(fanout);
}
