#!/usr/bin/env python3
"""Every operation of `/api` that the server has is one of the contract's, and succeeds in the contract's form.

    walk_test.py BUILD

The harness checks each answer (contract.py). Which operations there are the server says itself, in the Allow of its 405.
"""
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
import contract  # noqa: E402
import harness  # noqa: E402
from harness import check  # noqa: E402

MODEL = "dtmi:test:device;1"
TEMPLATE = {"@type": ["ModelDefinition", "DeviceModel"], "displayName": "Device", "capabilityModel": {
    "@id": "dtmi:test:model;1", "@type": "Interface",
    "contents": [{"@type": "Property", "name": "level", "schema": "double", "writable": True},
                 {"@type": "Command", "name": "reboot"}]}}
STEPS = [{"type": "PropertyJobData", "target": MODEL, "path": "level", "value": 1}]
JOB = {"group": "all", "displayName": "Level", "data": STEPS, "batch": {"type": "percentage", "value": 12.5},
       "cancellationThreshold": {"type": "number", "value": 1, "batch": "number"}}
SCHEDULE = {**JOB, "schedule": {"start": "2028-02-29T06:30:00.000Z", "recurrence": "yearly",
                                "end": {"type": "date", "date": "2032-02-29"}}}
TOKEN = {"roles": [{"role": "ae2c9854-393b-4f97-8c42-479d70ce626e", "organization": "north"}]}

# in this order; what is made first is there for what follows
CALLS = [
    ("PUT", "/organizations/north", {"displayName": "North"}),
    ("PUT", "/organizations/coast", {"parent": "north", "displayName": "C"}),
    ("PATCH", "/organizations/coast", {"displayName": "Coast"}),
    ("GET", "/organizations/coast"),
    ("GET", "/organizations"),
    ("DELETE", "/organizations/coast"),
    ("GET", "/roles"),
    ("GET", "/roles/ae2c9854-393b-4f97-8c42-479d70ce626e"),
    ("PUT", "/apiTokens/t", TOKEN),
    ("GET", "/apiTokens/t"),
    ("GET", "/apiTokens"),
    ("DELETE", "/apiTokens/t"),
    ("PUT", f"/deviceTemplates/{MODEL}", TEMPLATE),
    ("PATCH", f"/deviceTemplates/{MODEL}", {"displayName": "D"}),
    ("GET", f"/deviceTemplates/{urllib.parse.quote(MODEL)}"),
    ("GET", "/deviceTemplates"),
    ("PUT", "/deviceTemplates/dtmi:test:other;1", TEMPLATE),
    ("DELETE", "/deviceTemplates/dtmi:test:other;1"),
    ("PUT", "/devices/d", {"template": MODEL, "simulated": True, "organizations": ["north"]}),
    ("PUT", "/devices/e", {"template": MODEL}),
    ("PATCH", "/devices/d", {"displayName": "D"}),
    ("GET", "/devices/d"),
    ("GET", "/devices?$top=1"),
    ("DELETE", "/devices/e"),
    ("GET", "/devices/f/properties"),
    ("GET", "/devices/f/components/c/properties"),
    ("GET", "/devices/d/components"),
    ("PATCH", "/devices/d/properties", {"level": 1.50}),
    ("PUT", "/devices/d/properties", {"level": 2}),
    ("PATCH", "/devices/f/components/c/properties", {"x": 2}),
    ("PUT", "/devices/f/components/c/properties", {"y": 3}),
    ("POST", "/devices/d/commands/reboot", {"request": None}),
    ("GET", "/devices/d/commands/reboot"),
    ("POST", "/devices/f/components/c/commands/test", {"responseTimeout": 5}),
    ("GET", "/devices/f/components/c/commands/test"),
    ("PUT", "/deviceGroups/all", {"displayName": "All", "filter": f'SELECT * FROM devices WHERE $template = "{MODEL}"'}),
    ("PATCH", "/deviceGroups/all", {"description": "All of them"}),
    ("GET", "/deviceGroups/all"),
    ("GET", "/deviceGroups"),
    ("GET", "/deviceGroups/all/devices"),
    ("PUT", "/deviceGroups/none", {"displayName": "N", "filter": "SELECT * FROM devices"}),
    ("DELETE", "/deviceGroups/none"),
    ("PUT", "/scheduledJobs/s", SCHEDULE),
    ("PATCH", "/scheduledJobs/s", {"schedule": {"recurrence": "weekly", "end": None}}),
    ("GET", "/scheduledJobs/s"),
    ("GET", "/scheduledJobs"),
    ("GET", "/scheduledJobs/s/jobs"),
    ("DELETE", "/scheduledJobs/s"),
    ("PUT", "/jobs/j", JOB),
    ("GET", "/jobs/j"),
    ("GET", "/jobs"),
    ("GET", "/jobs/j/devices"),
]


def walk(world):
    """Answers the operations that succeeded, by their ids."""
    done = set()

    def call(method, path, body=None):
        status, answer = world.request(method, "/api" + path, body)
        check(200 <= status < 300, f"{method} {path}: {status}: {answer}")
        done.add(contract.find_operations("/api" + path.split("?")[0])[method.lower()]["operationId"])

    world.expect(200, "POST", "/v1/devices/import", b'{"id":"f","simulated":true,"properties":{"c":{"x":1}}}\n',
                 content_type="application/x-ndjson")
    for each in CALLS:
        call(*each)
    world.wait("j")
    call("PUT", "/jobs/j/rerun/k")
    # nobody answers the one device that is not simulated: the job stays until it is stopped
    call("PUT", "/devices/lost", {"template": MODEL})
    call("PUT", "/jobs/long", {"group": "all", "data": [{"type": "command", "target": MODEL, "path": "reboot"}]})
    call("POST", "/jobs/long/stop")
    call("POST", "/jobs/long/resume")
    return done


def served(world):
    """The operations that the server has, by their ids. A method that the specification does not know is a fault."""
    found = set()
    for pattern in contract.SPEC["paths"]:
        path = "/api" + re.sub(r"{\w+}", "x", pattern)
        status, headers, _ = world.ask("OPTIONS", path + "?" + harness.API, None, {})
        operations = contract.find_operations(path)
        for method in headers["Allow"].split(", ") if status == 405 else []:
            check(method.lower() in operations, f"{method} {path} is served, but not in the contract")
            found.add(operations[method.lower()]["operationId"])
    return found


def main(build):
    world = harness.World(build, ["--black-hole-prefix", "lost"])
    try:
        world.start()
        have, done = served(world), walk(world)
        check(done == have, f"not walked: {sorted(have - done)}; walked, but not found: {sorted(done - have)}")
        print(f"{len(done)} operations are served, and each succeeds in the contract's form")
    finally:
        world.close()


if __name__ == "__main__":
    main(sys.argv[1])
