/* The jobs part of IoT Central's API (api-contract.md 3.1, 14.2-14.8). */
#include "handlers.h"

#include "change.h"
#include "definition.h"
#include "fail.h"
#include "job_json.h"
#include "job_read.h"
#include "listing.h"
#include "state.h"

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

static enum tranche_code fetch_jobs(struct listing *listing, struct tranche_reader *reader, const char *after,
                                    struct tranche_err *err)
{
    (void)after;
    return reader->functions->jobs_page(reader, listing->before, listing->fetch, job_json_list, listing, err);
}

void jobs_list(struct request *request)
{
    listing_answer(request, PAGE_JOBS, 0, fetch_jobs, NULL);
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

/* An id that is taken by a job outside of what the caller reaches is no job's to it: nothing more is said. */
static enum tranche_code check_not_hidden(struct request *request, const char *id, struct tranche_reader *reader,
                                          struct tranche_err *err)
{
    if (request->scope.whole)
        return TRANCHE_OK;
    struct tranche_job_record job = { 0 };
    enum tranche_code code = reader->functions->job_find(reader, id, &job, err);
    bool hidden = code == TRANCHE_OK && !request_sees(request, job.organization);
    tranche_job_record_free(&job);
    if (hidden)
        return fail(err, TRANCHE_NOTFOUND, "Job \"%.255s\" was not found.", id);
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
}

static bool is_there(const struct request *request, struct tranche_reader *reader)
{
    struct tranche_job_record job = { 0 };
    bool is = reader->functions->job_find(reader, request->parameters[0], &job, NULL) == TRANCHE_OK;
    tranche_job_record_free(&job);
    return is;
}

/* In the back room: counting a large group takes its time. */
static void create(struct request *request)
{
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    struct tranche_err err;
    if (check_not_hidden(request, request->parameters[0], reader, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else if ((request->command.only_present = is_there(request, reader))) /* whatever became of its group since */
        request_post(request, COMMAND_JOB_CREATE, answer_job);
    else if (job_check_place(request, &request->command.job, reader, &err) != TRANCHE_OK ||
        job_check_template(&request->command.job, reader, &err) != TRANCHE_OK ||
        job_estimate(&request->command.job, reader, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else
        request_post(request, COMMAND_JOB_CREATE, answer_job);
}

void jobs_put(struct request *request)
{
    struct tranche_err err;
    const char *body = request->body.bytes != NULL ? request->body.bytes : "";
    if (job_read(&request->command.job, request->parameters[0], body, request->body.length,
                 scope_home(&request->scope), &err) == TRANCHE_OK)
        request_defer(request, create);
    else
        request_refuse(request, &err);
}

/* ---- stop, resume, rerun ---- */

/* Whether the job exists for a caller that does not reach all. It never changes its organization, so a reader's word is good. */
static bool is_seen(struct request *request)
{
    struct tranche_job_record job = { 0 };
    bool seen = request->scope.whole || request_job(request, &job);
    tranche_job_record_free(&job);
    return seen;
}

/* The job that an order is about; false after having refused the request. An id that cannot be one is no job's. */
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
    return is_seen(request);
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
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    if (id_check("rerunId", rerun, &err) != TRANCHE_OK ||
        check_not_hidden(request, rerun, reader, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    snprintf(request->command.rerun, sizeof request->command.rerun, "%s", rerun);
    request_post(request, COMMAND_JOB_RERUN, answer_job);
}

/* ---- delete, which is our own ---- */

static enum tranche_code drop_job(struct request *request, struct tranche_store *store, int64_t now_us,
                                  struct tranche_err *err)
{
    (void)now_us;
    struct tranche_job_record job = { 0 };
    const char *id = request->command.job.id;
    enum tranche_code code = store->functions->job_find(store, id, &job, err);
    if (code == TRANCHE_NOTFOUND)
        return fail(err, code, "Job \"%s\" was not found.", id);
    if (code == TRANCHE_OK)
        code = store->functions->job_erase(store, job.no, err);
    if (code == TRANCHE_CONFLICT && job_state_is_open(job.state))
        fail(err, code, "Job \"%s\" cannot be deleted: %s.", id, job_state_refusal(job.state));
    else if (code == TRANCHE_CONFLICT)
        fail(err, code, "Job \"%s\" cannot be deleted yet: its values are being stored, or a rerun of it begins.", id);
    tranche_job_record_free(&job);
    return code;
}

void jobs_delete(struct request *request)
{
    if (name_job(request))
        change_post(request, drop_job);
}
