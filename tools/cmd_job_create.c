#include "file.h"
#include "job_body.h"
#include "job_call.h"
#include "object_call.h"
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICES_UNASKED 1000 /* a job on more of them is worth a question */

enum {
    GROUP = 1, PROPERTY, COMMAND, CLOUD_PROPERTY, MIGRATE_TEMPLATE, TARGET, CONTENT, BODY_FILE, BATCH, BATCH_TYPE, CANCEL,
    CANCEL_TYPE, CANCEL_BATCH, PER_BATCH, JOB_NAME, DESCRIPTION, JOB_ID, WAIT, WATCH, YES
};

static const struct flag flags[] = {
    { GROUP, 'g', "group", "GROUP-ID", "the devices" },
    { GROUP, 0, "group-id", "GROUP-ID", NULL },
    { PROPERTY, 0, "property", "K=V", "write a property; may be repeated" },
    { COMMAND, 0, "command", "NAME[=JSON]", "run a command; repeated ones run in order" },
    { CLOUD_PROPERTY, 0, "cloud-property", "K=V", "write a property of the registry only" },
    { MIGRATE_TEMPLATE, 0, "migrate-template", "DTMI", "assign a device template" },
    { TARGET, 0, "target", "DTMI", "template that has them (the one in the group's filter)" },
    { TARGET, 0, "template", "DTMI", NULL },
    { CONTENT, 'k', "content", "JSON", "the whole list of these, or a file with it" },
    { BODY_FILE, 'f', "file", "FILE", "the whole job as the API takes it; - is stdin" },
    { BATCH, 'b', "batch", "N", "size of a batch: 25% or 250 (all at once)" },
    { CANCEL, 0, "cancel-at", "N", "cancel when more than 10% or 100 devices fail (never)" },
    { CANCEL, 0, "cancellation-threshold", "N", NULL },
    { PER_BATCH, 0, "per-batch", NULL, "count failures of the current batch only" },
    { BATCH_TYPE, 0, "batch-type", "number|percentage", NULL },
    { CANCEL_TYPE, 0, "cancellation-threshold-type", "number|percentage", NULL },
    { CANCEL_BATCH, 0, "cancellation-threshold-batch", "true|false", NULL },
    { JOB_NAME, 0, "name", "TEXT", "display name" },
    { JOB_NAME, 0, "job-name", "TEXT", NULL },
    { DESCRIPTION, 0, "description", "TEXT", "for people" },
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

static enum exit_code add_entry(const struct cli *cli, struct order *order, const char *type, const char *text)
{
    struct job_words *job = &order->job;
    if (job->entry_count == JOB_ENTRIES_MAX)
        return cli_usage(cli, "a job has %d properties or commands at most", JOB_ENTRIES_MAX);
    if (job->entry_count > 0 && strcmp(job->entries[0].type, type) != 0)
        return cli_usage(cli, "a job is either for properties or for commands: make two jobs");
    job->entries[job->entry_count++] = (struct job_entry){ .type = type, .text = text };
    return EXIT_OK;
}

/* az iot central sends "number" where it was told nothing. */
static enum exit_code take_cancel_batch(const struct cli *cli, struct order *order, const char *value)
{
    order->job.per_batch = strcmp(value, "true") == 0;
    if (order->job.per_batch || strcmp(value, "false") == 0 || strcmp(value, "number") == 0)
        return EXIT_OK;
    return cli_usage(cli, "--cancellation-threshold-batch: expected true or false, got \"%s\"", value);
}

static enum exit_code take_flag(const struct cli *cli, struct order *order, int flag, const char *value)
{
    struct job_words *job = &order->job;
    switch (flag) {
    case GROUP:            job->group = value; return EXIT_OK;
    case PROPERTY:         return add_entry(cli, order, "property", value);
    case COMMAND:          return add_entry(cli, order, "command", value);
    case CLOUD_PROPERTY:   return add_entry(cli, order, "cloudProperty", value);
    case MIGRATE_TEMPLATE: return add_entry(cli, order, "deviceTemplateMigration", value);
    case TARGET:           job->target = value; return EXIT_OK;
    case CONTENT:          job->content = value; return EXIT_OK;
    case BODY_FILE:        order->file = value; return EXIT_OK;
    case BATCH:            job->batch = value; return EXIT_OK;
    case BATCH_TYPE:       job->batch_type = value; return EXIT_OK;
    case CANCEL:           job->cancel = value; return EXIT_OK;
    case CANCEL_TYPE:      job->cancel_type = value; return EXIT_OK;
    case CANCEL_BATCH:     return take_cancel_batch(cli, order, value);
    case PER_BATCH:        job->per_batch = true; return EXIT_OK;
    case JOB_NAME:         job->name = value; return EXIT_OK;
    case DESCRIPTION:      job->description = value; return EXIT_OK;
    case JOB_ID:           order->id = value; return EXIT_OK;
    case WAIT:             order->wait = true; return EXIT_OK;
    case WATCH:            order->watch = true; return EXIT_OK;
    case YES:              order->yes = true; return EXIT_OK;
    default:               return EXIT_USAGE;
    }
}

static bool says_something(const struct job_words *job)
{
    return job->group != NULL || job->entry_count > 0 || job->target != NULL || job->content != NULL
        || job->batch != NULL || job->cancel != NULL || job->per_batch || job->name != NULL || job->description != NULL;
}

static enum exit_code check(const struct cli *cli, const struct order *order)
{
    const struct job_words *job = &order->job;
    if (order->id == NULL)
        return cli_usage(cli, "an argument is missing: JOB-ID, the new job's id");
    if (order->file != NULL)
        return says_something(job) ? cli_usage(cli, "--file has the whole job: leave out what describes it") : EXIT_OK;
    if (job->group == NULL)
        return cli_usage(cli, "--group is missing: -g GROUP-ID, the devices");
    if (job->content != NULL && job->entry_count > 0)
        return cli_usage(cli, "--content has the whole list: leave out --property and --command");
    if (job->content == NULL && job->entry_count == 0)
        return cli_usage(cli, "what is to be done? --property K=V, --command NAME=JSON, or --migrate-template DTMI");
    if (job->per_batch && job->cancel == NULL)
        return cli_usage(cli, "--per-batch needs --cancel-at");
    return EXIT_OK;
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

/* ---- the target, if nobody named it ---- */

static enum exit_code find_target(struct http *http, const struct job_words *job, struct text *target)
{
    struct text path = {0};
    text_puts(&path, "/api/deviceGroups");
    http_path_add(&path, job->group);
    text_puts(&path, HTTP_API_VERSION);
    enum exit_code code = http_call(http, "GET", path.bytes, NULL, 0);
    text_free(&path);
    if (code != EXIT_OK)
        return http_report(http);
    const char *filter = json_string(json_member(http->json.root, "filter"));
    if (filter != NULL && filter_template(filter, target))
        return EXIT_OK;
    return cli_usage(http->cli, "--target is missing: group \"%s\" does not name exactly one template", job->group);
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

static enum exit_code make_body(struct http *http, struct order *order, struct text *target, struct text *body)
{
    struct tranche_err err;
    struct job_words *job = &order->job;
    enum tranche_code code;
    if (order->file != NULL) {
        code = file_read(order->file, JOB_BODY_BYTES_MAX, body, &err);
        return code != TRANCHE_OK ? cli_usage(http->cli, "--file: %s", err.text) : EXIT_OK;
    }
    if (job_words_need_target(job)) {
        enum exit_code found = find_target(http, job, target);
        if (found != EXIT_OK)
            return found;
        job->target = target->bytes;
    }
    code = job_body_print(job, body, &err);
    return code != TRANCHE_OK ? cli_usage(http->cli, "%s", err.text) : EXIT_OK;
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

static enum exit_code create(struct http *http, struct order *order)
{
    struct text target = {0}, body = {0};
    enum exit_code code = make_body(http, order, &target, &body);
    if (code == EXIT_OK && !agrees(order, count_devices(http, order)))
        code = cli_fail(EXIT_INTERRUPTED, "nothing was created");
    bool exists = code == EXIT_OK && job_call(http, "GET", order->id, "", NULL, 0) == EXIT_OK;
    if (code == EXIT_OK && job_call(http, "PUT", order->id, "", body.bytes, body.length) != EXIT_OK)
        code = http_report(http);
    else if (exists)
        cli_note(http->cli, "job \"%s\" exists already, with this definition: nothing was started", order->id);
    text_free(&target);
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
