#include "http.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ANSWER_BYTES_MAX   (64 * 1024 * 1024) /* more is no answer of ours */
#define CONNECT_TIMEOUT_MS 10000L
#define CALL_TIMEOUT_MS    120000L /* the server answers within a commit; an upload takes as long as it moves */
#define UPLOAD_STALL_S     900L    /* sorting and storing ten million devices takes the server minutes of silence */

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct http *http = context;
    size_t total = size * count;
    if (http->body.length + total > ANSWER_BYTES_MAX)
        return 0;
    text_add(&http->body, bytes, total);
    return http->body.failed ? 0 : total;
}

/* A proxy for everything does not know the way to this machine. */
static bool is_local(const char *server)
{
    const char *host = strstr(server, "://") + 3; /* cli.c has looked */
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 || strncmp(host, "[::1]", 5) == 0;
}

enum exit_code http_open(struct http *http, const struct cli *cli)
{
    http->cli = cli;
    if (http->curl == NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        http->curl = curl_easy_init();
    return http->curl != NULL ? EXIT_OK : cli_fail(EXIT_TROUBLE, "libcurl cannot be started");
}

void http_close(struct http *http)
{
    if (http->curl != NULL)
        curl_easy_cleanup(http->curl);
    json_free(&http->json);
    text_free(&http->body);
    http->curl = NULL;
}

void http_path_add(struct text *path, const char *segment)
{
    text_puts(path, "/");
    http_text_add(path, segment);
}

void http_text_add(struct text *path, const char *part)
{
    char *escaped = curl_easy_escape(NULL, part, (int)strlen(part));
    if (escaped != NULL)
        text_puts(path, escaped);
    else
        path->failed = true;
    curl_free(escaped);
}

/* ---- one call ---- */

static struct curl_slist *make_headers(const struct http *http, const char *content_type)
{
    struct text line = {0};
    struct curl_slist *headers = NULL;
    if (http->cli->token != NULL) {
        text_printf(&line, "Authorization: %s", http->cli->token);
        headers = curl_slist_append(headers, line.bytes);
        text_clear(&line);
    }
    if (content_type != NULL) {
        text_printf(&line, "Content-Type: %s", content_type);
        headers = curl_slist_append(headers, line.bytes);
    }
    text_free(&line);
    return curl_slist_append(headers, "Accept: application/json");
}

/* Everything but the body. */
static void set_up(struct http *http, const char *method, const char *url, const struct curl_slist *headers)
{
    CURL *curl = http->curl;
    curl_easy_reset(curl); /* keeps its connections */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "tranche/" TRANCHE_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->trouble);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, strcmp(method, "GET") != 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, strcmp(method, "GET") != 0 ? 1L : 0L);
    if (http->cli->ca_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, http->cli->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* and nobody else */
    }
    if (is_local(http->cli->server))
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

static enum exit_code exit_of_status(long status)
{
    if (status / 100 == 2)
        return EXIT_OK;
    for (int code = 0; code < TRANCHE_CODE_COUNT; code++)
        if (tranche_code_http((enum tranche_code)code) == status)
            return cli_exit_of((enum tranche_code)code);
    return EXIT_TROUBLE;
}

static enum exit_code perform(struct http *http)
{
    json_free(&http->json);
    http->json = (struct json_document){0};
    text_clear(&http->body);
    http->status = 0;
    http->trouble[0] = '\0';
    CURLcode code = curl_easy_perform(http->curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &http->status);
    else if (http->trouble[0] == '\0')
        snprintf(http->trouble, sizeof http->trouble, "%s", curl_easy_strerror(code));
    http->untrusted = code == CURLE_PEER_FAILED_VERIFICATION;
    if (http->body.length > 0)
        json_parse(http->body.bytes, http->body.length, &http->json, NULL);
    return exit_of_status(http->status);
}

static char *make_url(const struct http *http, const char *path)
{
    struct text url = {0};
    text_printf(&url, "%s%s", http->cli->server, path);
    return text_take(&url);
}

static enum exit_code no_memory(struct http *http)
{
    http->status = 0;
    snprintf(http->trouble, sizeof http->trouble, "out of memory");
    return EXIT_TROUBLE;
}

enum exit_code http_call(struct http *http, const char *method, const char *path, const char *body, size_t bytes)
{
    char *url = make_url(http, path);
    if (url == NULL)
        return no_memory(http);
    struct curl_slist *headers = make_headers(http, body != NULL ? "application/json" : NULL);
    set_up(http, method, url, headers);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, CALL_TIMEOUT_MS);
    if (strcmp(method, "GET") != 0) {
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body != NULL ? body : "");
    }
    enum exit_code code = perform(http);
    curl_slist_free_all(headers);
    free(url);
    return code;
}

/* ---- an upload ---- */

static size_t give_file(char *buffer, size_t size, size_t count, void *context)
{
    FILE *file = context;
    size_t got = fread(buffer, 1, size * count, file);
    return got == 0 && ferror(file) ? CURL_READFUNC_ABORT : got;
}

static int tick(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    struct http *http = context;
    http->tick(http->tick_context);
    return 0;
}

/* Of a regular file; -1 where only its end tells. */
static curl_off_t length_of(FILE *file)
{
    struct stat stat;
    if (fstat(fileno(file), &stat) != 0 || !S_ISREG(stat.st_mode))
        return -1;
    return (curl_off_t)stat.st_size - (curl_off_t)ftello(file);
}

enum exit_code http_upload(struct http *http, const char *path, const char *content_type, FILE *file)
{
    char *url = make_url(http, path);
    if (url == NULL)
        return no_memory(http);
    struct curl_slist *headers = make_headers(http, content_type);
    headers = curl_slist_append(headers, "Expect:"); /* no waiting for a 100 */
    curl_off_t length = length_of(file);
    if (length < 0)
        headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
    set_up(http, "POST", url, headers);
    curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(http->curl, CURLOPT_READFUNCTION, give_file);
    curl_easy_setopt(http->curl, CURLOPT_READDATA, file);
    curl_easy_setopt(http->curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024L);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, length);
    curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, UPLOAD_STALL_S);
    if (http->tick != NULL) {
        curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, tick);
        curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, http);
    }
    enum exit_code code = perform(http);
    curl_slist_free_all(headers);
    free(url);
    return code;
}

/* ---- what went wrong ---- */

enum exit_code http_report(const struct http *http)
{
    const char *server = http->cli->server;
    if (http->status == 0) {
        cli_fail(EXIT_TROUBLE, "%s\n  server %s", http->trouble, server);
        if (http->untrusted && http->cli->ca_file == NULL)
            fprintf(stderr, "  a CA of your own is given with --ca-file or TRANCHE_CA_FILE\n");
        return EXIT_TROUBLE;
    }
    const struct json *error = json_member(http->json.root, "error");
    const char *message = json_string(json_member(error, "message"));
    const char *word = json_string(json_member(error, "code"));
    const char *request = json_string(json_member(error, "requestId"));
    enum exit_code code = exit_of_status(http->status);
    assert(code != EXIT_OK);
    cli_fail(code, "%s (%ld%s%s)", message != NULL ? message : "the server's answer cannot be understood", http->status,
             word != NULL ? " " : "", word != NULL ? word : "");
    if (code == EXIT_UNAUTHORIZED && http->cli->token == NULL)
        fprintf(stderr, "  no token was given: TRANCHE_TOKEN or --token-file; tranche token create makes one\n");
    fprintf(stderr, "  %s%s%sserver %s\n", request != NULL ? "request id " : "", request != NULL ? request : "",
            request != NULL ? "  " : "", server);
    return code;
}
