#include "cli.h"

#include "file.h"
#include "mem.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLAGS_MAX       64   /* of one command, with other names and global ones */
#define TOKEN_BYTES_MAX 8192 /* more is no Authorization value */
#define NAMES_WIDTH     34   /* column at which the help of a flag begins */

enum { GLOBAL_SERVER = 1001, GLOBAL_CA_FILE, GLOBAL_TOKEN_FILE, GLOBAL_OUTPUT, GLOBAL_NO_COLOR, GLOBAL_QUIET, GLOBAL_HELP };

static const struct flag global_flags[] = {
    { GLOBAL_SERVER, 0, "server", "URL", "server to speak with (TRANCHE_SERVER; " CLI_SERVER_STANDARD ")" },
    { GLOBAL_CA_FILE, 0, "ca-file", "FILE", "CA of an https server, PEM (TRANCHE_CA_FILE; the system's CAs)" },
    { GLOBAL_TOKEN_FILE, 0, "token-file", "FILE", "file with the Authorization value (TRANCHE_TOKEN: the value itself)" },
    { GLOBAL_OUTPUT, 'o', "output", "FORMAT", "table, wide, json, jsonl, tsv or id (table)" },
    { GLOBAL_NO_COLOR, 0, "no-color", NULL, "no colours (NO_COLOR)" },
    { GLOBAL_QUIET, 'q', "quiet", NULL, "only data and errors" },
    { GLOBAL_HELP, 'h', "help", NULL, "this page" },
    { 0 },
};

struct words {
    struct cli *cli;
    const struct flag *flags[FLAGS_MAX]; /* row of each long option */
    struct option longs[FLAGS_MAX + 1];
    char shorts[2 * FLAGS_MAX + 3];
    int count;
    int argc;
    char **argv; /* argv[0] is the command's last word */
};

static char token_from_file[TOKEN_BYTES_MAX];

static bool take_global(struct cli *cli, int id, const char *value);

/* ---- saying what is wrong ---- */

