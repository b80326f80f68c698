/* The counter for tests: real server, real SQLite store in a directory of its own, and the fake runner behind
 * it; and a client. One world a test; any failure aborts the test.
 *
 * Where the environment variable TRANCHE_EXCHANGES names a file, each exchange is written to it, to be checked against
 * the contract.
 */
#ifndef API_WORLD_H
#define API_WORLD_H

#include "config.h"
#include "fake_runner.h"
#include "mem.h"
#include "server.h"

#include <tranche/store.h>

#define API_VERSION "api-version=2022-07-31"
#define PUMP        "dtmi:meadow:pump;2"

struct api_world {
    char directory[64];
    struct config config;
    struct tranche_store *store;
    struct runner *runner;
    struct server *server;
    char *administrator; /* values for the Authorization header */
};

/* `settings`: pairs of configuration keys and values, ended by NULL; NULL for none. */
void api_world_open(struct api_world *world, const char *const *settings);
void api_world_restart(struct api_world *world); /* everything closed, and opened again on what is stored */
void api_world_close(struct api_world *world); /* what the test has closed itself it sets to NULL */

/* Makes a token with that role word and stores it; to be freed. */
char *api_token(struct api_world *world, const char *id, const char *role, int64_t expires_us);

/* The same for an organization and those below it; it does not expire. */
char *api_token_of(struct api_world *world, const char *id, const char *role, const char *organization);

/* Does something to the store on the runner's thread, where nothing may be asserted. */
void api_store(struct api_world *world, fake_runner_act *act, void *context);

/* Seven devices pump-n01 ... pump-n07 and the group north-pumps over them. */
void api_pumps(struct api_world *world);

struct api_call {
    const char *method;
    const char *path;           /* with its query */
    const char *token;          /* NULL: the administrator's; "": none */
    const char *body;           /* NULL: none */
    size_t body_bytes;          /* 0: strlen(body) */
    const char *type;           /* Content-Type of the body; NULL: application/json */
    const char *const *headers; /* further "Name: value", ended by NULL; NULL: none */
    bool chunked;
};

struct api_answer {
    long status;
    struct text head; /* status line and headers; of the last one when there were several */
    struct text body; /* never without bytes */
    char value[512];  /* of api_header */
};

struct api_answer api_do(struct api_world *world, const struct api_call *call);
struct api_answer api_get(struct api_world *world, const char *path);
struct api_answer api_send(struct api_world *world, const char *method, const char *path, const char *body);
void api_answer_free(struct api_answer *answer);
/* The value of a header; NULL when absent. Lives until the next call on the answer. */
const char *api_header(struct api_answer *answer, const char *name);

/* Checks and frees an answer. An error must have the whole shape of api-contract.md 2.6. */
void api_check(struct api_answer answer, long status, const char *body);
void api_check_error(struct api_answer answer, long status, const char *code, const char *message);

/* A connection of one's own, with a receive timeout of 20 s; -1: refused. */
int api_connect(struct api_world *world);

/* Sends these bytes on a connection of its own, and returns all that comes back until the server closes it or
 * a second has passed in silence. To be freed. */
char *api_raw(struct api_world *world, const char *bytes, size_t count);

#endif
