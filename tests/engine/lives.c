/* Random job lives in the simulated world: seeded devices, batches, thresholds, answers, orders, crashes and
 * store faults.
 *
 *   engine_lives [--seed N] [--count N]      default: 10,000 lives from seed 1
 *
 * While faults last anything may happen but what the checks forbid; then they end, and every job must end
 * too. A failure prints its seed and how to replay it. A plain main: a life is too short for a process of its
 * own. */
#include "log.h"
#include "sim_check.h"
#include "state.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

struct life {
    struct sim sim;
    bool command;
    uint16_t steps;
    uint32_t refuse_percent, lost_percent, unsent_percent, local_percent;
    uint32_t latency_us_max;
    uint32_t late_percent, fault_percent;
    bool healthy; /* faults have ended */
};

static struct sim_verdict gateway(struct sim *sim, const struct sim_call *call)
{
    struct life *life = (struct life *)sim;
    (void)call;
    int64_t latency_us = random_between(&sim->random, 100, life->latency_us_max);
    if (random_chance(&sim->random, life->refuse_percent))
        return (struct sim_verdict){ .transport = TRANCHE_ANSWERED, .status = 400, .latency_us = latency_us };
    if (random_chance(&sim->random, life->lost_percent))
        return (struct sim_verdict){ .transport = TRANCHE_TIMED_OUT, .latency_us = 5 * latency_us };
    if (random_chance(&sim->random, life->unsent_percent))
        return (struct sim_verdict){ .transport = TRANCHE_UNSENT, .latency_us = latency_us };
    if (!life->healthy && random_chance(&sim->random, life->local_percent))
        return (struct sim_verdict){ .transport = TRANCHE_LOCAL, .latency_us = 10 };
    return (struct sim_verdict){ .transport = TRANCHE_ANSWERED, .status = 200, .latency_us = latency_us };
}

static struct sim_store_begin store_begin(void *context, int64_t number)
{
    struct life *life = context;
    (void)number;
    struct sim_store_begin begin = { 0 };
    if (life->healthy || !random_chance(&life->sim.random, life->fault_percent))
        return begin;
    if (random_chance(&life->sim.random, 50))
        begin.refused = true;
    else
        begin.failing_write = random_between(&life->sim.random, 1, 20);
    return begin;
}

static struct sim_store_commit store_decide(void *context, int64_t number)
{
    struct life *life = context;
    (void)number;
    struct sim_store_commit commit = { 0 };
    if (life->healthy)
        return commit;
    if (random_chance(&life->sim.random, life->fault_percent)) {
        commit.end = 1 + random_below(&life->sim.random, SIM_STORE_REFUSED);
        commit.recover_failures = random_below(&life->sim.random, 3);
    }
    if (commit.end != SIM_STORE_REFUSED && random_chance(&life->sim.random, life->late_percent)) {
        commit.late = true;
        commit.durable_at_crash = random_chance(&life->sim.random, 50);
        sim_commit_ends_in(&life->sim, random_between(&life->sim.random, 10, 20000));
    }
    return commit;
}

static void wrong(void *context, const char *text)
{
    sim_wrong(context, "store: %s", text);
}

static void random_amount(struct random *random, bool threshold, char *text, size_t bytes)
{
    if (random_chance(random, 50))
        snprintf(text, bytes, "{\"type\":\"number\",\"value\":%u",
                 random_between(random, threshold ? 0 : 1, 60));
    else if (random_chance(random, 20))
        snprintf(text, bytes, "{\"type\":\"percentage\",\"value\":100");
    else
        snprintf(text, bytes, "{\"type\":\"percentage\",\"value\":%u.%u", random_below(random, 60),
                 random_between(random, 1, 9));
}

static void random_definition(struct life *life, char *text, size_t bytes)
{
    struct random *random = &life->sim.random;
    char amount[64], batch[100] = "", threshold[120] = "";
    if (random_chance(random, 70)) {
        random_amount(random, false, amount, sizeof amount);
        snprintf(batch, sizeof batch, ",\"batch\":%s}", amount);
    }
    if (random_chance(random, 60)) {
        random_amount(random, true, amount, sizeof amount);
        snprintf(threshold, sizeof threshold, ",\"cancellationThreshold\":%s,\"batch\":%s}", amount,
                 random_chance(random, 50) ? "true" : "false");
    }
    char steps[200] = "";
    for (unsigned i = 0; i < life->steps; i++)
        snprintf(steps + strlen(steps), sizeof steps - strlen(steps),
                 "%s{\"type\":\"%s\",\"target\":\"t\",\"path\":\"p%u\",\"value\":1}", i > 0 ? "," : "",
                 life->command ? "command" : "property", i);
    snprintf(text, bytes, "\"group\":\"all\"%s%s,\"data\":[%s]", batch, threshold, steps);
}

