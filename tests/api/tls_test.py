#!/usr/bin/env python3
"""The real server over TLS: verified calls, what is refused, and certificates that change while connections go on.

Usage: tls_test.py BUILD.
"""
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "fault"))
import harness
from harness import check

DEVICES = 500
WAIT_S = 20
CONFIG = """[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
[server]
subjectAltName = IP:127.0.0.1
"""


class Certificates:
    """A root, an authority below it, and servers below that, each as a chain and a key; made anew for each run."""

    def __init__(self, directory):
        self.directory = directory
        with open(self.path("config"), "w", encoding="utf-8") as config:
            config.write(CONFIG)
        self.make("root", "authority")
        self.make("middle", "authority", "root")
        for name in ("first", "second"):
            self.make(name, "server", "middle")
            with open(self.path(name + ".pem"), "ab") as chain, open(self.path("middle.pem"), "rb") as middle:
                chain.write(middle.read())

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name, extensions, issuer=None):
        by = ["-CA", self.path(issuer + ".pem"), "-CAkey", self.path(issuer + ".key")] if issuer else []
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-config", self.path("config"), "-extensions", extensions, "-subj", f"/CN={name}",
             "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem")] + by,
            check=True, stderr=subprocess.DEVNULL)

    def install(self, certificate, key):
        """Puts a pair where the server looks."""
        for source, target in ((certificate, "server.pem"), (key, "server.key")):
            shutil.copy(self.path(source), self.path("new"))
            os.replace(self.path("new"), self.path(target))


class Server:
    """The server of a world, and what is known of its certificates."""

    def __init__(self, build):
        self.world = harness.World(build)
        self.certificates = Certificates(self.world.directory)
        self.certificates.install("first.pem", "first.key")
        self.plain_options = list(self.world.server_options)
        self.world.server_options += ["--tls-cert", self.certificates.path("server.pem"),
                                      "--tls-key", self.certificates.path("server.key")]

    @property
    def address(self):
        return "127.0.0.1", int(self.world.server.url.rsplit(":", 1)[1])

    def trusting(self):
        return ssl.create_default_context(cafile=self.certificates.path("root.pem"))

    def connect(self, context=None):
        """A kept-alive connection that has been used once."""
        connection = http.client.HTTPSConnection(*self.address, timeout=WAIT_S, context=context or self.trusting())
        use(connection)
        return connection

    def shown(self):
        """Who the server says it is to a new connection."""
        connection = self.connect()
        name = name_of(connection)
        connection.close()
        return name

    def log(self):
        with open(os.path.join(self.world.directory, "serve.err"), encoding="utf-8") as log:
            return log.read()

    def reload(self):
        self.world.server.process.send_signal(signal.SIGHUP)

    def wait_for(self, condition, what):
        until = time.time() + WAIT_S
        while not condition():
            check(time.time() < until, f"{what}: not within {WAIT_S} s; the log:\n{self.log()}")
            time.sleep(0.02)


def use(connection):
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    check(answer.status == 200 and b"live" in answer.read(), f"/healthz answers {answer.status}")


def name_of(connection):
    return dict(pair[0] for pair in connection.sock.getpeercert()["subject"])["commonName"]


def refused(connect):
    """What a connection ends in: the TLS library's word, or that the server has closed it."""
    try:
        connect()
    except ssl.SSLError as error:
        return "CLOSED" if error.reason == "UNEXPECTED_EOF_WHILE_READING" else error.reason
    except ConnectionResetError:
        return "CLOSED"
    return harness.fail("a connection was made that should have been refused")


# ---- what works ----

def check_calls(server):
    world = server.world
    check(world.server.url.startswith("https://127.0.0.1:"), world.server.url)
    world.import_devices(DEVICES)
    world.group()
    world.job("level", kind="property")
    world.wait("level")
    _, devices = harness.check_numbers(world, "level")
    check(len(devices) == DEVICES, f"{len(devices)} devices")
    link = world.expect(200, "GET", "/v1/jobs/level/devices?maxpagesize=10")["nextLink"]
    check(link.startswith(world.server.url + "/v1/jobs/level/devices?"), f"nextLink {link}")


def check_versions(server):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = server.trusting()
        context.minimum_version = context.maximum_version = version
        server.connect(context).close()


def check_client(server):
    """The command line believes the CA that it is given, and nobody else."""
    def run(*options, **variables):
        command = [os.path.join(server.world.build, "tranche"), "--server", server.world.server.url, *options, "job", "list",
                   "-o", "id"]
        environment = {**os.environ, "TRANCHE_TOKEN": server.world.token, **variables}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WAIT_S, check=False)

    root, stranger = server.certificates.path("root.pem"), server.certificates.path("stranger.pem")
    server.certificates.make("stranger", "authority")
    for good in (run("--ca-file", root), run(TRANCHE_CA_FILE=root), run("--ca-file", root, TRANCHE_CA_FILE=stranger)):
        check(good.returncode == 0 and good.stdout == "level\n", f"tranche job list: {good}")
    bad = run()
    check(bad.returncode == 1 and "certificate" in bad.stderr and "--ca-file" in bad.stderr, f"without a CA: {bad}")
    bad = run("--ca-file", stranger)
    check(bad.returncode == 1 and "certificate" in bad.stderr, f"with another CA: {bad}")


# ---- what is refused ----

