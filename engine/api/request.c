#include "request.h"

#include "fail.h"
#include "log.h"
#include "router.h"
#include "when.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STORE_RETRY_S 5 /* the engine tries a failing store again about once a second */

const char *request_header(const struct request *request, const char *name)
{
    for (unsigned i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

unsigned request_header_count(const struct request *request, const char *name)
{
    unsigned count = 0;
    for (unsigned i = 0; i < request->header_count; i++)
        count += strcasecmp(request->headers[i].name, name) == 0;
    return count;
}

enum tranche_code request_query(const struct request *request, const char *name, const char **value,
                                struct tranche_err *err)
{
    *value = NULL;
    for (unsigned i = 0; i < request->query_count; i++) {
        const struct request_pair *pair = &request->query[i];
        if (strcmp(pair->name, name) != 0)
            continue;
        if (*value != NULL && strcmp(*value, pair->value) != 0)
            return fail(err, TRANCHE_BADREQUEST,
                        "The query parameter %s is given twice with different values.", name);
        *value = pair->value;
    }
    return TRANCHE_OK;
}

enum tranche_code request_query_flag(const struct request *request, const char *name, bool *value,
                                     struct tranche_err *err)
{
    const char *text;
    enum tranche_code code = request_query(request, name, &text, err);
    if (code != TRANCHE_OK)
        return code;
    *value = text != NULL && strcmp(text, "true") == 0;
    if (text != NULL && !*value && strcmp(text, "false") != 0)
        return fail(err, TRANCHE_INVALID, "%s must be true or false.", name);
    return TRANCHE_OK;
}

void request_answer_printed(struct request *request, int status)
{
    request->next = REQUEST_ANSWERS;
    request->step = NULL;
    request->status = status;
}

struct text *request_answer(struct request *request, int status)
{
    text_clear(&request->answer);
    request_answer_printed(request, status);
    return &request->answer;
}

void request_answer_empty(struct request *request)
{
    request_answer(request, 204);
}

/* What a person is told: a sentence. Of trouble inside only that there is some; the log has the rest. */
static void message_print(struct text *out, const struct tranche_err *err)
{
    int http = tranche_code_http(err->code);
    const char *text = err->text[0] != '\0' && http != 500 ? err->text : tranche_code_text(err->code);
    if (http == 500)
        text = "Internal error; the log knows more under this request id.";

    char sentence[TRANCHE_ERR_BYTES + 1];
    size_t length = strlen(text);
    assert(length < sizeof sentence - 1);
    memcpy(sentence, text, length + 1);
    if (http == 503)
        sentence[0] = (char)toupper((unsigned char)sentence[0]);
    if (strchr(".!?", sentence[length - 1]) == NULL)
        memcpy(sentence + length, ".", 2);
    text_json(out, sentence);
}

static void refusal_log(const struct request *request, const struct tranche_err *err)
{
    char quoted[LOG_QUOTED_BYTES];
    log_error("api", "request failed", "request=%s error=%s", request->id, log_quote(err->text, quoted));
}

void request_refuse_with(struct request *request, const struct tranche_err *err, const char *members)
{
    assert(err->code != TRANCHE_OK);
    int http = tranche_code_http(err->code);
    if (http == 500)
        refusal_log(request, err);

    char time[WHEN_TEXT_BYTES];
    when_rfc1123(request->now_us, time);
    struct text *body = request_answer(request, http);
    text_printf(body, "{\"error\":{\"code\":\"%s\",\"message\":", tranche_code_word(err->code));
    message_print(body, err);
    text_printf(body, ",\"requestId\":\"%s\",\"time\":\"%s\"", request->id, time);
    if (members != NULL)
        text_printf(body, ",%s", members);
    text_puts(body, "}}");

    request->code = err->code;
    request->etag[0] = '\0';
    request->retry_after_s = http == 503 ? STORE_RETRY_S : http == 429 ? REQUEST_RATE_RETRY_S : 0;
}

void request_refuse(struct request *request, const struct tranche_err *err)
{
    request_refuse_with(request, err, NULL);
}

struct tranche_reader *request_reader(struct request *request)
{
    struct tranche_err err;
    if (request->reader == NULL &&
        readers_take(&request->counter->readers, &request->reader, &err) != TRANCHE_OK)
        request_refuse(request, &err);
    return request->reader;
}

void request_defer(struct request *request, void (*step)(struct request *request))
{
    request->next = REQUEST_DEFERS;
    request->step = step;
}

/* What the audit will say of a change. */
static void name_change(struct request *request)
{
    struct tranche_audit_record *audit = &request->command.audit;
    snprintf(audit->who, sizeof audit->who, "%s", request->caller.name);
    snprintf(audit->request, sizeof audit->request, "%s", request->id);
    snprintf(audit->operation, sizeof audit->operation, "%s", request->route->operation);
    size_t used = 0;
    for (unsigned i = 0; i < REQUEST_PARAMETERS_MAX && request->parameters[i] != NULL && used < sizeof audit->object; i++)
        used += (size_t)snprintf(audit->object + used, sizeof audit->object - used, "%s%s", i > 0 ? "/" : "",
                                 request->parameters[i]);
}

void request_post(struct request *request, enum command_kind kind, void (*step)(struct request *request))
{
    request->command.kind = kind;
    name_change(request);
    request->next = REQUEST_POSTS;
    request->step = step;
}

static void refuse_too_large(struct request *request)
{
    struct tranche_err err;
    fail(&err, TRANCHE_TOOLARGE, "The body is larger than %llu bytes.",
         (unsigned long long)request->body_bytes_max);
    request_refuse(request, &err);
}

static void body_collect(struct request *request, const char *bytes, size_t count)
{
    text_add(&request->body, bytes, count);
    if (!request->body.failed)
        return;
    struct tranche_err err;
    fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
    request_refuse(request, &err);
}

void request_body(struct request *request, const char *bytes, size_t count)
{
    assert(request->next == REQUEST_GOES_ON);
    request->body_bytes += count;
    if (request->body_bytes > request->body_bytes_max)
        refuse_too_large(request);
    else if (request->route->feed != NULL)
        request->route->feed(request, bytes, count);
    else
        body_collect(request, bytes, count);
}

static void reader_give_back(struct request *request)
{
    if (request->reader != NULL)
        readers_give(&request->counter->readers, request->reader);
    request->reader = NULL;
}

void request_run(struct request *request)
{
    void (*step)(struct request *) = request->step != NULL ? request->step : request->route->handle;
    request->next = REQUEST_GOES_ON;
    request->step = NULL;
    step(request);
    assert(request->next != REQUEST_GOES_ON);
    reader_give_back(request);

    if (request->next == REQUEST_ANSWERS && (request->answer.failed || request->memory.failed)) {
        struct tranche_err err;
        fail(&err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
        request->memory.failed = false;
        request_refuse(request, &err);
    }
}

void request_free(struct request *request)
{
    assert(request->reader == NULL);
    if (request->release != NULL)
        request->release(request);
    command_free(&request->command);
    scope_free(&request->scope);
    text_free(&request->body);
    text_free(&request->answer);
    arena_free(&request->memory);
}
