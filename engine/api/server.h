/* The counter: HTTP in, JSON out. libmicrohttpd's threads parse and check a request, read through a reader of their own,
 * post what changes something to the runner, and suspend the connection until it is durable; they never wait for a commit.
 */
#ifndef SERVER_H
#define SERVER_H

#include "config.h"
#include "runner.h"

struct server;

/* Borrows all until server_close. `port` (of config->listen when it is 0) is written back with the real one. */
enum tranche_code server_open(struct server **server, const struct config *config, struct runner *runner,
                              struct tranche_store *store, struct tranche_err *err);
unsigned server_port(const struct server *server);
/* Loads the TLS files anew, for connections to come, and says in the log what became of it. One thread at a time. */
void server_reload(struct server *server);
void server_quiesce(struct server *server); /* stops accepting; open requests go on */
void server_close(struct server *server);

#endif
