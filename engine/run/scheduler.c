#include "scheduler.h"

#include "core_internal.h"
#include "definition.h"
#include "fail.h"
#include "job_read.h"
#include "log.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEDULES_A_ROUND 256 /* looked at for one transaction at most */

/* The calendar is looked at as often while something is due some day: it may step. */
#define LOOK_US 1000000

/* ---- rules ---- */

static enum tranche_code parse_rule(const char *text, struct schedule *rule, struct tranche_err *err)
{
    struct json_document document = { 0 };
    enum tranche_code code = json_parse(text, strlen(text), &document, err);
    if (code == TRANCHE_OK)
        code = schedule_parse(document.root, rule, err);
    json_free(&document);
    return code;
}

/* As it is stored: 0 for never. */
static int64_t stored_due(const struct schedule *rule, uint32_t occurrence)
{
    int64_t due_us = schedule_due(rule, occurrence);
    return due_us == SCHEDULE_NEVER ? 0 : due_us;
}

enum tranche_code scheduler_begin(struct tranche_schedule_record *schedule, const struct schedule *rule,
                                  int64_t now_us, struct tranche_err *err)
{
    struct schedule present;
    if (schedule->rule != NULL) {
        enum tranche_code code = parse_rule(schedule->rule, &present, err);
        if (code != TRANCHE_OK || schedule_equal(&present, rule))
            return code;
    }
    bool once = rule->recurrence == SCHEDULE_ONCE;
    schedule->next = once ? 0 : schedule_after(rule, now_us);
    schedule->due_us = stored_due(rule, schedule->next);
    if (once && schedule->due_us < now_us)
        schedule->due_us = now_us; /* it was not missed, it was asked for now */
    schedule->queued = false;
    return TRANCHE_OK;
}

/* ---- making the job ---- */

