"""Malformed requests, made by the dozen from a seed: each is one that no server should do anything for.

A family is a method of Forge that answers a fresh Request. What it makes is wrong by construction and for a reason that the
request carries in its name, so that whoever answers it with success is wrong too. All but the families about tokens send a
good one: what is refused is refused for its own fault.
"""
import collections
import json
import random
import urllib.parse

GROUP_IN_USE = "all"    # the test makes it: jobs and changes that name it are wrong in one thing only
SMUGGLED = "smuggled"   # the group that truncated and smuggled requests try to make
VERSION = "api-version=2022-07-31"

ANSWER = "answer"       # an error in the contract's form
DOUBT = "doubt"         # may also be cut off, or refused by the HTTP library in its own form

# how the client ends: it stays and asks for something else, goes, ends its half, or resets the connection
STAY, LEAVE, HALF, RESET = "stay", "leave", "half", "reset"

CHUNK_LINE = "chunk line"  # the name of a request with which the library has a way of its own

Request = collections.namedtuple("Request", "name bytes expects statuses end")

WRONG_STRINGS = (1, -0.5, True, [], {}, ["x"], {"x": "y"})
WRONG_OBJECTS = (1, True, "x", [], [[]])
WRONG_FLAGS = (0, 1, "yes", [], {}, "TRUE ")
TOO_LONG = "x" * 5000   # no name is so long

JOB = {"group": GROUP_IN_USE, "displayName": "j", "description": "d", "batch": {"type": "number", "value": 5},
       "cancellationThreshold": {"type": "percentage", "value": 10, "batch": True},
       "data": [{"type": "property", "target": "dtmi:test:device;1", "path": "level", "value": 1}]}
SCHEDULE = {**JOB, "enabled": False, "schedule": {"start": "2099-03-09T02:00:00Z", "recurrence": "daily",
                                                  "end": {"type": "occurrences", "occurrences": 30}}}
GROUP = {"displayName": "g", "description": "d", "filter": "SELECT * FROM devices"}
DEVICE = {"displayName": "d", "template": "dtmi:test:device;1", "enabled": True, "simulated": False}
TEMPLATE = {"@type": ["ModelDefinition", "DeviceModel"], "displayName": "t", "capabilityModel": {
    "@id": "dtmi:test:model;1", "@type": "Interface", "contents": [{"@type": "Property", "name": "level", "schema": "double"}]}}
ORGANIZATION = {"displayName": "o"}
TOKEN = {"roles": [{"role": "ae2c9854-393b-4f97-8c42-479d70ce626e"}], "expiry": "2099-01-01T00:00:00Z"}

ABSENT = object()

NAMES = WRONG_STRINGS + (TOO_LONG,)
ORGANIZATIONS = (1, True, "x", {}, [], [1], [None], [[]], [""], ["a", "b"], ["nobody"], [TOO_LONG])
ETAGS = (1, True, [], {})
JOB_MEMBERS = [
    (("displayName",), NAMES), (("description",), NAMES), (("organizations",), ORGANIZATIONS),
    (("group",), WRONG_STRINGS + (ABSENT, None, "", "no such group", "a.b", "nobody", "x" * 256)),
    (("batch",), WRONG_OBJECTS),
    (("batch", "type"), WRONG_STRINGS + (ABSENT, None, "", "Number", "percent", "anzahl")),
    (("batch", "value"), (ABSENT, None, "1", [], {}, True, 0, -1, 0.5, 1e-30, -1e300)),
    (("cancellationThreshold",), WRONG_OBJECTS),
    (("cancellationThreshold", "type"), WRONG_STRINGS + (ABSENT, None, "", "PERCENTAGE")),
    (("cancellationThreshold", "value"), (ABSENT, None, "1", [], {}, False, -1, 100.0001, 101, 1e300)),
    (("cancellationThreshold", "batch"), (0, 1, [], {}, "yes", "TRUE", "")),
    (("data",), (ABSENT, None, 1, True, "x", {}, [], [1], [None], ["x"], [[]], [{}], [JOB["data"][0]] * 2000)),
    (("data", 0, "type"), WRONG_STRINGS + (ABSENT, None, "", "reboot", "Property JobData", "deviceManifestMigration")),
    (("data", 0, "target"), WRONG_STRINGS + (ABSENT, None, "", TOO_LONG)),
    (("data", 0, "path"), WRONG_STRINGS + (ABSENT, None, "", ".", "a.", ".b", "a.b.c", 'a"b', "a\\b", "a\nb", TOO_LONG)),
    (("data", 0, "value"), (ABSENT, None)),
]
END = ("schedule", "end")

