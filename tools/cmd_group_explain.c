#include "object_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The filter that was typed with a mark below the place that the error names. */
static void point(const char *filter, const struct http *http)
{
    const char *message = json_string(json_member(json_member(http->json.root, "error"), "message"));
    const char *place = message == NULL ? NULL : strstr(message, "at position ");
    unsigned column;
    if (place == NULL || sscanf(place, "at position %u", &column) != 1 || strchr(filter, '\n') != NULL)
        return;
    fprintf(stderr, "  %s\n  %*s\n", filter, (int)column, "^");
}

static enum exit_code explain(struct http *http, const char *filter)
{
    static const struct column columns[] = {
        { "COUNT", "count", COLUMN_VALUE },
        { "INDEX", "index", COLUMN_VALUE },
        { "FILTER", "filter", COLUMN_VALUE },
        { 0 },
    };
    struct text path = {0};
    text_puts(&path, "/v1/filters/explain?filter=");
    http_text_add(&path, filter);
    enum exit_code code = path.failed ? cli_fail(EXIT_TROUBLE, "out of memory")
                                      : http_call(http, "GET", path.bytes, NULL, 0);
    if (!path.failed && code != EXIT_OK) {
        code = http_report(http);
        point(filter, http);
    } else if (code == EXIT_OK) {
        show_object(http->cli, &http->json, columns);
    }
    text_free(&path);
    return code;
}

static enum exit_code explain_group(struct http *http, const char *id)
{
    if (object_call(http, "GET", "/api/deviceGroups", id, "", NULL, 0) != EXIT_OK)
        return http_report(http);
    const char *filter = json_string(json_member(http->json.root, "filter"));
    char *kept = filter == NULL ? NULL : strdup(filter);
    if (kept == NULL)
        return cli_fail(EXIT_TROUBLE, "the server's answer is no device group");
    enum exit_code code = explain(http, kept);
    free(kept);
    return code;
}

static enum exit_code run_group_explain(struct cli *cli, struct words *words)
{
    const char *value;
    if (words_flag(words, &value) == FLAG_BAD)
        return EXIT_USAGE;
    const char *what = words_argument(words, 0);
    struct http http = {0};
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK) /* no id has a blank in it */
        code = strchr(what, ' ') != NULL ? explain(&http, what) : explain_group(&http, what);
    http_close(&http);
    return code;
}

const struct cmd cmd_group_explain = {
    .name = "group explain",
    .arguments = "GROUP-ID|FILTER",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "say how a filter is understood and what it finds",
    .more = "INDEX template: only the devices of one template are looked at; id: all devices are.",
    .example = "tranche group explain \"SELECT * FROM devices WHERE site = 'north'\"",
    .run = run_group_explain,
};
