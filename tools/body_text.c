#include "body_text.h"

#include <string.h>

void body_add_name(struct text *body, const char *name)
{
    if (body->length > 0 && strchr("{[", body->bytes[body->length - 1]) == NULL)
        text_puts(body, ",");
    text_json(body, name);
    text_puts(body, ":");
}

void body_add_string(struct text *body, const char *name, const char *value)
{
    if (value == NULL)
        return;
    body_add_name(body, name);
    if (value[0] == '\0')
        text_puts(body, "null");
    else
        text_json(body, value);
}

void body_add_organization(struct text *body, const char *id)
{
    if (id == NULL)
        return;
    body_add_name(body, "organizations");
    text_puts(body, id[0] == '\0' ? "null" : "[");
    if (id[0] == '\0')
        return;
    text_json(body, id);
    text_puts(body, "]");
}
