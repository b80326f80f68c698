#!/usr/bin/env python3
"""A gateway that closes 10 % of reused connections after reading the request: no command is received twice.

Usage: resend_test.py BUILD. Fails with a build that leaves out the guard against libcurl's silent resend; see guard_ablation.
"""
import collections
import sys

import harness
from harness import check

DEVICES = 3000


def main(build):
    world = harness.World(build, ["--latency-ms", "2", "--close-reused", "10", "--seed", "11"], ["--in-flight", "64"])
    try:
        world.start()
        world.import_devices(DEVICES)
        world.group()
        world.job("reboot")
        world.wait("reboot")
        job, devices = harness.check_numbers(world, "reboot")
        calls = collections.Counter(c["device"] for c in world.calls("reboot"))
        closed = sum(1 for c in world.calls("reboot") if c["verdict"] == "closed")
        check(closed > DEVICES // 50, f"the gateway closed {closed} connections only: the test shows nothing")
        twice = [d for d, count in calls.items() if count > 1]
        check(not twice, f"{len(twice)} devices received their command twice, e.g. {twice[:3]}")
        check(len(calls) == DEVICES, f"{len(calls)} of {DEVICES} devices were called")
        unknown = sum(1 for d in devices if d.get("outcome") == "unknown")
        check(unknown == closed, f"{closed} connections closed, {unknown} devices unknown")
        print(f"{closed} requests without an answer: {unknown} unknown, none received twice; {job['progress']}")
    finally:
        world.close()


if __name__ == "__main__":
    main(sys.argv[1])
