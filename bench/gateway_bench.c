/* The gateway itself, by another's load generator: what it can take is far above what is measured against it. */
#include "bench.h"

#include "fail.h"
#include "gateway.h"
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS "256"
#define PATH_BYTES  4096

struct state {
    struct gateway gateway;
    char script[PATH_BYTES], url[128];
};

/* The same request as the clients', but always for the same device: wrk then only copies it. */
static enum tranche_code script_write(const char *path, struct tranche_err *err)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return fail(err, TRANCHE_IO, "write %s: %s", path, strerror(errno));
    fprintf(file, "wrk.method = \"PATCH\"\nwrk.body = '%s'\n"
                  "wrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.headers[\"X-Attempt\"] = \"1\"\n"
                  "wrk.headers[\"Idempotency-Key\"] = \"bench/dev-0000000\"\n", LOAD_BODY);
    return fclose(file) == 0 ? TRANCHE_OK : fail(err, TRANCHE_IO, "write %s: %s", path, strerror(errno));
}

static enum tranche_code wrk_open(struct bench_run *run, struct tranche_err *err)
{
    static const char *const none[] = { NULL };
    static struct state state;
    struct load_words words;
    run->state = &state;
    if (system("command -v wrk >/dev/null") != 0)
        return fail(err, TRANCHE_NOTFOUND, "wrk is not installed; tools/setup does that");
    snprintf(state.script, sizeof state.script, "%s/wrk.lua", run->directory);
    enum tranche_code code = script_write(state.script, err);
    if (code == TRANCHE_OK)
        code = gateway_open(&state.gateway, none, run->pinned, err);
    if (code != TRANCHE_OK)
        return code;
    load_words_open(&words, state.gateway.url);
    memcpy(state.url, words.url, strlen(words.url) + 1);
    return TRANCHE_OK;
}

/* Its report; it also gives its CPU time away when it has ended. */
static enum tranche_code wrk_run(const struct state *state, unsigned seconds, double *per_second,
                                 struct tranche_err *err)
{
    char command[2 * PATH_BYTES], line[256];
    snprintf(command, sizeof command, "exec wrk -t 1 -c " CONNECTIONS " -d %us -s '%s' '%s'", seconds, state->script,
             state->url);
    *per_second = 0;
    bool refused = false;
    FILE *report = popen(command, "re");
    if (report == NULL)
        return fail(err, TRANCHE_IO, "start wrk: %s", strerror(errno));
    while (fgets(line, sizeof line, report) != NULL) {
        sscanf(line, "Requests/sec: %lf", per_second);
        refused = refused || strstr(line, "Non-2xx") != NULL;
    }
    int status = pclose(report);
    if (status != 0 || *per_second <= 0 || refused)
        return fail(err, TRANCHE_INTERNAL, "wrk ended with %d, %.0f requests/s%s", status, *per_second,
                    refused ? " and bad answers" : "");
    return TRANCHE_OK;
}

static double children_cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static enum tranche_code wrk_sample(struct bench_run *run, const struct bench_variant *variant,
                                    struct bench_sample *sample, struct tranche_err *err)
{
    (void)variant;
    const struct state *state = run->state;
    double per_second, gateway_us = process_cpu_us(state->gateway.pid), wrk_us = children_cpu_us();
    enum tranche_code code = wrk_run(state, (unsigned)run->count, &per_second, err);
    if (code != TRANCHE_OK)
        return code;
    double requests = per_second * (double)run->count;
    *sample = (struct bench_sample){ { per_second, (process_cpu_us(state->gateway.pid) - gateway_us) / requests,
                                       (children_cpu_us() - wrk_us) / requests } };
    return TRANCHE_OK;
}

static void wrk_close(struct bench_run *run)
{
    struct state *state = run->state;
    gateway_close(&state->gateway);
}

static const struct bench_variant variants[] = {
    { .name = "fleetsim by wrk", .bar = { .at_least = 60000 } },
};

static const struct bench_group groups[] = {
    {
        .name = "gateway",
        .about = "fleetsim, " CONNECTIONS " connections, no latency",
        .unit = "seconds a sample",
        .counts = { 1, 2, 2 },
        .rounds_max = 3,
        .metrics = { "requests/s", "its CPU µs/request", "wrk's CPU µs/request" },
        .variants = variants,
        .variant_count = BENCH_COUNT(variants),
        .base = BENCH_NO_BASE,
        .open = wrk_open,
        .sample = wrk_sample,
        .close = wrk_close,
    },
};

const struct bench_table gateway_benches = { groups, BENCH_COUNT(groups) };
