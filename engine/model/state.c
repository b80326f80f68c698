#include "state.h"

#include <assert.h>
#include <string.h>

#define TO(state) (1u << TRANCHE_JOB_##state)

static const struct {
    const char *name;
    const char *wire;
    unsigned to;
    enum job_verdict stop, resume, rerun;
    const char *refusal;
} jobs[] = {
    [TRANCHE_JOB_PENDING] = {
        "pending", "pending",
        TO(RUNNING) | TO(STOPPED) | TO(HELD) | TO(COMPLETE) | TO(FAILED),
        JOB_ALLOWED, JOB_REFUSED, JOB_REFUSED, "it is pending" },
    [TRANCHE_JOB_RUNNING] = {
        "running", "running",
        TO(STOPPING) | TO(STOPPED) | TO(CANCELLING) | TO(HELD) | TO(COMPLETE) | TO(CANCELLED) | TO(FAILED),
        JOB_ALLOWED, JOB_NO_EFFECT, JOB_REFUSED, "it is running" },
    [TRANCHE_JOB_STOPPING] = {
        "stopping", "stopped",
        TO(RUNNING) | TO(STOPPED) | TO(CANCELLING),
        JOB_NO_EFFECT, JOB_ALLOWED, JOB_REFUSED, "its last calls are still in flight" },
    [TRANCHE_JOB_STOPPED] = {
        "stopped", "stopped",
        TO(PENDING) | TO(RUNNING),
        JOB_NO_EFFECT, JOB_ALLOWED, JOB_ALLOWED, "it is stopped" },
    [TRANCHE_JOB_CANCELLING] = {
        "cancelling", "running",
        TO(CANCELLED),
        JOB_NO_EFFECT, JOB_NO_EFFECT, JOB_REFUSED, "it is being cancelled, its last calls are still in flight" },
    [TRANCHE_JOB_HELD] = {
        "held", "stopped",
        TO(PENDING) | TO(RUNNING),
        JOB_NO_EFFECT, JOB_ALLOWED, JOB_REFUSED, "it is held, its counters and its rows disagree" },
    [TRANCHE_JOB_COMPLETE] = {
        "complete", "complete", 0,
        JOB_REFUSED, JOB_REFUSED, JOB_ALLOWED, "it is complete" },
    [TRANCHE_JOB_CANCELLED] = {
        "cancelled", "cancelled", 0,
        JOB_REFUSED, JOB_REFUSED, JOB_ALLOWED, "it is cancelled" },
    [TRANCHE_JOB_FAILED] = {
        "failed", "failed", 0,
        JOB_REFUSED, JOB_REFUSED, JOB_ALLOWED, "it has failed" },
};
static_assert(sizeof jobs / sizeof jobs[0] == TRANCHE_JOB_STATE_COUNT, "every job state has a row");

#undef TO
#define TO(state) (1u << TRANCHE_DEVICE_##state)

static const struct {
    const char *name;
    const char *wire;
    unsigned to;
} devices[] = {
    [TRANCHE_DEVICE_PENDING]   = { "pending",   "pending",   TO(COMPLETED) | TO(FAILED) | TO(UNKNOWN) },
    [TRANCHE_DEVICE_COMPLETED] = { "completed", "completed", 0 },
    [TRANCHE_DEVICE_FAILED]    = { "failed",    "failed",    0 },
    [TRANCHE_DEVICE_UNKNOWN]   = { "unknown",   "failed",    0 },
};
static_assert(sizeof devices / sizeof devices[0] == TRANCHE_DEVICE_STATE_COUNT, "every device state has a row");

#undef TO

bool job_may(enum tranche_job_state from, enum tranche_job_state to)
{
    assert(from < TRANCHE_JOB_STATE_COUNT);
    assert(to < TRANCHE_JOB_STATE_COUNT);
    return jobs[from].to >> to & 1u;
}

void job_move(enum tranche_job_state *state, enum tranche_job_state to)
{
    assert(job_may(*state, to));
    *state = to;
}

const char *job_state_name(enum tranche_job_state state)
{
    assert(state < TRANCHE_JOB_STATE_COUNT);
    return jobs[state].name;
}

const char *job_state_on_wire(enum tranche_job_state state)
{
    assert(state < TRANCHE_JOB_STATE_COUNT);
    return jobs[state].wire;
}

bool job_state_parse(const char *name, enum tranche_job_state *state)
{
    for (unsigned i = 0; i < TRANCHE_JOB_STATE_COUNT; i++)
        if (strcmp(name, jobs[i].name) == 0) {
            *state = (enum tranche_job_state)i;
            return true;
        }
    return false;
}

bool job_state_is_over(enum tranche_job_state state)
{
    assert(state < TRANCHE_JOB_STATE_COUNT);
    return jobs[state].to == 0;
}

bool job_state_is_open(enum tranche_job_state state)
{
    switch (state) {
    case TRANCHE_JOB_PENDING:
    case TRANCHE_JOB_RUNNING:
    case TRANCHE_JOB_STOPPING:
    case TRANCHE_JOB_CANCELLING:
        return true;
    default:
        assert(state < TRANCHE_JOB_STATE_COUNT);
        return false;
    }
}

enum job_verdict job_stop_verdict(enum tranche_job_state state)
{
    assert(state < TRANCHE_JOB_STATE_COUNT);
    return jobs[state].stop;
}

enum job_verdict job_resume_verdict(enum tranche_job_state state, bool resumed_before)
{
    assert(state < TRANCHE_JOB_STATE_COUNT);
    if (state == TRANCHE_JOB_PENDING && resumed_before)
        return JOB_NO_EFFECT;
    return jobs[state].resume;
}

enum job_verdict job_rerun_verdict(enum tranche_job_state state)
{
    assert(state < TRANCHE_JOB_STATE_COUNT);
    return jobs[state].rerun;
}

const char *job_state_refusal(enum tranche_job_state state)
{
    assert(state < TRANCHE_JOB_STATE_COUNT);
    return jobs[state].refusal;
}

bool device_may(enum tranche_device_state from, enum tranche_device_state to)
{
    assert(from < TRANCHE_DEVICE_STATE_COUNT);
    assert(to < TRANCHE_DEVICE_STATE_COUNT);
    return devices[from].to >> to & 1u;
}

void device_move(enum tranche_device_state *state, enum tranche_device_state to)
{
    assert(device_may(*state, to));
    *state = to;
}

const char *device_state_name(enum tranche_device_state state)
{
    assert(state < TRANCHE_DEVICE_STATE_COUNT);
    return devices[state].name;
}

const char *device_state_on_wire(enum tranche_device_state state)
{
    assert(state < TRANCHE_DEVICE_STATE_COUNT);
    return devices[state].wire;
}

bool device_state_is_final(enum tranche_device_state state)
{
    assert(state < TRANCHE_DEVICE_STATE_COUNT);
    return devices[state].to == 0;
}
