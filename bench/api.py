#!/usr/bin/env python3
"""What the API costs while a large job runs, against the same calls on the idle server.

    bench/api.py [--build DIR] [--devices N] [--jobs N] [--calls N] [--rounds N] [--latency-ms N]
                 [--pinned] [--json FILE]

One job runs over N devices; it is stopped and resumed in turn, and in both states the same calls are made of the same
server, one at a time at a modest pace, each kind on a connection of its own that is kept. Every answer is checked, and in
the end the job's counters against the gateway's own log. The server has all cores, so that a call finds one free beside
the engine's thread; with --pinned it has only the first, and the gateway and this script the last.
"""
import argparse
import collections
import gc
import json
import os
import socket
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fault"))
import harness  # noqa: E402
import machine  # noqa: E402
import rollout  # noqa: E402

IN_FLIGHT = 256
CALLS_PER_S = 200
PAGE = 25
P99_BAR_MS = 2
SETTLE_S = 0.5  # the last commit, its checkpoint, and the core's caches
JOB_TIMEOUT_S = 300
RECEIVE_BYTES = 65536
STATES = ("idle", "busy")
CORES = sorted(os.sched_getaffinity(0))
OURS, THEIRS = {CORES[0]}, {CORES[-1]}


class Connection:
    """One call at a time on a connection that is kept; by hand, so that what is measured is the server, not http.client."""

    def __init__(self, world):
        self.host = world.server.url.removeprefix("http://")
        self.token = world.token
        name, port = self.host.split(":")
        self.socket = socket.create_connection((name, int(port)), harness.REQUEST_TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, method, path, body):
        """Answers (milliseconds from the first byte sent to the last one received, status, parsed body)."""
        data = json.dumps(body).encode() if body else b""
        kind = "Content-Type: application/json\r\n" if body else ""
        head = (f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: {self.token}\r\n{kind}"
                f"Content-Length: {len(data)}\r\n\r\n")
        request = head.encode() + data
        start = time.perf_counter()
        self.socket.sendall(request)
        head, data = self.receive()
        ms = (time.perf_counter() - start) * 1000
        return ms, int(head.split(b" ", 2)[1]), json.loads(data)

    def receive(self):
        data, wanted = b"", None
        while wanted is None or len(data) < wanted:
            more = self.socket.recv(RECEIVE_BYTES)
            harness.check(more, "the server closed a connection that it should keep")
            data += more
            end = data.find(b"\r\n\r\n")
            if wanted is None and end >= 0:
                wanted = end + 4 + content_length(data[:end])
        harness.check(len(data) == wanted, "more was received than one answer")
        return data[:end], data[end + 4:]

    def close(self):
        self.socket.close()


def content_length(head):
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    harness.fail(f"an answer of unknown length: {head}")


# ---- the calls: a row each ----

def is_job(answer, devices, _):
    progress = answer["progress"]
    return (answer["id"] == "big" and progress["total"] == devices
            and progress["pending"] + progress["completed"] + progress["failed"] == devices)


def is_page(answer, *_):
    return len({row["id"] for row in answer["value"]}) == PAGE and "nextLink" in answer


def is_group(answer, _, body):
    return all(answer[name] == value for name, value in body.items())


def renamed(number):
    """Another name each time, so that there is something to write."""
    return {"displayName": f"Observed {number}", "filter": 'SELECT * FROM devices WHERE $template = "dtmi:api:past;1"'}


CALLS = {  # what it is called in the table: method, path, body of the n-th call, what a good answer is
    "GET /api/jobs/{id}": ("GET", f"/api/jobs/big?{harness.API}", None, is_job),
    "GET /api/jobs": ("GET", f"/api/jobs?maxpagesize={PAGE}&{harness.API}", None, is_page),
    "GET /api/jobs/{id}/devices": ("GET", f"/api/jobs/big/devices?maxpagesize={PAGE}&{harness.API}", None, is_page),
    "PUT /api/deviceGroups/{id}": ("PUT", f"/api/deviceGroups/observed?{harness.API}", renamed, is_group),
}


