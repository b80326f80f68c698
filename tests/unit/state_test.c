#include "state.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* design.md 2.4 and the head of state.h, once more and in other words: each road on a line of its own. */
static const char *const roads[][2] = {
    { "pending", "running" },      { "pending", "stopped" },      { "pending", "complete" },
    { "pending", "failed" },       { "pending", "held" },
    { "running", "complete" },     { "running", "cancelling" },   { "running", "cancelled" },
    { "running", "stopping" },     { "running", "stopped" },      { "running", "failed" },
    { "running", "held" },
    { "stopping", "stopped" },     { "stopping", "running" },     { "stopping", "cancelling" },
    { "stopped", "pending" },      { "stopped", "running" },
    { "cancelling", "cancelled" },
    { "held", "pending" },         { "held", "running" },
};

/* state, shown, stop, resume, rerun; + allowed, 0 no effect, - refused */
static const struct {
    const char *state, *wire;
    char stop, resume, rerun;
    bool open, over;
} rows[] = {
    { "pending",    "pending",   '+', '-', '-', true,  false },
    { "running",    "running",   '+', '0', '-', true,  false },
    { "stopping",   "stopped",   '0', '+', '-', true,  false },
    { "stopped",    "stopped",   '0', '+', '+', false, false },
    { "cancelling", "running",   '0', '0', '-', true,  false },
    { "held",       "stopped",   '0', '+', '-', false, false },
    { "complete",   "complete",  '-', '-', '+', false, true },
    { "cancelled",  "cancelled", '-', '-', '+', false, true },
    { "failed",     "failed",    '-', '-', '+', false, true },
};

#define ROWS (sizeof rows / sizeof rows[0])

static enum tranche_job_state state_of(const char *name)
{
    enum tranche_job_state state;
    cr_assert(job_state_parse(name, &state), "%s", name);
    return state;
}

static bool is_road(const char *from, const char *to)
{
    for (size_t i = 0; i < sizeof roads / sizeof roads[0]; i++)
        if (strcmp(roads[i][0], from) == 0 && strcmp(roads[i][1], to) == 0)
            return true;
    return false;
}

static char sign_of(enum job_verdict verdict)
{
    switch (verdict) {
    case JOB_ALLOWED:
        return '+';
    case JOB_NO_EFFECT:
        return '0';
    case JOB_REFUSED:
        return '-';
    }
    return '?';
}

Test(state, a_job_goes_only_where_the_design_says)
{
    for (unsigned from = 0; from < TRANCHE_JOB_STATE_COUNT; from++)
        for (unsigned to = 0; to < TRANCHE_JOB_STATE_COUNT; to++) {
            const char *a = job_state_name((enum tranche_job_state)from);
            const char *b = job_state_name((enum tranche_job_state)to);
            cr_assert_eq(job_may((enum tranche_job_state)from, (enum tranche_job_state)to), is_road(a, b), "%s to %s", a,
                         b);
        }
}

Test(state, a_job_moves_along_every_road)
{
    for (size_t i = 0; i < sizeof roads / sizeof roads[0]; i++) {
        enum tranche_job_state state = state_of(roads[i][0]);

        job_move(&state, state_of(roads[i][1]));

        cr_assert_str_eq(job_state_name(state), roads[i][1]);
    }
}

Test(state, a_forbidden_move_stops_the_program, .signal = SIGABRT)
{
    enum tranche_job_state state = TRANCHE_JOB_COMPLETE;
    job_move(&state, TRANCHE_JOB_RUNNING);
}

Test(state, a_move_to_itself_stops_the_program, .signal = SIGABRT)
{
    enum tranche_job_state state = TRANCHE_JOB_RUNNING;
    job_move(&state, TRANCHE_JOB_RUNNING);
}

Test(state, a_row_for_each_state_says_what_is_shown_and_what_a_person_may_do)
{
    cr_assert_eq(ROWS, TRANCHE_JOB_STATE_COUNT);
    for (size_t i = 0; i < ROWS; i++) {
        enum tranche_job_state state = state_of(rows[i].state);
        cr_assert_str_eq(job_state_on_wire(state), rows[i].wire, "%s", rows[i].state);
        cr_assert_eq(sign_of(job_stop_verdict(state)), rows[i].stop, "stop %s", rows[i].state);
        cr_assert_eq(sign_of(job_resume_verdict(state, false)), rows[i].resume, "resume %s", rows[i].state);
        cr_assert_eq(sign_of(job_rerun_verdict(state)), rows[i].rerun, "rerun %s", rows[i].state);
        cr_assert_eq(job_state_is_open(state), rows[i].open, "%s", rows[i].state);
        cr_assert_eq(job_state_is_over(state), rows[i].over, "%s", rows[i].state);
    }
}

Test(state, having_been_resumed_changes_only_what_a_pending_job_answers)
{
    for (size_t i = 0; i < ROWS; i++) {
        enum tranche_job_state state = state_of(rows[i].state);
        char expected = state == TRANCHE_JOB_PENDING ? '0' : rows[i].resume;
        cr_assert_eq(sign_of(job_resume_verdict(state, true)), expected, "%s", rows[i].state);
    }
}

