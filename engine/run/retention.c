#include "retention.h"

#include "core_internal.h"
#include "fail.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

#define REST_US  (60 * INT64_C(1000000)) /* between two looks that find nothing */
#define PAUSE_US 20000                   /* between two slices, so that jobs hardly notice them */
#define DAY_US   (INT64_C(86400) * 1000000)

void retention_look_soon(struct core *core)
{
    if (core->retention.look_at_us > core->mono_us + PAUSE_US)
        core->retention.look_at_us = core->mono_us + PAUSE_US;
}

void retention_advance(struct core *core)
{
    if (core->draining || core->recovering || core->retention.due || core->mono_us < core->retention.look_at_us)
        return;
    core->retention.due = true;
    core_hurry(core);
}

static enum tranche_code note(struct core *core, const char *id, struct tranche_err *err)
{
    struct tranche_audit_record audit = { .at_us = core->now_us, .who = "retention", .operation = "Jobs_Expire",
                                          .result = "OK" };
    snprintf(audit.object, sizeof audit.object, "%s", id);
    log_info("retention", "a job is removed", "job=%s", id);
    return core->store->functions->audit_put(core->store, &audit, err);
}

/* The oldest job that has been over for long enough, if nothing needs it any more. */
static enum tranche_code expire_one(struct core *core, struct tranche_err *err)
{
    const struct tranche_store_functions *store = core->store->functions;
    int64_t days = (int64_t)core->config.job_retention_days, no;
    char id[TRANCHE_ID_BYTES];
    if (days == 0)
        return TRANCHE_OK;
    enum tranche_code code = store->job_expired(core->store, core->now_us - days * DAY_US, &no, id, err);
    if (code == TRANCHE_OK)
        code = store->job_erase(core->store, no, err);
    if (code == TRANCHE_NOTFOUND || code == TRANCHE_CONFLICT)
        return TRANCHE_OK;
    core->retention.found = true;
    return code == TRANCHE_OK ? note(core, id, err) : code;
}

enum tranche_code retention_write(struct core *core, struct tranche_err *err)
{
    bool more = false;
    if (!core->retention.due)
        return TRANCHE_OK;
    enum tranche_code code = core->store->functions->erase_some(core->store, &more, err);
    core->retention.found = more;
    return code == TRANCHE_OK && !more ? expire_one(core, err) : code;
}

void retention_settled(struct core *core)
{
    struct retention *retention = &core->retention;
    if (!retention->due)
        return;
    retention->due = false;
    retention->look_at_us = core->mono_us + (retention->found ? PAUSE_US : REST_US);
}

int64_t retention_wake(const struct core *core)
{
    bool waits = core->draining || core->recovering || core->retention.due;
    return waits ? INT64_MAX : core->retention.look_at_us;
}
