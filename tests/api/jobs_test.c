/* The seven operations on jobs, answered to the letter of api-contract.md 14.2-14.8. */
#include "api_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_0920 INT64_C(1772443200120000) /* 2026-03-02T09:20:00.120Z */

#define INTERVAL                                                                                      \
    "\"displayName\":\"Report every five minutes\",\"group\":\"north-pumps\","                        \
    "\"batch\":{\"type\":\"percentage\",\"value\":25},"                                               \
    "\"cancellationThreshold\":{\"type\":\"number\",\"value\":2,\"batch\":false},"                    \
    "\"data\":[{\"type\":\"PropertyJobData\",\"target\":\"dtmi:meadow:pump;2\",\"path\":\"reporting." \
    "intervalSeconds\","                                                                              \
    "\"value\":300}]"
#define SELF_TEST(batch)                                                                                   \
    "\"displayName\":\"self-test-01\",\"group\":\"north-pumps\","                                          \
    "\"cancellationThreshold\":{\"type\":\"percentage\",\"value\":50,\"batch\":" batch "},"                \
    "\"data\":[{\"type\":\"command\",\"target\":\"dtmi:meadow:pump;2\",\"path\":\"diagnostics.selfTest\"," \
    "\"value\":{\"depth\":\"full\",\"limit\":1.10}}]"
#define PENDING_SEVEN \
    "\"progress\":{\"total\":7,\"pending\":7,\"completed\":0,\"failed\":0},\"status\":\"pending\"}"

static struct api_world world;

static void open_world(void)
{
    api_world_open(&world, NULL);
    api_pumps(&world);
}

static void close_world(void)
{
    api_world_close(&world);
}

TestSuite(jobs, .init = open_world, .fini = close_world, .timeout = 60);

static struct api_answer put_job(const char *id, const char *body)
{
    char path[400];
    snprintf(path, sizeof path, "/api/jobs/%s?" API_VERSION, id);
    return api_send(&world, "PUT", path, body);
}

static void make_job(const char *id, const char *body)
{
    struct api_answer answer = put_job(id, body);
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
}

static struct api_answer get_job(const char *id)
{
    char path[400];
    snprintf(path, sizeof path, "/api/jobs/%s?" API_VERSION, id);
    return api_get(&world, path);
}

/* ---- what an engine would have done ---- */

struct turn {
    const char *id;
    enum tranche_job_state state;
    int64_t started_us, ended_us;
    const char *outcomes; /* of the members in their order: c, f, u, or - for pending; NULL: not frozen */
};

static struct tranche_result_record result_of(uint32_t ordinal, char outcome)
{
    return (struct tranche_result_record){
        .ordinal = ordinal,
        .attempt = 1,
        .final = true,
        .state = outcome == 'c'   ? TRANCHE_DEVICE_COMPLETED
                 : outcome == 'f' ? TRANCHE_DEVICE_FAILED
                                  : TRANCHE_DEVICE_UNKNOWN,
        .code = outcome == 'c' ? 200 : 0,
        .reason = outcome == 'c' ? "" : "it \"went\" wrong",
        .answer = "{\"a\":1}",
        .answer_bytes = outcome == 'u' ? 0 : 7,
        .at_us = AT_0920,
    };
}

static enum tranche_code put_members(struct tranche_store *store, const struct tranche_job_record *job,
                                     const char *outcomes, struct tranche_err *err)
{
    static const uint32_t devices[] = { 1, 2, 3, 4, 5, 6, 7 }; /* the pumps were the first */
    uint32_t count = (uint32_t)strlen(outcomes);
    enum tranche_code code = store->functions->chunk_put(store, job->no, 0, 0, devices, count, err);
    for (uint32_t i = 0; i < count && code == TRANCHE_OK; i++) {
        struct tranche_result_record result = result_of(i, outcomes[i]);
        if (outcomes[i] != '-')
            code = store->functions->result_put(store, job->no, &result, err);
    }
    return code;
}

static struct tranche_tally tally_of(const char *outcomes)
{
    struct tranche_tally tally = { .total = (uint32_t)strlen(outcomes) };
    for (; *outcomes != '\0'; outcomes++) {
        tally.completed += *outcomes == 'c';
        tally.failed += *outcomes == 'f';
        tally.unknown += *outcomes == 'u';
    }
    return tally;
}

