#include "fanout_internal.h"

#include <errno.h>
#include <string.h>

/* What this machine ran out of. The device cannot help it, and the next call would fare no better. */
bool end_error_is_local(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:        /* epoll: too many descriptors are watched */
    case EADDRNOTAVAIL: /* no source port is left */
    case EAGAIN:        /* the same, where the kernel says it so */
        return true;
    default:
        return false;
    }
}

static enum tranche_transport unsent_class(const struct fanout_end *end)
{
    if (end->halted)
        return TRANCHE_HALTED;
    if (end_error_is_local(end->error))
        return TRANCHE_LOCAL;
    switch (end->result) {
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_SSL_CACERT_BADFILE: /* our own file of authorities */
        return TRANCHE_LOCAL;
    default:
        return TRANCHE_UNSENT;
    }
}

static enum tranche_transport sent_class(const struct fanout_end *end)
{
    switch (end->result) {
    case CURLE_OPERATION_TIMEDOUT:
        return TRANCHE_TIMED_OUT;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, or a version or status that does not exist */
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_OUT_OF_MEMORY: /* libcurl's word for a header line that is too long for it */
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE: /* its newer word */
#endif
        return TRANCHE_GARBLED;
    case CURLE_RECV_ERROR: /* also its code for bad chunks; told apart by its words, as nothing else tells */
        return strstr(end->words, "chunk") != NULL ? TRANCHE_GARBLED : TRANCHE_BROKEN;
    case CURLE_COULDNT_RESOLVE_HOST: /* a name is looked up after sending only in order to send again */
        return TRANCHE_DIED_IDLE;
    default:
        return TRANCHE_BROKEN;
    }
}

enum tranche_transport end_class(const struct fanout_end *end)
{
    if (end->result == CURLE_OK)
        return TRANCHE_ANSWERED;
    if (!end->sent)
        return unsent_class(end);
    if (end->resend_prevented)
        return TRANCHE_DIED_IDLE;
    if (end->refusal != NULL)
        return TRANCHE_GARBLED;
    return sent_class(end);
}

/* libcurl puts milliseconds and addresses into its words for trouble while connecting, which would make each a text of
 * its own where people group failures by reason. */
const char *end_detail(const struct fanout_end *end)
{
    if (end->result == CURLE_OK)
        return "";
    if (!end->sent && end->halted)
        return "taken back before anything was sent";
    if (end->resend_prevented)
        return "the kept connection closed before an answer; it was not sent again";
    if (end->refusal != NULL)
        return end->refusal;
    if (end->result == CURLE_OPERATION_TIMEDOUT)
        return end->sent ? "no complete answer in time" : "no connection in time, nothing was sent";
    if (end->error != 0)
        return strerrordesc_np(end->error);
    return end->words[0] != '\0' ? end->words : curl_easy_strerror(end->result);
}
