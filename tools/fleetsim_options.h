/* Options: one row each, read by the command line, the profile file and the help. */
#ifndef FLEETSIM_OPTIONS_H
#define FLEETSIM_OPTIONS_H

#include "fleetsim_device.h"
#include "fleetsim_trouble.h"

#define OPTION_TEXT_BYTES 4096 /* PATH_MAX */

#define OPERANDS_MAX 2 /* verdict's DEVICE and KEY */

enum command { COMMAND_SERVE = 1, COMMAND_DEVICES = 2, COMMAND_VERDICT = 4 };

struct options {
    struct device_profile profile;
    char listen[OPTION_TEXT_BYTES];
    char log[OPTION_TEXT_BYTES];
    char profile_path[OPTION_TEXT_BYTES];
    char template[OPTION_TEXT_BYTES];
    char black_hole_prefix[OPTION_TEXT_BYTES];
    uint64_t count;
    uint64_t attempt;
    bool simulated;
    bool property;
    bool help;
    const char *operands[OPERANDS_MAX];
    int operand_count;
};

/* Fills *options with the defaults, then the profile file, then the flags: a flag beats the file wherever it
 * stands. `arguments` are those behind the command's name; operands point into them. */
bool options_read(struct options *options, enum command command, char **arguments, int count,
                  struct trouble *trouble);

/* One screen. */
void options_help(FILE *out);

#endif
