"""What this machine is and how busy: the line over a script's figures, as tranche-bench words it (machine.c)."""
import os
import platform

DISKS_SKIPPED = {"rootfs"}  # hidden by what is mounted over it


def look(directory):
    """The machine, and the disk that the directory is on."""
    return {"cpu": cpu_name(), "cores": os.cpu_count(), "kernel": f"{platform.system()} {platform.release()}",
            "disk": disk_name(directory), "load": round(os.getloadavg()[0], 2)}


def line(machine):
    return "{cpu}, {cores} cores; {kernel}; data on {disk}; load {load:.2f}".format(**machine)


def cpu_name():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        return next((row.split(": ", 1)[1].strip() for row in file if row.startswith("model name")), "unknown CPU")


def disk_name(directory):
    """The file system of the longest mount point that the directory lies under."""
    directory, found = os.path.realpath(directory), ("", "unknown")
    with open("/proc/mounts", encoding="utf-8") as file:
        for row in file:
            _, point, kind, *_ = row.split(" ")
            if kind not in DISKS_SKIPPED and os.path.commonpath([point, directory]) == point:
                found = max(found, (point, kind))
    return found[1]


class Stolen:
    """How much of the machine's time the hypervisor gives to others from now on."""

    def __init__(self):
        self.before = self.times()

    @staticmethod
    def times():
        with open("/proc/stat", encoding="ascii") as file:
            times = [int(field) for field in file.readline().split()[1:9]]  # user ... steal
        return sum(times), times[7]

    def percent(self):
        passed, stolen = (now - then for now, then in zip(self.times(), self.before))
        return 100 * stolen / passed if passed else 0.0