static enum tranche_code freeze(struct tranche_store *store, struct tranche_job_record *job,
                                const char *outcomes, struct tranche_err *err)
{
    job->frozen = true;
    job->tally = tally_of(outcomes);
    job->batch_devices = job->tally.total;
    job->calls = tranche_tally_final(&job->tally);
    enum tranche_code code = put_members(store, job, outcomes, err);
    struct tranche_batch_record batch = { .started_us = AT_0920, .tally = job->tally };
    return code == TRANCHE_OK ? store->functions->batch_put(store, job->no, &batch, err) : code;
}

static enum tranche_code take_turn(struct tranche_store *store, void *context, struct tranche_err *err)
{
    const struct turn *turn = context;
    struct tranche_job_record job = { 0 };
    enum tranche_code code = store->functions->job_find(store, turn->id, &job, err);
    if (code != TRANCHE_OK)
        return code;
    job.state = turn->state;
    job.started_us = turn->started_us;
    job.ended_us = turn->ended_us;
    if (turn->outcomes != NULL)
        code = freeze(store, &job, turn->outcomes, err);
    if (code == TRANCHE_OK)
        code = store->functions->job_update(store, &job, err);
    tranche_job_record_free(&job);
    return code;
}

static void turn_job(struct turn turn)
{
    api_store(&world, take_turn, &turn);
}

/* ---- create ---- */

Test(jobs, created_job_is_pending_with_its_group_counted)
{
    api_check(put_job("set-interval-01", "{" INTERVAL "}"), 200,
              "{\"id\":\"set-interval-01\"," INTERVAL "," PENDING_SEVEN);
    api_check(get_job("set-interval-01"), 200, "{\"id\":\"set-interval-01\"," INTERVAL "," PENDING_SEVEN);
}

Test(jobs, same_put_again_gives_the_job_as_it_stands)
{
    api_check(put_job("set-interval-01", "{" INTERVAL "}"), 200,
              "{\"id\":\"set-interval-01\"," INTERVAL "," PENDING_SEVEN);
    turn_job((struct turn){ "set-interval-01", TRANCHE_JOB_RUNNING, AT_0920, 0, "cfc----" });

    api_check(
        put_job("set-interval-01", "{" INTERVAL "}"), 200,
        "{\"id\":\"set-interval-01\"," INTERVAL ",\"start\":\"2026-03-02T09:20:00.120Z\","
        "\"progress\":{\"total\":7,\"pending\":4,\"completed\":2,\"failed\":1},\"status\":\"running\"}");
}

Test(jobs, other_definition_under_a_taken_id_is_a_conflict)
{
    make_job("self-test-01", "{" SELF_TEST("true") "}");
    api_check_error(put_job("self-test-01", "{" SELF_TEST("false") "}"), 409, "Conflict",
                    "Job \"self-test-01\" exists with a different definition; it is pending.");
}

Test(jobs, the_official_clients_batch_becomes_a_boolean_and_numbers_keep_their_digits)
{
    api_check(put_job("self-test-01", "{" SELF_TEST("\"number\"") "}"), 200,
              "{\"id\":\"self-test-01\"," SELF_TEST("false") "," PENDING_SEVEN);
}

Test(jobs, both_spellings_of_the_type_come_back_as_sent)
{
    static const char *const types[] = { "property", "PropertyJobData", "PROPERTY", "propertyjobdata" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char id[32], definition[256], body[300], expected[600];
        snprintf(id, sizeof id, "spelling-%zu", i);
        snprintf(definition, sizeof definition,
                 "\"group\":\"north-pumps\",\"data\":[{\"type\":\"%s\",\"target\":\"t\",\"path\":\"p\","
                 "\"value\":1}]",
                 types[i]);
        snprintf(body, sizeof body, "{%s}", definition);
        snprintf(expected, sizeof expected, "{\"id\":\"%s\",%s," PENDING_SEVEN, id, definition);
        api_check(put_job(id, body), 200, expected);
    }
}

Test(jobs, read_only_and_unknown_members_are_ignored)
{
    api_check(put_job("self-test-01",
                      "{\"id\":\"x\",\"status\":\"complete\",\"progress\":{\"total\":1},\"start\":\"x\","
                      "\"error\":1," SELF_TEST("false") "}"),
              200, "{\"id\":\"self-test-01\"," SELF_TEST("false") "," PENDING_SEVEN);
}

