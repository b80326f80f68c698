/* A connector words a call and judges its answer. It never opens a socket, sleeps or asks the time.
 *
 * UNSTABLE: the interface may change until all connectors exist.
 *
 * Threads: build and judge are called on worker threads, several at once, with the same `self` and `state`; both must
 * therefore only read them. open and close are called once each, on the thread that configures the engine.
 */
#ifndef TRANCHE_CONNECTOR_H
#define TRANCHE_CONNECTOR_H

#include <tranche/err.h>
#include <tranche/job.h>

/* What is to be done with one device. Borrowed for the call. */
struct tranche_call {
    const char *job;                 /* job id */
    const char *device;              /* device id, not encoded */
    const struct tranche_step *step; /* property or command; of a merged write the first of its steps, side by side */
    uint16_t merged;                 /* steps that this one call writes; above 1 only if the connector merges */
    uint16_t step_index;
    uint16_t step_count;
    uint16_t attempt;                /* 1.. */
};

#define TRANCHE_HEADERS_MAX 8 /* request headers a connector may set */

/* A call put into words. `text` is the connector's to fill; the strings point into it or into the connector's state
 * and must live until the next build with the same request. */
struct tranche_request {
    const char *method;
    const char *url;
    const char *body;       /* NULL: none */
    size_t body_bytes;
    const char *headers[TRANCHE_HEADERS_MAX]; /* complete lines "Name: value", without CR LF */
    size_t header_count;
    uint32_t timeout_ms;    /* whole call; 0 lets the engine's option decide */
    bool repeatable;        /* may be sent again after an outcome that is not known (same idempotency key) */
    char *text;             /* scratch */
    size_t text_bytes;
};

/* How the transport ended, by what the wire showed. */
enum tranche_transport {
    TRANCHE_ANSWERED,   /* complete status line, headers and body */
    TRANCHE_UNSENT,     /* certainly no byte of the request went out: refused, unreachable, no name, TLS failed */
    TRANCHE_HALTED,     /* taken back before the first byte: the job was stopped or tripped */
    TRANCHE_LOCAL,      /* local trouble (descriptors, memory, ports): nothing was sent, not the device's fault */
    TRANCHE_TIMED_OUT,  /* sent, no complete answer within the time */
    TRANCHE_BROKEN,     /* sent, the connection broke before a complete answer */
    TRANCHE_DIED_IDLE,  /* sent on a kept connection that closed before any answer; the resend was prevented */
    TRANCHE_GARBLED,    /* sent, what came back is no HTTP or exceeds a limit */
    TRANCHE_TRANSPORT_COUNT
};

/* What came back. Borrowed for the call. */
struct tranche_answer {
    enum tranche_transport transport;
    int status;              /* HTTP status; 0 without one */
    const char *body;        /* cut to answer_bytes_max */
    size_t body_bytes;
    uint32_t retry_after_ms; /* from Retry-After; 0 for none */
    int error;               /* errno of local or connect trouble; 0 for none */
    const char *detail;      /* libcurl's words for what went wrong; "" for none */
};

enum tranche_outcome_class {
    TRANCHE_OUTCOME_OK,
    TRANCHE_OUTCOME_FAILED,       /* final, the device or gateway refused */
    TRANCHE_OUTCOME_RETRY,        /* not executed, or repeatable: may be tried again */
    TRANCHE_OUTCOME_UNKNOWN,      /* may have run; never repeated by the engine where the step is a command */
    TRANCHE_OUTCOME_NOT_SENT,     /* taken back; pending again, no attempt was spent */
    TRANCHE_OUTCOME_LOCAL,        /* local trouble; pending again, the engine backs off */
    TRANCHE_OUTCOME_CLASS_COUNT
};

#define TRANCHE_REASON_BYTES 160

struct tranche_outcome {
    enum tranche_outcome_class class;
    bool unanswered;         /* sent, and no complete answer came: it may have run. Tells how a RETRY that is not tried
                                again ends: unknown where this is set, failed where not */
    int32_t code;            /* the device's own code where the protocol has one, else the HTTP status, else 0 */
    uint32_t retry_after_ms; /* of a RETRY: the gateway's wish, 0 for none */
    char reason[TRANCHE_REASON_BYTES]; /* for people; "" when all went well. Few distinct texts: no ids, no times */
};

struct tranche_connector {
    const char *name;
    bool merges;        /* several properties of a device are one call, not a call each */
    /* Makes the state from a base URL such as "http://127.0.0.1:9200" and an Authorization value or NULL. Copies both. */
    enum tranche_code (*open)(const char *base, const char *authorization, void **state, struct tranche_err *err);
    /* Words the call. TRANCHE_INVALID: this device cannot be called this way; it fails with the text, unsent. */
    enum tranche_code (*build)(const void *state, const struct tranche_call *call, struct tranche_request *out,
                               struct tranche_err *err);
    /* Judges the answer. Pure. */
    void (*judge)(const void *state, const struct tranche_call *call, const struct tranche_answer *answer,
                  struct tranche_outcome *out);
    void (*close)(void *state);
};

#endif
