/* One connection: bytes in, requests framed, answers out. It knows its socket and the handler, but no epoll,
 * no timer and no other connection; those are the server's (fleetsim_http), which calls, in this order:
 *
 *     connection_note    the socket is ready              connection_due    the time it waited for has come
 *     connection_work    once a turn when either happened
 *     connection_send    after the handler's before_sending
 *     connection_needs   what the server has to do for it next
 *
 * The life of a connection:
 *
 *     open --complete request--> waiting (an answer is not due yet; nothing is read) --due--> open
 *       |
 *       +--last answer (Connection: close, refused framing)--> final --sent--> lingering --> over
 *       +--peer has closed, or HTTP_CLOSE--------------------> final --sent--> over
 *       +--reset, hang-up (requests still unread are read first)--> over
 *
 * Lingering: our side is shut, and what still comes is thrown away until the peer closes, for LINGER_US at
 * most. It is for the client that is still sending a body we refused: a plain close would make the kernel
 * answer it with a reset, and the reset would overtake our 413.
 *
 * There is no idle timeout: an open connection without a request is the client's to close. A client that goes
 * away while its answer is not due yet is noticed when it is due, because a half close looks the same.
 */
#ifndef FLEETSIM_CONNECTION_H
#define FLEETSIM_CONNECTION_H

#include "fleetsim_delay.h"
#include "fleetsim_http.h"

struct connection {
    int fd;
    uint32_t requests;
    struct bytes in;
    struct bytes out;
    size_t out_due; /* so many bytes of `out` may be sent */
    size_t out_sent;
    uint64_t due_us; /* while waiting or lingering: when connection_due is to be called */
    bool waiting;    /* for the answer at the end of `out` to be due */
    bool lingering;
    bool readable;     /* the kernel may have bytes for us */
    bool peer_closing; /* the peer's end is on its way: read on until it */
    bool peer_closed;  /* read to the end */
    bool hung_up;      /* both ways: no answer will arrive, but requests may be left to read */
    bool stalled;      /* too much is unsent to handle a request that is here already */
    bool continued;    /* "100 Continue" was sent for the request now coming in */
    bool final;        /* no further request will be handled */
    bool abrupt;       /* final, and to be closed without lingering */
    bool dead;

    /* The server's. */
    bool listed; /* for work */
    struct connection *work_next;
    struct connection *next, *previous; /* of all connections */
    struct delay delay;                 /* set while waiting or lingering */
};

/* `events` are epoll's. */
void connection_note(struct connection *c, uint32_t events);

void connection_due(struct connection *c);

/* Reads once, and asks the handler about each request that is complete. `body` is scratch. */
void connection_work(struct connection *c, const struct http_handler *handler, struct bytes *body);

void connection_send(struct connection *c);

/* A set of these; none when there is nothing to do before the socket is ready again. */
enum connection_needs {
    CONNECTION_TURN = 1,  /* another turn: there was more than one turn's share */
    CONNECTION_TIMER = 2, /* connection_due at due_us */
    CONNECTION_OVER = 4,  /* connection_end; then it is alone in the set */
};

unsigned connection_needs(struct connection *c);

/* Closes the socket and frees the buffers. */
void connection_end(struct connection *c);

#endif
