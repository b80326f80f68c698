/* The routes: one table, read by the door, by the answers 404 and 405, and by the tests. */
#ifndef ROUTER_H
#define ROUTER_H

#include "request.h"

struct route {
    const char *method;
    const char *pattern; /* "/api/jobs/{job}": a name in braces takes one segment that is not empty */
    const char *operation; /* "Jobs_List", as the contract and the audit call it */
    enum permission permission;
    void (*handle)(struct request *request);
    const char *summary;
    const char *body, *answer; /* names of schemas; NULL: none */
    int status;                /* of success; 0: 200 */
    bool whole;                /* only for who reaches the whole fleet */
    /* Takes the body while it arrives, whose limit then is import_bytes_max; NULL: it is collected first. */
    void (*feed)(struct request *request, const char *bytes, size_t count);
};

const struct route *router_routes(size_t *count);
int route_status(const struct route *route);       /* of success */
bool route_is_contract(const struct route *route); /* under /api: wants an api-version */

/* Finds the route of a path cut into decoded segments, and its parameters. TRANCHE_NOTFOUND: no such path.
 * TRANCHE_NOTALLOWED: not with this method; then `allow` lists the others. */
#define ROUTER_ALLOW_BYTES 64
enum tranche_code router_find(const char *method, const char *const *segments, unsigned segment_count,
                              const char *parameters[REQUEST_PARAMETERS_MAX], const struct route **route,
                              char allow[ROUTER_ALLOW_BYTES]);

#endif
