#include "record.h"
#include "table.h"

#include "fail.h"
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RECORD_BYTES_MAX (16 * 1024 * 1024)
#define PLACE_WIDTH      48
#define METRIC_WIDTH     26

static enum tranche_code file_read(const char *path, struct text *out, struct tranche_err *err)
{
    char piece[4096];
    size_t got;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fail(err, TRANCHE_NOTFOUND, "read %s: %s", path, strerror(errno));
    while (out->length < RECORD_BYTES_MAX && (got = fread(piece, 1, sizeof piece, file)) > 0)
        text_add(out, piece, got);
    bool good = !ferror(file) && !out->failed;
    fclose(file);
    return good ? TRANCHE_OK : fail(err, TRANCHE_IO, "read %s: %s", path, strerror(errno));
}

/* The item with that name in a list of named things; NULL: none. */
static struct json *item_named(const struct json *list, const char *name)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const char *candidate = json_string(json_member(json_item(list, i), "name"));
        if (candidate != NULL && strcmp(candidate, name) == 0)
            return json_item(list, i);
    }
    return NULL;
}

static double number_of(const struct json *object, const char *name)
{
    return json_number(json_member(object, name));
}

static bool apart(const struct json *new, const struct json *old)
{
    return number_of(new, "least") > number_of(old, "most") || number_of(new, "most") < number_of(old, "least");
}

static void line_print(const char *place, const char *what, const struct json *new, const struct json *old)
{
    char before[TABLE_NUMBER_BYTES], now[TABLE_NUMBER_BYTES];
    double new_median = number_of(new, "median"), old_median = number_of(old, "median");
    table_cell(place, PLACE_WIDTH);
    table_cell(what, METRIC_WIDTH);
    printf("%10s -> %-10s", table_number(old_median, before), table_number(new_median, now));
    if (old_median > 0)
        printf(" x %.2f%s", new_median / old_median, apart(new, old) ? "" : "  (ranges overlap)");
    putchar('\n');
}

static void variant_compare(const char *group, const struct json *new, const struct json *old)
{
    char place[160], what[80];
    const struct json *metrics = json_member(new, "metrics"), *ratio = json_member(new, "ratio");
    snprintf(place, sizeof place, "%s / %s", group, json_string(json_member(new, "name")));
    for (size_t i = 0; i < json_count(metrics); i++) {
        const struct json *metric = json_item(metrics, i);
        const char *name = json_string(json_member(metric, "name"));
        const struct json *match = item_named(json_member(old, "metrics"), name);
        if (match != NULL)
            line_print(place, name, metric, match);
    }
    const char *base = json_string(json_member(ratio, "to"));
    const struct json *old_ratio = json_member(old, "ratio");
    if (base == NULL || old_ratio == NULL || strcmp(base, json_string(json_member(new, "name"))) == 0)
        return;
    snprintf(what, sizeof what, "/ %s", base);
    line_print(place, what, ratio, old_ratio);
}

static void group_compare(const struct json *new, const struct json *old)
{
    const char *name = json_string(json_member(new, "name"));
    if (number_of(new, "count") != number_of(old, "count")) {
        printf("%s: not compared, as the counts differ\n", name);
        return;
    }
    const struct json *variants = json_member(new, "variants");
    for (size_t i = 0; i < json_count(variants); i++) {
        const struct json *variant = json_item(variants, i);
        const char *variant_name = json_string(json_member(variant, "name"));
        const struct json *match = item_named(json_member(old, "variants"), variant_name);
        if (match != NULL)
            variant_compare(name, variant, match);
    }
}

static void runs_compare(const struct json *new, const struct json *old)
{
    const char *at = json_string(json_member(old, "at")), *cpu = json_string(json_member(old, "cpu"));
    printf("\nCompared with %s on %s (two runs differ by the moment too: trust the ratios to a base most)\n",
           at != NULL ? at : "an unknown day", cpu != NULL ? cpu : "an unknown machine");
    const struct json *groups = json_member(new, "groups");
    for (size_t i = 0; i < json_count(groups); i++) {
        const struct json *group = json_item(groups, i);
        const struct json *match = item_named(json_member(old, "groups"), json_string(json_member(group, "name")));
        if (match != NULL)
            group_compare(group, match);
    }
}

enum tranche_code compare_print(const struct record *record, const char *path, struct tranche_err *err)
{
    struct text old_text = { 0 };
    struct json_document new = { 0 }, old = { 0 };
    enum tranche_code code = file_read(path, &old_text, err);
    if (code != TRANCHE_OK)
        goto out;
    code = json_parse(old_text.bytes, old_text.length, &old, err);
    if (code != TRANCHE_OK) {
        fail_in(err, code, "read %s", path);
        goto out;
    }
    code = json_parse(record->text.bytes, record->text.length, &new, err);
    if (code == TRANCHE_OK)
        runs_compare(new.root, old.root);
out:
    json_free(&new);
    json_free(&old);
    text_free(&old_text);
    return code;
}
