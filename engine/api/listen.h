/* The listening socket. */
#ifndef LISTEN_H
#define LISTEN_H

#include <tranche/err.h>

/* Listens on "HOST:PORT" ("127.0.0.1:9110", "[::1]:9110", "localhost:0"). Port 0 picks a free one from a
 * range below those that the kernel hands to clients, so that no outgoing connection takes it from us on the
 * way. */
enum tranche_code listen_open(const char *address, int *fd, unsigned *port, struct tranche_err *err);

#endif