# member (a path in the object) and what it may not be; ABSENT: the member is required
WRONG_MEMBERS = {
    "jobs": (JOB, JOB_MEMBERS),
    "scheduledJobs": (SCHEDULE, JOB_MEMBERS + [
        (("enabled",), WRONG_FLAGS), (("etag",), ETAGS), (("schedule",), WRONG_OBJECTS + (ABSENT, None)),
        (("schedule", "start"), WRONG_STRINGS + (ABSENT, None, "", "tomorrow", "2099-13-01T00:00:00Z", "2099-02-30T00:00:00Z",
                                                 "2099-01-01T25:00:00Z", "99999-01-01T00:00:00Z", "2099-01-01T00:00:00",
                                                 TOO_LONG)),
        (("schedule", "recurrence"), WRONG_STRINGS + ("", "hourly", "every day", TOO_LONG)), (END, WRONG_OBJECTS),
        ((*END, "type"), WRONG_STRINGS + (ABSENT, None, "", "never", "date")),
        ((*END, "occurrences"), (ABSENT, None, 0, -1, 1000, 1.5, "3", True, [], 1e300)),
        (END, ({"type": "date"}, {"type": "date", "date": 1}, {"type": "date", "date": "31.12.2099"},
               {"type": "date", "date": "2099-02-30"}, {"type": "date", "date": ""}, {"type": "date", "date": TOO_LONG})),
    ]),
    "deviceGroups": (GROUP, [
        (("displayName",), NAMES + (ABSENT, None, "")), (("description",), NAMES), (("etag",), ETAGS),
        (("filter",), WRONG_STRINGS + (ABSENT, None, "", "x" * 70000)), (("organizations",), ORGANIZATIONS),
    ]),
    "devices": (DEVICE, [
        (("displayName",), NAMES), (("template",), NAMES), (("enabled",), WRONG_FLAGS), (("simulated",), WRONG_FLAGS),
        (("etag",), ETAGS), (("organizations",), ORGANIZATIONS),
    ]),
    "deviceTemplates": (TEMPLATE, [
        (("displayName",), NAMES), (("etag",), ETAGS), (("@type",), (ABSENT, None, 1, True, {})),
        (("capabilityModel",), WRONG_OBJECTS + (ABSENT, None)),
        (("capabilityModel", "contents"), (1, True, "x", {}, [1], [None], [[]], [{}])),
        (("capabilityModel", "contents", 0, "name"), WRONG_STRINGS + (ABSENT, None, "", "a.b", "a b", TOO_LONG)),
        (("capabilityModel", "contents", 0, "@type"), (ABSENT, None, 1, True, {}, "Nothing")),
        (("capabilityModel", "contents", 0, "schema"),
         (1, True, "nothing", [], {}, {"@type": "Enum"}, {"@type": "Object", "fields": 1})),
    ]),
    "organizations": (ORGANIZATION,
                      [(("displayName",), NAMES), (("parent",), WRONG_STRINGS + ("nobody", "new", "A", TOO_LONG))]),
    "apiTokens": (TOKEN, [
        (("roles",), (ABSENT, None, 1, True, "x", {}, [], [1], [None], [[]], [{}], [{"role": "ae2c"}] * 1000)),
        (("roles", 0, "role"), WRONG_STRINGS + (ABSENT, None, "", "administrator ", "ae2c9854-393b-4f97-8c42-479d70ce626",
                                                TOO_LONG)),
        (("roles", 0, "organization"), WRONG_STRINGS + ("nobody", TOO_LONG)),
        (("expiry",), WRONG_STRINGS + ("", "never", "2099-02-30T00:00:00Z", "2099-01-01", TOO_LONG)),
    ]),
}
NEW = {"deviceTemplates": "dtmi:new:thing;1"}  # an id of each kind that nothing has; elsewhere "new"

LISTS = ("/api/jobs", "/api/scheduledJobs", "/api/deviceGroups", "/api/devices", f"/api/deviceGroups/{GROUP_IN_USE}/devices",
         "/api/deviceTemplates", "/api/organizations", "/api/apiTokens")
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 40)
# routes and the methods that they have
ROUTES = (("/api/jobs", "GET"), ("/api/jobs/j", "GET PUT"), ("/api/jobs/j/devices", "GET"), ("/api/jobs/j/stop", "POST"),
          ("/api/jobs/j/resume", "POST"), ("/api/jobs/j/rerun/k", "PUT"), ("/api/deviceGroups", "GET"),
          ("/api/deviceGroups/g", "GET PUT PATCH DELETE"), ("/api/devices", "GET"), ("/api/devices/d", "GET PUT PATCH DELETE"),
          ("/api/scheduledJobs", "GET"), ("/api/scheduledJobs/s", "GET PUT PATCH DELETE"), ("/api/scheduledJobs/s/jobs", "GET"),
          ("/api/deviceTemplates/dtmi:a:b;1", "GET PUT PATCH DELETE"), ("/api/organizations/o", "GET PUT PATCH DELETE"),
          ("/api/apiTokens/t", "GET PUT DELETE"), ("/api/roles", "GET"), ("/api/roles/r", "GET"), ("/v1/audit", "GET"),
          ("/api/devices/d/properties", "GET PUT PATCH"), ("/v1/devices/import", "POST"), ("/v1/imports", "GET"), ("/healthz", "GET"))


