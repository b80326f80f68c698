#include "options.h"

#include "fail.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIRECTORY "/var/tmp" /* a disk, where /tmp may be memory */

enum option_kind { OPTION_FLAG, OPTION_SCALE, OPTION_TEXT, OPTION_ROUNDS };

static const struct option {
    const char *name, *value, *help;
    enum option_kind kind;
    size_t offset;          /* in struct options; not of a scale */
    enum bench_scale scale; /* of a scale */
} rows[] = {
#define AT(field) offsetof(struct options, field)
    { "--list", NULL, "name the groups and end", OPTION_FLAG, AT(list), 0 },
    { "--filter", "NAME", "only groups whose name contains NAME", OPTION_TEXT, AT(filter), 0 },
    { "--rounds", "N", "samples of each variant [9]", OPTION_ROUNDS, AT(rounds), 0 },
    { "--quick", NULL, "a smoke run: one round, tiny counts, unpinned", OPTION_SCALE, 0, BENCH_QUICK },
    { "--full", NULL, "also a million devices", OPTION_SCALE, 0, BENCH_FULL },
    { "--unpinned", NULL, "do not pin us to core 0 and the gateway to core 1", OPTION_FLAG, AT(unpinned), 0 },
    { "--dir", "DIR", "where data directories go [" DIRECTORY "]", OPTION_TEXT, AT(directory), 0 },
    { "--json", "FILE", "write every sample to FILE", OPTION_TEXT, AT(json), 0 },
    { "--compare", "FILE", "and compare with an older FILE", OPTION_TEXT, AT(compare), 0 },
    { "--help", NULL, "this", OPTION_FLAG, AT(help), 0 },
#undef AT
};

static enum tranche_code rounds_read(const char *text, uint32_t *rounds, struct tranche_err *err)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || number < 1 || number > BENCH_ROUNDS_MAX)
        return fail(err, TRANCHE_INVALID, "--rounds: expected a number from 1 to %d, got \"%s\"", BENCH_ROUNDS_MAX,
                    text);
    *rounds = (uint32_t)number;
    return TRANCHE_OK;
}

static enum tranche_code option_set(struct options *options, const struct option *row, const char *value,
                                    struct tranche_err *err)
{
    void *field = (char *)options + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return TRANCHE_OK;
    case OPTION_SCALE:
        options->scale = row->scale;
        return TRANCHE_OK;
    case OPTION_TEXT:
        *(const char **)field = value;
        return TRANCHE_OK;
    case OPTION_ROUNDS:
        return rounds_read(value, field, err);
    }
    return TRANCHE_INTERNAL;
}

static const struct option *option_find(const char *name)
{
    for (size_t i = 0; i < BENCH_COUNT(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

enum tranche_code options_read(struct options *options, int argc, char **argv, struct tranche_err *err)
{
    *options = (struct options){ .scale = BENCH_NORMAL, .directory = DIRECTORY };
    for (int i = 1; i < argc; i++) {
        const struct option *row = option_find(argv[i]);
        if (row == NULL)
            return fail(err, TRANCHE_INVALID, "%s: no such option; see tranche-bench --help", argv[i]);
        if (row->value != NULL && i + 1 == argc)
            return fail(err, TRANCHE_INVALID, "%s: needs %s", argv[i], row->value);
        enum tranche_code code = option_set(options, row, row->value != NULL ? argv[++i] : NULL, err);
        if (code != TRANCHE_OK)
            return code;
    }
    return TRANCHE_OK;
}

void options_help(void)
{
    puts("usage: tranche-bench [OPTION]...      measures Tranche's parts and the whole, beside bare libcurl\n");
    for (size_t i = 0; i < BENCH_COUNT(rows); i++) {
        char usage[40];
        snprintf(usage, sizeof usage, "%s%s%s", rows[i].name, rows[i].value != NULL ? " " : "",
                 rows[i].value != NULL ? rows[i].value : "");
        printf("  %-18s %s\n", usage, rows[i].help);
    }
    puts("\nExample: tranche-bench --filter engine --rounds 15 --json engine.json");
}
