/* The machine: what it is, how busy, which core we run on, and what we used of it. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct machine {
    char cpu[80];
    unsigned cores;
    char kernel[80];
    char libcurl[40];
    char disk[24]; /* kind of the file system that data directories are on */
    double load;   /* average over the last minute */
};

void machine_look(struct machine *machine, const char *directory);

/* Share of the machine's time that the hypervisor gave to others, since the last call; the first is since boot. */
double machine_stolen_percent(void);

/* From here on this thread, and what it starts, runs on that core alone. False: there is no such core for us. */
bool core_pin(unsigned core);

void descriptors_raise(void); /* the soft limit to the hard one */

/* CPU time of this process with all its threads, and the clock; in microseconds. */
struct usage {
    double cpu_us, wall_us;
};
struct usage usage_now(void);
static inline struct usage usage_since(struct usage start)
{
    struct usage now = usage_now();
    return (struct usage){ now.cpu_us - start.cpu_us, now.wall_us - start.wall_us };
}

double process_cpu_us(pid_t pid);   /* of another process; in steps of the kernel's tick, 10 ms */
double peak_resident_bytes(void);   /* of this process, so far */

#endif
