/* The filter of a device list (api-contract.md 3.4), which is not the language of device groups:
 *
 *     cond  = unit { "and" | "or" unit }, and before or      unit = "(" cond ")" | field op value | contains(displayName,'x')
 *     field = id displayName template scopes (strings) | enabled provisioned simulated (true or false)
 *     op    = eq ne lt le gt ge                               scopes is the organization's id
 *
 * It is put into the words of the group's language, so that there is one evaluator. Pure.
 */
#ifndef DEVICE_QUERY_H
#define DEVICE_QUERY_H

#include "mem.h"

#include <tranche/err.h>

/* Adds a filter as filter_parse reads it. TRANCHE_INVALID with a text like: expected eq, ne, lt, le, gt or ge at position
 * 4, found "=". Positions count bytes from 1. */
enum tranche_code device_query_translate(const char *query, struct text *filter, struct tranche_err *err);

#endif
