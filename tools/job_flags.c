#include "job_flags.h"

#include "object_call.h"

#include <string.h>

/* ---- taking them ---- */

static enum exit_code add_entry(const struct cli *cli, struct job_words *job, const char *type, const char *text)
{
    if (job->entry_count == JOB_ENTRIES_MAX)
        return cli_usage(cli, "a job has %d properties or commands at most", JOB_ENTRIES_MAX);
    if (job->entry_count > 0 && strcmp(job->entries[0].type, type) != 0)
        return cli_usage(cli, "a job is either for properties or for commands: make two jobs");
    job->entries[job->entry_count++] = (struct job_entry){ .type = type, .text = text };
    return EXIT_OK;
}

/* az iot central sends "number" where it was told nothing. */
static enum exit_code take_cancel_batch(const struct cli *cli, struct job_words *job, const char *value)
{
    job->per_batch = strcmp(value, "true") == 0;
    if (job->per_batch || strcmp(value, "false") == 0 || strcmp(value, "number") == 0)
        return EXIT_OK;
    return cli_usage(cli, "--cancellation-threshold-batch: expected true or false, got \"%s\"", value);
}

enum exit_code job_flags_take(const struct cli *cli, struct job_words *job, int flag, const char *value)
{
    switch (flag) {
    case JOB_GROUP:            job->group = value; return EXIT_OK;
    case JOB_PROPERTY:         return add_entry(cli, job, "property", value);
    case JOB_COMMAND:          return add_entry(cli, job, "command", value);
    case JOB_CLOUD_PROPERTY:   return add_entry(cli, job, "cloudProperty", value);
    case JOB_MIGRATE_TEMPLATE: return add_entry(cli, job, "deviceTemplateMigration", value);
    case JOB_TARGET:           job->target = value; return EXIT_OK;
    case JOB_CONTENT:          job->content = value; return EXIT_OK;
    case JOB_BATCH:            job->batch = value; return EXIT_OK;
    case JOB_BATCH_TYPE:       job->batch_type = value; return EXIT_OK;
    case JOB_CANCEL:           job->cancel = value; return EXIT_OK;
    case JOB_CANCEL_TYPE:      job->cancel_type = value; return EXIT_OK;
    case JOB_CANCEL_BATCH:     return take_cancel_batch(cli, job, value);
    case JOB_PER_BATCH:        job->per_batch = true; return EXIT_OK;
    case JOB_NAME:             job->name = value; return EXIT_OK;
    case JOB_DESCRIPTION:      job->description = value; return EXIT_OK;
    case JOB_ORGANIZATION:     job->organization = value; return EXIT_OK;
    default:                   return EXIT_USAGE;
    }
}

enum exit_code job_flags_check(const struct cli *cli, const struct job_words *job, bool whole)
{
    if (whole && job->group == NULL)
        return cli_usage(cli, "--group is missing: -g GROUP-ID, the devices");
    if (job->content != NULL && job->entry_count > 0)
        return cli_usage(cli, "--content has the whole list: leave out --property and --command");
    if (whole && job->content == NULL && job->entry_count == 0)
        return cli_usage(cli, "what is to be done? --property K=V, --command NAME=JSON, or --migrate-template DTMI");
    if (job->per_batch && job->cancel == NULL)
        return cli_usage(cli, "--per-batch needs --cancel-at");
    return EXIT_OK;
}

/* ---- the body ---- */

static enum exit_code find_target(struct http *http, const char *group, struct text *target)
{
    if (object_call(http, "GET", "/api/deviceGroups", group, "", NULL, 0) != EXIT_OK)
        return http_report(http);
    const char *filter = json_string(json_member(http->json.root, "filter"));
    if (filter != NULL && filter_template(filter, target))
        return EXIT_OK;
    return cli_usage(http->cli, "--target is missing: group \"%s\" does not name exactly one template", group);
}

enum exit_code job_flags_print(struct http *http, const struct job_words *job, const char *group, struct text *body)
{
    struct tranche_err err;
    struct text target = {0};
    struct job_words complete = *job;
    enum exit_code code = EXIT_OK;
    if (job_words_need_target(job)) {
        code = find_target(http, group, &target);
        complete.target = target.bytes;
    }
    if (code == EXIT_OK && job_body_print(&complete, body, &err) != TRANCHE_OK)
        code = cli_usage(http->cli, "%s", err.text);
    text_free(&target);
    return code;
}
