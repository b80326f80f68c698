#include "watch.h"

#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LOG_EVERY_US     10000000 /* lines in a log, besides those at batch ends */
#define OUTAGE_US_MAX    30000000 /* a server that restarts is back by then */
#define TERMINAL_COLUMNS 80       /* where the terminal does not tell */
#define TERMINAL_COLUMNS_MAX 200

struct watch {
    struct http *http;
    const struct watch_options *options;
    const char *id;
    struct text path;
    struct pace pace;
    struct progress progress; /* of the last answer; its strings live in http */
    bool bar;                 /* redrawn in place */
    bool drawn;
    int64_t logged_us;        /* of the last line */
    int64_t batch_logged;     /* batches whose end was told */
    int64_t answered_us;      /* of the last good answer; 0: none yet */
};

static volatile sig_atomic_t interrupted;

static void note_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_us(int64_t us)
{
    struct timespec length = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
    nanosleep(&length, NULL); /* an interrupt ends it, as it should */
}

/* ---- what is shown meanwhile ---- */

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return TERMINAL_COLUMNS;
    return size.ws_col < TERMINAL_COLUMNS_MAX ? size.ws_col : TERMINAL_COLUMNS_MAX;
}

/* One column is left free: a terminal that is written full begins a new line. */
static void draw(struct watch *watch)
{
    struct text line = {0};
    print_progress_line(&line, &watch->progress, &watch->pace, columns() - 1, watch->http->cli->color);
    if (!line.failed)
        fprintf(stderr, "\r%s\033[K", line.bytes);
    text_free(&line);
    watch->drawn = true;
}

static void undraw(struct watch *watch)
{
    if (watch->drawn)
        fputs("\r\033[K", stderr);
    watch->drawn = false;
}

static void log_line(struct watch *watch, int64_t batches_ended)
{
    struct text line = {0};
    print_progress_words(&line, &watch->progress, &watch->pace, batches_ended);
    fprintf(stderr, "%s\n", line.failed ? watch->id : line.bytes);
    text_free(&line);
}

/* Batches that have ended: all before the current one, and that too when nothing is left of the job. */
static int64_t batches_ended(const struct progress *progress)
{
    if (progress->batch_count == 0)
        return 0;
    bool all = progress_final(progress) == progress->total && progress->total > 0;
    return all ? progress->batch_count : progress->batch_index;
}

static void log_progress(struct watch *watch, int64_t now)
{
    const struct progress *progress = &watch->progress;
    int64_t ended = batches_ended(progress);
    bool batch_ended = ended > watch->batch_logged && progress->batch_count > 1;
    if (batch_ended || now - watch->logged_us >= LOG_EVERY_US) {
        log_line(watch, batch_ended ? ended : 0);
        watch->logged_us = now;
    }
    watch->batch_logged = ended;
}

static void show_progress(struct watch *watch, int64_t now)
{
    if (watch->options->quiet || watch->http->cli->quiet)
        return;
    if (watch->bar)
        draw(watch);
    else
        log_progress(watch, now);
}

/* ---- looking ---- */

enum look { LOOK_GOOD, LOOK_AGAIN, LOOK_ENDED };

/* Asks once. LOOK_AGAIN: the server is away, for a moment as we hope. LOOK_ENDED: *code says why. */
static enum look look(struct watch *watch, int64_t now, enum exit_code *code)
{
    struct http *http = watch->http;
    *code = http_call(http, "GET", watch->path.bytes, NULL, 0);
    bool away = http->status == 0 || http->status >= 500;
    if (*code != EXIT_OK && away && watch->answered_us > 0 && now - watch->answered_us < OUTAGE_US_MAX)
        return LOOK_AGAIN;
    if (*code != EXIT_OK) {
        undraw(watch);
        *code = http_report(http);
        return LOOK_ENDED;
    }
    if (!progress_read(http->json.root, &watch->progress)) {
        undraw(watch);
        *code = cli_fail(EXIT_TROUBLE, "the server's answer is no progress of a job: %.200s", http->body.bytes);
        return LOOK_ENDED;
    }
    watch->answered_us = now;
    pace_note(&watch->pace, now, progress_final(&watch->progress));
    return LOOK_GOOD;
}

/* ---- the end ---- */

static void say_end(const struct watch *watch)
{
    const struct http *http = watch->http;
    struct text sentence = {0};
    print_end_sentence(&sentence, &watch->progress);
    if (http->cli->output == OUTPUT_JSON)
        printf("%s\n", http->body.bytes);
    else if (http->cli->output == OUTPUT_ID)
        printf("%s\n", watch->id);
    else
        printf("%s\n", sentence.failed ? watch->id : sentence.bytes);
    fflush(stdout);
    text_free(&sentence);
}

static enum exit_code end_code(const struct watch *watch)
{
    const struct progress *progress = &watch->progress;
    if (strcmp(progress->state, "complete") != 0)
        return EXIT_JOB_FAILED;
    return watch->options->exit_status && progress_failed(progress) > 0 ? EXIT_DEVICES_FAILED : EXIT_OK;
}

static enum exit_code detach(struct watch *watch)
{
    if (watch->drawn)
        fputc('\n', stderr);
    fprintf(stderr, "job continues; tranche job watch %s to re-attach\n", watch->id);
    return EXIT_INTERRUPTED;
}

static enum exit_code run_watch(struct watch *watch)
{
    const struct watch_options *options = watch->options;
    int64_t started = now_us();
    watch->logged_us = started;
    for (;;) {
        enum exit_code code;
        int64_t now = now_us();
        enum look seen = look(watch, now, &code);
        if (seen == LOOK_ENDED)
            return code;
        if (seen == LOOK_GOOD) {
            show_progress(watch, now);
            if (progress_rests(&watch->progress)) {
                undraw(watch);
                say_end(watch);
                return end_code(watch);
            }
        }
        if (interrupted)
            return detach(watch);
        int64_t left = options->timeout_us - (now_us() - started);
        if (options->timeout_us > 0 && left <= 0) {
            undraw(watch);
            return cli_fail(EXIT_TIMEOUT, "job \"%s\" has not ended in time; it continues", watch->id);
        }
        sleep_us(options->timeout_us > 0 && left < options->interval_us ? left : options->interval_us);
        if (interrupted)
            return detach(watch);
    }
}

enum exit_code watch_job(struct http *http, const char *id, const struct watch_options *options)
{
    struct watch watch = { .http = http, .options = options, .id = id, .bar = http->cli->terminal_err };
    struct sigaction action = { .sa_handler = note_interrupt }, before; /* no SA_RESTART: it ends the sleep */
    sigaction(SIGINT, &action, &before);
    text_puts(&watch.path, "/v1/jobs");
    http_path_add(&watch.path, id);
    text_puts(&watch.path, "/progress");
    enum exit_code code = watch.path.failed ? cli_fail(EXIT_TROUBLE, "out of memory") : run_watch(&watch);
    text_free(&watch.path);
    sigaction(SIGINT, &before, NULL);
    return code;
}