static void say(const char *before, const char *format, va_list args)
{
    fputs(before, stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

enum exit_code cli_fail(enum exit_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("error: ", format, args);
    va_end(args);
    return code;
}

enum exit_code cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("error: ", format, args);
    va_end(args);
    const struct cmd *cmd = cli->cmd;
    if (cmd == NULL)
        fprintf(stderr, "  see tranche help\n");
    else
        fprintf(stderr, "  usage: tranche %s%s%s%s    more: tranche %s --help\n", cmd->name,
                cmd->arguments[0] != '\0' ? " " : "", cmd->arguments, cmd->flags != NULL ? " [flags]" : "", cmd->name);
    return EXIT_USAGE;
}

enum exit_code cli_exit_of(enum tranche_code code)
{
    switch (tranche_code_http(code)) {
    case 401:
    case 403:
        return EXIT_UNAUTHORIZED;
    case 404:
        return EXIT_NOTFOUND;
    case 409:
    case 412:
        return EXIT_CONFLICT;
    case 400:
    case 413:
    case 422:
        return EXIT_INVALID;
    default:
        return EXIT_TROUBLE;
    }
}

enum exit_code cli_fail_err(const struct tranche_err *err)
{
    return cli_fail(cli_exit_of(err->code), "%s", err->text);
}

void cli_note(const struct cli *cli, const char *format, ...)
{
    if (cli->quiet)
        return;
    va_list args;
    va_start(args, format);
    say("", format, args);
    va_end(args);
}

/* ---- words ---- */

static void words_add(struct words *words, const struct flag *flag)
{
    assert(words->count < FLAGS_MAX);
    words->flags[words->count] = flag;
    words->longs[words->count++] = (struct option){ .name = flag->name,
                                                    .has_arg = flag->value != NULL ? required_argument : no_argument,
                                                    .val = flag->id };
    if (flag->letter == 0)
        return;
    size_t at = strlen(words->shorts);
    words->shorts[at] = flag->letter;
    words->shorts[at + 1] = flag->value != NULL ? ':' : '\0';
}

/* `leading` is getopt's "+" to stop at the first argument, or "" to let flags stand behind arguments. */
static void words_init(struct words *words, struct cli *cli, const struct flag *flags, const char *leading, int argc,
                       char **argv)
{
    *words = (struct words){ .cli = cli, .argc = argc, .argv = argv };
    snprintf(words->shorts, sizeof words->shorts, "%s:", leading);
    for (; flags != NULL && flags->id != 0; flags++)
        words_add(words, flags);
    for (flags = global_flags; flags->id != 0; flags++)
        words_add(words, flags);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
}

static const struct flag *flag_by_letter(const struct words *words, int letter)
{
    for (int i = 0; i < words->count; i++)
        if (letter != 0 && words->flags[i]->letter == letter)
            return words->flags[i];
    return NULL;
}

static const struct flag *flag_by_id(const struct words *words, int id)
{
    for (int i = 0; i < words->count; i++)
        if (words->flags[i]->id == id)
            return words->flags[i];
    return NULL;
}

/* getopt tells the letter or id of a flag without its value in optopt. */
static void refuse_value(const struct words *words)
{
    const struct flag *flag = flag_by_letter(words, optopt);
    if (flag == NULL)
        flag = flag_by_id(words, optopt);
    assert(flag != NULL);
    cli_usage(words->cli, "--%s needs a value: --%s %s", flag->name, flag->name, flag->value);
}

static void refuse_flag(const struct words *words)
{
    const struct flag *flag = optopt != 0 ? flag_by_id(words, optopt) : NULL;
    if (flag != NULL)
        cli_usage(words->cli, "--%s takes no value", flag->name);
    else if (optopt != 0)
        cli_usage(words->cli, "there is no flag -%c", optopt);
    else
        cli_usage(words->cli, "there is no flag %s", words->argv[optind - 1]);
}

static bool check_arguments(const struct words *words)
{
    const struct cmd *cmd = words->cli->cmd;
    int count = words->argc - optind;
    if (count < cmd->arguments_min)
        cli_usage(words->cli, "an argument is missing: %s", cmd->arguments);
    else if (count > cmd->arguments_max)
        cli_usage(words->cli, "one argument too many: \"%s\"", words->argv[optind + cmd->arguments_max]);
    return count >= cmd->arguments_min && count <= cmd->arguments_max;
}

/* As words_flag, but leaves the arguments alone. */
static int next_flag(struct words *words, const char **value)
{
    for (;;) {
        int found = getopt_long(words->argc, words->argv, words->shorts, words->longs, NULL);
        if (found == -1)
            return FLAG_END;
        if (found == ':')
            refuse_value(words);
        if (found == '?')
            refuse_flag(words);
        if (found == ':' || found == '?')
            return FLAG_BAD;
        const struct flag *flag = flag_by_id(words, found);
        if (flag == NULL)
            flag = flag_by_letter(words, found);
        assert(flag != NULL);
        *value = optarg;
        if (flag->id < GLOBAL_SERVER)
            return flag->id;
        if (!take_global(words->cli, flag->id, optarg))
            return FLAG_BAD;
    }
}

int words_flag(struct words *words, const char **value)
{
    int flag = next_flag(words, value);
    if (flag == FLAG_END && !check_arguments(words))
        return FLAG_BAD;
    return flag;
}

const char *words_argument(const struct words *words, int index)
{
    return optind + index < words->argc ? words->argv[optind + index] : NULL;
}

/* ---- global flags ---- */

static bool take_output(struct cli *cli, const char *value)
{
    static const char *const names[] = { "table", "wide", "json", "jsonl", "tsv", "id" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(value, names[i]) == 0) {
            cli->output = (enum output)i;
            return true;
        }
    cli_usage(cli, "--output: expected table, wide, json, jsonl, tsv or id, got \"%s\"", value);
    return false;
}

static bool take_token_file(struct cli *cli, const char *path)
{
    struct tranche_err err;
    struct text text = {0};
    bool good = file_read(path, sizeof token_from_file - 1, &text, &err) == TRANCHE_OK;
    if (good) {
        size_t bytes = strcspn(text.bytes, "\r\n");
        memcpy(token_from_file, text.bytes, bytes);
        token_from_file[bytes] = '\0';
        cli->token = token_from_file;
    } else {
        cli_fail(EXIT_USAGE, "--token-file: %s", err.text);
    }
    text_free(&text);
    return good;
}

static bool take_server(struct cli *cli, const char *value)
{
    static char server[1024];
    size_t bytes = strlen(value);
    while (bytes > 0 && value[bytes - 1] == '/')
        bytes--;
    bool known = strncmp(value, "http://", 7) == 0 || strncmp(value, "https://", 8) == 0;
    if (!known || bytes >= sizeof server) {
        cli_usage(cli, "--server: expected a URL such as " CLI_SERVER_STANDARD ", got \"%s\"", value);
        return false;
    }
    memcpy(server, value, bytes);
    server[bytes] = '\0';
    cli->server = server;
    cli->server_named = true;
    return true;
}

static bool take_global(struct cli *cli, int id, const char *value)
{
    switch (id) {
    case GLOBAL_SERVER:
        return take_server(cli, value);
    case GLOBAL_CA_FILE:
        cli->ca_file = value;
        return true;
    case GLOBAL_TOKEN_FILE:
        return take_token_file(cli, value);
    case GLOBAL_OUTPUT:
        return take_output(cli, value);
    case GLOBAL_NO_COLOR:
        cli->color = false;
        return true;
    case GLOBAL_QUIET:
        cli->quiet = true;
        return true;
    default:
        assert(id == GLOBAL_HELP);
        if (cli->cmd != NULL)
            cli_help(cli->cmd);
        else
            cli_overview(false);
        exit(EXIT_OK);
    }
}

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0';
}

