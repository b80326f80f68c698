/* The only file that sees libmicrohttpd: the daemon, what a request is between its first byte and its last,
 * and the suspending of connections.
 *
 * libmicrohttpd calls us several times for a request: once for its head, once for each piece of its body,
 * once for its end, and after a suspended connection was resumed once more. A `visit` holds what must live
 * from call to call.
 *
 *     head ─► door_enter ─► body ... ─► end ─► request_run ─► answer
 *                                                 │    ▲
 *                            suspend, hand over   ▼    │ resume
 *                                        back room, engine thread
 *
 * Suspending. The connection is suspended first and the visit handed over second, so that a `done` that comes
 * at once finds a suspended connection to resume; libmicrohttpd allows a resume while our handler is still
 * running. From the moment of handing over until it is called again, the HTTP thread touches the visit no
 * more: whoever has it (the back room, or the engine thread in `done`) may already have resumed it, and
 * another call may have freed it. The resuming thread in turn touches only the server after the resume. A
 * client that goes away meanwhile is noticed when the answer is written.
 *
 * Closing. libmicrohttpd cannot be stopped while connections are suspended, so server_close waits for those:
 * the back room finishes, and the runner calls `done` for all it has accepted, whether it is stopped before
 * the server is closed or after. Who would be handed over after that is refused.
 *
 * Early refusals. A request may be refused on its head while its body is still coming. Answering at once
 * would make the kernel reset the connection over the unread body, and the client might never see why. So the
 * body is read and dropped up to a limit, and only then the answer goes out. Who waits for "100 Continue" is
 * answered at once.
 */
#include "server.h"

#include "backroom.h"
#include "counter.h"
#include "door.h"
#include "fail.h"
#include "listen.h"
#include "log.h"
#include "request.h"
#include "tls.h"
#include "when.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTION_MEMORY_BYTES (64 * 1024)         /* for a connection: bounds all its headers */
#define CONNECTION_TIMEOUT_S    30                  /* silence after which a connection is closed */
#define DROPPED_BYTES_MAX       (16u * 1024 * 1024) /* of a refused body; then the connection is cut */
#define CLOSE_WAIT_S            5                   /* server_close: for open requests to end */

struct server {
    struct counter counter;
    struct backroom backroom;
    struct MHD_Daemon *daemon;
    struct tls *tls; /* NULL: plain HTTP */
    int listen_fd;
    unsigned port;
    atomic_bool is_quiet; /* accepts no more; HTTP threads read it to end their connections */

    pthread_mutex_t mutex;
    pthread_cond_t fewer; /* open_count or away_count fell */
    unsigned open_count;  /* requests between head and end */
    unsigned away_count;  /* of them handed over */
    bool is_closing;      /* nothing is handed over any more */
};

struct visit {
    struct request request; /* first, so that a request leads to its visit */
    struct errand errand;   /* of the back room */
    struct server *server;
    struct MHD_Connection *connection;
    uint64_t dropped_bytes; /* of the body, after the request was refused */
};

/* ---- visits ---- */

static void count_up(struct server *server, unsigned *count)
{
    pthread_mutex_lock(&server->mutex);
    (*count)++;
    pthread_mutex_unlock(&server->mutex);
}

static void count_down(struct server *server, unsigned *count)
{
    pthread_mutex_lock(&server->mutex);
    assert(*count > 0);
    (*count)--;
    pthread_cond_broadcast(&server->fewer);
    pthread_mutex_unlock(&server->mutex);
}

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct request *request = context;
    request->overfull |= request->header_count == REQUEST_HEADERS_MAX;
    if (!request->overfull)
        request->headers[request->header_count++] = (struct request_pair){ name, value != NULL ? value : "" };
    return MHD_YES;
}

static enum MHD_Result note_query(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct request *request = context;
    request->overfull |= request->query_count == REQUEST_QUERY_MAX;
    if (!request->overfull)
        request->query[request->query_count++] = (struct request_pair){ name, value != NULL ? value : "" };
    return MHD_YES;
}

static void note_peer(struct request *request, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    if (address != NULL && address->sa_family == AF_INET)
        memcpy(request->peer, &((const struct sockaddr_in *)address)->sin_addr, 4);
    else if (address != NULL && address->sa_family == AF_INET6)
        memcpy(request->peer, &((const struct sockaddr_in6 *)address)->sin6_addr, 8); /* a client has a /64 */
}

