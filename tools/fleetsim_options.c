#include "fleetsim_options.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

/* A day: longer waits are a slip of the finger. */
#define MS_MAX 86400000

/* A hundred million records are 10 GB of NDJSON; more is a slip of the finger. */
#define COUNT_MAX 100000000

#define PROFILE_LINE_BYTES_MAX (OPTION_TEXT_BYTES + 64)

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_SHARE, OPTION_NUMBER };

struct option {
    const char *name;
    const char *value;    /* what the help calls its value; NULL for a flag */
    const char *standard; /* the default, as one would write it; NULL is off or empty */
    const char *help;
    unsigned commands;
    enum option_kind kind;
    size_t offset; /* in struct options; a bool, char[OPTION_TEXT_BYTES], or uint64_t by kind */
    uint64_t max;  /* of a number */
};

/* `verdict` takes all that `serve` takes, so that one profile serves both. `devices` takes --seed for scripts
 * that pass one seed everywhere; ids do not depend on it. */
#define BOTH      (COMMAND_SERVE | COMMAND_VERDICT)
#define AT(field) offsetof(struct options, field)

static const struct option option_rows[] = {
    { "listen", "HOST:PORT", "127.0.0.1:9200", "port 0 picks a free one", BOTH, OPTION_TEXT, AT(listen), 0 },
    { "latency-ms", "N", "0", "a device answers after N ms", BOTH, OPTION_NUMBER, AT(profile.latency_ms),
      MS_MAX },
    { "jitter-ms", "N", "0", "and up to N ms more", BOTH, OPTION_NUMBER, AT(profile.jitter_ms), MS_MAX },
    { "slow", "PERCENT", "0", "these answers take --slow-ms instead", BOTH, OPTION_SHARE, AT(profile.slow),
      0 },
    { "slow-ms", "N", "1000", "what a slow answer takes", BOTH, OPTION_NUMBER, AT(profile.slow_ms), MS_MAX },
    { "fail", "PERCENT", "0", "refuse for good: 4xx or device code >= 400, by device and key", BOTH,
      OPTION_SHARE, AT(profile.fail), 0 },
    { "sticky", NULL, NULL, "--fail goes by device alone, so a rerun fails again", BOTH, OPTION_FLAG,
      AT(profile.sticky), 0 },
    { "transient", "PERCENT", "0", "429 with Retry-After, or 503; anew for each X-Attempt", BOTH,
      OPTION_SHARE, AT(profile.transient), 0 },
    { "offline", "PERCENT", "0", "commands get 404, property writes succeed", BOTH, OPTION_SHARE,
      AT(profile.offline), 0 },
    { "close-reused", "PERCENT", "0", "close unanswered, never on a connection's first request", BOTH,
      OPTION_SHARE, AT(profile.close_reused), 0 },
    { "black-hole", NULL, NULL, "never answer a device call", BOTH, OPTION_FLAG, AT(profile.black_hole), 0 },
    { "black-hole-prefix", "TEXT", NULL, "never answer devices whose id begins so", BOTH, OPTION_TEXT,
      AT(black_hole_prefix), 0 },
    { "seed", "N", "1", "another seed draws other devices", BOTH | COMMAND_DEVICES, OPTION_NUMBER,
      AT(profile.seed), UINT64_MAX },
    { "log", "FILE", NULL, "append a JSON line for each request received", BOTH, OPTION_TEXT, AT(log), 0 },
    { "profile", "FILE", NULL, "options as lines NAME=VALUE; flags win", BOTH, OPTION_TEXT, AT(profile_path),
      0 },
    { "count", "N", "10000", "devices to print", COMMAND_DEVICES, OPTION_NUMBER, AT(count), COUNT_MAX },
    { "template", "ID", "dtmi:tranche:fleetsim;1", "their template", COMMAND_DEVICES, OPTION_TEXT,
      AT(template), 0 },
    { "simulated", NULL, NULL, "mark them so: Tranche then never calls them", COMMAND_DEVICES, OPTION_FLAG,
      AT(simulated), 0 },
    { "attempt", "N", "1", "X-Attempt of the call in question", COMMAND_VERDICT, OPTION_NUMBER, AT(attempt),
      UINT32_MAX },
    { "property", NULL, NULL, "it is a property write, not a command", COMMAND_VERDICT, OPTION_FLAG,
      AT(property), 0 },
};

#undef AT
#undef BOTH

