#include "job_read.h"

#include "fail.h"
#include "group_filter.h"

#include <stdio.h>

enum tranche_code job_read(struct tranche_job_record *job, const char *id, const char *body, size_t bytes,
                           const char *organization, struct tranche_err *err)
{
    struct definition definition;
    struct tranche_err cause;
    enum tranche_code code = id_check("id", id, err);
    if (code != TRANCHE_OK)
        return code;
    code = definition_parse(body, bytes, &definition, &cause);
    if (code == TRANCHE_BADREQUEST)
        return fail(err, code, "The body is not valid JSON: %s.", cause.text);
    if (code != TRANCHE_OK)
        return fail(err, code, "%s", cause.text);
    if (definition.organization == NULL)
        definition.organization = organization;
    struct text text = { 0 };
    definition_print(&definition, false, &text);
    snprintf(job->id, sizeof job->id, "%s", id);
    snprintf(job->group, sizeof job->group, "%s", definition.group);
    snprintf(job->organization, sizeof job->organization, "%s",
             definition.organization != NULL ? definition.organization : "");
    job->definition = text_take(&text);
    definition_free(&definition);
    return job->definition != NULL ? TRANCHE_OK : fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

enum tranche_code job_definition(const struct tranche_job_record *record, struct definition *out,
                                 struct tranche_err *err)
{
    struct text json = { 0 };
    text_printf(&json, "{%s}", record->definition);
    enum tranche_code code = json.failed ? fail(err, TRANCHE_NOMEM, "out of memory")
                                         : definition_parse(json.bytes, json.length, out, err);
    text_free(&json);
    return code;
}

enum tranche_code job_estimate(struct tranche_job_record *job, struct tranche_reader *reader, struct tranche_err *err)
{
    struct tranche_group_record group;
    struct organization_tree tree;
    struct text filter = { 0 };
    enum tranche_code code = organizations_read(reader, &tree, err);
    if (code == TRANCHE_OK && (code = reader->functions->group_find(reader, job->group, &group, err)) == TRANCHE_NOTFOUND)
        fail(err, TRANCHE_INVALID, "group: device group \"%s\" does not exist.", job->group);
    if (code == TRANCHE_OK)
        code = group_filter(&group, &tree, "", &filter, err);
    organization_tree_free(&tree);
    struct tranche_selection all = { .filter = filter.bytes };
    if (code == TRANCHE_OK)
        code = reader->functions->select_count(reader, &all, &job->estimate, err);
    text_free(&filter);
    if (code == TRANCHE_NOTFOUND)
        return TRANCHE_INVALID;
    return code == TRANCHE_INVALID ? TRANCHE_OK : code;
}