Test(jobs, what_is_wrong_with_a_definition_is_said)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        { "{\"group\":\"nort-pumps\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}",
          "group: device group \"nort-pumps\" does not exist." },
        { "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"property\",\"target\":\"t\",\"path\":\"p\","
          "\"value\":1},"
          "{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}",
          "data: all entries of a job must have the same type (found property and command)." },
        { "{\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]}",
          "group: the member is required." },
        { "{\"group\":\"north-pumps\"}", "data: the member is required." },
        { "{\"group\":\"north-pumps\",\"data\":[]}", "data: at least one entry is required." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        api_check_error(put_job("j", cases[i].body), 422, "UnprocessableEntity", cases[i].message);
}

Test(jobs, id_outside_the_pattern_is_refused_on_put_and_unknown_elsewhere)
{
    struct api_answer answer = put_job("a.b", "{" INTERVAL "}");
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
    char id[300];
    memset(id, 'x', sizeof id);
    id[256] = '\0';
    answer = put_job(id, "{" INTERVAL "}");
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
    answer = get_job(id);
    cr_assert_eq(answer.status, 404, "%s", answer.body.bytes);
    api_answer_free(&answer);
    api_check_error(api_send(&world, "POST", "/api/jobs/a.b/stop?" API_VERSION, NULL), 404, "NotFound",
                    "Job \"a.b\" was not found.");
}

Test(jobs, longest_id_is_served)
{
    char id[256], expected[2000];
    memset(id, 'x', sizeof id - 1);
    id[255] = '\0';
    snprintf(expected, sizeof expected, "{\"id\":\"%s\"," INTERVAL "," PENDING_SEVEN, id);
    api_check(put_job(id, "{" INTERVAL "}"), 200, expected);
}

Test(jobs, empty_group_counts_nothing)
{
    struct api_answer answer = api_send(
        &world, "PUT", "/api/deviceGroups/none?" API_VERSION,
        "{\"displayName\":\"None\",\"filter\":\"SELECT * FROM devices WHERE $id = \\\"nobody\\\"\"}");
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
    const char *definition =
        "\"group\":\"none\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":\"p\"}]";
    char body[200], expected[400];
    snprintf(body, sizeof body, "{%s}", definition);
    snprintf(expected, sizeof expected,
             "{\"id\":\"idle\",%s,\"progress\":{\"total\":0,\"pending\":0,\"completed\":0,\"failed\":0},"
             "\"status\":\"pending\"}",
             definition);
    api_check(put_job("idle", body), 200, expected);
}

/* ---- get ---- */

Test(jobs, unknown_job_is_not_found)
{
    api_check_error(get_job("no-such-job"), 404, "NotFound", "Job \"no-such-job\" was not found.");
}

Test(jobs, finished_job_has_start_and_end_and_counts_unknown_as_failed)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_COMPLETE, AT_0920, AT_0920 + 31750000, "ccuccfc" });
    api_check(get_job("self-test-01"), 200,
              "{\"id\":\"self-test-01\"," SELF_TEST(
                  "false") ",\"start\":\"2026-03-02T09:20:00.120Z\","
                           "\"end\":\"2026-03-02T09:20:31.870Z\","
                           "\"progress\":{\"total\":7,\"pending\":0,\"completed\":5,\"failed\":2},\"status\":"
                           "\"complete\"}");
}

static enum tranche_code put_scheduled(struct tranche_store *store, void *context, struct tranche_err *err)
{
    (void)context;
    struct tranche_job_record job = {
        .id = "run-1", .group = "north-pumps", .schedule = "nightly", .estimate = 1
    };
    job.definition = strdup(INTERVAL);
    enum tranche_code code = store->functions->job_insert(store, &job, err);
    tranche_job_record_free(&job);
    return code;
}

Test(jobs, job_of_a_schedule_names_it)
{
    api_store(&world, put_scheduled, NULL);
    api_check(
        get_job("run-1"), 200,
        "{\"id\":\"run-1\",\"scheduledJobId\":\"nightly\"," INTERVAL ","
        "\"progress\":{\"total\":1,\"pending\":1,\"completed\":0,\"failed\":0},\"status\":\"pending\"}");
}

/* ---- lists ---- */

