/* A device template, as far as jobs need it: which properties and commands its devices have, and of what
 * shape their values are (api-contract.md 3.5, 4.3). Views, names for people and semantic types are passed
 * over. Pure; any thread.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "mem.h"
#include "shape.h"

#include <tranche/job.h>

#define TEMPLATE_CAPABILITIES_MAX 2000 /* in all interfaces; IoT Central allows 300 */
#define TEMPLATE_LABEL_BYTES_MAX  1024 /* displayName, description */

enum capability_kind {
    CAPABILITY_PROPERTY,
    CAPABILITY_CLOUD_PROPERTY,
    CAPABILITY_COMMAND,
    CAPABILITY_TELEMETRY,
    CAPABILITY_COMPONENT,
    CAPABILITY_RELATIONSHIP,
    CAPABILITY_KIND_COUNT
};

struct capability {
    const char *component; /* "" for the device's root */
    const char *name;
    enum capability_kind kind;
    bool writable;             /* a property; a cloud property always is */
    bool open;                 /* a component: part of its interface is described elsewhere */
    const struct shape *shape; /* of a property's value or a command's request; NULL: a command without */
    uint32_t interface;        /* its number in the order of reading: what extends comes before what it extends */
};

/* Everything points into `memory`, and is read-only once parsed. Zeroed is empty. */
struct template {
    const char *display_name; /* NULL: none given */
    const char *description;  /* NULL: none given */
    bool open;                /* part of the root's interface is described elsewhere, by a dtmi alone */
    size_t capability_count;
    const struct capability *const *capabilities; /* by component, then name */
    struct arena memory;
};

/* Parses the body of a template. What an interface defines hides what it inherits under the same name.
 * TRANCHE_BADREQUEST with json_parse's words when it is no JSON, else TRANCHE_INVALID with a whole sentence
 * that begins with the member: "capabilityModel: the member is required." A failure leaves `out` empty. */
enum tranche_code template_parse(const char *text, size_t bytes, struct template *out,
                                 struct tranche_err *err);
void template_free(struct template *template);

/* NULL: the body describes none of that name. Whether there is none can be told only if template_knows the
 * component. */
const struct capability *template_find(const struct template *template, const char *component,
                                       const char *name);
bool template_knows(const struct template *template, const char *component);

/* Whether the devices of a template can do what a job's step asks for. `step->target` names the template,
 * `where` is the step's place in the body, such as "data[0]". What the template leaves open passes, as do
 * migrations, and null or no value. TRANCHE_INVALID with a whole sentence that names both: "data[0].path:
 * device template "dtmi:x;1" has no property "foo"." */
enum tranche_code template_check_step(const struct template *template, const struct tranche_step *step,
                                      const char *where, struct tranche_err *err);

#endif