/* NULL: out of memory. The strings are libmicrohttpd's and live until the request ends. */
static struct visit *visit_open(struct server *server, struct MHD_Connection *connection, const char *path,
                                const char *method, const char *version)
{
    struct visit *visit = calloc(1, sizeof *visit);
    if (visit == NULL)
        return NULL;
    visit->server = server;
    visit->connection = connection;
    struct request *request = &visit->request;
    request->counter = &server->counter;
    request->method = method;
    request->path = path;
    request->http_1_0 = strcmp(version, MHD_HTTP_VERSION_1_1) != 0;
    request->now_us = when_now_us();
    note_peer(request, connection);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, request);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, note_query, request);
    count_up(server, &server->open_count);
    return visit;
}

static void visit_close(struct visit *visit)
{
    struct server *server = visit->server;
    request_free(&visit->request);
    free(visit);
    count_down(server, &server->open_count);
}

/* ---- answers ---- */

#define CLIENT_ID_LENGTH_MAX 128 /* clients send a UUID */

/* Whether a client's request id is fit to be sent back in a header. */
static bool is_echoed(const char *id)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = id != NULL ? strspn(id, good) : 0;
    return length > 0 && length <= CLIENT_ID_LENGTH_MAX && id[length] == '\0';
}

/* Whether the connection ends with this answer. */
static bool is_last(const struct visit *visit)
{
    return visit->request.poisoned || atomic_load(&visit->server->is_quiet);
}

