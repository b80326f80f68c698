/* Any bytes, up to the first NUL a template and behind it a value: no crash, a refusal has a text, and what
 * is accepted finds its own capabilities and judges the value for each of them.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined ... template_fuzz.c && ./a.out corpus/
 */
#include "template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void must(bool fact, const char *what)
{
    if (fact)
        return;
    fprintf(stderr, "template_fuzz: %s\n", what);
    abort();
}

static void check_capability(const struct template *template, const struct capability *capability,
                             const char *value, size_t value_bytes)
{
    struct tranche_err err = { 0 };
    struct tranche_step step = { .target = "dtmi:x;1",
                                 .component = capability->component,
                                 .name = capability->name,
                                 .value = value,
                                 .value_bytes = value_bytes };
    must(template_find(template, capability->component, capability->name) == capability,
         "a capability is not found");
    for (int kind = 0; kind < TRANCHE_STEP_KIND_COUNT; kind++) {
        step.kind = (enum tranche_step_kind)kind;
        enum tranche_code code = template_check_step(template, &step, "data[0]", &err);
        must(code == TRANCHE_OK || (code == err.code && err.text[0] != '\0'),
             "a step is refused without a text");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *text = (const char *)data;
    const char *end = bytes > 0 ? memchr(text, '\0', bytes) : NULL;
    size_t body_bytes = end != NULL ? (size_t)(end - text) : bytes;
    const char *value = end != NULL ? end + 1 : "1";
    size_t value_bytes = end != NULL ? bytes - body_bytes - 1 : 1;
    struct template template;
    struct tranche_err err = { 0 };
    enum tranche_code code = template_parse(text, body_bytes, &template, &err);
    must(code == TRANCHE_OK || (code == err.code && err.text[0] != '\0'),
         "a template is refused without a text");
    for (size_t i = 0; i < template.capability_count; i++)
        check_capability(&template, template.capabilities[i], value, value_bytes);
    template_free(&template);
    return 0;
}
