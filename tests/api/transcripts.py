#!/usr/bin/env python3
"""Runs transcripts of the REST contract against the real server, each in a world of its own.

    transcripts.py BUILD [FILE...]      all of seed/, worked/ and own/ beside this script, unless files are named
    transcripts.py --self-test

A transcript is text. `#` begins a comment. Lines that begin with a sign say what happens:

    ! server --in-flight 1           options for the server (or `gateway`), before anything else
    > PUT /api/jobs/j?api-version=x  a request: its headers follow as lines with > too, then its body
    < 200                            what must come back: status, headers with <, then the body, if one is to be looked at
    ~ job j complete                 waits until the job has this status
    ~ progress j 3                   waits until so many of the job's devices are done
    ~ schedule s 2                   waits until the schedule has made so many jobs, and each has ended

A body ends at the next sign. Expected JSON must be met exactly: members in this order, none more, none less, numbers and
strings as they are written. `//` begins a comment in it. <time>, <etag>, <uuid> and the like (PLACEHOLDERS) in a string, and
in a header, stand for any of their kind; <etag:first> also keeps what was found, and {{first}} in what comes later is it.
{{now+2s}} in a request is the time two seconds from now. In a body both are the inside of a JSON string.
"""
import datetime
import glob
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
import harness  # noqa: E402

WAIT_S = 30
PLACEHOLDERS = {
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
    "etag": r'"[^"]+"',
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "server": r"http://127\.0\.0\.1:\d+",
    "continuation": r"[A-Za-z0-9_-]+",
    "token": r"SharedAccessSignature sr=[0-9a-f-]{36}&sig=[A-Za-z0-9%]{40,}&skn=[\w-]+&se=\d{13}",
}
PLACEHOLDER = re.compile(rf"<({'|'.join(PLACEHOLDERS)})(?::(\w+))?>")


class Number(str):
    """A number as it was written."""


def parse_json(text):
    """Objects become lists of pairs, so that their order counts."""
    return json.loads(text, object_pairs_hook=lambda pairs: ("object", pairs), parse_int=Number, parse_float=Number)


def match(expected, found, kept):
    """Whether a string is as expected; what named placeholders stand for is added to `kept`."""
    pattern, names, at = "", [], 0
    for placeholder in PLACEHOLDER.finditer(expected):
        pattern += re.escape(expected[at:placeholder.start()]) + f"({PLACEHOLDERS[placeholder[1]]})"
        names.append(placeholder[2])
        at = placeholder.end()
    matches = re.fullmatch(pattern + re.escape(expected[at:]), found)
    if matches:
        kept.update({name: value for name, value in zip(names, matches.groups()) if name})
    return matches is not None


def differences(expected, found, kept, place=""):
    if isinstance(expected, str) and not isinstance(expected, Number) and PLACEHOLDER.search(expected):
        matches = isinstance(found, str) and match(expected, found, kept)
        return [] if matches else [f"{place or 'the body'}: expected {expected}, found {found!r}"]
    if isinstance(expected, tuple) and isinstance(found, tuple):
        names, found_names = [name for name, _ in expected[1]], [name for name, _ in found[1]]
        if names != found_names:
            return [f"{place or 'the body'}: expected the members {names}, found {found_names}"]
        return [line for (name, value), (_, other) in zip(expected[1], found[1])
                for line in differences(value, other, kept, f"{place}.{name}")]
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return [f"{place or 'the body'}: expected {len(expected)} items, found {len(found)}"]
        return [line for index, (value, other) in enumerate(zip(expected, found))
                for line in differences(value, other, kept, f"{place}[{index}]")]
    same = type(expected) is type(found) and expected == found
    return [] if same else [f"{place or 'the body'}: expected {expected!r}, found {found!r}"]


