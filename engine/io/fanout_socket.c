/* libcurl's sockets on the caller's epoll, lazily.
 *
 * libcurl asks to watch a socket when a request is out and to forget it when the answer is in, twice a call. That is not
 * done: a connection stays registered from call to call, and only a real change reaches the kernel. It leaves when
 * libcurl asks us to close it, or when something happens to it while it is idle (the gateway closed it, mostly): nobody
 * would read that, and epoll would tell it for ever. libcurl finds a dead connection by itself before it uses it again.
 *
 * Two traps, both met by the state of a socket: libcurl's resolver has sockets of its own, which we neither make nor close
 * (FOREIGN); and a socket that does not get connected may be closed by libcurl without a word, before we are asked to
 * forget it (CONNECTING). For these, asked is done. Once it was read from, only our own closing ends it (KEPT).
 */
#include "fanout_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static void socket_note(struct loop_source *source, uint32_t events);

void sockets_open(struct fanout_sockets *sockets, struct loop *loop)
{
    *sockets = (struct fanout_sockets){ .loop = loop, .ready_end = &sockets->ready_first };
}

void sockets_close(struct fanout_sockets *sockets)
{
    for (int fd = 0; fd < sockets->table_count; fd++)
        free(sockets->table[fd]);
    free(sockets->table);
    *sockets = (struct fanout_sockets){ 0 };
}

static bool table_grow(struct fanout_sockets *sockets, int fd)
{
    int count = sockets->table_count == 0 ? 64 : sockets->table_count;
    while (count <= fd)
        count *= 2; /* descriptors are far below half of INT_MAX */
    struct fanout_socket **table = realloc(sockets->table, (size_t)count * sizeof(struct fanout_socket *));
    if (table == NULL)
        return false;
    for (int i = sockets->table_count; i < count; i++)
        table[i] = NULL;
    sockets->table = table;
    sockets->table_count = count;
    return true;
}

/* The entry of a descriptor, made when first met and kept until the end. NULL: no memory. */
static struct fanout_socket *socket_of(struct fanout_sockets *sockets, int fd)
{
    assert(fd >= 0);
    if (fd >= sockets->table_count && !table_grow(sockets, fd))
        return NULL;
    struct fanout_socket *socket = sockets->table[fd];
    if (socket != NULL)
        return socket;
    socket = calloc(1, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket->source = (struct loop_source){ .ready = socket_note, .fd = fd };
    socket->sockets = sockets;
    sockets->table[fd] = socket;
    return socket;
}

static void socket_leave(struct fanout_socket *socket)
{
    if (socket->watched != 0)
        loop_remove(socket->sockets->loop, socket->source.fd);
    socket->watched = 0;
}

/* Registers it for what libcurl wants of it. */
static bool socket_register(struct fanout_socket *socket)
{
    struct loop *loop = socket->sockets->loop;
    int fd = socket->source.fd;
    if (socket->watched == socket->wanted)
        return true;
    if (socket->watched != 0 && socket->state == SOCKET_KEPT)
        loop_change(loop, fd, socket->wanted, &socket->source);
    else {
        socket_leave(socket); /* the kernel may know it or not, as libcurl may have closed it meanwhile */
        if (loop_add(loop, fd, socket->wanted, &socket->source, NULL) != TRANCHE_OK)
            return false;
    }
    socket->watched = socket->wanted;
    return true;
}

static struct fanout_handle *handle_of(CURL *easy)
{
    struct fanout_handle *handle = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle);
    return handle;
}

/* libcurl before 8.4 makes the socket for a host's next address only when it looks at the transfer again, and nothing
 * leads it to do so before the time for connecting is over. */
static void stall_note(struct fanout_handle *handle)
{
    if (handle->stalled)
        return;
    handle->stalled = true;
    handle->fanout->stalled++;
}

static void socket_forget(CURL *easy, struct fanout_socket *socket)
{
    socket->wanted = 0;
    if (socket->state == SOCKET_KEPT)
        return;
    if (socket->state == SOCKET_CONNECTING)
        stall_note(handle_of(easy));
    socket->state = SOCKET_FOREIGN;
    socket_leave(socket);
}

/* If it cannot be watched, its call waits for its timer, and then ends as local trouble if nothing was sent. Telling
 * libcurl would end all calls of the multi. */
static void socket_want(CURL *easy, struct fanout_socket *socket, uint32_t events)
{
    socket->wanted = events;
    if (!socket_register(socket))
        handle_of(easy)->error = errno;
    else if (socket->state == SOCKET_CONNECTING && events & EPOLLIN)
        socket->state = SOCKET_KEPT;
}

int sockets_watch(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    (void)unused;
    struct fanout_multi *multi = context;
    struct fanout_socket *socket = socket_of(&multi->fanout->sockets, fd);
    if (socket == NULL) {
        handle_of(easy)->error = ENOMEM;
        return 0;
    }
    socket->multi = multi;
    if (what == CURL_POLL_REMOVE)
        socket_forget(easy, socket);
    else
        socket_want(easy, socket, (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u));
    return 0;
}

bool sockets_made(struct fanout_sockets *sockets, int fd)
{
    struct fanout_socket *socket = socket_of(sockets, fd);
    if (socket == NULL)
        return false;
    socket->state = SOCKET_CONNECTING;
    socket->wanted = socket->watched = socket->ready = 0; /* whatever had this number is closed, so it has left */
    return true;
}

int sockets_end(void *context, curl_socket_t fd)
{
    struct fanout_sockets *sockets = context;
    struct fanout_socket *socket = sockets->table[fd];
    socket->state = SOCKET_FOREIGN;
    socket->wanted = socket->watched = socket->ready = 0; /* closing takes it off the epoll */
    return close(fd);
}

/* While the loop waits: only noted, for the tick. */
static void socket_note(struct loop_source *source, uint32_t events)
{
    struct fanout_socket *socket = (struct fanout_socket *)source; /* its first field */
    struct fanout_sockets *sockets = socket->sockets;
    socket->ready |= events;
    if (socket->listed)
        return;
    socket->listed = true;
    socket->next = NULL;
    *sockets->ready_end = socket;
    sockets->ready_end = &socket->next;
}

static struct fanout_socket *ready_take(struct fanout_sockets *sockets)
{
    struct fanout_socket *socket = sockets->ready_first;
    if (socket == NULL)
        return NULL;
    sockets->ready_first = socket->next;
    if (sockets->ready_first == NULL)
        sockets->ready_end = &sockets->ready_first;
    socket->listed = false;
    return socket;
}

/* An error or hang-up is for libcurl to find where it looks anyway; told as an error it would not say which. */
static int curl_events(const struct fanout_socket *socket, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        events |= socket->wanted;
    return (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
}

void sockets_act(struct fanout_sockets *sockets)
{
    struct fanout_socket *socket;
    while ((socket = ready_take(sockets)) != NULL) {
        uint32_t events = socket->ready;
        socket->ready = 0;
        if (events == 0)
            continue; /* closed meanwhile */
        if (socket->wanted == 0)
            socket_leave(socket);
        else
            multi_act(socket->multi, socket->source.fd, curl_events(socket, events));
    }
}
