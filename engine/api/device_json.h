/* Devices as the contract shows them, one or a page of them. */
#ifndef DEVICE_JSON_H
#define DEVICE_JSON_H

#include "request.h"

#include <tranche/store.h>

void device_json_etag(const struct tranche_device_record *device, char etag[]); /* ETAG_BYTES */
void device_json_print(const struct tranche_device_record *device, struct text *out);

/* Answers with the page of the list that the request asks for: the devices that match a group's filter (NULL: all). */
void device_json_list(struct request *request, struct tranche_reader *reader, const char *filter,
                      enum tranche_device_order order);

#endif
