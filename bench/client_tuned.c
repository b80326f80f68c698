/* libcurl as fast as we know to drive it, and nothing else: the yardstick. Several multis of 64 handles on one
 * epoll, since libcurl walks over all connections of a multi with each request; sockets that stay registered from
 * request to request; handles that keep their settings. Written apart from engine/io/fanout.c on purpose: it has
 * none of the promises kept there (no silent resend, no answer without limit, stop before the first byte, what
 * failed and why), only the speed. */
#include "load.h"

#include "fail.h"
#include "loop.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MULTI_HANDLES 64
#define TIMEOUT_MS    15000L
#define RECEIVE_BYTES 1024L
#define EVENTS        256
#define NEVER_US      INT64_MAX

struct group {
    CURLM *multi;
    struct tuned *tuned;
    int64_t due_us;
    uint32_t running; /* handles in it */
};

struct slot {
    CURL *easy;
    struct group *group;
    struct curl_slist headers[3];
    struct load_words words;
};

struct registration {
    struct group *group;
    uint32_t wanted, watched; /* EPOLL bits; watched stays when libcurl wants nothing for a while */
};

struct tuned {
    int epoll;
    struct registration *sockets; /* by descriptor */
    int socket_count;
    struct group *groups;
    uint32_t group_count;
    struct slot *slots;
    uint32_t slot_count;
    struct load *load;
};

/* ---- libcurl's questions ---- */

static int timer_note(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct group *group = context;
    group->due_us = timeout_ms < 0 ? NEVER_US : timeout_ms == 0 ? 0 : loop_now_us() + timeout_ms * 1000;
    return 0;
}

static bool sockets_reach(struct tuned *tuned, int fd)
{
    if (fd < tuned->socket_count)
        return true;
    int count = fd * 2 + 64;
    struct registration *sockets = realloc(tuned->sockets, (size_t)count * sizeof *sockets);
    if (sockets == NULL)
        return false;
    memset(sockets + tuned->socket_count, 0, (size_t)(count - tuned->socket_count) * sizeof *sockets);
    tuned->sockets = sockets;
    tuned->socket_count = count;
    return true;
}

static uint32_t epoll_bits(int what)
{
    if (what == CURL_POLL_REMOVE)
        return 0;
    return (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
}

/* Forgetting is left out: the next request on the connection asks for the same. */
static int socket_watch(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    (void)easy, (void)unused;
    struct group *group = context;
    struct tuned *tuned = group->tuned;
    if (!sockets_reach(tuned, fd))
        return -1;
    struct registration *socket = &tuned->sockets[fd];
    socket->group = group;
    socket->wanted = epoll_bits(what);
    if (socket->wanted == 0 || socket->wanted == socket->watched)
        return 0;
    struct epoll_event event = { .events = socket->wanted, .data.fd = fd };
    int told = epoll_ctl(tuned->epoll, socket->watched != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    socket->watched = socket->wanted;
    return told;
}

static int socket_end(void *context, curl_socket_t fd)
{
    struct tuned *tuned = context;
    if (fd < tuned->socket_count)
        tuned->sockets[fd] = (struct registration){ 0 };
    return close(fd);
}

static size_t body_drop(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes, (void)context;
    return size * count;
}

/* ---- opening and closing ---- */

static void tuned_close(void *client)
{
    struct tuned *tuned = client;
    if (tuned == NULL)
        return;
    for (uint32_t i = 0; i < tuned->group_count; i++)
        curl_multi_cleanup(tuned->groups[i].multi);
    for (uint32_t i = 0; i < tuned->slot_count; i++)
        curl_easy_cleanup(tuned->slots[i].easy);
    if (tuned->epoll >= 0)
        close(tuned->epoll);
    free(tuned->groups);
    free(tuned->slots);
    free(tuned->sockets);
    free(tuned);
    curl_global_cleanup();
}

static bool group_open(struct tuned *tuned, struct group *group)
{
    *group = (struct group){ .multi = curl_multi_init(), .tuned = tuned, .due_us = NEVER_US };
    if (group->multi == NULL)
        return false;
    curl_multi_setopt(group->multi, CURLMOPT_SOCKETFUNCTION, socket_watch);
    curl_multi_setopt(group->multi, CURLMOPT_SOCKETDATA, group);
    curl_multi_setopt(group->multi, CURLMOPT_TIMERFUNCTION, timer_note);
    curl_multi_setopt(group->multi, CURLMOPT_TIMERDATA, group);
    curl_multi_setopt(group->multi, CURLMOPT_MAXCONNECTS, (long)MULTI_HANDLES);
    curl_multi_setopt(group->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    return true;
}

static bool slot_open(struct tuned *tuned, struct slot *slot, const char *gateway)
{
    CURL *easy = slot->easy = curl_easy_init();
    if (easy == NULL)
        return false;
    load_words_open(&slot->words, gateway);
    slot->headers[0] = (struct curl_slist){ (char *)load_headers[0], &slot->headers[1] };
    slot->headers[1] = (struct curl_slist){ (char *)load_headers[1], &slot->headers[2] };
    slot->headers[2] = (struct curl_slist){ slot->words.key, NULL };
    curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, LOAD_BODY);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_drop);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, socket_end);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, tuned);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return true;
}