static bool add_headers(const struct visit *visit, struct MHD_Response *response)
{
    const struct request *request = &visit->request;
    char retry_after[16];
    snprintf(retry_after, sizeof retry_after, "%u", request->retry_after_s);
    const char *client_id = request_header(request, "x-ms-client-request-id");
    bool is_error = request->code != TRANCHE_OK;
    const struct {
        bool given;
        const char *name, *value;
    } headers[] = {
        { request->answer.length > 0, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json; charset=utf-8" },
        { is_error, "x-ms-error-code", tranche_code_word(request->code) },
        { is_echoed(client_id), "x-ms-client-request-id", client_id },
        { request->etag[0] != '\0', MHD_HTTP_HEADER_ETAG, request->etag },
        { is_error && request->allow != NULL, MHD_HTTP_HEADER_ALLOW, request->allow },
        { request->retry_after_s > 0, MHD_HTTP_HEADER_RETRY_AFTER, retry_after },
        { request->code == TRANCHE_UNAUTHORIZED, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
          "SharedAccessSignature, Bearer" },
        { is_last(visit), MHD_HTTP_HEADER_CONNECTION, "close" },
    };
    bool all = true;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (headers[i].given)
            all = MHD_add_response_header(response, headers[i].name, headers[i].value) == MHD_YES && all;
    return all;
}

static void visit_log(const struct visit *visit)
{
    const struct request *request = &visit->request;
    bool is_read = strcmp(request->method, "GET") == 0;
    char method[LOG_QUOTED_BYTES], path[LOG_QUOTED_BYTES], client_id[LOG_QUOTED_BYTES],
        agent[LOG_QUOTED_BYTES];
    const char *sent_id = request_header(request, "x-ms-client-request-id");
    const char *sent_agent = request_header(request, "User-Agent");
    log_event(is_read || request->status == 401 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "api", "request",
              "status=%d method=%s path=%s request=%s token=%s client_request=%s agent=%s", request->status,
              log_quote(request->method, method), log_quote(request->path, path), request->id,
              request->caller.name, log_quote(sent_id != NULL ? sent_id : "", client_id),
              log_quote(sent_agent != NULL ? sent_agent : "", agent));
}

/* MHD_NO, which cuts the connection, only when there is no memory for an answer. */
static enum MHD_Result visit_answer(struct visit *visit)
{
    struct request *request = &visit->request;
    assert(request->next == REQUEST_ANSWERS);
    visit_log(visit);
    size_t length = request->answer.length;
    char *body = text_take(&request->answer);
    if (body == NULL)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(body);
        return MHD_NO;
    }
    request->answer.length = length; /* for add_headers */
    enum MHD_Result result = MHD_NO;
    if (add_headers(visit, response))
        result = MHD_queue_response(visit->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- handing over, and back ---- */

/* Gives the connection back to libmicrohttpd; the visit is gone for the caller. */
static void visit_resume(struct visit *visit)
{
    struct server *server = visit->server;
    MHD_resume_connection(visit->connection);
    count_down(server, &server->away_count);
}

/* On the engine thread. */
static void post_done(struct command *command)
{
    visit_resume((struct visit *)request_of(command));
}

static void visit_post(struct visit *visit)
{
    struct tranche_err err;
    struct request *request = &visit->request;
    request->command.done = post_done;
    if (runner_post(visit->server->counter.runner, &request->command, &err) == TRANCHE_OK)
        return;
    request_refuse(request, &err);
    visit_resume(visit);
}

/* On a thread of the back room. */
static void run_errand(struct errand *errand)
{
    struct visit *visit = (struct visit *)((char *)errand - offsetof(struct visit, errand));
    request_run(&visit->request);
    assert(visit->request.next != REQUEST_DEFERS);
    if (visit->request.next == REQUEST_POSTS)
        visit_post(visit);
    else
        visit_resume(visit);
}

static void visit_defer(struct visit *visit)
{
    visit->errand.run = run_errand;
    if (backroom_give(&visit->server->backroom, &visit->errand))
        return;
    struct tranche_err err;
    fail(&err, TRANCHE_FULL, "%u requests are waiting already; try again", BACKROOM_QUEUE_MAX);
    request_refuse(&visit->request, &err);
    visit_resume(visit);
}

/* Whether a visit may be handed over; counts it. */
static bool may_go(struct server *server)
{
    pthread_mutex_lock(&server->mutex);
    bool may = !server->is_closing;
    server->away_count += may;
    pthread_mutex_unlock(&server->mutex);
    return may;
}

/* One step on this HTTP thread, and what follows from it. */
static enum MHD_Result visit_step(struct visit *visit)
{
    struct request *request = &visit->request;
    if (request->next != REQUEST_ANSWERS)
        request_run(request);
    if (request->next != REQUEST_ANSWERS && !may_go(visit->server)) {
        struct tranche_err err;
        fail(&err, TRANCHE_UNAVAILABLE, "the server is shutting down");
        request_refuse(request, &err);
    }
    if (request->next == REQUEST_ANSWERS)
        return visit_answer(visit);

    MHD_suspend_connection(visit->connection);
    if (request->next == REQUEST_POSTS)
        visit_post(visit);
    else
        visit_defer(visit);
    return MHD_YES;
}

/* ---- what libmicrohttpd calls ---- */

/* Whether there is no point in reading the body of a refused request. */
static bool is_answered_at_once(const struct request *request)
{
    const char *expect = request_header(request, "Expect");
    return request->poisoned || request->length > DROPPED_BYTES_MAX ||
           (expect != NULL && strcasecmp(expect, "100-continue") == 0);
}

static enum MHD_Result visit_head(struct visit *visit)
{
    struct request *request = &visit->request;
    door_enter(request);
    if (request->next != REQUEST_ANSWERS || !is_answered_at_once(request))
        return MHD_YES;
    request->poisoned = true; /* the body will not be read */
    return visit_answer(visit);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *bytes, size_t *bytes_count,
                              void **request_context)
{
    struct visit *visit = *request_context;
    if (visit == NULL) {
        visit = visit_open(context, connection, path, method, version);
        *request_context = visit;
        return visit != NULL ? visit_head(visit) : MHD_NO;
    }
    if (*bytes_count == 0)
        return visit_step(visit);

    if (visit->request.next == REQUEST_ANSWERS)
        visit->dropped_bytes += *bytes_count;
    else
        request_body(&visit->request, bytes, *bytes_count);
    *bytes_count = 0;
    return visit->dropped_bytes > DROPPED_BYTES_MAX ? MHD_NO : MHD_YES;
}

static void completed(void *context, struct MHD_Connection *connection, void **request_context,
                      enum MHD_RequestTerminationCode end)
{
    (void)context;
    (void)connection;
    (void)end;
    if (*request_context != NULL)
        visit_close(*request_context);
    *request_context = NULL;
}

/* A quiet server takes nobody new. (MHD_quiesce_daemon would say so too, but it and the daemon's threads may both take the
 * listener out of an epoll set, and the second to try ends the process.) */
static enum MHD_Result admit(void *context, const struct sockaddr *address, socklen_t address_bytes)
{
    (void)address;
    (void)address_bytes;
    struct server *server = context;
    return atomic_load(&server->is_quiet) ? MHD_NO : MHD_YES;
}

/* Paths are cut before they are decoded, and that is the door's work. */
static size_t leave_encoded(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

/* Of TLS: gives each connection its certificate. The session is made before the first of these two calls and is no more,
 * or never began, at the second. (MHD_OPTION_HTTPS_CERT_CALLBACK is there for this too, but its function is not told whose
 * server it is, nor when a certificate is no longer used.) */
static void note_connection(void *context, struct MHD_Connection *connection, void **identity,
                            enum MHD_ConnectionNotificationCode what)
{
    struct server *server = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        tls_release(server->tls, *identity);
        return;
    }
    gnutls_session_t session =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
    *identity = tls_identify(server->tls, session);
}

static void log_message(void *context, const char *format, va_list arguments)
{
    (void)context;
    char message[256], quoted[LOG_QUOTED_BYTES];
    vsnprintf(message, sizeof message, format, arguments);
    message[strcspn(message, "\r\n")] = '\0';
    log_debug("http", "library", "text=%s", log_quote(message, quoted));
}

/* ---- open and close ---- */

/* Without MHD_OPTION_STRICT_FOR_CLIENT: what that refuses it refuses in HTML or in silence, the door does it
 * in JSON. */
static enum tranche_code daemon_start(struct server *server, const struct config *config,
                                      struct tranche_err *err)
{
    uint64_t pool = config->http_threads > 1 ? config->http_threads : 0; /* no pool is one thread */
    const struct MHD_OptionItem options[] = {
        { MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_message, NULL },
        { MHD_OPTION_LISTEN_SOCKET, server->listen_fd, NULL },
        { MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)pool, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)config->http_connections, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S, NULL },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_encoded, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    const struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };
    const struct MHD_OptionItem secure[] = {
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)note_connection, server },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_PRIORITIES },
        { MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(intptr_t)tls_no_identity },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (server->tls != NULL)
        flags |= MHD_USE_TLS;
    server->daemon = MHD_start_daemon(flags, 0, admit, server, handle, server, MHD_OPTION_ARRAY, options,
                                      MHD_OPTION_ARRAY, server->tls != NULL ? secure : plain, MHD_OPTION_END);
    if (server->daemon == NULL)
        return fail(err, TRANCHE_INTERNAL, "the HTTP server does not start");
    return TRANCHE_OK;
}

