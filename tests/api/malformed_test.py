#!/usr/bin/env python3
"""Malformed requests to the real server: each is refused in the contract's form, and nothing else comes of it.

    malformed_test.py BUILD [--requests COUNT] [--seed SEED]
    malformed_test.py --self-test

Every answer is a 4xx with the error body of api-contract.md 2.6. The one exception, for what cannot be read as HTTP at all, is
LIBRARY_REFUSALS below. Afterwards the same process answers well, holds no descriptor and not much memory more, has made no
object, and ends with 0.
"""
import argparse
import concurrent.futures
import json
import os
import re
import select
import socket
import struct
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
import harness  # noqa: E402
from harness import check  # noqa: E402
import contract  # noqa: E402
import malformed_requests as forge  # noqa: E402

CLIENTS = 4
PATIENCE_S = 40              # for an answer or an end: more than the server's patience with a silent client
PAUSE_S = 0.05               # until our half is ended: an end that comes with the last bytes libmicrohttpd sees late
GROWTH_BYTES_MAX = 64 << 20  # of the resident memory: the allocator's arenas
SHOWN_COMPLAINTS = 20

CODES = {status: code for status, code in contract.CODES.items() if status < 500}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# What libmicrohttpd refuses before it has a whole request to show us it refuses by itself: it closes the connection without a
# word or answers in HTML, with these titles (behind two heads when Content-Length is no number). Its 500 is for a chunk's line
# that is longer than its buffer, and only that.
LIBRARY_REFUSALS = {400: "Request malformed", 413: "Request content too large", 414: "Request too big", 431: "Request too big",
                    500: "Internal server error", 505: "Requested HTTP version is not supported"}


class Answer:
    """The first answer in what a server sent; `status` is None when there is none."""

    def __init__(self, received):
        head, _, rest = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.[01] (\d{3})( .*)?", lines[0])
        self.received = received
        self.status = int(match[1]) if match else None
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.body = rest[:int(self.headers.get("content-length", 0))]

    def is_last(self):
        return self.headers.get("connection", "").lower() == "close"


def read_answer(connection):
    """Until one answer is complete or the connection is closed."""
    received = b""
    while True:
        head, separator, rest = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if separator and len(rest) >= (int(length[1]) if length else 0):
            return received
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece


# ---- what is wrong with an answer; None: nothing ----

def fault_of_error(answer, statuses):
    """An error must have the form of api-contract.md 2.6."""
    if answer.status not in CODES or (statuses and answer.status not in statuses):
        return f"status {answer.status}, expected {statuses or 'one of 4xx'}"
    try:
        error = json.loads(answer.body.decode("utf-8"))["error"]
    except (ValueError, KeyError, TypeError) as trouble:
        return f"the body is no error: {trouble!r}: {answer.body[:80]!r}"
    for name, pattern in (("code", CODES[answer.status]), ("message", r"(?s)\S.*[.!?]"), ("requestId", UUID),
                          ("time", contract.FORMATS["date-time-rfc1123"])):
        if not isinstance(error.get(name), str) or not re.fullmatch(pattern, error[name]):
            return f"error.{name} is {error.get(name)!r}"
    for name, value in (("x-ms-error-code", error["code"]), ("content-type", "application/json; charset=utf-8")):
        if answer.headers.get(name) != value:
            return f"the header {name} is {answer.headers.get(name)!r}"
    if answer.status == 405 and not answer.headers.get("allow"):
        return "405 without Allow"
    if answer.status == 429 and not answer.headers.get("retry-after"):
        return "429 without Retry-After"
    return None


def is_library_refusal(request, answer):
    title = LIBRARY_REFUSALS.get(answer.status)
    if title is None or (answer.status == 500 and request.name != forge.CHUNK_LINE):
        return False
    return f"\r\n\r\n<html><head><title>{title}</title>".encode() in answer.received and answer.is_last()


def fault(request, answer):
    if request.end == forge.RESET:
        return None
    if request.expects == forge.DOUBT and (not answer.received or is_library_refusal(request, answer)):
        return None
    return fault_of_error(answer, request.statuses)


# ---- asking ----

