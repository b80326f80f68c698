/* The physical floor of HTTP/1.1 on this machine: hand-written, one send and one recv a request, nothing parsed
 * that need not be. It knows what fleetsim answers and would serve nobody else. */
#include "load.h"

#include "fail.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_BYTES 512
#define ANSWER_BYTES  1024
#define EVENTS        256

struct slot {
    int fd;
    size_t request_bytes, answer_bytes;
    char *url_digits, *key_digits;
    char request[REQUEST_BYTES], answer[ANSWER_BYTES + 1];
};

struct raw {
    int epoll;
    uint32_t count;
    struct slot slots[];
};

static void slot_word(struct slot *slot, unsigned port)
{
    int bytes = snprintf(slot->request, sizeof slot->request,
                         "PATCH /api/devices/dev-0000000/properties?api-version=2022-07-31 HTTP/1.1\r\n"
                         "Host: 127.0.0.1:%u\r\n%s\r\n%s\r\nIdempotency-Key: bench/dev-0000000\r\n"
                         "Content-Length: %zu\r\n\r\n" LOAD_BODY,
                         port, load_headers[0], load_headers[1], strlen(LOAD_BODY));
    slot->request_bytes = (size_t)bytes;
    slot->url_digits = strstr(slot->request, "/dev-") + strlen("/dev-");
    slot->key_digits = strstr(slot->request, "bench/dev-") + strlen("bench/dev-");
}

static bool slot_connect(struct slot *slot, unsigned port)
{
    static const int on = 1;
    struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return slot->fd >= 0 && setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
           connect(slot->fd, (struct sockaddr *)&where, sizeof where) == 0;
}

static void raw_close(void *client)
{
    struct raw *raw = client;
    if (raw == NULL)
        return;
    for (uint32_t i = 0; i < raw->count; i++)
        if (raw->slots[i].fd >= 0)
            close(raw->slots[i].fd);
    if (raw->epoll >= 0)
        close(raw->epoll);
    free(raw);
}

static enum tranche_code raw_open(void **client, const struct load_target *target, struct tranche_err *err)
{
    struct raw *raw = calloc(1, sizeof *raw + target->in_flight * sizeof raw->slots[0]);
    if (raw == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    raw->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool good = raw->epoll >= 0;
    for (; good && raw->count < target->in_flight; raw->count++) {
        struct slot *slot = &raw->slots[raw->count];
        struct epoll_event readable = { .events = EPOLLIN, .data.ptr = slot };
        slot_word(slot, target->port);
        good = slot_connect(slot, target->port) && epoll_ctl(raw->epoll, EPOLL_CTL_ADD, slot->fd, &readable) == 0;
    }
    if (good) {
        *client = raw;
        return TRANCHE_OK;
    }
    int reason = errno;
    raw_close(raw);
    return fail(err, TRANCHE_IO, "connect to the gateway: %s", strerror(reason));
}

/* A request fits into an empty socket buffer whole. */
static bool slot_send(struct slot *slot, struct load *load)
{
    uint64_t number;
    if (!load_next(load, &number))
        return true;
    load_number_put(slot->url_digits, number);
    load_number_put(slot->key_digits, number);
    slot->answer_bytes = 0;
    return send(slot->fd, slot->request, slot->request_bytes, MSG_NOSIGNAL) == (ssize_t)slot->request_bytes;
}

/* Whether the answer is there as a whole: its head says how long its body is. */
static bool answer_is_whole(const struct slot *slot)
{
    static const char length[] = "\r\nContent-Length: ";
    const char *head_end = strstr(slot->answer, "\r\n\r\n"), *at = strstr(slot->answer, length);
    if (head_end == NULL)
        return false;
    size_t body_bytes = at != NULL && at < head_end ? strtoul(at + strlen(length), NULL, 10) : 0;
    return slot->answer_bytes >= (size_t)(head_end + 4 - slot->answer) + body_bytes;
}

static bool slot_read(struct slot *slot, struct load *load)
{
    ssize_t got = recv(slot->fd, slot->answer + slot->answer_bytes, ANSWER_BYTES - slot->answer_bytes, MSG_DONTWAIT);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    slot->answer_bytes += (size_t)got;
    slot->answer[slot->answer_bytes] = '\0';
    if (!answer_is_whole(slot))
        return slot->answer_bytes < ANSWER_BYTES;
    load_answered(load, strtol(slot->answer + strlen("HTTP/1.1 "), NULL, 10));
    return slot_send(slot, load);
}

static enum tranche_code raw_run(void *client, struct load *load, struct tranche_err *err)
{
    struct raw *raw = client;
    struct epoll_event events[EVENTS];
    bool good = true;
    for (uint32_t i = 0; i < raw->count && good; i++)
        good = slot_send(&raw->slots[i], load);
    while (good && !load_is_idle(load)) {
        int count = epoll_wait(raw->epoll, events, EVENTS, LOAD_STUCK_MS);
        good = count > 0;
        for (int i = 0; i < count && good; i++)
            good = slot_read(events[i].data.ptr, load);
    }
    return good ? load_check(load, err) : fail(err, TRANCHE_IO, "the gateway closed a connection or does not answer");
}

const struct client_kind client_raw = { raw_open, raw_run, raw_close };