class Client:
    """Makes the calls in turn, and keeps how long each took: samples[state][name] is a list of milliseconds a round."""

    def __init__(self, world, devices):
        self.devices = devices
        self.connections = {name: Connection(world) for name in CALLS}
        self.number = 0
        self.samples = {state: {name: [] for name in CALLS} for state in STATES}

    def call(self, name):
        method, path, body, good = CALLS[name]
        self.number += 1
        sent = body(self.number) if body else None
        ms, status, answer = self.connections[name].call(method, path, sent)
        harness.check(status == 200 and good(answer, self.devices, sent), f"{method} {path}: {status}: {answer}")
        return ms

    def round(self, state, calls):
        took = collections.defaultdict(list)
        due = time.monotonic()
        for _ in range(calls):
            for name in CALLS:
                due = max(due + 1 / CALLS_PER_S, time.monotonic())  # what is late stays late: no burst
                time.sleep(max(0, due - time.monotonic()))
                took[name].append(self.call(name))
        for name in CALLS:
            self.samples[state][name].append(took[name])

    def close(self):
        for connection in self.connections.values():
            connection.close()


# ---- the job ----

def make_past(world, jobs):
    """Jobs that have ended, for the list to be long. Their device is simulated, which is decided without a call."""
    line = b'{"id":"past","template":"dtmi:api:past;1","simulated":true}\n'
    world.expect(200, "POST", "/v1/devices/import", line, content_type="application/x-ndjson")
    world.group("past", 'SELECT * FROM devices WHERE $template = "dtmi:api:past;1"')
    for number in range(jobs):
        world.job(f"past-{number:05}", kind="property", group="past")
    for number in range(jobs):
        world.wait(f"past-{number:05}")


def progress_when(world, ready):
    until = time.monotonic() + JOB_TIMEOUT_S
    while time.monotonic() < until:
        progress = world.expect(200, "GET", "/v1/jobs/big/progress")
        if ready(progress):
            return progress
        time.sleep(0.05)
    harness.fail(f"the job is not ready: {progress}")


def make_busy(world):
    before = progress_when(world, lambda now: now["state"] in ("running", "stopped"))
    world.expect(204, "POST", "/api/jobs/big/resume")
    progress_when(world, lambda now: now["tally"]["pending"] < before["tally"]["pending"])


def make_idle(world):
    world.expect(204, "POST", "/api/jobs/big/stop")
    progress_when(world, lambda now: now["state"] == "stopped")


def check_exact(world):
    """Whatever was stopped and resumed: the gateway saw one call for each device that has ended, and none for another."""
    progress = world.expect(200, "GET", "/v1/jobs/big/progress?check=true")
    harness.check(progress["check"]["exact"] and progress["check"]["agrees"], "the job's counters and rows disagree")
    calls = collections.Counter(entry["device"] for entry in world.calls())
    ended = progress["tally"]["total"] - progress["tally"]["pending"]
    harness.check(len(calls) == ended and set(calls.values()) == {1},
                  f"the gateway saw {sum(calls.values())} calls for {len(calls)} devices, not one each for {ended}")


# ---- rounds ----

def measure_state(world, client, state, calls):
    """One round in one state; returns how many devices a second ended meanwhile."""
    time.sleep(SETTLE_S)
    before, start_s = now_in(world, state), time.monotonic()
    client.round(state, calls)
    after, took_s = now_in(world, state), time.monotonic() - start_s
    ended = before["tally"]["pending"] - after["tally"]["pending"]
    harness.check(state == "busy" or ended == 0, "the stopped job went on")
    return ended / took_s


def now_in(world, state):
    """The job's progress, which shows that it is in this state."""
    progress = world.expect(200, "GET", "/v1/jobs/big/progress")
    if state == "idle":
        harness.check(progress["state"] == "stopped" and progress["open"] == 0, f"the job is not idle: {progress}")
    else:
        harness.check(progress["state"] == "running" and progress["open"] > 0,
                      f"the job ended before the calls did; take more --devices or fewer --calls: {progress}")
    return progress


