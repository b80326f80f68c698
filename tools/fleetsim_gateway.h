/* The gateway: joins the HTTP server, the devices' decisions and the log. Runs on the server's thread. */
#ifndef FLEETSIM_GATEWAY_H
#define FLEETSIM_GATEWAY_H

#include "fleetsim_device.h"
#include "fleetsim_trouble.h"

/* Serves until SIGTERM or SIGINT. Says on stdout when it listens, and on stderr, at the end, what it has
 * done. An empty log_path means no log. */
bool gateway_serve(const struct device_profile *profile, const char *listen, const char *log_path,
                   struct trouble *trouble);

#endif
