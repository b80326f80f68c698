#include "fleetsim_request.h"

#include <strings.h>

/* What the head says and the caller of request_read need not know. */
struct framing {
    size_t body_bytes;
    bool sized; /* a Content-Length was seen */
    bool expecting;
};

static bool refuse(struct http_request *request, unsigned status)
{
    request->refusal = status;
    return false;
}

/* Takes a line off the front, without its end. False if the end hasn't come yet. */
static bool line_take(struct span *rest, struct span *line)
{
    const char *end = rest->bytes > 0 ? memchr(rest->data, '\n', rest->bytes) : NULL;
    if (end == NULL)
        return false;
    *line = (struct span){ rest->data, (size_t)(end - rest->data) };
    if (line->bytes > 0 && end[-1] == '\r')
        line->bytes--;
    rest->bytes -= (size_t)(end + 1 - rest->data);
    rest->data = end + 1;
    return true;
}

/* Splits at the first `mark`: what is before it comes back, `text` keeps what is behind. */
static bool span_split(struct span *text, char mark, struct span *before)
{
    const char *at = text->bytes > 0 ? memchr(text->data, mark, text->bytes) : NULL;
    if (at == NULL)
        return false;
    *before = (struct span){ text->data, (size_t)(at - text->data) };
    text->bytes -= before->bytes + 1;
    text->data = at + 1;
    return true;
}

static struct span span_trim(struct span text)
{
    while (text.bytes > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.bytes--;
    }
    while (text.bytes > 0 && (text.data[text.bytes - 1] == ' ' || text.data[text.bytes - 1] == '\t'))
        text.bytes--;
    return text;
}

/* Header names and the values that are words have no case. */
static bool span_is_word(struct span span, const char *word)
{
    return span.bytes == strlen(word) && strncasecmp(span.data, word, span.bytes) == 0;
}

static bool number_read(struct span digits, uint64_t max, uint64_t *number)
{
    if (digits.bytes == 0)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits.bytes; i++) {
        char digit = digits.data[i];
        if (digit < '0' || digit > '9')
            return false;
        *number = *number * 10 + (uint64_t)(digit - '0');
        if (*number > max)
            return false;
    }
    return true;
}

/* A length that is no number is 400; one that is merely too large is 413, whatever its size. */
static bool content_length(struct http_request *request, struct framing *framing, struct span value)
{
    uint64_t bytes;
    for (size_t i = 0; i < value.bytes; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return refuse(request, 400);
    if (value.bytes == 0)
        return refuse(request, 400);
    if (!number_read(value, REQUEST_BYTES_MAX, &bytes))
        return refuse(request, 413);
    if (framing->sized && framing->body_bytes != bytes)
        return refuse(request, 400);
    framing->sized = true;
    framing->body_bytes = (size_t)bytes;
    return true;
}

/* The value is a list of words. */
static void connection(struct http_request *request, struct span value)
{
    struct span word;
    bool more;
    do {
        more = span_split(&value, ',', &word);
        if (!more)
            word = value;
        word = span_trim(word);
        if (span_is_word(word, "close"))
            request->keep_alive = false;
        if (span_is_word(word, "keep-alive"))
            request->keep_alive = true;
    } while (more);
}

static bool header_read(struct http_request *request, struct framing *framing, struct span line)
{
    struct span name, value = line;
    if (!span_split(&value, ':', &name) || name.bytes == 0)
        return refuse(request, 400);
    if (memchr(name.data, ' ', name.bytes) != NULL || memchr(name.data, '\t', name.bytes) != NULL)
        return refuse(request, 400); /* a folded line, or a space that may hide a header from somebody */
    value = span_trim(value);

    uint64_t attempt;
    if (span_is_word(name, "Content-Length"))
        return content_length(request, framing, value);
    if (span_is_word(name, "Transfer-Encoding"))
        return refuse(request, 411);
    if (span_is_word(name, "Connection"))
        connection(request, value);
    else if (span_is_word(name, "Expect"))
        framing->expecting = span_is_word(value, "100-continue");
    else if (span_is_word(name, "Idempotency-Key"))
        request->key = value;
    else if (span_is_word(name, "X-Attempt"))
        request->attempt = number_read(value, UINT32_MAX, &attempt) ? (uint32_t)attempt : 0;
    return true;
}

/* METHOD SP /path[?query] SP HTTP/1.x */
static bool request_line_read(struct http_request *request, struct span line)
{
    struct span rest = line, target;
    if (!span_split(&rest, ' ', &request->method) || request->method.bytes == 0)
        return refuse(request, 400);
    if (!span_split(&rest, ' ', &target) || target.bytes == 0 || target.data[0] != '/')
        return refuse(request, 400);
    if (!span_split(&target, '?', &request->path))
        request->path = target;

    request->old = span_is(rest, "HTTP/1.0");
    request->keep_alive = !request->old;
    return request->old || span_is(rest, "HTTP/1.1") ? true : refuse(request, 400);
}

/* Blank lines before a request are skipped (RFC 9112, 2.2). */
static bool first_line_take(struct span *rest, struct span *line)
{
    while (line_take(rest, line))
        if (line->bytes > 0)
            return true;
    return false;
}

/* True when the head is complete and good. */
static bool head_read(struct http_request *request, struct framing *framing, struct span *rest)
{
    struct span line;
    if (!first_line_take(rest, &line))
        return false;
    if (!request_line_read(request, line))
        return false;
    while (line_take(rest, &line)) {
        if (line.bytes == 0)
            return true;
        if (!header_read(request, framing, line))
            return false;
    }
    return false;
}

enum request_progress request_read(struct http_request *request, struct span received)
{
    *request = (struct http_request){ 0 };
    struct framing framing = { 0 };
    struct span rest = received;
    bool complete = head_read(request, &framing, &rest);
    if (request->refusal > 0)
        return REQUEST_REFUSED;

    size_t head_bytes = received.bytes - rest.bytes;
    if (!complete && received.bytes >= REQUEST_BYTES_MAX)
        refuse(request, 413);
    if (complete && head_bytes + framing.body_bytes > REQUEST_BYTES_MAX)
        refuse(request, 413);
    if (request->refusal > 0)
        return REQUEST_REFUSED;
    if (!complete)
        return REQUEST_PARTIAL;
    if (rest.bytes < framing.body_bytes)
        return framing.expecting ? REQUEST_EXPECTING : REQUEST_PARTIAL;

    request->body = (struct span){ rest.data, framing.body_bytes };
    request->bytes = head_bytes + framing.body_bytes;
    return REQUEST_WHOLE;
}