static void begin_life(struct life *life, uint64_t seed)
{
    memset(life, 0, sizeof *life);
    struct sim *sim = &life->sim;
    sim_open(sim, seed);
    struct random *random = &sim->random;
    life->command = random_chance(random, 50);
    life->steps = random_chance(random, 20) ? 2 : 1;
    life->refuse_percent = random_chance(random, 60) ? random_below(random, 20) : 0;
    life->lost_percent = random_chance(random, 40) ? random_below(random, 8) : 0;
    life->unsent_percent = random_chance(random, 20) ? random_below(random, 8) : 0;
    life->local_percent = random_chance(random, 20) ? random_below(random, 5) : 0;
    life->latency_us_max = random_chance(random, 50) ? 2000 : 60000;
    life->late_percent = random_chance(random, 40) ? random_below(random, 60) : 0;
    life->fault_percent = random_chance(random, 40) ? random_below(random, 20) : 0;
    sim->gateway = gateway;
    sim->watch = sim_check_request;
    sim->config.in_flight = random_between(random, 1, 24);
    sim->config.workers = random_between(random, 1, 3);
    sim->config.window_command_pct = random_between(random, 100, 200);
    sim->config.jobs_running_max = random_between(random, 1, 3);
    struct sim_store_faults faults = { .context = life, .begin = store_begin, .decide = store_decide };
    uint32_t devices = random_between(random, 1, 150);
    if (random_chance(random, 5))
        devices = random_below(random, 2);
    else if (random_chance(random, 2))
        devices = random_between(random, 1000, SIM_DEVICES_MAX);
    sim_devices(sim, devices, false);
    sim_store_on_wrong(sim->store, wrong, sim);
    sim_store_set_faults(sim->store, &faults);
    sim_start(sim);
}

static void random_order(struct life *life)
{
    struct sim *sim = &life->sim;
    switch (random_below(&sim->random, 5)) {
    case 0:
        sim_stop(sim, "first");
        return;
    case 1:
        sim_resume(sim, "first");
        return;
    case 2:
        sim_rerun(sim, "first", "again");
        return;
    case 3:
        sim_stop(sim, "again");
        return;
    default:
        sim_resume(sim, "again");
        return;
    }
}

static bool rests(struct sim *sim)
{
    bool first = sim_job(sim, "first") == NULL || sim_job_rests(sim, "first");
    return first && (sim_job(sim, "again") == NULL || sim_job_rests(sim, "again"));
}

/* Resumes what is stopped until it is over: once faults have ended everything must end. */
static void finish(struct life *life, const char *id)
{
    struct sim *sim = &life->sim;
    for (int i = 0; i < 4; i++) {
        if (!sim_run(sim, 600 * SECOND_US, rests))
            sim_wrong(sim, "%s does not end although all is well", id);
        const struct tranche_job_record *job = sim_job(sim, id);
        if (job == NULL || job_state_is_over(job->state))
            return;
        if (job->state == TRANCHE_JOB_HELD)
            sim_wrong(sim, "%s is held: %s", id, job->reason);
        if (!sim_run_order(sim, sim_resume(sim, id)))
            sim_wrong(sim, "a resume of %s is not answered", id);
    }
    sim_wrong(sim, "%s does not end by resuming it", id);
}

static void live(struct life *life, uint64_t seed)
{
    struct sim *sim = &life->sim;
    begin_life(life, seed);
    char definition[512];
    random_definition(life, definition, sizeof definition);
    sim_create(sim, "first", "all", definition);

    uint32_t turns = random_below(&sim->random, 8);
    for (uint32_t i = 0; i < turns; i++) {
        sim_run(sim, random_between(&sim->random, 100, 300000), NULL);
        if (random_chance(&sim->random, 30)) {
            sim_crash(sim);
            sim_start(sim);
        } else {
            random_order(life);
        }
    }
    life->healthy = true;
    sim_run(sim, 10 * SECOND_US, NULL); /* whatever was underway, and back-offs, ends */
    if (sim_job(sim, "first") == NULL)  /* it was never acknowledged */
        sim_create(sim, "first", "all", definition);
    sim_run(sim, 10 * SECOND_US, NULL);
    finish(life, "first");
    finish(life, "again");
    sim_check_job(sim, "first", life->command, life->steps);
    if (sim_job(sim, "again") != NULL)
        sim_check_job(sim, "again", life->command, life->steps);
    sim_run(sim, 10 * SECOND_US, NULL); /* values are folded */
    if (!life->command)
        sim_check_values(sim, (const char *const[]){ "first", "again" }, 2, life->steps);
    sim_close(sim);
}

static uint64_t number(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (end != text && *end == '\0')
        return value;
    fprintf(stderr, "engine_lives: expected a number, got \"%s\"\n", text);
    exit(2);
}

int main(int argc, char **argv)
{
    uint64_t first = 1, count = 10000;
    static const struct option options[] = { { "seed", required_argument, NULL, 's' },
                                             { "count", required_argument, NULL, 'c' },
                                             { 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's') {
            first = number(optarg);
            count = 1;
        } else if (option == 'c') {
            count = number(optarg);
        } else {
            return 2;
        }
    }
    log_set_level(count == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_NONE);
    static struct life life;
    for (uint64_t seed = first; seed < first + count; seed++)
        live(&life, seed);
    printf("engine_lives: %llu lives from seed %llu, all as they must be\n", (unsigned long long)count,
           (unsigned long long)first);
    return 0;
}
