/* Threads: connections wait for the engine without holding an HTTP thread; trouble, closing, clients that go
 * away. */
#include "api_world.h"

#include "when.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct api_world world;

static void open_world(void)
{
    static const char *const settings[] = { "http_threads", "2", NULL };
    api_world_open(&world, settings);
    api_pumps(&world);
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(server, .init = open_world, .fini = close_world, .timeout = 120);

#define JOB_BODY \
    "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}"

static int must_connect(void)
{
    int fd = api_connect(&world);
    cr_assert_geq(fd, 0, "%s", strerror(errno));
    return fd;
}

static void send_put(int fd, const char *id)
{
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "PUT /api/jobs/%s?" API_VERSION " HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n"
                          "Content-Length: %zu\r\n\r\n%s",
                          id, world.administrator, strlen(JOB_BODY), JOB_BODY);
    cr_assert_eq(send(fd, request, (size_t)length, MSG_NOSIGNAL), length);
}

static void send_stop(int fd)
{
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "POST /api/jobs/x/stop?" API_VERSION " HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n"
                          "Content-Length: 0\r\n\r\n",
                          world.administrator);
    cr_assert_eq(send(fd, request, (size_t)length, MSG_NOSIGNAL), length);
}

/* Reads one answer, as far as its status and the whole body of the sizes used here. */
static void read_answer(int fd, char *answer, size_t bytes)
{
    size_t have = 0;
    answer[0] = '\0';
    while (have + 1 < bytes && strstr(answer, "}") == NULL) {
        ssize_t got = recv(fd, answer + have, bytes - have - 1, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
        answer[have] = '\0';
    }
}

static void check_status(int fd, const char *status)
{
    char answer[2048];
    read_answer(fd, answer, sizeof answer);
    cr_assert_eq(strncmp(answer, status, strlen(status)), 0, "%s, expected %s", answer, status);
}

#define CLIENTS 200

/* Were an HTTP thread held for each wait of 400 ms, two threads would need 40 s; the bound leaves a slow machine 20. */
Test(server, two_hundred_clients_wait_side_by_side)
{
    fake_runner_set_delay_ms(world.runner, 400);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = must_connect();
    int64_t start_us = when_now_us();
    for (int i = 0; i < CLIENTS; i++) {
        char id[32];
        snprintf(id, sizeof id, "job-%d", i);
        send_put(fds[i], id);
    }
    for (int i = 0; i < CLIENTS; i++) {
        check_status(fds[i], "HTTP/1.1 200");
        close(fds[i]);
    }
    int64_t took_ms = (when_now_us() - start_us) / 1000;
    cr_assert_lt(took_ms, 20000, "%d ms", (int)took_ms);
}

Test(server, others_are_served_while_clients_wait)
{
    fake_runner_hold(world.runner, true);
    int fds[8];
    for (int i = 0; i < 8; i++) {
        char id[32];
        snprintf(id, sizeof id, "job-%d", i);
        fds[i] = must_connect();
        send_put(fds[i], id);
    }
    for (int i = 0; i < 20; i++)
        api_check(api_get(&world, "/api/jobs?" API_VERSION), 200, "{\"value\":[]}");
    struct pollfd poll_fd = { .fd = fds[0], .events = POLLIN };
    cr_assert_eq(poll(&poll_fd, 1, 100), 0, "answered before it was done");
    fake_runner_hold(world.runner, false);
    for (int i = 0; i < 8; i++) {
        check_status(fds[i], "HTTP/1.1 200");
        close(fds[i]);
    }
}

Test(server, command_done_at_once_is_answered)
{
    for (int i = 0; i < 500; i++) {
        int fd = must_connect();
        send_put(fd, "again");
        check_status(fd, "HTTP/1.1 200");
        close(fd);
    }
}

Test(server, client_that_goes_away_while_waiting_does_no_harm)
{
    fake_runner_hold(world.runner, true);
    for (int i = 0; i < 20; i++) {
        char id[32];
        snprintf(id, sizeof id, "gone-%d", i);
        int fd = must_connect();
        send_put(fd, id);
        close(fd);
    }
    usleep(50000); /* so that some have been suspended */
    fake_runner_hold(world.runner, false);
    struct api_answer answer = { 0 };
    for (int i = 0; i < 200 && answer.status != 200; i++) {
        usleep(10000);
        api_answer_free(&answer);
        answer = api_get(&world, "/api/jobs/gone-19?" API_VERSION);
    }
    cr_assert_eq(answer.status, 200);
    api_answer_free(&answer);
}

Test(server, store_that_takes_no_writes_is_503_and_reads_go_on)
{
    fake_runner_set_trouble(world.runner, TRANCHE_UNAVAILABLE);
    struct api_answer answer = api_send(&world, "PUT", "/api/jobs/j?" API_VERSION, JOB_BODY);
    cr_assert_str_eq(api_header(&answer, "Retry-After"), "5");
    api_check_error(answer, 503, "ServiceUnavailable", "The store does not accept writes at the moment.");
    api_check(api_get(&world, "/api/jobs?" API_VERSION), 200, "{\"value\":[]}");
}

Test(server_full, mailbox_that_is_full_is_503)
{
    static const char *const settings[] = { "mailbox_max", "1", NULL };
    api_world_open(&world, settings);
    fake_runner_hold(world.runner, true);
    int first = must_connect();
    send_stop(first);
    int second = must_connect();
    send_stop(second);

    struct pollfd polled[] = { { .fd = first, .events = POLLIN }, { .fd = second, .events = POLLIN } };
    cr_assert_eq(poll(polled, 2, 10000), 1); /* whoever was second */
    int refused = polled[0].revents != 0 ? first : second;
    char answer[2048];
    read_answer(refused, answer, sizeof answer);
    cr_assert_eq(strncmp(answer, "HTTP/1.1 503", 12), 0, "%s", answer);
    cr_assert_not_null(strstr(answer, "Retry-After: 5\r\n"), "%s", answer);
    cr_assert_not_null(strstr(answer, "\"1 requests are waiting already; try again.\""), "%s", answer);

    fake_runner_hold(world.runner, false);
    check_status(refused == first ? second : first, "HTTP/1.1 404");
    close(first);
    close(second);
    close_world();
}

Test(server, slow_body_is_waited_for)
{
    int fd = must_connect();
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "PUT /api/jobs/slow?" API_VERSION " HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n"
                          "Content-Length: %zu\r\n\r\n%s",
                          world.administrator, strlen(JOB_BODY), JOB_BODY);
    for (int i = 0; i < length; i += 40) {
        size_t piece = length - i < 40 ? (size_t)(length - i) : 40;
        cr_assert_eq(send(fd, request + i, piece, MSG_NOSIGNAL), (ssize_t)piece);
        usleep(5000);
    }
    check_status(fd, "HTTP/1.1 200");
    close(fd);
}

