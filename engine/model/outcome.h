/* What an answer means for the device, by what the wire showed (reliability.md 3.3, api-contract.md 9.4). Pure; the
 * connectors add only where their protocol keeps the device's own code. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <tranche/connector.h>

/* What a connector knows beyond the transport. Zeroed: a command, and no more than the HTTP status to go by. */
struct outcome_hints {
    bool repeatable;        /* a property write: the same request may be sent again after an unknown outcome */
    bool not_executed;      /* the connector certifies that this answer, other than a 2xx, means nothing ran */
    bool transient;         /* the connector lists this status as passing, beyond 408, 429, 502, 503 and 504 */
    bool has_device_code;
    int32_t device_code;    /* the device's own verdict, looked at with a 2xx only; >= 400 is a refusal */
    const char *reason;     /* the connector's words for a refusal; NULL: the model's */
};

/* Classifies. RETRY means that repeating is safe; whether it is tried again is the engine's choice. The hints about the
 * answer matter only for TRANCHE_ANSWERED, which needs a status. */
void outcome_of(const struct tranche_answer *answer, const struct outcome_hints *hints, struct tranche_outcome *out);

/* The device's final state when an outcome is taken as its last word. RETRY ends as failed when it certainly did not
 * run or was refused, as unknown where it may have run; `class` NOT_SENT and LOCAL are no last words (asserted). */
enum tranche_device_state outcome_final_state(const struct tranche_outcome *outcome);

const char *outcome_class_name(enum tranche_outcome_class class); /* "ok", "failed", "retry", ...; static */

#endif
