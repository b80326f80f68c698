#!/usr/bin/env python3
"""kill -9 at random instants during a command job: nothing is lost, nothing is called twice.

Usage: kill_test.py BUILD [KILLS]. The witness is the gateway's log; the checker knows nothing of the engine but its API.
"""
import collections
import sys
import time

import harness
from harness import check

DEVICES = 5000
IN_FLIGHT = 64
WINDOW = IN_FLIGHT * 3 // 2  # commands: 1.5 x in_flight


def main(build, kills):
    random = harness.seeded()
    world = harness.World(build, ["--latency-ms", "20", "--jitter-ms", "10", "--fail", "2", "--seed", "5"],
                          ["--in-flight", str(IN_FLIGHT)])
    try:
        world.start()
        world.import_devices(DEVICES)
        world.group()
        world.job("reboot", batch={"type": "percentage", "value": 30})
        unknown_before, done_before = 0, {}
        for kill in range(kills):
            time.sleep(random.uniform(0.02, 0.25))
            world.server.kill()
            world.start()
            devices = world.devices("reboot")
            unknown = sum(1 for d in devices if d.get("outcome") == "unknown")
            check(unknown - unknown_before <= WINDOW,
                  f"kill {kill}: {unknown - unknown_before} devices became unknown, the window is {WINDOW}")
            now = {d["id"]: d["status"] for d in devices}
            for device, status in done_before.items():
                check(now.get(device) == status, f"kill {kill}: {device} went from {status} to {now.get(device)}")
            unknown_before = unknown
            done_before = {d: s for d, s in now.items() if s != "pending"}
        world.wait("reboot")

        job, devices = harness.check_numbers(world, "reboot")
        check(job["status"] == "complete", f"the job ended {job['status']}")
        check(job["progress"]["total"] == DEVICES and job["progress"]["pending"] == 0, f"{job['progress']}")
        calls = collections.defaultdict(list)
        for call in world.calls("reboot"):
            calls[call["device"]].append(call["verdict"])
        twice = [d for d, verdicts in calls.items() if len(verdicts) > 1]
        check(not twice, f"{len(twice)} devices were called twice, e.g. {twice[:3]}")
        for device in devices:
            verdicts = calls.get(device["id"], [])
            if device.get("outcome") == "unknown":
                continue
            check(len(verdicts) == 1, f"{device['id']} is {device['status']} but was called {len(verdicts)} times")
            right = "completed" if verdicts[0] == "ok" else "failed"
            check(device["status"] == right, f"{device['id']}: the gateway said {verdicts[0]}, we say {device['status']}")
        unknown = sum(1 for d in devices if d.get("outcome") == "unknown")
        print(f"{kills} kills, {DEVICES} devices: {job['progress']}, {unknown} unknown, 0 lost, 0 called twice")
    finally:
        world.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10)
