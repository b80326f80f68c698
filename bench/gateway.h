/* The gateway: fleetsim, from the folder that this program is in, as a child on a core of its own. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>
#include <sys/types.h>
#include <tranche/err.h>

#define GATEWAY_URL_BYTES  64
#define GATEWAY_OPTIONS_MAX 12

/* Zeroed is closed. */
struct gateway {
    pid_t pid;
    char url[GATEWAY_URL_BYTES]; /* "http://127.0.0.1:12345" */
    unsigned port;
};

/* `options` are further ones of fleetsim's, ended by NULL. It ends when we end. */
enum tranche_code gateway_open(struct gateway *gateway, const char *const *options, bool pinned,
                               struct tranche_err *err);
void gateway_close(struct gateway *gateway);

#endif
