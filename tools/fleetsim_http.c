/* One turn of the server:
 *
 *     wait  ->  note which connections are ready or due  ->  work: read, frame, ask for answers
 *           ->  before_sending (the owner's log reaches the file)  ->  send what is due, end what is over
 *
 * epoll is edge-triggered and each socket registered once, so a request costs one recv, one send and its part
 * of an epoll_wait. What an edge said is kept in the connection, and a connection that has more to do than
 * one turn's share is listed for the next turn: none can starve the others.
 *
 * Connections are only freed in a turn's last pass, one at a time, each after its own last use; no pass meets
 * a freed one.
 */
#include "fleetsim_connection.h"
#include "fleetsim_listen.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS_A_TURN  512
#define ACCEPTS_A_TURN 256

/* Descriptors kept back for epoll, timer, log, standard streams and what the parent left open. */
#define DESCRIPTORS_RESERVED 32

/* When the system is out of descriptors or memory, accepting is tried again after this. */
#define ACCEPT_RETRY_MS 100

struct work {
    struct connection *first, *last;
};

struct http_server {
    struct http_handler handler;
    char url[300];
    int epoll_fd, listen_fd, timer_fd, signal_fd;
    bool stopping;
    bool accept_paused;
    uint64_t armed_us; /* when the timer will fire; 0 when it won't */
    uint64_t accepted;
    size_t connection_count, connection_limit;
    struct connection *connections;
    struct work work; /* for the coming passes */
    struct delays delays;
    struct bytes body; /* of the answer being worded */
};

static void work_add(struct http_server *server, struct connection *c)
{
    if (c->listed)
        return;
    c->listed = true;
    c->work_next = NULL;
    if (server->work.last != NULL)
        server->work.last->work_next = c;
    else
        server->work.first = c;
    server->work.last = c;
}

/* ---- connections: accept and drop ---- */

static bool watch(struct http_server *server, int fd, uint32_t events, void *whom)
{
    struct epoll_event event = { .events = events, .data.ptr = whom };
    return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool connection_add(struct http_server *server, int fd)
{
    struct connection *c = memory_or_exit(calloc(1, sizeof *c));
    if (!watch(server, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c)) {
        free(c);
        return false;
    }
    c->fd = fd;
    c->next = server->connections;
    if (c->next != NULL)
        c->next->previous = c;
    server->connections = c;
    server->connection_count++;
    server->accepted++;
    return true;
}

static void connection_drop(struct http_server *server, struct connection *c)
{
    delays_cut(&server->delays, &c->delay);
    if (c->next != NULL)
        c->next->previous = c->previous;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        server->connections = c->next;
    server->connection_count--;
    connection_end(c);
    free(c);
}

/* Stops listening until a connection has been closed or ACCEPT_RETRY_MS have passed without any event. */
static void accept_pause(struct http_server *server, bool pause)
{
    struct epoll_event event = { .events = pause ? 0 : EPOLLIN, .data.ptr = &server->listen_fd };
    server->accept_paused = pause;
    epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, server->listen_fd, &event);
}

static bool is_lasting(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOBUFS || reason == ENOMEM;
}

static void accept_some(struct http_server *server)
{
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (server->connection_count == server->connection_limit) {
            accept_pause(server, true);
            return;
        }
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (is_lasting(errno))
                accept_pause(server, true);
            return; /* otherwise there is none, or it went away while it waited */
        }
        if (!connection_add(server, fd)) {
            close(fd);
            accept_pause(server, true);
            return;
        }
    }
}

/* ---- the turn ---- */

static void event_note(struct http_server *server, const struct epoll_event *event)
{
    if (event->data.ptr == &server->listen_fd) {
        accept_some(server);
    } else if (event->data.ptr == &server->timer_fd) {
        server->armed_us = 0;
    } else if (event->data.ptr == &server->signal_fd) {
        server->stopping = true;
    } else {
        connection_note(event->data.ptr, event->events);
        work_add(server, event->data.ptr);
    }
}

static struct connection *connection_of(struct delay *delay)
{
    return (struct connection *)((char *)delay - offsetof(struct connection, delay));
}

static void delays_note(struct http_server *server)
{
    struct delay *delay = delays_first(&server->delays);
    uint64_t now_us = delay != NULL ? delay_now_us() : 0;
    for (; delay != NULL && delay->due_us <= now_us; delay = delays_first(&server->delays)) {
        delays_cut(&server->delays, delay);
        connection_due(connection_of(delay));
        work_add(server, connection_of(delay));
    }
}

