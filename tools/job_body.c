#include "job_body.h"

#include "body_text.h"
#include "fail.h"
#include "file.h"
#include "filter.h"
#include "json_scan.h"
#include "typed.h"

#include <string.h>

/* ---- data ---- */

static bool has_target(const struct job_entry *entry)
{
    return strcmp(entry->type, "deviceTemplateMigration") != 0;
}

bool job_words_need_target(const struct job_words *words)
{
    for (int i = 0; i < words->entry_count; i++)
        if (has_target(&words->entries[i]))
            return words->target == NULL;
    return false;
}

static enum tranche_code print_assignment(const struct job_entry *entry, const char *target, struct text *out,
                                          struct tranche_err *err)
{
    struct text key = {0}, value = {0};
    bool has_value;
    bool command = strcmp(entry->type, "command") == 0;
    enum tranche_code code = typed_assignment(entry->text, command, &key, &value, &has_value, err);
    if (code == TRANCHE_OK) {
        text_puts(out, ",\"target\":");
        text_json(out, target);
        text_puts(out, ",\"path\":");
        text_json(out, key.bytes);
        if (has_value)
            text_printf(out, ",\"value\":%s", value.bytes);
    }
    text_free(&key);
    text_free(&value);
    return code;
}

static enum tranche_code print_entry(const struct job_entry *entry, const char *target, struct text *out,
                                     struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    text_printf(out, "{\"type\":\"%s\"", entry->type);
    if (has_target(entry)) {
        code = print_assignment(entry, target, out, err);
    } else {
        text_puts(out, ",\"template\":");
        text_json(out, entry->text);
    }
    text_puts(out, "}");
    return code != TRANCHE_OK ? fail_in(err, code, "%s", entry->type) : TRANCHE_OK;
}

static enum tranche_code print_content(const char *content, struct text *out, struct tranche_err *err)
{
    bool has_pairs;
    if (content[0] != '[') {
        enum tranche_code code = file_read(content, JOB_BODY_BYTES_MAX, out, err);
        return code != TRANCHE_OK ? fail_in(err, code, "--content") : TRANCHE_OK;
    }
    if (json_scan(content, strlen(content), &has_pairs, err) != TRANCHE_OK)
        return fail_in(err, TRANCHE_INVALID, "--content");
    text_puts(out, content);
    return TRANCHE_OK;
}

static enum tranche_code print_data(const struct job_words *words, struct text *out, struct tranche_err *err)
{
    if (words->content == NULL && words->entry_count == 0)
        return TRANCHE_OK;
    body_add_name(out, "data");
    if (words->content != NULL)
        return print_content(words->content, out, err);
    enum tranche_code code = TRANCHE_OK;
    text_puts(out, "[");
    for (int i = 0; i < words->entry_count && code == TRANCHE_OK; i++) {
        text_puts(out, i > 0 ? "," : "");
        code = print_entry(&words->entries[i], words->target, out, err);
    }
    text_puts(out, "]");
    return code;
}

/* ---- the rest ---- */

static enum tranche_code print_amount(const char *name, const char *flag, const char *text, const char *type,
                                      const char *more, struct text *out, struct tranche_err *err)
{
    if (text == NULL)
        return TRANCHE_OK;
    body_add_name(out, name);
    if (text[0] == '\0') {
        text_puts(out, "null");
        return TRANCHE_OK;
    }
    enum tranche_code code = typed_amount(text, type, more, out, err);
    return code != TRANCHE_OK ? fail_in(err, code, "%s", flag) : TRANCHE_OK;
}

enum tranche_code job_body_print(const struct job_words *words, struct text *out, struct tranche_err *err)
{
    body_add_string(out, "group", words->group);
    body_add_string(out, "displayName", words->name);
    body_add_string(out, "description", words->description);
    enum tranche_code code = print_amount("batch", "--batch", words->batch, words->batch_type, "", out, err);
    if (code == TRANCHE_OK)
        code = print_amount("cancellationThreshold", "--cancel-at", words->cancel, words->cancel_type,
                            words->per_batch ? ",\"batch\":true" : "", out, err);
    if (code == TRANCHE_OK)
        code = print_data(words, out, err);
    body_add_organization(out, words->organization);
    if (code == TRANCHE_OK && out->failed)
        code = fail(err, TRANCHE_NOMEM, "out of memory");
    return code;
}

/* ---- the template of a group ---- */

/* Notes the template that a comparison asks for; false once a second one turns up. */
static bool note_templates(const struct filter_node *node, const char **template_id)
{
    if (node == NULL || node->kind == FILTER_ALL)
        return true;
    if (node->kind == FILTER_AND || node->kind == FILTER_OR)
        return note_templates(node->left, template_id) && note_templates(node->right, template_id);
    if (node->field != FILTER_TEMPLATE || (node->kind == FILTER_COMPARE && node->op != FILTER_EQ))
        return true;
    for (const struct filter_value *value = node->values; value != NULL; value = value->next) {
        if (*template_id != NULL && strcmp(*template_id, value->text) != 0)
            return false;
        *template_id = value->text;
    }
    return true;
}

bool filter_template(const char *text, struct text *out)
{
    struct filter filter = {0};
    const char *template_id = NULL;
    if (filter_parse(text, strlen(text), &filter, NULL) != TRANCHE_OK)
        return false;
    bool one = note_templates(filter.root, &template_id) && template_id != NULL;
    if (one)
        text_puts(out, template_id);
    filter_free(&filter);
    return one;
}