static void put_jobs(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32];
        snprintf(id, sizeof id, "job-%u", i);
        make_job(id, "{" INTERVAL "}");
    }
}

/* The path and query of the answer's nextLink; NULL: none. */
static char *next_path(const struct api_answer *answer)
{
    const char *link = strstr(answer->body.bytes, "\"nextLink\":\"");
    if (link == NULL)
        return NULL;
    link += strlen("\"nextLink\":\"");
    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%u", server_port(world.server));
    cr_assert_eq(strncmp(link, base, strlen(base)), 0, "%s", link);
    return strndup(link + strlen(base), strcspn(link + strlen(base), "\""));
}

Test(jobs, list_is_newest_first_and_its_links_lead_through_it)
{
    put_jobs(5);
    char *path = strdup("/api/jobs?" API_VERSION "&maxpagesize=2");
    unsigned left = 5;
    for (unsigned pages = 1; path != NULL; pages++) {
        struct api_answer answer = api_get(&world, path);
        cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
        unsigned on_page = left < 2 ? left : 2;
        const char *at = answer.body.bytes;
        for (unsigned i = 0; i < on_page; i++) {
            char id[32];
            snprintf(id, sizeof id, "\"id\":\"job-%u\"", --left);
            at = strstr(at, id);
            cr_assert_not_null(at, "%s not in its place in %s", id, answer.body.bytes);
        }
        cr_assert_null(strstr(at + 1, "\"id\":"), "%s", answer.body.bytes);
        free(path);
        path = next_path(&answer);
        cr_assert_eq(path == NULL, pages == 3, "page %u: %s", pages, answer.body.bytes);
        api_answer_free(&answer);
    }
}

Test(jobs, link_is_complete_and_may_be_given_the_version_again)
{
    put_jobs(2);
    struct api_answer answer = api_get(&world, "/api/jobs?" API_VERSION "&%24top=1&filter=a%20%26b");
    char *path = next_path(&answer);
    cr_assert_not_null(path);
    const char *expected = "/api/jobs?" API_VERSION "&%24top=1&filter=a%20%26b&%24skiptoken=";
    cr_assert_eq(strncmp(path, expected, strlen(expected)), 0, "%s", path);
    api_answer_free(&answer);

    char twice[400];
    snprintf(twice, sizeof twice, "%s&" API_VERSION, path);
    answer = api_get(&world, twice);
    cr_assert_eq(answer.status, 200);
    cr_assert_not_null(strstr(answer.body.bytes, "\"id\":\"job-0\""), "%s", answer.body.bytes);
    cr_assert_null(strstr(answer.body.bytes, "nextLink"));
    api_answer_free(&answer);
    free(path);
}

Test(jobs, link_goes_where_the_client_came_from)
{
    put_jobs(2);
    static const char *const host[] = { "Host: fleet.example.net", NULL };
    const struct api_call call = { .method = "GET",
                                   .path = "/api/jobs?" API_VERSION "&maxpagesize=1",
                                   .headers = host };
    struct api_answer answer = api_do(&world, &call);
    cr_assert_not_null(strstr(answer.body.bytes, "\"nextLink\":\"http://fleet.example.net/api/jobs?"), "%s",
                       answer.body.bytes);
    api_answer_free(&answer);
}

Test(jobs, link_goes_to_the_public_url_when_there_is_one)
{
    put_jobs(2);
    strcpy(world.config.public_url, "https://fleet.example.net/");
    struct api_answer answer = api_get(&world, "/api/jobs?" API_VERSION "&maxpagesize=1");
    cr_assert_not_null(strstr(answer.body.bytes, "\"nextLink\":\"https://fleet.example.net/api/jobs?"), "%s",
                       answer.body.bytes);
    api_answer_free(&answer);
}

