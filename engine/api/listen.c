#include "listen.h"

#include "fail.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_FIRST     10000
#define PORT_COUNT     20000
#define PORT_TRIES_MAX 200 /* with half of the range taken, all fail once in 2^200 */

#define HOST_BYTES 256

struct address {
    char host[HOST_BYTES];
    unsigned port;
};

static enum tranche_code address_parse(const char *text, struct address *address, struct tranche_err *err)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    char *end = NULL;
    unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
    if (length == 0 || length >= HOST_BYTES || colon[1] < '0' || colon[1] > '9' || *end != '\0' ||
        port > 65535)
        return fail(err, TRANCHE_INVALID, "listen: expected HOST:PORT such as 127.0.0.1:9110, got \"%.100s\"",
                    text);
    if (text[0] == '[' && text[length - 1] == ']') { /* IPv6 */
        text++;
        length -= 2;
    }
    memcpy(address->host, text, length);
    address->host[length] = '\0';
    address->port = (unsigned)port;
    return TRANCHE_OK;
}

/* A socket that listens, or -1 with errno. */
static int listen_at(const struct addrinfo *at, unsigned port)
{
    struct sockaddr_storage address;
    assert(at->ai_addrlen <= sizeof address);
    memcpy(&address, at->ai_addr, at->ai_addrlen);
    if (at->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)&address)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)&address)->sin_port = htons((uint16_t)port);

    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&address, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static unsigned port_random(void)
{
    unsigned number = 0;
    ssize_t got = getrandom(&number, sizeof number, 0);
    assert(got == sizeof number);
    return PORT_FIRST + number % PORT_COUNT;
}

static int listen_somewhere(const struct addrinfo *at, unsigned *port)
{
    int fd = -1;
    for (int i = 0; i < PORT_TRIES_MAX; i++) {
        *port = port_random();
        fd = listen_at(at, *port);
        if (fd >= 0 || errno != EADDRINUSE)
            break;
    }
    return fd;
}

enum tranche_code listen_open(const char *address, int *fd, unsigned *port, struct tranche_err *err)
{
    struct address wanted;
    enum tranche_code code = address_parse(address, &wanted, err);
    if (code != TRANCHE_OK)
        return code;
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int trouble = getaddrinfo(wanted.host, NULL, &hints, &found);
    if (trouble != 0)
        return fail(err, TRANCHE_INVALID, "listen on %.100s: %s", address, gai_strerror(trouble));

    *port = wanted.port;
    *fd = wanted.port != 0 ? listen_at(found, wanted.port) : listen_somewhere(found, port);
    int error = errno;
    freeaddrinfo(found);
    if (*fd < 0)
        return fail(err, TRANCHE_IO, "listen on %.100s: %s", address, strerror(error));
    return TRANCHE_OK;
}
