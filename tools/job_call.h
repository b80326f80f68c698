/* Calls about jobs that several commands make. */
#ifndef JOB_CALL_H
#define JOB_CALL_H

#include "http.h"

/* One call of /api/jobs/{id}{more}: `more` is "" or "/stop" and the like. As http_call. */
enum exit_code job_call(struct http *http, const char *method, const char *id, const char *more, const char *body,
                        size_t bytes);
/* Gets the job and shows it. What goes wrong is said. */
enum exit_code job_show(struct http *http, const char *id);
/* The whole of a command that gives one job an order ("/stop") and then shows the job. */
enum exit_code job_order(struct cli *cli, struct words *words, const char *order);

#endif
