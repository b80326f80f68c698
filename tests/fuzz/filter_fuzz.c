/* Any bytes either make a filter that prints to a text that makes the same filter again, or a refusal that says where.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined ... filter_fuzz.c && ./a.out -dict=tests/fuzz/filter.dict corpus/
 */
#include "filter_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void must(bool fact, const char *what)
{
    if (fact)
        return;
    fprintf(stderr, "filter_fuzz: %s\n", what);
    abort();
}

static void check_refusal(const struct filter *filter, const struct tranche_err *err, size_t bytes)
{
    must(filter->root == NULL && filter->memory.blocks == NULL, "a refused filter is not zeroed");
    must(err->code == TRANCHE_INVALID && err->text[0] != '\0', "a refusal without a text");
    const char *position = strstr(err->text, "at position ");
    must(position != NULL || bytes > FILTER_BYTES_MAX, "a refusal without a position");
    if (position != NULL) {
        unsigned long at = strtoul(position + strlen("at position "), NULL, 10);
        must(at >= 1 && at <= bytes + 1, "a position outside the text");
    }
}

static void check_filter(const struct filter *filter)
{
    struct filter again = {0};
    struct text first = {0}, second = {0};
    filter_print(filter, &first);
    if (first.length <= FILTER_BYTES_MAX) { /* spaces and escapes may make it longer than what was read */
        must(filter_parse(first.bytes, first.length, &again, NULL) == TRANCHE_OK, "a printed filter is refused");
        filter_print(&again, &second);
        must(strcmp(first.bytes, second.bytes) == 0, "a printed filter reads differently");
    }
    filter_free(&again);
    text_free(&first);
    text_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct filter filter;
    struct tranche_err err = {0};
    if (filter_parse((const char *)data, bytes, &filter, &err) == TRANCHE_OK)
        check_filter(&filter);
    else
        check_refusal(&filter, &err, bytes);
    filter_free(&filter);
    return 0;
}