/* A timer that fires too early (its connection has gone) is harmless, so it is only ever moved forward. */
static void timer_arm(struct http_server *server)
{
    const struct delay *delay = delays_first(&server->delays);
    if (delay == NULL || (server->armed_us > 0 && server->armed_us <= delay->due_us))
        return;
    struct itimerspec when = { .it_value = { .tv_sec = (time_t)(delay->due_us / 1000000),
                                             .tv_nsec = (long)(delay->due_us % 1000000) * 1000 } };
    timerfd_settime(server->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    server->armed_us = delay->due_us;
}

static void connection_settle(struct http_server *server, struct connection *c)
{
    unsigned needs = connection_needs(c);
    if (needs & CONNECTION_TURN)
        work_add(server, c);
    if (needs & CONNECTION_TIMER && !delay_is_set(&c->delay))
        delays_put(&server->delays, &c->delay, c->due_us);
    if (needs & CONNECTION_OVER)
        connection_drop(server, c);
}

static bool turn_work(struct http_server *server, struct trouble *trouble)
{
    struct connection *first = server->work.first, *next;
    server->work = (struct work){ 0 };
    for (struct connection *c = first; c != NULL; c = c->work_next) {
        c->listed = false;
        connection_work(c, &server->handler, &server->body);
    }
    if (!server->handler.before_sending(server->handler.context, trouble))
        return false;
    for (struct connection *c = first; c != NULL; c = next) {
        next = c->work_next; /* settling may list it anew */
        connection_send(c);
        connection_settle(server, c);
    }
    return true;
}

static bool server_turn(struct http_server *server, struct trouble *trouble)
{
    struct epoll_event events[EVENTS_A_TURN];
    timer_arm(server);
    int wait_ms = server->work.first != NULL ? 0 : server->accept_paused ? ACCEPT_RETRY_MS : -1;
    int count = epoll_wait(server->epoll_fd, events, EVENTS_A_TURN, wait_ms);
    if (count < 0 && errno != EINTR)
        return trouble_say(trouble, "epoll_wait: %s", strerror(errno));

    size_t connections_before = server->connection_count;
    for (int i = 0; i < count; i++)
        event_note(server, &events[i]);
    delays_note(server);
    if (!turn_work(server, trouble))
        return false;
    if (server->accept_paused && (count == 0 || server->connection_count < connections_before))
        accept_pause(server, false);
    return true;
}

bool http_run(struct http_server *server, struct trouble *trouble)
{
    while (!server->stopping)
        if (!server_turn(server, trouble))
            return false;
    return true;
}

/* ---- the server: open and close ---- */

/* Raises the soft limit on descriptors to the hard one. */
static size_t connection_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CONNECTIONS_MAX;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= CONNECTIONS_MAX + DESCRIPTORS_RESERVED)
        return CONNECTIONS_MAX;
    if (limit.rlim_cur < 2 * DESCRIPTORS_RESERVED)
        return DESCRIPTORS_RESERVED;
    return limit.rlim_cur - DESCRIPTORS_RESERVED;
}

static int signals_open(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool machinery_open(struct http_server *server, struct trouble *trouble)
{
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    server->signal_fd = signals_open();
    if (server->epoll_fd < 0 || server->timer_fd < 0 || server->signal_fd < 0 ||
        !watch(server, server->listen_fd, EPOLLIN, &server->listen_fd) ||
        !watch(server, server->timer_fd, EPOLLIN | EPOLLET, &server->timer_fd) ||
        !watch(server, server->signal_fd, EPOLLIN, &server->signal_fd))
        return trouble_say(trouble, "set up epoll: %s", strerror(errno));
    return true;
}

struct http_server *http_open(const char *where, const struct http_handler *handler, struct trouble *trouble)
{
    struct http_server *server = memory_or_exit(calloc(1, sizeof *server));
    server->handler = *handler;
    server->epoll_fd = server->timer_fd = server->signal_fd = -1;
    server->connection_limit = connection_limit();
    server->listen_fd = listen_open(where, server->url, sizeof server->url, trouble);
    if (server->listen_fd >= 0 && machinery_open(server, trouble))
        return server;
    http_close(server);
    return NULL;
}

static void fd_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

void http_close(struct http_server *server)
{
    while (server->connections != NULL)
        connection_drop(server, server->connections);
    fd_close(server->signal_fd);
    fd_close(server->timer_fd);
    fd_close(server->listen_fd);
    fd_close(server->epoll_fd);
    delays_free(&server->delays);
    bytes_free(&server->body);
    free(server);
}

const char *http_url(const struct http_server *server)
{
    return server->url;
}

uint64_t http_connections(const struct http_server *server)
{
    return server->accepted;
}
