/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "bench.h"

struct options {
    bool help, list, unpinned;
    enum bench_scale scale;
    const char *filter;    /* groups whose name contains it; NULL: all */
    uint32_t rounds;       /* 0: as the scale has it */
    const char *json;      /* file to write; NULL: none */
    const char *compare;   /* record of an older run; NULL: none */
    const char *directory; /* for data directories */
};

enum tranche_code options_read(struct options *options, int argc, char **argv, struct tranche_err *err);
void options_help(void);

#endif
