#include "api_world.h"

#include "auth.h"
#include "json.h"
#include "log.h"
#include "sqlite.h"
#include "when.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_EXPIRY INT64_C(4102444800000000) /* in the year 2100 */

/* ---- the world ---- */

/* The organization that some tests' objects belong to. */
static enum tranche_code put_north(struct tranche_store *store, void *context, struct tranche_err *err)
{
    (void)context;
    struct tranche_object_record north = { .kind = TRANCHE_ORGANIZATION, .id = "north", .body = "{\"displayName\":\"N\"}" };
    return store->functions->object_put(store, &north, err);
}

static void start(struct api_world *world)
{
    struct tranche_err err = { 0 };
    struct sqlite_options options = { .directory = world->directory };
    cr_assert_eq(sqlite_store_open(&options, &world->store, &err), TRANCHE_OK, "%s", err.text);
    cr_assert_eq(runner_open(&world->runner, &world->config, world->store, NULL, NULL, &err), TRANCHE_OK,
                 "%s", err.text);
    cr_assert_eq(server_open(&world->server, &world->config, world->runner, world->store, &err), TRANCHE_OK,
                 "%s", err.text);
}

static void stop(struct api_world *world)
{
    if (world->server != NULL)
        server_close(world->server);
    if (world->runner != NULL) {
        runner_stop(world->runner);
        runner_close(world->runner);
    }
    world->store->functions->close(world->store);
}

void api_world_open(struct api_world *world, const char *const *settings)
{
    *world = (struct api_world){ 0 };
    log_set_level(LOG_LEVEL_WARN);
    strcpy(world->directory, "/tmp/tranche-api-XXXXXX");
    cr_assert_not_null(mkdtemp(world->directory));

    struct tranche_err err = { 0 };
    config_defaults(&world->config);
    config_set(&world->config, "listen", "127.0.0.1:0", &err);
    config_set(&world->config, "data", world->directory, &err);
    for (; settings != NULL && settings[0] != NULL; settings += 2)
        cr_assert_eq(config_set(&world->config, settings[0], settings[1], &err), TRANCHE_OK, "%s", err.text);

    start(world);
    world->administrator = api_token(world, "root", "administrator", NO_EXPIRY);
    api_store(world, put_north, NULL);
}

void api_world_restart(struct api_world *world)
{
    stop(world);
    start(world);
}

void api_world_close(struct api_world *world)
{
    stop(world);
    free(world->administrator);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", world->directory);
    cr_assert_eq(system(command), 0);
}

static char *make_token(struct api_world *world, const char *id, const char *role, const char *organization,
                        int64_t expires_us)
{
    struct tranche_err err = { 0 };
    struct tranche_object_record record = { .kind = TRANCHE_TOKEN };
    struct tranche_audit_record audit = { .who = "test", .result = "OK" };
    struct token token = { .roles = { { .role = role_by_word(role) } }, .role_count = 1, .expires_us = expires_us };
    strcpy(token.roles[0].organization, organization);
    struct text value = { 0 }, body = { 0 };
    enum tranche_code code = auth_mint(id, when_now_us(), &token, &value, &err);
    cr_assert_eq(code, TRANCHE_OK, "%s", err.text);
    token_print(&token, &body);
    strcpy(record.id, id);
    record.body = body.bytes;
    code = sqlite_token_put(world->directory, &record, &audit, &err);
    text_free(&body);
    cr_assert_eq(code, TRANCHE_OK, "%s", err.text);
    return text_take(&value);
}

char *api_token(struct api_world *world, const char *id, const char *role, int64_t expires_us)
{
    return make_token(world, id, role, "", expires_us);
}

char *api_token_of(struct api_world *world, const char *id, const char *role, const char *organization)
{
    return make_token(world, id, role, organization, NO_EXPIRY);
}

void api_store(struct api_world *world, fake_runner_act *act, void *context)
{
    struct tranche_err err = { 0 };
    cr_assert_eq(fake_runner_do(world->runner, act, context, &err), TRANCHE_OK, "%s", err.text);
}