Test(jobs, page_sizes_out_of_range)
{
    static const struct {
        const char *query, *message;
    } cases[] = {
        { "maxpagesize=0", "maxpagesize must be at least 1." },
        { "maxpagesize=-5", "maxpagesize must be at least 1." },
        { "$top=0", "$top must be at least 1." },
        { "%24top=x", "$top must be an integer." },
        { "maxpagesize=", "maxpagesize must be an integer." },
        { "maxpagesize=1.5", "maxpagesize must be an integer." },
        { "maxpagesize=%201", "maxpagesize must be an integer." },
        { "$skiptoken=x", "The continuation token is not valid." },
        { "$skiptoken=", "The continuation token is not valid." },
        { "$skiptoken=bzoy", "The continuation token is not valid." }, /* one of the device list */
        { "$skiptoken=djE6MTc3MjQ0eA", "The continuation token is not valid." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "/api/jobs?" API_VERSION "&%s", cases[i].query);
        api_check_error(api_get(&world, path), 422, "UnprocessableEntity", cases[i].message);
    }
    api_check(api_get(&world, "/api/jobs?" API_VERSION "&maxpagesize=5000"), 200, "{\"value\":[]}");
    api_check(api_get(&world, "/api/jobs?" API_VERSION "&maxpagesize=99999999999999999999"), 200,
              "{\"value\":[]}");
    api_check(api_get(&world, "/api/jobs?" API_VERSION "&$skiptoken=djE6MTc3MjQ0"), 200, "{\"value\":[]}");
}

Test(jobs, page_is_clamped)
{
    world.config.page_max = 2;
    put_jobs(3);
    struct api_answer answer = api_get(&world, "/api/jobs?" API_VERSION "&maxpagesize=5000");
    cr_assert_not_null(strstr(answer.body.bytes, "\"job-1\""));
    cr_assert_null(strstr(answer.body.bytes, "\"job-0\""));
    cr_assert_not_null(strstr(answer.body.bytes, "nextLink"));
    api_answer_free(&answer);
}

Test(jobs, page_of_large_jobs_ends_early)
{
    size_t bytes = 900000;
    struct text body = { 0 };
    text_puts(&body, "{\"group\":\"north-pumps\",\"data\":[{\"type\":\"command\",\"target\":\"t\",\"path\":"
                     "\"p\",\"value\":\"");
    for (size_t i = 0; i < bytes; i += 10)
        text_puts(&body, "0123456789");
    text_puts(&body, "\"}]}");
    for (int i = 0; i < 7; i++) {
        char id[16];
        snprintf(id, sizeof id, "job-%d", i);
        make_job(id, body.bytes);
    }
    text_free(&body);

    struct api_answer answer = api_get(&world, "/api/jobs?" API_VERSION);
    cr_assert_lt(answer.body.length, 6 * 1024 * 1024);
    cr_assert_not_null(strstr(answer.body.bytes, "\"id\":\"job-2\""));
    cr_assert_null(strstr(answer.body.bytes, "\"id\":\"job-1\""));
    char *path = next_path(&answer);
    cr_assert_not_null(path);
    api_answer_free(&answer);
    answer = api_get(&world, path);
    cr_assert_not_null(strstr(answer.body.bytes, "\"id\":\"job-1\""));
    cr_assert_not_null(strstr(answer.body.bytes, "\"id\":\"job-0\""));
    cr_assert_null(next_path(&answer));
    api_answer_free(&answer);
    free(path);
}

/* ---- devices ---- */

Test(jobs, devices_are_listed_in_the_jobs_order_with_two_words)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    api_check(api_get(&world, "/api/jobs/self-test-01/devices?" API_VERSION), 200, "{\"value\":[]}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_COMPLETE, AT_0920, AT_0920, "ccucc-f" });
    api_check(api_get(&world, "/api/jobs/self-test-01/devices?" API_VERSION), 200,
              "{\"value\":[{\"id\":\"pump-n01\",\"status\":\"completed\"},{\"id\":\"pump-n02\",\"status\":"
              "\"completed\"},"
              "{\"id\":\"pump-n03\",\"status\":\"failed\"},{\"id\":\"pump-n04\",\"status\":\"completed\"},"
              "{\"id\":\"pump-n05\",\"status\":\"completed\"},{\"id\":\"pump-n06\",\"status\":\"pending\"},"
              "{\"id\":\"pump-n07\",\"status\":\"failed\"}]}");
}

Test(jobs, device_links_lead_through_the_job)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_COMPLETE, AT_0920, AT_0920, "ccucc-f" });
    char *path = strdup("/api/jobs/self-test-01/devices?" API_VERSION "&$top=2");
    unsigned seen = 0;
    while (path != NULL) {
        struct api_answer answer = api_get(&world, path);
        for (const char *at = answer.body.bytes; (at = strstr(at, "pump-n0")) != NULL; at++)
            cr_assert_eq(at[7], (char)('1' + seen++), "%s", answer.body.bytes);
        free(path);
        path = next_path(&answer);
        cr_assert(path == NULL || strstr(path, "/devices?" API_VERSION "&%24top=2&%24skiptoken=") != NULL,
                  "%s", path);
        api_answer_free(&answer);
    }
    cr_assert_eq(seen, 7);
}

