/* Job and device states: which there are, what they are called, where they may go, and the only ways to move.
 *
 *                    ┌──────────────────────────► complete
 *                    │
 *   pending ─────► running ─────► cancelling ───► cancelled
 *      ▲            ▲   ▲             ▲
 *      │            │   │             │
 *      ▼            │   ▼             │
 *   stopped ◄───────┼─ stopping ──────┘
 *      ▲            │
 *      └────────────┘
 *
 * Not drawn: pending and running may become failed or held; held goes back to pending or running once a recount agrees;
 * an empty group takes pending straight to complete; a trip with nothing in flight takes running straight to cancelled.
 * A stopping job whose last calls finish every device still ends as stopped: its resume then finds nothing to do and
 * completes it.
 *
 * Waiting: pending for its membership or for a place among the running jobs; stopping and cancelling for their calls in
 * flight; stopped and held for a person.
 */
#ifndef STATE_H
#define STATE_H

#include <tranche/job.h>

/* Whether a job may go from one state to another. A state never goes to itself. */
bool job_may(enum tranche_job_state from, enum tranche_job_state to);

/* Moves; asserts that the table allows it. Nobody else writes a job's state. */
void job_move(enum tranche_job_state *state, enum tranche_job_state to);

/* All strings are static. */
const char *job_state_name(enum tranche_job_state state);    /* as the store keeps it and logs show it */
const char *job_state_on_wire(enum tranche_job_state state); /* as /api shows it */
bool job_state_parse(const char *name, enum tranche_job_state *state); /* of job_state_name; false leaves *state alone */
bool job_state_is_over(enum tranche_job_state state);        /* complete, cancelled, failed */
bool job_state_is_open(enum tranche_job_state state);        /* the engine has something to do with it or must recover it:
                                                                pending, running, stopping, cancelling */

/* What a person may do, by api-contract.md 6.6. NO_EFFECT: 204, nothing changes. REFUSED: 409. */
enum job_verdict { JOB_ALLOWED, JOB_NO_EFFECT, JOB_REFUSED };
enum job_verdict job_stop_verdict(enum tranche_job_state state);
enum job_verdict job_resume_verdict(enum tranche_job_state state, bool resumed_before); /* a resumed job may wait in pending */
enum job_verdict job_rerun_verdict(enum tranche_job_state state);

/* Why an order was refused, to follow "Job ... cannot be rerun: ", without a full stop: "it is running". */
const char *job_state_refusal(enum tranche_job_state state);

bool device_may(enum tranche_device_state from, enum tranche_device_state to);
void device_move(enum tranche_device_state *state, enum tranche_device_state to);
const char *device_state_name(enum tranche_device_state state);    /* pending, completed, failed, unknown: /v1 */
const char *device_state_on_wire(enum tranche_device_state state); /* unknown is shown as failed: /api */
bool device_state_is_final(enum tranche_device_state state);

#endif