static enum tranche_code put_pumps(struct tranche_store *store, void *context, struct tranche_err *err)
{
    (void)context;
    enum tranche_code code = TRANCHE_OK;
    for (int i = 1; i <= 7 && code == TRANCHE_OK; i++) {
        struct tranche_device_record device = {
            .enabled = true, .provisioned = true, .template_id = PUMP, .properties = "{\"site\":\"north\"}"
        };
        snprintf(device.id, sizeof device.id, "pump-n%02d", i);
        bool created;
        code = store->functions->device_put(store, &device, &created, err);
    }
    return code;
}

void api_pumps(struct api_world *world)
{
    api_store(world, put_pumps, NULL);
    struct api_answer answer = api_send(world, "PUT", "/api/deviceGroups/north-pumps?" API_VERSION,
                                        "{\"displayName\":\"Pumps of the north site\",\"filter\":\"SELECT * "
                                        "FROM devices WHERE $template = \\\"" PUMP "\\\"\"}");
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
}

/* ---- the client ---- */

static size_t take_bytes(char *bytes, size_t size, size_t count, void *context)
{
    text_add(context, bytes, size * count);
    return size * count;
}

/* A new status line begins a new answer: what came before was "100 Continue". */
static size_t take_head(char *bytes, size_t size, size_t count, void *context)
{
    if (size * count >= 5 && strncmp(bytes, "HTTP/", 5) == 0)
        text_clear(context);
    return take_bytes(bytes, size, count, context);
}

struct source {
    const char *bytes;
    size_t left;
};

static size_t give_bytes(char *to, size_t size, size_t count, void *context)
{
    struct source *source = context;
    size_t given = size * count < source->left ? size * count : source->left;
    memcpy(to, source->bytes, given);
    source->bytes += given;
    source->left -= given;
    return given;
}

static struct curl_slist *make_headers(struct api_world *world, const struct api_call *call)
{
    char line[1024];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* unless the call asks for it */
    snprintf(line, sizeof line, "Content-Type: %s", call->type != NULL ? call->type : "application/json");
    list = curl_slist_append(list, call->body != NULL ? line : "Content-Type:");
    const char *token = call->token != NULL ? call->token : world->administrator;
    snprintf(line, sizeof line, "Authorization: %s", token);
    if (token[0] != '\0')
        list = curl_slist_append(list, line);
    if (call->chunked)
        list = curl_slist_append(list, "Transfer-Encoding: chunked");
    for (const char *const *more = call->headers; more != NULL && *more != NULL; more++)
        list = curl_slist_append(list, *more);
    return list;
}

static void set_body(CURL *curl, const struct api_call *call, struct source *source)
{
    if (call->body == NULL)
        return;
    source->bytes = call->body;
    source->left = call->body_bytes > 0 ? call->body_bytes : strlen(call->body);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(curl, CURLOPT_READDATA, source);
    if (!call->chunked)
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)source->left);
}

/* A line for tests/api/contract.py, added whole: tests run beside each other. */
static void record(const struct api_call *call, const struct api_answer *answer)
{
    const char *path = getenv("TRANCHE_EXCHANGES");
    if (path == NULL)
        return;
    struct text line = { 0 };
    text_printf(&line, "{\"method\":\"%s\",\"path\":", call->method);
    text_json(&line, call->path);
    text_printf(&line, ",\"status\":%ld,\"head\":", answer->status);
    text_json(&line, answer->head.bytes);
    text_puts(&line, ",\"body\":");
    text_json(&line, answer->body.bytes);
    text_puts(&line, "}\n");
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0, "%s", path);
    cr_assert_eq(write(fd, line.bytes, line.length), (ssize_t)line.length);
    close(fd);
    text_free(&line);
}

