/* The definition of a job: what a client may write (api-contract.md 4.1-4.3), parsed, checked, and printed in one
 * canonical order. Everything else of a job (status, progress, start, ...) is not in it.
 */
#ifndef DEFINITION_H
#define DEFINITION_H

#include "mem.h"
#include "threshold.h"

#include <tranche/err.h>
#include <tranche/job.h>

#define DEFINITION_STEPS_MAX 32
#define DEFINITION_NAME_BYTES_MAX 1024 /* displayName, description, path, target */

/* Everything points into `memory`. Zeroed is empty. */
struct definition {
    const char *display_name; /* NULL: none given */
    const char *description;  /* NULL: none given */
    const char *group;
    const char *organization; /* NULL: none */
    bool batched;
    struct tranche_amount batch;     /* only when batched */
    struct threshold threshold;
    enum tranche_step_kind kind;     /* of all steps */
    uint16_t step_count;
    struct tranche_step steps[DEFINITION_STEPS_MAX];
    const char *types[DEFINITION_STEPS_MAX]; /* the client's spelling of each step's type */
    struct arena memory;
};

/* Parses a request body. Unknown and read-only members are ignored; null is absent, except as a command's value.
 * TRANCHE_BADREQUEST with json_parse's words when it is no JSON, else TRANCHE_INVALID with a whole sentence that begins
 * with the member: "batch.value: a percentage must be above 0 and at most 100, got 101." A failure leaves `out` empty. */
enum tranche_code definition_parse(const char *text, size_t bytes, struct definition *out, struct tranche_err *err);
void definition_free(struct definition *definition);

/* The steps that a completed step of a device stands for: itself, or all of them, when they were one merged write: only that
 * is both the first and the device's last. They live as long as the definition. */
const struct tranche_step *definition_done(const struct definition *definition, uint16_t step, bool final,
                                           uint16_t *step_count);

/* Prints the writable members, comma-separated, without the enclosing braces, in canonical order: displayName,
 * description, group, batch, cancellationThreshold, data, organizations; values byte for byte without insignificant white
 * space. `canonical_types` prints the short words for `type` instead of the client's spelling: two definitions are the
 * same job (api-contract.md 6.10) exactly when these texts are equal. In braces it parses again to an equal definition. */
void definition_print(const struct definition *definition, bool canonical_types, struct text *out);

/* Whether an id may name a job, group or schedule: 1..255 of a-z A-Z 0-9 _ - ; else TRANCHE_INVALID, and a whole sentence
 * that begins with `what`. */
enum tranche_code id_check(const char *what, const char *id, struct tranche_err *err);
/* Whether an id may name a device (api-contract.md 9.1): 1..128 of letters, digits and - : . + % _ # * ? ! ( ) , = @ $ '
 * but not "." or "..". */
enum tranche_code device_id_check(const char *id, struct tranche_err *err);

const char *step_kind_name(enum tranche_step_kind kind); /* "property", "command", ... the short wire value */

#endif
