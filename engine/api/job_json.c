#include "job_json.h"

#include "fail.h"
#include "group_filter.h"
#include "job_read.h"
#include "listing.h"
#include "paging.h"
#include "template.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct tranche_tally job_json_tally(const struct tranche_job_record *job)
{
    return job->frozen ? job->tally : (struct tranche_tally){ .total = job->estimate };
}

void job_json_time(const char *name, int64_t us, struct text *out)
{
    if (us == 0)
        return;
    char time[WHEN_TEXT_BYTES];
    when_rfc3339(us, time);
    text_printf(out, ",\"%s\":\"%s\"", name, time);
}

void job_json_print(const struct tranche_job_record *job, struct text *out)
{
    struct tranche_tally tally = job_json_tally(job);
    text_puts(out, "{\"id\":");
    text_json(out, job->id);
    if (job->schedule[0] != '\0') {
        text_puts(out, ",\"scheduledJobId\":");
        text_json(out, job->schedule);
    }
    text_printf(out, ",%s", job->definition);
    job_json_time("start", job->started_us, out);
    job_json_time("end", job->ended_us, out);
    text_printf(out,
                ",\"progress\":{\"total\":%" PRIu32 ",\"pending\":%" PRIu32 ",\"completed\":%" PRIu32
                ",\"failed\":%" PRIu32 "},\"status\":\"%s\"}",
                tally.total, tranche_tally_pending(&tally), tally.completed, tally.failed + tally.unknown,
                job_state_on_wire(job->state));
}

void job_json_list(void *listing, const struct tranche_job_record *job)
{
    struct listing *page = listing;
    if (listing_takes(page, job->organization, job->no, NULL))
        job_json_print(job, page->out);
}

bool request_job(struct request *request, struct tranche_job_record *job)
{
    const char *id = request->parameters[0];
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return false;
    struct tranche_err err;
    enum tranche_code code = reader->functions->job_find(reader, id, job, &err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && (job->device[0] != '\0' || !request_sees(request, job->organization))))
        code = fail(&err, TRANCHE_NOTFOUND, "Job \"%.255s\" was not found.", id);
    if (code != TRANCHE_OK) {
        tranche_job_record_free(job);
        request_refuse(request, &err);
    }
    return code == TRANCHE_OK;
}

enum tranche_code job_check_place(const struct request *request, const struct tranche_job_record *job,
                                  struct tranche_reader *reader, struct tranche_err *err)
{
    struct tranche_group_record group;
    struct organization_tree tree;
    enum tranche_code code = organizations_read(reader, &tree, err);
    bool known = job->organization[0] == '\0' || organization_find(&tree, job->organization) != NULL;
    if (code == TRANCHE_OK && (!known || !request_sees(request, job->organization)))
        code = fail(err, TRANCHE_INVALID, "organizations[0]: organization \"%.60s\" does not exist.", job->organization);
    if (code == TRANCHE_OK)
        code = reader->functions->group_find(reader, job->group, &group, err);
    if (code == TRANCHE_NOTFOUND || (code == TRANCHE_OK && !request_sees(request, group.organization)))
        code = fail(err, TRANCHE_INVALID, "group: device group \"%s\" does not exist.", job->group);
    if (code == TRANCHE_OK && job->organization[0] != '\0' &&
        (group.organization == NULL || !organization_is_within(&tree, group.organization, job->organization)))
        code = fail(err, TRANCHE_INVALID, "group: device group \"%s\" does not belong to organization \"%.60s\".",
                    job->group, job->organization);
    organization_tree_free(&tree);
    return code;
}