class Forge:
    """Makes requests with a good token, the same ones for the same seed."""

    def __init__(self, seed, token):
        self.random = random.Random(seed)
        self.token = token

    def make(self, count):
        """Every family in turn, so that each has its share whatever the count."""
        return [FAMILIES[i % len(FAMILIES)](self) for i in range(count)]

    # ---- parts ----

    def pick(self, *values):
        return self.random.choice(values)

    def rubbish(self, length_max=200):
        return self.random.randbytes(self.random.randint(1, length_max))

    def word(self, alphabet="abcXYZ019-_", length_max=12):
        return "".join(self.random.choices(alphabet, k=self.random.randint(1, length_max)))

    def head(self, method, path, headers, version="HTTP/1.1"):
        """Headers are (name, value) pairs of str or bytes."""
        line = f"{method} ".encode() + as_bytes(path) + f" {version}\r\n".encode()
        return line + b"".join(as_bytes(name) + b": " + as_bytes(value) + b"\r\n" for name, value in headers) + b"\r\n"

    def good_headers(self, body=b""):
        headers = [("Host", "localhost"), ("Authorization", self.token)]
        return headers + ([("Content-Type", "application/json"), ("Content-Length", len(body))] if body else [])

    def message(self, method, path, body=b"", headers=()):
        return self.head(method, path, self.good_headers(body) + list(headers)) + body

    def refused(self, name, method, path, body=b"", headers=(), statuses=(400,), end=STAY):
        return Request(name, self.message(method, path, body, headers), ANSWER, statuses, end)

    def good_put(self, version="HTTP/1.1"):
        """A request that would make a group."""
        body = json.dumps(GROUP).encode()
        return self.head("PUT", f"/api/deviceGroups/{SMUGGLED}?{VERSION}", self.good_headers(body), version) + body

    # ---- bytes ----

    def request_line(self):
        path = f"/api/jobs?{VERSION}"
        return Request("request line", self.pick(
            self.rubbish() + b"\r\n\r\n", b"\x00" * 40 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET /api/jobs\r\n\r\n", b"\r\n" * 50,
            f"GET {path} HTTP/{self.pick('9.9', '2.0', '1', '1.1.1', 'x.y', '-1.1')}\r\nHost: a\r\n\r\n".encode(),
            f"GET {path} {self.pick('HTTX/1.1', 'http/1.1', 'HTTP 1.1', '', 'SIP/2.0')}\r\nHost: a\r\n\r\n".encode(),
            f"{' ' * self.random.randint(1, 9)}GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
            b"GET /api/jo\x00bs HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /api/jobs\rX HTTP/1.1\r\nHost: a\r\n\r\n",
            b"M" * self.random.randint(1000, 90000) + b" / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /" + b"p" * self.random.randint(40000, 90000) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + self.rubbish(),
            f"GET {self.pick('http://other/api/jobs', '*', 'other:443', 'api/jobs', '?x')} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
        ), DOUBT, None, HALF)

    def header_lines(self):
        bad = self.pick(
            b"no colon", b": no name", b"a b: c", b"a(b): c", b"Na\x00me: x", b"X: \x00\x01\x7f", b" folded: x", b"\tfolded",
            b"X: " + b"v" * self.random.randint(50000, 120000), b"X\xff: " + self.rubbish(30).replace(b"\n", b""),
            b"\r\n".join(b"X-%d: y" % i for i in range(self.random.randint(300, 3000))), self.rubbish(100).replace(b"\n", b""))
        return Request("header line", b"GET /api/nothing HTTP/1.1\r\nHost: a\r\n" + bad + b"\r\n\r\n", DOUBT, None, HALF)

    def host(self):
        hosts = self.pick([], ["a", "b"], ["a", "a"], ["a/b"], ["a b"], ["a@b"], ["<a>"], ["a,b"], ['"'], [b"\xff"], ["a?b"])
        headers = [("Host", host) for host in hosts] + [("Authorization", self.token)]
        return Request("host", self.head("GET", f"/api/jobs?{VERSION}", headers), ANSWER, (400,), STAY)

    def lengths(self):
        """What follows the body is a request of its own to whoever believes the other length."""
        body = b'{"x":1}'
        fields = self.pick(
            [("Content-Length", self.pick("abc", "-1", "+7", "7,7", "0x7", "7 7", "7;", "9" * 30, "1e1", "\u0667"))],
            [("Content-Length", "7"), ("Content-Length", self.pick("7", "8", "0"))],
            [("Content-Length", "7"), ("Transfer-Encoding", "chunked")],
            [("Transfer-Encoding", "chunked"), ("Content-Length", "7")],
            [("Transfer-Encoding", self.pick("identity", "gzip", "xchunked", "chunked, chunked", "gzip, chunked", "chunked;x",
                                             '"chunked"'))],
            [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", self.pick("chunked", "identity"))],
            [("Transfer-Encoding ", "chunked")], [("Content-Length ", "7")])
        head = self.head("PUT", f"/api/deviceGroups/g?{VERSION}", self.good_headers() + fields)
        return Request("lengths", head + body + self.good_put(), DOUBT, (400, 413), LEAVE)

    def lengths_1_0(self):
        fields = self.good_headers() + [("Transfer-Encoding", "chunked")]
        return Request("chunked in HTTP/1.0",
                       self.head("PUT", f"/api/deviceGroups/g?{VERSION}", fields, "HTTP/1.0") + b"0\r\n\r\n", ANSWER, (400,),
                       LEAVE)

    def chunks(self):
        bad = self.pick(b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n", b"ffffffffffffffffff\r\n{}", b"2\r\n{}0\r\n\r\n",
                        b"2\n{}\n0\n\n?", b"\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"2 2\r\n{}\r\n0\r\n\r\n",
                        b"1\r\n{\r\n0\r\n\r\n", b"7fffffffffffffff\r\n{}", self.rubbish())
        fields = self.good_headers() + [("Transfer-Encoding", "chunked")]
        return Request("chunks", self.head("PUT", f"/api/deviceGroups/{SMUGGLED}?{VERSION}", fields) + bad, DOUBT, None, HALF)

    def chunk_line(self):
        fields = self.good_headers() + [("Transfer-Encoding", "chunked")]
        return Request(CHUNK_LINE, self.head("PUT", f"/api/deviceGroups/{SMUGGLED}?{VERSION}", fields)
                       + b"2;" + b"x" * self.random.randint(70000, 90000) + b"\r\n{}\r\n0\r\n\r\n", DOUBT, None, HALF)

    def truncated(self):
        whole = self.good_put()
        return Request("truncated", whole[:self.random.randrange(1, len(whole))], DOUBT, None, HALF)

    def abandoned(self):
        whole = self.good_put()
        return Request("abandoned", whole[:self.random.randrange(0, len(whole))], DOUBT, None, RESET)

    def short_length(self):
        """Less than the body has: what is read is cut JSON, what is left is no request."""
        body = json.dumps(GROUP).encode()
        fields = self.good_headers() + [("Content-Length", self.random.randrange(1, len(body)))]
        return Request("short length", self.head("PUT", f"/api/deviceGroups/g?{VERSION}", fields) + body, ANSWER, (400,), LEAVE)

    def too_large(self):
        fields = self.good_headers() + [("Content-Length", self.random.randrange(1 << 30, 1 << 62)), ("Expect", "100-continue")]
        path = f"/api/{self.pick('jobs/j', 'deviceGroups/g', 'devices/d')}?{VERSION}"
        return Request("too large", self.head("PUT", path, fields), ANSWER, (413,), LEAVE)

    # ---- JSON ----

    def put(self, name, kind, body, statuses):
        return self.refused(name, "PUT", f"/api/{kind}/{NEW.get(kind, 'new')}?{VERSION}", body, statuses=statuses)

    def any_object(self):
        kind = self.pick(*WRONG_MEMBERS)
        return kind, json.dumps(WRONG_MEMBERS[kind][0]).encode()

    def json_cut(self):
        kind, whole = self.any_object()
        at = self.random.randrange(len(whole))
        return self.put("JSON cut off", kind,
                        self.pick(whole[:at] or b" ", whole + self.pick(b"}", b"{}", b",", b"\x00", b"x")), (400,))

    def json_grammar(self):
        """A member more, whose value is none."""
        kind, whole = self.any_object()
        value = self.pick(b"NaN", b"Infinity", b"-", b"01", b"+1", b".5", b"1.", b"1e", b"0x1", b"'x'", b"x", b"tru", b"True",
                          b"", b"[1,]", b'{"a":1,}', b"[1 2]", b'{"a" 1}', b"{a:1}", b'{"a":}', b"/*x*/1", b"1//x", b'"\\x"',
                          b'"\\u12"', b'"\\u12G4"', b'"\n"', b'"\x00"', b'"\x1f"', b'"open', b"\xef\xbb\xbf1",
                          self.rubbish(1) + b"?")
        return self.put("JSON grammar", kind, whole[:-1] + b',"more":' + value + b"}", (400,))

    def json_text(self):
        """Strings that are no text, and texts that are no UTF-8."""
        kind, whole = self.any_object()
        value = self.pick(b"\\ud800", b"\\udc00\\ud800", b"\\ud800x", b"\\uDBFF\\u0041", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80",
                          b"\xf5\x80\x80\x80", b"\xe2\x82", b"\x80", b"\xf4\x90\x80\x80",
                          b"\xc1\xbf")
        body = self.pick(whole[:-1] + b',"more":"' + value + b'"}', whole[:-1] + b',"' + value + b'":1}',
                         whole.decode().encode("utf-16"), b"\xef\xbb\xbf" + whole)
        return self.put("JSON text", kind, body, (400,))

    def json_twice(self):
        kind, whole = self.any_object()
        name = self.pick(*WRONG_MEMBERS[kind][0])
        more = self.pick(f'"{name}":1', f'"\\u{ord(name[0]):04x}{name[1:]}":1', '"m":{"a":1,"b":2,"a":3}',
                         '"m":[[{"":0,"":0}]]')
        return self.put("duplicate member", kind, whole[:-1] + b"," + more.encode() + b"}", (400,))

    def json_deep(self):
        kind, whole = self.any_object()
        depth = self.random.choice((40, 100, 1000, 20000, 100000))
        left, right = self.pick((b"[", b"]"), (b'{"a":', b"}"))
        value = left * depth + b"1" + right * self.pick(depth, 0, depth + 1)
        return self.put("JSON depth", kind, self.pick(value, whole[:-1] + b',"m":' + value + b"}"), (400,))

    def json_number(self):
        """Amounts that no batch and no threshold can have."""
        number = self.pick(b"1e999", b"-1e999", b"9" * 400, b"0." + b"9" * 400, b"1e-999", b"1" + b"0" * 19,
                           b"-0.0000000000000000001", b"184467440737095516160",
                           b"1.0000000000000000000000000001")
        member = self.pick("batch", "cancellationThreshold")
        job = json.dumps({**JOB, member: {"type": self.pick("number", "percentage"), "value": "here"}}).encode()
        return self.put("huge number", "jobs", job.replace(b'"here"', number), (400, 422))

    def json_scalar(self):
        body = self.pick(b"[]", b"1", b"null", b"true", b'"x"', b'[{"group":"all"}]', b"-0", b" [ ] ")
        return self.put("no object", self.pick(*WRONG_MEMBERS), body, (422,))

    def json_empty(self):
        return self.put("empty body", self.pick(*WRONG_MEMBERS), self.pick(b"", b" ", b"\r\n\t "), (400,))

    def wrong_member(self):
        kind = self.pick(*WRONG_MEMBERS)
        whole, members = WRONG_MEMBERS[kind]
        path, values = self.pick(*members)
        body = with_member(whole, path, self.pick(*values))
        return self.put(f"member {kind} {path}", kind, json.dumps(body).encode(), (422, 413))

    def wrong_patch(self):
        kind, known = self.pick(("deviceGroups", GROUP_IN_USE), ("devices", "new"))
        path, values = self.pick(*WRONG_MEMBERS[kind][1])
        value = self.pick(*(value for value in values if value is not ABSENT))
        body = json.dumps({path[0]: value}).encode()
        return self.refused(f"patch {kind} {path}", "PATCH", f"/api/{kind}/{known}?{VERSION}", body, statuses=(422, 404))

    # ---- paths and ids ----

    def escapes(self):
        bad = self.pick("%", "%0", "%G0", "%0G", "%%", "%u0041", "%-1", "%+1", "% 1", "%00", "a%00b")
        path = self.pick(f"/api/jobs/{bad}", f"/api/{bad}/x", f"/{bad}", f"/api/devices/a{bad}/properties",
                         f"/api/jobs?{VERSION}&x={bad}",
                         f"/api/jobs?{bad}=1&{VERSION}")
        # a blank ends the path: the rest is no version of HTTP
        return Request("escapes", self.message("GET", path), DOUBT if " " in path else ANSWER, (400,), LEAVE)

    def unknown_path(self):
        path = self.pick("/", "//", "/api", "/api/", "/api//jobs", "/api/jobs/", "/api/./jobs", "/api/../api/jobs",
                         "/api/%2e%2e/api/jobs", "/api/jobs/j/../j", "/v1/../api/jobs", "/api/jobs%2fj", "/API/jobs",
                         "/api/Jobs", "/api/jobs;x=1", "/api/query", "/api/deviceTemplates/dtmi:a:b;1/x",
                         "/api/deviceTemplates/dtmi:a,b;1,2/x", "/api/jobs/j/devices/d", "/v1/x", "/etc/passwd",
                         "/api/jobs/j/stop/", "/api" + "/a" * self.random.randint(1, 2000), "/" + self.word(length_max=60),
                         "/%ff%fe/%c0%af", "/api/jobs/j%0d%0aX:%20y/none", "/api\\jobs",
                         "/" + "%2e" * self.random.randint(1, 500))
        return self.refused("unknown path", self.pick("GET", "PUT", "DELETE"), f"{path}?{VERSION}", statuses=(404,))

    def unknown_object(self):
        """Reads, orders and deletions of what there is not."""
        thing = self.pick("a;b", "a,b", "dtmi:a:b;1", "..%2f..", "%ff", "%e2%82", "%c3", "%f0%9f%92", "'", "%22", "%0a", "%7f",
                          "\x80", "*", "a%2fb", "a" * self.random.choice((127, 128, 129, 255, 256, 9000)),
                          "%f0%9f%92%a9" * 40, "a" * 127 + "%c3%a9", "a" * 254 + "%c3%a9",
                          "-" + self.word())
        thing = urllib.parse.quote(thing, safe="%;,:'*")
        method, path = self.pick(("GET", "/api/jobs/{}"), ("GET", "/api/jobs/{}/devices"), ("POST", "/api/jobs/{}/stop"),
                                 ("POST", "/api/jobs/{}/resume"), ("PUT", "/api/jobs/{}/rerun/k"),
                                 ("GET", "/api/deviceGroups/{}"), ("DELETE", "/api/deviceGroups/{}"),
                                 ("GET", "/api/deviceGroups/{}/devices"), ("GET", "/api/devices/{}"),
                                 ("DELETE", "/api/devices/{}"), ("GET", "/api/devices/{}/properties"),
                                 ("GET", "/api/devices/{}/components/c/properties"), ("GET", "/v1/jobs/{}/progress"),
                                 ("GET", "/v1/jobs/{}/devices"), ("GET", "/v1/jobs/{}/failures"),
                                 ("GET", "/v1/jobs/{}/batches"), ("GET", "/v1/imports/{}"),
                                 ("GET", "/v1/deviceGroups/{}/count"))
        return self.refused("unknown object", method, path.format(thing) + f"?{VERSION}", statuses=(404, 422))

    def wrong_id(self):
        common = ["%2f", ".", "..", "%20", "a%20b", "%ff", "%c3%a9", "%0d%0a", "a%22", "<a>", "a" * 256, "a" * 20000, "a;b",
                  "a|b", "a&b"]
        kind = self.pick(*WRONG_MEMBERS)
        thing = urllib.parse.quote(self.pick(*common,
                                             *(["a:b", "a.b", "a,b", "$a", "a'b"] if kind != "devices" else ["a" * 129])),
                                   safe="%;:,.")
        rerun = kind == "jobs" and self.random.random() < 0.3
        path = f"/api/jobs/j/rerun/{thing}" if rerun else f"/api/{kind}/{thing}"
        body = b"" if rerun else json.dumps(WRONG_MEMBERS[kind][0]).encode()
        return self.refused("wrong id", "PUT", f"{path}?{VERSION}", body, statuses=(422,))

    def method(self):
        path, has = self.pick(*ROUTES)
        method = self.pick(*(method for method in METHODS if method not in has.split()))
        return self.refused("method", method, f"{path}?{VERSION}", statuses=(405,))

    # ---- query ----

    def version(self):
        value = self.pick("", "2022-07-3", "2022-07-31 ", "2021", "2.0", "latest", "%ff", "x" * 3000, "2022-07-31%2c1.0",
                          "PREVIEW", "'")
        query = self.pick(*[(f"api-version={urllib.parse.quote(value, safe='%')}", (404,))] * 3,
                          (f"{VERSION}&api-version=1.0", (400,)), ("api-version", (404, 400)), ("", (400,)),
                          ("API-VERSION=2022-07-31", (400,)), ("api_version=1.0", (400,)),
                          ("&&&===&", (400,)))
        method, path = self.pick(("GET", "/api/jobs"), ("POST", "/api/jobs/j/stop"),
                                 ("DELETE", f"/api/deviceGroups/{GROUP_IN_USE}"), ("GET", "/api/devices"),
                                 ("PUT", "/api/jobs/j"))
        return self.refused("api-version", method, f"{path}?{query[0]}", statuses=query[1])

    def paging(self):
        value = self.pick("0", "-1", "-99999999999999999999", "abc", "", "1.5", "1e2", "0x10", "%2b5", "%201", "1%20", "10,5",
                          "١", "true", "'1'", "--1")
        token = self.pick("", "AAAA", "====", "%00x", "djE6", "ZzpwdW1w!", "x" * 3000, "djE6LTE", "b2g6", "%ff",
                          "djE6OTk5OTk5OTk5OTk5OTk5OTk5OTk5")
        query = self.pick(f"maxpagesize={value}", f"$top={value}", f"%24top={value}&maxpagesize=5", f"$skiptoken={token}",
                          f"%24skiptoken={token}", "maxpagesize=1&maxpagesize=2",
                          "$skiptoken=djE6MQ&$skiptoken=djE6Mg")
        return self.refused("paging", "GET", f"{self.pick(*LISTS)}?{VERSION}&{urllib.parse.quote(query, safe='%$&=')}",
                            statuses=(400, 422))

    def too_many_parameters(self):
        pairs = "&".join(f"p{i}=1" for i in range(self.random.randint(200, 800)))
        return self.refused("many parameters", "GET", f"/api/jobs?{VERSION}&{pairs}")

    def order(self):
        value = self.pick("id", "displayName up", "displayName,id", "", "displayName desc desc", "1;DROP TABLE device", "%ff",
                          "x" * 3000, "-displayName")
        return self.refused("orderby", "GET",
                            f"/api/devices?{VERSION}&{self.pick('orderby', '$orderby')}={urllib.parse.quote(value, safe='%')}",
                            statuses=(422,))

    # ---- filters ----

    def predicate(self):
        field, value = self.pick(("$template", '"dtmi:a;1"'), ("$id", "'d1'"), ("$enabled", "true"), ("$simulated", "FALSE"),
                                 ("level", "5"), ("a.b", '"x"'),
                                 ("site", "-1.5e3"))
        return f"{field} {self.pick('=', '!=', '<>')} {value}"

    def good_filter(self):
        parts = [self.predicate() for _ in range(self.random.randint(1, 5))]
        condition = parts[0]
        for part in parts[1:]:
            condition += f" {self.pick('AND', 'or')} {self.pick(part, f'({part})')}"
        return f"SELECT * FROM devices WHERE {condition}"

    def bad_filter(self):
        """One rule of the grammar is broken."""
        good = self.good_filter()
        return self.pick(
            good.replace("SELECT", self.pick("", "SELEKT", "DELETE", "SELECT SELECT"), 1),
                         good.replace("*", self.pick("", "id", "**", "count(*)"), 1),
            good.replace("FROM", self.pick("", "FRM", "INTO"), 1),
                         good.replace("devices", self.pick("", "jobs", "devices, jobs", "'devices'"), 1),
            good.replace("WHERE", self.pick("", "WHEN", "WHERE WHERE"), 1),
                         good + self.pick(" AND", " OR", " (", " )", ";", " LIMIT 1", " ORDER BY x", "\x00", '"', "--"),
            good + f" AND {self.pick('$colour', '$', 'a.', '.a', 'a..b', '1a', 'select', '$Template', 'a b', '$ts')} = 1",
            good + f" AND level {self.pick('eq', '==', '=>', '=<', '!', '<<', 'LIKE', 'IS', '~', '')} 1",
            good + f" AND level = {self.pick('', 'x', 'null', '1.2.3', '1e', '--1', '1e999', chr(34), 'NaN', '[1]', '(1)', '$id')}",
            good + f" AND $enabled {self.pick('= 1', '= ' + chr(34) + 'true' + chr(34), '< true', 'IN [1]')}",
            good + f" AND level IN {self.pick('', '[', '[]', '[1', '[1,', '[1,]', '[1 2]', '(1,2)', '[[1]]', '1')}",
            good + " AND NOT level = 1", good + " AND level CONTAINS 1",
                         good + " AND " + "(" * self.random.randint(1, 9) + "level = 1",
            good + " AND " + "(" * 5000 + "level = 1" + ")" * 5000, good + " AND level = 1" * 20000,
                         good.replace(" = ", " ☃ ") + " ☃",
            good[:self.random.randrange(len("SELECT * FROM "))], self.word(" ()[]<>=!'\"$*.,;", 80))

    def group_filter(self):
        body = json.dumps({"displayName": "g", "filter": self.bad_filter()}).encode()
        method, path = self.pick(("PUT", "new"), ("PUT", GROUP_IN_USE), ("PATCH", GROUP_IN_USE))
        return self.refused("group filter", method, f"/api/deviceGroups/{path}?{VERSION}", body, statuses=(400, 422))

    def explained_filter(self):
        text = self.bad_filter().replace("\x00", ")")
        while len(text) > 5000:
            text = self.bad_filter().replace("\x00", ")")
        return self.refused("explained filter", "GET", f"/v1/filters/explain?filter={urllib.parse.quote(text)}",
                            statuses=(422,))

    def device_filter(self):
        text = self.pick("", "id", "id eq", "id eq 1", "id eq 'x", "id == 'x'", "id eq 'x' and", "and id eq 'x'", "(id eq 'x'",
                         "id eq 'x')", "colour eq 'x'", "enabled eq 'true'", "enabled gt true", "contains(id,'x')",
                         "contains(displayName)", "contains(displayName,1)", "not id eq 'x'",
                         "(" * 500 + "id eq 'x'" + ")" * 500, "id in ['x']", "%ff", self.word(" ()'eqid,", 40) + "~",
                         "id eq 'x' or or id eq 'x'")
        return self.refused("device filter", "GET",
                            f"/api/devices?{VERSION}&{self.pick('filter', '$filter')}={urllib.parse.quote(text, safe='%')}",
                            statuses=(422,))

    # ---- conditions and tokens ----

    def if_match(self):
        tag = self.pick('"x"', "x", 'W/"x"', '"', '""', '"x","y"', "x,,y,", ",", '"*"', "**", "W/*", '"g-', "g-", "%2a",
                        b"\xff\xfe", "x" * 5000, ", ".join(f'"{i}"' for i in range(500)),
                        "")
        body = json.dumps({"displayName": "changed", "filter": "SELECT * FROM devices"}).encode()
        method = self.pick("PUT", "PATCH", "DELETE")
        return self.refused("If-Match", method, f"/api/deviceGroups/{GROUP_IN_USE}?{VERSION}",
                            b"" if method == "DELETE" else body, headers=[("If-Match", tag)],
                            statuses=(412,))

    def if_match_nothing(self):
        kind = self.pick("deviceGroups", "devices", "scheduledJobs", "deviceTemplates", "organizations")
        body = json.dumps(WRONG_MEMBERS[kind][0]).encode()
        return self.refused("If-Match of nothing", "PUT", f"/api/{kind}/{NEW.get(kind, 'new')}?{VERSION}", body,
                            headers=[("If-Match", self.pick("*", '"x"'))], statuses=(412,))

    def authorization(self):
        scheme, rest = self.token.split(" ", 1)
        changed = list(rest)
        at = rest.index("sig=") + 4 + self.random.randrange(40)
        changed[at] = "A" if changed[at] != "A" else "B"
        value = self.pick(None, "", " ", scheme, "Bearer", "Bearer ", "Basic dGVzdDp0ZXN0", "Bearer " + self.word(),
                          f"{scheme} " + "".join(changed), rest,
                          f"{scheme} {rest[:self.random.randrange(rest.index('skn='))]}", scheme + rest,
                          f"{scheme} sig=&skn=&se=", f"{scheme} &&&===", f"{scheme} sr=x&sig=%&skn=test&se=1",
                          f"{scheme} sig={'A' * 43}%3D&skn=test", f"{scheme} sig={'A' * 44}&skn={'x' * 300}",
                          b"Bearer \xff\xfe", f"{scheme} " + "x" * 20000, f"{scheme} {rest.replace('skn=test', 'skn=other')}",
                          "Negotiate " + "A" * 3000,
                          f"{scheme} {rest.replace('skn=test', 'skn=te%00st')}")
        headers = [("Host", "localhost")] + ([("Authorization", value)] if value is not None else [])
        method, path = self.pick(("GET", "/api/jobs"), ("DELETE", f"/api/deviceGroups/{GROUP_IN_USE}"),
                                 ("POST", "/api/jobs/j/stop"), ("GET", "/v1/imports"))
        return Request("authorization", self.head(method, f"{path}?{VERSION}", headers), ANSWER, (401, 429), STAY)

    # ---- import ----

    def import_lines(self):
        line = self.pick(b"nonsense", b'{"id":1}', b"{}", b'{"id":"bad id"}', b'{"id":"d","colour":1}',
                         b'{"id":"d","enabled":"x"}', b'{"id":"d"', b"[]", b'{"id":"' + b"x" * 200 + b'"}', b"\xff\xfe",
                         b'{"id":"d","id":"e"}', b'{"id":"\\ud800"}', b"[" * 1000,
                         self.rubbish().replace(b"\n", b"") + b"{")
        body = b'{"id":"imported-1"}\n' + line + b'\n{"id":"imported-2"}\n'
        return self.refused("import line", "POST", "/v1/devices/import?all_or_nothing=true", body, statuses=(422,))

    def import_query(self):
        query = self.pick("all_or_nothing=yes", "format=xml", "id=a.b", "id=%ff", "id=" + "x" * 300,
                          "all_or_nothing=true&all_or_nothing=false",
                          "format=ndjson&format=csv")
        return self.refused("import query", "POST", f"/v1/devices/import?{query}", b'{"id":"imported-3"}\n',
                            statuses=(400, 422))


FAMILIES = [
    Forge.request_line, Forge.header_lines, Forge.host, Forge.lengths, Forge.lengths_1_0, Forge.chunks, Forge.chunk_line,
            Forge.truncated, Forge.abandoned,
    Forge.short_length, Forge.too_large, Forge.json_cut, Forge.json_grammar, Forge.json_text, Forge.json_twice, Forge.json_deep,
    Forge.json_number, Forge.json_scalar, Forge.json_empty, Forge.wrong_member, Forge.wrong_member, Forge.wrong_member,
            Forge.wrong_patch,
    Forge.escapes, Forge.unknown_path, Forge.unknown_object, Forge.wrong_id, Forge.method, Forge.version, Forge.paging,
    Forge.too_many_parameters, Forge.order, Forge.group_filter, Forge.explained_filter, Forge.device_filter, Forge.if_match,
    Forge.if_match_nothing, Forge.authorization, Forge.import_lines, Forge.import_query,
]


def as_bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


def with_member(whole, path, value):
    """A copy of the object in which the member at the path has this value, or is not there."""
    copy = json.loads(json.dumps(whole))
    place = copy
    for name in path[:-1]:
        place = place[name]
    if value is ABSENT:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy
