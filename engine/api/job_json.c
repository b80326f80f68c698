#include "job_json.h"

#include "fail.h"
#include "paging.h"
#include "when.h"

#include <inttypes.h>

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

bool request_job(struct request *request, struct tranche_job_record *job)
{
    const char *id = request->parameters[0];
    struct tranche_reader *reader = request_reader(request);
    if (reader == NULL)
        return false;
    struct tranche_err err;
    enum tranche_code code = reader->functions->job_find(reader, id, job, &err);
    if (code == TRANCHE_NOTFOUND)
        fail(&err, code, "Job \"%.255s\" was not found.", id);
    if (code != TRANCHE_OK)
        request_refuse(request, &err);
    return code == TRANCHE_OK;
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
