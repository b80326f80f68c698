#include "nowhere.h"

#include "fail.h"
#include "outcome.h"

static enum tranche_code nowhere_open(const char *base, const char *authorization, void **state,
                                      struct tranche_err *err)
{
    (void)base;
    (void)authorization;
    (void)err;
    *state = NULL;
    return TRANCHE_OK;
}

static enum tranche_code nowhere_build(const void *state, const struct tranche_call *call,
                                       struct tranche_request *out, struct tranche_err *err)
{
    (void)state;
    (void)call;
    (void)out;
    return fail(err, TRANCHE_INVALID, "no gateway is configured; start the server with --gateway URL");
}

static void nowhere_judge(const void *state, const struct tranche_call *call,
                          const struct tranche_answer *answer, struct tranche_outcome *out)
{
    (void)state;
    (void)call;
    outcome_of(answer, &(struct outcome_hints){ 0 }, out);
}

static void nowhere_close(void *state)
{
    (void)state;
}

const struct tranche_connector nowhere_connector = {
    .name = "nowhere",
    .open = nowhere_open,
    .build = nowhere_build,
    .judge = nowhere_judge,
    .close = nowhere_close,
};
