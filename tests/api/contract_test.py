#!/usr/bin/env python3
"""contract.py must see each kind of fault, and nothing but faults."""
import json
import sys

import contract

# what contract.py understands; another word in a schema would pass unseen
WORDS = {"type", "properties", "required", "items", "enum", "pattern", "format", "minimum", "maximum", "minLength", "maxLength",
         "minItems", "maxItems", "$ref", "allOf", "discriminator", "additionalProperties", "readOnly"}

PROGRESS = {"total": 1, "pending": 1, "completed": 0, "failed": 0}
STEP = {"type": "PropertyJobData", "target": "t", "path": "p", "value": None}
JOB = {"id": "j", "group": "g", "status": "running", "progress": PROGRESS, "batch": {"type": "percentage", "value": 12.5},
       "start": "2026-03-02T09:20:00.120Z", "organizations": ["north"], "data": [STEP]}
GROUP = {"id": "g", "displayName": "g", "filter": "f", "etag": '"g-1"'}
TIMES = {"start": "2026-03-09T02:00:00Z", "recurrence": "yearly", "end": {"type": "occurrences", "occurrences": 30}}
SCHEDULE = {"etag": '"s-1"', "id": "s", "description": "", "group": "g", "enabled": True, "completed": False, "data": [STEP],
            "schedule": TIMES}
ERROR = {"code": "NotFound", "message": "x.", "requestId": "r", "time": "Mon, 02 Mar 2026 09:31:00 GMT"}


def change(whole, /, **members):
    """A copy with other members; ... takes one away."""
    return {name: item for name, item in {**whole, **members}.items() if item is not ...}


def answer(method, path, status, value, headers=()):
    body = value if isinstance(value, str) else json.dumps(value)
    kind = {"Content-Type": "application/json; charset=utf-8"} if body else {}
    return contract.check(method, path, status, {**kind, **dict(headers)}, body)


def job(**members):
    return answer("GET", "/api/jobs/j?api-version=1.0", 200, change(JOB, **members))


def jobs(**members):
    return answer("GET", "/api/jobs", 200, change({"value": [JOB]}, **members))


def step(**members):
    return job(data=[change(STEP, **members)])


def progress(**members):
    return job(progress=change(PROGRESS, **members))


def schedule(**members):
    return answer("PUT", "/api/scheduledJobs/s", 200, change(SCHEDULE, schedule=change(TIMES, **members)), {"ETag": '"s-1"'})


def device(**members):
    return answer("GET", "/api/jobs/j/devices", 200, {"value": [change({"id": "d", "status": "failed"}, **members)]})


def error(status=404, path="/api/jobs/x", method="GET", headers=(), **members):
    code = contract.CODES.get(status, "NotFound")
    value = {"error": change(ERROR, **{"code": code, **members})}
    return answer(method, path, status, value, {"x-ms-error-code": code, **dict(headers)})


GOOD = {
    "a job": job(),
    "a short word": step(type="property"),
    "a migration": job(data=[{"type": "deviceTemplateMigration", "template": "t"}]),
    "a list": jobs(nextLink="https://x/api/jobs?api-version=1.0&%24skiptoken=x"),
    "a schedule": schedule(),
    "an end by date": schedule(end={"type": "date", "date": "2032-02-29"}),
    "a group": answer("GET", "/api/deviceGroups/g", 200, GROUP, {"ETag": '"g-1"'}),
    "a free object": answer("GET", "/api/devices/d/properties", 200, {"a": {"etag": 1}}),
    "an encoded path": answer("GET", "/api/%6aobs/j", 200, JOB),
    "no content": answer("POST", "/api/jobs/j/stop", 204, ""),
    "an error": error(),
    "an unknown route": error(path="/api/nothing"),
    "a method that is not there": error(405, method="DELETE", headers={"Allow": "GET, PUT"}),
}

