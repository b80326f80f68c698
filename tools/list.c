#include "list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next page's path: the link without the scheme and host by which the server was found. Free it. */
static char *next_path(const struct http *http)
{
    const char *link = json_string(json_member(http->json.root, "nextLink"));
    const char *host = link == NULL ? NULL : strstr(link, "://");
    const char *path = host == NULL ? link : strchr(host + 3, '/');
    return path == NULL ? NULL : strdup(path);
}

/* ---- items ---- */

void list_open(struct list *list, const struct cli *cli, const struct column *columns)
{
    *list = (struct list){ .cli = cli };
    table_open(&list->table, cli, columns);
}

static void show_raw(const struct list *list, const char *raw, size_t bytes)
{
    bool json = list->cli->output == OUTPUT_JSON;
    if (json)
        fputs(list->count == 0 ? "{\"value\":[\n" : ",\n", stdout);
    fwrite(raw, 1, bytes, stdout);
    if (!json)
        fputc('\n', stdout);
}

void list_add(struct list *list, const struct json *item, const char *raw, size_t bytes)
{
    switch (list->cli->output) {
    case OUTPUT_JSON:
    case OUTPUT_JSONL:
        show_raw(list, raw, bytes);
        break;
    case OUTPUT_ID:
        show_id(item);
        break;
    case OUTPUT_TABLE:
    case OUTPUT_WIDE:
    case OUTPUT_TSV:
        table_add(&list->table, item);
        break;
    }
    list->count++;
}

void list_close(struct list *list)
{
    if (list->cli->output == OUTPUT_JSON)
        fputs(list->count == 0 ? "{\"value\":[]}\n" : "\n]}\n", stdout);
    table_print(&list->table);
    table_free(&list->table);
}

/* ---- pages ---- */

/* Adds items until there are as many as wanted; true when the page had more. */
static bool add_page(struct list *list, const struct json_document *page, uint32_t limit)
{
    size_t bytes, count = json_count(json_member(page->root, "value"));
    for (size_t i = 0; i < count; i++) {
        char place[24];
        if (limit != 0 && list->count == limit)
            return true;
        snprintf(place, sizeof place, "[%zu]", i);
        const char *raw = json_raw(page, &bytes, "value", place, NULL);
        list_add(list, json_item(json_member(page->root, "value"), i), raw, bytes);
    }
    return false;
}

enum exit_code list_show(struct http *http, const char *path, const struct column *columns, uint32_t limit)
{
    struct list list;
    list_open(&list, http->cli, columns);
    enum exit_code code = EXIT_OK;
    bool more = false;
    char *next = strdup(path);
    while (next != NULL && code == EXIT_OK && !more) {
        code = http_call(http, "GET", next, NULL, 0);
        free(next);
        next = NULL;
        if (code != EXIT_OK)
            break;
        more = add_page(&list, &http->json, limit);
        next = next_path(http);
        more |= next != NULL && limit != 0 && list.count == limit;
    }
    free(next);
    if (code != EXIT_OK) {
        table_free(&list.table);
        return http_report(http);
    }
    list_close(&list);
    if (more)
        cli_note(http->cli, "there are more than %u: --limit N shows N, --limit 0 all", limit);
    return EXIT_OK;
}

enum exit_code list_run(struct cli *cli, const struct text *path, const struct column *columns, uint32_t limit)
{
    struct http http = {0};
    enum exit_code code = path->failed ? cli_fail(EXIT_TROUBLE, "out of memory") : http_open(&http, cli);
    if (code == EXIT_OK)
        code = list_show(&http, path->bytes, columns, limit);
    http_close(&http);
    return code;
}

enum { LIMIT = 1 };

const struct flag list_flags[] = { { LIMIT, 0, "limit", "N", LIST_FLAG_HELP }, { 0 } };

enum exit_code list_command(struct cli *cli, struct words *words, const char *base, const char *more,
                            const struct column *columns)
{
    uint32_t limit = LIST_LIMIT;
    const char *value;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FLAG_BAD || list_limit(cli, value, &limit) != EXIT_OK)
            return EXIT_USAGE;
    struct text path = {0};
    text_puts(&path, base);
    if (more != NULL) {
        http_path_add(&path, words_argument(words, 0));
        text_puts(&path, more);
    }
    text_puts(&path, HTTP_API_VERSION "&maxpagesize=" LIST_PAGE);
    enum exit_code code = list_run(cli, &path, columns, limit);
    text_free(&path);
    return code;
}

enum exit_code list_limit(const struct cli *cli, const char *value, uint32_t *limit)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX)
        return cli_usage(cli, "--limit: expected a number, got \"%s\"", value);
    *limit = (uint32_t)number;
    return EXIT_OK;
}
