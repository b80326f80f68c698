#include "log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TS "^ts=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "

/* What the calls of log_* between begin and end have written. Each test runs in a process of its own. */
static int stderr_before;
static int pipe_out;

static void capture_begin(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    stderr_before = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    pipe_out = ends[0];
}

static const char *capture_end(void)
{
    static char captured[16384];
    dup2(stderr_before, STDERR_FILENO); /* closes the pipe's last way in, so that reading ends */
    close(stderr_before);
    size_t used = 0;
    ssize_t got;
    while (used < sizeof captured - 1 &&
           (got = read(pipe_out, captured + used, sizeof captured - 1 - used)) > 0)
        used += (size_t)got;
    captured[used] = '\0';
    close(pipe_out);
    return captured;
}

static void check_matches(const char *text, const char *pattern)
{
    regex_t regex;
    cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    cr_assert_eq(regexec(&regex, text, 0, NULL, 0), 0, "%s does not match %s", text, pattern);
    regfree(&regex);
}

Test(log, a_line_has_time_level_module_message_and_fields)
{
    capture_begin();
    log_info("engine", "batch done", "job=%s batch=%u", "job-014", 3u);
    const char *line = capture_end();

    check_matches(line, TS "level=info mod=engine msg=\"batch done\" job=job-014 batch=3\n$");
}

Test(log, fields_may_be_left_out)
{
    capture_begin();
    log_error("store", "the disk is full", NULL);
    const char *line = capture_end();

    check_matches(line, TS "level=error mod=store msg=\"the disk is full\"\n$");
}

Test(log, the_level_decides_what_is_shown)
{
    capture_begin();
    log_debug("a", "off by default", NULL);
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("a", "on", NULL);
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("a", "off", NULL);
    log_error("a", "always", NULL);
    const char *lines = capture_end();

    check_matches(lines, TS "level=debug mod=a msg=\"on\"\nts=[^ ]* level=error mod=a msg=\"always\"\n$");
}

Test(log, a_long_line_is_cut_and_still_ends)
{
    char field[5000];
    memset(field, 'x', sizeof field - 1);
    field[sizeof field - 1] = '\0';

    capture_begin();
    log_info("m", "long", "field=%s", field);
    log_info("m", "next", NULL);
    const char *lines = capture_end();

    const char *end = strchr(lines, '\n');
    cr_assert_not_null(end);
    cr_assert_eq(end - lines, 2047);
    check_matches(end + 1, TS "level=info mod=m msg=\"next\"\n$");
}

Test(log, errno_is_kept)
{
    capture_begin();
    dup2(pipe_out, STDERR_FILENO); /* a read end: writing fails */
    errno = ENOSPC;
    log_info("m", "lost", NULL);
    int kept = errno;
    capture_end();

    cr_assert_eq(kept, ENOSPC);
}

Test(log, quoting)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "", "\"\"" },
        { "two words", "\"two words\"" },
        { "a \"b\" \\ c", "\"a \\\"b\\\" \\\\ c\"" },
        { "line\nbreak\tand \x1b[31m\x7f", "\"line\\nbreak\\tand \\x1b[31m\\x7f\"" },
        { "gr\xC3\xBC\xC3\x9F\xFF", "\"gr\xC3\xBC\xC3\x9F\\xff\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[LOG_QUOTED_BYTES];
        cr_assert_str_eq(log_quote(cases[i].in, out), cases[i].out);
    }
}

/* Of each length, of one-byte characters, two-byte characters, and escapes of two and four bytes. */
Test(log, quoting_cuts_between_characters_and_says_so)
{
    static const char *const characters[] = { "x", "\xC3\xBC", "\"", "\x01" };
    for (size_t c = 0; c < 4; c++)
        for (size_t count = 0; count < 300; count++) {
            char text[601] = "", out[LOG_QUOTED_BYTES];
            for (size_t i = 0; i < count; i++)
                strcat(text, characters[c]);
            log_quote(text, out);

            size_t bytes = strlen(out), each = c < 3 ? c == 0 ? 1 : 2 : 4;
            bool cut = bytes > 5 && memcmp(out + bytes - 4, "...\"", 4) == 0;
            cr_assert_lt(bytes, LOG_QUOTED_BYTES);
            cr_assert_eq(out[bytes - 1], '"');
            cr_assert_eq(cut, 2 + count * each > LOG_QUOTED_BYTES - 4, "%zu of %zu", count, c);
            if (cut)
                cr_assert_eq((bytes - 5) % each, 0, "cut inside a character");
            else
                cr_assert_eq(bytes, 2 + count * each);
        }
}