static bool tables_open(struct tuned *tuned, const struct load_target *target)
{
    uint32_t groups = (target->in_flight + MULTI_HANDLES - 1) / MULTI_HANDLES;
    tuned->groups = calloc(groups, sizeof tuned->groups[0]);
    tuned->slots = calloc(target->in_flight, sizeof tuned->slots[0]);
    bool good = tuned->groups != NULL && tuned->slots != NULL && tuned->epoll >= 0;
    for (; good && tuned->group_count < groups; tuned->group_count++)
        good = group_open(tuned, &tuned->groups[tuned->group_count]);
    for (; good && tuned->slot_count < target->in_flight; tuned->slot_count++) {
        struct slot *slot = &tuned->slots[tuned->slot_count];
        slot->group = &tuned->groups[tuned->slot_count / MULTI_HANDLES];
        good = slot_open(tuned, slot, target->gateway);
    }
    return good;
}

static enum tranche_code tuned_open(void **client, const struct load_target *target, struct tranche_err *err)
{
    struct tuned *tuned = calloc(1, sizeof *tuned);
    if (tuned == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(err, TRANCHE_NOMEM, "libcurl cannot be set up");
    tuned->epoll = epoll_create1(EPOLL_CLOEXEC);
    *client = tuned;
    return tables_open(tuned, target) ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "libcurl cannot be set up");
}

/* ---- running ---- */

static void slot_start(struct slot *slot)
{
    uint64_t number;
    struct tuned *tuned = slot->group->tuned;
    if (!load_next(tuned->load, &number))
        return;
    load_words_set(&slot->words, number);
    curl_easy_setopt(slot->easy, CURLOPT_URL, slot->words.url);
    curl_multi_add_handle(slot->group->multi, slot->easy);
    slot->group->running++;
}

static void slot_end(CURLMsg *message, struct load *load)
{
    struct slot *slot = NULL;
    long status = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
    if (message->data.result == CURLE_OK)
        curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(slot->group->multi, slot->easy);
    slot->group->running--;
    load_answered(load, status);
    slot_start(slot);
}

static void group_act(struct group *group, curl_socket_t fd, int events)
{
    int running, left;
    CURLMsg *message;
    if (fd == CURL_SOCKET_TIMEOUT)
        group->due_us = NEVER_US;
    curl_multi_socket_action(group->multi, fd, events, &running);
    if ((uint32_t)running < group->running)
        while ((message = curl_multi_info_read(group->multi, &left)) != NULL)
            slot_end(message, group->tuned->load);
}

/* Runs what is due; returns how long to wait for sockets, in milliseconds. */
static int timers_act(struct tuned *tuned)
{
    int64_t next_us = NEVER_US, now_us = loop_now_us();
    for (uint32_t i = 0; i < tuned->group_count; i++) {
        struct group *group = &tuned->groups[i];
        if (group->due_us <= now_us)
            group_act(group, CURL_SOCKET_TIMEOUT, 0);
        if (group->due_us < next_us)
            next_us = group->due_us;
    }
    if (next_us <= now_us)
        return 0;
    return next_us - now_us > LOAD_STUCK_MS * 1000 ? LOAD_STUCK_MS : (int)((next_us - now_us + 999) / 1000);
}

/* What happens to an idle connection (the gateway closed it) is for libcurl to find when it would use it. */
static void socket_act(struct tuned *tuned, const struct epoll_event *event)
{
    int fd = event->data.fd;
    struct registration *socket = &tuned->sockets[fd];
    if (socket->wanted == 0) {
        epoll_ctl(tuned->epoll, EPOLL_CTL_DEL, fd, NULL);
        socket->watched = 0;
        return;
    }
    group_act(socket->group, fd,
              (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                  (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0));
}

static enum tranche_code tuned_run(void *client, struct load *load, struct tranche_err *err)
{
    struct tuned *tuned = client;
    struct epoll_event events[EVENTS];
    tuned->load = load;
    for (uint32_t i = 0; i < tuned->slot_count; i++)
        slot_start(&tuned->slots[i]);
    while (!load_is_idle(load)) {
        int count = epoll_wait(tuned->epoll, events, EVENTS, timers_act(tuned));
        for (int i = 0; i < count; i++)
            socket_act(tuned, &events[i]);
        if (count < 0 && errno != EINTR)
            return fail(err, TRANCHE_IO, "wait for answers: %s", strerror(errno));
    }
    return load_check(load, err);
}

const struct client_kind client_tuned = { tuned_open, tuned_run, tuned_close };
