#include "job_call.h"

#include "object_call.h"

enum exit_code job_call(struct http *http, const char *method, const char *id, const char *more, const char *body,
                        size_t bytes)
{
    return object_call(http, method, "/api/jobs", id, more, body, bytes);
}

enum exit_code job_show(struct http *http, const char *id)
{
    if (job_call(http, "GET", id, "", NULL, 0) != EXIT_OK)
        return http_report(http);
    show_job(http->cli, &http->json);
    return EXIT_OK;
}

enum exit_code job_order(struct cli *cli, struct words *words, const char *order)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    const char *id = words_argument(words, 0);
    struct http http = {0};
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK && job_call(&http, "POST", id, order, NULL, 0) != EXIT_OK)
        code = http_report(&http);
    if (code == EXIT_OK)
        code = job_show(&http, id);
    http_close(&http);
    return code;
}
