/* The request log: one JSON line per request received,
 *
 *     {"t":1764000000123456,"method":"PATCH","path":"/api/devices/sim-1/properties","device":"sim-1",
 *      "key":"job-1/sim-1","attempt":1,"verdict":"ok"}
 *
 * `t` is microseconds since 1970, `path` is as received without the query, `device` is decoded, `attempt` is
 * 0 when there was no X-Attempt. Lines collect in memory and leave in one write() per turn of the server,
 * before any answer of that turn does: whoever has an answer finds its line in the file. The file is appended
 * to, so that a restart destroys no evidence.
 */
#ifndef FLEETSIM_LOG_H
#define FLEETSIM_LOG_H

#include "fleetsim_bytes.h"
#include "fleetsim_trouble.h"

struct request_log {
    int fd; /* -1: off, and the functions below do nothing */
    struct bytes lines;
};

struct log_line {
    struct span method, path, device, key;
    uint32_t attempt;
    const char *verdict;
};

/* An empty path leaves the log off. */
bool log_open(struct request_log *log, const char *path, struct trouble *trouble);

void log_request(struct request_log *log, const struct log_line *line);

/* Writes what has collected. After a failure the log is incomplete for good, and the caller should stop. */
bool log_flush(struct request_log *log, struct trouble *trouble);

void log_close(struct request_log *log);

#endif