Test(jobs, devices_of_an_unknown_job_are_not_found)
{
    api_check_error(api_get(&world, "/api/jobs/nope/devices?" API_VERSION), 404, "NotFound",
                    "Job \"nope\" was not found.");
    api_check_error(api_get(&world, "/api/jobs/nope/devices?" API_VERSION "&$skiptoken=djE6MTc3MjQ0"), 422,
                    "UnprocessableEntity", "The continuation token is not valid.");
}

/* ---- stop, resume, rerun ---- */

static struct api_answer order(const char *method, const char *path)
{
    char whole[300];
    snprintf(whole, sizeof whole, "/api/jobs/%s?" API_VERSION, path);
    static const char *const empty[] = { "Content-Length: 0", NULL };
    return api_do(&world, &(struct api_call){ .method = method, .path = whole, .headers = empty });
}

Test(jobs, stop_and_resume_come_without_body_and_type)
{
    make_job("set-interval-01", "{" INTERVAL "}");
    turn_job((struct turn){ "set-interval-01", TRANCHE_JOB_RUNNING, AT_0920, 0, "cfcc---" });

    struct api_answer answer = order("POST", "set-interval-01/stop");
    cr_assert_null(api_header(&answer, "Content-Type"));
    api_check(answer, 204, "");
    api_check(order("POST", "set-interval-01/stop"), 204, "");
    api_check(
        get_job("set-interval-01"), 200,
        "{\"id\":\"set-interval-01\"," INTERVAL ",\"start\":\"2026-03-02T09:20:00.120Z\","
        "\"progress\":{\"total\":7,\"pending\":3,\"completed\":3,\"failed\":1},\"status\":\"stopped\"}");
    api_check(order("POST", "set-interval-01/resume"), 204, "");
    api_check(order("POST", "set-interval-01/resume"), 204, "");
}

Test(jobs, orders_that_come_too_late_are_conflicts)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    api_check_error(order("PUT", "self-test-01/rerun/again"), 409, "Conflict",
                    "Job \"self-test-01\" cannot be rerun: it is pending.");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_COMPLETE, AT_0920, AT_0920, "ccucc-f" });
    api_check_error(order("POST", "self-test-01/stop"), 409, "Conflict",
                    "Job \"self-test-01\" cannot be stopped: it is complete.");
    api_check_error(order("POST", "self-test-01/resume"), 409, "Conflict",
                    "Job \"self-test-01\" cannot be resumed: it is complete.");
    api_check_error(order("POST", "nope/stop"), 404, "NotFound", "Job \"nope\" was not found.");
    api_check_error(order("POST", "nope/resume"), 404, "NotFound", "Job \"nope\" was not found.");
    api_check_error(order("PUT", "nope/rerun/x"), 404, "NotFound", "Job \"nope\" was not found.");
}

Test(jobs, rerun_answers_with_the_new_job)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_COMPLETE, AT_0920, AT_0920, "ccuccfc" });
    api_check(order("PUT", "self-test-01/rerun/self-test-01-again"), 200,
              "{\"id\":\"self-test-01-again\"," SELF_TEST(
                  "false") ","
                           "\"progress\":{\"total\":2,\"pending\":2,\"completed\":0,\"failed\":0},\"status\":"
                           "\"pending\"}");
    struct api_answer answer = order("PUT", "self-test-01/rerun/a.b");
    cr_assert_eq(answer.status, 422, "%s", answer.body.bytes);
    api_answer_free(&answer);
}

Test(jobs, a_body_on_rerun_is_ignored)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_STOPPED, AT_0920, 0, "ccuccfc" });
    struct api_answer answer = api_send(&world, "PUT", "/api/jobs/self-test-01/rerun/r?" API_VERSION, "{}");
    cr_assert_eq(answer.status, 200, "%s", answer.body.bytes);
    api_answer_free(&answer);
}

/* ---- /v1 ---- */

