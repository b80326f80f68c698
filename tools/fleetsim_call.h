/* The calls fleetsim understands, and the wording of its answers: IoT Central's device calls and IoT Hub's
 * twins and direct methods. Pure; who decides the verdict is fleetsim_device.
 *
 *     PATCH /api/devices/{id}[/modules/{m}][/components/{c}]/properties       a property write, IoT Central's
 *     POST  /api/devices/{id}[/modules/{m}][/components/{c}]/commands/{name}  a command, IoT Central's
 *     PATCH /twins/{id}[/modules/{m}]                                         a property write, IoT Hub's
 *     POST  /twins/{id}[/modules/{m}]/methods                                 a command, IoT Hub's
 *     GET   /healthz                                                          the simulator's own
 */
#ifndef FLEETSIM_CALL_H
#define FLEETSIM_CALL_H

#include "fleetsim_device.h"

enum call_shape {
    CALL_UNKNOWN,
    CALL_HEALTH,
    CALL_CENTRAL_PROPERTY,
    CALL_CENTRAL_COMMAND,
    CALL_HUB_TWIN,
    CALL_HUB_METHOD,
};

/* Longest device id, decoded. IoT Hub's limit, and Tranche's. */
#define DEVICE_ID_BYTES_MAX 128

struct call {
    enum call_shape shape;
    struct span body;    /* borrowed from the request */
    size_t device_bytes; /* 0 when the route has no device */
    char device[DEVICE_ID_BYTES_MAX];
};

/* Whether this shape runs something on the device, rather than storing a desired value for it. */
static inline bool call_is_command(const struct call *call)
{
    return call->shape == CALL_CENTRAL_COMMAND || call->shape == CALL_HUB_METHOD;
}

/* Reads a call. `path` is as received, without the query. Returns VERDICT_OK, VERDICT_NOT_FOUND or
 * VERDICT_BAD_REQUEST; *call is filled as far as it was understood. */
enum verdict call_read(struct call *call, struct span method, struct span path, struct span body);

/* The part of an answer that is not its body. */
struct call_answer {
    unsigned status;
    const char *headers; /* whole header lines, each with its line end; never NULL; static */
};

/* Words the answer to `call`. `choice` (see device_choice) picks one of the wordings of a failure. Appends
 * the body to `body`. The verdict must be one that is answered: not closed, not black-hole. */
struct call_answer call_word(const struct call *call, enum verdict verdict, size_t choice,
                             struct bytes *body);

/* How many different choices call_word knows. */
#define CALL_CHOICES 8

#endif