def check_plain(server):
    """Plain HTTP gets no HTTP; the connection is closed."""
    with socket.create_connection(server.address, WAIT_S) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        got = b""
        try:
            while part := plain.recv(4096):
                got += part
        except ConnectionResetError:
            pass
        check(b"HTTP" not in got and b"live" not in got and len(got) < 64, f"plain HTTP was answered: {got!r}")
    use(server.connect())


def check_refusals(server):
    old = server.trusting()
    old.set_ciphers("DEFAULT@SECLEVEL=0")  # else it is the client that refuses
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    reason = refused(lambda: server.connect(old))
    check(reason in ("CLOSED", "TLSV1_ALERT_PROTOCOL_VERSION"), f"TLS 1.1: {reason}")
    reason = refused(lambda: server.connect(ssl.create_default_context()))
    check(reason == "CERTIFICATE_VERIFY_FAILED", f"without the root: {reason}")


def check_starts(server):
    """Pairs that cannot be served."""
    path = server.certificates.path
    with open(path("nonsense"), "w", encoding="utf-8") as nonsense:
        nonsense.write("nonsense\n")
    cases = [
        (["--tls-cert", path("first.pem")], "tls_cert and tls_key go together: tls_key is missing"),
        (["--tls-key", path("first.key")], "tls_cert and tls_key go together: tls_cert is missing"),
        (["--tls-cert", path("absent"), "--tls-key", path("first.key")],
         f'tls_cert: "{path("absent")}" cannot be read: No such file'),
        (["--tls-cert", path("nonsense"), "--tls-key", path("first.key")],
         f'tls_cert: "{path("nonsense")}" holds no PEM certificate'),
        (["--tls-cert", path("first.pem"), "--tls-key", path("nonsense")],
         f'tls_key: "{path("nonsense")}" holds no PEM key'),
        (["--tls-cert", path("first.pem"), "--tls-key", path("second.key")],
         f'tls_key: "{path("second.key")}" is not the key of the certificate "{path("first.pem")}"'),
    ]
    for options, message in cases:
        end = subprocess.run(
            [os.path.join(server.world.build, "tranche"), "serve", "--data", path("other"), "--listen", "127.0.0.1:0"]
            + options, capture_output=True, text=True, timeout=60, check=False)
        check(end.returncode == 6 and f"error: {message}" in end.stderr and end.stdout == "", f"{options}: {end}")


# ---- certificates that change ----

def check_reload(server):
    kept = server.connect()
    socket_before = kept.sock
    server.certificates.install("second.pem", "second.key")
    check(server.shown() == "first", "the certificate changed by itself")
    server.reload()
    server.wait_for(lambda: server.shown() == "second", "the new certificate")
    use(kept)
    check(kept.sock is socket_before and name_of(kept) == "first", "the old connection did not go on")
    kept.close()


def check_bad_reloads(server):
    for certificate, key, complaint in (("nonsense", "second.key", "holds no PEM certificate"),
                                        ("first.pem", "second.key", "is not the key of the certificate")):
        server.certificates.install(certificate, key)
        server.reload()
        server.wait_for(lambda: complaint in server.log(), "a complaint about a bad file")
        check(server.shown() == "second", "the old certificate did not stay")
    complaints = [line for line in server.log().splitlines() if "level=error" in line]
    check(len(complaints) == 2 and all("server.pem" in line for line in complaints), f"{complaints}")


def check_reloads_under_load(server):
    """Every handshake is with a whole certificate, however often they change."""
    seen, trouble, end = set(), [], threading.Event()

    def shake_hands():
        while not end.is_set():
            try:
                seen.add(server.shown())
            except (OSError, http.client.HTTPException) as error:
                trouble.append(repr(error))

    threads = [threading.Thread(target=shake_hands) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(40):
        name = ("first", "second")[turn % 2]
        server.certificates.install(name + ".pem", name + ".key")
        server.reload()
        time.sleep(0.05)
    end.set()
    for thread in threads:
        thread.join()
    check(not trouble, f"{len(trouble)} handshakes failed, the first with {trouble[:1]}")
    check(seen == {"first", "second"}, f"seen: {seen}")


def check_stop(server):
    """Neither a kept connection nor one in the middle of its handshake holds up the end."""
    kept = server.connect()
    silent = socket.create_connection(server.address, WAIT_S)
    silent.sendall(b"\x16\x03\x01")
    began = time.time()
    check(server.world.server.stop() == 0, "the server did not exit with 0")
    check(time.time() - began < WAIT_S, "the end was held up")
    kept.close()
    silent.close()


def check_without_tls(server):
    world = server.world
    world.server_options, world.context = server.plain_options, None
    world.start()
    server.reload()
    server.wait_for(lambda: "nothing to reload: TLS is off" in server.log(), "a word about SIGHUP without TLS")
    world.expect(200, "GET", "/api/jobs/level")
    check(world.server.url.startswith("http://") and world.server.stop() == 0, "the server did not go on without TLS")


def main(build):
    server = Server(build)
    try:
        server.world.start()
        server.world.context = server.trusting()
        for part in (check_calls, check_versions, check_client, check_plain, check_refusals, check_starts, check_reload,
                     check_bad_reloads, check_reloads_under_load, check_stop, check_without_tls):
            part(server)
            print(f"{part.__name__}: as it should be")
    finally:
        server.world.close()


if __name__ == "__main__":
    main(sys.argv[1])
