/* tranche-bench: what Tranche costs, against bare libcurl and the kernel's own floor in the same run.
 *
 *     bench     options, which groups, the record         rounds    samples of one group, in a child
 *     options   the command line                          stats     medians and their intervals
 *     table     what is printed                           machine   what it is, cores, CPU time
 *     record    JSON; compare: two of them                child     functions in child processes
 *     *_bench   the groups, a table each
 *     gateway   fleetsim as a child; load: requests and what is measured of them; client_*: who makes them
 *     fleet     a store with a fleet in it; site: the engine on that
 *
 * Each group runs in a process of its own with a directory of its own. A group that fails is reported and the next
 * one runs; the exit status tells. A bar that is missed fails nothing: machines differ, and a table is there to be read.
 */
#include "bench.h"

#include "child.h"
#include "fail.h"
#include "machine.h"
#include "options.h"
#include "record.h"
#include "rounds.h"
#include "table.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE     2
#define PATH_BYTES     4096
#define ROUNDS_DEFAULT 9 /* the fewest whose 95 % interval leaves out the best and the worst */

static const struct bench_table *const tables[] = {
    &gateway_benches, &fanout_benches, &engine_benches, &growth_benches,
    &ring_benches, &partition_benches, &filter_benches, &store_benches,
};

struct session {
    struct options options;
    struct rounds_options rounds;
    char directory[PATH_BYTES]; /* everything that groups leave on the disk */
    struct record record;
    struct results *results;
    uint32_t run, failed;
};

static volatile sig_atomic_t interrupted;

static bool group_is_chosen(const struct options *options, const struct bench_group *group)
{
    return options->filter == NULL || strstr(group->name, options->filter) != NULL;
}

static void groups_walk(struct session *session, void (*visit)(struct session *, const struct bench_group *))
{
    for (uint32_t i = 0; i < BENCH_COUNT(tables); i++)
        for (uint32_t j = 0; j < tables[i]->count; j++)
            if (group_is_chosen(&session->options, &tables[i]->groups[j]) && !interrupted)
                visit(session, &tables[i]->groups[j]);
}

static void group_list(struct session *session, const struct bench_group *group)
{
    (void)session;
    printf("%-14s %s\n", group->name, group->about);
}

/* ---- the disk ---- */

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void tree_remove(const char *path)
{
    nftw(path, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static enum tranche_code directory_open(struct session *session, struct tranche_err *err)
{
    snprintf(session->directory, sizeof session->directory, "%s/tranche-bench-XXXXXX", session->options.directory);
    if (mkdtemp(session->directory) != NULL)
        return TRANCHE_OK;
    return fail(err, TRANCHE_IO, "make a directory in %s: %s", session->options.directory, strerror(errno));
}

/* ---- a group ---- */

static enum tranche_code group_run(struct session *session, const struct bench_group *group)
{
    char directory[PATH_BYTES + 64];
    snprintf(directory, sizeof directory, "%s/%s", session->directory, group->name);
    if (mkdir(directory, 0700) != 0)
        return fail(&session->results->err, TRANCHE_IO, "make %s: %s", directory, strerror(errno));
    session->rounds.directory = directory;
    enum tranche_code code = rounds_run(group, &session->rounds, session->results);
    tree_remove(directory);
    return code;
}

static void group_measure(struct session *session, const struct bench_group *group)
{
    memset(session->results, 0, sizeof *session->results);
    enum tranche_code code = group_run(session, group);
    if (code == TRANCHE_OK) {
        table_group(session->results, session->options.scale);
        record_group(&session->record, session->results, session->options.scale);
        session->run++;
    } else if (session->results->missing) {
        printf("\n%s: not measured: %s\n", group->name, session->results->err.text);
        session->run++;
    } else {
        fprintf(stderr, "\n%s: FAILED: %s\n", group->name, session->results->err.text);
        session->failed++;
    }
}

/* ---- the session ---- */

/* The group's process ends first; what it left is removed on the way out. */
static void interrupt(int number)
{
    interrupted = number;
    if (child_current() > 0)
        kill(child_current(), SIGTERM);
}

static void interrupts_catch(void)
{
    struct sigaction action = { .sa_handler = interrupt };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static enum tranche_code record_close(struct session *session, struct tranche_err *err)
{
    double stolen = machine_stolen_percent();
    printf("\nThe hypervisor gave %.1f %% of the machine's time to others meanwhile.\n", stolen);
    record_end(&session->record, stolen);
    enum tranche_code code = TRANCHE_OK;
    if (session->options.json != NULL)
        code = record_write(&session->record, session->options.json, err);
    if (code == TRANCHE_OK && session->options.compare != NULL)
        code = compare_print(&session->record, session->options.compare, err);
    return code;
}

/* Now rather than after five minutes. */
static enum tranche_code files_check(const struct options *options, struct tranche_err *err)
{
    if (options->compare != NULL && access(options->compare, R_OK) != 0)
        return fail(err, TRANCHE_NOTFOUND, "--compare %s: %s", options->compare, strerror(errno));
    FILE *file = options->json != NULL ? fopen(options->json, "ae") : NULL;
    if (options->json != NULL && file == NULL)
        return fail(err, TRANCHE_IO, "--json %s: %s", options->json, strerror(errno));
    if (file != NULL)
        fclose(file);
    return TRANCHE_OK;
}

static enum tranche_code session_run(struct session *session, struct tranche_err *err)
{
    struct machine machine;
    enum tranche_code code = files_check(&session->options, err);
    if (code == TRANCHE_OK)
        code = directory_open(session, err);
    if (code != TRANCHE_OK)
        return code;
    machine_look(&machine, session->directory);
    machine_stolen_percent();
    session->rounds.scale = session->options.scale;
    session->rounds.rounds = session->options.scale == BENCH_QUICK ? 1 : ROUNDS_DEFAULT;
    if (session->options.rounds > 0)
        session->rounds.rounds = session->options.rounds;
    session->rounds.pinned = !session->options.unpinned && session->options.scale != BENCH_QUICK && machine.cores > 1;
    table_machine(&machine, session->rounds.pinned, session->rounds.scale);
    record_begin(&session->record, &machine, session->rounds.pinned);
    interrupts_catch();
    groups_walk(session, group_measure);
    tree_remove(session->directory);
    if (interrupted)
        return fail(err, TRANCHE_UNAVAILABLE, "interrupted");
    if (session->run + session->failed == 0)
        return fail(err, TRANCHE_NOTFOUND, "no group's name contains \"%s\"", session->options.filter);
    code = record_close(session, err);
    if (code == TRANCHE_OK && session->failed > 0)
        return fail(err, TRANCHE_INTERNAL, "%u groups failed", session->failed);
    return code;
}

int main(int argc, char **argv)
{
    static struct session session;
    struct tranche_err err = { 0 };
    if (options_read(&session.options, argc, argv, &err) != TRANCHE_OK) {
        fprintf(stderr, "tranche-bench: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (session.options.help) {
        options_help();
        return EXIT_SUCCESS;
    }
    if (session.options.list) {
        groups_walk(&session, group_list);
        return EXIT_SUCCESS;
    }
    session.results = shared_take(sizeof *session.results);
    enum tranche_code code =
        session.results != NULL ? session_run(&session, &err) : fail(&err, TRANCHE_NOMEM, "out of memory");
    if (code != TRANCHE_OK)
        fprintf(stderr, "tranche-bench: %s\n", err.text);
    record_free(&session.record);
    return code == TRANCHE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