Test(server, continue_is_said_when_the_body_is_wanted)
{
    int fd = must_connect();
    char request[1024], answer[2048] = "";
    int length = snprintf(request, sizeof request,
                          "PUT /api/jobs/c?" API_VERSION " HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n"
                          "Content-Length: %zu\r\nExpect: 100-continue\r\n\r\n",
                          world.administrator, strlen(JOB_BODY));
    cr_assert_eq(send(fd, request, (size_t)length, MSG_NOSIGNAL), length);
    cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
    cr_assert_str_eq(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    cr_assert_gt(send(fd, JOB_BODY, strlen(JOB_BODY), MSG_NOSIGNAL), 0);
    check_status(fd, "HTTP/1.1 200");
    close(fd);
}

/* ---- closing ---- */

Test(server, quiet_server_takes_nobody_new_and_serves_who_is_there)
{
    int fd = must_connect();
    send_put(fd, "before");
    check_status(fd, "HTTP/1.1 200");

    server_quiesce(world.server);
    send_put(fd, "after");
    char answer[2048];
    read_answer(fd, answer, sizeof answer);
    cr_assert_eq(strncmp(answer, "HTTP/1.1 200", 12), 0, "%s", answer);
    cr_assert_not_null(strstr(answer, "Connection: close\r\n"), "%s", answer);
    close(fd);
    fd = must_connect(); /* by the kernel; the server hangs up */
    char byte;
    cr_assert_leq(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

static void *let_go_later(void *argument)
{
    (void)argument;
    usleep(200000);
    fake_runner_hold(world.runner, false);
    return NULL;
}

/* Closing while commands are open waits for them, and their clients get their answers. */
Test(server_closing, open_commands_are_answered_first)
{
    open_world();
    fake_runner_hold(world.runner, true);
    int fds[16];
    for (int i = 0; i < 16; i++) {
        char id[32];
        snprintf(id, sizeof id, "job-%d", i);
        fds[i] = must_connect();
        send_put(fds[i], id);
    }
    usleep(100000);
    pthread_t thread;
    pthread_create(&thread, NULL, let_go_later, NULL);
    server_close(world.server);
    world.server = NULL;
    pthread_join(thread, NULL);
    for (int i = 0; i < 16; i++) {
        check_status(fds[i], "HTTP/1.1 200");
        close(fds[i]);
    }
    close_world();
}

static unsigned descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    cr_assert_not_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

Test(server_closing, no_descriptor_is_left)
{
    open_world();
    close_world(); /* what is opened once in a process's life is open now */
    unsigned before = descriptors();
    for (int i = 0; i < 3; i++) {
        open_world();
        close_world();
    }
    cr_assert_eq(descriptors(), before);
}

/* The order of a SIGTERM: quiet, the runner stops and answers, then the server closes. */
Test(server_closing, after_the_runner_has_stopped_writes_are_503)
{
    open_world();
    int fd = must_connect();
    send_put(fd, "before");
    check_status(fd, "HTTP/1.1 200");
    server_quiesce(world.server);
    runner_stop(world.runner);
    send_put(fd, "after");
    check_status(fd, "HTTP/1.1 503");
    close(fd);
    server_close(world.server);
    runner_close(world.runner);
    world.server = NULL;
    world.runner = NULL;
    close_world();
}

Test(server_closing, client_that_never_finishes_does_not_hold_it_up)
{
    open_world();
    int fd = must_connect();
    const char *half = "PUT /api/jobs/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{";
    cr_assert_eq(send(fd, half, strlen(half), MSG_NOSIGNAL), (ssize_t)strlen(half));
    usleep(50000);
    int64_t start_us = when_now_us();
    close_world();
    cr_assert_lt(when_now_us() - start_us, 10000000);
    close(fd);
}

/* ---- opening ---- */

Test(listening, address_is_checked)
{
    struct tranche_err err;
    struct config config;
    struct server *server;
    config_defaults(&config);
    static const char *const bad[] = { "",
                                       ":9110",
                                       "127.0.0.1",
                                       "127.0.0.1:",
                                       "127.0.0.1:x",
                                       "127.0.0.1:70000",
                                       "127.0.0.1:-1",
                                       "no.such.host.invalid:1" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        strcpy(config.listen, bad[i]);
        cr_assert_eq(server_open(&server, &config, NULL, NULL, &err), TRANCHE_INVALID, "%s", bad[i]);
    }
}

Test(listening, free_port_is_below_the_kernels_own)
{
    struct tranche_err err;
    struct config config;
    config_defaults(&config);
    strcpy(config.listen, "127.0.0.1:0");
    for (int i = 0; i < 20; i++) {
        struct server *server;
        cr_assert_eq(server_open(&server, &config, NULL, NULL, &err), TRANCHE_OK, "%s", err.text);
        cr_assert(server_port(server) >= 10000 && server_port(server) < 30000, "%u", server_port(server));
        server_close(server);
    }
}

Test(listening, taken_port_is_told)
{
    struct tranche_err err;
    struct config config;
    struct server *server, *other;
    config_defaults(&config);
    strcpy(config.listen, "127.0.0.1:0");
    cr_assert_eq(server_open(&server, &config, NULL, NULL, &err), TRANCHE_OK, "%s", err.text);
    snprintf(config.listen, sizeof config.listen, "127.0.0.1:%u", server_port(server));
    cr_assert_eq(server_open(&other, &config, NULL, NULL, &err), TRANCHE_IO);
    cr_assert_not_null(strstr(err.text, "Address already in use"), "%s", err.text);
    server_close(server);
}

/* ---- who guesses ---- */

Test(server_guesses, too_many_bad_tokens_are_slowed_down_and_good_ones_are_not)
{
    static const char *const settings[] = { "login_failures_max", "3", NULL };
    api_world_open(&world, settings);
    const char *bad = "SharedAccessSignature sr=x&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&skn=root&se=1";
    struct api_call call = { .method = "GET", .path = "/api/jobs?" API_VERSION, .token = bad };
    for (int i = 0; i < 3; i++)
        api_check_error(api_do(&world, &call), 401, "Unauthorized", "The token is missing, unknown or expired.");
    struct api_answer answer = api_do(&world, &call);
    cr_assert_str_eq(api_header(&answer, "Retry-After"), "2");
    api_check_error(answer, 429, "TooManyRequests", "Rate limit reached; try again in 2 s.");
    api_check(api_get(&world, "/api/jobs?" API_VERSION), 200, "{\"value\":[]}");
    close_world();
}

Test(server_guesses, a_token_has_so_many_requests_a_second)
{
    static const char *const settings[] = { "requests_per_s", "5", NULL };
    api_world_open(&world, settings);
    int passed = 0, refused = 0;
    for (int i = 0; i < 50; i++) {
        struct api_answer answer = api_get(&world, "/api/jobs?" API_VERSION);
        passed += answer.status == 200;
        refused += answer.status == 429;
        api_answer_free(&answer);
    }
    cr_assert_geq(passed, 5);
    cr_assert_gt(refused, 0);
    cr_assert_eq(passed + refused, 50);
    close_world();
}
