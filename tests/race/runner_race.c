/* The runner's threads under ThreadSanitizer: a mailbox with many posters, workers, the reader thread, and a
 * shutdown in the middle of it. A plain main, since Criterion does not run under TSan. Calls go to a closed
 * port, so each ends at once with a refused connection. Argument: rounds (default 5). */
#include "runner.h"
#include "sqlite.h"

#include "fail.h"
#include "log.h"
#include "outcome.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POSTERS 4
#define JOBS    6 /* a poster */
#define DEVICES 500

static void check(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "runner_race: FAILED: %s\n", what);
    exit(1);
}

/* ---- a connector that says as little as possible ---- */

static enum tranche_code build(const void *state, const struct tranche_call *call,
                               struct tranche_request *out, struct tranche_err *err)
{
    (void)state;
    (void)err;
    snprintf(out->text, out->text_bytes, "http://127.0.0.1:9/%s", call->device);
    out->method = "POST";
    out->url = out->text;
    out->body = "{}";
    out->body_bytes = 2;
    out->header_count = 0;
    out->timeout_ms = 1000;
    return TRANCHE_OK;
}

static void judge(const void *state, const struct tranche_call *call, const struct tranche_answer *answer,
                  struct tranche_outcome *out)
{
    (void)state;
    (void)call;
    struct outcome_hints hints = { 0 };
    outcome_of(answer, &hints, out);
}

static const struct tranche_connector closed_port = { .name = "closed port", .build = build, .judge = judge };

/* ---- posters ---- */

struct poster {
    pthread_t thread;
    struct runner *runner;
    int index;
    struct command commands[JOBS][3];
    atomic_int answered;
};

static void done(struct command *command)
{
    struct poster *poster = command->context;
    atomic_fetch_add(&poster->answered, 1);
}

static void *post(void *argument)
{
    struct poster *poster = argument;
    for (int i = 0; i < JOBS; i++)
        for (int kind = 0; kind < 3; kind++) {
            struct command *command = &poster->commands[i][kind];
            *command = (struct command){ .kind = kind == 0   ? COMMAND_JOB_CREATE
                                                 : kind == 1 ? COMMAND_JOB_STOP
                                                             : COMMAND_JOB_RESUME,
                                         .done = done,
                                         .context = poster };
            snprintf(command->job.id, sizeof command->job.id, "job-%d-%d", poster->index, i);
            strcpy(command->job.group, "all");
            if (kind == 0)
                command->job.definition =
                    strdup("\"group\":\"all\",\"data\":[{\"type\":\"command\",\"target\":\"t\","
                           "\"path\":\"a\"}]");
            while (runner_post(poster->runner, command, NULL) == TRANCHE_FULL)
                usleep(1000);
            usleep(2000);
        }
    return NULL;
}

/* ---- a round ---- */

static void fill(struct tranche_store *store)
{
    const struct tranche_store_functions *f = store->functions;
    int64_t number = 0;
    check(f->commit_number(store, &number, NULL) == TRANCHE_OK, "commit number");
    check(f->begin(store, number + 1, NULL) == TRANCHE_OK, "begin");
    for (int i = 0; i < DEVICES; i++) {
        struct tranche_device_record device = { .enabled = true, .provisioned = true, .template_id = "t" };
        snprintf(device.id, sizeof device.id, "dev-%04d", i);
        bool created;
        check(f->device_put(store, &device, &created, NULL) == TRANCHE_OK, "device");
    }
    struct tranche_group_record group = { .display_name = "all", .filter = "SELECT * FROM devices" };
    strcpy(group.id, "all");
    check(f->group_put(store, &group, NULL) == TRANCHE_OK, "group");
    check(f->commit_start(store, NULL) == TRANCHE_OK, "commit");
    check(f->commit_ended(store, NULL) == TRANCHE_COMMIT_DONE, "commit");
}

static void round_trip(int round)
{
    char directory[] = "/tmp/tranche-race-XXXXXX";
    check(mkdtemp(directory) != NULL, "directory");
    struct sqlite_options options = { .directory = directory };
    struct tranche_store *store;
    struct tranche_err err = { 0 };
    check(sqlite_store_open(&options, &store, &err) == TRANCHE_OK, err.text);
    fill(store);
    struct config config;
    config_defaults(&config);
    config.workers = 3;
    config.in_flight = 64;
    config.drain_timeout_ms = 5000;
    struct runner *runner;
    check(runner_open(&runner, &config, store, &closed_port, NULL, &err) == TRANCHE_OK, err.text);

    static struct poster posters[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        posters[i].runner = runner;
        posters[i].index = i;
        atomic_store(&posters[i].answered, 0);
        pthread_create(&posters[i].thread, NULL, post, &posters[i]);
    }
    if (round % 2 ==
        0) /* even rounds: everything is answered first; odd ones: the shutdown comes in between */
        for (int i = 0; i < POSTERS; i++)
            pthread_join(posters[i].thread, NULL);
    uint32_t left = runner_stop(runner);
    if (round % 2 == 1)
        for (int i = 0; i < POSTERS; i++)
            pthread_join(posters[i].thread, NULL);
    runner_close(runner);
    check(left == 0, "calls were left after the drain");
    for (int i = 0; i < POSTERS; i++) {
        if (round % 2 == 0)
            check(atomic_load(&posters[i].answered) == JOBS * 3, "a command was not answered");
        for (int j = 0; j < JOBS; j++)
            for (int kind = 0; kind < 3; kind++)
                command_free(&posters[i].commands[j][kind]);
    }
    store->functions->close(store);
    char remove[64];
    snprintf(remove, sizeof remove, "rm -rf %s", directory);
    check(system(remove) == 0, remove);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    log_set_level(LOG_LEVEL_ERROR);
    for (int round = 0; round < rounds; round++)
        round_trip(round);
    printf("runner_race: %d rounds, %d commands each, all answered\n", rounds, POSTERS * JOBS * 3);
    return 0;
}
