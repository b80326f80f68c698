/* What all commands of `tranche` share: the table row that is a command, its words and flags, and how they fail.
 *
 * A command is one file that ends in one constant `struct cmd`. The row makes the parsing, --help, and the manual. Data
 * goes to stdout, everything else to stderr. One thread, except for `serve`.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <tranche/err.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_TROUBLE = 1,      /* server or network */
    EXIT_USAGE = 2,
    EXIT_UNAUTHORIZED = 3,
    EXIT_NOTFOUND = 4,
    EXIT_CONFLICT = 5,
    EXIT_INVALID = 6,      /* the definition or the data */
    EXIT_TIMEOUT = 7,      /* of watch or wait */
    EXIT_JOB_FAILED = 8,   /* the job ended failed, cancelled or stopped */
    EXIT_DEVICES_FAILED = 9, /* the job is complete, with failed devices */
    EXIT_INTERRUPTED = 130
};

enum output { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_TSV, OUTPUT_ID };

#define CLI_SERVER_STANDARD "http://127.0.0.1:9110"

/* Set up by the global flags and the environment before a command runs. */
struct cli {
    const char *server;     /* without a slash at its end */
    const char *ca_file;    /* PEM, whom to believe instead of the system's CAs; NULL: those */
    bool server_named;      /* by a flag or the environment */
    const char *token;      /* Authorization value; NULL: none */
    enum output output;
    bool quiet;             /* no progress, no notes */
    bool color;             /* of stderr */
    bool terminal_out, terminal_err;
    const struct cmd *cmd;
};

struct flag {
    int id;             /* the command's own, 1..47: below every letter */
    char letter;        /* 0: none */
    const char *name;   /* without dashes */
    const char *value;  /* what its value is called; NULL: takes none */
    const char *help;   /* NULL: not shown, since it is another name for what is shown */
};

struct words;

struct cmd {
    const char *name;      /* "job create" */
    const char *arguments; /* "JOB-ID" as the usage line shows it; "" for none */
    int arguments_min, arguments_max;
    const char *help;      /* one line */
    const char *more;      /* paragraphs below it; NULL: none */
    const char *example;
    const struct flag *flags; /* ends with id 0; NULL: none */
    enum exit_code (*run)(struct cli *cli, struct words *words);
};

extern const struct cmd *const cmds[]; /* ends with NULL */

/* ---- words: what was typed after the command's name ---- */

enum { FLAG_END = 0, FLAG_BAD = -1 };

/* The next flag's id with its value in *value; flags may stand before and after arguments. FLAG_END: there are no more,
 * and the number of arguments is right. FLAG_BAD: what was wrong has been said; return EXIT_USAGE. Global flags are
 * taken care of. */
int words_flag(struct words *words, const char **value);
/* After FLAG_END: the argument at the index, NULL when it was not given. Lives as long as the program. */
const char *words_argument(const struct words *words, int index);

/* ---- saying what is wrong ---- */

/* "error: ..." on stderr. Returns the code, so that a command can end with it. */
enum exit_code cli_fail(enum exit_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, and where the flags are explained. */
enum exit_code cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "error: " and the slip's text; the exit code follows from its code. */
enum exit_code cli_fail_err(const struct tranche_err *err);
enum exit_code cli_exit_of(enum tranche_code code);
/* A note on stderr, unless quiet. */
void cli_note(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- running ---- */

int cli_main(int argc, char **argv);
void cli_help(const struct cmd *cmd);  /* on stdout */
bool cli_help_noun(const char *noun);  /* what can be done with jobs, say; false: there is no such noun */
void cli_overview(bool as_error);      /* all commands, on stdout, or on stderr where it answers an error */
const struct cmd *cli_find(int argc, char *const *argv, int *used); /* NULL: no such command */

#endif
