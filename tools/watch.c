#include "watch.h"

#include "job_call.h"
#include "picture.h"
#include "when.h"

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
#define TERMINAL_ROWS    24
#define FAILURES_EVERY_US 2000000 /* counting them looks at all of the job's rows */

struct watch {
    struct http *http;
    const struct watch_options *options;
    const char *id;
    struct text path;
    struct pace pace;
    struct progress progress; /* of the last answer; its strings live in http */
    bool bar;                 /* redrawn in place */
    struct picture picture;
    struct text state, name;  /* what the picture borrows from the last answer about progress */
    unsigned drawn;           /* lines on the terminal */
    int64_t failures_us, failures_known; /* when the failures were asked for last, and how many there were */
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

#define LINES_ALWAYS 6 /* head, bar, counts, speed, threshold, and the one that the cursor is in */
#define LINES_OF_FAILURES (PICTURE_FAILURES_MAX + 2)

static unsigned terminal_rows(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ? TERMINAL_ROWS : size.ws_row;
}

/* Rows for batches, below their two lines of head; none on a terminal that is too low for any. */
static unsigned batch_rows(void)
{
    unsigned others = LINES_ALWAYS + LINES_OF_FAILURES + 2, rows = terminal_rows();
    unsigned left = rows > others ? rows - others : 0;
    return left < PICTURE_BATCHES_MAX ? left : PICTURE_BATCHES_MAX;
}

/* Back to the picture's first line; what is below goes. */
static void undraw(struct watch *watch)
{
    if (watch->drawn > 0)
        fprintf(stderr, "\033[%uA\r\033[J", watch->drawn);
    watch->drawn = 0;
}

/* One column is left free: a terminal that is written full begins a new line. */
static void draw(struct watch *watch)
{
    struct text lines = {0};
    unsigned before = watch->drawn;
    watch->picture.pace = watch->pace;
    if (terminal_rows() < LINES_ALWAYS + LINES_OF_FAILURES)
        watch->picture.failure_count = 0;
    unsigned count = print_picture(&lines, &watch->picture, when_now_us(), columns() - 1, batch_rows());
    if (!lines.failed && count > 0) {
        if (before > 0)
            fprintf(stderr, "\033[%uA\r", before);
        for (char *line = lines.bytes, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
            fprintf(stderr, "%.*s\033[K\n", (int)(end - line), line);
        fputs("\033[J", stderr);
        watch->drawn = count;
    }
    text_free(&lines);
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

/* A further look at the job, below "/v1/jobs/{id}". False: it cannot be had now, and is not missed. */
static bool look_at(struct watch *watch, const char *more)
{
    struct text path = {0};
    text_add(&path, watch->path.bytes, watch->path.length - strlen("/progress"));
    text_puts(&path, more);
    bool good = !path.failed && http_call(watch->http, "GET", path.bytes, NULL, 0) == EXIT_OK;
    text_free(&path);
    return good;
}

/* What the picture shows besides the progress. The last answer's strings end with the next call. */
static bool look_closer(struct watch *watch, int64_t now)
{
    struct picture *picture = &watch->picture;
    struct progress *progress = &picture->progress;
    if (!picture_read_progress(picture, watch->http->json.root))
        return false;
    text_clear(&watch->name);
    text_clear(&watch->state);
    text_puts(&watch->name, progress->id);
    text_puts(&watch->state, progress->state);
    progress->id = watch->name.bytes;
    progress->state = watch->state.bytes;
    progress->reason = NULL;
    if (picture->group[0] == '\0' && job_call(watch->http, "GET", watch->id, "", NULL, 0) == EXIT_OK)
        picture_read_job(picture, watch->http->json.root);

    char more[64];
    int64_t rows = batch_rows(), first = progress->batch_index - rows + 2;
    snprintf(more, sizeof more, "/batches?maxpagesize=%u&from=%lld", PICTURE_BATCHES_MAX, (long long)(first > 0 ? first : 0));
    if (progress->batch_count > 1 && look_at(watch, more))
        picture_read_batches(picture, watch->http->json.root);
    int64_t failed = progress_failed(progress);
    if (failed != watch->failures_known && now - watch->failures_us >= FAILURES_EVERY_US && look_at(watch, "/failures")) {
        picture_read_failures(picture, watch->http->json.root);
        watch->failures_known = failed;
        watch->failures_us = now;
    }
    return !watch->name.failed && !watch->state.failed;
}

static void show_progress(struct watch *watch, int64_t now)
{
    if (watch->options->quiet || watch->http->cli->quiet)
        return;
    if (watch->bar && look_closer(watch, now))
        draw(watch);
    else if (watch->bar)
        return;
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
        bool rests = seen == LOOK_GOOD && progress_rests(&watch->progress);
        if (seen == LOOK_GOOD && !(rests && watch->bar)) /* the closing sentence takes the picture's place */
            show_progress(watch, now);
        if (rests) {
            undraw(watch);
            say_end(watch);
            return end_code(watch);
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
    text_free(&watch.name);
    text_free(&watch.state);
    sigaction(SIGINT, &before, NULL);
    return code;
}
