/* Where a reader is in nested JSON: a link for each level, on the reader's stack. It costs nothing until
 * there is something to complain about; then it prints as `capabilityModel.contents[3].schema`. Pure; any
 * thread.
 */
#ifndef TRAIL_H
#define TRAIL_H

#include <stddef.h>

#define TRAIL_BYTES \
    192 /* of a printed trail, so that the complaint behind it finds room in an error's text too */

struct trail {
    const struct trail *up; /* NULL: this is the outermost */
    const char *name;       /* a member of what is above; NULL: an item of it; "" for what has no name */
    size_t index;           /* of the item */
};

/* Prints the trail; one that is too long loses its middle. Returns `text`. */
const char *trail_print(const struct trail *trail, char text[TRAIL_BYTES]);

#endif
