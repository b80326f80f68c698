/* Reading a request's JSON body into what a handler writes: whole (PUT) or as a merge patch (PATCH), where an absent member
 * leaves what is there and null takes it away (api-contract.md 2.3). Errors are whole sentences that begin with the member.
 * Read-only and unknown members are passed over. Strings are copied into the request's memory.
 */
#ifndef BODY_H
#define BODY_H

#include "json.h"
#include "request.h"

/* A member as it came. */
struct body_string {
    bool given;
    const char *value; /* NULL: null */
};
struct body_flag {
    bool given;
    bool value;
};

/* Parses the body, which must be an object. TRANCHE_BADREQUEST: no JSON. Free the document in either case. */
enum tranche_code body_parse(const struct request *request, struct json_document *document, struct tranche_err *err);

enum tranche_code body_string(struct request *request, const struct json *body, const char *name, size_t bytes_max,
                              struct body_string *out, struct tranche_err *err);
/* null counts as absent. */
enum tranche_code body_flag(const struct json *body, const char *name, struct body_flag *out, struct tranche_err *err);
/* "organizations": an array of exactly one. */
enum tranche_code body_organization(struct request *request, const struct json *body, struct body_string *out,
                                    struct tranche_err *err);

/* The member's value over what is there; in a PUT nothing is there. */
const char *body_over(const struct body_string *member, bool patch, const char *present);
/* A member that must not be missing: absent from a PUT, or null or empty in either. */
enum tranche_code body_required(const struct body_string *member, bool patch, const char *name, struct tranche_err *err);

/* Both the If-Match header and the body's etag must name the object as it is; `current` is NULL where there is none. */
enum tranche_code body_check_etags(const struct request *request, const struct body_string *etag, const char *current,
                                   struct tranche_err *err);

#endif
