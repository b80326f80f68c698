/* The public interface: each call words what the REST API would, posts it to the engine thread, and waits for the commit; what
 * only looks shares one reader. */
#include "assemble.h"

#include "definition.h"
#include "fail.h"
#include "filter.h"
#include "job_read.h"
#include "json.h"
#include "runner.h"
#include "server.h"
#include "when.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_LOOK_MS 10 /* between two looks at a job that is waited for */

const char *tranche_version(void)
{
    return TRANCHE_VERSION;
}

/* ---- opening ---- */

static enum tranche_code configure(const struct tranche_options *options, struct config *config, struct tranche_err *err)
{
    config_defaults(config);
    config->listen[0] = '\0';
    const char *const pairs[][2] = {
        { "data", options->data }, { "gateway", options->gateway }, { "listen", options->listen },
    };
    enum tranche_code code = options->data != NULL ? TRANCHE_OK : fail(err, TRANCHE_INVALID, "data: the option is required");
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && code == TRANCHE_OK; i++)
        if (pairs[i][1] != NULL)
            code = config_set(config, pairs[i][0], pairs[i][1], err);
    for (const char *const *pair = options->settings; pair != NULL && pair[0] != NULL && code == TRANCHE_OK; pair += 2)
        code = config_set(config, pair[0], pair[1], err);
    return code;
}

enum tranche_code tranche_engine_open(struct tranche_engine **engine, const struct tranche_options *options,
                                      struct tranche_err *err)
{
    struct config config;
    enum tranche_code code = configure(options, &config, err);
    if (code != TRANCHE_OK)
        return code;
    return engine_assemble(engine, &config, options->connector, options->connector_state, err);
}

/* ---- looking ---- */

/* The shared reader, locked; NULL after a failure. Give it back with unlock. */
static struct tranche_reader *lock(struct tranche_engine *engine, struct tranche_err *err)
{
    pthread_mutex_lock(&engine->reading);
    if (engine->reader != NULL ||
        engine->store->functions->reader_open(engine->store, &engine->reader, err) == TRANCHE_OK)
        return engine->reader;
    pthread_mutex_unlock(&engine->reading);
    return NULL;
}

static void unlock(struct tranche_engine *engine)
{
    pthread_mutex_unlock(&engine->reading);
}

static enum tranche_code find_job(struct tranche_reader *reader, const char *id, struct tranche_job_record *out,
                                  struct tranche_err *err)
{
    enum tranche_code code = reader->functions->job_find(reader, id, out, err);
    return code == TRANCHE_NOTFOUND ? fail(err, code, "Job \"%.255s\" was not found.", id) : code;
}

enum tranche_code tranche_job_find(struct tranche_engine *engine, const char *id, struct tranche_job_record *out,
                                   struct tranche_err *err)
{
    struct tranche_err cause = { 0 };
    *out = (struct tranche_job_record){ 0 };
    struct tranche_reader *reader = lock(engine, &cause);
    enum tranche_code code = reader == NULL ? cause.code : find_job(reader, id, out, &cause);
    if (reader != NULL)
        unlock(engine);
    return code == TRANCHE_OK ? code : fail(err, code, "%s", cause.text);
}

enum tranche_code tranche_job_wait(struct tranche_engine *engine, const char *id, uint32_t timeout_ms,
                                   struct tranche_job_record *out, struct tranche_err *err)
{
    const struct timespec pause = { .tv_nsec = WAIT_LOOK_MS * 1000000L };
    for (uint64_t waited_ms = 0;; waited_ms += WAIT_LOOK_MS) {
        enum tranche_code code = tranche_job_find(engine, id, out, err);
        if (code != TRANCHE_OK || tranche_job_rests(out) || waited_ms >= timeout_ms)
            return code;
        tranche_job_record_free(out);
        nanosleep(&pause, NULL);
    }
}