def read_steps(text):
    """Steps as (line number, sign, words, header lines, body)."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            continue
        sign, rest = line[:1], line[1:].strip()
        if sign and sign in "!><~":
            if sign in "><" and steps and steps[-1][1] == sign and not steps[-1][4]:
                steps[-1][3].append(rest)
            else:
                steps.append((number, sign, rest, [], []))
        elif line.strip():
            harness.check(steps, f"line {number}: a body without a request")
            steps[-1][4].append(line)
    return steps


def without_comments(lines):
    return [line for line in lines if not line.strip().startswith("//")]


def fill(text, kept):
    """Puts in what braces stand for."""
    def value(braces):
        later = re.fullmatch(r"now\+(\d+)s", braces[1])
        if not later:
            return kept[braces[1]]
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(later[1]))
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
    return re.sub(r"\{\{([\w+]+)\}\}", value, text)


def fill_body(lines, kept):
    return fill("\n".join(lines), {name: json.dumps(value)[1:-1] for name, value in kept.items()})


def ask(world, request, kept):
    method, path = fill(request[2], kept).split(" ", 1)
    headers = {name: value.strip() for name, value in (fill(line, kept).split(":", 1) for line in request[3])}
    return world.exchange(method, path, fill_body(request[4], kept).encode() if request[4] else None, headers)


def compare(expected, answer, kept):
    status, headers, body = answer
    problems = []
    if status != int(expected[2]):
        problems.append(f"expected status {expected[2]}, found {status}")
    for line in expected[3]:
        name, value = line.split(": ", 1)
        problems += differences(value, headers.get(name), kept, f"header {name}")
    text = fill_body(without_comments(expected[4]), kept)
    if text:
        try:
            problems += differences(parse_json(text), parse_json(body), kept)
        except json.JSONDecodeError as error:
            problems.append(f"no JSON: {error}")
    elif status == 204 and body:
        problems.append("an answer without content has some")
    return problems + ([f"the answer was: {body}"] if problems else [])


def look(world, kind, name):
    """A job's status, how many of its devices are done, or how many jobs a schedule has made once all of them have ended."""
    if kind in ("job", "progress"):
        job = world.expect(200, "GET", f"/api/jobs/{name}")
        return job["status"] if kind == "job" else str(job["progress"]["completed"] + job["progress"]["failed"])
    jobs = world.expect(200, "GET", f"/api/scheduledJobs/{name}/jobs")["value"]
    return str(len(jobs)) if all("end" in job for job in jobs) else "at-work"


def wait_for(world, words):
    kind, name, wanted = words.split()
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        found = look(world, kind, name)
        if found == wanted:
            return []
        time.sleep(0.02)
    return [f"{kind} {name}: {found}, expected {wanted}"]


def run_steps(world, steps):
    answer, kept = None, {}
    for step in steps:
        if step[1] == ">":
            answer = ask(world, step, kept)
            problems = []
        elif step[1] == "<":
            problems = compare(step, answer, kept)
        else:
            problems = wait_for(world, step[2])
        if problems:
            return step[0], problems
    return None


def run_file(build, path):
    with open(path, encoding="utf-8") as file:
        steps = read_steps(file.read())
    options = {"gateway": [], "server": []}
    for step in steps:
        if step[1] == "!":
            who, *words = step[2].split()
            options[who] += words
    world = harness.World(build, options["gateway"], options["server"])
    try:
        world.start()
        failure = run_steps(world, [step for step in steps if step[1] != "!"])
    finally:
        world.close()
    if failure is not None:
        print(f"{path}:{failure[0]}:\n  " + "\n  ".join(failure[1]), file=sys.stderr)
    return failure is None


def self_test():
    """The comparison must see what it is for."""
    good = '{"id":"a","n":1.10,"at":"2026-03-02T09:20:00.120Z","list":[1,{"b":null}],"link":"http://127.0.0.1:80/x?a=1"}'
    expected = "< 200\n// a comment\n" + good.replace("2026-03-02T09:20:00.120Z", "<time>").replace(
        "http://127.0.0.1:80/x?a=1", "<server>/x?a=<continuation:a>")
    step, kept = read_steps("> GET /x\n" + expected)[1], {}
    harness.check(not compare(step, (200, {}, good), kept), "a good answer is refused")
    harness.check(fill("a{{a}}", kept) == "a1", f"what a placeholder stood for is not kept: {kept}")
    harness.check(match("<time>", fill("{{now+2s}}", kept), {}), "a time to come is none")
    for what, answer in {
            "status": (201, {}, good), "order": (200, {}, good.replace('"id":"a","n":1.10', '"n":1.10,"id":"a"')),
            "missing member": (200, {}, good.replace('"id":"a",', "")), "further member": (200, {}, good.replace("{", '{"x":1,', 1)),
            "number's digits": (200, {}, good.replace("1.10", "1.1")), "type": (200, {}, good.replace('"a"', "1")),
            "time": (200, {}, good.replace("09:20", "0920")), "item": (200, {}, good.replace("[1,", "[1,1,")),
            "text about a placeholder": (200, {}, good.replace("x?a", "x_a")),
            "null": (200, {}, good.replace("null", "false")), "no JSON": (200, {}, good[:-1])}.items():
        harness.check(compare(step, answer, kept), f"a wrong {what} is not seen")
    header = read_steps("> GET /x\n< 200\n< ETag: <etag>")[1]
    harness.check(not compare(header, (200, {"ETag": '"g-1"'}, ""), kept), "a good header is refused")
    harness.check(compare(header, (200, {"ETag": "g-1"}, ""), kept) and compare(header, (200, {}, ""), kept),
                  "a wrong header is not seen")
    print("the comparison sees what it must")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    here = os.path.dirname(os.path.abspath(__file__))
    files = sys.argv[2:] or sorted(path for part in ("seed", "worked", "own") for path in glob.glob(os.path.join(here, part, "*.txt")))
    failed = [path for path in files if not run_file(sys.argv[1], path)]
    print(f"{len(files) - len(failed)} of {len(files)} transcripts pass")
    sys.exit(1 if failed or not files else 0)


if __name__ == "__main__":
    main()
