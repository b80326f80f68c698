#include "fleetsim_connection.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Time enough for a client on any network to stop sending and to read our last answer. */
#define LINGER_US 1000000

/* The first read buffer; a usual request with its headers fits. Grows to REQUEST_BYTES_MAX. */
#define READ_BYTES_FIRST 2048

/* Unsent answers beyond which no pipelined request is handled: a client that doesn't read gets no more. */
#define UNSENT_BYTES_MAX 65536

/* Buffers larger than this are given back when they are empty. */
#define KEPT_BYTES_MAX 4096

void connection_note(struct connection *c, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        c->hung_up = true;
    if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
        c->peer_closing = true;
    if (events & EPOLLIN || c->peer_closing)
        c->readable = true;
}

void connection_due(struct connection *c)
{
    if (c->lingering)
        c->dead = true;
    c->waiting = false;
    c->out_due = c->out.count;
}

/* ---- read ---- */

static void receive(struct connection *c)
{
    struct bytes *in = &c->in;
    if (in->count == in->room)
        bytes_reserve(in, in->count > 0 ? in->count : READ_BYTES_FIRST);
    size_t room = (in->room < REQUEST_BYTES_MAX ? in->room : REQUEST_BYTES_MAX) - in->count;
    assert(room > 0); /* of a full buffer at least one request was handled or refused */

    ssize_t n = recv(c->fd, in->data + in->count, room, 0);
    if (n > 0) {
        in->count += (size_t)n;
        c->readable = (size_t)n == room || c->peer_closing;
    } else if (n == 0) {
        c->peer_closed = true;
        c->readable = false;
    } else if (errno == EAGAIN) {
        c->readable = false;
    } else {
        c->dead = true;
    }
}

static void discard(struct connection *c)
{
    char waste[READ_BYTES_FIRST];
    ssize_t n = recv(c->fd, waste, sizeof waste, 0);
    if (n < 0 && errno == EAGAIN)
        c->readable = false;
    else if (n <= 0)
        c->dead = true;
}

/* ---- frame, and ask for answers ---- */

static const char *reason_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } rows[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 400, "Bad Request" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 411, "Length Required" },
        { 413, "Content Too Large" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 503, "Service Unavailable" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == status)
            return rows[i].phrase;
    return "";
}

static void put_answer(struct bytes *out, const struct http_request *request, const struct http_reply *reply)
{
    bytes_put_text(out, "HTTP/1.1 ");
    bytes_put_number(out, reply->status);
    bytes_put_text(out, " ");
    bytes_put_text(out, reason_phrase(reply->status));
    bytes_put_text(out, "\r\nContent-Type: ");
    bytes_put_text(out, reply->content_type);
    bytes_put_text(out, "\r\nContent-Length: ");
    bytes_put_number(out, reply->body->count);
    bytes_put_text(out, "\r\n");
    bytes_put_text(out, reply->headers);
    if (!request->keep_alive)
        bytes_put_text(out, "Connection: close\r\n");
    else if (request->old)
        bytes_put_text(out, "Connection: keep-alive\r\n");
    bytes_put_text(out, "\r\n");
    if (!span_is(request->method, "HEAD"))
        bytes_put(out, reply->body->data, reply->body->count);
}

static void request_answer(struct connection *c, struct http_request *request,
                           const struct http_handler *handler, struct bytes *body)
{
    struct http_reply reply = { .headers = "", .body = body };
    body->count = 0;
    request->reused = c->requests++ > 0;
    handler->answer(handler->context, request, &reply);

    if (reply.fate == HTTP_IGNORE)
        return;
    if (reply.fate == HTTP_CLOSE) {
        c->final = c->abrupt = true;
        return;
    }
    put_answer(&c->out, request, &reply);
    c->final = !request->keep_alive;
    c->waiting = reply.delay_us > 0;
    if (c->waiting)
        c->due_us = delay_now_us() + reply.delay_us;
    else
        c->out_due = c->out.count;
}

/* The client holds the body back until we say so. */
static void request_continue(struct connection *c)
{
    if (c->continued)
        return;
    c->continued = true;
    bytes_put_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    c->out_due = c->out.count;
}

/* Handles the request at `at`. Returns its size, or 0 if it isn't complete. */
static size_t request_take(struct connection *c, size_t at, const struct http_handler *handler,
                           struct bytes *body)
{
    struct http_request request;
    switch (request_read(&request, (struct span){ c->in.data + at, c->in.count - at })) {
    case REQUEST_EXPECTING:
        request_continue(c);
        return 0;
    case REQUEST_PARTIAL:
        return 0;
    case REQUEST_REFUSED:
        request.keep_alive = false;
        request.bytes = c->in.count - at;
        break;
    case REQUEST_WHOLE:
        break;
    }
    c->continued = false;
    request_answer(c, &request, handler, body);
    return request.bytes;
}

static void frame(struct connection *c, const struct http_handler *handler, struct bytes *body)
{
    size_t at = 0, bytes = 1;
    c->stalled = false;
    while (bytes > 0 && at < c->in.count && !c->final && !c->waiting) {
        c->stalled = c->out.count - c->out_sent > UNSENT_BYTES_MAX;
        if (c->stalled)
            break;
        bytes = request_take(c, at, handler, body);
        at += bytes;
    }
    if (at > 0)
        memmove(c->in.data, c->in.data + at, c->in.count - at);
    c->in.count -= at;
    if (c->in.count == 0 && c->in.room > KEPT_BYTES_MAX)
        bytes_free(&c->in);
    if (c->peer_closed && !c->stalled && !c->waiting)
        c->final = true;
}

void connection_work(struct connection *c, const struct http_handler *handler, struct bytes *body)
{
    if (c->hung_up && (c->final || c->waiting))
        c->dead = true;
    if (c->dead)
        return;
    if (c->lingering && c->readable)
        discard(c);
    if (c->final || c->waiting)
        return;
    if (c->readable && !c->stalled)
        receive(c);
    if (!c->dead)
        frame(c, handler, body);
}

/* ---- send, and end ---- */

void connection_send(struct connection *c)
{
    if (c->dead)
        return;
    if (c->out_sent < c->out_due) {
        ssize_t n = send(c->fd, c->out.data + c->out_sent, c->out_due - c->out_sent, MSG_NOSIGNAL);
        if (n >= 0)
            c->out_sent += (size_t)n;
        else if (errno != EAGAIN) /* no EINTR: a call that doesn't block is not interrupted */
            c->dead = true;
    }
    if (c->out_sent < c->out.count)
        return;
    c->out.count = c->out_sent = c->out_due = 0;
    if (c->out.room > KEPT_BYTES_MAX)
        bytes_free(&c->out);
}

static void linger(struct connection *c)
{
    shutdown(c->fd, SHUT_WR);
    c->lingering = true;
    c->readable = true;
    c->due_us = delay_now_us() + LINGER_US;
}

unsigned connection_needs(struct connection *c)
{
    bool sent = c->out.count == 0;
    if (c->dead)
        return CONNECTION_OVER;
    if (c->waiting)
        return CONNECTION_TIMER;
    if (c->final && sent && (c->abrupt || c->peer_closed))
        return CONNECTION_OVER;
    if (c->final && sent && !c->lingering)
        linger(c);
    if (c->lingering)
        return CONNECTION_TIMER | (c->readable ? CONNECTION_TURN : 0);
    if (c->stalled)
        return sent ? CONNECTION_TURN : 0;
    return c->readable && !c->final ? CONNECTION_TURN : 0;
}

void connection_end(struct connection *c)
{
    close(c->fd);
    bytes_free(&c->in);
    bytes_free(&c->out);
}
