/* Azure IoT Central's device calls, and gateways that speak them: the preset "central". */
#ifndef CENTRAL_H
#define CENTRAL_H

#include <tranche/connector.h>

extern const struct tranche_connector central_connector;

#endif
