#include "utf8.h"

#include <assert.h>
#include <stdbool.h>

static size_t bytes_by_lead(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2) /* a continuation byte, or the lead of an overlong form */
        return 0;
    if (lead < 0xE0)
        return 2;
    if (lead < 0xF0)
        return 3;
    return lead < 0xF5 ? 4 : 0;
}

/* Four leads leave their second byte less room: two against overlong forms, one against surrogates, one
 * against points above U+10FFFF. */
static bool second_fits(unsigned char lead, unsigned char second)
{
    unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return second >= least && second <= most;
}

size_t utf8_bytes(const char *at, size_t left)
{
    assert(left > 0);
    const unsigned char *byte = (const unsigned char *)at;
    size_t bytes = bytes_by_lead(byte[0]);
    if (bytes <= 1)
        return bytes;
    if (left < bytes || !second_fits(byte[0], byte[1]))
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
    return bytes;
}

uint32_t utf8_point(const char *at, size_t bytes)
{
    assert(bytes >= 1);
    assert(bytes <= 4);
    static const unsigned char payload[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    const unsigned char *byte = (const unsigned char *)at;
    uint32_t point = byte[0] & payload[bytes];
    for (size_t i = 1; i < bytes; i++)
        point = point << 6 | (byte[i] & 0x3Fu);
    return point;
}

size_t utf8_write(uint32_t point, char out[4])
{
    assert(point <= 0x10FFFF);
    assert(point < 0xD800 || point > 0xDFFF);
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t bytes = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = bytes - 1; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(leads[bytes] | point);
    return bytes;
}
