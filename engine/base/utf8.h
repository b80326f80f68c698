/* UTF-8, one character at a time, as Unicode defines it: no overlong form, no surrogate, nothing above
 * U+10FFFF. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that begins at `at`, 1..4; 0 when there is none: malformed, or cut short by the end.
 * `left` is how many bytes may be read, at least 1. */
size_t utf8_bytes(const char *at, size_t left);

/* The code point of a character of `bytes` bytes, as utf8_bytes has found it. */
uint32_t utf8_point(const char *at, size_t bytes);

/* Writes the character of a code point, which must be no surrogate; returns how many bytes. */
size_t utf8_write(uint32_t point, char out[4]);

#endif
