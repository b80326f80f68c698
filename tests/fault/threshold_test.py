#!/usr/bin/env python3
"""A threshold of 2 % on a fleet that fails at 5 %: the job is cancelled, and nothing is called after the trip.

Usage: threshold_test.py BUILD. The tripping answer is recomputed from the gateway's log alone: its entries are written when
a request has come in, its answer leaves one latency later.
"""
import sys

import harness
from harness import check

DEVICES = 10000
LATENCY_US = 30000
TICK_US = 10000   # a result waits no longer for the engine
SLACK_US = 20000
NOISE_US = 60000  # of a machine that other tests share


def main(build):
    world = harness.World(build, ["--latency-ms", str(LATENCY_US // 1000), "--fail", "5", "--seed", "3"])
    try:
        world.start()
        world.import_devices(DEVICES)
        world.group()
        world.job("careful", kind="property", cancellationThreshold={"type": "percentage", "value": 2, "batch": False})
        world.wait("careful")
        job, devices = harness.check_numbers(world, "careful")
        progress = job["progress"]
        check(job["status"] == "cancelled", f"the job ended {job['status']}")
        check(progress["failed"] * 100 > 2 * DEVICES, f"cancelled with {progress['failed']} failures only")
        check(progress["pending"] > 0, "no device was left untouched")

        calls = world.calls("careful")
        check(len(calls) == progress["completed"] + progress["failed"],
              f"{len(calls)} calls for {progress['completed'] + progress['failed']} outcomes")
        called = {c["device"] for c in calls}
        for device in devices:
            check((device["status"] == "pending") == (device["id"] not in called), f"{device}: called or not?")
        answers = sorted(c["t"] + LATENCY_US for c in calls if c["verdict"] != "ok")
        trip = answers[2 * DEVICES // 100]  # the failure that exceeds the limit
        late = max(c["t"] for c in calls) - trip
        print(f"the last call came {late / 1000:.1f} ms after the tripping answer; {progress}")
        check(late <= TICK_US + SLACK_US + NOISE_US, f"a call came {late / 1000:.1f} ms after the tripping answer")
    finally:
        world.close()


if __name__ == "__main__":
    main(sys.argv[1])
