/* What a call's end is called. The ends that a gateway can bring about are in fanout_test; these are the others. */
#include "fanout_internal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

static enum tranche_transport class_of(CURLcode result, bool sent, int error)
{
    struct fanout_end end = { .result = result, .sent = sent, .error = error, .words = "" };
    return end_class(&end);
}

Test(fanout_end, what_this_machine_lacks_is_local_only_while_nothing_was_sent)
{
    static const int local[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC, EADDRNOTAVAIL, EAGAIN };
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        cr_assert_eq(class_of(CURLE_COULDNT_CONNECT, false, local[i]), TRANCHE_LOCAL, "%d", local[i]);
        cr_assert_eq(class_of(CURLE_RECV_ERROR, true, local[i]), TRANCHE_BROKEN, "%d", local[i]);
    }
    cr_assert_eq(class_of(CURLE_OUT_OF_MEMORY, false, 0), TRANCHE_LOCAL);
    cr_assert_eq(class_of(CURLE_SSL_CACERT_BADFILE, false, 0), TRANCHE_LOCAL);
}

Test(fanout_end, what_the_network_or_the_gateway_refuses_is_unsent)
{
    static const int remote[] = { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ECONNRESET, ETIMEDOUT, 0 };
    for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++)
        cr_assert_eq(class_of(CURLE_COULDNT_CONNECT, false, remote[i]), TRANCHE_UNSENT, "%d", remote[i]);
    cr_assert_eq(class_of(CURLE_OPERATION_TIMEDOUT, false, 0), TRANCHE_UNSENT);
    cr_assert_eq(class_of(CURLE_PEER_FAILED_VERIFICATION, false, 0), TRANCHE_UNSENT);
}

Test(fanout_end, a_closed_gate_comes_first_while_nothing_was_sent)
{
    struct fanout_end end = { .result = CURLE_OPERATION_TIMEDOUT, .halted = true, .error = EMFILE, .words = "" };
    cr_assert_eq(end_class(&end), TRANCHE_HALTED);

    end.sent = true;
    cr_assert_eq(end_class(&end), TRANCHE_TIMED_OUT);
}

/* Nothing libcurl may report after sending can make a call certain again. */
Test(fanout_end, once_sent_no_code_makes_a_call_certainly_unsent)
{
    for (int result = 1; result < CURL_LAST; result++) {
        enum tranche_transport class = class_of((CURLcode)result, true, ECONNREFUSED);
        cr_assert(class == TRANCHE_TIMED_OUT || class == TRANCHE_BROKEN || class == TRANCHE_DIED_IDLE ||
                      class == TRANCHE_GARBLED, "result %d is class %d", result, (int)class);
    }
    cr_assert_eq(class_of(CURLE_COULDNT_RESOLVE_HOST, true, 0), TRANCHE_DIED_IDLE);
}

Test(fanout_end, its_words_hold_no_times_or_addresses_where_reasons_are_grouped)
{
    struct fanout_end end = { .result = CURLE_COULDNT_CONNECT, .error = ECONNREFUSED,
                              .words = "Failed to connect to 127.0.0.1 port 9200 after 3 ms" };
    cr_assert_str_eq(end_detail(&end), "Connection refused");

    end = (struct fanout_end){ .result = CURLE_OPERATION_TIMEDOUT, .words = "timed out after 301 milliseconds" };
    cr_assert_str_eq(end_detail(&end), "no connection in time, nothing was sent");
    end.sent = true;
    cr_assert_str_eq(end_detail(&end), "no complete answer in time");
    end = (struct fanout_end){ .result = CURLE_GOT_NOTHING, .sent = true, .words = "" };
    cr_assert_str_eq(end_detail(&end), curl_easy_strerror(CURLE_GOT_NOTHING));
}
