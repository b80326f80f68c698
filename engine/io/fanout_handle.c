/* A handle is one of libcurl's easy handles, kept with its settings from call to call: making one costs more than using
 * it. A call only sets its URL, its words, and what differs from the call before.
 *
 * libcurl asks back while it works. What is answered here keeps three promises: a request goes out at most once, nothing
 * goes out behind a closed gate, and no answer takes more memory than was allowed. */
#include "fanout_internal.h"

#include "fail.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BYTES      1024L  /* answers are small, and each call in flight has such a buffer */
#define UPLOAD_BYTES       16384L /* libcurl's least; newer versions would take 64 KiB a handle */
#define HEAD_BYTES_MAX     65536  /* all header lines of an answer, those of 1xx included */
#define RESTING_BYTES_MAX  4096   /* a longer body or text is not kept for the next call */
#define RETRY_AFTER_S_MAX  86400  /* who says later than a day is not believed */

static enum tranche_code settings_apply(struct fanout_handle *handle, struct tranche_err *err);
static bool method_apply(struct fanout_handle *handle, const struct tranche_request *request);
static void times_apply(struct fanout_handle *handle, const struct fanout_call *call);
static void idle_tell(CURL *easy, uint32_t idle_seconds);
static bool words_copy(struct fanout_handle *handle, const struct tranche_request *request);

enum tranche_code handle_open(struct fanout_handle **opened, struct fanout *fanout, struct tranche_err *err)
{
    struct fanout_handle *handle = calloc(1, sizeof *handle);
    if (handle == NULL)
        return fail(err, TRANCHE_NOMEM, "no memory for a call");
    handle->fanout = fanout;
    handle->easy = curl_easy_init();
    enum tranche_code code = handle->easy == NULL ? fail(err, TRANCHE_NOMEM, "no memory for a call")
                                                  : settings_apply(handle, err);
    if (code != TRANCHE_OK) {
        handle_close(handle);
        return code;
    }
    *opened = handle;
    return TRANCHE_OK;
}

void handle_close(struct fanout_handle *handle)
{
    curl_easy_cleanup(handle->easy);
    text_free(&handle->words);
    text_free(&handle->body);
    free(handle);
}

enum tranche_code handle_word(struct fanout_handle *handle, const struct fanout_call *call, void *tag,
                              struct tranche_err *err)
{
    const struct tranche_request *request = call->request;
    handle->tag = tag;
    handle->gate = call->gate;
    handle->epoch = call->epoch;
    handle->sent = handle->resend_prevented = false;
    handle->error = 0;
    handle->head_bytes = 0;
    handle->refusal = NULL;
    handle->error_words[0] = '\0';
    text_clear(&handle->body);

    times_apply(handle, call);
    if (words_copy(handle, request) && method_apply(handle, request) &&
        curl_easy_setopt(handle->easy, CURLOPT_URL, request->url) == CURLE_OK)
        return TRANCHE_OK;
    return fail(err, TRANCHE_NOMEM, "no memory for the words of a call");
}

bool handle_halted(const struct fanout_handle *handle)
{
    return handle->gate != NULL && __atomic_load_n(&handle->gate->epoch, __ATOMIC_ACQUIRE) != handle->epoch;
}

/* There is no call for it in libcurl, but it looks at a transfer that was paused and goes on. */
void handle_nudge(struct fanout_handle *handle)
{
    curl_easy_pause(handle->easy, CURLPAUSE_ALL);
    curl_easy_pause(handle->easy, CURLPAUSE_CONT);
}

void handle_rest(struct fanout_handle *handle)
{
    if (handle->words.capacity > RESTING_BYTES_MAX || handle->words.failed)
        text_free(&handle->words);
    if (handle->body.capacity > RESTING_BYTES_MAX || handle->body.failed)
        text_free(&handle->body);
}

/* The words of a call. */

static bool is_content_type(const char *line)
{
    return strncasecmp(line, "Content-Type:", strlen("Content-Type:")) == 0;
}

/* The list that libcurl reads: the caller's lines, then ours. It was told once where the list begins. */
static void headers_link(struct fanout_handle *handle, const struct tranche_request *request)
{
    static char no_expect[] = "Expect:"; /* else libcurl waits a second before it sends a long body */
    static char no_type[] = "Content-Type:"; /* else libcurl calls every body a form */
    struct curl_slist *headers = handle->headers;
    char *line = handle->words.bytes + request->body_bytes;
    bool typed = false;
    size_t count = 0;
    for (; count < request->header_count; count++, line += strlen(line) + 1) {
        typed = typed || is_content_type(line);
        headers[count].data = line;
    }
    if (!typed)
        headers[count++].data = no_type;
    headers[count++].data = no_expect;
    for (size_t i = 0; i < count; i++)
        headers[i].next = i + 1 < count ? &headers[i + 1] : NULL;
}

