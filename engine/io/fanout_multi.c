/* A multi is libcurl's set of transfers that share connections. libcurl walks over all connections of a multi with each
 * request, hence several small ones. It never sleeps: it says when it wants to be called, and is called when a socket of
 * its is ready. While it is being called, handles may be neither added nor removed: what has ended is read afterwards. */
#include "fanout_internal.h"

#include "fail.h"

#include <assert.h>

static int timer_note(CURLM *curl, long timeout_ms, void *context)
{
    (void)curl;
    struct fanout_multi *multi = context;
    multi->due_us = timeout_ms < 0 ? FANOUT_NEVER_US : multi->fanout->now_us + (int64_t)timeout_ms * 1000;
    return 0;
}

static enum tranche_code multi_open(struct fanout_multi *multi, struct tranche_err *err)
{
    multi->curl = curl_multi_init();
    if (multi->curl == NULL)
        return fail(err, TRANCHE_NOMEM, "no memory for a curl multi");
    multi->due_us = FANOUT_NEVER_US;
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, sockets_watch);
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, timer_note);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
    /* Fewer would close connections that the next call could use; more would be descriptors nobody counts on. */
    curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, (long)multi->fanout->options.multi_handles);
    curl_multi_setopt(multi->curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    return TRANCHE_OK;
}

enum tranche_code multi_add(struct fanout_multi *multi, struct fanout_handle *handle, struct tranche_err *err)
{
    assert(handle->multi == NULL && multi->handles < multi->fanout->options.multi_handles);
    if (multi->curl == NULL && multi_open(multi, err) != TRANCHE_OK)
        return TRANCHE_NOMEM;
    CURLMcode added = curl_multi_add_handle(multi->curl, handle->easy);
    if (added != CURLM_OK)
        return fail(err, added == CURLM_OUT_OF_MEMORY ? TRANCHE_NOMEM : TRANCHE_INTERNAL, "add a call: %s",
                    curl_multi_strerror(added));
    handle->multi = multi;
    multi->handles++;
    return TRANCHE_OK;
}

void multi_remove(struct fanout_handle *handle)
{
    CURLMcode removed = curl_multi_remove_handle(handle->multi->curl, handle->easy);
    assert(removed == CURLM_OK);
    handle->multi->handles--;
    handle->multi = NULL;
}

static void multi_reap(struct fanout_multi *multi)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi->curl, &left)) != NULL) {
        assert(message->msg == CURLMSG_DONE);
        CURLcode result = message->data.result; /* the message dies with the removal */
        struct fanout_handle *handle = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &handle);
        fanout_end_call(handle, result);
    }
}

/* Its return code says nothing that would not show otherwise: a call it could not go on with ends by its own timer. */
void multi_act(struct fanout_multi *multi, curl_socket_t fd, int events)
{
    int running;
    if (fd == CURL_SOCKET_TIMEOUT)
        multi->due_us = FANOUT_NEVER_US;
    curl_multi_socket_action(multi->curl, fd, events, &running);
    if ((uint32_t)running < multi->handles)
        multi_reap(multi);
}

void multi_close(struct fanout_multi *multi)
{
    if (multi->curl != NULL)
        curl_multi_cleanup(multi->curl);
    multi->curl = NULL;
}
