/* Calls about one object of the server's, and the commands that are no more than such a call. */
#ifndef OBJECT_CALL_H
#define OBJECT_CALL_H

#include "body_text.h"
#include "http.h"
#include "show.h"

/* One call of {base}/{id}{more}, for instance "/api/devices", "pump-7", "". The API version is added under /api. As http_call;
 * what goes wrong is not said. */
enum exit_code object_call(struct http *http, const char *method, const char *base, const char *id, const char *more,
                           const char *body, size_t bytes);

/* The whole of a command that gets one object and shows it. */
enum exit_code object_show(struct cli *cli, struct words *words, const char *base, const char *more,
                           const struct column *columns);
/* The whole of a command that deletes one. */
enum exit_code object_delete(struct cli *cli, struct words *words, const char *base);
/* The whole of a command that sends one and the same merge patch. */
enum exit_code object_patch(struct cli *cli, struct words *words, const char *base, const char *patch,
                            const struct column *columns);
/* Sends a body to one object and shows the answer. */
enum exit_code object_send(struct cli *cli, const char *method, const char *base, const char *id, struct text *body,
                           const struct column *columns);

/* As body_add_string, for true and false; says what else was typed. */
enum exit_code body_add_flag(const struct cli *cli, struct text *body, const char *name, const char *value);

extern const struct column device_columns[], group_columns[], organization_columns[], schedule_columns[],
    template_columns[], token_columns[];

#endif
