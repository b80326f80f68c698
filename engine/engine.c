#include "assemble.h"

#include "central.h"
#include "fail.h"
#include "import_resume.h"
#include "log.h"
#include "nowhere.h"
#include "runner.h"
#include "server.h"
#include "sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GATEWAY_TOKEN_BYTES 4096

static const struct tranche_connector *const connectors[] = {
    &central_connector,
};

static enum tranche_code open_connector(struct tranche_engine *engine, const struct config *config,
                                        struct tranche_err *err);

/* Options that are one of a few words. */
static enum tranche_code check_words(const struct config *config, struct tranche_err *err)
{
    if (strcmp(config->schedule_missed, "once") == 0 || strcmp(config->schedule_missed, "skip") == 0)
        return TRANCHE_OK;
    return fail(err, TRANCHE_INVALID, "option schedule_missed: expected once or skip, got \"%s\"", config->schedule_missed);
}

enum tranche_code engine_assemble(struct tranche_engine **out, const struct config *config,
                                  const struct tranche_connector *connector, const void *connector_state,
                                  struct tranche_err *err)
{
    struct tranche_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    engine->config = *config;
    pthread_mutex_init(&engine->reading, NULL);
    struct sqlite_options options = { .directory = config->data };
    enum tranche_code code = check_words(config, err);
    if (code == TRANCHE_OK)
        code = sqlite_store_open(&options, &engine->store, err);
    if (connector != NULL) {
        engine->connector = connector;
    } else if (code == TRANCHE_OK) {
        code = open_connector(engine, config, err);
    }
    struct import_resume *imports = NULL;
    if (code == TRANCHE_OK)
        code = import_resume_find(&imports, config->data, engine->store, err);
    if (code == TRANCHE_OK)
        code = runner_open(&engine->runner, config, engine->store, engine->connector,
                           connector != NULL ? connector_state : engine->connector_state, err);
    if (code == TRANCHE_OK) {
        import_resume_post(imports, engine->runner); /* before any client can ask for a newer one */
        imports = NULL;
    }
    if (code == TRANCHE_OK && config->listen[0] != '\0')
        code = server_open(&engine->server, &engine->config, engine->runner, engine->store, err);
    if (code != TRANCHE_OK) {
        import_resume_free(imports);
        tranche_engine_close(engine);
        return code;
    }
    *out = engine;
    return TRANCHE_OK;
}

unsigned tranche_engine_port(const struct tranche_engine *engine)
{
    return engine->server != NULL ? server_port(engine->server) : 0;
}

void engine_reload(struct tranche_engine *engine)
{
    if (engine->server != NULL)
        server_reload(engine->server);
}

uint32_t tranche_engine_close(struct tranche_engine *engine)
{
    uint32_t left = 0;
    if (engine->server != NULL)
        server_quiesce(engine->server);
    if (engine->runner != NULL)
        left = runner_stop(engine->runner); /* answers what requests wait for */
    if (engine->server != NULL)
        server_close(engine->server);
    if (engine->runner != NULL)
        runner_close(engine->runner);
    if (engine->connector_state != NULL)
        engine->connector->close(engine->connector_state);
    if (engine->reader != NULL)
        engine->reader->functions->close(engine->reader);
    if (engine->store != NULL)
        engine->store->functions->close(engine->store);
    pthread_mutex_destroy(&engine->reading);
    free(engine);
    return left;
}

/* The first line of a file, as the Authorization value for the gateway. */
static enum tranche_code read_token(const char *path, char token[GATEWAY_TOKEN_BYTES],
                                    struct tranche_err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(token, GATEWAY_TOKEN_BYTES, file) == NULL) {
        if (file != NULL)
            fclose(file);
        return fail(err, TRANCHE_INVALID, "gateway_token_file: \"%s\" cannot be read", path);
    }
    fclose(file);
    token[strcspn(token, "\r\n")] = '\0';
    return TRANCHE_OK;
}

static enum tranche_code open_connector(struct tranche_engine *engine, const struct config *config,
                                        struct tranche_err *err)
{
    if (config->gateway[0] == '\0') {
        log_warn("engine", "no gateway is configured: every call will fail; see --gateway", NULL);
        engine->connector = &nowhere_connector;
        return TRANCHE_OK;
    }
    for (size_t i = 0; i < sizeof connectors / sizeof connectors[0]; i++)
        if (strcmp(connectors[i]->name, config->preset) == 0)
            engine->connector = connectors[i];
    if (engine->connector == NULL)
        return fail(err, TRANCHE_INVALID, "preset: \"%s\" does not exist; there is \"%s\"", config->preset,
                    connectors[0]->name);
    char token[GATEWAY_TOKEN_BYTES] = "";
    enum tranche_code code = TRANCHE_OK;
    if (config->gateway_token_file[0] != '\0')
        code = read_token(config->gateway_token_file, token, err);
    if (code == TRANCHE_OK)
        code =
            engine->connector->open(config->gateway, token[0] ? token : NULL, &engine->connector_state, err);
    return code;
}
