#!/usr/bin/python3
"""Random sequences of API calls to the real server, each answer compared with a model of the contract (model.py).

    model_test.py BUILD [--sequences N] [--seed N]
    model_test.py BUILD --replay FILE     one sequence, as a divergence prints it; - is standard input
    model_test.py BUILD --self-test       false answers must be seen

A sequence is a list of operations: an operation's name in model.py or below, then its arguments. At its end every job comes to
rest, and its state, its progress, each device's status and the gateway's log must be what the model says; then groups and
devices are deleted. One server serves all sequences; in 3 % of them it is killed and started again. The devices are the same
ten in each, so that what the gateway says of them is known; jobs have fresh ids. Hypothesis is Debian's package, hence Debian's
interpreter.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import hypothesis
from hypothesis import strategies as some

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
import harness  # noqa: E402
import model  # noqa: E402
from model import Divergence, Model, require  # noqa: E402

GATEWAY = ["--fail", "30", "--offline", "20", "--sticky", "--seed", "1"]
LATENCY = ["--latency-ms", "2", "--jitter-ms", "4"]
IN_FLIGHT = 2
WINDOW = {"command": IN_FLIGHT * 3 // 2, "property": IN_FLIGHT * 4}
REST_TIMEOUT_S = 20
SHRINKING_S = 60

DEVICES = [f"d{index}" for index in range(10)]
GROUPS = ["g0", "g1", "g2"]


# ---- sequences ----

def mostly(usual, *others):
    return some.sampled_from([usual] * 4 * len(others) + list(others))


def often(usual, *others):
    return some.sampled_from([usual] * len(others) + list(others))


def weighted(*choices):
    """One of several strategies, each with its weight: one_of would count equal ones once."""
    return some.sampled_from([one for weight, one in choices for _ in range(weight)]).flatmap(lambda one: one)


TEMPLATE = [["$template", "=", model.TEMPLATES[0]]]
FILTERS = [TEMPLATE, [], [["$simulated", "=", False]], TEMPLATE + [["$enabled", "=", True]], TEMPLATE + [["level", "=", 1]],
           [["level", ">", 1]], [["site", "=", "north"]], [["site", "!=", "north"]],
           [["level", "<=", 2], ["$simulated", "=", False]],
           [["$template", "=", model.TEMPLATES[1]]], [["$simulated", "=", True]]]

device, group = some.sampled_from(DEVICES), mostly(*GROUPS)
job = some.sampled_from(["j0"] * 8 + ["j1"] * 3 + ["j2", "r0", "r0"])
new_job = some.sampled_from(["j1", "j2", "j2", "j3", "j4"])
new_rerun = some.sampled_from(["r0", "r0", "r1", "r2", "j1"])
etag = often("none", *model.ETAGS[1:])
page = mostly(0, 1, 3)
spelling = some.sampled_from(model.SPELLINGS)
new_device = some.fixed_dictionaries({
    "displayName": some.sampled_from(["one", "two"]), "template": mostly(model.TEMPLATES[0], model.TEMPLATES[1], None),
    "enabled": mostly(True, False), "simulated": mostly(False, True)})
changed_device = some.sampled_from([
    {}, {"displayName": "three"}, {"enabled": False}, {"enabled": True}, {"simulated": True}, {"simulated": False},
    {"template": model.TEMPLATES[1]}, {"template": model.TEMPLATES[0]}])
new_group = some.fixed_dictionaries({"displayName": some.sampled_from(["all", "some"]), "filter": often(*FILTERS)})
changed_group = some.one_of(
    some.sampled_from([{"displayName": "new"}, {"description": "words"}, {"description": None}, {"filter": None},
                       {"displayName": None}]),
    some.fixed_dictionaries({"filter": often(*FILTERS)}))


batch = often(None, ["percentage", 25], ["percentage", 33.4], ["percentage", 1], ["percentage", 14.285714], ["number", 1],
              ["number", 3], ["number", 5.0], ["number", 50])
threshold = often(None, ["number", 0, False], ["number", 1, True], ["number", 2, False], ["percentage", 10, False],
                  ["percentage", 33.3, True], ["percentage", 50, False], ["percentage", 50, True], ["percentage", 100, False])


def spec(kind, steps, *values):
    return some.fixed_dictionaries({
        "name": mostly("job", "other"), "group": mostly("g0", "g1", "g2"), "kind": some.just(kind), "steps": steps,
        "value": some.sampled_from(values), "batch": batch, "threshold": threshold})


new_spec = weighted((2, spec("command", mostly(1, 2), 1, "2")), (2, spec("property", mostly(1, 2), 1, 2, 3, "2")),
                    (1, spec("cloudProperty", some.just(1), "north", "south")))


def operation(name, *arguments):
    return some.tuples(some.just(name), *arguments).map(list)


FREQUENT = [
    operation("put job", new_job, new_spec, spelling), operation("repeat job", job, spelling), operation("stop", job),
    operation("resume", job), operation("rerun", job, new_rerun), operation("get job", job), operation("wait", job),
    operation("patch device", device, changed_device, etag), operation("pause", some.integers(0, 20)),
]
RARE = [
    operation("put device", device, new_device, etag), operation("delete device", device, etag),
    operation("get device", device), operation("list devices", page), operation("get properties", device),
    operation("put group", group, new_group, etag), operation("patch group", group, changed_group, etag),
    operation("delete group", group, etag), operation("get group", group), operation("list groups", page),
    operation("group devices", group, page), operation("list jobs", page), operation("job devices", job, page),
    operation("refused", some.integers(0, len(model.REFUSED) - 1)),
]
CHANGE = some.one_of(operation("delete device", device, some.just("none")),
                     operation("patch device", device, changed_device, some.just("none")),
                     operation("put device", device, new_device, some.just("none")))


CHANGES = some.lists(CHANGE, max_size=2)


def interrupt(name, definition, pause, changes):
    """What happens between two parts of a job."""
    return [["put job", name, definition, "plain"], ["pause", pause], ["stop", name], ["wait", name], *changes, ["resume", name]]


def run_again(name, again, changes):
    """What happens between a job and its rerun."""
    return [["wait", name], *changes, ["rerun", name, again]]


STEPS = weighted((8, some.tuples(some.one_of(FREQUENT))), (6, some.tuples(some.one_of(RARE))),
                 (1, some.builds(interrupt, new_job, new_spec, some.integers(0, 15), CHANGES)),
                 (2, some.builds(run_again, job, new_rerun, CHANGES)))
FLEET = some.lists(operation("put device", device, new_device, some.just("none")), min_size=4, max_size=10,
                   unique_by=lambda one: one[1])
FIRST_GROUP = mostly(*FILTERS)
MORE = some.lists(STEPS, min_size=4, max_size=16)
IS_KILLED = some.sampled_from([False] * 31 + [True])


@some.composite
def sequences(draw):
    operations = [["together", *draw(FLEET)], ["put group", "g0", {"displayName": "all", "filter": draw(FIRST_GROUP)}, "none"],
                  ["put job", "j0", draw(new_spec), "plain"]]
    if draw(some.booleans()):
        operations += [["put group", "g1", draw(new_group), "none"], ["put job", "j1", draw(new_spec), "plain"]]
    operations += [one for steps in draw(MORE) for one in steps]
    if draw(IS_KILLED):
        operations.insert(draw(some.integers(3, len(operations))), ["kill"])
    return operations


# ---- running them ----

class Place:
    """The server and the gateway, for many sequences; made anew after a divergence, as that leaves an unknown state."""

    def __init__(self, build):
        self.build, self.world, self.count, self.kills = build, None, 0, 0
        self.pool = ThreadPoolExecutor(4)
        self.words = {name: {kind: self.ask(name, options) for kind, options in (("command", []), ("property", ["--property"]))}
                      for name in DEVICES}
        kinds = {tuple(sorted(words.items())) for words in self.words.values()}
        harness.check(len(kinds) == 3, f"the gateway's seed draws too few kinds of devices: {self.words}")

    def ask(self, name, options):
        """What the gateway will say of a device."""
        said = subprocess.run([os.path.join(self.build, "fleetsim"), "verdict", *GATEWAY, *options, name, "key"],
                              check=True, stdout=subprocess.PIPE).stdout.decode().strip()
        return "ok" if said == "ok" else "fail"

    def open(self):
        if self.world is None:
            self.world = harness.World(self.build, GATEWAY + LATENCY, ["--in-flight", str(IN_FLIGHT)])
            self.world.start()
            self.log = open(self.world.gateway_log, encoding="utf-8")

    def close(self):
        if self.world is not None:
            self.log.close()
            self.world.close()
            self.world = None

    def new_calls(self):
        """What the gateway received since the last time."""
        return [json.loads(line) for line in self.log]


def truth(operation, status, answer):
    return status, answer


class Run:
    """One sequence. `lie` may falsify what the server answers, for the self-test."""

    def __init__(self, place, lie=truth):
        place.open()
        place.count += 1
        self.place, self.world, self.lie = place, place.world, lie
        self.model = Model(f"s{place.count}-", place.words, WINDOW)
        self.transcript = []

    def exchange(self, method, path, body=None, headers=None):
        separator = "&" if "?" in path else "?"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        status, fields, text = self.world.exchange(method, path + ("" if harness.API in path else separator + harness.API),
                                                   data, headers)
        self.transcript.append(f"{method} {path} {headers or ''} {'' if data is None else data.decode()} -> {status} {text}")
        return status, json.loads(text) if text else None, fields

    def pages(self, status, answer, fields):
        """The values of a list and of all pages after it."""
        values = answer["value"]
        while "nextLink" in answer:
            link = answer["nextLink"]
            status, answer, fields = self.exchange("GET", link[link.index("/api/"):])
            require(status == 200 and answer["value"], f"the next page is {status}, {answer}")
            values += answer["value"]
        return values

    def call(self, operation):
        call = self.model.call(operation)
        self.take(operation, call, self.exchange(call.method, call.path, call.body, call.headers))

    def together(self, *operations):
        """Calls that have nothing to do with each other, at once."""
        calls = [self.model.call(operation) for operation in operations]
        answers = self.place.pool.map(lambda call: self.exchange(call.method, call.path, call.body, call.headers), calls)
        for operation, call, answer in zip(operations, calls, answers):
            self.take(operation, call, answer)

    def take(self, operation, call, answer):
        status, answer, fields = answer
        status, answer = self.lie(operation, status, answer)
        require(status in call.statuses, f"{call.method} {call.path}: expected {sorted(call.statuses)}, found {status}")
        if status >= 400:
            require({"code", "message"} <= answer["error"].keys() and fields["x-ms-error-code"] == answer["error"]["code"],
                    f"{call.method} {call.path}: no error as it should be: {answer}")
        elif status == 204:
            require(answer is None, f"{call.method} {call.path}: 204 with a body")
        elif call.pages:
            answer = self.pages(status, answer, fields)
        elif "value" in answer:
            answer = answer["value"]
        call.learn(status, answer, fields)

    def wait(self, short):
        """Until nothing of the job is in flight; only /v1 tells a job that is stopping from one that is stopped."""
        job = self.model.job(short)
        if job is None:
            return
        until = time.monotonic() + REST_TIMEOUT_S
        state = None
        while state not in model.SETTLED:
            require(time.monotonic() < until, f"{job.name}: still {state} after {REST_TIMEOUT_S} s")
            time.sleep(0.002)
            state = self.world.expect(200, "GET", f"/v1/jobs/{job.name}/progress")["state"]
        operation = ["wait", short]
        status, answer = self.lie(operation, *self.exchange("GET", f"/api/jobs/{job.name}")[:2])
        listed = self.pages(*self.exchange("GET", f"/api/jobs/{job.name}/devices"))
        self.model.rested(short, answer, self.lie(["devices", short], 200, listed)[1])

    def kill(self):
        self.transcript.append("(kill -9, start)")
        self.world.server.kill()
        self.world.start()
        self.model.crashed()
        self.place.kills += 1

    def do(self, operation):
        name, *arguments = operation
        if name == "wait":
            self.wait(*arguments)
        elif name == "kill":
            self.kill()
        elif name == "together":
            self.together(*arguments)
        elif name == "pause":
            time.sleep(arguments[0] / 1000)
        else:
            self.call(operation)

    def settle(self):
        for short in self.model.jobs:
            self.wait(short)
        for name in self.model.groups.records:
            self.call(["group devices", name, 0])
        self.together(*(["get properties", name] for name in self.model.devices.records))
        self.call(["list devices", 4])
        self.call(["list groups", 0])
        self.call(["list jobs", 0])
        calls = self.lie(["log"], 200, self.place.new_calls())[1]
        names = {job.name for job in self.model.jobs.values()}
        strange = [call for call in calls if call["key"].split("/")[0] not in names]
        require(not strange, f"calls for no job of this sequence: {strange}")
        for job in self.model.jobs.values():
            job.see_calls([call for call in calls if call["key"].split("/")[0] == job.name])

    def clean(self):
        for name in list(self.model.groups.records):
            self.call(["delete group", name, "none"])
        self.together(*(["delete device", name, "none"] for name in self.model.devices.records))

    def all(self, operations):
        try:
            for operation in operations:
                self.do(operation)
            self.settle()
            self.clean()
        except BaseException:
            self.place.close()
            raise


# ---- the searches ----

class Search:
    """Runs generated sequences, and keeps the shortest that diverged: what hypothesis raises would not say enough, and timing
    may keep it from finding the same twice."""

    def __init__(self, place):
        self.place, self.shortest, self.began_s = place, None, 0

    def run(self, operations):
        if self.shortest and time.monotonic() - self.began_s > SHRINKING_S:
            return
        run = Run(self.place)
        try:
            run.all(operations)
        except Divergence as divergence:
            self.began_s = self.began_s or time.monotonic()
            if self.shortest is None or len(operations) <= len(self.shortest[0]):
                self.shortest = operations, str(divergence), run.transcript
            raise

    def print(self):
        operations, text, transcript = self.shortest
        print("FAILED: the server and the model diverge. The calls:", *transcript, sep="\n  ", file=sys.stderr)
        print(f"\n{text}\n\nTo replay it, give these lines to --replay:", file=sys.stderr)
        print(*(json.dumps(operation) for operation in operations), sep="\n", file=sys.stderr)


def search(place, seed, count):
    search = Search(place)
    settings = hypothesis.settings(
        max_examples=count, deadline=None, database=None, verbosity=hypothesis.Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink])
    test = hypothesis.seed(seed)(settings(hypothesis.given(sequences())(search.run)))
    try:
        test()
    except Exception:
        if search.shortest is None:
            raise
    if search.shortest is not None:
        search.print()
        sys.exit(1)
    print(f"{place.count} sequences, {place.kills} kills: the server answers as the model does")


def replay(place, file):
    run = Run(place)
    try:
        run.all([json.loads(line) for line in file if line.strip()])
    finally:
        print(*run.transcript, sep="\n")
    print("no divergence")


# ---- whether it sees what it is for ----

COMMAND = {"name": "job", "group": "g0", "kind": "command", "steps": 1, "value": 1, "batch": ["percentage", 33.4],
           "threshold": None}
STORY = [
    ["together", *(["put device", name, {"displayName": "x", "template": model.TEMPLATES[0]}, "none"] for name in DEVICES[:6])],
    ["put group", "g0", {"displayName": "all", "filter": TEMPLATE}, "none"], ["get group", "g0"], ["group devices", "g0", 0],
    ["put job", "j0", COMMAND, "plain"], ["wait", "j0"], ["stop", "j0"], ["repeat job", "j0", "official"],
    ["rerun", "j0", "j1"], ["wait", "j1"], ["put job", "j2", {**COMMAND, "threshold": ["number", 0, False]}, "plain"],
    ["wait", "j2"], ["put job", "j3", {**COMMAND, "kind": "property"}, "plain"], ["wait", "j3"], ["get properties", "d0"],
]


def changed(answer, **members):
    return {**answer, **members}


def moved(answer, **by):
    return changed(answer, progress={key: value + by.get(key, 0) for key, value in answer["progress"].items()})


def flipped(listed):
    other = {"completed": "failed", "failed": "completed", "pending": "completed"}
    return [changed(listed[0], status=other[listed[0]["status"]])] + listed[1:]


# An operation of the story, and what is made of its answer.
LIES = {
    "status": (["stop", "j0"], lambda status, answer: (204, None)),
    "etag": (["get group", "g0"], lambda status, answer: (status, changed(answer, etag='"g-0"'))),
    "member of an object": (["get group", "g0"], lambda status, answer: (status, changed(answer, displayName="none"))),
    "membership of a group": (["group devices", "g0", 0], lambda status, answer: (status, {"value": answer["value"][1:]})),
    "definition": (["repeat job", "j0", "official"], lambda status, answer: (status, changed(answer, batch=None))),
    "sum": (["wait", "j0"], lambda status, answer: (status, moved(answer, pending=1))),
    "count": (["wait", "j0"], lambda status, answer: (status, moved(answer, completed=1, failed=-1))),
    "state": (["wait", "j0"], lambda status, answer: (status, changed(answer, status="cancelled"))),
    "trip that is missed": (["wait", "j2"], lambda status, answer: (status, changed(answer, status="complete"))),
    "device's status": (["devices", "j0"], lambda status, listed: (status, flipped(listed))),
    "lost device": (["devices", "j0"], lambda status, listed: (status, listed[:-1])),
    "order": (["devices", "j0"], lambda status, listed: (status, listed[::-1])),
    "membership of a rerun": (["devices", "j1"], lambda status, listed: (status, listed[1:])),
    "value": (["get properties", "d0"], lambda status, answer: (status, {"$metadata": {"level": {"desiredValue": 9}}})),
    "call twice": (["log"], lambda status, calls: (status, calls + calls[-1:])),
    "call of no member": (["log"], lambda status, calls: (status, [changed(calls[0], device="d99")] + calls[1:])),
    "call that is missed": (["log"], lambda status, calls: (status, calls[1:])),
    "order of batches": (["log"], lambda status, calls: (status, calls[::-1])),
}


def self_test(place):
    Run(place).all(STORY)
    for what, (operation, falsify) in LIES.items():
        told = []

        def lie(asked, status, answer):
            if asked != operation or told:
                return status, answer
            told.append(asked)
            return falsify(status, answer)
        try:
            Run(place, lie).all(STORY)
        except Divergence:
            harness.check(told, f"the story has no {operation}")
            continue
        harness.fail(f"a false {what} is not seen")
    print(f"{len(LIES)} false answers are seen")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--sequences", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    place = Place(options.build)
    try:
        if options.self_test:
            self_test(place)
        elif options.replay:
            replay(place, sys.stdin if options.replay == "-" else open(options.replay, encoding="utf-8"))
        else:
            print(f"seed {options.seed} (replay with --seed {options.seed})")
            search(place, options.seed, options.sequences)
    finally:
        place.close()


if __name__ == "__main__":
    main()
