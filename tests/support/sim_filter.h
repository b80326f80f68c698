/* Whether a device matches a group's filter: the tree evaluated by walking it.
 *
 * A missing value, or one of another type than the one compared with, matches nothing. Strings compare by
 * bytes, numbers exactly: integers of 64 bits as such, all others as binary fractions.
 */
#ifndef SIM_FILTER_H
#define SIM_FILTER_H

#include "filter.h"

#include <tranche/store.h>

bool sim_filter_matches(const struct filter_node *node, const struct tranche_device_record *device);

#endif
