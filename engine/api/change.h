/* Changes of the registry: a handler reads what the client wants, the engine thread writes it inside a
 * transaction and prints the answer there, and the answer goes out when the transaction has ended well.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "body.h"
#include "etag.h"

#include <tranche/store.h>

/* On the engine thread, inside a transaction; may run again after a rollback. A refusal must leave nothing
 * written. */
typedef enum tranche_code change_function(struct request *request, struct tranche_store *store,
                                          int64_t now_us, struct tranche_err *err);

/* Posts the change; it is answered with what it has printed (change_answer), or without content. */
void change_post(struct request *request, change_function *write);

/* Begins the answer, and its etag. Returns where the object is to be printed. */
struct text *change_answer(struct request *request, const char *prefix, int64_t revision);

/* Checks the client's etags against the object as it is; `revision` 0: there is none. */
enum tranche_code change_check_etags(struct request *request, const struct body_string *etag,
                                     const char *prefix, int64_t revision, struct tranche_err *err);

/* Whether the organization that the client wrote, if any, is one that the caller sees. Strings that the store
 * has handed out end here. */
enum tranche_code change_check_organization(const struct request *request, struct tranche_store *store,
                                            const struct body_string *member, struct tranche_err *err);
/* To which the object then belongs: what the client wrote, what is there, or the caller's own; NULL: none. */
const char *change_organization(const struct request *request, const struct body_string *member, bool patch,
                                const char *present);

/* The object as it is with the request's body, a merge patch, applied; in the request's memory.
 * TRANCHE_INVALID where the patch takes one of the `required` members (ended by NULL) away. */
enum tranche_code change_merge(struct request *request, const char *present, const char *const *required,
                               const char **merged, struct tranche_err *err);
/* A patch was made for a revision that is not the present one any more. */
enum tranche_code change_overtaken(struct tranche_err *err);

/* ,"name":"value" unless there is none. */
void change_print_optional(const char *name, const char *value, struct text *out);
/* ,"organizations":["id"] unless there is none. */
void change_print_organization(const char *organization, struct text *out);

#endif
