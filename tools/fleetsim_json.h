/* Just enough JSON for a gateway that echoes: walk the members of an object, quote a string. Nothing is
 * decoded and nothing allocated; spans point into the caller's text.
 */
#ifndef FLEETSIM_JSON_H
#define FLEETSIM_JSON_H

#include "fleetsim_bytes.h"

struct json_object {
    const char *at, *end;
    bool broken; /* the text is not one JSON object; set by open or by the next that meets the fault */
    bool started;
};

/* Starts a walk over `text`, which must be one object with nothing but white space around it. */
struct json_object json_object_open(struct span text);

/* The next member: its name with the quotes and its value, both as they stand. False at the end or at a
 * fault. */
bool json_object_next(struct json_object *object, struct span *name, struct span *value);

/* Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD. */
void json_put_string(struct bytes *out, struct span text);

#endif
