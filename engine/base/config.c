#include "config.h"

#include "fail.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct number_row {
    const char *name;
    size_t offset;
    uint64_t standard, least, most;
    const char *unit, *help;
} numbers[] = {
#define X(name, standard, least, most, unit, help) \
    { #name, offsetof(struct config, name), standard, least, most, unit, help },
    CONFIG_NUMBERS(X)
#undef X
};

static const struct string_row {
    const char *name;
    size_t offset;
    const char *standard, *unit, *help;
} strings[] = {
#define X(name, standard, unit, help) { #name, offsetof(struct config, name), standard, unit, help },
    CONFIG_STRINGS(X)
#undef X
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static enum tranche_code set_number(struct config *config, const struct number_row *row, const char *value,
                                    struct tranche_err *err);
static enum tranche_code set_string(struct config *config, const struct string_row *row, const char *value,
                                    struct tranche_err *err);

void config_defaults(struct config *config)
{
    for (size_t i = 0; i < COUNT(numbers); i++)
        *(uint64_t *)((char *)config + numbers[i].offset) = numbers[i].standard;
    for (size_t i = 0; i < COUNT(strings); i++)
        strcpy((char *)config + strings[i].offset, strings[i].standard);
}

enum tranche_code config_set(struct config *config, const char *key, const char *value,
                             struct tranche_err *err)
{
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (strcmp(numbers[i].name, key) == 0)
            return set_number(config, &numbers[i], value, err);
    for (size_t i = 0; i < COUNT(strings); i++)
        if (strcmp(strings[i].name, key) == 0)
            return set_string(config, &strings[i], value, err);
    return fail(err, TRANCHE_INVALID, "option \"%s\" does not exist; tranche serve --help-options lists them",
                key);
}

struct file_state {
    struct config *config;
    const char *path;
    enum tranche_code code;
    struct tranche_err *err;
};

static int file_pair(void *user, const char *section, const char *name, const char *value)
{
    struct file_state *state = user;
    (void)section;
    state->code = config_set(state->config, name, value, state->err);
    return state->code == TRANCHE_OK;
}

enum tranche_code config_read_file(struct config *config, const char *path, struct tranche_err *err)
{
    struct file_state state = { .config = config, .path = path, .err = err };
    int line = ini_parse(path, file_pair, &state);
    if (line < 0)
        return fail(err, TRANCHE_INVALID, "configuration %s cannot be read: %s", path, strerror(errno));
    if (line == 0)
        return TRANCHE_OK;
    if (state.code != TRANCHE_OK)
        return fail_in(err, state.code, "configuration %s, line %d", path, line);
    return fail(err, TRANCHE_INVALID, "configuration %s, line %d: expected name = value", path, line);
}

enum tranche_code config_read_environment(struct config *config, struct tranche_err *err)
{
    const char *names[COUNT(numbers) + COUNT(strings)];
    for (size_t i = 0; i < COUNT(numbers); i++)
        names[i] = numbers[i].name;
    for (size_t i = 0; i < COUNT(strings); i++)
        names[COUNT(numbers) + i] = strings[i].name;

    for (size_t i = 0; i < COUNT(names); i++) {
        char variable[64] = "TRANCHE_";
        size_t at = strlen(variable);
        for (const char *p = names[i]; *p != '\0' && at + 1 < sizeof variable; p++)
            variable[at++] = (char)toupper((unsigned char)*p);
        variable[at] = '\0';
        const char *value = getenv(variable);
        if (value == NULL)
            continue;
        enum tranche_code code = config_set(config, names[i], value, err);
        if (code != TRANCHE_OK)
            return fail_in(err, code, "environment variable %s", variable);
    }
    return TRANCHE_OK;
}

void config_print_sample(FILE *out)
{
    for (size_t i = 0; i < COUNT(strings); i++)
        fprintf(out, "# %s (%s)\n#%s = %s\n\n", strings[i].help, strings[i].unit, strings[i].name,
                strings[i].standard);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct number_row *row = &numbers[i];
        fprintf(out, "# %s (%s%s%llu to %llu)\n#%s = %llu\n\n", row->help, row->unit,
                row->unit[0] ? ", " : "", (unsigned long long)row->least, (unsigned long long)row->most,
                row->name, (unsigned long long)row->standard);
    }
}

static enum tranche_code set_number(struct config *config, const struct number_row *row, const char *value,
                                    struct tranche_err *err)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    bool clean = isdigit((unsigned char)value[0]) && *end == '\0' && errno == 0;
    if (!clean || number < row->least || number > row->most)
        return fail(err, TRANCHE_INVALID, "option %s: expected a whole number from %llu to %llu, got \"%s\"",
                    row->name, (unsigned long long)row->least, (unsigned long long)row->most, value);
    *(uint64_t *)((char *)config + row->offset) = number;
    return TRANCHE_OK;
}

static enum tranche_code set_string(struct config *config, const struct string_row *row, const char *value,
                                    struct tranche_err *err)
{
    size_t bytes = strlen(value);
    if (bytes >= CONFIG_STRING_BYTES)
        return fail(err, TRANCHE_INVALID, "option %s: at most %d bytes, got %zu", row->name,
                    CONFIG_STRING_BYTES - 1, bytes);
    memcpy((char *)config + row->offset, value, bytes + 1);
    return TRANCHE_OK;
}
