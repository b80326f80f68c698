#include "machine.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* ---- what it is ---- */

static void cpu_name(char *name, size_t bytes)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    snprintf(name, bytes, "unknown CPU");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", strlen("model name")) != 0 || colon == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(name, bytes, "%s", colon + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
}

static const char *disk_name(const char *directory)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } kinds[] = {
        { 0xef53, "ext4" },          { 0x58465342, "xfs" },      { 0x9123683e, "btrfs" }, { 0x2fc12fc1, "zfs" },
        { 0x01021994, "tmpfs" },     { 0x794c7630, "overlayfs" }, { 0x6969, "nfs" },
    };
    struct statfs status;
    if (statfs(directory, &status) != 0)
        return "unknown";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((unsigned long)status.f_type == kinds[i].magic)
            return kinds[i].name;
    return "another file system";
}

void machine_look(struct machine *machine, const char *directory)
{
    struct utsname system = { .sysname = "" };
    uname(&system);
    *machine = (struct machine){ .cores = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };
    cpu_name(machine->cpu, sizeof machine->cpu);
    snprintf(machine->kernel, sizeof machine->kernel, "%s %.64s", system.sysname, system.release);
    snprintf(machine->libcurl, sizeof machine->libcurl, "%s", curl_version_info(CURLVERSION_NOW)->version);
    snprintf(machine->disk, sizeof machine->disk, "%s", disk_name(directory));
    if (getloadavg(&machine->load, 1) != 1)
        machine->load = 0;
}

double machine_stolen_percent(void)
{
    static uint64_t all_before, stolen_before;
    uint64_t times[8] = { 0 }, all = 0; /* user nice system idle iowait irq softirq steal */
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL)
        return 0;
    int read = fscanf(file, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                            " %" SCNu64, &times[0], &times[1], &times[2], &times[3], &times[4], &times[5], &times[6],
                      &times[7]);
    fclose(file);
    for (int i = 0; i < read; i++)
        all += times[i];
    double passed = (double)(all - all_before), stolen = (double)(times[7] - stolen_before);
    all_before = all;
    stolen_before = times[7];
    return passed > 0 ? 100 * stolen / passed : 0;
}

/* ---- what of it is ours ---- */

bool core_pin(unsigned core)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    return sched_setaffinity(0, sizeof cores, &cores) == 0;
}

void descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- what we used ---- */

struct usage usage_now(void)
{
    struct rusage used;
    struct timespec now;
    getrusage(RUSAGE_SELF, &used);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct usage){
        .cpu_us = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                  (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
        .wall_us = (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3,
    };
}

double process_cpu_us(pid_t pid)
{
    char path[40];
    uint64_t user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    /* The name, second, is ours and has no blank; times are the 14th and 15th. */
    if (fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user, &system) != 2)
        user = system = 0;
    fclose(file);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

double peak_resident_bytes(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_maxrss * 1024;
}
