/* What the fan-out's files know of each other. Everything here belongs to the fan-out's one thread.
 *
 *     fanout.c          calls and the pool of handles: what the header promises
 *     fanout_handle.c   a handle: libcurl's settings, the words of a call, libcurl's questions about it
 *     fanout_multi.c    a multi: some handles, their timer, and what has ended in it
 *     fanout_socket.c   libcurl's sockets on the caller's epoll
 *     fanout_end.c      how a call ended
 */
#ifndef FANOUT_INTERNAL_H
#define FANOUT_INTERNAL_H

#include "fanout.h"

#include "mem.h"

#include <curl/curl.h>

/* How a call ended, as far as it decides its class. */
struct fanout_end {
    CURLcode result;
    bool sent;             /* libcurl was allowed to send; only without it is "nothing was sent" certain */
    bool halted;           /* its gate is closed */
    bool resend_prevented; /* libcurl set out to send it once more */
    const char *refusal;   /* why we did not take the answer; NULL: we did */
    int error;             /* errno of local or connect trouble, else 0 */
    const char *words;     /* libcurl's; "": none */
};

enum tranche_transport end_class(const struct fanout_end *end);
bool end_error_is_local(int error);
const char *end_detail(const struct fanout_end *end); /* lives as long as end->words */

/* The two headers that are ours: no Expect, no Content-Type but the caller's. */
#define HANDLE_HEADERS_MAX (TRANCHE_HEADERS_MAX + 2)

/* An easy handle with its present call. Pooled: settings and memory outlive the call. */
struct fanout_handle {
    CURL *easy;
    struct fanout *fanout;
    struct fanout_handle *next; /* in the list of idle or of halted handles */

    /* the call */
    void *tag;
    struct fanout_multi *multi; /* NULL: libcurl does not have it */
    const struct fanout_gate *gate;
    uint32_t epoch;
    bool sent, resend_prevented;
    bool stalled; /* lost a socket while connecting, and must be nudged if it goes on */
    int error; /* errno of local trouble on its way; 0: none */

    /* its words, for libcurl to read while it lasts */
    struct text words; /* body, then the header lines */
    struct curl_slist headers[HANDLE_HEADERS_MAX];

    /* its answer */
    struct text body;
    size_t head_bytes;
    const char *refusal;

    /* what libcurl was last told, so that it is told again only what changes */
    char method[16];
    bool with_body;
    uint32_t timeout_ms;
    uint32_t idle_seconds;

    char error_words[CURL_ERROR_SIZE];
};

enum tranche_code handle_open(struct fanout_handle **handle, struct fanout *fanout, struct tranche_err *err);
void handle_close(struct fanout_handle *handle);
enum tranche_code handle_word(struct fanout_handle *handle, const struct fanout_call *call, void *tag,
                              struct tranche_err *err);
void handle_answer(struct fanout_handle *handle, CURLcode result, struct tranche_answer *answer);
void handle_rest(struct fanout_handle *handle); /* its answer has been read: give back what was more than usual */
bool handle_halted(const struct fanout_handle *handle);
void handle_nudge(struct fanout_handle *handle); /* lets libcurl look at it once more, now */

/* Some handles that share libcurl's connections. Opened when first needed. */
struct fanout_multi {
    CURLM *curl; /* NULL: not open */
    struct fanout *fanout;
    uint32_t handles; /* in it now */
    int64_t due_us;   /* when libcurl wants to be called; FANOUT_NEVER_US: it does not */
};

#define FANOUT_NEVER_US INT64_MAX

enum tranche_code multi_add(struct fanout_multi *multi, struct fanout_handle *handle, struct tranche_err *err);
void multi_remove(struct fanout_handle *handle);
void multi_act(struct fanout_multi *multi, curl_socket_t fd, int events); /* and ends what has ended */
void multi_close(struct fanout_multi *multi);

/* What libcurl does with a descriptor number. */
enum fanout_socket_state {
    SOCKET_FOREIGN,    /* nothing, or it is one that libcurl made by itself, such as its resolver's */
    SOCKET_CONNECTING, /* we made it; if connecting fails, libcurl closes it without telling us */
    SOCKET_KEPT        /* it was read from: it stays registered until libcurl asks us to close it */
};

struct fanout_socket {
    struct loop_source source;
    struct fanout_sockets *sockets;
    struct fanout_socket *next;  /* in the list of ready ones */
    struct fanout_multi *multi;  /* whose it is while wanted */
    enum fanout_socket_state state;
    uint32_t wanted;  /* EPOLL bits libcurl waits for now; 0: none, the connection is idle or gone */
    uint32_t watched; /* EPOLL bits it is registered with; 0: not registered */
    uint32_t ready;   /* EPOLL bits seen since the last tick */
    bool listed;
};

struct fanout_sockets {
    struct loop *loop;
    struct fanout_socket **table; /* by descriptor */
    int table_count;
    struct fanout_socket *ready_first, **ready_end;
};

void sockets_open(struct fanout_sockets *sockets, struct loop *loop);
void sockets_close(struct fanout_sockets *sockets);
bool sockets_made(struct fanout_sockets *sockets, int fd); /* false: no memory, and fd is still the caller's */
int sockets_watch(CURL *easy, curl_socket_t fd, int what, void *multi, void *unused); /* CURLMOPT_SOCKETFUNCTION */
int sockets_end(void *sockets, curl_socket_t fd);                                     /* CURLOPT_CLOSESOCKETFUNCTION */
void sockets_act(struct fanout_sockets *sockets); /* lets libcurl handle what is ready */

struct fanout {
    struct fanout_options options;
    fanout_done *done;
    void *context;
    int64_t now_us; /* of the last tick */

    CURLSH *share; /* names and TLS sessions, over all multis */
    struct fanout_sockets sockets;

    struct fanout_multi *multis;
    uint32_t multi_count;
    uint32_t multi_opened;     /* multis from here on were never needed */
    uint32_t multi_free_first; /* all multis below are full */

    struct fanout_handle **handles;
    uint32_t handle_count;
    struct fanout_handle *idle; /* the last one used comes first: it is still in the caches */
    struct fanout_handle *halted_first, **halted_end; /* found their gate closed before libcurl got them */

    uint32_t in_flight;
    uint32_t stalled; /* handles that are */
    struct fanout_counters counters;
};

void fanout_end_call(struct fanout_handle *handle, CURLcode result);

/* A plain addition, as only one thread counts; stored in one piece, as others may look. */
static inline void fanout_count(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

#endif
