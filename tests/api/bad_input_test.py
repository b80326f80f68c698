#!/usr/bin/env python3
"""Bad input to the real server: a clear error that says where and what would be right, and nothing else changes.

Usage: bad_input_test.py BUILD.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "fault"))
import harness
from harness import check

GOOD = {"group": "all", "data": [{"type": "property", "target": "t", "path": "level", "value": 1}]}


def with_(**more):
    return {**GOOD, **more}


# path, body, status, what the message must hold
CASES = [
    ("deviceGroups/g", {"displayName": "g", "filter": "SELECT * FROM devices WHERE $template eq 1"}, 422,
     ["filter: expected an operator at position", 'found "eq"']),
    ("deviceGroups/g", {"displayName": "g", "filter": "SELECT * FROM devices WHERE $colour = 1"}, 422, ["$colour"]),
    ("deviceGroups/g", {"displayName": "g"}, 422, ["filter"]),
    ("jobs/j", with_(batch={"type": "percentage", "value": 0}), 422, ["batch.value", "above 0 and at most 100", "0"]),
    ("jobs/j", with_(batch={"type": "percentage", "value": 101}), 422, ["batch.value", "101"]),
    ("jobs/j", with_(batch={"type": "number", "value": 2.5}), 422, ["batch.value", "2.5"]),
    ("jobs/j", with_(cancellationThreshold={"type": "percentage", "value": 101}), 422, ["cancellationThreshold.value"]),
    ("jobs/j", with_(group="nobody"), 422, ['group: device group "nobody" does not exist.']),
    ("jobs/j", b"{", 400, ["not valid JSON", "offset 1"]),
    ("jobs/j", b"", 400, []),
    ("jobs/j", json.dumps(GOOD).encode() + b"\0", 400, ["not valid JSON", "offset"]),
    ("scheduledJobs/s", json.dumps(with_(schedule={"start": "2099-01-01T00:00:00Z"})).encode() + b"\0", 400, ["not valid JSON"]),
    ("deviceTemplates/dtmi:a:b;1", b'{"@type":["ModelDefinition"],"capabilityModel":{}}\0{', 400, ["not valid JSON"]),
    ("jobs/j", b"[]", 422, ["object"]),
    ("jobs/j", b'{"group":"all","group":"b"}', 400, ["duplicate member"]),
    ("jobs/job.1", GOOD, 422, ["job.1", "."]),
    ("jobs/j", with_(data=[]), 422, ["data"]),
    ("jobs/j", with_(data=[{"type": "reboot", "target": "t", "path": "a"}]), 422, ["data[0].type", "reboot"]),
]


def main(build):
    world = harness.World(build)
    try:
        world.start()
        world.import_devices(10)
        world.group()
        before = (world.expect(200, "GET", "/api/jobs"), world.expect(200, "GET", "/api/deviceGroups/all"))
        for path, body, status, words in CASES:
            answer = world.expect(status, "PUT", f"/api/{path}", body)
            message = answer["error"]["message"]
            for word in words:
                check(word in message, f"PUT {path}: {message!r} does not say {word!r}")
        world.expect(404, "GET", "/api/deviceGroups/g")
        lines = b'{"id":"one"}\n{"id":"bad id"}\n{"id":"two","colour":1}\nnonsense\n{"id":"three"}\n'
        answer = world.expect(422, "POST", "/v1/devices/import?all_or_nothing=true", lines)
        check("line 2" in str(answer), f"import: {answer}")
        answer = world.expect(200, "POST", "/v1/devices/import", lines)
        check("'bad': 3" in str(answer) and "'devices': 2" in str(answer), f"import: {answer}")
        complaints = str(answer)
        for word in ("2", "3", "4", "bad id", "colour"):
            check(word in complaints, f"import: {complaints} does not say {word!r}")
        after = (world.expect(200, "GET", "/api/jobs"), world.expect(200, "GET", "/api/deviceGroups/all"))
        check(before == after, "something else has changed")
        check(world.calls() == [], "a device was called")
        print(f"{len(CASES)} requests and two imports refused with a clear error; nothing else changed")
    finally:
        world.close()


if __name__ == "__main__":
    main(sys.argv[1])
