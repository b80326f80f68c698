/* Scheduled jobs (api-contract.md 3.2, 4.5, 6.7, 14.9-14.14). The engine fires them (scheduler.h); here they
 * are written and shown.
 */
#include "handlers.h"

#include "change.h"
#include "definition.h"
#include "fail.h"
#include "job_json.h"
#include "job_read.h"
#include "listing.h"
#include "schedule.h"
#include "scheduler.h"
#include "state.h"
#include "when.h"

#include <stdio.h>
#include <string.h>

/* ---- the answer ---- */

/* The definition's members, and after them what a schedule has more. A description is always there, the
 * organization comes last. */
static void print_definition(const struct tranche_schedule_record *schedule, struct text *out)
{
    struct definition definition;
    struct text object = { 0 };
    text_printf(&object, "{%s}", schedule->definition);
    if (object.failed || definition_parse(object.bytes, object.length, &definition, NULL) != TRANCHE_OK) {
        out->failed = true;
        text_free(&object);
        return;
    }
    if (definition.description == NULL)
        definition.description = "";
    definition.organization = NULL;
    definition_print(&definition, false, out);
    definition_free(&definition);
    text_free(&object);
}

/* And the brace behind them. */
static void print_members(const struct tranche_schedule_record *schedule, struct text *out)
{
    bool completed = schedule->due_us == 0 && !schedule->queued;
    print_definition(schedule, out);
    text_printf(out, ",\"schedule\":%s,\"enabled\":%s,\"completed\":%s", schedule->rule,
                schedule->enabled ? "true" : "false", completed ? "true" : "false");
    change_print_organization(schedule->organization, out);
    text_puts(out, "}");
}

static void print_schedule(const struct tranche_schedule_record *schedule, struct text *out)
{
    char etag[ETAG_BYTES];
    etag_print("s", schedule->revision, etag);
    text_puts(out, "{\"etag\":");
    text_json(out, etag);
    change_print_optional("id", schedule->id, out);
    text_puts(out, ",");
    print_members(schedule, out);
}

static enum tranche_code unknown(const struct request *request, struct tranche_err *err)
{
    return fail(err, TRANCHE_NOTFOUND, "Schedule \"%.255s\" was not found.", request->parameters[0]);
}

/* The schedule, if it exists for the caller; else the request is refused. */
static bool find_schedule(struct request *request, struct tranche_schedule_record *schedule)
{
    struct tranche_err err;
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return false;
    enum tranche_code code = reader->functions->schedule_find(reader, request->parameters[0], schedule, &err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, schedule->organization)))
        code = unknown(request, &err);
    if (code != TRANCHE_OK)
        request_refuse(request, &err);
    return code == TRANCHE_OK;
}

void schedules_get(struct request *request)
{
    struct tranche_schedule_record schedule;
    if (!find_schedule(request, &schedule))
        return;
    print_schedule(&schedule, change_answer(request, "s", schedule.revision));
    request_answer_printed(request, 200);
}

/* ---- lists ---- */

static void list_schedule(void *context, const struct tranche_schedule_record *schedule)
{
    struct listing *listing = context;
    if (listing_takes(listing, schedule->organization, 0, schedule->id))
        print_schedule(schedule, listing->out);
}

static enum tranche_code fetch_schedules(struct listing *listing, struct tranche_reader *reader, const char *after,
                                         struct tranche_err *err)
{
    return reader->functions->schedules_page(reader, after, listing->fetch, list_schedule, listing, err);
}

void schedules_list(struct request *request)
{
    listing_answer(request, PAGE_SCHEDULES, 0, fetch_schedules, NULL);
}

static enum tranche_code fetch_jobs(struct listing *listing, struct tranche_reader *reader, const char *after,
                                    struct tranche_err *err)
{
    (void)after;
    return reader->functions->schedule_jobs_page(reader, listing->request->parameters[0], listing->before, listing->fetch,
                                                 job_json_list, listing, err);
}

void schedules_jobs(struct request *request)
{
    struct tranche_schedule_record schedule;
    if (find_schedule(request, &schedule))
        listing_answer(request, PAGE_JOBS, 0, fetch_jobs, NULL);
}

/* ---- create, replace, change ---- */

/* What the client wants; the job that it describes is in the request's command. */
struct change {
    struct schedule rule;
    char *rule_text; /* as it is stored */
    struct body_flag enabled;
    struct body_string etag;
    int64_t revision; /* that was patched; 0: a PUT */
};

static enum tranche_code read_change(struct request *request, const char *body, size_t bytes,
                                     struct change *change, struct tranche_err *err)
{
    struct tranche_job_record *job = &request->command.job;
    struct json_document document = { 0 };
    enum tranche_code code =
        job_read(job, request->parameters[0], body, bytes, scope_home(&request->scope), err);
    if (code == TRANCHE_OK)
        code = json_parse(body, bytes, &document, err);
    if (code == TRANCHE_OK)
        code = schedule_parse(json_member(document.root, "schedule"), &change->rule, err);
    if (code == TRANCHE_OK)
        code = body_flag(document.root, "enabled", &change->enabled, err);
    if (code == TRANCHE_OK)
        code = body_string(request, document.root, "etag", ETAG_BYTES, &change->etag, err);
    json_free(&document);
    struct text rule = { 0 };
    if (code == TRANCHE_OK) {
        schedule_print(&change->rule, &rule);
        change->rule_text = rule.failed ? NULL : arena_copy(&request->memory, rule.bytes, rule.length);
        if (change->rule_text == NULL)
            code = fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    }
    text_free(&rule);
    return code;
}