static bool cli_init(struct cli *cli)
{
    const char *term = getenv("TERM");
    *cli = (struct cli){ .server = CLI_SERVER_STANDARD };
    cli->terminal_out = isatty(STDOUT_FILENO);
    cli->terminal_err = isatty(STDERR_FILENO);
    cli->color = cli->terminal_err && !is_set("NO_COLOR") && term != NULL && strcmp(term, "dumb") != 0;
    if (is_set("TRANCHE_CA_FILE"))
        cli->ca_file = getenv("TRANCHE_CA_FILE");
    if (is_set("TRANCHE_TOKEN"))
        cli->token = getenv("TRANCHE_TOKEN");
    return !is_set("TRANCHE_SERVER") || take_server(cli, getenv("TRANCHE_SERVER"));
}

/* ---- help ---- */

static void print_flags(FILE *out, const struct flag *flags)
{
    for (; flags != NULL && flags->id != 0; flags++) {
        if (flags->help == NULL)
            continue;
        char names[80];
        char letter[4] = { '-', flags->letter, ',', '\0' };
        snprintf(names, sizeof names, "  %s %s%s%s%s", flags->letter != 0 ? letter : "   ", "--", flags->name,
                 flags->value != NULL ? " " : "", flags->value != NULL ? flags->value : "");
        fprintf(out, "%-*s %s\n", NAMES_WIDTH, names, flags->help);
    }
}

void cli_help(const struct cmd *cmd)
{
    printf("usage: tranche %s%s%s%s\n\n%s\n", cmd->name, cmd->arguments[0] != '\0' ? " " : "", cmd->arguments,
           cmd->flags != NULL ? " [flags]" : "", cmd->help);
    if (cmd->more != NULL)
        printf("\n%s\n", cmd->more);
    printf("\n");
    if (cmd->flags != NULL)
        print_flags(stdout, cmd->flags);
    print_flags(stdout, global_flags);
    printf("\nexample: %s\n", cmd->example);
}

void cli_overview(bool as_error)
{
    FILE *out = as_error ? stderr : stdout;
    fprintf(out, "usage: tranche COMMAND [flags]\n\nChanges a whole fleet of devices, one tranche at a time.\n\n");
    for (size_t i = 0; cmds[i] != NULL; i++) {
        char usage[80];
        snprintf(usage, sizeof usage, "  %s %s", cmds[i]->name, cmds[i]->arguments);
        fprintf(out, "%-*s %s\n", NAMES_WIDTH, usage, cmds[i]->help);
    }
    fprintf(out, "\n");
    print_flags(out, global_flags);
    fprintf(out, "\nexample: tranche job create warm-up -g thermostats --property targetTemperature=56 --batch 25%% "
                 "--watch\n");
}

/* ---- finding the command ---- */

/* How many words of the command's name stand at the beginning of what was typed: all of them, or 0. */
static int words_matched(const char *name, int argc, char *const *argv)
{
    int matched = 0;
    for (; *name != '\0'; matched++) {
        size_t bytes = strcspn(name, " ");
        if (matched == argc || strlen(argv[matched]) != bytes || memcmp(argv[matched], name, bytes) != 0)
            return 0;
        name += bytes;
        name += *name == ' ';
    }
    return matched;
}

const struct cmd *cli_find(int argc, char *const *argv, int *used)
{
    for (size_t i = 0; cmds[i] != NULL; i++) {
        *used = words_matched(cmds[i]->name, argc, argv);
        if (*used > 0)
            return cmds[i];
    }
    return NULL;
}