static bool words_copy(struct fanout_handle *handle, const struct tranche_request *request)
{
    assert(request->header_count <= TRANCHE_HEADERS_MAX);
    struct text *words = &handle->words;
    text_clear(words);
    text_add(words, request->body, request->body_bytes);
    for (size_t i = 0; i < request->header_count; i++)
        text_add(words, request->headers[i], strlen(request->headers[i]) + 1);
    if (words->failed)
        return false;
    headers_link(handle, request);
    return true;
}

/* What has a body by HTTP's own definition says so even when it is empty. */
static bool method_has_body(const struct tranche_request *request)
{
    return request->body != NULL || strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0 ||
           strcmp(request->method, "PATCH") == 0;
}

/* libcurl has three ways to send and a name to put over them. */
static bool method_tell(CURL *easy, const char *method, bool with_body)
{
    bool head = !with_body && strcmp(method, "HEAD") == 0;
    const char *plain = with_body ? "POST" : head ? "HEAD" : "GET";
    CURLoption way = with_body ? CURLOPT_POST : head ? CURLOPT_NOBODY : CURLOPT_HTTPGET;
    return curl_easy_setopt(easy, CURLOPT_NOBODY, 0L) == CURLE_OK && curl_easy_setopt(easy, way, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, strcmp(method, plain) == 0 ? NULL : method) == CURLE_OK;
}

static bool method_apply(struct fanout_handle *handle, const struct tranche_request *request)
{
    bool with_body = method_has_body(request);
    if (strcmp(handle->method, request->method) != 0 || handle->with_body != with_body) {
        handle->method[0] = '\0'; /* what libcurl was told is not known if this fails half way */
        if (!method_tell(handle->easy, request->method, with_body))
            return false;
        assert(strlen(request->method) < sizeof handle->method);
        strcpy(handle->method, request->method);
        handle->with_body = with_body;
    }
    if (with_body) {
        curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDS, handle->words.bytes);
        curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
    }
    return true;
}

/* libcurl compares an idle time cut to whole seconds and keeps a connection that idled exactly as long: so one less. */
static void idle_tell(CURL *easy, uint32_t idle_seconds)
{
    long never = idle_seconds == 0;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, never);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, never);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, never ? 0L : (long)idle_seconds - 1);
}