/* An instance of it that has calls to make, or is about to. */
static enum tranche_code check_rests(struct tranche_store *store,
                                     const struct tranche_schedule_record *schedule, struct tranche_err *err)
{
    struct tranche_job_record instance = { 0 };
    if (schedule->instance[0] == '\0')
        return TRANCHE_OK;
    enum tranche_code code = store->functions->job_find(store, schedule->instance, &instance, err);
    bool runs = code == TRANCHE_OK && job_state_is_open(instance.state);
    tranche_job_record_free(&instance);
    if (runs)
        return fail(err, TRANCHE_CONFLICT, "Schedule \"%s\" cannot be changed: its instance is running.",
                    schedule->id);
    return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code; /* it may have been deleted */
}

/* The schedule as it is: zeroed where there is none and it is `optional`. */
static enum tranche_code find_present(struct request *request, struct tranche_store *store,
                                      const struct body_string *etag, bool optional,
                                      struct tranche_schedule_record *present, struct tranche_err *err)
{
    *present = (struct tranche_schedule_record){ 0 };
    enum tranche_code code = store->functions->schedule_find(store, request->parameters[0], present, err);
    if (code == TRANCHE_NOTFOUND && optional)
        return change_check_etags(request, etag, "s", 0, err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, present->organization)))
        return unknown(request, err);
    return code == TRANCHE_OK ? change_check_etags(request, etag, "s", present->revision, err) : code;
}

static enum tranche_code write_schedule(struct request *request, struct tranche_store *store, int64_t now_us,
                                        struct tranche_err *err)
{
    (void)now_us;
    const struct change *change = request->held;
    const struct tranche_job_record *job = &request->command.job;
    struct tranche_schedule_record schedule;
    enum tranche_code code =
        find_present(request, store, &change->etag, change->revision == 0, &schedule, err);
    if (code == TRANCHE_OK && change->revision != 0 && change->revision != schedule.revision)
        code = change_overtaken(err);
    if (code == TRANCHE_OK) /* schedules go by the calendar, which the engine's time never follows back */
        code = scheduler_begin(&schedule, &change->rule, when_now_us(), err);
    if (code == TRANCHE_OK)
        code = check_rests(store, &schedule, err);
    if (code != TRANCHE_OK)
        return code;
    snprintf(schedule.id, sizeof schedule.id, "%s", request->parameters[0]);
    schedule.definition = job->definition;
    schedule.rule = change->rule_text;
    schedule.organization = job->organization[0] != '\0' ? job->organization : NULL;
    schedule.estimate = job->estimate;
    schedule.enabled =
        change->enabled.given ? change->enabled.value : request->counter->config->schedule_enabled_default;
    code = store->functions->schedule_put(store, &schedule, err);
    if (code == TRANCHE_OK)
        print_schedule(&schedule, change_answer(request, "s", schedule.revision));
    return code;
}

/* In the back room: counting a large group takes its time. */
static void check_and_post(struct request *request)
{
    struct tranche_err err;
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return;
    if (job_check_place(request, &request->command.job, reader, &err) != TRANCHE_OK ||
        job_check_template(&request->command.job, reader, &err) != TRANCHE_OK ||
        job_estimate(&request->command.job, reader, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    else
        change_post(request, write_schedule);
}

void schedules_put(struct request *request)
{
    struct tranche_err err;
    struct change *change = request->held = arena_take(&request->memory, sizeof *change);
    const char *body = request->body.bytes != NULL ? request->body.bytes : "";
    if (change == NULL)
        fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (change != NULL && read_change(request, body, request->body.length, change, &err) == TRANCHE_OK)
        request_defer(request, check_and_post);
    else
        request_refuse(request, &err);
}

/* Applies the patch to what is there now; should that change before the patch is written, it is refused. */
static enum tranche_code read_patch(struct request *request, const struct tranche_schedule_record *present,
                                    struct change *change, struct tranche_err *err)
{
    static const char *const required[] = { "group", "data", "schedule", NULL };
    struct text text = { 0 };
    const char *merged;
    text_puts(&text, "{"); /* without the etag: the one that counts is the client's */
    print_members(present, &text);
    change->revision = present->revision;
    enum tranche_code code = text.failed ? fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM))
                                         : change_merge(request, text.bytes, required, &merged, err);
    text_free(&text);
    return code == TRANCHE_OK ? read_change(request, merged, strlen(merged), change, err) : code;
}

void schedules_patch(struct request *request)
{
    struct tranche_err err;
    struct tranche_schedule_record present;
    struct change *change = request->held = arena_take(&request->memory, sizeof *change);
    if (!find_schedule(request, &present))
        return;
    if (change == NULL)
        fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    if (change != NULL && read_patch(request, &present, change, &err) == TRANCHE_OK)
        request_defer(request, check_and_post);
    else
        request_refuse(request, &err);
}

/* ---- delete ---- */

static enum tranche_code drop_schedule(struct request *request, struct tranche_store *store, int64_t now_us,
                                       struct tranche_err *err)
{
    (void)now_us;
    struct tranche_schedule_record present;
    enum tranche_code code = find_present(request, store, NULL, false, &present, err);
    return code == TRANCHE_OK ? store->functions->schedule_drop(store, request->parameters[0], err) : code;
}

void schedules_delete(struct request *request)
{
    change_post(request, drop_schedule);
}