Test(state, what_is_allowed_has_a_road_to_follow)
{
    for (unsigned i = 0; i < TRANCHE_JOB_STATE_COUNT; i++) {
        enum tranche_job_state state = (enum tranche_job_state)i;
        if (job_stop_verdict(state) == JOB_ALLOWED)
            cr_assert(job_may(state, TRANCHE_JOB_STOPPED) || job_may(state, TRANCHE_JOB_STOPPING));
        if (job_resume_verdict(state, false) == JOB_ALLOWED)
            cr_assert(job_may(state, TRANCHE_JOB_RUNNING));
    }
}

Test(state, what_has_no_effect_already_looks_as_ordered_or_is_being_cancelled)
{
    for (unsigned i = 0; i < TRANCHE_JOB_STATE_COUNT; i++) {
        enum tranche_job_state state = (enum tranche_job_state)i;
        if (state == TRANCHE_JOB_CANCELLING)
            continue;
        if (job_stop_verdict(state) == JOB_NO_EFFECT)
            cr_assert_str_eq(job_state_on_wire(state), "stopped");
        if (job_resume_verdict(state, false) == JOB_NO_EFFECT)
            cr_assert_str_eq(job_state_on_wire(state), "running");
    }
}

Test(state, every_state_can_still_come_to_an_end)
{
    for (unsigned i = 0; i < TRANCHE_JOB_STATE_COUNT; i++) {
        unsigned seen = 1u << i;
        for (unsigned round = 0; round < TRANCHE_JOB_STATE_COUNT; round++)
            for (unsigned from = 0; from < TRANCHE_JOB_STATE_COUNT; from++)
                for (unsigned to = 0; seen >> from & 1 && to < TRANCHE_JOB_STATE_COUNT; to++)
                    if (job_may((enum tranche_job_state)from, (enum tranche_job_state)to))
                        seen |= 1u << to;
        cr_assert(seen & (1u << TRANCHE_JOB_COMPLETE | 1u << TRANCHE_JOB_CANCELLED | 1u << TRANCHE_JOB_FAILED), "%s",
                  job_state_name((enum tranche_job_state)i));
    }
}

Test(state, names_are_read_back_and_others_are_not)
{
    static const char *const strangers[] = { "", "Pending", "pendin", "pendingg", "skipped", "canceled", " running" };
    for (unsigned i = 0; i < TRANCHE_JOB_STATE_COUNT; i++)
        cr_assert_eq(state_of(job_state_name((enum tranche_job_state)i)), i);

    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        enum tranche_job_state state = TRANCHE_JOB_HELD;
        cr_assert_not(job_state_parse(strangers[i], &state), "%s", strangers[i]);
        cr_assert_eq(state, TRANCHE_JOB_HELD);
    }
}

Test(state, a_refusal_says_why)
{
    cr_assert_str_eq(job_state_refusal(TRANCHE_JOB_RUNNING), "it is running");
    cr_assert_str_eq(job_state_refusal(TRANCHE_JOB_COMPLETE), "it is complete");
    cr_assert_str_eq(job_state_refusal(TRANCHE_JOB_CANCELLED), "it is cancelled");
    cr_assert_str_eq(job_state_refusal(TRANCHE_JOB_STOPPING), "its last calls are still in flight");
    for (unsigned i = 0; i < TRANCHE_JOB_STATE_COUNT; i++)
        cr_assert_not_null(strstr(job_state_refusal((enum tranche_job_state)i), "it"));
}

Test(state, a_device_leaves_pending_once_and_for_all)
{
    for (unsigned from = 0; from < TRANCHE_DEVICE_STATE_COUNT; from++) {
        bool pending = from == TRANCHE_DEVICE_PENDING;
        cr_assert_eq(device_state_is_final((enum tranche_device_state)from), !pending);
        for (unsigned to = 0; to < TRANCHE_DEVICE_STATE_COUNT; to++)
            cr_assert_eq(device_may((enum tranche_device_state)from, (enum tranche_device_state)to),
                         pending && to != TRANCHE_DEVICE_PENDING, "%u to %u", from, to);
    }
}

Test(state, a_device_moves)
{
    for (unsigned to = TRANCHE_DEVICE_COMPLETED; to < TRANCHE_DEVICE_STATE_COUNT; to++) {
        enum tranche_device_state state = TRANCHE_DEVICE_PENDING;
        device_move(&state, (enum tranche_device_state)to);
        cr_assert_eq(state, to);
    }
}

Test(state, a_second_result_of_a_device_stops_the_program, .signal = SIGABRT)
{
    enum tranche_device_state state = TRANCHE_DEVICE_COMPLETED;
    device_move(&state, TRANCHE_DEVICE_FAILED);
}

Test(state, an_unknown_device_is_shown_as_failed)
{
    static const char *const shown[][2] = {
        [TRANCHE_DEVICE_PENDING] = { "pending", "pending" },
        [TRANCHE_DEVICE_COMPLETED] = { "completed", "completed" },
        [TRANCHE_DEVICE_FAILED] = { "failed", "failed" },
        [TRANCHE_DEVICE_UNKNOWN] = { "unknown", "failed" },
    };
    for (unsigned i = 0; i < TRANCHE_DEVICE_STATE_COUNT; i++) {
        cr_assert_str_eq(device_state_name((enum tranche_device_state)i), shown[i][0]);
        cr_assert_str_eq(device_state_on_wire((enum tranche_device_state)i), shown[i][1]);
    }
}
