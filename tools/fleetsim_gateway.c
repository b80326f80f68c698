#include "fleetsim_gateway.h"

#include "fleetsim_call.h"
#include "fleetsim_http.h"
#include "fleetsim_log.h"

#include <inttypes.h>

struct gateway {
    const struct device_profile *profile;
    struct request_log log;
    uint64_t reused; /* device calls on reused connections: what close_reused is drawn from */
    uint64_t verdicts[VERDICT_COUNT];
};

static struct device_call device_call_of(const struct http_request *request, const struct call *call)
{
    return (struct device_call){ .device = { call->device, call->device_bytes },
                                 .key = request->key,
                                 .attempt = request->attempt,
                                 .command = call_is_command(call) };
}

/* The simulator's own health is not part of the simulation: it is answered whatever the profile says. */
static enum verdict judge(struct gateway *gateway, const struct http_request *request, struct call *call,
                          struct device_call *device)
{
    const struct device_profile *profile = gateway->profile;
    *call = (struct call){ 0 };
    *device = (struct device_call){ 0 };
    if (request->refusal > 0)
        return VERDICT_BAD_REQUEST;

    enum verdict verdict = call_read(call, request->method, request->path, request->body);
    *device = device_call_of(request, call);
    if (call->shape == CALL_HEALTH)
        return verdict;
    if (profile->black_hole)
        return VERDICT_BLACK_HOLE;
    if (verdict != VERDICT_OK)
        return verdict;
    if (device_is_lost(profile, device->device))
        return VERDICT_BLACK_HOLE;
    if (request->reused && device_closes(profile, gateway->reused++))
        return VERDICT_CLOSED;
    return device_verdict(profile, device);
}

/* A device call takes its time whatever comes of it; what is none is answered at once. */
static uint64_t delay_us(const struct gateway *gateway, const struct call *call,
                         const struct device_call *device, enum verdict verdict)
{
    bool called =
        verdict != VERDICT_NOT_FOUND && verdict != VERDICT_BAD_REQUEST && call->shape != CALL_HEALTH;
    return called ? device_delay_us(gateway->profile, device) : 0;
}

static void reply_word(const struct gateway *gateway, const struct http_request *request,
                       const struct call *call, const struct device_call *device, enum verdict verdict,
                       struct http_reply *reply)
{
    size_t choice = device_choice(gateway->profile, device, verdict, CALL_CHOICES);
    struct call_answer answer = call_word(call, verdict, choice, reply->body);
    reply->status = request->refusal > 0 ? request->refusal : answer.status;
    reply->headers = answer.headers;
    reply->content_type = call->shape == CALL_HEALTH ? "text/plain" : "application/json";
    reply->delay_us = delay_us(gateway, call, device, verdict);
}

static void gateway_answer(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct gateway *gateway = context;
    struct call call;
    struct device_call device;
    enum verdict verdict = judge(gateway, request, &call, &device);
    gateway->verdicts[verdict]++;
    log_request(&gateway->log, &(struct log_line){ .method = request->method,
                                                   .path = request->path,
                                                   .device = device.device,
                                                   .key = request->key,
                                                   .attempt = request->attempt,
                                                   .verdict = verdict_name(verdict) });
    if (verdict == VERDICT_BLACK_HOLE)
        reply->fate = HTTP_IGNORE;
    else if (verdict == VERDICT_CLOSED)
        reply->fate = HTTP_CLOSE;
    else
        reply_word(gateway, request, &call, &device, verdict, reply);
}

static bool gateway_before_sending(void *context, struct trouble *trouble)
{
    struct gateway *gateway = context;
    return log_flush(&gateway->log, trouble);
}

static void gateway_summarise(const struct gateway *gateway, uint64_t connections)
{
    uint64_t requests = 0;
    for (int i = 0; i < VERDICT_COUNT; i++)
        requests += gateway->verdicts[i];
    fprintf(stderr, "fleetsim: %" PRIu64 " requests on %" PRIu64 " connections", requests, connections);
    for (enum verdict i = 0; i < VERDICT_COUNT; i++)
        fprintf(stderr, "%s %s %" PRIu64, i == 0 ? ":" : ",", verdict_name(i), gateway->verdicts[i]);
    fputc('\n', stderr);
}

static bool announce(const char *url, struct trouble *trouble)
{
    printf("fleetsim: listening on %s\n", url);
    return fflush(stdout) == 0 || trouble_say(trouble, "standard output can't be written to");
}

bool gateway_serve(const struct device_profile *profile, const char *listen, const char *log_path,
                   struct trouble *trouble)
{
    struct gateway gateway = { .profile = profile };
    const struct http_handler handler = { &gateway, gateway_answer, gateway_before_sending };
    if (!log_open(&gateway.log, log_path, trouble))
        return false;

    struct http_server *server = http_open(listen, &handler, trouble);
    bool good = server != NULL && announce(http_url(server), trouble) && http_run(server, trouble);
    if (server != NULL) {
        gateway_summarise(&gateway, http_connections(server));
        http_close(server);
    }
    log_close(&gateway.log);
    return good;
}
