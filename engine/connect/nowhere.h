/* The connector of a server without a gateway: every call is refused before anything is sent. Simulated devices, which need
 * no call, work all the same. */
#ifndef NOWHERE_H
#define NOWHERE_H

#include <tranche/connector.h>

extern const struct tranche_connector nowhere_connector;

#endif
