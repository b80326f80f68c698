/* Devices as the contract shows them, one or a page of them. */
#ifndef DEVICE_JSON_H
#define DEVICE_JSON_H

#include "request.h"

#include <tranche/store.h>

/* The device that the route names first, if it exists for the caller; TRANCHE_NOTFOUND in the words of the contract. Its
 * strings live until the next call on the reader. */
enum tranche_code device_json_find(const struct request *request, struct tranche_reader *reader,
                                   struct tranche_device_record *device, struct tranche_err *err);
enum tranche_code device_json_unknown(const struct request *request, struct tranche_err *err);

void device_json_etag(const struct tranche_device_record *device, char etag[]); /* ETAG_BYTES */
void device_json_print(const struct tranche_device_record *device, struct text *out);

/* Answers with the page of the list that the request asks for: the devices that match a group's filter (NULL: all). */
void device_json_list(struct request *request, struct tranche_reader *reader, const char *filter,
                      enum tranche_device_order order);

#endif
