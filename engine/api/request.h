/* A request as a handler sees it: what came, and what goes back.
 *
 * A request is held by one thread at a time: an HTTP thread, a thread of the back room, or the engine thread
 * while its command is posted. A handler never waits. It either fills in the answer, or says how the request
 * goes on: request_defer (in the back room) or request_post (by the engine); server.c does the rest. Whatever
 * is said last counts.
 *
 *     door_enter ──► [route->feed ...] ──► route->handle ──► answer
 *                                            │  ▲   ▲
 *                               request_defer ▼  │   │ finish
 *                                        back room   engine
 *                                             └──post──►
 *
 * Memory taken from request->memory, and all strings in here, live until the request ends.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "auth.h"
#include "counter.h"
#include "scope.h"
#include "uuid.h"

#include <stddef.h>

#define REQUEST_HEADERS_MAX    64 /* far more than clients send; bounds the search */
#define REQUEST_QUERY_MAX      32
#define REQUEST_SEGMENTS_MAX   8 /* of the path; the longest pattern has 5 */
#define REQUEST_RATE_RETRY_S   2 /* Retry-After of a 429 */
#define REQUEST_PARAMETERS_MAX 3 /* names in a route's pattern */

struct route;

struct request_pair {
    const char *name;
    const char *value; /* "" where none was given */
};

enum request_next {
    REQUEST_GOES_ON, /* nothing was said yet */
    REQUEST_ANSWERS, /* the answer is ready */
    REQUEST_DEFERS,  /* `step` is to run in the back room */
    REQUEST_POSTS    /* the command is to be posted, then `step` to run on an HTTP thread */
};

struct request {
    struct counter *counter;

    /* What came. Headers and the query as they arrived until door_enter, which decodes the query. */
    const char *method;
    const char *path; /* not decoded */
    bool http_1_0;
    unsigned char peer[16]; /* the client's address; IPv4 in its first four bytes, the rest zero */
    struct request_pair headers[REQUEST_HEADERS_MAX];
    unsigned header_count;
    struct request_pair query[REQUEST_QUERY_MAX];
    unsigned query_count;
    bool overfull; /* there were more headers or query pairs than fit */
    int64_t now_us;

    /* What the door found out. */
    char id[UUID_TEXT_BYTES];
    const struct route *route;
    const char *parameters[REQUEST_PARAMETERS_MAX]; /* decoded, in the order of the route's pattern */
    struct caller caller;
    struct scope scope; /* of the caller for what the route does */
    bool poisoned; /* where this request ends is doubtful: the connection must not carry another */

    /* The body: collected here, or handed to route->feed. */
    uint64_t length;     /* announced by Content-Length; 0 without one */
    uint64_t body_bytes; /* that came */
    uint64_t body_bytes_max;
    struct text body;

    /* How it goes on. */
    enum request_next next;
    void (*step)(struct request *request);
    struct command command; /* of REQUEST_POSTS */
    enum tranche_code (*change)(struct request *request, struct tranche_store *store, int64_t now_us,
                                struct tranche_err *err); /* of change.h */

    /* What goes back. */
    enum tranche_code code; /* of the refusal; TRANCHE_OK: none */
    int status;
    struct text answer;
    char etag[64];          /* header; "" for none */
    const char *allow;      /* header; NULL: none */
    unsigned retry_after_s; /* header; 0: none */

    /* Lent. */
    struct tranche_reader *reader;
    void *held; /* a handler's thing that outlives a step */
    void (*release)(struct request *request);
    struct arena memory;
};

/* The request that a command is part of. */
static inline struct request *request_of(struct command *command)
{
    return (struct request *)((char *)command - offsetof(struct request, command));
}

/* NULL: no such header. Names are compared without case; the first of several counts. */
const char *request_header(const struct request *request, const char *name);
unsigned request_header_count(const struct request *request, const char *name);

/* Sets *value to NULL when the parameter is absent. Given several times it must have one value:
 * TRANCHE_BADREQUEST. */
enum tranche_code request_query(const struct request *request, const char *name, const char **value,
                                struct tranche_err *err);
/* "true" or "false"; absent is false. */
enum tranche_code request_query_flag(const struct request *request, const char *name, bool *value,
                                     struct tranche_err *err);

/* A reader for this step; NULL after having refused the request. Given back by itself when the step ends. */
struct tranche_reader *request_reader(struct request *request);

/* Whether an object of this organization (NULL or "": of none) exists for the caller. */
static inline bool request_sees(const struct request *request, const char *organization)
{
    return scope_holds(&request->scope, organization);
}

/* Begins the answer and returns its body to be filled with JSON. */
struct text *request_answer(struct request *request, int status);
void request_answer_empty(struct request *request); /* 204 */
/* Answers with what request->answer and request->etag hold already. */
void request_answer_printed(struct request *request, int status);
/* Answers with the error, and is the one place that words it. What went wrong inside is logged and not shown. */
void request_refuse(struct request *request, const struct tranche_err *err);
/* The same with members to add behind the error's own, such as "\"details\":[...]"; NULL: none. */
void request_refuse_with(struct request *request, const struct tranche_err *err, const char *members);

void request_defer(struct request *request, void (*step)(struct request *request));
/* `step` finds command.code and command.err. When the post itself is refused, so is the request, and `step`
 * never runs. */
void request_post(struct request *request, enum command_kind kind, void (*step)(struct request *request));

/* Takes the next bytes of the body of a request that has no answer yet. */
void request_body(struct request *request, const char *bytes, size_t count);

/* Runs a step, or what the route wants when there is none, and gives the reader back. */
void request_run(struct request *request);

void request_free(struct request *request); /* what it owns, not itself */

#endif
