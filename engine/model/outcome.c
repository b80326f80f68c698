#include "outcome.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void judge_answered(const struct tranche_answer *answer, const struct outcome_hints *hints,
                           struct tranche_outcome *out);
static void judge_unanswered(const struct outcome_hints *hints, const char *reason, struct tranche_outcome *out);
static const char *unsent_cause(const struct tranche_answer *answer);
static const char *local_cause(int error);

static void conclude(struct tranche_outcome *out, enum tranche_outcome_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void conclude(struct tranche_outcome *out, enum tranche_outcome_class class, const char *format, ...)
{
    out->class = class;
    va_list args;
    va_start(args, format);
    vsnprintf(out->reason, sizeof out->reason, format, args);
    va_end(args);
}

void outcome_of(const struct tranche_answer *answer, const struct outcome_hints *hints, struct tranche_outcome *out)
{
    *out = (struct tranche_outcome){0};
    switch (answer->transport) {
    case TRANCHE_ANSWERED:
        judge_answered(answer, hints, out);
        return;
    case TRANCHE_UNSENT:
        conclude(out, TRANCHE_OUTCOME_RETRY, "could not connect: %s", unsent_cause(answer));
        return;
    case TRANCHE_HALTED:
        conclude(out, TRANCHE_OUTCOME_NOT_SENT, "taken back before it was sent");
        return;
    case TRANCHE_LOCAL:
        conclude(out, TRANCHE_OUTCOME_LOCAL, "local trouble: %s", local_cause(answer->error));
        return;
    case TRANCHE_TIMED_OUT:
        judge_unanswered(hints, "no answer in time", out);
        return;
    case TRANCHE_BROKEN:
        judge_unanswered(hints, "connection broke before the answer was complete", out);
        return;
    case TRANCHE_DIED_IDLE:
        judge_unanswered(hints, "kept connection closed before an answer", out);
        return;
    case TRANCHE_GARBLED:
        judge_unanswered(hints, "answer is no HTTP or too large", out);
        return;
    case TRANCHE_TRANSPORT_COUNT:
        break;
    }
    assert(false && "a known transport");
}

/* ---- with a complete answer ---- */

static void judge_success(const struct tranche_answer *answer, const struct outcome_hints *hints,
                          struct tranche_outcome *out)
{
    out->code = hints->has_device_code ? hints->device_code : answer->status;
    if (!hints->has_device_code || hints->device_code < 400)
        conclude(out, TRANCHE_OUTCOME_OK, "%s", "");
    else if (hints->reason != NULL)
        conclude(out, TRANCHE_OUTCOME_FAILED, "%s", hints->reason);
    else
        conclude(out, TRANCHE_OUTCOME_FAILED, "rejected by device (status %d)", (int)hints->device_code);
}

/* Statuses by which a gateway says "not now". */
static bool is_passing(int status)
{
    return status == 408 || status == 429 || status == 502 || status == 503 || status == 504;
}

static const char *status_meaning(int status)
{
    if (status == 408 || status == 504)
        return "gateway timed out";
    if (status == 429)
        return "throttled by gateway";
    if (status >= 300 && status < 400)
        return "redirects are not followed";
    if (status >= 400 && status < 500)
        return "refused by gateway";
    if (status >= 500 && status < 600)
        return "gateway trouble";
    return "unexpected answer";
}

static void judge_refusal(const struct tranche_answer *answer, const struct outcome_hints *hints,
                          struct tranche_outcome *out)
{
    bool passing = is_passing(answer->status) || hints->transient;
    bool retry = hints->not_executed || (hints->repeatable && passing);
    /* A gateway that gave up waiting, or fell over, may have reached the device before. */
    bool may_have_run = !retry && !hints->repeatable && (passing || answer->status / 100 == 5);

    enum tranche_outcome_class class = retry ? TRANCHE_OUTCOME_RETRY : TRANCHE_OUTCOME_FAILED;
    const char *rest = may_have_run ? ", may have run" : "";
    out->code = answer->status;
    out->retry_after_ms = retry ? answer->retry_after_ms : 0;
    if (hints->reason != NULL)
        conclude(out, class, "%s%s", hints->reason, rest);
    else
        conclude(out, class, "%s (HTTP %d)%s", status_meaning(answer->status), answer->status, rest);
}

static void judge_answered(const struct tranche_answer *answer, const struct outcome_hints *hints,
                           struct tranche_outcome *out)
{
    assert(answer->status > 0);
    if (answer->status / 100 == 2)
        judge_success(answer, hints, out);
    else
        judge_refusal(answer, hints, out);
}

/* ---- without ---- */

static void judge_unanswered(const struct outcome_hints *hints, const char *reason, struct tranche_outcome *out)
{
    out->unanswered = true;
    if (hints->repeatable)
        conclude(out, TRANCHE_OUTCOME_RETRY, "%s", reason);
    else
        conclude(out, TRANCHE_OUTCOME_UNKNOWN, "%s, may have run", reason);
}

/* Name and TLS trouble have no errno. The transport's words for it name hosts and times, and so would give each device
 * a reason of its own: a telling word in them chooses one of few texts. */
static const char *unsent_cause(const struct tranche_answer *answer)
{
    static const struct {
        const char *word;
        const char *cause;
    } words[] = {
        { "resolv",      "name not resolved" },
        { "timed out",   "timed out" },
        { "timeout",     "timed out" },
        { "certificate", "TLS failed" },
        { "SSL",         "TLS failed" },
        { "TLS",         "TLS failed" },
    };
    switch (answer->error) {
    case ECONNREFUSED:
        return "connection refused";
    case ECONNRESET:
    case EPIPE:
        return "connection reset";
    case ETIMEDOUT:
        return "timed out";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "unreachable";
    default:
        break;
    }
    for (size_t i = 0; answer->detail != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(answer->detail, words[i].word) != NULL)
            return words[i].cause;
    return "no connection";
}

static const char *local_cause(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
        return "no descriptors left";
    case ENOMEM:
    case ENOBUFS:
        return "out of memory";
    case EADDRNOTAVAIL:
    case EADDRINUSE:
        return "no local port left";
    default:
        return "the call could not be started";
    }
}

/* ---- what follows ---- */

enum tranche_device_state outcome_final_state(const struct tranche_outcome *outcome)
{
    assert(outcome->class != TRANCHE_OUTCOME_NOT_SENT);
    assert(outcome->class != TRANCHE_OUTCOME_LOCAL);
    if (outcome->class == TRANCHE_OUTCOME_OK)
        return TRANCHE_DEVICE_COMPLETED;
    if (outcome->class == TRANCHE_OUTCOME_UNKNOWN)
        return TRANCHE_DEVICE_UNKNOWN;
    return outcome->unanswered ? TRANCHE_DEVICE_UNKNOWN : TRANCHE_DEVICE_FAILED;
}

const char *outcome_class_name(enum tranche_outcome_class class)
{
    static const char *const names[] = {
        [TRANCHE_OUTCOME_OK] = "ok",
        [TRANCHE_OUTCOME_FAILED] = "failed",
        [TRANCHE_OUTCOME_RETRY] = "retry",
        [TRANCHE_OUTCOME_UNKNOWN] = "unknown",
        [TRANCHE_OUTCOME_NOT_SENT] = "not_sent",
        [TRANCHE_OUTCOME_LOCAL] = "local",
    };
    static_assert(sizeof names / sizeof names[0] == TRANCHE_OUTCOME_CLASS_COUNT, "every class has a name");
    assert(class < TRANCHE_OUTCOME_CLASS_COUNT);
    return names[class];
}
