/* What went wrong, in words, lent by the caller and written only on failure. main prints it, nobody else
 * does. */
#ifndef FLEETSIM_TROUBLE_H
#define FLEETSIM_TROUBLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct trouble {
    char text[512]; /* cut, never overrun */
};

/* Always false, so that a failing function can end in `return trouble_say(...)`. */
__attribute__((format(printf, 2, 3))) static inline bool trouble_say(struct trouble *trouble,
                                                                     const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trouble->text, sizeof trouble->text, format, arguments);
    va_end(arguments);
    return false;
}

#endif
