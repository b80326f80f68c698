#!/usr/bin/env python3
"""One large job through the real server: what it takes, and whether it is exact.

    bench/rollout.py [--build DIR] [--devices N] [--base N]

Imports N devices, runs one property job over them in four batches against fleetsim, and asks the API all the while, as a
person who watches would. The same is done with a smaller fleet (--base), to see whether a device costs the same in a
large one. Then the job's counters are compared with the gateway's own log. We are on the first core, the gateway and this
script on the last.
"""
import argparse
import base64
import collections
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fault"))
import harness  # noqa: E402

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
IN_FLIGHT = 256
PROGRESS_EVERY_S = 0.05
JOB_TIMEOUT_S = 1800
PAGE = 100
PAGES_EACH = 20
CORES = sorted(os.sched_getaffinity(0))
OURS, THEIRS = {CORES[0]}, {CORES[-1]}


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def memory_mib(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
    raise KeyError(name)


def import_devices(world, count):
    """Streams, since a million lines are more than one wants in memory here."""
    tranche, fleetsim = (os.path.join(world.build, name) for name in ("tranche", "fleetsim"))
    devices = subprocess.Popen([fleetsim, "devices", "--count", str(count), "--template", "dtmi:test:device;1"],
                               stdout=subprocess.PIPE)
    environment = dict(os.environ, TRANCHE_SERVER=world.server.url, TRANCHE_TOKEN=world.token)
    subprocess.run([tranche, "device", "import", "-"], stdin=devices.stdout, stdout=subprocess.DEVNULL, check=True,
                   env=environment)
    harness.check(devices.wait() == 0, "fleetsim devices failed")


def timed(world, path):
    start = time.monotonic()
    answer = world.expect(200, "GET", path)
    return (time.monotonic() - start) * 1000, answer


def watch(world):
    """Asks for the progress until the job has ended; returns how long each answer took."""
    took_ms, until = [], time.monotonic() + JOB_TIMEOUT_S
    while time.monotonic() < until:
        ms, job = timed(world, "/api/jobs/big")
        took_ms.append(ms)
        progress = job["progress"]
        harness.check(progress["total"] == progress["pending"] + progress["completed"] + progress["failed"],
                      f"the counters disagree: {progress}")
        if job["status"] not in ("pending", "running"):
            return took_ms, job
        time.sleep(PROGRESS_EVERY_S)
    harness.fail("the job did not end")


def last_page(world, path, devices):
    """The path of the list's last page. Tokens are opaque to clients; a measurement may look into one to spare itself the
    ten thousand pages before."""
    link = world.expect(200, "GET", path)["nextLink"][len(world.server.url):]
    head, token = link.split("skiptoken=")
    token = urllib.parse.unquote(token)
    plain = base64.b64decode(token + "=" * (-len(token) % 4)).decode()
    plain = plain.replace(str(PAGE), str(devices - PAGE))
    return head + "skiptoken=" + urllib.parse.quote(base64.b64encode(plain.encode()).decode().rstrip("="))


def pages_ms(world, devices):
    first = f"/v1/jobs/big/devices?maxpagesize={PAGE}"
    last = last_page(world, first, devices)
    harness.check(len(world.expect(200, "GET", last)["value"]) == PAGE, "the last page is not full")
    return [statistics.median(timed(world, path)[0] for _ in range(PAGES_EACH)) for path in (first, last)]


def check_log(world, job, devices):
    calls = collections.Counter()
    with open(world.gateway_log, encoding="utf-8") as log:
        for line in log:
            calls[json.loads(line)["device"]] += 1
    harness.check(len(calls) == devices and sum(calls.values()) == devices,
                  f"the gateway saw {sum(calls.values())} calls for {len(calls)} devices, not one each for {devices}")
    progress = job["progress"]
    harness.check(job["status"] == "complete" and progress["total"] == devices and progress["pending"] == 0,
                  f"the job ended with {job['status']}, {progress}")


def roll_out(build, devices):
    world = harness.World(build, ["--fail", "2", "--seed", "11"], ["--in-flight", str(IN_FLIGHT)])
    try:
        os.sched_setaffinity(world.gateway.process.pid, THEIRS)
        os.sched_setaffinity(0, OURS)
        world.start()
        os.sched_setaffinity(0, THEIRS)
        pid = world.server.process.pid
        start = time.monotonic()
        import_devices(world, devices)
        import_s = time.monotonic() - start
        world.group()
        before_s, start = cpu_s(pid), time.monotonic()
        world.job("big", kind="property", batch={"type": "percentage", "value": 25})
        progress_ms, job = watch(world)
        run_s, used_s = time.monotonic() - start, cpu_s(pid) - before_s
        first_ms, last_ms = pages_ms(world, devices)
        peak_mib = memory_mib(pid, "VmHWM")
        harness.check(world.server.stop() == 0, "the server did not stop well")
        check_log(world, job, devices)
        progress_ms.sort()
        print(f"{devices:>9,}  {devices / import_s:>9,.0f}/s  {devices / run_s:>8,.0f}/s  {used_s / devices * 1e6:>7.1f} us"
              f"  {peak_mib:>6.0f} MiB  {progress_ms[len(progress_ms) // 2]:>5.1f} / {progress_ms[int(len(progress_ms) * 0.99)]:>5.1f} ms"
              f"  {first_ms:>5.1f} / {last_ms:>5.1f} ms  {job['progress']['failed']:>7,} failed, exact", flush=True)
        return used_s / devices
    finally:
        world.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--devices", type=int, default=1000000)
    parser.add_argument("--base", type=int, default=100000)
    options = parser.parse_args()
    print("  devices     import       devices   CPU/device  peak memory  progress 50/99 %  page 1 / last")
    base = roll_out(options.build, options.base)
    large = roll_out(options.build, options.devices)
    print(f"A device of {options.devices:,} costs {large / base:.2f} times one of {options.base:,}.")


if __name__ == "__main__":
    main()
