/* The jobs part of IoT Central's API (api-contract.md 3.1, 14.2-14.8). */
#include "handlers.h"

#include "definition.h"
#include "fail.h"
#include "job_json.h"
#include "job_read.h"
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

/* In the back room: counting a large group takes its time. */
static void create(struct request *request)
{
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_err err;
    if (job_estimate(&request->command.job, reader, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else
        request_post(request, COMMAND_JOB_CREATE, answer_job);
}

void jobs_put(struct request *request)
{
    struct tranche_err err;
    const char *body = request->body.bytes != NULL ? request->body.bytes : "";
    if (job_read(&request->command.job, request->parameters[0], body, request->body.length, &err) == TRANCHE_OK)
        request_defer(request, create);
    else
        request_refuse(request, &err);
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
