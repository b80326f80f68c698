/* Jobs and their devices as JSON, and the parts that the contract's and our own job handlers share. */
#ifndef JOB_JSON_H
#define JOB_JSON_H

#include "request.h"
#include "state.h"

/* The Job object of api-contract.md 4.1, in the order of its worked answers. */
void job_json_print(const struct tranche_job_record *job, struct text *out);

/* Visits a job of a page that is being listed: `listing` is a struct listing. */
void job_json_list(void *listing, const struct tranche_job_record *job);

/* The job's tally, or before its membership is frozen: the group's size, all pending. */
struct tranche_tally job_json_tally(const struct tranche_job_record *job);

/* Adds ,"name":"<RFC 3339>" unless `us` is 0. */
void job_json_time(const char *name, int64_t us, struct text *out);

/* Reads the job that the route names first; to be freed with tranche_job_record_free. False after a refusal. */
bool request_job(struct request *request, struct tranche_job_record *job);

/* Whether a job of this group and organization may be made by the caller: both exist for it, and the group belongs to the
 * organization, if there is one. TRANCHE_INVALID: a whole sentence. */
enum tranche_code job_check_place(const struct request *request, const struct tranche_job_record *job,
                                  struct tranche_reader *reader, struct tranche_err *err);

/* Whether what the job writes or runs is in the device template that it names, where that is registered. TRANCHE_INVALID: a
 * whole sentence. */
enum tranche_code job_check_template(const struct tranche_job_record *job, struct tranche_reader *reader,
                                     struct tranche_err *err);

#define ALL_OUTCOMES TRANCHE_DEVICE_STATE_COUNT

/* Answers with a page of the devices of that job, each as `print` prints it: those with one outcome, or all. A page of one
 * outcome may hold less than its size, even nothing, and still have a next one: only so many devices are looked at for it. */
void request_job_devices(struct request *request, uint32_t limit_standard, uint32_t limit_max,
                         enum tranche_device_state outcome,
                         void (*print)(const struct tranche_job_device *device, struct text *out));

#endif
