/* The API as it is served, in the words of OpenAPI 3.0: made from the table of routes, so that it cannot say anything else. */
#ifndef OPENAPI_H
#define OPENAPI_H

#include "mem.h"

void openapi_print(struct text *out);

#endif
