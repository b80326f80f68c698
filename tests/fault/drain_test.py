#!/usr/bin/env python3
"""SIGTERM in the middle of a command job: calls in flight end, nothing is unknown, and the job goes on after a restart.

Usage: drain_test.py BUILD.
"""
import collections
import sys
import time

import harness
from harness import check

DEVICES = 2000


def main(build):
    world = harness.World(build, ["--latency-ms", "40", "--jitter-ms", "20"], ["--in-flight", "64"])
    try:
        world.start()
        world.import_devices(DEVICES)
        world.group()
        world.job("reboot", batch={"type": "number", "value": 700})
        for _ in range(4):
            time.sleep(0.2)
            check(world.server.stop() == 0, "the server did not exit with 0")
            calls = len(world.calls("reboot"))
            world.start()
            progress = world.status("reboot")["progress"]
            check(progress["completed"] >= calls, f"{calls} calls before the restart, {progress} after it")
        world.wait("reboot")
        job, devices = harness.check_numbers(world, "reboot")
        counts = collections.Counter(c["device"] for c in world.calls("reboot"))
        check(job["progress"]["completed"] == DEVICES, f"{job['progress']}")
        check(all(count == 1 for count in counts.values()), "a device was called twice")
        check(not any(d.get("outcome") == "unknown" for d in devices), "a device is unknown")
        print(f"4 restarts by SIGTERM: {job['progress']}, none unknown, none called twice")
    finally:
        world.close()


if __name__ == "__main__":
    main(sys.argv[1])
