/* Bulk import over HTTP. */
#include "api_world.h"

#include "counter.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATH "/v1/devices/import"

static struct api_world world;

static void open_world(void)
{
    static const char *const settings[] = { "import_bytes_max", "8000000", "body_bytes_max", "1024", NULL };
    api_world_open(&world, settings);
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(import, .init = open_world, .fini = close_world, .timeout = 60);

static char *make_lines(unsigned count)
{
    struct text lines = { 0 };
    for (unsigned i = 0; i < count; i++)
        text_printf(&lines, "{\"id\":\"pump-%06u\"}\n", i);
    return text_take(&lines);
}

/* Checks an import's answer but for the id that it was given, and frees it. */
static void check_summary(struct api_answer answer, const char *rest)
{
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    cr_assert_eq(strncmp(answer.body.bytes, "{\"id\":\"", 7), 0, "%s", answer.body.bytes);
    const char *comma = strchr(answer.body.bytes, ',');
    cr_assert_not_null(comma, "%s", answer.body.bytes);
    cr_assert_str_eq(comma + 1, rest + 1, "%s", answer.body.bytes); /* without the brace */
    api_answer_free(&answer);
}

/* Files left in the spool. */
static unsigned spooled(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/spool", world.directory);
    DIR *directory = opendir(path);
    unsigned count = 0;
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    if (directory != NULL)
        closedir(directory);
    return count;
}

/* An import is let go a moment after its answer has gone out. */
static void check_spool_empties(void)
{
    for (unsigned waited_ms = 0; spooled() > 0 && waited_ms < 5000; waited_ms++)
        usleep(1000);
    cr_assert_eq(spooled(), 0);
}

Test(import, many_slices_become_one_answer)
{
    char *lines = make_lines(3500);
    struct api_call call = { .method = "POST", .path = PATH "?template=" PUMP, .body = lines };
    check_summary(
        api_do(&world, &call),
        "{\"lines\":3500,\"devices\":3500,\"created\":3500,\"updated\":0,\"bad\":0,\"complaints\":[]}");
    cr_assert_geq(fake_runner_slices(world.runner), 3);
    call.chunked = true;
    check_summary(
        api_do(&world, &call),
        "{\"lines\":3500,\"devices\":3500,\"created\":0,\"updated\":3500,\"bad\":0,\"complaints\":[]}");
    check_spool_empties();
    free(lines);
}

Test(import, imported_devices_are_members_of_groups)
{
    char *lines = make_lines(25);
    check_summary(api_send(&world, "POST", PATH "?template=" PUMP, lines),
                  "{\"lines\":25,\"devices\":25,\"created\":25,\"updated\":0,\"bad\":0,\"complaints\":[]}");
    free(lines);
    struct api_answer answer = api_send(
        &world, "PUT", "/api/deviceGroups/all?" API_VERSION,
        "{\"displayName\":\"All\",\"filter\":\"SELECT * FROM devices WHERE $template = \\\"" PUMP "\\\"\"}");
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    answer =
        api_send(&world, "PUT", "/api/jobs/j?" API_VERSION,
                 "{\"group\":\"all\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}");
    cr_assert_not_null(strstr(answer.body.bytes, "\"total\":25,\"pending\":25"), "%s", answer.body.bytes);
    api_answer_free(&answer);
}

Test(import, bad_lines_are_told_and_the_rest_goes_in)
{
    struct api_answer answer = api_send(&world, "POST", PATH, "{\"id\":\"a\"}\n{\"id\":\n\n{\"id\":\"b\"}");
    const char *head =
        "\"lines\":3,\"devices\":2,\"created\":2,\"updated\":0,\"bad\":1,\"complaints\":[{\"line\":2,";
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    cr_assert_not_null(strstr(answer.body.bytes, head), "%s", answer.body.bytes);
    api_answer_free(&answer);
}

Test(import, all_or_nothing_is_nothing_when_a_line_is_bad)
{
    struct api_answer answer =
        api_send(&world, "POST", PATH "?all_or_nothing=true", "{\"id\":\"a\"}\n{\"id\":\n");
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    cr_assert_not_null(strstr(answer.body.bytes, "\"complaints\":[{\"line\":2,"), "%s", answer.body.bytes);
    cr_assert_str_eq(api_header(&answer, "x-ms-error-code"), "UnprocessableEntity");
    api_answer_free(&answer);
    check_spool_empties();
    check_summary(api_send(&world, "POST", PATH, "{\"id\":\"a\"}"),
                  "{\"lines\":1,\"devices\":1,\"created\":1,\"updated\":0,\"bad\":0,\"complaints\":[]}");
}

static struct api_answer send_csv(const char *path, const char *type, const char *body)
{
    return api_do(&world, &(struct api_call){ .method = "POST", .path = path, .body = body, .type = type });
}

Test(import, csv_is_known_by_its_content_type_or_by_the_query)
{
    static const char rows[] = "IOTC_DEVICEID,IOTC_DEVICENAME,enabled\na,A,true\nb,B,\nc,C,?\n";
    static const char created[] =
        "{\"lines\":3,\"devices\":2,\"created\":2,\"updated\":0,\"bad\":1,\"complaints\":[{\"line\":4,"
        "\"text\":\"column 3, enabled: expected true or false, found \\\"?\\\"\"}]}";
    static const char updated[] =
        "{\"lines\":3,\"devices\":2,\"created\":0,\"updated\":2,\"bad\":1,\"complaints\":[{\"line\":4,"
        "\"text\":\"column 3, enabled: expected true or false, found \\\"?\\\"\"}]}";
    check_summary(send_csv(PATH, "text/csv; charset=utf-8", rows), created);
    check_summary(api_send(&world, "POST", PATH "?format=csv", rows), updated);
    check_summary(send_csv(PATH "?format=ndjson", "text/csv", "{\"id\":\"d\"}"),
                  "{\"lines\":1,\"devices\":1,\"created\":1,\"updated\":0,\"bad\":0,\"complaints\":[]}");
    api_check_error(api_send(&world, "POST", PATH "?format=xml", "x"), 422, "UnprocessableEntity",
                    "format must be ndjson or csv.");
}

Test(import, csv_without_a_header_is_refused)
{
    api_check_error(
        api_send(&world, "POST", PATH "?format=csv", "name\npump\n"), 422, "UnprocessableEntity",
        "line 1: the first row names no column for the id; it should be like id,displayName,template,site.");
    api_check_error(api_send(&world, "POST", PATH "?format=csv", NULL), 422, "UnprocessableEntity",
                    "there is no row that names the columns, such as id,displayName,template.");
    check_spool_empties();
}

Test(import, no_lines_are_no_devices)
{
    check_summary(api_send(&world, "POST", PATH, NULL),
                  "{\"lines\":0,\"devices\":0,\"created\":0,\"updated\":0,\"bad\":0,\"complaints\":[]}");
}

Test(import, query_is_checked)
{
    api_check_error(api_send(&world, "POST", PATH "?all_or_nothing=1", "{\"id\":\"a\"}"), 422,
                    "UnprocessableEntity", "all_or_nothing must be true or false.");
    api_check_error(api_send(&world, "POST", PATH "?all_or_nothing=1", NULL), 422, "UnprocessableEntity",
                    "all_or_nothing must be true or false.");
}

Test(import, import_has_a_limit_of_its_own)
{
    char *lines = make_lines(400000); /* 8.4 MB */
    struct api_call call = { .method = "POST", .path = PATH, .body = lines };
    api_check_error(api_do(&world, &call), 413, "PayloadTooLarge", "The body is larger than 8000000 bytes.");
    call.chunked = true;
    api_check_error(api_do(&world, &call), 413, "PayloadTooLarge", "The body is larger than 8000000 bytes.");
    check_spool_empties();
    free(lines);
}

/* The head of an import of 1000 bytes, and its first line. */
static int begin_import_as(const char *query)
{
    char request[1024];
    int length =
        snprintf(request, sizeof request,
                 "POST " PATH "%s HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\nContent-Length: 1000\r\n\r\n"
                 "{\"id\":\"a\"}\n",
                 query, world.administrator);
    int fd = api_connect(&world);
    cr_assert_geq(fd, 0);
    cr_assert_eq(send(fd, request, (size_t)length, MSG_NOSIGNAL), length);
    return fd;
}

static int begin_import(void)
{
    return begin_import_as("");
}

/* The rest of it, which is blank. */
static void end_import(int fd)
{
    char rest[1000];
    const size_t left = 1000 - strlen("{\"id\":\"a\"}\n");
    memset(rest, '\n', left);
    cr_assert_eq(send(fd, rest, left, MSG_NOSIGNAL), (ssize_t)left);
}

static void wait_for_spools(unsigned count)
{
    for (unsigned waited_ms = 0; spooled() < count && waited_ms < 5000; waited_ms++)
        usleep(1000);
    cr_assert_eq(spooled(), count);
}

Test(import, client_that_goes_away_has_imported_nothing)
{
    int fd = begin_import();
    wait_for_spools(1);
    close(fd);
    check_spool_empties();
    cr_assert_eq(fake_runner_slices(world.runner), 0);
}

Test(import, only_so_many_at_once)
{
    int fds[IMPORTS_MAX];
    for (unsigned i = 0; i < IMPORTS_MAX; i++)
        fds[i] = begin_import();
    wait_for_spools(IMPORTS_MAX);

    struct api_answer answer = api_send(&world, "POST", PATH, "{\"id\":\"a\"}");
    cr_assert_str_eq(api_header(&answer, "Retry-After"), "2");
    api_check_error(answer, 429, "TooManyRequests", "2 imports are under way already; try again later.");

    close(fds[0]);
    for (unsigned waited_ms = 0; spooled() == IMPORTS_MAX && waited_ms < 5000; waited_ms++)
        usleep(1000);
    answer = api_send(&world, "POST", PATH, "{\"id\":\"a\"}");
    for (int i = 0; i < 100 && answer.status == 429;
         i++) { /* its place is free a moment after its file is gone */
        usleep(10000);
        api_answer_free(&answer);
        answer = api_send(&world, "POST", PATH, "{\"id\":\"a\"}");
    }
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    close(fds[1]);
}

/* ---- how far it is ---- */

static void check_starts(struct api_answer answer, const char *head)
{
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    cr_assert_eq(strncmp(answer.body.bytes, head, strlen(head)), 0, "\n%s\nexpected\n%s", answer.body.bytes,
                 head);
    api_answer_free(&answer);
}

Test(import, an_import_is_remembered_under_its_id)
{
    struct api_answer answer =
        api_send(&world, "POST", PATH "?id=first", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{}\n");
    check_starts(answer, "{\"id\":\"first\",\"lines\":3,");
    answer = api_get(&world, "/v1/imports/first");
    cr_assert_not_null(strstr(answer.body.bytes, "\"start\":\"2"), "%s", answer.body.bytes);
    cr_assert_not_null(strstr(answer.body.bytes, "\"end\":\"2"), "%s", answer.body.bytes);
    cr_assert_not_null(
        strstr(answer.body.bytes, ",\"complaints\":[{\"line\":3,\"text\":\"id: is missing\"}]}"), "%s",
        answer.body.bytes);
    check_starts(answer, "{\"id\":\"first\",\"state\":\"done\",\"lines\":3,\"bad\":1,\"devices\":2,"
                         "\"created\":2,\"updated\":0,");

    api_check_error(api_send(&world, "POST", PATH "?id=first", "{\"id\":\"a\"}"), 409, "Conflict",
                    "Import \"first\" exists already.");
    check_starts(api_send(&world, "POST", PATH "?id=second", "{\"id\":\"a\"}"),
                 "{\"id\":\"second\",\"lines\":1,");
    answer = api_get(&world, "/v1/imports");
    cr_assert_not_null(strstr(answer.body.bytes, "},{\"id\":\"first\",\"state\":\"done\","), "%s",
                       answer.body.bytes);
    cr_assert_null(strstr(answer.body.bytes, "complaints"), "%s", answer.body.bytes);
    check_starts(answer, "{\"value\":[{\"id\":\"second\",\"state\":\"done\",");
}

Test(import, ids_of_imports_are_checked)
{
    struct api_answer answer = api_send(&world, "POST", PATH "?id=a%20b", "{\"id\":\"a\"}");
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
    api_check_error(api_get(&world, "/v1/imports/nobody"), 404, "NotFound",
                    "Import \"nobody\" was not found.");
    api_check(api_get(&world, "/v1/imports"), 200, "{\"value\":[]}");
}

Test(import, one_that_is_refused_leaves_its_id_free)
{
    struct api_answer answer = api_send(&world, "POST", PATH "?id=i&all_or_nothing=true", "{}");
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
    for (int i = 0; i < 1000; i++) { /* it is let go a moment after its answer */
        answer = api_get(&world, "/v1/imports/i");
        if (answer.status == 404)
            break;
        api_answer_free(&answer);
        usleep(5000);
    }
    api_check_error(answer, 404, "NotFound", "Import \"i\" was not found.");
    check_starts(api_send(&world, "POST", PATH "?id=i", "{\"id\":\"a\"}"), "{\"id\":\"i\",");
}

static void await(const char *path, const char *head)
{
    struct api_answer answer = api_get(&world, path);
    for (int i = 0; i < 1000 && strncmp(answer.body.bytes, head, strlen(head)) != 0; i++) {
        usleep(5000);
        api_answer_free(&answer);
        answer = api_get(&world, path);
    }
    check_starts(answer, head);
}

Test(import, one_under_way_tells_how_far_it_is)
{
    fake_runner_hold(world.runner, true);
    int fd = begin_import_as("?id=slow");
    await("/v1/imports/slow",
          "{\"id\":\"slow\",\"state\":\"receiving\",\"lines\":1,\"bad\":0,\"devices\":0,\"created\":0,");
    api_check_error(api_send(&world, "POST", PATH "?id=slow", "{\"id\":\"a\"}"), 409, "Conflict",
                    "Import \"slow\" exists already.");
    end_import(fd);
    await("/v1/imports/slow",
          "{\"id\":\"slow\",\"state\":\"writing\",\"lines\":1,\"bad\":0,\"devices\":1,\"created\":0,");
    await("/v1/imports", "{\"value\":[{\"id\":\"slow\",\"state\":\"writing\",");
    fake_runner_hold(world.runner, false);
    await("/v1/imports/slow",
          "{\"id\":\"slow\",\"state\":\"done\",\"lines\":1,\"bad\":0,\"devices\":1,\"created\":1,");
    close(fd);
}

static void damage_spool(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/spool/import-1", world.directory);
    FILE *file = fopen(path, "r+");
    cr_assert_not_null(file);
    fputs("\xff\xff\xff\x7f", file);
    fclose(file);
}

Test(import, a_damaged_spool_fails_the_import_alone)
{
    fake_runner_hold(world.runner, true);
    int fd = begin_import_as("?id=bad");
    end_import(fd);
    await("/v1/imports/bad", "{\"id\":\"bad\",\"state\":\"writing\",");
    damage_spool();
    fake_runner_hold(world.runner, false);

    char answer[2048] = "";
    cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
    close(fd);
    cr_expect_not_null(strstr(answer, " 500 "), "%s", answer);
    cr_expect_not_null(strstr(answer, "\"import\":\"bad\",\"created\":0,\"updated\":0,"
                                      "\"reason\":\"the import's spool file is damaged at byte 0\""),
                       "%s", answer);
    await("/v1/imports/bad", "{\"id\":\"bad\",\"state\":\"failed\",");
    check_starts(api_send(&world, "POST", PATH "?id=good", "{\"id\":\"a\"}"),
                 "{\"id\":\"good\",\"lines\":1,");
}
