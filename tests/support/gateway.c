#include "gateway.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define PATHS_MAX       4096
#define PATH_BYTES      64
#define REQUEST_BYTES   (256 * 1024)

struct gateway {
    pthread_t thread; /* accepts */
    bool joined;
    uint16_t port;

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t left;   /* a connection's thread has ended */
    int listener;          /* -1: closed */
    bool slam, closing;
    int open_fds[CONNECTIONS_MAX];
    unsigned open_count, connections;
    struct {
        char path[PATH_BYTES];
        unsigned requests;
    } paths[PATHS_MAX];
    unsigned path_count;
};

/* One request on one connection. */
struct exchange {
    struct gateway *gateway;
    int fd;
    char path[PATH_BYTES];
    const char *request;
    size_t request_bytes;
};

/* How a request is treated; false: the connection is to be closed. */
typedef bool manner(struct exchange *exchange);

static bool say(const struct exchange *exchange, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(exchange->fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

static bool says(const struct exchange *exchange, const char *text)
{
    return say(exchange, text, strlen(text));
}

/* Until the other side has had enough. The bound is for a client that never has. */
static bool says_on(const struct exchange *exchange, const char *text)
{
    char block[4096] = { 0 };
    size_t length = strlen(text), used = 0;
    for (; used + length <= sizeof block; used += length)
        memcpy(block + used, text, length);
    for (int i = 0; i < 16384; i++)
        if (!say(exchange, block, used))
            return false;
    return false;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void listener_close(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->mutex);
    if (gateway->listener >= 0) {
        shutdown(gateway->listener, SHUT_RDWR); /* wakes the thread in accept */
        close(gateway->listener);
    }
    gateway->listener = -1;
    pthread_mutex_unlock(&gateway->mutex);
}

static bool manner_ok(struct exchange *exchange)
{
    return says(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static bool manner_echo(struct exchange *exchange)
{
    char head[64];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", exchange->request_bytes);
    return says(exchange, head) && say(exchange, exchange->request, exchange->request_bytes);
}

static bool manner_bye(struct exchange *exchange)
{
    manner_ok(exchange);
    return false;
}

static bool manner_slow(struct exchange *exchange)
{
    pause_ms(100);
    return manner_ok(exchange);
}

static bool manner_later(struct exchange *exchange)
{
    return says(exchange, "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
}

static bool manner_redirect(struct exchange *exchange)
{
    return says(exchange, "HTTP/1.1 307 There\r\nLocation: /ok/redirected\r\nContent-Length: 0\r\n\r\n");
}

static bool manner_mute(struct exchange *exchange)
{
    char byte;
    while (recv(exchange->fd, &byte, 1, 0) > 0)
        ;
    return false;
}

static bool manner_drop(struct exchange *exchange)
{
    (void)exchange;
    return false;
}

static bool manner_reset(struct exchange *exchange)
{
    struct linger at_once = { .l_onoff = 1 };
    setsockopt(exchange->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return false;
}

static bool manner_last(struct exchange *exchange)
{
    listener_close(exchange->gateway);
    return false;
}

static bool manner_half(struct exchange *exchange)
{
    says(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf-");
    return false;
}

static bool manner_long(struct exchange *exchange)
{
    static char body[1024 * 1024];
    return says(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n") && say(exchange, body, sizeof body);
}

static bool manner_endless(struct exchange *exchange)
{
    return says(exchange, "HTTP/1.1 200 OK\r\n\r\n") && says_on(exchange, "on and on, ");
}

static bool manner_heads(struct exchange *exchange)
{
    return says(exchange, "HTTP/1.1 200 OK\r\n") && says_on(exchange, "X-More: and more\r\n");
}

static bool manner_line(struct exchange *exchange)
{
    return says(exchange, "HTTP/1.1 200 OK\r\nX-Line: ") && says_on(exchange, "and on");
}

static bool manner_informed(struct exchange *exchange)
{
    return says_on(exchange, "HTTP/1.1 102 Processing\r\n\r\n");
}

static bool manner_garbage(struct exchange *exchange)
{
    says(exchange, "HTTP/1.1 2x0 Well\r\nno header at all\r\n\r\n");
    return false;
}

static bool manner_ancient(struct exchange *exchange)
{
    says(exchange, "<p>hello</p>\n");
    return false;
}

static bool manner_chunk(struct exchange *exchange)
{
    says(exchange, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n");
    return false;
}

static const struct {
    const char *word;
    manner *treat;
} manners[] = {
    { "ok", manner_ok },           { "echo", manner_echo },       { "bye", manner_bye },
    { "slow", manner_slow },       { "later", manner_later },     { "redirect", manner_redirect },
    { "mute", manner_mute },       { "drop", manner_drop },       { "reset", manner_reset },
    { "last", manner_last },       { "half", manner_half },       { "long", manner_long },
    { "endless", manner_endless }, { "heads", manner_heads },     { "line", manner_line },
    { "informed", manner_informed }, { "garbage", manner_garbage }, { "ancient", manner_ancient },
    { "chunk", manner_chunk },
};

static manner *manner_of(const char *path)
{
    size_t length = strcspn(path + 1, "/");
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++)
        if (strlen(manners[i].word) == length && strncmp(manners[i].word, path + 1, length) == 0)
            return manners[i].treat;
    fprintf(stderr, "gateway: no manner for %s\n", path);
    abort();
}

static void request_count(struct gateway *gateway, const char *path)
{
    pthread_mutex_lock(&gateway->mutex);
    unsigned i = 0;
    while (i < gateway->path_count && strcmp(gateway->paths[i].path, path) != 0)
        i++;
    if (i == gateway->path_count) {
        assert(i < PATHS_MAX);
        strcpy(gateway->paths[i].path, path);
        gateway->path_count++;
    }
    gateway->paths[i].requests++;
    pthread_mutex_unlock(&gateway->mutex);
}

static size_t content_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");
    return line == NULL ? 0 : strtoul(line + strlen("\r\nContent-Length:"), NULL, 10);
}

/* Reads one request whole, NUL-terminated. Returns its size; 0: the client has gone or speaks no HTTP. */
static size_t request_read(int fd, char *buffer)
{
    size_t have = 0;
    for (;;) {
        ssize_t got = recv(fd, buffer + have, REQUEST_BYTES - 1 - have, 0);
        if (got <= 0)
            return 0;
        have += (size_t)got;
        if (buffer[0] < 'A' || buffer[0] > 'Z')
            return 0; /* TLS, most likely */
        buffer[have] = '\0';
        char *end = strstr(buffer, "\r\n\r\n");
        if (end != NULL && have >= (size_t)(end - buffer) + 4 + content_length(buffer))
            return have;
        if (have == REQUEST_BYTES - 1)
            return 0;
    }
}

static void connection_serve(struct gateway *gateway, int fd)
{
    char *buffer = malloc(REQUEST_BYTES);
    assert(buffer != NULL);
    struct exchange exchange = { .gateway = gateway, .fd = fd, .request = buffer };
    do {
        exchange.request_bytes = request_read(fd, buffer);
        if (exchange.request_bytes == 0 || sscanf(buffer, "%*s %63s", exchange.path) != 1)
            break;
        request_count(gateway, exchange.path);
    } while (manner_of(exchange.path)(&exchange));
    free(buffer);
}

struct connection {
    struct gateway *gateway;
    int fd;
};

static void *connection_run(void *context)
{
    struct connection connection = *(struct connection *)context;
    free(context);
    struct gateway *gateway = connection.gateway;
    connection_serve(gateway, connection.fd);

    pthread_mutex_lock(&gateway->mutex);
    for (unsigned i = 0; i < gateway->open_count; i++)
        if (gateway->open_fds[i] == connection.fd)
            gateway->open_fds[i] = gateway->open_fds[--gateway->open_count];
    close(connection.fd);
    pthread_cond_signal(&gateway->left);
    pthread_mutex_unlock(&gateway->mutex);
    return NULL;
}

/* Takes the connection in, or closes it at once. */
static void connection_start(struct gateway *gateway, int fd)
{
    pthread_mutex_lock(&gateway->mutex);
    gateway->connections++;
    bool slam = gateway->slam || gateway->closing;
    if (!slam) {
        assert(gateway->open_count < CONNECTIONS_MAX);
        gateway->open_fds[gateway->open_count++] = fd;
    }
    pthread_mutex_unlock(&gateway->mutex);
    if (slam) {
        close(fd);
        return;
    }
    struct connection *connection = malloc(sizeof *connection);
    assert(connection != NULL);
    *connection = (struct connection){ gateway, fd };
    pthread_t thread;
    int started = pthread_create(&thread, NULL, connection_run, connection);
    assert(started == 0);
    pthread_detach(thread);
}

static void *gateway_run(void *context)
{
    struct gateway *gateway = context;
    for (;;) {
        pthread_mutex_lock(&gateway->mutex);
        int listener = gateway->listener;
        pthread_mutex_unlock(&gateway->mutex);
        int fd = listener < 0 ? -1 : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        connection_start(gateway, fd);
    }
}

/* The kernel's free ports are above 32767, where outgoing connections take theirs; ours are searched below. */
static int listen_somewhere(uint16_t *port)
{
    for (unsigned i = 0; i < 1000; i++) {
        *port = (uint16_t)(12000 + ((unsigned)getpid() * 7 + i * 13) % 8000);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(*port) };
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int yes = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1024) == 0)
            return fd;
        close(fd);
    }
    fprintf(stderr, "gateway: no free port\n");
    abort();
}

struct gateway *gateway_open(void)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    assert(gateway != NULL);
    pthread_mutex_init(&gateway->mutex, NULL);
    pthread_cond_init(&gateway->left, NULL);
    gateway->listener = listen_somewhere(&gateway->port);
    int started = pthread_create(&gateway->thread, NULL, gateway_run, gateway);
    assert(started == 0);
    return gateway;
}

void gateway_close(struct gateway *gateway)
{
    if (gateway == NULL)
        return;
    gateway_refuse(gateway);
    pthread_mutex_lock(&gateway->mutex);
    gateway->closing = true;
    for (unsigned i = 0; i < gateway->open_count; i++)
        shutdown(gateway->open_fds[i], SHUT_RDWR);
    while (gateway->open_count > 0)
        pthread_cond_wait(&gateway->left, &gateway->mutex);
    pthread_mutex_unlock(&gateway->mutex);
    pthread_mutex_destroy(&gateway->mutex);
    pthread_cond_destroy(&gateway->left);
    free(gateway);
}

uint16_t gateway_port(const struct gateway *gateway)
{
    return gateway->port;
}

void gateway_slam(struct gateway *gateway, bool slam)
{
    pthread_mutex_lock(&gateway->mutex);
    gateway->slam = slam;
    pthread_mutex_unlock(&gateway->mutex);
}

void gateway_refuse(struct gateway *gateway)
{
    listener_close(gateway);
    if (!gateway->joined)
        pthread_join(gateway->thread, NULL);
    gateway->joined = true;
}

unsigned gateway_requests(struct gateway *gateway, const char *path)
{
    unsigned requests = 0;
    pthread_mutex_lock(&gateway->mutex);
    for (unsigned i = 0; i < gateway->path_count; i++)
        if (path == NULL || strcmp(gateway->paths[i].path, path) == 0)
            requests += gateway->paths[i].requests;
    pthread_mutex_unlock(&gateway->mutex);
    return requests;
}

unsigned gateway_connections(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->mutex);
    unsigned connections = gateway->connections;
    pthread_mutex_unlock(&gateway->mutex);
    return connections;
}