def send(connection, data):
    """A server that refuses on the head may close before it has everything: then its answer still counts."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def is_in_step(connection):
    """Whether the next request on the connection is read from its first byte on."""
    send(connection, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        return Answer(read_answer(connection)).status == 200
    except OSError:
        return False


def ask(address, request):
    """Answers what is wrong, or None."""
    with socket.create_connection(address, PATIENCE_S) as connection:
        send(connection, request.bytes)
        if request.end == forge.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return None
        try:
            if request.end == forge.HALF and not select.select([connection], [], [], PAUSE_S)[0]:
                connection.shutdown(socket.SHUT_WR)
            answer = Answer(read_answer(connection))
        except TimeoutError:
            return f"neither an answer nor an end in {PATIENCE_S} s"
        except OSError:
            answer = Answer(b"")
        wrong = fault(request, answer)
        if wrong is not None or request.end != forge.STAY or answer.is_last():
            return wrong
        return None if is_in_step(connection) else "the connection is out of step afterwards"


def ask_all(address, requests):
    """Answers (request, what is wrong) of those that went wrong."""
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
        wrong = clients.map(lambda request: ask(address, request), requests)
        return [(request, text) for request, text in zip(requests, wrong) if text is not None]


# ---- the server's state ----

def link_of(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return None  # closed meanwhile


def descriptors(pid):
    """What the open ones stand for. Without the store's: a thread's reader is opened when first wanted, and kept."""
    links = [link for link in (link_of(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")) if link]
    stored = [link for link in links if "/tranche.db" in link]
    threads = len(os.listdir(f"/proc/{pid}/task"))
    check(len(stored) <= 2 * threads + 1,
          f"{threads} threads hold {len(stored)} descriptors of the store")  # file and log each, one index
    return sorted(link for link in links if link not in stored)


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def objects(world):
    paths = [f"/api/{kind}" for kind in forge.WRONG_MEMBERS] + ["/v1/imports"]
    return {path: world.expect(200, "GET", path) for path in paths}


def wait_for_descriptors(pid, wanted):
    until = time.monotonic() + PATIENCE_S
    while len(descriptors(pid)) > len(wanted) and time.monotonic() < until:
        time.sleep(0.05)
    check(len(descriptors(pid)) <= len(wanted), f"open descriptors are {descriptors(pid)}, before {wanted}")


def run(world, count, seed):
    world.start()
    world.import_devices(10)
    world.group(forge.GROUP_IN_USE)
    before = objects(world)
    pid = world.server.process.pid
    location = urllib.parse.urlsplit(world.server.url)
    address = (location.hostname, location.port)
    requests = forge.Forge(seed, world.token).make(count)
    ask_all(address, requests[:len(forge.FAMILIES)])  # what is opened and taken once for all
    base, base_bytes = descriptors(pid), resident_bytes(pid)

    started = time.monotonic()
    wrong = ask_all(address, requests)
    seconds = time.monotonic() - started
    for request, text in wrong[:SHOWN_COMPLAINTS]:
        print(f"{request.name}: {text}\n    {request.bytes[:600]!r}", file=sys.stderr)
    check(not wrong, f"{len(wrong)} of {count} requests were not refused as they should")

    changed = {path: value for path, value in objects(world).items() if value != before[path]}
    check(not changed, f"an object was made or changed: {str(changed)[:2000]}")
    check(world.calls() == [], "a device was called")
    check(world.server.process.poll() is None and world.server.process.pid == pid, "the server has ended")
    wait_for_descriptors(pid, base)
    grown = resident_bytes(pid) - base_bytes
    check(grown < GROWTH_BYTES_MAX, f"the server has grown by {grown >> 20} MiB")
    world.job("good", kind="property")
    check(world.wait("good")["progress"]["completed"] == 10, "a good job goes wrong afterwards")
    code = world.server.stop()
    check(code == 0, f"the server ends with {code}")
    print(f"{count} malformed requests refused in {seconds:.1f} s; the server has grown by {grown >> 10} KiB")


def check_log(path):
    """The server has noted neither a fault of its own nor a sanitizer's report."""
    with open(path, encoding="utf-8", errors="replace") as log:
        bad = [line for line in log if re.search(r"request failed|Sanitizer|runtime error:|level=error", line)]
    check(not bad, f"the server's log has: {''.join(bad[:SHOWN_COMPLAINTS])}")


def self_test():
    """The check of an answer must see what it is for."""
    error = {"code": "NotFound", "message": "There is nothing.", "requestId": "0a1b2c3d-0001-4a6e-8f10-5a2d6c9e0015",
             "time": "Mon, 02 Mar 2026 09:31:00 GMT"}

    def answer(status=404, body=None, kind="application/json; charset=utf-8", code="NotFound", **more):
        body = json.dumps({"error": {**error, **more}}).encode() if body is None else body
        head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nx-ms-error-code: {code}\r\nContent-Length: {len(body)}\r\n\r\n"
        return Answer(head.encode() + body)

    def library(status, title):
        body = f"<html><head><title>{title}</title></head></html>".encode()
        return Answer(f"HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    strict = forge.Request("strict", b"", forge.ANSWER, (404,), forge.STAY)
    doubtful = strict._replace(expects=forge.DOUBT, statuses=None)
    html = library(400, "Request malformed")
    check(fault(strict, answer()) is None, "a good answer is refused")
    check(fault(doubtful, html) is None and fault(doubtful, Answer(b"")) is None, "the library's refusal is refused")
    whole = json.dumps({"error": error}).encode()
    wrong = {
        "success": answer(200), "server's fault": answer(500, code="InternalServerError"), "other status": answer(400),
        "HTML": html, "silence": Answer(b""), "no JSON": answer(body=whole[:-1]), "no error": answer(body=b"{}"),
        "no UTF-8": answer(body=whole.replace(b"nothing", b"\xff")), "code in the header": answer(code="x"),
        "code in the body": answer(body=whole.replace(b"NotFound", b"Notfound")), "message": answer(message=""),
        "request id": answer(requestId="7"), "time": answer(time="2026-03-02"), "type": answer(kind="text/plain"),
    }
    for what, seen in wrong.items():
        check(fault(strict, seen) is not None, f"a wrong answer is not seen: {what}")
    check(fault(doubtful, library(503, "Request malformed")) is not None, "a library's 503 is not seen")
    check(fault(doubtful, library(500, "Internal server error")) is not None, "a library's 500 is not seen")
    check(fault(doubtful, answer(200)) is not None, "success is not seen where the connection may be closed")
    first = forge.Forge(1, "SharedAccessSignature sr=s&sig=" + "A" * 43 + "%3D&skn=test&se=1").make(2000)
    check(len({request.bytes for request in first}) > 1000, "the requests are too much alike")
    print("the check sees what it must")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?")
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TRANCHE_SEED", time.time_ns() % (1 << 30))))
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return
    print(f"seed {arguments.seed} (replay with --seed {arguments.seed})")
    # what a sanitizer keeps back counts as memory of the server
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
    world = harness.World(arguments.build)
    try:
        run(world, arguments.requests, arguments.seed)
        check_log(os.path.join(world.directory, "serve.err"))
    finally:
        world.close()


if __name__ == "__main__":
    main()
