"""Runs the real programs and asks the real API: what the fault tests share.

Everything is on 127.0.0.1 and bounded in count and time; processes are ended by their own ids.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))
import contract  # noqa: E402

API = "api-version=2022-07-31"
START_TIMEOUT_S = 20
REQUEST_TIMEOUT_S = 10


def fail(text):
    print(f"FAILED: {text}", file=sys.stderr)
    sys.exit(1)


def check(condition, text):
    if not condition:
        fail(text)


class Program:
    """A program that says on its first line of output where it listens."""

    def __init__(self, arguments, log):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        if "listening on http" not in line:
            self.process.wait(START_TIMEOUT_S)
            fail(f"{' '.join(arguments[:2])} did not start: {line!r}; see {log}")
        self.url = line.split("listening on ")[1].strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_s=60):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)


class World:
    """A data directory, a gateway, and a server that may be killed and started again."""

    def __init__(self, build, gateway_options=(), server_options=()):
        self.build = build
        self.directory = tempfile.mkdtemp(prefix="tranche-test-")
        self.gateway_log = os.path.join(self.directory, "gateway.log")
        self.gateway_options = list(gateway_options)
        self.server_options = list(server_options)
        self.server = None
        self.context = None  # of TLS
        self.gateway = Program(
            [os.path.join(build, "fleetsim"), "--listen", "127.0.0.1:0", "--log", self.gateway_log]
            + self.gateway_options, os.path.join(self.directory, "fleetsim.err"))
        self.token = subprocess.run(
            [os.path.join(build, "tranche"), "token", "create", "test", "--role", "administrator", "--data", self.data],
            check=True, stdout=subprocess.PIPE).stdout.decode().strip()

    @property
    def data(self):
        return os.path.join(self.directory, "data")

    def start(self):
        self.server = Program(
            [os.path.join(self.build, "tranche"), "serve", "--data", self.data, "--listen", "127.0.0.1:0",
             "--gateway", self.gateway.url] + self.server_options, os.path.join(self.directory, "serve.err"))

    def close(self, keep=False):
        for program in (self.server, self.gateway):
            if program is not None and program.process.poll() is None:
                program.kill()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def exchange(self, method, path, body=None, headers=None):
        """One request as it stands; answers (status, headers, text). A header that is set to "" is left out. An answer that
        breaks the contract is the end, whatever the test is about."""
        answer = self.ask(method, path, body, headers or {})
        faults = contract.check(method, path, *answer) if contract.is_contract(path) else []
        check(not faults, f"{method} {path}: {answer[0]}: {'; '.join(faults)}")
        return answer

    def ask(self, method, path, body, headers):
        fields = {"Authorization": self.token, **({"Content-Type": "application/json"} if body else {}), **headers}
        request = urllib.request.Request(self.server.url + path, data=body, method=method,
                                         headers={name: value for name, value in fields.items() if value})
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S, context=self.context) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def request(self, method, path, body=None, content_type="application/json"):
        """Answers (status, parsed body or None)."""
        separator = "&" if "?" in path else "?"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        status, _, text = self.exchange(method, path + (separator + API if path.startswith("/api") else ""), data,
                                        {"Content-Type": content_type} if data else None)
        return status, json.loads(text) if text else None

    def expect(self, status, method, path, body=None, **more):
        got, answer = self.request(method, path, body, **more)
        check(got == status, f"{method} {path}: expected {status}, got {got}: {answer}")
        return answer

    def import_devices(self, count, template="dtmi:test:device;1"):
        lines = subprocess.run(
            [os.path.join(self.build, "fleetsim"), "devices", "--count", str(count), "--template", template],
            check=True, stdout=subprocess.PIPE).stdout
        self.expect(200, "POST", "/v1/devices/import", lines, content_type="application/x-ndjson")

    def group(self, name="all", filter='SELECT * FROM devices WHERE $template = "dtmi:test:device;1"'):
        return self.expect(200, "PUT", f"/api/deviceGroups/{name}", {"displayName": name, "filter": filter})

    def job(self, name, kind="command", group="all", **more):
        data = {"type": kind, "target": "dtmi:test:device;1", "path": "reboot" if kind == "command" else "level",
                "value": 1}
        return self.expect(200, "PUT", f"/api/jobs/{name}", {"group": group, "data": [data], **more})

    def status(self, name):
        return self.expect(200, "GET", f"/api/jobs/{name}")

    def wait(self, name, wanted=("complete", "cancelled", "failed"), timeout_s=120):
        until = time.time() + timeout_s
        while time.time() < until:
            job = self.status(name)
            if job["status"] in wanted:
                return job
            time.sleep(0.02)
        fail(f"job {name} is still {job['status']} after {timeout_s} s: {job['progress']}")

    def devices(self, name):
        """All devices of a job from /v1, page by page."""
        found, path = [], f"/v1/jobs/{name}/devices?maxpagesize=1000"
        while path:
            page = self.expect(200, "GET", path)
            found += page["value"]
            link = page.get("nextLink")
            path = link[link.index("/v1/"):] if link else None
        return found

    def calls(self, job=None):
        """The gateway's log: every request it received, in order."""
        with open(self.gateway_log, encoding="utf-8") as log:
            entries = [json.loads(line) for line in log if line.endswith("\n")]
        return [e for e in entries if job is None or e["key"].split("/")[0] == job]


def check_numbers(world, name):
    """Counters equal rows, and each device is listed once."""
    job = world.status(name)
    devices = world.devices(name)
    progress = job["progress"]
    check(len({d["id"] for d in devices}) == len(devices), f"{name}: a device is listed twice")
    check(len(devices) == progress["total"], f"{name}: {len(devices)} devices listed, total {progress['total']}")
    for shown, word in (("completed", "completed"), ("failed", "failed"), ("pending", "pending")):
        count = sum(1 for d in devices if d["status"] == word)
        check(count == progress[shown], f"{name}: {count} devices {word}, progress says {progress[shown]}")
    return job, devices


def seeded(default=None):
    seed = int(os.environ.get("TRANCHE_SEED", default if default is not None else random.randrange(1 << 30)))
    print(f"seed {seed} (replay with TRANCHE_SEED={seed})")
    return random.Random(seed)
