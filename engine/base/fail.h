/* Filling the caller's error slip. All take NULL for `err` and then only return the code. */
#ifndef FAIL_H
#define FAIL_H

#include <tranche/err.h>

/* A failure noticed here: writes code and text, returns the code. */
enum tranche_code fail(struct tranche_err *err, enum tranche_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A failure noticed below: puts "context: " in front of its text, returns its code, which must not be TRANCHE_OK. */
enum tranche_code fail_in(struct tranche_err *err, enum tranche_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
