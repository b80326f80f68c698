/* Any bytes to definition_parse: no crash, and what is accepted prints, parses again and prints the same. */
#include "definition_check.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    bool accepted;
    const char *complaint = definition_check((const char *)data, bytes, &accepted);
    if (complaint != NULL) {
        fprintf(stderr, "%s\n", complaint);
        abort();
    }
    return 0;
}