Test(jobs, progress_before_the_freeze_is_an_estimate)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    struct api_answer answer = api_get(&world, "/v1/jobs/self-test-01/progress?check=true");
    const char *expected =
        "{\"id\":\"self-test-01\",\"status\":\"pending\",\"state\":\"pending\",\"frozen\":false,"
        "\"tally\":{\"total\":7,\"pending\":7,\"completed\":0,\"failed\":0,\"unknown\":0},"
        "\"open\":0,\"waiting\":0,\"inFlightMax\":256,\"calls\":0,\"created\":\"";
    cr_assert_eq(strncmp(answer.body.bytes, expected, strlen(expected)), 0, "%s", answer.body.bytes);
    cr_assert_null(strstr(answer.body.bytes, "\"check\""));
    api_answer_free(&answer);
}

Test(jobs, progress_tells_unknown_from_failed_and_checks_the_rows)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_CANCELLING, AT_0920, 0, "ccucc-f" });
    struct api_answer answer = api_get(&world, "/v1/jobs/self-test-01/progress?check=true");
    cr_assert_eq(answer.status, 200);
    const char *tally = "{\"total\":7,\"pending\":1,\"completed\":4,\"failed\":1,\"unknown\":1}";
    char head[600], tail[300];
    snprintf(head, sizeof head,
             "{\"id\":\"self-test-01\",\"status\":\"running\",\"state\":\"cancelling\",\"frozen\":true,"
             "\"tally\":%s,"
             "\"batch\":{\"index\":0,\"count\":1,\"tally\":%s,\"start\":\"2026-03-02T09:20:00.120Z\"},"
             "\"open\":0,\"waiting\":0,\"inFlightMax\":256,\"calls\":6,",
             tally, tally);
    snprintf(tail, sizeof tail, "\"check\":{\"exact\":true,\"agrees\":true,\"tally\":%s,\"batch\":%s}}",
             tally, tally);
    cr_assert_eq(strncmp(answer.body.bytes, head, strlen(head)), 0, "%s\nexpected\n%s", answer.body.bytes,
                 head);
    const char *found = strstr(answer.body.bytes, "\"check\"");
    cr_assert_not_null(found, "%s", answer.body.bytes);
    cr_assert_str_eq(found, tail);
    api_answer_free(&answer);
}

static enum tranche_code count_wrong(struct tranche_store *store, void *context, struct tranche_err *err)
{
    struct tranche_job_record job = { 0 };
    enum tranche_code code = store->functions->job_find(store, context, &job, err);
    job.tally.completed++;
    if (code == TRANCHE_OK)
        code = store->functions->job_update(store, &job, err);
    tranche_job_record_free(&job);
    return code;
}

Test(jobs, check_finds_counters_that_disagree)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_HELD, AT_0920, 0, "ccucc-f" });
    char id[] = "self-test-01";
    api_store(&world, count_wrong, id);
    struct api_answer answer = api_get(&world, "/v1/jobs/self-test-01/progress?check=true");
    cr_assert_not_null(strstr(answer.body.bytes, "\"check\":{\"exact\":true,\"agrees\":false,"), "%s",
                       answer.body.bytes);
    cr_assert_not_null(strstr(answer.body.bytes, "\"status\":\"stopped\",\"state\":\"held\""), "%s",
                       answer.body.bytes);
    api_answer_free(&answer);
}

Test(jobs, progress_refuses_what_it_does_not_understand)
{
    api_check_error(api_get(&world, "/v1/jobs/x/progress?check=yes"), 422, "UnprocessableEntity",
                    "check must be true or false.");
    api_check_error(api_get(&world, "/v1/jobs/x/progress?check=true"), 404, "NotFound",
                    "Job \"x\" was not found.");
}

Test(jobs, own_device_list_tells_all)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_RUNNING, AT_0920, 0, "cuf-" });
    api_check(
        api_get(&world, "/v1/jobs/self-test-01/devices?maxpagesize=1000"), 200,
        "{\"value\":["
        "{\"id\":\"pump-n01\",\"status\":\"completed\",\"outcome\":\"completed\",\"batch\":0,\"attempt\":1,"
        "\"code\":200,\"answer\":\"{\\\"a\\\":1}\",\"at\":\"2026-03-02T09:20:00.120Z\"},"
        "{\"id\":\"pump-n02\",\"status\":\"failed\",\"outcome\":\"unknown\",\"batch\":0,\"attempt\":1,"
        "\"reason\":\"it \\\"went\\\" wrong\",\"at\":\"2026-03-02T09:20:00.120Z\"},"
        "{\"id\":\"pump-n03\",\"status\":\"failed\",\"outcome\":\"failed\",\"batch\":0,\"attempt\":1,"
        "\"reason\":\"it \\\"went\\\" "
        "wrong\",\"answer\":\"{\\\"a\\\":1}\",\"at\":\"2026-03-02T09:20:00.120Z\"},"
        "{\"id\":\"pump-n04\",\"status\":\"pending\",\"outcome\":\"pending\",\"batch\":0,\"attempt\":0}]}");
}

