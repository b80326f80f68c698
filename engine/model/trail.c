/* Trails, printed. The recursion is as deep as the trail, which JSON_DEPTH_MAX bounds. */
#include "trail.h"

#include "mem.h"

#include <stdio.h>
#include <string.h>

#define TAIL_BYTES (TRAIL_BYTES / 2) /* kept of a trail that is too long */

static void add(struct text *out, const struct trail *trail)
{
    if (trail->up != NULL)
        add(out, trail->up);
    if (trail->name == NULL)
        text_printf(out, "[%zu]", trail->index);
    else
        text_printf(out, "%s%s", out->length > 0 && trail->name[0] != '\0' ? "." : "", trail->name);
}

const char *trail_print(const struct trail *trail, char text[TRAIL_BYTES])
{
    struct text whole = { 0 };
    add(&whole, trail);
    if (whole.failed || whole.length == 0)
        text[0] = '\0';
    else if (whole.length < TRAIL_BYTES)
        memcpy(text, whole.bytes, whole.length + 1);
    else
        snprintf(text, TRAIL_BYTES, "%.*s...%s", TRAIL_BYTES - TAIL_BYTES - 4, whole.bytes,
                 whole.bytes + whole.length - TAIL_BYTES);
    text_free(&whole);
    return text;
}