def measure(world, client, options):
    """Rounds of both states; returns the devices a second of each busy one."""
    rates = []
    for _ in range(options.rounds):
        make_busy(world)
        rates.append(measure_state(world, client, "busy", options.calls // options.rounds))
        make_idle(world)
        measure_state(world, client, "idle", options.calls // options.rounds)
    return rates


# ---- what is told ----

def figures(rounds):
    took = sorted(sum(rounds, []))
    return {"calls": len(took), "median_ms": statistics.median(took), "p99_ms": took[int(len(took) * 0.99)], "samples_ms": rounds}


def results(samples):
    rows = []
    for name in CALLS:
        row = {"name": name, **{state: figures(samples[state][name]) for state in STATES}}
        row["ratio"] = {key: row["busy"][key] / row["idle"][key] for key in ("median_ms", "p99_ms")}
        rows.append(row)
    return rows


def show(rows):
    print("\n                               idle, ms          job runs, ms      ratio\n"
          "                               median     99 %   median     99 %   median     99 %      calls")
    for row in rows:
        cells = "".join(f"{row[part][key]:9.2f}" for part in ("idle", "busy", "ratio") for key in ("median_ms", "p99_ms"))
        held = "held" if row["busy"]["p99_ms"] <= P99_BAR_MS else "MISSED"
        print(f"  {row['name']:<27}{cells} {2 * row['busy']['calls']:>9,}   99 % at most {P99_BAR_MS} ms: {held}")


def write(path, record):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file)
        file.write("\n")


def start(world, options):
    """The server, with the jobs that have ended and the one that runs."""
    if options.pinned:
        os.sched_setaffinity(world.gateway.process.pid, THEIRS)
        os.sched_setaffinity(0, OURS)
    world.start()
    if options.pinned:
        os.sched_setaffinity(0, THEIRS)
    make_past(world, options.jobs)
    rollout.import_devices(world, options.devices)
    world.group()
    world.job("big", kind="property")


def run(world, options):
    record = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **machine.look(world.directory)}
    stolen = machine.Stolen()
    where = f"we on core {min(OURS)}, the gateway and the client on core {min(THEIRS)}" if options.pinned else "not pinned"
    print(f"{machine.line(record)}; {where}", flush=True)
    start(world, options)
    client = Client(world, options.devices)
    rates = measure(world, client, options)
    client.close()
    check_exact(world)
    record.update(pinned=options.pinned, devices=options.devices, jobs=options.jobs, latency_ms=options.latency_ms,
                  devices_per_s=rates, results=results(client.samples), stolen_percent=stolen.percent())
    show(record["results"])
    print(f"\nA job over {options.devices:,} devices, {IN_FLIGHT} in flight, {options.latency_ms} ms: "
          f"{statistics.median(rates):,.0f} devices/s meanwhile; {options.jobs:,} jobs before it; {CALLS_PER_S} calls/s, "
          f"{options.rounds} rounds; all answers good, all counts exact.\n"
          f"The hypervisor gave {record['stolen_percent']:.1f} % of the machine's time to others meanwhile.")
    if options.json:
        write(options.json, record)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--devices", type=int, default=1000000)
    parser.add_argument("--jobs", type=int, default=1000, help="that have ended before, in the list")
    parser.add_argument("--calls", type=int, default=2000, help="of each kind in each state, of all rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency-ms", type=int, default=50, help="of the gateway, so that the job runs long enough")
    parser.add_argument("--pinned", action="store_true", help="the server on one core alone")
    parser.add_argument("--json", help="writes every sample to this file")
    options = parser.parse_args()
    if not 1 <= options.rounds <= options.calls:
        parser.error("at least one round, and a call in each")
    if options.jobs <= PAGE:
        parser.error(f"more jobs than the {PAGE} of a page")
    gc.disable()  # a collection would take as long as several calls
    world = harness.World(options.build, ["--latency-ms", str(options.latency_ms)], ["--in-flight", str(IN_FLIGHT)])
    try:
        run(world, options)
    finally:
        world.close()


if __name__ == "__main__":
    main()
