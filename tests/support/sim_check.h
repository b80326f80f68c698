/* What must hold of a life, told from the gateway's log and the store's rows alone (reliability.md, I1-I17). */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "sim_world.h"

/* Checks a job that rests, whose devices took `steps` steps; prints what is wrong with the seed and aborts. */
void sim_check_job(struct sim *sim, const char *id, bool command, uint16_t steps);

/* The devices' stored properties are exactly those that the jobs' completed steps have written: step n the property
 * "pn", with the value 1. Jobs that are not there are passed over; nothing may be left to be folded. */
void sim_check_values(struct sim *sim, const char *const *ids, uint32_t id_count, uint16_t steps);

/* The watch function that holds for every request: batches in order, no call of a job that was answered as stopped. */
void sim_check_request(struct sim *sim, const struct sim_entry *entry);

/* Prints the text with the seed and how to replay it, and aborts. */
_Noreturn void sim_wrong(const struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
