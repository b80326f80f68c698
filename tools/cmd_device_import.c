#include "http.h"
#include "import_offline.h"
#include "show.h"
#include "ticker.h"
#include "uuid.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { FORMAT = 1, TEMPLATE, ALL_OR_NOTHING, DATA };

static const struct flag flags[] = {
    { FORMAT, 0, "format", "FORMAT", "ndjson or csv (by the file's ending; else ndjson)" },
    { TEMPLATE, 0, "template", "DTMI", "for devices that name none" },
    { ALL_OR_NOTHING, 0, "all-or-nothing", NULL, "import nothing when any line is bad" },
    { DATA, 0, "data", "DIR", "straight into a data directory that is not being served" },
    { 0 },
};

/* ---- what is said about it ---- */

/* Bad lines, from a summary or from an error that has them too. */
static void say_complaints(const struct json *holder)
{
    const struct json *list = json_member(holder, "complaints");
    int64_t line = 0, bad = 0;
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *complaint = json_item(list, i);
        const char *text = json_string(json_member(complaint, "text"));
        json_integer(json_member(complaint, "line"), &line);
        fprintf(stderr, "line %" PRId64 ": %s\n", line, text != NULL ? text : "");
    }
    if (json_integer(json_member(holder, "bad"), &bad) && bad > (int64_t)json_count(list))
        fprintf(stderr, "and %" PRId64 " more bad lines\n", bad - (int64_t)json_count(list));
}

static enum exit_code show_summary(const struct cli *cli, const struct json_document *summary)
{
    static const struct column columns[] = {
        { "LINES", "lines", COLUMN_VALUE },     { "DEVICES", "devices", COLUMN_VALUE },
        { "CREATED", "created", COLUMN_VALUE }, { "UPDATED", "updated", COLUMN_VALUE },
        { "BAD", "bad", COLUMN_VALUE },         { 0 },
    };
    int64_t bad = 0;
    json_integer(json_member(summary->root, "bad"), &bad);
    say_complaints(summary->root);
    show_object(cli, summary, columns);
    return bad > 0 ? EXIT_INVALID : EXIT_OK;
}

/* ---- the two ways ---- */

static void tick_here(void *context, const struct import *import)
{
    static const char *const states[] = {
        [IMPORT_RECEIVING] = "reading", [IMPORT_SORTING] = "sorting", [IMPORT_WRITING] = "writing"
    };
    if (!ticker_is_due(context))
        return;
    struct import_progress progress = import_progress(import);
    const struct import_summary *summary = import_summary(import);
    ticker_show(context, &(struct ticker_state){
                             .state = states[progress.phase],
                             .lines = (int64_t)progress.lines,
                             .bad = (int64_t)progress.bad,
                             .devices = (int64_t)progress.devices,
                             .stored = (int64_t)(summary->created + summary->updated),
                         });
}

static enum exit_code import_here(const struct cli *cli, struct import_wish *wish, FILE *input)
{
    struct ticker ticker = { .cli = cli };
    wish->tick = tick_here;
    wish->tick_context = &ticker;
    struct tranche_err err;
    struct text text = {0};
    struct json_document summary = {0};
    enum exit_code exit_code = EXIT_OK;
    enum tranche_code code = import_offline(wish, input, &text, &err);
    ticker_clear(&ticker);
    if (text.length > 0 && json_parse(text.bytes, text.length, &summary, NULL) != TRANCHE_OK)
        exit_code = cli_fail(EXIT_TROUBLE, "out of memory");
    else if (code == TRANCHE_OK)
        exit_code = show_summary(cli, &summary);
    else
        exit_code = cli_fail_err(&err);
    if (code == TRANCHE_INVALID)
        say_complaints(summary.root);
    json_free(&summary);
    text_free(&text);
    return exit_code;
}

static void make_path(const struct import_wish *wish, struct text *path)
{
    struct text escaped = {0};
    text_puts(path, "/v1/devices/import");
    text_printf(path, "?id=%s&all_or_nothing=%s", wish->options.id, wish->all_or_nothing ? "true" : "false");
    if (wish->options.template_id != NULL) {
        http_path_add(&escaped, wish->options.template_id);
        text_printf(path, "&template=%s", escaped.failed ? "" : escaped.bytes + 1); /* without the slash */
    }
    path->failed |= escaped.failed;
    text_free(&escaped);
}

