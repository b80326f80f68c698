#include "job_call.h"

#include "show.h"

enum exit_code job_call(struct http *http, const char *method, const char *id, const char *more, const char *body,
                        size_t bytes)
{
    struct text path = {0};
    text_puts(&path, "/api/jobs");
    http_path_add(&path, id);
    text_printf(&path, "%s%s", more, HTTP_API_VERSION);
    if (path.failed) {
        text_free(&path);
        return cli_fail(EXIT_TROUBLE, "out of memory");
    }
    enum exit_code code = http_call(http, method, path.bytes, body, bytes);
    text_free(&path);
    return code;
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
