/* Looks for races between clients, HTTP threads, the back room, the engine thread and a server that closes in
 * the middle of it. Usage: server_race [rounds]. Prints one line. Made for the thread sanitizer, which does
 * the looking; the program itself checks that every answer that arrives is whole and one of those that may
 * come.
 */
#include "auth.h"
#include "fake_runner.h"
#include "log.h"
#include "server.h"
#include "sqlite.h"
#include "when.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS        8
#define ROUNDS_DEFAULT 5
#define ROUND_US       300000 /* until the server closes */
#define HOUR_US        INT64_C(3600000000)

static unsigned port;
static char *token;
static atomic_bool closing;
static atomic_ulong answers, refusals;

static _Noreturn void failed(const char *what, const char *detail)
{
    printf("server_race: FAILED: %s: %s\n", what, detail);
    exit(1);
}

static void must(enum tranche_code code, const struct tranche_err *err)
{
    if (code != TRANCHE_OK)
        failed("setting up", err->text);
}

/* ---- clients ---- */

#define JOB   "{\"group\":\"all\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}"
#define GROUP "{\"displayName\":\"All\",\"filter\":\"SELECT * FROM devices\"}"

static const struct {
    const char *method, *path, *body;
} kinds[] = {
    { "PUT", "/api/jobs/job-%u?api-version=1.0", JOB },
    { "POST", "/api/jobs/job-%u/stop?api-version=1.0", "" },
    { "GET", "/api/jobs?api-version=1.0&maxpagesize=3", "" },
    { "GET", "/v1/jobs/job-%u/progress?check=true", "" },
    { "PUT", "/api/deviceGroups/all?api-version=1.0", GROUP },
    { "POST", "/v1/devices/import", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n" },
    { "GET", "/readyz", "" },
};

static int connect_once(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 30 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static size_t word_request(char *request, size_t bytes, unsigned number)
{
    size_t kind = number % (sizeof kinds / sizeof kinds[0]);
    char path[128];
    snprintf(path, sizeof path, kinds[kind].path, number % 16);
    int length = snprintf(request, bytes,
                          "%s %s HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n%s",
                          kinds[kind].method, path, token, strlen(kinds[kind].body), kinds[kind].body);
    return (size_t)length;
}

/* Reads to the end; an answer must begin with one of the statuses that may come. */
static void read_answer(int fd)
{
    char answer[8192];
    size_t have = 0;
    ssize_t got;
    while (have + 1 < sizeof answer && (got = recv(fd, answer + have, sizeof answer - 1 - have, 0)) > 0)
        have += (size_t)got;
    answer[have] = '\0';
    if (have == 0) {
        if (!atomic_load(&closing))
            failed("no answer", "and the server is not closing");
        return;
    }
    static const char *const good[] = { "200", "204", "404", "409", "422", "429" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (strncmp(answer + strlen("HTTP/1.1 "), good[i], 3) == 0) {
            atomic_fetch_add(&answers, 1);
            return;
        }
    if (strncmp(answer, "HTTP/1.1 503", 12) != 0)
        failed("answer", answer);
    atomic_fetch_add(&refusals, 1);
}

/* One request in four is left by its client before it is answered, some before they are whole. */
static void *be_client(void *argument)
{
    unsigned number = *(unsigned *)argument * 7919;
    while (!atomic_load(&closing)) {
        int fd = connect_once();
        if (fd < 0)
            break;
        number++;
        char request[2048];
        size_t length = word_request(request, sizeof request, number);
        size_t sent = number % 8 == 5 ? length / 2 : length;
        if (send(fd, request, sent, MSG_NOSIGNAL) == (ssize_t)sent && number % 4 != 1)
            read_answer(fd);
        close(fd);
    }
    return NULL;
}

/* ---- rounds ---- */

static void play_round(const struct config *config, struct tranche_store *store, unsigned round)
{
    struct tranche_err err;
    struct runner *runner;
    struct server *server;
    must(runner_open(&runner, config, store, NULL, NULL, &err), &err);
    must(server_open(&server, config, runner, store, &err), &err);
    fake_runner_set_delay_ms(runner, round % 3);
    port = server_port(server);
    atomic_store(&closing, false);

    pthread_t threads[CLIENTS];
    unsigned numbers[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, be_client, &numbers[i]);
    }
    usleep(ROUND_US);
    atomic_store(&closing, true);
    if (round % 2 == 0) { /* both orders are allowed */
        server_quiesce(server);
        runner_stop(runner);
        server_close(server);
    } else {
        server_close(server);
        runner_stop(runner);
    }
    runner_close(runner);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    char directory[] = "/tmp/tranche-race-XXXXXX";
    if (mkdtemp(directory) == NULL)
        failed("setting up", "no directory");
    log_set_level(LOG_LEVEL_ERROR);

    struct tranche_err err;
    struct config config;
    config_defaults(&config);
    must(config_set(&config, "listen", "127.0.0.1:0", &err), &err);
    must(config_set(&config, "data", directory, &err), &err);
    struct tranche_store *store;
    must(sqlite_store_open(&(struct sqlite_options){ .directory = directory }, &store, &err), &err);
    struct tranche_object_record record = { .kind = TRANCHE_TOKEN, .id = "root" };
    struct tranche_audit_record audit = { .who = "test", .result = "OK" };
    struct token administrator = { .roles = { { .role = role_by_word("administrator") } }, .role_count = 1,
                                   .expires_us = when_now_us() + HOUR_US };
    struct text value = { 0 }, body = { 0 };
    must(auth_mint("root", when_now_us(), &administrator, &value, &err), &err);
    token_print(&administrator, &body);
    record.body = body.bytes;
    must(sqlite_token_put(directory, &record, &audit, &err), &err);
    text_free(&body);
    token = text_take(&value);

    for (unsigned round = 0; round < rounds; round++)
        play_round(&config, store, round);
    store->functions->close(store);
    free(token);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", directory);
    if (system(command) != 0)
        failed("cleaning up", directory);
    printf("server_race: %u rounds, %lu answers, %lu refused while closing\n", rounds, atomic_load(&answers),
           atomic_load(&refusals));
    return 0;
}
