#include "table.h"

#include <stdio.h>
#include <string.h>

#define NAME_WIDTH   30
#define METRIC_WIDTH 27
#define RATIO_WIDTH  20

void table_cell(const char *text, int width)
{
    int blanks = width;
    for (const char *p = text; *p != '\0'; p++)
        blanks -= ((unsigned char)*p & 0xc0) != 0x80; /* what continues a character has no width */
    if (blanks < 1)
        blanks = width > 0; /* what is too long still ends somewhere */
    printf("%s%*s", text, blanks, "");
}

static void whole_number(double number, char text[TABLE_NUMBER_BYTES])
{
    char digits[TABLE_NUMBER_BYTES];
    int count = snprintf(digits, sizeof digits, "%.0f", number), at = 0;
    for (int i = 0; i < count && at + 2 < TABLE_NUMBER_BYTES; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
}

const char *table_number(double number, char text[TABLE_NUMBER_BYTES])
{
    if (number >= 100)
        whole_number(number, text);
    else
        snprintf(text, TABLE_NUMBER_BYTES, "%.*f", number >= 10 ? 1 : number >= 0.1 ? 2 : 3, number);
    return text;
}

static void spread_print(struct spread spread, int width)
{
    char median[TABLE_NUMBER_BYTES], least[TABLE_NUMBER_BYTES], most[TABLE_NUMBER_BYTES];
    char cell[3 * TABLE_NUMBER_BYTES + 8];
    snprintf(cell, sizeof cell, "%s [%s-%s]", table_number(spread.median, median), table_number(spread.least, least),
             table_number(spread.most, most));
    table_cell(cell, width);
}

void table_machine(const struct machine *machine, bool pinned, enum bench_scale scale)
{
    printf("%s, %u cores; %s; libcurl %s; data on %s; load %.2f; %s\n", machine->cpu, machine->cores, machine->kernel,
           machine->libcurl, machine->disk, machine->load,
           pinned ? "we on core 0, the gateway on core 1" : "unpinned");
    if (scale == BENCH_QUICK)
        puts("A smoke run: it shows that everything runs; its numbers mean nothing.");
}

static void head_print(const struct results *results)
{
    const struct bench_group *group = results->group;
    char count[TABLE_NUMBER_BYTES], cell[80];
    whole_number((double)results->count, count);
    printf("\n%s: %s; %s %s, %u round%s\n", group->name, group->about, count, group->unit, results->rounds,
           results->rounds > 1 ? "s" : "");
    table_cell("", NAME_WIDTH);
    for (uint32_t i = 0; i < BENCH_METRICS_MAX && group->metrics[i] != NULL; i++)
        table_cell(group->metrics[i], METRIC_WIDTH);
    if (group->base != BENCH_NO_BASE) {
        snprintf(cell, sizeof cell, "/ %s, %s", group->variants[group->base].name,
                 results->rounds < 6 ? "range" : "95 %");
        table_cell(cell, 0);
    }
    putchar('\n');
}

/* A bar is held or missed only when the whole interval says so. */
static void bar_print(const char *what, double limit, bool most, struct spread spread)
{
    bool fine = most ? spread.median <= limit : spread.median >= limit;
    bool sure = most ? (fine ? spread.most <= limit : spread.least > limit)
                     : (fine ? spread.least >= limit : spread.most < limit);
    char number[TABLE_NUMBER_BYTES];
    printf("  %s %s %s: %s%s", what, most ? "at most" : "at least", table_number(limit, number),
           fine ? "held" : "MISSED", sure ? "" : ", but not in every sample");
}

static void bars_print(const struct results *results, uint32_t index)
{
    const struct bench_bar *bar = &results->group->variants[index].bar;
    if (bar->at_most > 0)
        bar_print("bar", bar->at_most, true, results_metric(results, index, 0));
    if (bar->at_least > 0)
        bar_print("bar", bar->at_least, false, results_metric(results, index, 0));
    if (bar->ratio_at_most > 0)
        bar_print("ratio's bar", bar->ratio_at_most, true, results_ratio(results, index));
}

/* The counts of a smoke run are too small to be held against a bar. */
static void row_print(const struct results *results, uint32_t index, enum bench_scale scale)
{
    const struct bench_group *group = results->group;
    const struct bench_variant *variant = &group->variants[index];
    printf("  ");
    table_cell(variant->name, NAME_WIDTH - 2);
    for (uint32_t i = 0; i < BENCH_METRICS_MAX && group->metrics[i] != NULL; i++)
        spread_print(results_metric(results, index, i), METRIC_WIDTH);
    if (group->base != BENCH_NO_BASE)
        spread_print(results_ratio(results, index), RATIO_WIDTH);
    if (scale != BENCH_QUICK)
        bars_print(results, index);
    putchar('\n');
}

void table_group(const struct results *results, enum bench_scale scale)
{
    head_print(results);
    for (uint32_t i = 0; i < results->group->variant_count; i++)
        if (variant_is_run(&results->group->variants[i], scale))
            row_print(results, i, scale);
    fflush(stdout);
}
