/* A device as a row of a table; the header says what the columns are.
 *
 *     IOTC_DEVICEID,IOTC_DEVICENAME,template,enabled,site,floor:json
 *     pump-n01,North 01,dtmi:meadow:pump;2,true,north,3
 *
 *     id, deviceId, IOTC_DEVICEID      the device's id; the one column there must be
 *     displayName, IOTC_DEVICENAME     its name
 *     template, organization           the ids of those
 *     enabled, provisioned, simulated  true or false
 *     IOTC_...                         the rest of an IoT Central export, keys among it: left out
 *     anything else                    a property of that name, whose value is a string
 *     anything:json                    a property whose value is written as JSON: 3, true, "3", {"a":[1]}
 *
 * Names of columns may be in upper or lower case, properties' names stay as they are. An empty cell, quoted
 * or not, says nothing, as a missing member of a line does (import_line.h). A value never changes its type by
 * its looks: 007, 1e5 and true stay strings.
 */
#ifndef IMPORT_ROW_H
#define IMPORT_ROW_H

#include "mem.h"

#include <tranche/err.h>
#include <tranche/store.h>

struct import_column;

/* Reads row after row into the same memory. Zeroed is ready for the header; whoever is done calls
 * import_row_free. */
struct import_row {
    struct tranche_device_record
        device; /* its strings live until the next row, and no longer than the fields */
    struct text properties;
    bool has_json;                 /* among them */
    struct import_column *columns; /* NULL before the header */
    size_t column_count;
};

/* TRANCHE_INVALID with a text for people that names the column. */
enum tranche_code import_row_header(struct import_row *row, const char *const *fields, size_t count,
                                    struct tranche_err *err);
/* Fills row->device. TRANCHE_INVALID or TRANCHE_BADREQUEST likewise. */
enum tranche_code import_row_read(struct import_row *row, const char *const *fields, size_t count,
                                  struct tranche_err *err);
void import_row_free(struct import_row *row);

#endif
