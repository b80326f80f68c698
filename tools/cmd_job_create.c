#include "file.h"
#include "job_call.h"
#include "job_flags.h"
#include "object_call.h"
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICES_UNASKED 1000 /* a job on more of them is worth a question */

enum { BODY_FILE = JOB_FLAG_OWN, JOB_ID, WAIT, WATCH, YES };

static const struct flag flags[] = {
    JOB_FLAGS,
    { BODY_FILE, 'f', "file", "FILE", "the whole job as the API takes it; - is stdin" },
    { JOB_ID, 'j', "job-id", "JOB-ID", NULL },
    { WAIT, 0, "wait", NULL, "stay until the end; exit 9 when devices failed" },
    { WATCH, 0, "watch", NULL, "the same with a progress bar; exit 9 only after --wait" },
    { YES, 'y', "yes", NULL, "do not ask" },
    { 0 },
};

/* What the flags said beside the job itself. */
struct order {
    struct job_words job;
    const char *id, *file;
    bool wait, watch, yes;
};

/* ---- flags ---- */

static enum exit_code take_flag(const struct cli *cli, struct order *order, int flag, const char *value)
{
    switch (flag) {
    case BODY_FILE: order->file = value; return EXIT_OK;
    case JOB_ID:    order->id = value; return EXIT_OK;
    case WAIT:      order->wait = true; return EXIT_OK;
    case WATCH:     order->watch = true; return EXIT_OK;
    case YES:       order->yes = true; return EXIT_OK;
    default:        return job_flags_take(cli, &order->job, flag, value);
    }
}

static bool says_something(const struct job_words *job)
{
    return job->group != NULL || job->entry_count > 0 || job->target != NULL || job->content != NULL
        || job->batch != NULL || job->cancel != NULL || job->per_batch || job->name != NULL || job->description != NULL ||
           job->organization != NULL;
}

static enum exit_code check(const struct cli *cli, const struct order *order)
{
    const struct job_words *job = &order->job;
    if (order->id == NULL)
        return cli_usage(cli, "an argument is missing: JOB-ID, the new job's id");
    if (order->file != NULL)
        return says_something(job) ? cli_usage(cli, "--file has the whole job: leave out what describes it") : EXIT_OK;
    return job_flags_check(cli, job, true);
}

static enum exit_code parse(const struct cli *cli, struct words *words, struct order *order)
{
    const char *value;
    enum exit_code code = EXIT_OK;
    for (int flag; code == EXIT_OK && (flag = words_flag(words, &value)) != FLAG_END;)
        code = flag == FLAG_BAD ? EXIT_USAGE : take_flag(cli, order, flag, value);
    if (code != EXIT_OK)
        return code;
    const char *id = words_argument(words, 0);
    if (id != NULL && order->id != NULL && strcmp(id, order->id) != 0)
        return cli_usage(cli, "two ids were given: \"%s\" and \"%s\"", id, order->id);
    if (id != NULL)
        order->id = id;
    return check(cli, order);
}

/* ---- asking ---- */

/* A job without batches reaches everybody before anybody can look, and a large one is worth a second look. */
static bool agrees(const struct order *order, int64_t devices)
{
    bool harmless = order->yes || order->file != NULL || (order->job.batch != NULL && devices <= DEVICES_UNASKED);
    if (harmless || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return true;
    fprintf(stderr, "Job \"%s\" calls %lld devices of group \"%s\"%s. Go on? [y/N] ", order->id, (long long)devices,
            order->job.group, order->job.batch == NULL ? " without a pause, since it has no --batch" : "");
    char answer[16] = "";
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

/* ---- creating ---- */

static enum exit_code make_body(struct http *http, const struct order *order, struct text *body)
{
    struct tranche_err err;
    if (order->file == NULL) {
        text_puts(body, "{");
        enum exit_code code = job_flags_print(http, &order->job, order->job.group, body);
        text_puts(body, "}");
        return code;
    }
    enum tranche_code code = file_read(order->file, JOB_BODY_BYTES_MAX, body, &err);
    return code != TRANCHE_OK ? cli_usage(http->cli, "--file: %s", err.text) : EXIT_OK;
}

/* How many devices the group has now; a group that is not there is the server's to refuse. */
static int64_t count_devices(struct http *http, const struct order *order)
{
    int64_t count = 0;
    if (order->file != NULL || object_call(http, "GET", "/v1/deviceGroups", order->job.group, "/count", NULL, 0) != EXIT_OK ||
        !json_integer(json_member(http->json.root, "count"), &count))
        return 0;
    if (count == 0)
        cli_note(http->cli, "group \"%s\" has no devices now", order->job.group);
    return count;
}

static enum exit_code create(struct http *http, const struct order *order)
{
    struct text body = {0};
    enum exit_code code = make_body(http, order, &body);
    if (code == EXIT_OK && !agrees(order, count_devices(http, order)))
        code = cli_fail(EXIT_INTERRUPTED, "nothing was created");
    bool exists = code == EXIT_OK && job_call(http, "GET", order->id, "", NULL, 0) == EXIT_OK;
    if (code == EXIT_OK && job_call(http, "PUT", order->id, "", body.bytes, body.length) != EXIT_OK)
        code = http_report(http);
    else if (exists)
        cli_note(http->cli, "job \"%s\" exists already, with this definition: nothing was started", order->id);
    text_free(&body);
    return code;
}

static enum exit_code run_job_create(struct cli *cli, struct words *words)
{
    struct order order = {0};
    enum exit_code code = parse(cli, words, &order);
    if (code != EXIT_OK)
        return code;
    struct watch_options options = { .interval_us = WATCH_INTERVAL_US, .quiet = !order.watch, .exit_status = order.wait };
    struct http http = {0};
    code = http_open(&http, cli);
    if (code == EXIT_OK)
        code = create(&http, &order);
    if (code == EXIT_OK && (order.wait || order.watch))
        code = watch_job(&http, order.id, &options);
    else if (code == EXIT_OK)
        show_job(cli, &http.json);
    http_close(&http);
    return code;
}

const struct cmd cmd_job_create = {
    .name = "job create",
    .arguments = "JOB-ID",
    .arguments_max = 1, /* --job-id may stand for it */
    .help = "create a job and start it",
    .more = "Values: k=v takes v as JSON when it is JSON, else as a string; k:=v insists on JSON;\n"
            "k=@file reads a file. The long flags of az iot central job create are understood too.",
    .example = "tranche job create warm-up -g thermostats --property targetTemperature=56 --batch 25%",
    .flags = flags,
    .run = run_job_create,
};
