/* Opening the listening socket. */
#ifndef FLEETSIM_LISTEN_H
#define FLEETSIM_LISTEN_H

#include "fleetsim_trouble.h"

#include <stddef.h>

/* Listens on HOST:PORT ([HOST]:PORT for IPv6), without blocking. Port 0 picks a free one that lies below the
 * kernel's range for outgoing connections, so that a client of the tests can't occupy it by chance. Returns
 * the descriptor, or -1; `url` becomes http://HOST:PORT with the port taken. */
int listen_open(const char *where, char *url, size_t url_room, struct trouble *trouble);

#endif