enum tranche_code tranche_job_devices(struct tranche_engine *engine, const char *id, uint32_t first, uint32_t limit,
                                      tranche_job_device_visit *visit, void *context, struct tranche_err *err)
{
    struct tranche_err cause = { 0 };
    struct tranche_job_record job = { 0 };
    struct tranche_reader *reader = lock(engine, &cause);
    enum tranche_code code = reader == NULL ? cause.code : find_job(reader, id, &job, &cause);
    if (code == TRANCHE_OK)
        code = reader->functions->job_devices_page(reader, &job, first, limit, visit, context, &cause);
    if (reader != NULL)
        unlock(engine);
    tranche_job_record_free(&job);
    return code == TRANCHE_OK ? code : fail(err, code, "%s", cause.text);
}

/* ---- changing ---- */

/* A command whose poster sleeps until it is answered. */
struct order {
    struct command command;
    const void *record; /* of a registry write */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done;
};

static void order_done(struct command *command)
{
    struct order *order = (struct order *)command; /* its first member */
    pthread_mutex_lock(&order->mutex);
    order->done = true;
    pthread_cond_signal(&order->changed);
    pthread_mutex_unlock(&order->mutex);
}

/* Posts the order and waits for its end; frees what its job record owns. */
static enum tranche_code carry_out(struct tranche_engine *engine, struct order *order, struct tranche_err *err)
{
    pthread_mutex_init(&order->mutex, NULL);
    pthread_cond_init(&order->changed, NULL);
    order->command.done = order_done;
    enum tranche_code code = runner_post(engine->runner, &order->command, err);
    if (code == TRANCHE_OK) {
        pthread_mutex_lock(&order->mutex);
        while (!order->done)
            pthread_cond_wait(&order->changed, &order->mutex);
        pthread_mutex_unlock(&order->mutex);
        code = order->command.code;
        if (code != TRANCHE_OK)
            fail(err, code, "%s", order->command.err.text);
    }
    pthread_cond_destroy(&order->changed);
    pthread_mutex_destroy(&order->mutex);
    command_free(&order->command);
    return code;
}

static enum tranche_code order_job(struct tranche_engine *engine, enum command_kind kind, const char *id, const char *as,
                                   struct tranche_err *err)
{
    struct order order = { .command.kind = kind };
    if (id_check("id", id, NULL) != TRANCHE_OK)
        return fail(err, TRANCHE_NOTFOUND, "Job \"%.255s\" was not found.", id);
    if (as != NULL && id_check("as", as, err) != TRANCHE_OK)
        return TRANCHE_INVALID;
    strcpy(order.command.job.id, id);
    strcpy(order.command.rerun, as != NULL ? as : "");
    return carry_out(engine, &order, err);
}

enum tranche_code tranche_job_create(struct tranche_engine *engine, const char *id, const char *definition,
                                     struct tranche_err *err)
{
    struct order order = { .command.kind = COMMAND_JOB_CREATE };
    struct tranche_job_record *job = &order.command.job;
    struct tranche_err cause = { 0 };
    enum tranche_code code = job_read(job, id, definition, strlen(definition), NULL, &cause);
    struct tranche_reader *reader = code == TRANCHE_OK ? lock(engine, &cause) : NULL;
    if (code == TRANCHE_OK)
        code = reader == NULL ? cause.code : job_estimate(job, reader, &cause);
    if (reader != NULL)
        unlock(engine);
    if (code == TRANCHE_OK)
        return carry_out(engine, &order, err);
    command_free(&order.command);
    return fail(err, code, "%s", cause.text);
}

enum tranche_code tranche_job_stop(struct tranche_engine *engine, const char *id, struct tranche_err *err)
{
    return order_job(engine, COMMAND_JOB_STOP, id, NULL, err);
}

enum tranche_code tranche_job_resume(struct tranche_engine *engine, const char *id, struct tranche_err *err)
{
    return order_job(engine, COMMAND_JOB_RESUME, id, NULL, err);
}

