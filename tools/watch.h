/* Watching a job until it rests: a bar on a terminal, lines in a log, one closing sentence. */
#ifndef WATCH_H
#define WATCH_H

#include "http.h"

#include <stdint.h>

#define WATCH_INTERVAL_US     500000 /* between two looks */
#define WATCH_INTERVAL_US_MIN 200000 /* five a second: nobody reads faster */

struct watch_options {
    int64_t interval_us;  /* at least WATCH_INTERVAL_US_MIN */
    int64_t timeout_us;   /* 0: none */
    bool quiet;           /* only the closing sentence */
    bool exit_status;     /* failed devices make it EXIT_DEVICES_FAILED */
};

/* Returns when the job rests (EXIT_OK, EXIT_JOB_FAILED, EXIT_DEVICES_FAILED), the time is over, a person interrupts, or
 * the server cannot be asked. Never stops the job. Everything that is to be said has been said. */
enum exit_code watch_job(struct http *http, const char *id, const struct watch_options *options);

#endif
