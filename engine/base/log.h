/* One line per event on stderr, logfmt: ts=... level=info mod=engine msg="batch done" job=job-014 batch=3
 *
 * The control plane logs transitions; the data plane counts and does not log. Any thread may call; a line is one write.
 * Levels: error (a person must act), warn (we coped), info (state changed), debug (off by default).
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_NONE = -1, LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level); /* before other threads start */

/* `fields` is a printf format of further logfmt pairs, e.g. "job=%s batch=%u"; values with blanks, quotes or control
 * bytes must be given with %s through log_quote. NULL for none. Keeps errno. A line is cut to 2 KiB. */
void log_event(enum log_level level, const char *module, const char *message, const char *fields, ...)
    __attribute__((format(printf, 4, 5)));

#define LOG_QUOTED_BYTES 256
/* `text` as a quoted logfmt value, control bytes escaped, cut to fit; returns `out`. */
const char *log_quote(const char *text, char out[LOG_QUOTED_BYTES]);

#define log_error(module, message, ...) log_event(LOG_LEVEL_ERROR, module, message, __VA_ARGS__)
#define log_warn(module, message, ...)  log_event(LOG_LEVEL_WARN, module, message, __VA_ARGS__)
#define log_info(module, message, ...)  log_event(LOG_LEVEL_INFO, module, message, __VA_ARGS__)
#define log_debug(module, message, ...) log_event(LOG_LEVEL_DEBUG, module, message, __VA_ARGS__)

#endif