enum tranche_code tranche_job_rerun(struct tranche_engine *engine, const char *id, const char *as, struct tranche_err *err)
{
    if (as == NULL)
        return fail(err, TRANCHE_INVALID, "as: the new job needs an id");
    return order_job(engine, COMMAND_JOB_RERUN, id, as, err);
}

/* On the engine thread, inside a transaction; perhaps again after a rollback. */
static enum tranche_code write_device(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                                      struct tranche_err *err)
{
    struct tranche_device_record device = *(const struct tranche_device_record *)((struct order *)command)->record;
    bool created;
    *more = false;
    device.properties_us = now_us;
    return store->functions->device_put(store, &device, &created, err);
}

static enum tranche_code write_group(struct command *command, struct tranche_store *store, int64_t now_us, bool *more,
                                     struct tranche_err *err)
{
    (void)now_us;
    *more = false;
    return store->functions->group_put(store, ((struct order *)command)->record, err);
}

static enum tranche_code check_text(const char *what, const char *text, struct tranche_err *err)
{
    if (text == NULL)
        return TRANCHE_OK;
    if (strlen(text) > DEFINITION_NAME_BYTES_MAX)
        return fail(err, TRANCHE_INVALID, "%s: at most %d bytes are allowed, got %zu.", what, DEFINITION_NAME_BYTES_MAX,
                    strlen(text));
    return TRANCHE_OK;
}

static enum tranche_code check_device(const struct tranche_device_record *device, struct tranche_err *err)
{
    struct json_document properties = { 0 };
    struct tranche_err cause;
    enum tranche_code code = check_text("displayName", device->display_name, err);
    if (code == TRANCHE_OK)
        code = check_text("template", device->template_id, err);
    if (code == TRANCHE_OK && device->organization != NULL)
        code = id_check("organization", device->organization, err);
    if (code != TRANCHE_OK || device->properties == NULL)
        return code;
    if (json_parse(device->properties, strlen(device->properties), &properties, &cause) != TRANCHE_OK)
        code = fail(err, TRANCHE_INVALID, "properties: %s", cause.text);
    else if (json_type(properties.root) != JSON_OBJECT)
        code = fail(err, TRANCHE_INVALID, "properties: expected an object");
    json_free(&properties);
    return code;
}

enum tranche_code tranche_device_put(struct tranche_engine *engine, const struct tranche_device_record *device,
                                     struct tranche_err *err)
{
    struct order order = { .command = { .kind = COMMAND_WRITE, .write = write_device }, .record = device };
    enum tranche_code code = device_id_check(device->id, err);
    if (code == TRANCHE_OK)
        code = check_device(device, err);
    if (code != TRANCHE_OK)
        return code;
    struct text properties = { 0 };
    struct tranche_device_record record = *device;
    if (device->properties != NULL) {
        json_compact_names(&properties, device->properties, strlen(device->properties));
        record.properties = properties.bytes;
        order.record = &record;
    }
    code = properties.failed ? fail(err, TRANCHE_NOMEM, "out of memory") : carry_out(engine, &order, err);
    text_free(&properties);
    return code;
}

enum tranche_code tranche_group_put(struct tranche_engine *engine, const struct tranche_group_record *group,
                                    struct tranche_err *err)
{
    struct order order = { .command = { .kind = COMMAND_WRITE, .write = write_group }, .record = group };
    struct filter filter;
    enum tranche_code code = id_check("id", group->id, err);
    if (code == TRANCHE_OK && (group->display_name == NULL || group->filter == NULL))
        code = fail(err, TRANCHE_INVALID, "a group needs a display name and a filter");
    if (code == TRANCHE_OK)
        code = check_text("displayName", group->display_name, err);
    if (code == TRANCHE_OK)
        code = check_text("description", group->description, err);
    if (code == TRANCHE_OK)
        code = filter_parse(group->filter, strlen(group->filter), &filter, err);
    if (code != TRANCHE_OK)
        return code;
    filter_free(&filter);
    return carry_out(engine, &order, err);
}