static bool is_verb_of(const struct cmd *cmd, const char *noun)
{
    size_t bytes = strlen(noun);
    return strncmp(cmd->name, noun, bytes) == 0 && cmd->name[bytes] == ' ';
}

bool cli_help_noun(const char *noun)
{
    bool any = false;
    for (size_t i = 0; cmds[i] != NULL; i++) {
        if (!is_verb_of(cmds[i], noun))
            continue;
        if (!any)
            printf("usage: tranche %s VERB ... [flags]\n\n", noun);
        char usage[80];
        snprintf(usage, sizeof usage, "  %s %s", cmds[i]->name, cmds[i]->arguments);
        printf("%-*s %s\n", NAMES_WIDTH, usage, cmds[i]->help);
        any = true;
    }
    if (any)
        printf("\nexample: tranche %s VERB --help\n", noun);
    return any;
}

/* Whether two words differ by one slip: a letter too many, too few, another one, or two neighbours swapped. */
static bool is_slip(const char *typed, size_t typed_bytes, const char *word, size_t word_bytes)
{
    size_t same = 0;
    while (same < typed_bytes && same < word_bytes && typed[same] == word[same])
        same++;
    const char *a = typed + same, *b = word + same;
    size_t a_bytes = typed_bytes - same, b_bytes = word_bytes - same;
    if (a_bytes == b_bytes + 1)
        return memcmp(a + 1, b, b_bytes) == 0;
    if (b_bytes == a_bytes + 1)
        return memcmp(a, b + 1, a_bytes) == 0;
    if (a_bytes != b_bytes || a_bytes == 0)
        return false;
    bool swapped = a_bytes > 1 && a[0] == b[1] && a[1] == b[0] && memcmp(a + 2, b + 2, a_bytes - 2) == 0;
    return swapped || memcmp(a + 1, b + 1, a_bytes - 1) == 0;
}

/* After "there is no command": the noun that was meant, if one is near. */
static void suggest_noun(const char *typed)
{
    for (size_t i = 0; cmds[i] != NULL; i++) {
        const char *name = cmds[i]->name;
        size_t bytes = strcspn(name, " ");
        if (!is_slip(typed, strlen(typed), name, bytes))
            continue;
        fprintf(stderr, "  did you mean \"%.*s\"?\n", (int)bytes, name);
        return;
    }
    fprintf(stderr, "  see tranche help\n");
}

/* The verbs of a noun, where the noun at least is right. */
static enum exit_code refuse_command(int argc, char *const *argv)
{
    struct text verbs = {0};
    for (size_t i = 0; cmds[i] != NULL; i++)
        if (is_verb_of(cmds[i], argv[0]))
            text_printf(&verbs, "%s%s", verbs.length > 0 ? ", " : "", cmds[i]->name + strlen(argv[0]) + 1);
    bool has_verb = argc > 1 && argv[1][0] != '-';
    if (verbs.length == 0) {
        cli_fail(EXIT_USAGE, "there is no command \"%s\"", argv[0]);
        suggest_noun(argv[0]);
    } else if (has_verb)
        cli_fail(EXIT_USAGE, "\"%s\" cannot \"%s\", but: %s", argv[0], argv[1], verbs.bytes);
    else
        cli_fail(EXIT_USAGE, "\"%s\" needs to know what to do: %s", argv[0], verbs.bytes);
    text_free(&verbs);
    return EXIT_USAGE;
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int cli_main(int argc, char **argv)
{
    struct cli cli;
    struct words words;
    const char *value;
    if (!cli_init(&cli))
        return EXIT_USAGE;
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        argv[1] = "version";
    words_init(&words, &cli, NULL, "+", argc, argv);
    if (next_flag(&words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    argc -= optind;
    argv += optind;
    if (argc == 0) {
        cli_overview(true);
        return EXIT_USAGE;
    }

    int used;
    cli.cmd = cli_find(argc, argv, &used);
    if (cli.cmd == NULL && argc > 1 && asks_for_help(argv[1]) && cli_help_noun(argv[0]))
        return EXIT_OK;
    if (cli.cmd == NULL)
        return (int)refuse_command(argc, argv);
    words_init(&words, &cli, cli.cmd->flags, "", argc - (used - 1), argv + (used - 1));
    return (int)cli.cmd->run(&cli, &words);
}
