/* An HTTP/1.1 server on one thread and one epoll: it frames requests, asks the owner what to answer, and
 * sends the answer when it is due. It knows nothing of devices.
 *
 * Requests on one connection are handled one after the other: a pipelined request counts as received when the
 * answer before it has been due, so answers go out in order whatever their delays.
 */
#ifndef FLEETSIM_HTTP_H
#define FLEETSIM_HTTP_H

#include "fleetsim_request.h"
#include "fleetsim_trouble.h"

/* Connections held at once, if the hard limit on descriptors allows it; the rest wait in the backlog. */
#define CONNECTIONS_MAX 20000

enum http_fate {
    HTTP_ANSWER, /* after delay_us */
    HTTP_CLOSE,  /* close the connection instead */
    HTTP_IGNORE, /* nothing, ever; further requests on the connection are read */
};

struct http_reply {
    enum http_fate fate;
    unsigned status;
    const char *content_type;
    const char *headers; /* whole header lines, or ""; must live until `answer` returns */
    struct bytes *body;  /* empty at first; the server's */
    uint64_t delay_us;
};

/* The owner's side. Both are called by http_run on its thread. */
struct http_handler {
    void *context;
    /* A request is complete, or refused (request->refusal; the connection is closed after the answer). */
    void (*answer)(void *context, const struct http_request *request, struct http_reply *reply);
    /* Once a turn, after all requests of it and before any answer of it leaves. False ends the server. */
    bool (*before_sending)(void *context, struct trouble *trouble);
};

struct http_server;

/* Listens on HOST:PORT. NULL on failure. `handler` is copied. From here on SIGTERM and SIGINT are the
 * server's. */
struct http_server *http_open(const char *where, const struct http_handler *handler, struct trouble *trouble);

/* http://HOST:PORT with the real port; lives as long as the server. */
const char *http_url(const struct http_server *server);

/* Connections accepted so far. */
uint64_t http_connections(const struct http_server *server);

/* Serves until SIGTERM or SIGINT (true) or trouble (false). Answers not due by then are not given. */
bool http_run(struct http_server *server, struct trouble *trouble);

void http_close(struct http_server *server);

#endif
