/* The client's side of HTTP, over libcurl's easy interface: one call at a time, JSON in and out.
 *
 * A connection is kept between the calls of one command. Nothing is ever sent twice: libcurl only repeats a request on a
 * kept connection that has died, and after a call that changes something the connection is not used again.
 */
#ifndef HTTP_H
#define HTTP_H

#include "cli.h"
#include "json.h"
#include "mem.h"

#include <stdio.h>

#define HTTP_API_VERSION "?api-version=2022-07-31" /* what every path under /api ends in */

struct http {
    const struct cli *cli;
    void *curl;
    long status;                /* of the last answer; 0: none came */
    struct text body;           /* of the last answer, as it came */
    struct json_document json;  /* of the body; its root is NULL when it is no JSON */
    char trouble[256];          /* why no answer came */
    bool untrusted;             /* it was the certificate */
    void (*tick)(void *context); /* called now and then during an upload, until its answer has come; NULL: none */
    void *tick_context;
};

/* Zeroed before; http_close may always follow. */
enum exit_code http_open(struct http *http, const struct cli *cli);
void http_close(struct http *http);

/* Adds a path segment, percent-encoded. */
void http_path_add(struct text *path, const char *segment);
void http_text_add(struct text *path, const char *part); /* a value of the query, likewise */

/* One call. `path` begins with "/". `body` NULL: none. EXIT_OK for a 2xx; else the code of ux.md 2.4, and nothing is said
 * yet: http_report says it. */
enum exit_code http_call(struct http *http, const char *method, const char *path, const char *body, size_t bytes);
/* A POST whose body is read from a file as it goes out; its length need not be known. */
enum exit_code http_upload(struct http *http, const char *path, const char *content_type, FILE *file);
/* Says what went wrong with the last call, in the server's own words, with the request's id. Returns the exit code. */
enum exit_code http_report(const struct http *http);

#endif
