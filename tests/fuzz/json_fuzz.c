/* Any bytes to json_parse: no crash, and what is accepted keeps the promises of json_check.h. */
#include "json_check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    bool accepted;
    const char *complaint = json_check((const char *)data, bytes, &accepted);
    if (complaint != NULL) {
        fprintf(stderr, "%s\n", complaint);
        abort();
    }
    return 0;
}
