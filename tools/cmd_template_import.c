#include "file.h"
#include "list.h"
#include "object_call.h"

#include <stdio.h>

#define FILE_BYTES_MAX (64 * 1024 * 1024) /* the server has a limit for each template, and will say so */

enum { ID = 1 };

static const struct flag flags[] = {
    { ID, 0, "id", "DTMI", "id of the one template in the file (its @id)" },
    { 0 },
};

static enum exit_code put(struct http *http, struct list *list, const struct json *template, const char *id,
                          const char *raw, size_t bytes)
{
    if (id == NULL)
        id = json_string(json_member(template, "@id"));
    if (id == NULL)
        return cli_fail(EXIT_INVALID, "template %u of the file has no @id", list->count + 1);
    if (object_call(http, "PUT", "/api/deviceTemplates", id, "", raw, bytes) != EXIT_OK) {
        enum exit_code code = http_report(http);
        fprintf(stderr, "  template \"%s\"\n", id);
        return code;
    }
    list_add(list, http->json.root, http->json.text, http->json.bytes);
    return EXIT_OK;
}

/* An array of templates, or an object with one as `value`, as the API lists them; stops at the first that is
 * refused. */
static enum exit_code put_all(struct http *http, struct list *list, const struct json_document *file,
                              const char *name)
{
    const struct json *value = name == NULL ? file->root : json_member(file->root, name);
    enum exit_code code = EXIT_OK;
    for (size_t i = 0; i < json_count(value) && code == EXIT_OK; i++) {
        char place[24];
        size_t bytes;
        snprintf(place, sizeof place, "[%zu]", i);
        const char *raw =
            name == NULL ? json_raw(file, &bytes, place, NULL) : json_raw(file, &bytes, name, place, NULL);
        code = put(http, list, json_item(value, i), NULL, raw, bytes);
    }
    return code;
}

static enum exit_code import(struct cli *cli, const struct json_document *file, const char *id)
{
    bool array = json_type(file->root) == JSON_ARRAY;
    bool listed = array || json_type(json_member(file->root, "value")) == JSON_ARRAY;
    if (listed && id != NULL)
        return cli_usage(cli, "--id is for one template, and the file has a list");
    struct list list;
    struct http http = { 0 };
    list_open(&list, cli, template_columns);
    enum exit_code code = http_open(&http, cli);
    if (code == EXIT_OK && listed)
        code = put_all(&http, &list, file, array ? NULL : "value");
    else if (code == EXIT_OK)
        code = put(&http, &list, file->root, id, file->text, file->bytes);
    http_close(&http);
    list_close(&list);
    return code;
}

static enum exit_code run_template_import(struct cli *cli, struct words *words)
{
    const char *id = NULL, *value;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        if (flag == FLAG_BAD)
            return EXIT_USAGE;
        else
            id = value;
    struct text text = { 0 };
    struct json_document file = { 0 };
    struct tranche_err err;
    enum exit_code code = EXIT_OK;
    const char *path = words_argument(words, 0);
    if (file_read(path, FILE_BYTES_MAX, &text, &err) != TRANCHE_OK)
        code = cli_usage(cli, "%s", err.text);
    else if (json_parse(text.bytes, text.length, &file, &err) != TRANCHE_OK)
        code = cli_fail(EXIT_INVALID, "%s: %s", path, err.text);
    if (code == EXIT_OK)
        code = import(cli, &file, id);
    json_free(&file);
    text_free(&text);
    return code;
}

const struct cmd cmd_template_import = {
    .name = "template import",
    .arguments = "FILE|-",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "create or replace device templates from a JSON file",
    .more = "The file has one template as the API shows it, or a list of them: an array, or an object\n"
            "with one as \"value\", such as template list -o json prints. The first that is refused ends it.",
    .example = "tranche template import pump.json",
    .flags = flags,
    .run = run_template_import,
};
