/* The suite on the simulated store. Its cases write rows as they need them, jobs that no engine would make,
 * so what the design forbids is let pass here; sim_rules_test.c looks at that.
 */
#include "sim_store.h"
#include "store_suite.h"

#include <criterion/criterion.h>

/* Memory outlives no close, so a place only lets its store's process die instead. */
struct sim_place {
    struct store_place place;
    struct tranche_store *store;
    const struct tranche_store_functions *real;
    struct tranche_store_functions functions;
};

static void let_pass(void *context, const char *text)
{
    (void)context, (void)text;
}

static struct tranche_store *place_open(struct store_place *store_place)
{
    struct sim_place *place = (struct sim_place *)store_place;
    if (place->store != NULL)
        return place->store;
    struct tranche_err err = { 0 };
    cr_assert_eq(sim_store_open(&place->store, &err), TRANCHE_OK, "%s", err.text);
    sim_store_on_wrong(place->store, let_pass, NULL);
    place->real = place->store->functions;
    place->functions = *place->real;
    place->functions.close = sim_store_crash;
    place->store->functions = &place->functions;
    return place->store;
}

static void run(void (*store_case)(struct store_place *place))
{
    struct sim_place place = { .place.open = place_open };
    store_case(&place.place);
    place.real->close(place.store);
}

#define X(name)                 \
    Test(sim_suite, name)       \
    {                           \
        run(store_case_##name); \
    }
STORE_CASES(X)
#undef X