#define OPTION_ROWS (sizeof option_rows / sizeof *option_rows)

/* ---- values ---- */

static bool number_parse(const char *text, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == text || *at != '\0')
        return false;
    *number = value;
    return true;
}

static bool flag_set(const char *value, bool *flag)
{
    *flag = strcmp(value, "true") == 0;
    return *flag || strcmp(value, "false") == 0;
}

static bool text_set(const char *value, char *text)
{
    size_t bytes = strlen(value);
    if (bytes == 0 || bytes >= OPTION_TEXT_BYTES)
        return false;
    memcpy(text, value, bytes + 1);
    return true;
}

/* `where` names the source in front of a complaint: "--" or "FILE:LINE: ". */
static bool option_set(struct options *options, const struct option *row, const char *value,
                       const char *where, struct trouble *trouble)
{
    void *field = (char *)options + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        if (flag_set(value, field))
            return true;
        return trouble_say(trouble, "%s%s %s: must be true or false", where, row->name, value);
    case OPTION_TEXT:
        if (text_set(value, field))
            return true;
        return trouble_say(trouble, "%s%s: must be 1 to %d bytes", where, row->name, OPTION_TEXT_BYTES - 1);
    case OPTION_SHARE:
        if (share_parse(value, field))
            return true;
        return trouble_say(trouble, "%s%s %s: must be a percentage from 0 to 100, with at most %d decimals",
                           where, row->name, value, SHARE_DECIMALS_MAX);
    case OPTION_NUMBER:
        if (number_parse(value, row->max, field))
            return true;
        return trouble_say(trouble, "%s%s %s: must be a whole number from 0 to %llu", where, row->name, value,
                           (unsigned long long)row->max);
    }
    assert(false && "a row of an unknown kind");
    return false;
}

static const struct option *option_find(const char *name, size_t bytes, unsigned commands)
{
    for (size_t i = 0; i < OPTION_ROWS; i++)
        if (strlen(option_rows[i].name) == bytes && memcmp(option_rows[i].name, name, bytes) == 0)
            return option_rows[i].commands & commands ? &option_rows[i] : NULL;
    return NULL;
}

static void options_default(struct options *options)
{
    struct trouble trouble;
    *options = (struct options){ 0 };
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option *row = &option_rows[i];
        bool good = row->standard == NULL || option_set(options, row, row->standard, "", &trouble);
        assert(good);
        (void)good;
    }
}

/* ---- the profile file ---- */

