#!/usr/bin/env python3
"""kill -9 while schedules fire: each occurrence makes one job, over however many crashes.

    schedule_test.py BUILD [--schedules N] [--seconds N] [--seed N]

Schedules without recurrence are due one after the other; the server is killed and started again all the while. At the end each
has exactly one job, which is complete, the audit tells of each firing once, and the gateway has called no device twice for a
command's job.
"""
import argparse
import collections
import datetime
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check  # noqa: E402

DEVICES = 20


def put_schedules(world, count, seconds, rng):
    """Due at random within so many seconds, and one that has been for long."""
    now = datetime.datetime.now(datetime.timezone.utc)
    for index in range(count):
        due = now + datetime.timedelta(seconds=-3600 if index == 0 else rng.uniform(1, seconds))
        world.expect(200, "PUT", f"/api/scheduledJobs/s{index}", {
            "displayName": f"S{index}", "group": "all",
            "data": [{"type": "command" if index % 2 else "property", "target": "dtmi:test:device;1", "path": "p", "value": index}],
            "schedule": {"start": due.isoformat(timespec="milliseconds").replace("+00:00", "Z")}})


def kill_while_they_fire(world, seconds, rng):
    until, kills = time.monotonic() + seconds + 1, 0
    while time.monotonic() < until:
        time.sleep(rng.uniform(0.1, 0.6))
        world.server.kill()
        world.start()
        kills += 1
    return kills


def jobs_of(world, schedule):
    return world.expect(200, "GET", f"/api/scheduledJobs/{schedule}/jobs")["value"]


def check_schedule(world, index):
    jobs = jobs_of(world, f"s{index}")
    check(len(jobs) == 1, f"schedule s{index} has made {len(jobs)} jobs")
    check(jobs[0]["displayName"] == f"S{index} - 1", f"its job is called {jobs[0]['displayName']}")
    schedule = world.expect(200, "GET", f"/api/scheduledJobs/s{index}")
    check(schedule["completed"] and schedule["enabled"], f"schedule s{index} is not completed: {schedule}")
    job = world.wait(jobs[0]["id"])
    check(job["status"] == "complete", f"job {job['id']} is {job['status']}")
    check(job["progress"]["total"] == DEVICES, f"job {job['id']} has {job['progress']}")
    calls = collections.Counter(call["device"] for call in world.calls(job["id"]))
    check(index % 2 == 0 or not calls or max(calls.values()) == 1, f"job {job['id']} has called a device twice: {calls}")
    check(index % 2 or len(calls) == DEVICES, f"property job {job['id']} has called {len(calls)} devices")


def check_audit(world, count):
    entries, path = [], "/v1/audit?maxpagesize=1000"
    while path:
        page = world.expect(200, "GET", path)
        entries += page["value"]
        path = page["nextLink"][page["nextLink"].index("/v1/"):] if "nextLink" in page else None
    fired = collections.Counter(e["object"].split("/")[0] for e in entries if e["operation"] == "ScheduledJobs_Fire")
    check(len(fired) == count and set(fired.values()) == {1}, f"the audit tells of {fired}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--schedules", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    world = harness.World(options.build, ["--latency-ms", "5"])
    try:
        world.start()
        world.import_devices(DEVICES)
        world.group()
        put_schedules(world, options.schedules, options.seconds, rng)
        kills = kill_while_they_fire(world, options.seconds, rng)
        for index in range(options.schedules):
            check_schedule(world, index)
        check_audit(world, options.schedules)
    finally:
        world.close()
    print(f"{options.schedules} schedules over {kills} kills: each has made one job")


if __name__ == "__main__":
    main()
