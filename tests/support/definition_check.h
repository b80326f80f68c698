/* What must hold of every text that is given to definition_parse; used by the unit test and the fuzzer. */
#ifndef DEFINITION_CHECK_H
#define DEFINITION_CHECK_H

#include "definition.h"

#include <string.h>

static void definition_check_print(const struct definition *definition, bool canonical_types,
                                   struct text *out)
{
    text_clear(out);
    text_puts(out, "{");
    definition_print(definition, canonical_types, out);
    text_puts(out, "}");
}

static bool definition_check_amounts_equal(const struct tranche_amount *a, const struct tranche_amount *b)
{
    return a->percentage == b->percentage && a->scale == b->scale && a->mantissa == b->mantissa;
}

static bool definition_check_strings_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* All but the steps, whose values may differ in white space. */
static bool definition_check_heads_equal(const struct definition *a, const struct definition *b)
{
    return definition_check_strings_equal(a->display_name, b->display_name) &&
           definition_check_strings_equal(a->description, b->description) &&
           definition_check_strings_equal(a->group, b->group) &&
           definition_check_strings_equal(a->organization, b->organization) && a->batched == b->batched &&
           definition_check_amounts_equal(&a->batch, &b->batch) && a->threshold.set == b->threshold.set &&
           a->threshold.per_batch == b->threshold.per_batch &&
           definition_check_amounts_equal(&a->threshold.amount, &b->threshold.amount) && a->kind == b->kind &&
           a->step_count == b->step_count;
}

static bool definition_check_steps_equal(const struct tranche_step *a, const struct tranche_step *b)
{
    return a->kind == b->kind && definition_check_strings_equal(a->target, b->target) &&
           definition_check_strings_equal(a->component, b->component) &&
           definition_check_strings_equal(a->name, b->name) && (a->value == NULL) == (b->value == NULL);
}

/* Printed, it parses again, to an equal definition that prints the same. */
static const char *definition_check_round_trip(const struct definition *definition, bool canonical_types)
{
    struct text once = { 0 }, twice = { 0 };
    struct definition again;
    const char *complaint = NULL;
    definition_check_print(definition, canonical_types, &once);
    if (definition_parse(once.bytes, once.length, &again, NULL) != TRANCHE_OK)
        complaint = "what was printed is refused";
    else {
        definition_check_print(&again, canonical_types, &twice);
        if (strcmp(once.bytes, twice.bytes) != 0)
            complaint = "the second print differs";
        if (!definition_check_heads_equal(definition, &again))
            complaint = "the members differ";
        for (size_t i = 0; complaint == NULL && i < definition->step_count; i++)
            if (!definition_check_steps_equal(&definition->steps[i], &again.steps[i]))
                complaint = "the steps differ";
    }
    definition_free(&again);
    text_free(&once);
    text_free(&twice);
    return complaint;
}

/* NULL when all is well, else what is not. */
static const char *definition_check(const char *text, size_t bytes, bool *accepted)
{
    struct definition definition;
    struct tranche_err err = { 0 };
    enum tranche_code code = definition_parse(text, bytes, &definition, &err);
    *accepted = code == TRANCHE_OK;
    if (!*accepted) {
        bool sentence = code == TRANCHE_INVALID && err.text[strlen(err.text) - 1] == '.';
        bool cut = strlen(err.text) == sizeof err.text - 1;
        bool empty = definition.group == NULL && definition.memory.blocks == NULL;
        return empty && err.code == code && (sentence || cut || code == TRANCHE_BADREQUEST)
                   ? NULL
                   : "refused without a good reason";
    }
    const char *complaint = definition_check_round_trip(&definition, false);
    if (complaint == NULL)
        complaint = definition_check_round_trip(&definition, true);
    definition_free(&definition);
    return complaint;
}

#endif
