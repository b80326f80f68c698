/* A gateway for tests: a small HTTP server on 127.0.0.1 that can misbehave in every way the fan-out must survive.
 *
 * What it does with a request is said by the first word of its path: /ok/7 answers, /drop/7 reads and closes. The rest of
 * the path is free, so that each call can be counted by its own path. A thread a connection; it counts a request when it
 * has read it whole, before anything else happens.
 *
 *     /ok         200, body "ok"                      /half       the first half of an answer, then closes
 *     /echo       200, body: the request as received  /long       200 and a body of 1 MiB
 *     /bye        200, then closes the connection     /endless    200 and a body that does not end
 *     /slow       200 after 100 ms                    /heads      header lines that do not end
 *     /later      429 with Retry-After: 7             /line       one header line that does not end
 *     /redirect   307 to /ok/redirected               /informed   1xx answers that do not end
 *     /mute       never answers                       /garbage    bytes that are no HTTP
 *     /drop       reads, then closes                  /ancient    a body without any header (HTTP/0.9)
 *     /reset      reads, then resets                  /chunk      a chunk whose size is no number
 *     /last       as /drop, and closes the listener first
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

struct gateway;

/* Fails the test if it cannot listen. */
struct gateway *gateway_open(void);
void gateway_close(struct gateway *gateway); /* ends its threads; NULL is fine */
uint16_t gateway_port(const struct gateway *gateway);

void gateway_slam(struct gateway *gateway, bool slam); /* from now on: accept, then close without reading */
void gateway_refuse(struct gateway *gateway);          /* from now on: connections are refused */

unsigned gateway_requests(struct gateway *gateway, const char *path); /* received whole; NULL: any path */
unsigned gateway_connections(struct gateway *gateway);                /* accepted */

#endif