static void times_apply(struct fanout_handle *handle, const struct fanout_call *call)
{
    assert(call->timeout_ms > 0);
    if (handle->timeout_ms != call->timeout_ms)
        curl_easy_setopt(handle->easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    handle->timeout_ms = call->timeout_ms;
    uint32_t idle_seconds = call->idle_max_ms / 1000;
    if (handle->idle_seconds != idle_seconds)
        idle_tell(handle->easy, idle_seconds);
    handle->idle_seconds = idle_seconds;
}

/* libcurl's questions. */

/* Right before the first byte. Asked a second time within a call, libcurl is about to send the request again: the kept
 * connection it had used was closed without an answer. Whether the device acted on it is not known, so it must not. */
static int send_permit(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    struct fanout_handle *handle = context;
#ifndef NO_GUARD /* only for the test that must fail without it */
    if (handle->sent) {
        handle->resend_prevented = true;
        return CURL_PREREQFUNC_ABORT;
    }
#endif
    if (handle_halted(handle))
        return CURL_PREREQFUNC_ABORT;
    handle->sent = true;
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t socket_make(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct fanout_handle *handle = context;
#ifndef NO_GUARD
    /* The same, noticed earlier: who has sent and wants to connect wants to send again. */
    if (handle->sent) {
        handle->resend_prevented = true;
        return CURL_SOCKET_BAD;
    }
#endif
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        /* A missing protocol is no trouble: libcurl goes on to the next address. */
        if (end_error_is_local(errno))
            handle->error = errno;
        return CURL_SOCKET_BAD;
    }
    if (!sockets_made(&handle->fanout->sockets, fd)) {
        handle->error = ENOMEM;
        close(fd);
        return CURL_SOCKET_BAD;
    }
    fanout_count(&handle->fanout->counters.connections);
    return fd;
}

static size_t head_take(char *line, size_t size, size_t count, void *context)
{
    (void)line;
    struct fanout_handle *handle = context;
    handle->head_bytes += size * count;
    if (handle->head_bytes <= HEAD_BYTES_MAX)
        return size * count;
    handle->refusal = "the answer's header is too long";
    return 0;
}

static size_t body_take(char *bytes, size_t size, size_t count, void *context)
{
    struct fanout_handle *handle = context;
    struct text *body = &handle->body;
    size_t room = handle->fanout->options.answer_bytes_max - body->length;
    size_t taken = size * count < room ? size * count : room;
    text_add(body, bytes, taken);
    if (body->failed)
        handle->error = ENOMEM;
    else if (taken < size * count)
        handle->refusal = "the answer's body is too long";
    else
        return taken;
    return CURL_WRITEFUNC_ERROR;
}

static enum tranche_code settings_apply(struct fanout_handle *handle, struct tranche_err *err)
{
    const struct fanout *fanout = handle->fanout;
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_FOLLOWLOCATION, 0 }, /* a 307 would be a second call */
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
        { CURLOPT_TCP_NODELAY, 1 },
        { CURLOPT_BUFFERSIZE, RECEIVE_BYTES },
        { CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES },
        { CURLOPT_SSL_VERIFYPEER, 1 },
        { CURLOPT_SSL_VERIFYHOST, 2 },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 }, /* or newer */
        { CURLOPT_PATH_AS_IS, 1 }, /* the connector has encoded it: send it as it is */
        { CURLOPT_QUICK_EXIT, 1 }, /* else a call that ends during a slow look-up of its name stops the whole thread */
        { CURLOPT_CONNECTTIMEOUT_MS, (long)fanout->options.connect_timeout_ms },
    };
    const struct {
        CURLoption option;
        const void *value;
    } pointers[] = {
        { CURLOPT_PRIVATE, handle },
        { CURLOPT_PROTOCOLS_STR, "http,https" },
        { CURLOPT_PROXY, "" }, /* not the environment's either */
        { CURLOPT_ACCEPT_ENCODING, NULL }, /* nothing that swells when unpacked */
        { CURLOPT_HTTPHEADER, handle->headers },
        { CURLOPT_SHARE, fanout->share },
        { CURLOPT_ERRORBUFFER, handle->error_words },
        { CURLOPT_PREREQDATA, handle },
        { CURLOPT_OPENSOCKETDATA, handle },
        { CURLOPT_CLOSESOCKETDATA, &fanout->sockets }, /* connections outlive their handles */
        { CURLOPT_HEADERDATA, handle },
        { CURLOPT_WRITEDATA, handle },
    };
    CURL *easy = handle->easy;
    CURLcode result = CURLE_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && result == CURLE_OK; i++)
        result = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0] && result == CURLE_OK; i++)
        result = curl_easy_setopt(easy, pointers[i].option, pointers[i].value);
    if (result == CURLE_OK && fanout->options.ca_file != NULL)
        result = curl_easy_setopt(easy, CURLOPT_CAINFO, fanout->options.ca_file);
    if (result != CURLE_OK)
        return fail(err, result == CURLE_OUT_OF_MEMORY ? TRANCHE_NOMEM : TRANCHE_INTERNAL, "set up libcurl: %s",
                    curl_easy_strerror(result));
    idle_tell(easy, handle->idle_seconds);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, send_permit);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_make);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, sockets_end);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, head_take);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
    return TRANCHE_OK;
}

/* The answer. */

/* A look-up that fails for want of descriptors is reported as a name that does not exist: ask the kernel ourselves. */
static int descriptors_spent(const struct fanout *fanout)
{
    int fd = fcntl(fanout->sockets.loop->epoll_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int trouble(const struct fanout_handle *handle, CURLcode result)
{
    if (handle->error != 0 || handle->sent)
        return handle->error;
    if (result == CURLE_COULDNT_RESOLVE_HOST)
        return descriptors_spent(handle->fanout);
    /* libcurl keeps the last errno of a handle for ever; it belongs to this call only if connecting failed. */
    long error = 0;
    if (result == CURLE_COULDNT_CONNECT)
        curl_easy_getinfo(handle->easy, CURLINFO_OS_ERRNO, &error);
    return (int)error;
}

static uint32_t retry_after_ms(CURL *easy)
{
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds <= 0)
        return 0;
    return (uint32_t)(seconds < RETRY_AFTER_S_MAX ? seconds : RETRY_AFTER_S_MAX) * 1000;
}

void handle_answer(struct fanout_handle *handle, CURLcode result, struct tranche_answer *answer)
{
    struct fanout_end end = {
        .result = result,
        .sent = handle->sent,
        .halted = handle_halted(handle),
        .resend_prevented = handle->resend_prevented,
        .refusal = handle->refusal,
        .error = result == CURLE_OK ? 0 : trouble(handle, result),
        .words = handle->error_words,
    };
    long status = 0;
    curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
    *answer = (struct tranche_answer){
        .transport = end_class(&end),
        .status = (int)status,
        .body = handle->body.length > 0 ? handle->body.bytes : "",
        .body_bytes = handle->body.length,
        .retry_after_ms = retry_after_ms(handle->easy),
        .error = end.error,
        .detail = end_detail(&end),
    };
}