/* How much of a name leaves room for a number behind it, without cutting a character. */
static size_t name_length(const char *name)
{
    const size_t room = sizeof " - 4294967295" - 1;
    size_t length = strlen(name);
    if (length + room <= DEFINITION_NAME_BYTES_MAX)
        return length;
    length = DEFINITION_NAME_BYTES_MAX - room;
    while (((unsigned char)name[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static enum tranche_code print_definition(const struct tranche_schedule_record *schedule, uint32_t run,
                                          char **text, struct tranche_job_record *record,
                                          struct tranche_err *err)
{
    struct definition definition;
    struct text name = { 0 }, printed = { 0 };
    struct tranche_job_record parsed = { .definition = (char *)schedule->definition };
    enum tranche_code code = job_definition(&parsed, &definition, err);
    if (code != TRANCHE_OK)
        return code;
    const char *base = definition.display_name != NULL ? definition.display_name : schedule->id;
    text_printf(&name, "%.*s - %u", (int)name_length(base), base, run);
    definition.display_name = name.bytes;
    if (definition.description == NULL)
        definition.description = ""; /* as the schedule itself shows it */
    if (!name.failed)
        definition_print(&definition, false, &printed);
    snprintf(record->group, sizeof record->group, "%s", definition.group);
    *text = name.failed ? NULL : text_take(&printed);
    definition_free(&definition);
    text_free(&name);
    return *text != NULL ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "out of memory");
}

/* Adds the schedule's next job; its row goes with the next commit. */
static enum tranche_code make_job(struct core *core, const struct tranche_schedule_record *schedule,
                                  uint32_t run, char id[TRANCHE_ID_BYTES], struct tranche_err *err)
{
    struct tranche_job_record record = {
        .state = TRANCHE_JOB_PENDING,
        .created_us = core->now_us,
        .estimate = schedule->estimate,
    };
    enum tranche_code code = print_definition(schedule, run, &record.definition, &record, err);
    if (code != TRANCHE_OK)
        return code;
    core->world->name(core->world->context, record.id);
    strcpy(record.schedule, schedule->id);
    snprintf(record.organization, sizeof record.organization, "%s",
             schedule->organization != NULL ? schedule->organization : "");
    strcpy(id, record.id);
    struct job *job = life_add(core, &record);
    if (job != NULL)
        job->new_row = true;
    tranche_job_record_free(&record);
    return job != NULL ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "out of memory");
}

/* ---- settling ---- */

static bool is_busy(struct core *core, const struct tranche_schedule_record *schedule)
{
    const struct job *instance = life_find(core, schedule->instance);
    return instance != NULL && job_state_is_open(instance->record.state);
}

/* Whether the latest of the occurrences that are due makes a job. */
static bool is_wanted(const struct core *core, const struct tranche_schedule_record *schedule,
                      const struct schedule *rule, uint32_t count)
{
    if (count == 0 || !schedule->enabled)
        return false;
    int64_t due_us = count == 1 ? schedule->due_us : schedule_due(rule, schedule->next + count - 1);
    bool missed = core->calendar_us - due_us > (int64_t)core->config.schedule_late_s * 1000000;
    return !missed || strcmp(core->config.schedule_missed, "skip") != 0;
}

static void log_skipped(const struct tranche_schedule_record *schedule, uint32_t count, const char *why)
{
    if (count > 0)
        log_info("scheduler", "occurrences are skipped", "schedule=%s count=%u why=\"%s\"", schedule->id,
                 count, why);
}

static void name_audit(const struct core *core, struct settled *settled)
{
    struct tranche_audit_record *audit = &settled->audit;
    audit->at_us = core->now_us;
    strcpy(audit->who, "scheduler");
    strcpy(audit->operation, "ScheduledJobs_Fire");
    strcpy(audit->result, "OK");
    snprintf(audit->object, sizeof audit->object, "%s/%s", settled->schedule.id, settled->schedule.instance);
}

/* Decides from what is due, whether the instance before is running, and whether an occurrence is queued. */
static enum tranche_code settle(struct core *core, const struct tranche_schedule_record *schedule,
                                struct settled *settled, struct tranche_err *err)
{
    struct schedule rule;
    enum tranche_code code = parse_rule(schedule->rule, &rule, err);
    if (code != TRANCHE_OK)
        return code;
    uint32_t after = schedule_after(&rule, core->calendar_us);
    bool due = schedule->due_us != 0 && schedule->due_us <= core->calendar_us && after > schedule->next;
    uint32_t count = due ? after - schedule->next : 0;
    bool wanted = is_wanted(core, schedule, &rule, count), busy = is_busy(core, schedule);
    bool queued = schedule->queued && schedule->enabled;
    bool makes = !busy && (wanted || queued);

    struct tranche_schedule_record *now = &settled->schedule;
    *now = *schedule;
    now->next += count;
    now->due_us = count > 0 ? stored_due(&rule, now->next) : schedule->due_us;
    now->queued = busy ? wanted || queued : wanted && queued;
    if (makes) {
        code = make_job(core, schedule, ++now->runs, now->instance, err);
        if (code != TRANCHE_OK)
            return code;
        name_audit(core, settled);
    }
    log_skipped(schedule, wanted ? count - 1 : count,
                schedule->enabled ? "they were missed" : "it is disabled");
    log_skipped(schedule, busy && wanted && queued,
                "the instance before is running, and one occurrence waits");
    now->definition = now->rule = now->organization = NULL; /* the round's, and gone with it */
    return TRANCHE_OK;
}

/* ---- looking for what is due ---- */

struct round {
    struct tranche_schedule_record due[SCHEDULES_A_ROUND];
    unsigned count;
    struct arena memory;
};

static const char *keep(struct round *round, const char *text)
{
    return text == NULL ? NULL : arena_copy(&round->memory, text, strlen(text));
}

static void collect(void *context, const struct tranche_schedule_record *schedule)
{
    struct round *round = context;
    struct tranche_schedule_record *kept = &round->due[round->count++];
    *kept = *schedule;
    kept->definition = keep(round, schedule->definition);
    kept->rule = keep(round, schedule->rule);
    kept->organization = keep(round, schedule->organization);
}

/* One that cannot be settled is tried again later; it must not keep the others from it. */
static void settle_one(struct core *core, const struct tranche_schedule_record *schedule)
{
    struct tranche_err err = { 0 };
    struct settled *settled = calloc(1, sizeof *settled);
    enum tranche_code code =
        settled == NULL ? fail(&err, TRANCHE_NOMEM, "out of memory") : settle(core, schedule, settled, &err);
    if (code != TRANCHE_OK) {
        log_error("scheduler", "a schedule cannot be settled", "schedule=%s err=\"%s\"", schedule->id,
                  err.text);
        free(settled);
        return;
    }
    bool news = settled->schedule.next != schedule->next || settled->schedule.queued != schedule->queued ||
                settled->schedule.runs != schedule->runs;
    if (!news) {
        free(settled);
        return;
    }
    settled->next = core->scheduler.settled;
    core->scheduler.settled = settled;
    core_hurry(core);
}

/* What is due comes before what is queued, so that instances which run for long keep nobody from firing. False: there may be
 * more to look at, or it could not be done. */
static bool settle_round(struct core *core)
{
    struct tranche_err err = { 0 };
    struct round *round = calloc(1, sizeof *round);
    enum tranche_code code = round == NULL ? fail(&err, TRANCHE_NOMEM, "out of memory")
                                           : core->store->functions->schedules_due(core->store, core->calendar_us,
                                                                                   SCHEDULES_A_ROUND, collect, round, &err);
    if (code == TRANCHE_OK && round->memory.failed)
        code = fail(&err, TRANCHE_NOMEM, "out of memory");
    if (code != TRANCHE_OK)
        log_error("scheduler", "the schedules cannot be read", "err=\"%s\"", err.text);
    for (unsigned i = 0; code == TRANCHE_OK && i < round->count; i++)
        settle_one(core, &round->due[i]);
    bool whole = code == TRANCHE_OK && round->count < SCHEDULES_A_ROUND;
    if (round != NULL)
        arena_free(&round->memory);
    free(round);
    return whole;
}

/* What is being settled is not looked at again before it is durable. */
void scheduler_advance(struct core *core)
{
    struct scheduler *scheduler = &core->scheduler;
    if (core->draining || core->recovering || scheduler->settled != NULL ||
        core->mono_us < scheduler->look_at_us)
        return;
    if (scheduler->look) {
        struct tranche_err err;
        if (core->store->functions->schedules_wake(core->store, &scheduler->due_us, &scheduler->queued,
                                                   &err) != TRANCHE_OK) {
            scheduler->look_at_us = core->mono_us + LOOK_US;
            return;
        }
        scheduler->look = false;
    }
    bool due = scheduler->due_us != 0 && scheduler->due_us <= core->calendar_us;
    if (!due && !(scheduler->queued && scheduler->ended))
        return;
    if (settle_round(core))
        scheduler->ended = false;
    if (scheduler->settled == NULL)
        scheduler->look_at_us = core->mono_us + LOOK_US; /* nothing could be done about it */
}

int64_t scheduler_wake(const struct core *core)
{
    const struct scheduler *scheduler = &core->scheduler;
    if (core->draining || core->recovering || scheduler->settled != NULL)
        return INT64_MAX;
    int64_t wait_us = INT64_MAX;
    if (scheduler->due_us != 0)
        wait_us =
            scheduler->due_us - core->calendar_us < LOOK_US ? scheduler->due_us - core->calendar_us : LOOK_US;
    if (scheduler->look || (scheduler->queued && scheduler->ended) || wait_us < 0)
        wait_us = 0;
    if (wait_us == INT64_MAX)
        return INT64_MAX;
    int64_t wake_us = core->mono_us + wait_us;
    return wake_us > scheduler->look_at_us ? wake_us : scheduler->look_at_us;
}

/* ---- the commit ---- */

/* A schedule that was deleted in the meantime needs no word any more. */
enum tranche_code scheduler_write(struct core *core, struct tranche_err *err)
{
    const struct tranche_store_functions *store = core->store->functions;
    enum tranche_code code = TRANCHE_OK;
    for (const struct settled *settled = core->scheduler.settled; settled != NULL && code == TRANCHE_OK;
         settled = settled->next) {
        code = store->schedule_settle(core->store, &settled->schedule, err);
        if (code == TRANCHE_NOTFOUND)
            code = TRANCHE_OK;
        if (code == TRANCHE_OK && settled->audit.operation[0] != '\0')
            code = store->audit_put(core->store, &settled->audit, err);
    }
    return code;
}

void scheduler_settled(struct core *core)
{
    core->scheduler.look |= core->scheduler.settled != NULL;
    scheduler_free(core);
}

void scheduler_free(struct core *core)
{
    while (core->scheduler.settled != NULL) {
        struct settled *settled = core->scheduler.settled;
        core->scheduler.settled = settled->next;
        free(settled);
    }
}