Test(jobs, own_device_list_tells_those_of_one_outcome)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_RUNNING, AT_0920, 0, "cuf-ff-" });
#define DEVICES "/v1/jobs/self-test-01/devices?outcome="
    api_check(api_get(&world, DEVICES "pending"), 200,
              "{\"value\":[{\"id\":\"pump-n04\",\"status\":\"pending\",\"outcome\":\"pending\",\"batch\":0,\"attempt\":0},"
              "{\"id\":\"pump-n07\",\"status\":\"pending\",\"outcome\":\"pending\",\"batch\":0,\"attempt\":0}]}");
    struct api_answer answer = api_get(&world, DEVICES "failed&maxpagesize=2");
    cr_assert_not_null(strstr(answer.body.bytes, "pump-n03"));
    cr_assert_not_null(strstr(answer.body.bytes, "pump-n05"));
    cr_assert_null(strstr(answer.body.bytes, "pump-n06"));
    const char *link = strstr(answer.body.bytes, "/v1/jobs/");
    cr_assert_not_null(link, "%s", answer.body.bytes);
    char next[200];
    snprintf(next, sizeof next, "%.*s", (int)strcspn(link, "\""), link);
    api_answer_free(&answer);
    answer = api_get(&world, next);
    cr_assert_not_null(strstr(answer.body.bytes, "pump-n06"), "%s", answer.body.bytes);
    cr_assert_null(strstr(answer.body.bytes, "pump-n05"));
    cr_assert_null(strstr(answer.body.bytes, "nextLink"));
    api_answer_free(&answer);
    api_check_error(api_get(&world, DEVICES "lost"), 422, "UnprocessableEntity",
                    "outcome: expected pending, completed, failed or unknown, found \"lost\".");
}

Test(jobs, failures_and_batches_are_told)
{
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    turn_job((struct turn){ "self-test-01", TRANCHE_JOB_RUNNING, AT_0920, 0, "cuf-ff-" });
    api_check(api_get(&world, "/v1/jobs/self-test-01/failures"), 200,
              "{\"value\":[{\"reason\":\"it \\\"went\\\" wrong\",\"outcome\":\"failed\",\"count\":3,\"example\":\"pump-n03\","
              "\"last\":\"2026-03-02T09:20:00.120Z\"},{\"reason\":\"it \\\"went\\\" wrong\",\"outcome\":\"unknown\","
              "\"count\":1,\"example\":\"pump-n02\",\"last\":\"2026-03-02T09:20:00.120Z\"}]}");
    api_check(api_get(&world, "/v1/jobs/self-test-01/batches"), 200,
              "{\"value\":[{\"index\":0,\"tally\":{\"total\":7,\"pending\":2,\"completed\":1,\"failed\":3,\"unknown\":1},"
              "\"start\":\"2026-03-02T09:20:00.120Z\"}]}");
    api_check_error(api_get(&world, "/v1/jobs/x/failures"), 404, "NotFound", "Job \"x\" was not found.");
    api_check_error(api_get(&world, "/v1/jobs/x/batches"), 404, "NotFound", "Job \"x\" was not found.");
}

Test(jobs, progress_says_that_descriptors_limit_the_calls)
{
    api_world_close(&world);
    const char *const settings[] = { "in_flight", "5000", NULL };
    api_world_open(&world, settings);
    api_pumps(&world);
    make_job("self-test-01", "{" SELF_TEST("false") "}");
    struct api_answer answer = api_get(&world, "/v1/jobs/self-test-01/progress");
    cr_assert_not_null(strstr(answer.body.bytes, ",\"inFlightMax\":1000,\"limitedBy\":\"descriptors\","), "%s",
                       answer.body.bytes);
    api_answer_free(&answer);
}
