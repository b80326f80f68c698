/* Stories of registry writes of many slices, as imports are, with a store that fails for a while. */
#include "sim_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define LONG_US   (30 * SECOND_US) /* much longer than a command is patient */

/* A write that puts a device a slice: <name>-0, <name>-1, ... */
struct writing {
    struct command command;
    const char *name;
    int slices, next, committed;
    bool answered;
};

static struct sim sim;
static struct writing writing, first, second;
static bool store_fails;
static char order[64]; /* first letters of the names, slice by slice */

static enum tranche_code write_slice(struct command *command, struct tranche_store *store, int64_t now_us,
                                     bool *more, struct tranche_err *err)
{
    (void)now_us;
    struct writing *own = command->context;
    struct tranche_device_record device = { .enabled = true, .provisioned = true };
    bool created;
    snprintf(device.id, sizeof device.id, "%s-%d", own->name, own->next++);
    *more = own->next < own->slices;
    return store->functions->device_put(store, &device, &created, err);
}

static void rolled_back(struct command *command)
{
    struct writing *own = command->context;
    own->next = own->committed;
}

static void committed(struct command *command)
{
    struct writing *own = command->context;
    if (own->committed != own->next && strlen(order) + 1 < sizeof order)
        strncat(order, own->name, 1);
    own->committed = own->next;
}

static void done(struct command *command)
{
    struct writing *own = command->context;
    own->answered = true;
}

static void post(struct writing *posted, const char *name, int slices)
{
    *posted = (struct writing){ .name = name, .slices = slices };
    posted->command = (struct command){ .kind = COMMAND_WRITE,
                                        .write = write_slice,
                                        .rolled_back = rolled_back,
                                        .committed = committed,
                                        .in_turn = true,
                                        .done = done,
                                        .context = posted };
    core_post(sim.core, &posted->command);
}

static struct sim_store_commit decide(void *context, int64_t number)
{
    (void)context, (void)number;
    return (struct sim_store_commit){ .end = store_fails ? SIM_STORE_FAILED : SIM_STORE_DONE };
}

static void set_up(void)
{
    sim_open(&sim, 1);
    sim_store_set_faults(sim.store, &(struct sim_store_faults){ .decide = decide });
    sim_start(&sim);
    sim_run(&sim, SECOND_US, NULL);
    sim_run(&sim, SECOND_US, NULL); /* ticks at one second: to the core the moment 0 stands for none */
}

static void tear_down(void)
{
    sim_close(&sim);
}

TestSuite(writes, .init = set_up, .fini = tear_down);

static bool is_there(const char *id)
{
    struct tranche_device_record device;
    return sim.reader->functions->device_find(sim.reader, id, &device, NULL) == TRANCHE_OK;
}

static const struct writing *watched;
static int watched_slices;

static bool has_come_so_far(struct sim *world)
{
    (void)world;
    return watched->committed >= watched_slices;
}

/* Until so many slices of the write are durable, and no more. */
static void run_until(const struct writing *posted, int slices)
{
    watched = posted;
    watched_slices = slices;
    cr_assert(sim_run(&sim, LONG_US, has_come_so_far));
    cr_assert_eq(posted->committed, slices);
}

Test(writes, a_write_that_has_begun_outlasts_any_trouble_of_the_store)
{
    post(&writing, "a", 50);
    run_until(&writing, 1);
    store_fails = true;
    sim_run(&sim, LONG_US, NULL);
    cr_expect_not(writing.answered);

    store_fails = false;
    sim_run(&sim, LONG_US, NULL);
    cr_expect(writing.answered);
    cr_expect_eq(writing.command.code, TRANCHE_OK);
    cr_expect(is_there("a-0") && is_there("a-49"));
}

Test(writes, one_that_has_not_begun_is_given_up_and_leaves_nothing)
{
    post(&writing, "a", 50);
    store_fails = true;
    sim_run(&sim, LONG_US, NULL);
    cr_expect(writing.answered);
    cr_expect_eq(writing.command.code, TRANCHE_UNAVAILABLE);

    store_fails = false;
    sim_run(&sim, LONG_US, NULL);
    cr_expect_not(is_there("a-0"));
}

Test(writes, writes_in_turn_follow_one_another)
{
    post(&first, "a", 5);
    post(&second, "b", 3);
    sim_run(&sim, LONG_US, NULL);
    cr_expect(first.answered && second.answered);
    cr_expect_str_eq(order, "aaaaabbb");
}

Test(writes, one_that_waits_for_its_turn_has_not_begun)
{
    post(&first, "a", 50);
    post(&second, "b", 3);
    run_until(&first, 2);
    store_fails = true;
    sim_run(&sim, LONG_US, NULL);
    cr_expect_not(first.answered);
    cr_expect(second.answered);
    cr_expect_eq(second.command.code, TRANCHE_UNAVAILABLE);

    store_fails = false;
    sim_run(&sim, LONG_US, NULL);
    cr_expect(first.answered && first.command.code == TRANCHE_OK);
    cr_expect_not(is_there("b-0"));
}

Test(writes, the_engines_end_is_told_to_all)
{
    post(&first, "a", 1000000);
    post(&second, "b", 3);
    run_until(&first, 2);
    core_drain(sim.core);
    core_refuse_orders(sim.core);
    cr_expect(first.answered && second.answered);
    cr_expect_eq(first.command.code, TRANCHE_UNAVAILABLE);
    cr_expect(is_there("a-1"));
}
