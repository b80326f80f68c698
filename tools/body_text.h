/* The members of a JSON object that is being written. Each function adds a comma where one is due; a NULL
 * value adds nothing, and "" adds null: nobody named it, and somebody wants it gone. */
#ifndef BODY_TEXT_H
#define BODY_TEXT_H

#include "mem.h"

void body_add_name(struct text *body, const char *name); /* its value must follow */
void body_add_string(struct text *body, const char *name, const char *value);
void body_add_organization(struct text *body, const char *id); /* as "organizations", which hold one */

#endif