/* Asks on a connection of its own, beside the upload. */
struct question {
    struct ticker ticker;
    struct http http;
    char path[64 + TRANCHE_ID_BYTES];
};

static void tick_there(void *context)
{
    struct question *question = context;
    if (!ticker_is_due(&question->ticker))
        return;
    struct http *http = &question->http;
    if (http_open(http, question->ticker.cli) != EXIT_OK || http_call(http, "GET", question->path, NULL, 0) != EXIT_OK)
        return;
    int64_t created = 0, updated = 0;
    struct ticker_state state = { .state = json_string(json_member(http->json.root, "state")) };
    json_integer(json_member(http->json.root, "lines"), &state.lines);
    json_integer(json_member(http->json.root, "bad"), &state.bad);
    json_integer(json_member(http->json.root, "devices"), &state.devices);
    json_integer(json_member(http->json.root, "created"), &created);
    json_integer(json_member(http->json.root, "updated"), &updated);
    state.stored = created + updated;
    if (state.state != NULL)
        ticker_show(&question->ticker, &state);
}

static enum exit_code import_there(const struct cli *cli, const struct import_wish *wish, FILE *input)
{
    struct question question = { .ticker.cli = cli };
    struct http http = { .tick = tick_there, .tick_context = &question };
    struct text path = {0};
    make_path(wish, &path);
    snprintf(question.path, sizeof question.path, "/v1/imports/%s", wish->options.id);
    enum exit_code code = path.failed ? cli_fail(EXIT_TROUBLE, "out of memory") : http_open(&http, cli);
    if (code == EXIT_OK) {
        bool csv = wish->options.format == IMPORT_CSV;
        code = http_upload(&http, path.bytes, csv ? "text/csv" : "application/x-ndjson", input);
        ticker_clear(&question.ticker);
        if (code == EXIT_OK) {
            code = show_summary(cli, &http.json);
        } else {
            http_report(&http);
            say_complaints(json_member(http.json.root, "error"));
        }
    }
    http_close(&http);
    http_close(&question.http);
    text_free(&path);
    return code;
}

/* ---- the command ---- */

static enum exit_code import_file(const struct cli *cli, struct import_wish *wish, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *input = standard ? stdin : fopen(path, "rb");
    if (input == NULL)
        return cli_usage(cli, "%s: %s", path, strerror(errno));
    enum exit_code code = wish->directory != NULL ? import_here(cli, wish, input) : import_there(cli, wish, input);
    if (!standard)
        fclose(input);
    return code;
}

static bool ends_in_csv(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcasecmp(dot, ".csv") == 0;
}

static enum exit_code run_device_import(struct cli *cli, struct words *words)
{
    char id[UUID_TEXT_BYTES];
    uuid_random(id);
    struct import_wish wish = { .options.id = id };
    bool format_given = false;
    const char *value;
    for (int flag; (flag = words_flag(words, &value)) != FLAG_END;)
        switch (flag) {
        case FORMAT:
            if (!import_format_parse(value, &wish.options.format))
                return cli_usage(cli, "--format: expected ndjson or csv, got \"%s\"", value);
            format_given = true;
            break;
        case TEMPLATE:
            wish.options.template_id = value;
            break;
        case ALL_OR_NOTHING:
            wish.all_or_nothing = true;
            break;
        case DATA:
            wish.directory = value;
            break;
        default:
            return EXIT_USAGE;
        }
    const char *path = words_argument(words, 0);
    if (!format_given && ends_in_csv(path))
        wish.options.format = IMPORT_CSV;
    return import_file(cli, &wish, path);
}

const struct cmd cmd_device_import = {
    .name = "device import",
    .arguments = "FILE|-",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "create or replace devices from a file",
    .more = "A line is an object such as {\"id\":\"pump-n01\"}; it may also have displayName, template,\n"
            "enabled, provisioned, simulated, organizations and properties. CSV begins with a row that\n"
            "names its columns: id (or IOTC_DEVICEID), displayName (or IOTC_DEVICENAME), template,\n"
            "organization, enabled, provisioned, simulated; any further column is a property, a string,\n"
            "or JSON such as 3 or true where the name ends in :json. Bad lines are told with their\n"
            "numbers and the rest goes in; the exit code is 6 then.",
    .example = "fleetsim devices --count 10000 | tranche device import -",
    .flags = flags,
    .run = run_device_import,
};