static enum tranche_code open_tls(struct server *server, const struct config *config, struct tranche_err *err)
{
    bool has_cert = config->tls_cert[0] != '\0', has_key = config->tls_key[0] != '\0';
    if (has_cert != has_key)
        return fail(err, TRANCHE_INVALID, "tls_cert and tls_key go together: %s is missing",
                    has_cert ? "tls_key" : "tls_cert");
    return has_cert ? tls_open(&server->tls, config->tls_cert, config->tls_key, err) : TRANCHE_OK;
}

enum tranche_code server_open(struct server **out, const struct config *config, struct runner *runner,
                              struct tranche_store *store, struct tranche_err *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    server->listen_fd = -1;
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->fewer, NULL);
    imports_open(&server->counter.imports);
    limiter_open(&server->counter.failures);
    limiter_open(&server->counter.requests);
    server->counter.config = config;
    server->counter.runner = runner;

    enum tranche_code code = open_tls(server, config, err);
    unsigned readers = (unsigned)config->http_threads + BACKROOM_THREADS; /* one for each thread that ever wants one */
    if (code == TRANCHE_OK)
        code = readers_open(&server->counter.readers, store, readers, err);
    if (code == TRANCHE_OK)
        code = backroom_open(&server->backroom, err);
    if (code == TRANCHE_OK)
        code = listen_open(config->listen, &server->listen_fd, &server->port, err);
    if (code == TRANCHE_OK)
        code = daemon_start(server, config, err);
    if (code != TRANCHE_OK) {
        server_close(server);
        return code;
    }
    *out = server;
    return TRANCHE_OK;
}

unsigned server_port(const struct server *server)
{
    return server->port;
}

void server_reload(struct server *server)
{
    struct tranche_err err;
    char quoted[LOG_QUOTED_BYTES];
    if (server->tls == NULL)
        log_info("tls", "nothing to reload: TLS is off", NULL);
    else if (tls_reload(server->tls, &err) != TRANCHE_OK)
        log_error("tls", "reload failed, the old certificate stays", "error=%s", log_quote(err.text, quoted));
}

void server_quiesce(struct server *server)
{
    atomic_store(&server->is_quiet, true);
}

/* Waits for the answers that are due: without limit for requests that were handed over, since they come back
 * for sure and their connections cannot be closed before; for a while for the others. */
static void wait_for_answers(struct server *server)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_WAIT_S;
    pthread_mutex_lock(&server->mutex);
    while (server->away_count > 0)
        pthread_cond_wait(&server->fewer, &server->mutex);
    server->is_closing = true;
    while (server->open_count > 0)
        if (pthread_cond_timedwait(&server->fewer, &server->mutex, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&server->mutex);
}

void server_close(struct server *server)
{
    server_quiesce(server);
    if (server->daemon != NULL) {
        wait_for_answers(server);
        MHD_stop_daemon(server->daemon);
        server->listen_fd = -1; /* closed with it */
    }
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    tls_close(server->tls);
    backroom_close(&server->backroom);
    readers_close(&server->counter.readers);
    imports_close(&server->counter.imports);
    limiter_close(&server->counter.failures);
    limiter_close(&server->counter.requests);
    pthread_cond_destroy(&server->fewer);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}
