#include "fleetsim_log.h"

#include "fleetsim_json.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

bool log_open(struct request_log *log, const char *path, struct trouble *trouble)
{
    *log = (struct request_log){ .fd = -1 };
    if (path[0] == '\0')
        return true;
    log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log->fd < 0)
        return trouble_say(trouble, "open the log %s: %s", path, strerror(errno));
    return true;
}

static uint64_t unix_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void put_field(struct bytes *out, const char *lead, struct span value)
{
    bytes_put_text(out, lead);
    json_put_string(out, value);
}

void log_request(struct request_log *log, const struct log_line *line)
{
    if (log->fd < 0)
        return;
    struct bytes *out = &log->lines;
    bytes_put_text(out, "{\"t\":");
    bytes_put_number(out, unix_now_us());
    put_field(out, ",\"method\":", line->method);
    put_field(out, ",\"path\":", line->path);
    put_field(out, ",\"device\":", line->device);
    put_field(out, ",\"key\":", line->key);
    bytes_put_text(out, ",\"attempt\":");
    bytes_put_number(out, line->attempt);
    bytes_put_text(out, ",\"verdict\":\"");
    bytes_put_text(out, line->verdict);
    bytes_put_text(out, "\"}\n");
}

bool log_flush(struct request_log *log, struct trouble *trouble)
{
    size_t written = 0;
    while (written < log->lines.count) {
        ssize_t n = write(log->fd, log->lines.data + written, log->lines.count - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return trouble_say(trouble, "write the log: %s", strerror(errno));
        if (n == 0)
            return trouble_say(trouble, "write the log: the file takes no more");
        written += (size_t)n;
    }
    log->lines.count = 0;
    return true;
}

void log_close(struct request_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    bytes_free(&log->lines);
    log->fd = -1;
}
