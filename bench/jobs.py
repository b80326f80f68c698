#!/usr/bin/env python3
"""Eight jobs at once, one of them behind a black hole.

    bench/jobs.py [--build DIR] [--devices N] [--rounds N]

Each job has its own devices, 64 calls in flight, and a gateway that takes 50 ms for each; the eighth job's devices never
answer. First a job runs alone, then all eight together: each of the seven should be as fast as alone. The counters of all
are compared with the gateway's own log. We are on the first core, the gateway and this script on the last.
"""
import argparse
import collections
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fault"))
import harness  # noqa: E402

IN_FLIGHT = 64
LATENCY_MS = 50
JOBS = "abcdefgh"
LOST = "h"
JOB_TIMEOUT_S = 120
CORES = sorted(os.sched_getaffinity(0))
OURS, THEIRS = {CORES[0]}, {CORES[-1]}


def make_fleet(world, devices):
    lines = "".join(f'{{"id":"{job}-{number:06}","template":"dtmi:jobs:{job};1"}}\n'
                    for job in JOBS for number in range(devices))
    world.expect(200, "POST", "/v1/devices/import", lines.encode(), content_type="application/x-ndjson")
    for job in JOBS:
        world.group(job, f'SELECT * FROM devices WHERE $template = "dtmi:jobs:{job};1"')


def run_jobs(world, groups, suffix):
    """Starts a job on each group and waits for all but the lost one; returns the seconds that each took."""
    for group in groups:
        world.job(group + suffix, kind="property", group=group)
    took, until = {}, time.monotonic() + JOB_TIMEOUT_S
    waiting = [group for group in groups if group != LOST]
    while waiting:
        harness.check(time.monotonic() < until, f"jobs {waiting} did not end")
        for group in list(waiting):
            progress = world.expect(200, "GET", f"/v1/jobs/{group}{suffix}/progress")
            if progress["state"] == "complete":
                waiting.remove(group)
                took[group] = seconds(progress["end"]) - seconds(progress["start"])
        time.sleep(0.1)
    return took


def seconds(text):
    whole, fraction = text.rstrip("Z").split(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


def check_exact(world, jobs):
    """Every device of a job was called once, and its counters say so."""
    calls = collections.defaultdict(collections.Counter)
    with open(world.gateway_log, encoding="utf-8") as log:
        for line in log:
            entry = json.loads(line)
            calls[entry["key"].split("/")[0]][entry["device"]] += 1
    for job, devices in jobs.items():
        progress = world.expect(200, "GET", f"/v1/jobs/{job}/progress?check=true")
        harness.check(progress["check"]["exact"] and progress["check"]["agrees"], f"{job}: counters and rows disagree")
        harness.check(progress["tally"]["completed"] == devices, f"{job}: {progress['tally']}, expected {devices} completed")
        harness.check(len(calls[job]) == devices and set(calls[job].values()) == {1},
                      f"{job}: the gateway saw {sum(calls[job].values())} calls for {len(calls[job])} devices")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--devices", type=int, default=10000, help="of each job")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    world = harness.World(options.build, ["--latency-ms", str(LATENCY_MS), "--black-hole-prefix", LOST + "-"],
                          ["--in-flight", str(IN_FLIGHT)])
    try:
        os.sched_setaffinity(world.gateway.process.pid, THEIRS)
        os.sched_setaffinity(0, OURS)
        world.start()
        os.sched_setaffinity(0, THEIRS)
        make_fleet(world, options.devices)
        alone, ratios, done = [], [], {}
        for number in range(options.rounds):
            alone.append(run_jobs(world, "a", f"-alone-{number}")["a"])
            together = run_jobs(world, JOBS, f"-{number}")
            world.expect(204, "POST", f"/api/jobs/{LOST}-{number}/stop")
            ratios.append([took / alone[-1] for took in together.values()])
            done.update({f"a-alone-{number}": options.devices},
                        **{f"{group}-{number}": options.devices for group in together})
        check_exact(world, done)
        bound_s = options.devices * LATENCY_MS / 1000 / IN_FLIGHT
        worst = [max(row) for row in ratios]
        print(f"alone {statistics.median(alone):.2f} s (the latency allows {bound_s:.2f} s); together with seven others, one of "
              f"them lost: {statistics.median(sum(ratios, [])):.3f} times that, the slowest of each round "
              f"{', '.join(f'{ratio:.3f}' for ratio in worst)}; all counts exact")
    finally:
        world.close()


if __name__ == "__main__":
    main()
