/* The jobs part of IoT Central's API (api-contract.md 3.1, 14.2-14.8). */
#include "handlers.h"

#include "definition.h"
#include "fail.h"
#include "job_json.h"
#include "paging.h"

#include <stdio.h>
#include <string.h>

void jobs_get(struct request *request)
{
    struct tranche_job_record job = { 0 };
    if (!request_job(request, &job))
        return;
    job_json_print(&job, request_answer(request, 200));
    tranche_job_record_free(&job);
}

/* ---- lists ---- */

#define LIST_BYTES_MAX \
    (4 * 1024 * 1024) /* then the page ends early: a definition may have body_bytes_max bytes */

struct job_list {
    struct text *out;
    uint32_t limit;
    uint32_t count;
    bool more;    /* jobs that are not on this page */
    int64_t last; /* number of the last job printed */
};

static void list_job(void *context, const struct tranche_job_record *job)
{
    struct job_list *list = context;
    list->more |= list->count == list->limit || list->out->length > LIST_BYTES_MAX;
    if (list->more)
        return; /* one more than the limit was asked for, only to know that there is one */
    if (list->count++ > 0)
        text_puts(list->out, ",");
    job_json_print(job, list->out);
    list->last = job->no;
}

void jobs_list(struct request *request)
{
    struct tranche_err err;
    struct page page;
    uint32_t page_max = (uint32_t)request->counter->config->page_max;
    if (page_parse(request, PAGE_JOBS, page_max, page_max, &page, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct job_list list = { .out = request_answer(request, 200), .limit = page.limit };
    text_puts(list.out, "{\"value\":[");
    if (reader->functions->jobs_page(reader, page.from, page.limit + 1, list_job, &list, &err) !=
        TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    text_puts(list.out, "]");
    if (list.more)
        page_link(request, PAGE_JOBS, list.last, list.out);
    text_puts(list.out, "}");
}

static void print_device(const struct tranche_job_device *device, struct text *out)
{
    text_puts(out, "{\"id\":");
    text_json(out, device->device);
    text_printf(out, ",\"status\":\"%s\"}", device_state_on_wire(device->state));
}

void jobs_devices(struct request *request)
{
    uint32_t page_max = (uint32_t)request->counter->config->page_max;
    request_job_devices(request, page_max, page_max, ALL_OUTCOMES, print_device);
}

/* ---- create ---- */

static void answer_job(struct request *request)
{
    const struct command *command = &request->command;
    if (command->code != TRANCHE_OK)
        request_refuse(request, &command->err);
    else
        job_json_print(&command->job, request_answer(request, 200));
}

/* How many devices the group has now. A group whose filter is broken has none that we could count: the job
 * will say so. */
static enum tranche_code estimate(struct request *request, struct tranche_reader *reader,
                                  struct tranche_err *err)
{
    struct tranche_job_record *job = &request->command.job;
    struct tranche_group_record group;
    enum tranche_code code = reader->functions->group_find(reader, job->group, &group, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, TRANCHE_INVALID, "group: device group \"%s\" does not exist.", job->group);
    if (code != TRANCHE_OK)
        return code;
    struct tranche_selection all = { .filter =
                                         arena_copy(&request->memory, group.filter, strlen(group.filter)) };
    if (all.filter == NULL)
        return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    code = reader->functions->select_count(reader, &all, &job->estimate, err);
    return code == TRANCHE_INVALID ? TRANCHE_OK : code;
}

/* In the back room: counting a large group takes its time. */
static void create(struct request *request)
{
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_err err;
    if (estimate(request, reader, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else
        request_post(request, COMMAND_JOB_CREATE, answer_job);
}

static enum tranche_code read_definition(const struct request *request, struct tranche_job_record *job,
                                         struct tranche_err *err)
{
    struct definition definition;
    const char *body = request->body.bytes != NULL ? request->body.bytes : "";
    enum tranche_code code = definition_parse(body, request->body.length, &definition, err);
    if (code == TRANCHE_BADREQUEST) {
        struct tranche_err cause = *err;
        return fail(err, code, "The body is not valid JSON: %s.", cause.text);
    }
    if (code != TRANCHE_OK)
        return code;
    struct text text = { 0 };
    definition_print(&definition, false, &text);
    snprintf(job->group, sizeof job->group, "%s", definition.group);
    job->definition = text_take(&text);
    definition_free(&definition);
    return job->definition != NULL ? TRANCHE_OK
                                   : fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

void jobs_put(struct request *request)
{
    struct tranche_err err;
    const char *id = request->parameters[0];
    struct tranche_job_record *job = &request->command.job;
    if (id_check("id", id, &err) != TRANCHE_OK || read_definition(request, job, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    snprintf(job->id, sizeof job->id, "%s", id);
    request_defer(request, create);
}

/* ---- stop, resume, rerun ---- */

/* The job that an order is about; false after having refused the request. An id that cannot be one is no
 * job's. */
static bool name_job(struct request *request)
{
    const char *id = request->parameters[0];
    if (id_check("id", id, NULL) != TRANCHE_OK) {
        struct tranche_err err;
        fail(&err, TRANCHE_NOTFOUND, "Job \"%.255s\" was not found.", id);
        request_refuse(request, &err);
        return false;
    }
    snprintf(request->command.job.id, sizeof request->command.job.id, "%s", id);
    return true;
}

static void answer_nothing(struct request *request)
{
    if (request->command.code != TRANCHE_OK)
        request_refuse(request, &request->command.err);
    else
        request_answer_empty(request);
}

void jobs_stop(struct request *request)
{
    if (name_job(request))
        request_post(request, COMMAND_JOB_STOP, answer_nothing);
}

void jobs_resume(struct request *request)
{
    if (name_job(request))
        request_post(request, COMMAND_JOB_RESUME, answer_nothing);
}

void jobs_rerun(struct request *request)
{
    if (!name_job(request))
        return;
    struct tranche_err err;
    const char *rerun = request->parameters[1];
    if (id_check("rerunId", rerun, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    snprintf(request->command.rerun, sizeof request->command.rerun, "%s", rerun);
    request_post(request, COMMAND_JOB_RERUN, answer_job);
}
