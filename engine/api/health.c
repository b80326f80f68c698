/* For supervisors and load balancers; no token. */
#include "handlers.h"

#include "openapi.h"

void health_live(struct request *request)
{
    text_puts(request_answer(request, 200), "{\"status\":\"live\"}");
}

/* Reads are served even while this says no. */
void health_ready(struct request *request)
{
    struct tranche_err err = { .code = TRANCHE_UNAVAILABLE };
    if (runner_is_healthy(request->counter->runner, &err))
        text_puts(request_answer(request, 200), "{\"status\":\"ready\"}");
    else
        request_refuse(request, &err);
}

void openapi_get(struct request *request)
{
    openapi_print(request_answer(request, 200));
}
