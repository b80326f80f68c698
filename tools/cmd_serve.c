/* The server in the foreground. The main thread assembles the engine and then only waits for signals, which all other
 * threads have blocked: SIGHUP loads the TLS files anew, the first SIGTERM or SIGINT drains, a second one ends at once.
 */
#include "assemble.h"
#include "cli.h"
#include "config.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG = 1, DATA, LISTEN, GATEWAY, PRESET, WORKERS, IN_FLIGHT, TLS_CERT, TLS_KEY, SET, HELP_OPTIONS };

#define SETTINGS_MAX 64 /* flags of one command line; the last one of a key wins */

static const struct flag flags[] = {
    { CONFIG, 0, "config", "FILE", "options, one NAME = VALUE a line" },
    { DATA, 0, "data", "DIR", "data directory (./tranche-data)" },
    { LISTEN, 0, "listen", "HOST:PORT", "address to serve; port 0 picks a free one (127.0.0.1:9110)" },
    { GATEWAY, 0, "gateway", "URL", "where devices are called" },
    { PRESET, 0, "preset", "NAME", "how the gateway is spoken to (central)" },
    { WORKERS, 0, "workers", "N", "threads that call devices" },
    { IN_FLIGHT, 0, "in-flight", "N", "calls at once, for each job (256)" },
    { TLS_CERT, 0, "tls-cert", "FILE", "certificate chain, PEM: speak https only" },
    { TLS_KEY, 0, "tls-key", "FILE", "its private key, PEM" },
    { SET, 0, "set", "NAME=VALUE", "any other option; may be repeated" },
    { HELP_OPTIONS, 0, "help-options", NULL, "print a configuration file with all options and defaults" },
    { 0 },
};

/* What the command line says, kept until file and environment have been read: it is stronger than both. */
struct settings {
    const char *file;
    struct {
        const char *flag, *key, *value;
    } rows[SETTINGS_MAX];
    int count;
    bool only_help;
};

/* ---- configuration ---- */

/* The option's name for each flag that stands for one. */
static const char *key_of(int flag)
{
    static const char *const keys[] = {
        [DATA] = "data", [LISTEN] = "listen", [GATEWAY] = "gateway",
        [PRESET] = "preset", [WORKERS] = "workers", [IN_FLIGHT] = "in_flight",
        [TLS_CERT] = "tls_cert", [TLS_KEY] = "tls_key",
    };
    return keys[flag];
}

static enum exit_code add(const struct cli *cli, struct settings *settings, const char *flag, const char *key,
                          const char *value)
{
    if (settings->count == SETTINGS_MAX)
        return cli_usage(cli, "more than %d options: put them into a file, --config FILE", SETTINGS_MAX);
    settings->rows[settings->count].flag = flag;
    settings->rows[settings->count].key = key;
    settings->rows[settings->count++].value = value;
    return EXIT_OK;
}

/* "name=value", cut in place: arguments are ours to write to. */
static enum exit_code add_set(const struct cli *cli, struct settings *settings, const char *value)
{
    char *equals = strchr(value, '=');
    if (equals == NULL || equals == value)
        return cli_usage(cli, "--set: expected NAME=VALUE, got \"%s\"", value);
    *equals = '\0';
    return add(cli, settings, "--set", value, equals + 1);
}

static enum exit_code parse(const struct cli *cli, struct words *words, struct settings *settings)
{
    const char *value;
    enum exit_code code = EXIT_OK;
    for (int flag; code == EXIT_OK && (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FLAG_BAD)
            code = EXIT_USAGE;
        else if (flag == CONFIG)
            settings->file = value;
        else if (flag == HELP_OPTIONS)
            settings->only_help = true;
        else if (flag == SET)
            code = add_set(cli, settings, value);
        else
            code = add(cli, settings, "the command line", key_of(flag), value);
    return code;
}

static enum exit_code configure(const struct cli *cli, const struct settings *settings, struct config *config)
{
    struct tranche_err err;
    config_defaults(config);
    if (settings->file != NULL && config_read_file(config, settings->file, &err) != TRANCHE_OK)
        return cli_usage(cli, "%s", err.text);
    if (config_read_environment(config, &err) != TRANCHE_OK)
        return cli_usage(cli, "%s", err.text);
    for (int i = 0; i < settings->count; i++)
        if (config_set(config, settings->rows[i].key, settings->rows[i].value, &err) != TRANCHE_OK)
            return cli_usage(cli, "%s: %s", settings->rows[i].flag, err.text);
    return EXIT_OK;
}

/* ---- signals ---- */

static void end_at_once(int signal)
{
    (void)signal;
    _exit(EXIT_TROUBLE);
}

/* Before any thread is started, so that all of them inherit it. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    int failed = pthread_sigmask(SIG_BLOCK, signals, NULL);
    assert(failed == 0);
    signal(SIGPIPE, SIG_IGN);
}

/* Returns at the first signal to end. */
static void wait_for_end(struct tranche_engine *engine, const sigset_t *signals)
{
    for (;;) {
        int signal;
        if (sigwait(signals, &signal) != 0)
            continue;
        if (signal != SIGHUP)
            return;
        engine_reload(engine);
    }
}

static void let_signals_end(const sigset_t *signals)
{
    struct sigaction action = { .sa_handler = end_at_once };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGHUP, SIG_IGN); /* there is nothing left to reload for */
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

/* ---- serving ---- */

/* The line that scripts wait for. The host is the one that was asked for, the port the real one. */
static void announce(const struct config *config, unsigned port)
{
    const char *colon = strrchr(config->listen, ':');
    int host_bytes = colon != NULL ? (int)(colon - config->listen) : (int)strlen(config->listen);
    const char *scheme = config->tls_cert[0] != '\0' ? "https" : "http";
    printf("tranche: listening on %s://%.*s:%u\n", scheme, host_bytes, config->listen, port);
    fflush(stdout);
}

static enum exit_code serve(const struct config *config)
{
    struct tranche_err err;
    struct tranche_engine *engine;
    sigset_t signals;
    block_signals(&signals);
    if (engine_assemble(&engine, config, NULL, NULL, &err) != TRANCHE_OK)
        return cli_fail_err(&err);
    announce(config, tranche_engine_port(engine));
    wait_for_end(engine, &signals);
    let_signals_end(&signals);
    uint32_t unended = tranche_engine_close(engine);
    if (unended > 0)
        fprintf(stderr, "tranche: %u calls had not ended after drain_timeout_ms\n", (unsigned)unended);
    return EXIT_OK;
}

static enum exit_code run_serve(struct cli *cli, struct words *words)
{
    static struct config config;
    struct settings settings = {0};
    enum exit_code code = parse(cli, words, &settings);
    if (code != EXIT_OK)
        return code;
    if (settings.only_help) {
        config_print_sample(stdout);
        return EXIT_OK;
    }
    code = configure(cli, &settings, &config);
    return code != EXIT_OK ? code : serve(&config);
}

const struct cmd cmd_serve = {
    .name = "serve",
    .arguments = "",
    .help = "run the server",
    .more = "A flag is stronger than the environment (TRANCHE_IN_FLIGHT=512), the environment than the\n"
            "file, the file than the default. SIGTERM lets calls in flight end and then stops; a second\n"
            "one stops at once. SIGHUP loads the TLS files anew; connections that exist go on.",
    .example = "tranche serve --data /var/lib/tranche --gateway http://127.0.0.1:9200",
    .flags = flags,
    .run = run_serve,
};
