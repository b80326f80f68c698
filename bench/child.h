/* Child processes: a function that runs in one, and memory to bring its results home. */
#ifndef CHILD_H
#define CHILD_H

#include <stddef.h>
#include <sys/types.h>
#include <tranche/err.h>

/* Zeroed memory that a child's writes reach the parent through; NULL: none left. */
void *shared_take(size_t bytes);
void shared_free(void *memory, size_t bytes);

/* Runs `body` in a child and waits for it. Its failure, with its words, is ours; so is its death. The child dies
 * with us. Only while this process has one thread: a child would inherit the locks of the others for ever. */
enum tranche_code child_run(enum tranche_code (*body)(void *context, struct tranche_err *err), void *context,
                            struct tranche_err *err);

/* In a child that was just forked: to be ended when `parent` ends. */
void child_die_with(pid_t parent);

/* The child that child_run waits for, to pass signals on; 0: none. */
pid_t child_current(void);

#endif
