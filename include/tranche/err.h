/* Errors: a code for programs, a slip of text for people.
 *
 * Every fallible function returns `enum tranche_code`; TRANCHE_OK is 0. Functions that can say more take a
 * `struct tranche_err *` as their last argument, lent by the caller, who may pass NULL. The slip is written only on
 * failure. Each layer puts its own context in front: "start job-014: open store: the disk is full".
 */
#ifndef TRANCHE_ERR_H
#define TRANCHE_ERR_H

#include <stdbool.h>

#define TRANCHE_API __attribute__((visibility("default"))) /* the library's; all else in it is hidden */

/*       code                  HTTP  retry  word on the wire        text when nothing better is known */
#define TRANCHE_CODES(X)                                                                                     \
    X(TRANCHE_OK,               200, false, "OK",                   "ok")                                    \
    X(TRANCHE_BADREQUEST,       400, false, "BadRequest",           "the request cannot be understood")      \
    X(TRANCHE_UNAUTHORIZED,     401, false, "Unauthorized",         "the token is missing, unknown or expired") \
    X(TRANCHE_FORBIDDEN,        403, false, "Forbidden",            "the role does not allow this")          \
    X(TRANCHE_NOTFOUND,         404, false, "NotFound",             "no such resource")                      \
    X(TRANCHE_NOTALLOWED,       405, false, "MethodNotAllowed",     "the method is not available here")      \
    X(TRANCHE_TIMEOUT,          408, false, "RequestTimeout",       "the device did not answer in time")     \
    X(TRANCHE_CONFLICT,         409, false, "Conflict",             "not allowed in the present state")      \
    X(TRANCHE_PRECONDITION,     412, false, "PreconditionFailed",   "the etag does not match the current one") \
    X(TRANCHE_TOOLARGE,         413, false, "PayloadTooLarge",      "the body is too large")                 \
    X(TRANCHE_INVALID,          422, false, "UnprocessableEntity",  "the request is not valid")              \
    X(TRANCHE_TOOMANY,          429, true,  "TooManyRequests",      "rate limit reached")                    \
    X(TRANCHE_INTERNAL,         500, false, "InternalServerError",  "internal error")                        \
    X(TRANCHE_IO,               500, true,  "InternalServerError",  "input or output failed")                \
    X(TRANCHE_NOMEM,            503, true,  "ServiceUnavailable",   "out of memory")                         \
    X(TRANCHE_FULL,             503, true,  "ServiceUnavailable",   "a queue is full")                       \
    X(TRANCHE_UNAVAILABLE,      503, true,  "ServiceUnavailable",   "the store does not accept writes at the moment")

enum tranche_code {
#define X(code, http, retry, word, text) code,
    TRANCHE_CODES(X)
#undef X
    TRANCHE_CODE_COUNT
};

#define TRANCHE_ERR_BYTES 512

struct tranche_err {
    enum tranche_code code;
    char text[TRANCHE_ERR_BYTES]; /* NUL-terminated; cut, never overrun */
};

/* Facts about a code, from the table above. `code` must be one of the enum's. The strings are static. */
TRANCHE_API int tranche_code_http(enum tranche_code code);
TRANCHE_API bool tranche_code_retry(enum tranche_code code);
TRANCHE_API const char *tranche_code_word(enum tranche_code code);
TRANCHE_API const char *tranche_code_text(enum tranche_code code);

#endif