static enum tranche_code check_step(struct tranche_reader *reader, const struct tranche_step *step, uint16_t index,
                                    struct tranche_err *err)
{
    struct tranche_object_record object;
    struct template template;
    char where[24];
    if (step->kind == TRANCHE_STEP_TEMPLATE_MIGRATION || step->kind == TRANCHE_STEP_MANIFEST_MIGRATION)
        return TRANCHE_OK;
    enum tranche_code code = reader->functions->object_find(reader, TRANCHE_TEMPLATE, step->target, &object, err);
    if (code != TRANCHE_OK)
        return code == TRANCHE_NOTFOUND ? TRANCHE_OK : code;
    code = template_parse(object.body, strlen(object.body), &template, err);
    if (code != TRANCHE_OK)
        return code;
    snprintf(where, sizeof where, "data[%u]", index);
    code = template_check_step(&template, step, where, err);
    template_free(&template);
    return code;
}

/* A template that is not registered says nothing. */
enum tranche_code job_check_template(const struct tranche_job_record *job, struct tranche_reader *reader,
                                     struct tranche_err *err)
{
    struct definition definition;
    enum tranche_code code = job_definition(job, &definition, err);
    for (uint16_t i = 0; i < definition.step_count && code == TRANCHE_OK; i++)
        code = check_step(reader, &definition.steps[i], i, err);
    definition_free(&definition);
    return code;
}

#define SCAN_PAGE 1000  /* devices that are looked at in one go */
#define SCAN_MAX  50000 /* and for one page of one outcome: a few tenths of a second */

struct device_list {
    void (*print)(const struct tranche_job_device *device, struct text *out);
    enum tranche_device_state outcome;
    struct text *out;
    uint32_t limit;
    uint32_t count;
    bool full;     /* there is one more than the page holds */
    uint32_t next; /* ordinal behind the last device printed or passed over */
};

static void list_device(void *context, const struct tranche_job_device *device)
{
    struct device_list *list = context;
    bool wanted = list->outcome == ALL_OUTCOMES || list->outcome == device->state;
    list->full |= wanted && list->count == list->limit;
    if (list->full)
        return;
    list->next = device->ordinal + 1;
    if (!wanted)
        return;
    if (list->count++ > 0)
        text_puts(list->out, ",");
    list->print(device, list->out);
}

/* Of all outcomes one more than the page is looked at, only to know that there is one. */
static enum tranche_code print_devices(struct request *request, const struct tranche_job_record *job,
                                       const struct page *page, struct device_list *list,
                                       struct tranche_err *err)
{
    struct tranche_reader *reader = request->reader;
    bool all = list->outcome == ALL_OUTCOMES;
    uint32_t first = (uint32_t)page->from, look = all ? page->limit + 1 : SCAN_PAGE;
    uint32_t total = job->frozen ? job->tally.total : 0;
    list->next = first;
    list->out = request_answer(request, 200);
    text_puts(list->out, "{\"value\":[");
    enum tranche_code code = TRANCHE_OK;
    do
        code = reader->functions->job_devices_page(reader, job, list->next, look, list_device, list, err);
    while (code == TRANCHE_OK && !all && !list->full && list->next < total && list->next - first < SCAN_MAX);
    if (code != TRANCHE_OK)
        return code;
    text_puts(list->out, "]");
    if (list->full || (!all && list->next < total))
        page_link(request, PAGE_DEVICES, list->next, list->out);
    text_puts(list->out, "}");
    return TRANCHE_OK;
}

void request_job_devices(struct request *request, uint32_t limit_standard, uint32_t limit_max,
                         enum tranche_device_state outcome,
                         void (*print)(const struct tranche_job_device *device, struct text *out))
{
    struct tranche_err err;
    struct page page;
    if (page_parse(request, PAGE_DEVICES, limit_standard, limit_max, &page, &err) != TRANCHE_OK) {
        request_refuse(request, &err);
        return;
    }
    struct tranche_job_record job = { 0 };
    if (!request_job(request, &job))
        return;
    struct device_list list = { .print = print, .outcome = outcome, .limit = page.limit };
    if (print_devices(request, &job, &page, &list, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    tranche_job_record_free(&job);
}