# faults that were found, and what one of them must say
BAD = [
    (job(group=1), "body.group: expected string, found 1"),
    (job(description=None), "body.description: expected string, found null"),
    (progress(total=True), "body.progress.total: expected integer, found true"),
    (progress(total=1.5), "body.progress.total: expected integer"),
    (progress(total=1 << 40), "body.progress.total: 1099511627776 has more than 32 bits"),
    (progress(pending=-1), "body.progress.pending: -1 against minimum 0"),
    (progress(running=1), "body.progress: the member running is not in the contract"),
    (job(group=...), "body: the member group is missing"),
    (job(progress=...), "body: the member progress is missing"),
    (job(colour="red"), "body: the member colour is not in the contract"),
    (job(status="completed"), "body.status: 'completed' is not one of"),
    (job(batch={"type": "percent", "value": 1}), "body.batch.type: 'percent' is not one of"),
    (job(start="2026-03-02 09:20"), "body.start: '2026-03-02 09:20' does not fit"),
    (job(data=[]), "body.data: 0 against minItems 1"),
    (job(organizations=["a", "b"]), "body.organizations: 2 against maxItems 1"),
    (step(type="reboot"), "body.data[0].type: no kind is called 'reboot'"),
    (step(type=...), "body.data[0].type: no kind is called None"),
    (step(template="t"), "body.data[0]: the member template is not in the contract"),
    (step(path=...), "body.data[0]: the member path is missing"),
    (step(target=""), "body.data[0].target: 0 against minLength 1"),
    (jobs(value=[{}]), "body.value[0]: the member id is missing"),
    (jobs(value=[JOB] * 101), "a page has 101 items"),
    (jobs(nextLink="/api/jobs?api-version=1.0"), "body.nextLink is not complete"),
    (answer("GET", "/api/jobs", 200, [JOB]), "body: expected object"),
    (device(status="complete"), "body.value[0].status: 'complete' is not one of"),
    (device(error="x"), "body.value[0]: the member error is not in the contract"),
    (schedule(recurrence="hourly"), "body.schedule.recurrence: 'hourly' is not one of"),
    (schedule(end={"type": "occurrences", "occurrences": 1000}), "body.schedule.end.occurrences: 1000 against maximum 999"),
    (schedule(end={"type": "date", "date": "29.2.2032"}), "body.schedule.end.date: '29.2.2032' does not fit"),
    (answer("GET", "/api/deviceGroups/g", 200, GROUP, {"ETag": '"g-2"'}), "body.etag is"),
    (answer("GET", "/api/deviceGroups/g", 200, GROUP), "body.etag is"),
    (answer("PUT", "/api/jobs/j", 201, JOB), "status 201 is neither"),
    (answer("GET", "/api/nothing", 200, {}), "status 200 is neither"),
    (answer("DELETE", "/api/jobs/j", 204, ""), "status 204 is neither"),
    (answer("POST", "/api/jobs/j/stop", 204, "{}"), "there is a body where none may be"),
    (answer("HEAD", "/api/jobs/j", 405, "{}"), "there is a body where none may be"),
    (answer("GET", "/api/jobs/j", 200, "{"), "the body is not JSON"),
    (answer("GET", "/api/jobs/j", 200, json.dumps(JOB).replace("{", '{"id":"k",', 1)), "the body is not JSON: a member is there twice"),
    (answer("GET", "/api/jobs/j", 404, {"message": "x"}), "body: the member error is missing"),
    (contract.check("GET", "/api/jobs", 200, {"Content-Type": "text/plain"}, json.dumps({"value": []})), "the content type"),
    (error(418), "status 418 is neither"),
    (error(409, code="NotFound"), "code NotFound, header Conflict, expected Conflict for 409"),
    (error(headers={"x-ms-error-code": "x"}), "code NotFound, header x"),
    (error(time="now"), "body.error.time: 'now' does not fit"),
    (error(requestId=...), "body.error: the member requestId is missing"),
    (error(405, method="DELETE"), "405 without allow"),
    (error(429), "429 without retry-after"),
    (error(503), "503 without retry-after"),
    (error(405, headers={"Allow": "PUT"}), "GET is in the contract"),
]


def words_of(schema):
    """The words of a schema and of those within, without notes."""
    items = [schema["items"]] if "items" in schema else []
    within = [*schema.get("properties", {}).values(), *schema.get("allOf", []), *items]
    return {word for word in schema if not word.startswith("x-")}.union(*map(words_of, within))


def main():
    wrong = [f"{what} is refused: {faults}" for what, faults in GOOD.items() if faults]
    wrong += [f"not seen: {text}; but {faults}" for faults, text in BAD if not any(fault.startswith(text) for fault in faults)]
    for name, schema in contract.SPEC["definitions"].items():
        wrong += [f"{name}: the word {word} is not understood" for word in words_of(schema) - WORDS]
    print("\n".join(wrong) or f"{len(GOOD)} good answers pass, {len(BAD)} faults are seen")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
