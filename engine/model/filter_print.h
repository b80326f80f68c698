/* Prints a parsed filter as text again, in one spelling and with no parentheses that are not needed: equal trees have equal
 * texts, and the text reads as the same tree. */
#ifndef FILTER_PRINT_H
#define FILTER_PRINT_H

#include "filter.h"

void filter_print(const struct filter *filter, struct text *out);
/* Its condition alone, to be added to another one: " AND ..."; nothing where all match. */
void filter_print_and(const struct filter *filter, struct text *out);

#endif
