/* The flags that say what a job does and to whom: those of `job create`, `schedule create` and `schedule update`. */
#ifndef JOB_FLAGS_H
#define JOB_FLAGS_H

#include "http.h"
#include "job_body.h"

enum {
    JOB_GROUP = 1, JOB_PROPERTY, JOB_COMMAND, JOB_CLOUD_PROPERTY, JOB_MIGRATE_TEMPLATE, JOB_TARGET, JOB_CONTENT, JOB_BATCH,
    JOB_BATCH_TYPE, JOB_CANCEL, JOB_CANCEL_TYPE, JOB_CANCEL_BATCH, JOB_PER_BATCH, JOB_NAME, JOB_DESCRIPTION,
    JOB_ORGANIZATION,
    JOB_FLAG_OWN /* the first id that a command may use for its own flags */
};

#define JOB_FLAGS                                                                                             \
    { JOB_GROUP, 'g', "group", "GROUP-ID", "the devices" },                                                   \
    { JOB_GROUP, 0, "group-id", "GROUP-ID", NULL },                                                           \
    { JOB_PROPERTY, 0, "property", "K=V", "write a property; may be repeated" },                              \
    { JOB_COMMAND, 0, "command", "NAME[=JSON]", "run a command; repeated ones run in order" },                \
    { JOB_CLOUD_PROPERTY, 0, "cloud-property", "K=V", "write a property of the registry only" },              \
    { JOB_MIGRATE_TEMPLATE, 0, "migrate-template", "DTMI", "assign a device template" },                      \
    { JOB_TARGET, 0, "target", "DTMI", "template that has them (the one in the group's filter)" },            \
    { JOB_TARGET, 0, "template", "DTMI", NULL },                                                              \
    { JOB_CONTENT, 'k', "content", "JSON", "the whole list of these, or a file with it" },                    \
    { JOB_BATCH, 'b', "batch", "N", "size of a batch: 25% or 250 (all at once)" },                            \
    { JOB_CANCEL, 0, "cancel-at", "N", "cancel when more than 10% or 100 devices fail (never)" },             \
    { JOB_CANCEL, 0, "cancellation-threshold", "N", NULL },                                                   \
    { JOB_PER_BATCH, 0, "per-batch", NULL, "count failures of the current batch only" },                      \
    { JOB_BATCH_TYPE, 0, "batch-type", "number|percentage", NULL },                                           \
    { JOB_CANCEL_TYPE, 0, "cancellation-threshold-type", "number|percentage", NULL },                         \
    { JOB_CANCEL_BATCH, 0, "cancellation-threshold-batch", "true|false", NULL },                              \
    { JOB_NAME, 0, "name", "TEXT", "display name" },                                                          \
    { JOB_NAME, 0, "job-name", "TEXT", NULL },                                                                \
    { JOB_DESCRIPTION, 0, "description", "TEXT", "for people" },                                              \
    { JOB_ORGANIZATION, 0, "organization", "ID", "organization that it belongs to (yours)" }

/* Takes one of them into `job`; what is wrong with it is said. */
enum exit_code job_flags_take(const struct cli *cli, struct job_words *job, int flag, const char *value);
/* What no job can have, named or not; with `whole`, what every job must have as well. */
enum exit_code job_flags_check(const struct cli *cli, const struct job_words *job, bool whole);
/* Adds the job's members to a body that was begun with "{". A target that is needed and was not named is the one template
 * that the filter of `group` asks for. What goes wrong is said. */
enum exit_code job_flags_print(struct http *http, const struct job_words *job, const char *group, struct text *body);

#endif
