#include "fleetsim_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_BYTES_MAX 255  /* the longest DNS name */
#define BACKLOG        4096 /* clients open thousands of connections at once; the kernel may clamp it */

#define PORT_FIRST     10000
#define PORT_LAST      30000
#define PORT_TRIES_MAX 200 /* of 20,001: if all of these are taken, something else is wrong */

struct address {
    char host[HOST_BYTES_MAX + 1];
    const char *port; /* within the caller's text */
};

/* HOST:PORT or [HOST]:PORT. */
static bool address_split(const char *where, struct address *address, struct trouble *trouble)
{
    const char *colon = strrchr(where, ':');
    const char *host = where, *end = colon;
    if (colon != NULL && *host == '[' && end > host && end[-1] == ']') {
        host++;
        end--;
    }
    if (colon == NULL || end <= host || end - host > HOST_BYTES_MAX || colon[1] == '\0')
        return trouble_say(trouble, "--listen %s: must be HOST:PORT, as in 127.0.0.1:9200", where);
    memcpy(address->host, host, (size_t)(end - host));
    address->host[end - host] = '\0';
    address->port = colon + 1;
    return true;
}

static bool address_port(const struct address *address, unsigned *port)
{
    *port = 0;
    if (strlen(address->port) > 5)
        return false;
    for (const char *at = address->port; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return false;
        *port = *port * 10 + (unsigned)(*at - '0');
    }
    return *port <= 65535;
}

static unsigned port_draw(void)
{
    uint16_t draw = 0;
    if (getrandom(&draw, sizeof draw, 0) != sizeof draw)
        draw = (uint16_t)getpid();
    return PORT_FIRST + draw % (PORT_LAST - PORT_FIRST + 1);
}

static void port_set(struct sockaddr *where, unsigned port)
{
    if (where->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)where)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)where)->sin_port = htons((uint16_t)port);
}

/* Accepted sockets inherit TCP_NODELAY: an answer is one send, and waiting to merge it with the next would
 * add the peer's delayed ACK to our latency. */
static int socket_listen(const struct addrinfo *info)
{
    static const int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int socket_listen_anywhere(struct addrinfo *info, unsigned *port)
{
    int fd = -1;
    for (int i = 0; i < PORT_TRIES_MAX && fd < 0; i++) {
        *port = port_draw();
        port_set(info->ai_addr, *port);
        fd = socket_listen(info);
        if (fd < 0 && errno != EADDRINUSE)
            break;
    }
    return fd;
}

int listen_open(const char *where, char *url, size_t url_room, struct trouble *trouble)
{
    struct address address;
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *info = NULL;
    unsigned port;
    if (!address_split(where, &address, trouble))
        return -1;
    if (!address_port(&address, &port)) {
        trouble_say(trouble, "--listen %s: the port must be a number up to 65535", where);
        return -1;
    }
    int reason = getaddrinfo(address.host, NULL, &hints, &info);
    if (reason != 0) {
        trouble_say(trouble, "listen on %s: %s", where, gai_strerror(reason));
        return -1;
    }
    port_set(info->ai_addr, port);
    int fd = port == 0 ? socket_listen_anywhere(info, &port) : socket_listen(info);
    if (fd < 0)
        trouble_say(trouble, "listen on %s: %s", where, strerror(errno));
    bool six = strchr(address.host, ':') != NULL;
    snprintf(url, url_room, "http://%s%s%s:%u", six ? "[" : "", address.host, six ? "]" : "", port);
    freeaddrinfo(info);
    return fd;
}
