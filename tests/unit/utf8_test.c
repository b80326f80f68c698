#include "utf8.h"

#include <criterion/criterion.h>
#include <string.h>

/* An encoder of its own, by the bit patterns of the Unicode standard, valid points or not. */
static size_t encode(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        memcpy(out, (char[]){ (char)(0xC0 | point >> 6), (char)(0x80 | (point & 0x3F)) }, 2);
        return 2;
    }
    if (point < 0x10000) {
        memcpy(out,
               (char[]){ (char)(0xE0 | point >> 12), (char)(0x80 | (point >> 6 & 0x3F)),
                         (char)(0x80 | (point & 0x3F)) },
               3);
        return 3;
    }
    memcpy(out,
           (char[]){ (char)(0xF0 | point >> 18), (char)(0x80 | (point >> 12 & 0x3F)),
                     (char)(0x80 | (point >> 6 & 0x3F)), (char)(0x80 | (point & 0x3F)) },
           4);
    return 4;
}

Test(utf8, every_code_point_is_accepted_whole_and_only_whole)
{
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        char bytes[4];
        size_t length = encode(point, bytes);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;

        cr_assert_eq(utf8_bytes(bytes, length), surrogate ? 0 : length, "U+%04X", point);
        if (!surrogate) {
            char written[4];
            cr_assert_eq(utf8_point(bytes, length), point);
            cr_assert_eq(utf8_write(point, written), length);
            cr_assert_eq(memcmp(written, bytes, length), 0);
        }
        if (length > 1)
            cr_assert_eq(utf8_bytes(bytes, length - 1), 0, "U+%04X cut short", point);
    }
}

Test(utf8, nothing_above_the_last_code_point)
{
    for (uint32_t point = 0x110000; point < 0x200000; point++) {
        char bytes[4];
        encode(point, bytes);
        cr_assert_eq(utf8_bytes(bytes, 4), 0, "%X", point);
    }
}

/* Of all byte sequences of a length exactly as many are accepted as there are characters of that length, so
 * none has a second form. */
Test(utf8, no_overlong_forms)
{
    unsigned found[5] = { 0 };
    for (uint32_t sequence = 0; sequence < 1u << 24; sequence++) {
        char bytes[3] = { (char)(sequence >> 16), (char)(sequence >> 8), (char)sequence };
        found[utf8_bytes(bytes, 3)]++;
    }
    cr_assert_eq(found[1], 0x80 * 0x10000);
    cr_assert_eq(found[2], (0x800 - 0x80) * 0x100);
    cr_assert_eq(found[3], 0x10000 - 0x800 - 0x800);

    char four[4] = { (char)0xF0, 0, (char)0x80, (char)0x80 };
    for (int second = 0x80; second < 0xC0; second++) {
        four[1] = (char)second;
        cr_assert_eq(utf8_bytes(four, 4), second < 0x90 ? 0 : 4, "F0 %02X", second);
    }
}

Test(utf8, every_continuation_byte_is_checked)
{
    const char good[4] = { (char)0xF1, (char)0x80, (char)0x80, (char)0x80 };
    for (size_t place = 1; place < 4; place++)
        for (int byte = 0; byte < 256; byte++) {
            char bytes[4];
            memcpy(bytes, good, 4);
            bytes[place] = (char)byte;
            cr_assert_eq(utf8_bytes(bytes, 4), byte >= 0x80 && byte < 0xC0 ? 4 : 0, "byte %zu = %02X", place,
                         byte);
        }
}
