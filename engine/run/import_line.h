/* One line of an import: a JSON object with a device.
 *
 *     {"id":"pump-n01","displayName":"North 01","template":"dtmi:meadow:pump;2","properties":{"site":"north"}}
 *
 * Besides `id` everything is optional: enabled and provisioned are true, simulated is false, the rest is none. `null` is
 * none as well. Unknown members are refused. Strings that need no unescaping are not parsed twice, and no tree is built:
 * at 100,000 lines a second there is no time for either.
 */
#ifndef IMPORT_LINE_H
#define IMPORT_LINE_H

#include "mem.h"

#include <tranche/err.h>
#include <tranche/store.h>

/* Reads line after line into the same memory. Zeroed is ready; whoever is done calls import_line_free. */
struct import_line {
    struct tranche_device_record device; /* its strings live until the next line */
    struct text id, display_name, template_id, organization, properties;
};

/* Fills line->device. TRANCHE_INVALID or TRANCHE_BADREQUEST with a text for people that names the member. */
enum tranche_code import_line_read(struct import_line *line, const char *bytes, size_t count, struct tranche_err *err);
void import_line_free(struct import_line *line);

#endif
