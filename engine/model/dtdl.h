/* What the readers of a device model (DTDL 2, as JSON) share: types, names, references, and how they
 * complain. All refusals are TRANCHE_INVALID and a whole sentence that begins with the member's trail. Pure;
 * any thread.
 */
#ifndef DTDL_H
#define DTDL_H

#include "json.h"
#include "mem.h"
#include "trail.h"

#include <tranche/err.h>

#define DTDL_NAME_BYTES_MAX  512 /* DTDL says 64, but nobody is hurt by a longer one */
#define DTDL_SHOWN_BYTES_MAX 64  /* of what the client wrote, in an error text: any name of DTDL's */

/* Neither absent nor null, which clients generated from a schema send instead. */
bool dtdl_is_given(const struct json *value);

/* Whether the value at `trail` is given and of the type. */
enum tranche_code dtdl_require(const struct json *value, const struct trail *trail, enum json_type type,
                               struct tranche_err *err);
/* The same for the object's member of that name. */
enum tranche_code dtdl_require_member(const struct json *object, const struct trail *trail, const char *name,
                                      enum json_type type, struct tranche_err *err);

/* The required member `name` of the object at `trail`, copied; a letter, then letters, digits and, within,
 * underscores. */
enum tranche_code dtdl_read_name(const struct json *object, const struct trail *trail, struct arena *memory,
                                 const char **name, struct tranche_err *err);

/* Whether the object's @type is that, or a list with that in it. */
bool dtdl_is_a(const struct json *object, const char *type);
/* What to say when dtdl_is_a answers no to all of `types`, a list for people. */
enum tranche_code dtdl_refuse_type(const struct json *object, const struct trail *trail, const char *types,
                                   struct tranche_err *err);

/* Whether the word names something that is described elsewhere: "dtmi:...". */
bool dtdl_is_reference(const char *word);

#endif
