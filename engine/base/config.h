/* Options: one row each, read by the code, the sample configuration, --help and the tests.
 *
 * Order of precedence: command line, environment (TRANCHE_IN_FLIGHT=512), file (INI: in_flight = 512), default.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdio.h>
#include <tranche/err.h>
#include <stdint.h>

/*    name                default  least  most        unit       what it means (the file and --help show this) */
#define CONFIG_NUMBERS(X)                                                                                          \
    X(in_flight,             256,     1,  65536,      "calls",   "calls at the gateway at once, for each job")     \
    X(window_property_pct,   400,   100,  10000,      "%",       "durable intents without outcome, of in_flight")  \
    X(window_command_pct,    150,   100,  10000,      "%",       "the same for commands: bounds unknowns after a crash") \
    X(open_devices_pct,      400,   100,  10000,      "%",       "in flight and waiting for retry, of the window") \
    X(jobs_running_max,       32,     1,    256,      "jobs",    "further jobs stay pending, in order")            \
    X(workers,                 1,     1,     64,      "threads", "threads that call devices")                      \
    X(call_timeout_command_ms, 35000, 1, 3600000,     "ms",      "whole call of a command (a gateway's 30 s and a margin)") \
    X(call_timeout_property_ms, 15000, 1, 3600000,    "ms",      "whole call of a property write")                 \
    X(connect_timeout_ms,   5000,     1, 3600000,     "ms",      "connecting, part of a call's time")              \
    X(idle_command_ms,      4000,  1000, 3600000,     "ms",      "a connection idle for longer carries no command") \
    X(idle_property_ms,    60000,  1000, 3600000,     "ms",      "a connection idle for longer carries no property write") \
    X(drain_timeout_ms,    35000,     0, 3600000,     "ms",      "SIGTERM: how long calls in flight may take to end") \
    X(answer_bytes_max,    65536,  1024, 16777216,    "bytes",   "longest answer that is read from a gateway")     \
    X(answer_kept_bytes,    1024,     0,    1024,     "bytes",   "of it kept with a device's result")              \
    X(multi_handles,          64,     1,    1024,     "handles", "handles a curl multi: small keeps its walks short") \
    X(body_bytes_max,    1048576,  1024, 67108864,    "bytes",   "longest body of an API request")                 \
    X(import_bytes_max, 1073741824, 1024, 4294967295, "bytes",   "longest bulk import")                            \
    X(page_max,              100,     1,    1000,     "items",   "longest page on /api")                           \
    X(http_threads,            2,     1,      64,     "threads", "threads that serve HTTP")                        \
    X(http_connections,     1024,     4,   65536,     "",        "clients at once")                                \
    X(mailbox_max,           256,     1,   65536,     "",        "API writes that wait for the engine; then 503")   \
    X(login_failures_max,     30,     1,    1000,     "",        "tokens that are not good, at once from one address; then one in 2 s, and 429") \
    X(requests_per_s,          0,     0,  100000,     "/s",      "API requests of one token; beyond that 429; 0: no limit") \
    X(job_retention_days,     30,     0,   36500,     "days",    "finished jobs are kept so long; 0: for ever")   \
    X(schedule_enabled_default, 1,    0,       1,     "",        "whether a schedule that does not say so is enabled") \
    X(schedule_late_s,        60,     1,   86400,     "s",       "an occurrence that comes later than this was missed")

#define CONFIG_STRINGS(X)                                                                                          \
    X(data,                 "./tranche-data",   "PATH",      "data directory")                                     \
    X(listen,               "127.0.0.1:9110",   "HOST:PORT", "address to serve; port 0 picks a free one")          \
    X(gateway,              "",                 "URL",       "gateway that calls go to when no connector is configured") \
    X(gateway_token_file,   "",                 "PATH",      "file with the Authorization value for the gateway")  \
    X(preset,               "central",          "NAME",      "how the gateway is spoken to")                       \
    X(tls_cert,             "",                 "PATH",      "certificate chain, PEM: with it and its key the server speaks https only") \
    X(tls_key,              "",                 "PATH",      "private key of the certificate, PEM, without a password") \
    X(public_url,           "",                 "URL",       "base of links in answers, behind a proxy")           \
    X(schedule_missed,      "once",             "once|skip", "a schedule's missed occurrences: one job for all of them, or none")

#define CONFIG_STRING_BYTES 1024

struct config {
#define X(name, standard, least, most, unit, help) uint64_t name;
    CONFIG_NUMBERS(X)
#undef X
#define X(name, standard, unit, help) char name[CONFIG_STRING_BYTES];
    CONFIG_STRINGS(X)
#undef X
};

void config_defaults(struct config *config);
/* TRANCHE_INVALID names the key, the value and what would be right. */
enum tranche_code config_set(struct config *config, const char *key, const char *value, struct tranche_err *err);
enum tranche_code config_read_file(struct config *config, const char *path, struct tranche_err *err);
enum tranche_code config_read_environment(struct config *config, struct tranche_err *err); /* TRANCHE_<KEY> */
void config_print_sample(FILE *out); /* every option, commented, with its default */

#endif
