#include "log.h"

#include "utf8.h"
#include "when.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Below the 4096 bytes that a pipe takes in one piece: lines of several threads are never mixed. */
#define LOG_LINE_BYTES 2048

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static enum log_level level_shown = LOG_LEVEL_INFO; /* fixed once other threads run */

void log_set_level(enum log_level level)
{
    level_shown = level;
}

/* How much of the line is in use after a printf that answered `printed`. */
static size_t line_used(size_t used, int printed)
{
    assert(printed >= 0);
    size_t wanted = used + (size_t)printed;
    return wanted < LOG_LINE_BYTES ? wanted : LOG_LINE_BYTES - 1;
}

void log_event(enum log_level level, const char *module, const char *message, const char *fields, ...)
{
    if (level > level_shown)
        return;
    int errno_before = errno; /* whoever reports a failure may still want to look at it */
    char now[WHEN_TEXT_BYTES], quoted[LOG_QUOTED_BYTES], line[LOG_LINE_BYTES];
    when_rfc3339(when_now_us(), now);
    size_t used = line_used(0, snprintf(line, sizeof line, "ts=%s level=%s mod=%s msg=%s ", now,
                                        level_names[level], module, log_quote(message, quoted)));
    if (fields != NULL) {
        va_list args;
        va_start(args, fields);
        used = line_used(used, vsnprintf(line + used, sizeof line - used, fields, args));
        va_end(args);
    } else
        used--; /* the blank that would separate the fields */
    line[used] = '\n';
    if (write(STDERR_FILENO, line, used + 1) < 0) {
        /* There is no other place to complain to. */
    }
    errno = errno_before;
}

/* Writes the character at `at` so that it can stand between quotes: at most 4 bytes. Returns how many; *taken
 * is how many of the text it stands for. */
static size_t quote_character(const char *at, size_t left, char out[5], size_t *taken)
{
    unsigned char byte = (unsigned char)*at;
    size_t bytes = utf8_bytes(at, left);
    *taken = bytes == 0 ? 1 : bytes;
    if (byte == '\n' || byte == '\t' || byte == '"' || byte == '\\')
        return (size_t)snprintf(out, 5, "\\%c", byte == '\n' ? 'n' : byte == '\t' ? 't' : byte);
    if (bytes == 0 || byte < 0x20 || byte == 0x7F)
        return (size_t)snprintf(out, 5, "\\x%02x", byte);
    memcpy(out, at, bytes);
    return bytes;
}

const char *log_quote(const char *text, char out[LOG_QUOTED_BYTES])
{
    const size_t room = LOG_QUOTED_BYTES - sizeof "...\""; /* always enough left to say that it was cut */
    size_t left = strlen(text);
    size_t used = 0;
    out[used++] = '"';
    while (left > 0) {
        char piece[5];
        size_t taken;
        size_t bytes = quote_character(text, left, piece, &taken);
        if (used + bytes > room) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(out + used, piece, bytes);
        used += bytes;
        text += taken;
        left -= taken;
    }
    memcpy(out + used, "\"", 2);
    return out;
}
