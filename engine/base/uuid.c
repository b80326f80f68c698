#include "uuid.h"

#include <assert.h>
#include <stdio.h>
#include <sys/random.h>

void uuid_random(char text[UUID_TEXT_BYTES])
{
    unsigned char b[16];
    ssize_t got = getrandom(b, sizeof b, 0); /* up to 256 bytes it neither fails nor is cut short */
    assert(got == sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(text, UUID_TEXT_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}