struct api_answer api_do(struct api_world *world, const struct api_call *call)
{
    struct api_answer answer = { 0 };
    struct source source;
    char url[4096];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server_port(world->server), call->path);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = make_headers(world, call);
    set_body(curl, call, &source);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_NOBODY, strcmp(call->method, "HEAD") == 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.head);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
    CURLcode code = curl_easy_perform(curl);
    cr_assert_eq(code, CURLE_OK, "%s %s: %s", call->method, call->path, curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    text_add(&answer.body, "", 0);
    record(call, &answer);
    return answer;
}

struct api_answer api_get(struct api_world *world, const char *path)
{
    return api_do(world, &(struct api_call){ .method = "GET", .path = path });
}

struct api_answer api_send(struct api_world *world, const char *method, const char *path, const char *body)
{
    return api_do(world, &(struct api_call){ .method = method, .path = path, .body = body });
}

void api_answer_free(struct api_answer *answer)
{
    text_free(&answer->head);
    text_free(&answer->body);
}

const char *api_header(struct api_answer *answer, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = answer->head.bytes; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            snprintf(answer->value, sizeof answer->value, "%s",
                     line + length + 1 + strspn(line + length + 1, " "));
            answer->value[strcspn(answer->value, "\r\n")] = '\0';
            return answer->value;
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return NULL;
}

/* ---- checks ---- */

void api_check(struct api_answer answer, long status, const char *body)
{
    cr_assert_eq(answer.status, status, "%ld, expected %ld: %s", answer.status, status, answer.body.bytes);
    cr_assert_str_eq(answer.body.bytes, body, "\n%s\nexpected\n%s", answer.body.bytes, body);
    if (body[0] != '\0')
        cr_assert_str_eq(api_header(&answer, "Content-Type"), "application/json; charset=utf-8");
    api_answer_free(&answer);
}

static const char *member(const struct json *object, const char *name)
{
    const char *value = json_string(json_member(object, name));
    return value != NULL ? value : "(none)";
}

void api_check_error(struct api_answer answer, long status, const char *code, const char *message)
{
    cr_assert_eq(answer.status, status, "%ld, expected %ld: %s", answer.status, status, answer.body.bytes);
    struct tranche_err err = { 0 };
    struct json_document document;
    enum tranche_code parsed = json_parse(answer.body.bytes, answer.body.length, &document, &err);
    cr_assert_eq(parsed, TRANCHE_OK, "%s: %s", err.text, answer.body.bytes);
    const struct json *error = json_member(document.root, "error");
    cr_assert_str_eq(member(error, "code"), code, "%s", answer.body.bytes);
    cr_assert_str_eq(member(error, "message"), message, "\n%s\nexpected\n%s", answer.body.bytes, message);
    cr_assert_eq(strlen(member(error, "requestId")), 36, "%s", answer.body.bytes);
    cr_assert_not_null(strstr(member(error, "time"), " GMT"), "%s", answer.body.bytes);
    cr_assert_eq(member(error, "time")[3], ',', "%s", answer.body.bytes);
    cr_assert_str_eq(api_header(&answer, "x-ms-error-code"), code);
    cr_assert_str_eq(api_header(&answer, "Content-Type"), "application/json; charset=utf-8");
    json_free(&document);
    api_answer_free(&answer);
}

/* ---- raw bytes ---- */

static void set_patience(int fd, time_t seconds)
{
    struct timeval patience = { .tv_sec = seconds };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

int api_connect(struct api_world *world)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)server_port(world->server)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    set_patience(fd, 20);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

char *api_raw(struct api_world *world, const char *bytes, size_t count)
{
    int fd = api_connect(world);
    cr_assert_geq(fd, 0);
    set_patience(fd, 1);
    cr_assert_eq(send(fd, bytes, count, MSG_NOSIGNAL), (ssize_t)count);

    struct text answer = { 0 };
    char piece[4096];
    ssize_t got;
    while ((got = recv(fd, piece, sizeof piece, 0)) > 0)
        text_add(&answer, piece, (size_t)got);
    close(fd);
    return text_take(&answer);
}
