/* One HTTP/1.1 request, read from the bytes that have come so far (RFC 9112, the part a gateway's clients
 * use). Pure and without state: the answer is the same however the bytes were cut into segments. Lines may
 * end in a bare LF. Bodies come with Content-Length; chunked ones are refused with 411. A missing Host is let
 * pass: it decides nothing here.
 */
#ifndef FLEETSIM_REQUEST_H
#define FLEETSIM_REQUEST_H

#include "fleetsim_bytes.h"

/* Head and body together. Device calls are some hundred bytes; this leaves room for IoT Hub's largest desired
 * properties (32 KiB) and bounds what 20,000 connections can pile up. */
#define REQUEST_BYTES_MAX 65536

enum request_progress {
    REQUEST_PARTIAL,   /* more bytes must come */
    REQUEST_EXPECTING, /* the same, and the client asked for "100 Continue" before it sends the body */
    REQUEST_WHOLE,
    REQUEST_REFUSED, /* `refusal` says with which status; where the next request would start is not known */
};

/* Spans point into the bytes that were read. */
struct http_request {
    struct span method;
    struct span path; /* without the query */
    struct span key;  /* Idempotency-Key, or empty */
    uint32_t attempt; /* X-Attempt, or 0 if there is none or it isn't a number below 2^32 */
    struct span body;
    size_t bytes;     /* of the whole request */
    unsigned refusal; /* 0, or 400, 411, 413 */
    bool keep_alive;  /* the client will use the connection again */
    bool old;         /* HTTP/1.0, where keeping a connection must be said */
    bool reused;      /* not the first request on its connection; filled in by the server */
};

enum request_progress request_read(struct http_request *request, struct span received);

#endif
