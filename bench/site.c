#include "site.h"

#include "central.h"
#include "fail.h"
#include "fleet.h"
#include "load.h"
#include "runner.h"
#include "when.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLL_US  5000      /* seldom enough not to be seen in the CPU time */
#define STUCK_US 60000000  /* a job that does not get on for so long is given up */

struct site {
    struct tranche_store *store;
    struct tranche_reader *reader;
    void *connector;
    struct runner *runner;
};

/* ---- opening and closing ---- */

void site_close(struct site *site)
{
    if (site == NULL)
        return;
    if (site->runner != NULL) {
        runner_stop(site->runner);
        runner_close(site->runner);
    }
    if (site->connector != NULL)
        central_connector.close(site->connector);
    if (site->reader != NULL)
        site->reader->functions->close(site->reader);
    fleet_store_close(site->store);
    free(site);
}

enum tranche_code site_open(struct site **out, const struct site_options *options, struct tranche_err *err)
{
    struct config config;
    config_defaults(&config);
    config.in_flight = options->in_flight;
    config.workers = options->workers;
    struct site *site = calloc(1, sizeof *site);
    if (site == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    enum tranche_code code = fleet_store_open(options->directory, &site->store, err);
    if (code == TRANCHE_OK)
        code = site->store->functions->reader_open(site->store, &site->reader, err);
    if (code == TRANCHE_OK)
        code = central_connector.open(options->gateway, NULL, &site->connector, err);
    if (code == TRANCHE_OK)
        code = runner_open(&site->runner, &config, site->store, &central_connector, site->connector, err);
    if (code != TRANCHE_OK) {
        site_close(site);
        return code;
    }
    *out = site;
    return TRANCHE_OK;
}

/* ---- a job ---- */

static void created(struct command *command)
{
    sem_post(command->context);
}

static const char *definition_of(enum tranche_step_kind kind)
{
    return kind == TRANCHE_STEP_COMMAND
               ? "\"group\":\"all\",\"data\":[{\"type\":\"command\",\"target\":\"" FLEET_TEMPLATE
                 "\",\"path\":\"reboot\"}]"
               : "\"group\":\"all\",\"data\":[{\"type\":\"property\",\"target\":\"" FLEET_TEMPLATE
                 "\",\"path\":\"targetTemperature\",\"value\":56}]";
}

static enum tranche_code job_create(struct site *site, enum tranche_step_kind kind, char id[TRANCHE_ID_BYTES],
                                    struct tranche_err *err)
{
    sem_t answered;
    struct command command = { .kind = COMMAND_JOB_CREATE, .done = created, .context = &answered };
    /* Others may have been here before us, and jobs are kept. */
    snprintf(id, TRANCHE_ID_BYTES, "job-%lld", (long long)when_now_us());
    strcpy(command.job.id, id);
    strcpy(command.job.group, "all");
    command.job.definition = strdup(definition_of(kind));
    sem_init(&answered, 0, 0);
    enum tranche_code code = runner_post(site->runner, &command, err);
    if (code == TRANCHE_OK) {
        while (sem_wait(&answered) != 0)
            ;
        code = command.code;
        if (code != TRANCHE_OK && err != NULL)
            *err = command.err;
    }
    sem_destroy(&answered);
    command_free(&command);
    return code;
}

/* How far a job is, when. */
struct mark {
    uint32_t completed;
    double at_us;
};

struct watch {
    struct mark last, low, high; /* the last progress; the first sights of two fifths and of nine tenths */
    uint32_t devices;
};

static void watch_note(struct watch *watch, uint32_t completed)
{
    struct mark now = { completed, usage_now().wall_us };
    if (completed != watch->last.completed || watch->last.at_us == 0)
        watch->last = now;
    if (watch->low.at_us == 0 && completed >= watch->devices / 5 * 2)
        watch->low = now;
    if (watch->high.at_us == 0 && completed >= watch->devices / 10 * 9)
        watch->high = now;
}

static double watch_rate(const struct watch *watch)
{
    double span_us = watch->high.at_us - watch->low.at_us;
    return span_us > 0 ? (double)(watch->high.completed - watch->low.completed) * 1e6 / span_us : 0;
}

static enum tranche_code job_watch(struct site *site, const char *id, struct watch *watch,
                                   struct tranche_job_record *record, struct tranche_err *err)
{
    for (;;) {
        tranche_job_record_free(record);
        enum tranche_code code = site->reader->functions->job_find(site->reader, id, record, err);
        if (code != TRANCHE_OK)
            return code;
        watch_note(watch, record->tally.completed);
        if (record->ended_us != 0)
            break;
        if (usage_now().wall_us > watch->last.at_us + STUCK_US)
            return fail(err, TRANCHE_INTERNAL, "%s does not get on: %u of %u devices", id, record->tally.completed,
                        watch->devices);
        usleep(POLL_US);
    }
    if (record->state == TRANCHE_JOB_COMPLETE && record->tally.completed == watch->devices)
        return TRANCHE_OK;
    return fail(err, TRANCHE_INTERNAL, "%s completed %u of %u devices: %s", id, record->tally.completed,
                watch->devices, record->reason != NULL ? record->reason : "no reason");
}

enum tranche_code site_run(struct site *site, enum tranche_step_kind kind, uint32_t devices, struct site_job *job,
                           struct tranche_err *err)
{
    char id[TRANCHE_ID_BYTES];
    struct watch watch = { .devices = devices };
    struct tranche_job_record record = { 0 };
    struct usage start = usage_now();
    enum tranche_code code = job_create(site, kind, id, err);
    if (code == TRANCHE_OK)
        code = job_watch(site, id, &watch, &record, err);
    if (code == TRANCHE_OK)
        *job = (struct site_job){
            .used = usage_since(start),
            .per_second = (double)devices * 1e6 / (double)(record.ended_us - record.started_us),
            .per_second_within = watch_rate(&watch),
        };
    tranche_job_record_free(&record);
    return code;
}