/* NAME=VALUE; blank lines and lines that start with # are skipped. */
static bool profile_line_read(struct options *options, char *line, const char *where, struct trouble *trouble)
{
    line[strcspn(line, "\r\n")] = '\0';
    line += strspn(line, " \t");
    if (*line == '\0' || *line == '#')
        return true;
    size_t name_bytes = strcspn(line, " \t=");
    char *value = line + name_bytes + strspn(line + name_bytes, " \t");
    if (*value != '=')
        return trouble_say(trouble, "%s%s: must be NAME=VALUE", where, line);
    value += 1 + strspn(value + 1, " \t");

    const struct option *row = option_find(line, name_bytes, COMMAND_SERVE);
    if (row == NULL || row->offset == offsetof(struct options, profile_path))
        return trouble_say(trouble, "%s%.*s: no such option in a profile", where, (int)name_bytes, line);
    for (char *end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t');)
        *--end = '\0';
    return option_set(options, row, value, where, trouble);
}

static bool profile_read(struct options *options, const char *path, struct trouble *trouble)
{
    char line[PROFILE_LINE_BYTES_MAX], where[OPTION_TEXT_BYTES + 32];
    bool good = true;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return trouble_say(trouble, "open the profile %s: %s", path, strerror(errno));
    for (unsigned number = 1; good && fgets(line, sizeof line, file) != NULL; number++) {
        snprintf(where, sizeof where, "%s:%u: ", path, number);
        if (strlen(line) == sizeof line - 1)
            good = trouble_say(trouble, "%sthe line is too long", where);
        else
            good = profile_line_read(options, line, where, trouble);
    }
    if (good && ferror(file))
        good = trouble_say(trouble, "read the profile %s: %s", path, strerror(errno));
    fclose(file);
    return good;
}

/* ---- the command line ---- */

/* One flag as it stands: --NAME VALUE, --NAME=VALUE, or --NAME alone. */
struct flag {
    const struct option *row;
    const char *value;
    int arguments; /* how many it takes up */
};

static bool flag_read(struct flag *flag, enum command command, char **arguments, int count,
                      struct trouble *trouble)
{
    const char *name = arguments[0] + 2, *equals = strchr(name, '=');
    size_t bytes = equals != NULL ? (size_t)(equals - name) : strlen(name);
    *flag = (struct flag){ .row = option_find(name, bytes, command), .value = "true", .arguments = 1 };
    if (flag->row == NULL)
        return trouble_say(trouble, "%s: no such option here; see fleetsim --help", arguments[0]);
    if (equals != NULL) {
        flag->value = equals + 1;
    } else if (flag->row->kind != OPTION_FLAG) {
        if (count < 2)
            return trouble_say(trouble, "%s: needs a value (%s)", arguments[0], flag->row->value);
        flag->value = arguments[1];
        flag->arguments = 2;
    }
    return true;
}

static bool is_flag(const char *argument)
{
    return argument[0] == '-' && argument[1] == '-' && argument[2] != '\0';
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static bool operand_keep(struct options *options, const char *argument, struct trouble *trouble)
{
    if (options->operand_count == OPERANDS_MAX)
        return trouble_say(trouble, "%s: one argument too many; see fleetsim --help", argument);
    options->operands[options->operand_count++] = argument;
    return true;
}

static bool arguments_read(struct options *options, enum command command, char **arguments, int count,
                           struct trouble *trouble)
{
    struct flag flag;
    for (int i = 0; i < count; i += flag.arguments) {
        flag = (struct flag){ .arguments = 1 };
        if (is_help(arguments[i])) {
            options->help = true;
        } else if (is_flag(arguments[i])) {
            if (!flag_read(&flag, command, arguments + i, count - i, trouble))
                return false;
            if (!option_set(options, flag.row, flag.value, "--", trouble))
                return false;
        } else if (!operand_keep(options, arguments[i], trouble)) {
            return false;
        }
    }
    return true;
}

/* The flags are read twice: first to find --profile, and again over what it says. */
bool options_read(struct options *options, enum command command, char **arguments, int count,
                  struct trouble *trouble)
{
    options_default(options);
    options->profile.black_hole_prefix = options->black_hole_prefix;
    if (!arguments_read(options, command, arguments, count, trouble))
        return false;
    if (options->profile_path[0] == '\0')
        return true;

    char path[OPTION_TEXT_BYTES];
    memcpy(path, options->profile_path, sizeof path);
    options_default(options);
    options->profile.black_hole_prefix = options->black_hole_prefix;
    return profile_read(options, path, trouble) &&
           arguments_read(options, command, arguments, count, trouble);
}

/* ---- the help ---- */

/* The rows that belong to `command` and to none of those printed before it. */
static void rows_print(FILE *out, unsigned command, unsigned printed)
{
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option *row = &option_rows[i];
        if (!(row->commands & command) || row->commands & printed)
            continue;
        char usage[40];
        snprintf(usage, sizeof usage, "--%s%s%s", row->name, row->value != NULL ? " " : "",
                 row->value != NULL ? row->value : "");
        fprintf(out, "  %-23s %s", usage, row->help);
        if (row->standard != NULL)
            fprintf(out, " [%s]", row->standard);
        fputc('\n', out);
    }
}

void options_help(FILE *out)
{
    fputs("usage: fleetsim [serve] [OPTION]...            a gateway with any number of devices behind it\n"
          "       fleetsim devices [OPTION]...            print device records for `tranche device import`\n"
          "       fleetsim verdict [OPTION]... DEVICE KEY print what serve, with the same options, decides\n"
          "\n"
          "serve, and the defaults (PERCENT is 0 to 100, up to 9 decimals):\n",
          out);
    rows_print(out, COMMAND_SERVE, 0);
    fputs("devices:\n", out);
    rows_print(out, COMMAND_DEVICES, COMMAND_SERVE);
    fputs("verdict, besides serve's:\n", out);
    rows_print(out, COMMAND_VERDICT, COMMAND_SERVE | COMMAND_DEVICES);
    fputs("\n"
          "It takes the device calls of IoT Central and of IoT Hub, and GET /healthz. SIGTERM ends it.\n"
          "Example: fleetsim --latency-ms 20 --jitter-ms 10 --fail 2.5 --log requests.jsonl\n",
          out);
}
