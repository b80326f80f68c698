"""What the contract of /api promises, as a model: which answers to a call are right, and what follows from the one that came.

Pure: no I/O, no clock. It knows nothing of the server but its answers. A call is asked for by the name of an operation
(Model.OPERATIONS) and comes as a Call: the request, the statuses that are right, and `learn`, which takes the answer and
raises Divergence when it cannot be right. Where the contract leaves the moment open (when does a job start, has this device
been called yet) the model holds all that is possible: sets of states, bounds of a membership, the ends a device may take.

A noun with an etag is a Registry: a path and what its objects look like. Jobs are a noun of their own.
"""
import math
from fractions import Fraction

OVER = {"complete", "cancelled", "failed"}
SETTLED = OVER | {"stopped"}
TEMPLATES = ["dtmi:model:a;1", "dtmi:model:b;1"]

# What the model lets pass although the contract says otherwise, or more. Without an entry here it is strict.
EXCLUDED = {
    "unassigned device in a group": "7.2 has none; the server goes by the filter alone",
    "group by a fresh value": "7.2: a group is live; the server's lists and counts follow a property job's values a moment later",
    "rerun while stopping": "6.6: 200, as it is shown as stopped; the server says 409 until the last calls have ended",
    "resume of a pending job": "6.6: 409; design 2.4: 204 if it was resumed before and waits in the queue",
}

# What the contract leaves open, and any answer passes: which of two faults of one call is named (unknown group and taken id, bad
# body and unknown id); a device that is deleted or made anew while a job holds it fails, or ends as the new one does. What has
# no noun yet: templates, so neither `target` nor `path` of a job is looked at (14.2); organizations.


class Divergence(Exception):
    """The server's answer and the contract do not agree."""


def require(condition, text):
    if not condition:
        raise Divergence(text)


class Call:
    def __init__(self, method, path, statuses, body=None, headers=None, learn=None, pages=False):
        self.method, self.path, self.statuses = method, path, statuses
        self.body, self.headers, self.pages = body, headers or {}, pages
        self.learn = learn or (lambda status, answer, headers: None)


# ---- the arithmetic of 6.4 and 6.5, in fractions ----

def exact(number):
    return Fraction(str(number))


def batch_size(batch, count):
    if batch is None:
        return max(count, 1)
    kind, value = batch
    return int(exact(value)) if kind == "number" else max(1, math.ceil(count * exact(value) / 100))


def cut(members, batch):
    size = batch_size(batch, len(members))
    return [members[first:first + size] for first in range(0, len(members), size)]


def is_exceeded(threshold, failed, base):
    kind, value, _ = threshold
    return failed > exact(value) if kind == "number" else failed * 100 > exact(value) * base


def failures_allowed(threshold, base):
    kind, value, _ = threshold
    return math.floor(exact(value) if kind == "number" else exact(value) * base / 100)


def trip(threshold, batches, failed):
    """The first batch with which the failed devices exceed the threshold; None if they do not."""
    before, total = 0, sum(len(batch) for batch in batches)
    for index, batch in enumerate(batches if threshold is not None else []):
        here = sum(device in failed for device in batch)
        before += here
        count, base = (here, len(batch)) if threshold[2] else (before, total)
        if is_exceeded(threshold, count, base):
            return index
    return None


# ---- filters (section 7): predicates joined by AND ----

def filter_text(predicates):
    def literal(value):
        return f'"{value}"' if isinstance(value, str) else str(value).lower()
    terms = [f"{field} {operator} {literal(value)}" for field, operator, value in predicates]
    return "SELECT * FROM devices" + (" WHERE " + " AND ".join(terms) if terms else "")


def is_met(found, operator, value):
    if found is None or isinstance(found, str) != isinstance(value, str):
        return False
    return {"=": found == value, "!=": found != value, ">": found > value, "<=": found <= value}[operator]


def may_match(predicates, device, late):
    """(certainly, possibly): whether the group holds the device, by values it had at any time if `late`. One without a template
    is in no group (7.2)."""
    sure = device.body.get("template") is not None
    possible = sure or "unassigned device in a group" in EXCLUDED
    for field, operator, value in predicates:
        found = {device.body.get(field[1:])} if field[0] == "$" else (device.past if late else device.values)[field]
        met = [is_met(one, operator, value) for one in found]
        sure, possible = sure and all(met), possible and any(met)
    return sure, possible


# ---- nouns with an etag: groups and devices (2.4, 3.3, 3.4) ----

ETAGS = ["none", "body", "bare", "header", "star", "both", "stale body", "stale header", "half"]


class Record:
    def __init__(self, generation):
        self.generation, self.body, self.etag = generation, None, None
        self.values = {path: {None} for path in ("level", "mode", "site")}  # of a device: all that each may be now
        self.past = {path: {None} for path in self.values}                  # and may have been


class Registry:
    """Objects that are put, patched, deleted, read and listed. `changed(id)` is called when one has become another."""

    def __init__(self, path, standard, required, changed):
        self.path, self.standard, self.required, self.changed = path, standard, required, changed
        self.records, self.made = {}, 0
        self.spent = {}  # etags given so far, and what each stood for

    def present(self, name):
        return self.records.get(name)

    def tag(self, name, how, may_have_body=True):
        """(members for the body, headers, whether they all match)"""
        record = self.present(name)
        current = record.etag if record else '"none-1"'
        stale = next((tag for tag in reversed(self.spent.get(name, {})) if tag != current), '"none-0"')
        body, header = {
            "none": (None, None), "body": (current, None), "bare": (current.strip('"'), None), "header": (None, current),
            "star": (None, "*"), "both": (current, current), "stale body": (stale, None), "stale header": (None, stale),
            "half": (current, stale)}[how]
        if not may_have_body:
            body, header = None, header or body
        matches = how == "none" or (record is not None and how not in ("stale body", "stale header", "half"))
        return {"etag": body} if body else {}, {"If-Match": header} if header else {}, matches

    def show(self, name, record, answer, headers=None):
        shown = {key: value for key, value in answer.items() if key not in ("etag", "provisioned")}
        wanted = {"id": name, **{key: value for key, value in record.body.items() if value is not None}}
        require(shown == wanted, f"{self.path}/{name}: expected {wanted}, found {shown}")
        require(record.etag in (None, answer.get("etag")), f"{self.path}/{name}: the etag changed without a write")
        require(headers is None or headers["ETag"] == answer["etag"], f"{self.path}/{name}: ETag is not the body's etag")

    def learn_written(self, name, body):
        def learn(status, answer, headers):
            if status != 200:
                return
            record = self.present(name)
            if record is None:
                self.made += 1
                record = self.records[name] = Record(self.made)
            before, previous = record.body, record.etag
            record.body, record.etag = body, None
            self.show(name, record, answer, headers)
            require(before in (None, body) or answer["etag"] != previous, f"{self.path}/{name}: changed, but not its etag")
            record.etag = answer["etag"]
            spent = self.spent.setdefault(name, {})
            require(spent.setdefault(record.etag, body) == body, f"{self.path}/{name}: {record.etag} was another's before")
            self.changed(name)
        return learn

    def put(self, name, members, how):
        tag, headers, matches = self.tag(name, how)
        return Call("PUT", f"/api/{self.path}/{name}", {200} if matches else {412}, {**members, **tag}, headers,
                    self.learn_written(name, {**self.standard, **members}))

    def patch(self, name, members, how):
        record = self.present(name)
        tag, headers, matches = self.tag(name, how)
        statuses = {404} if record is None else {200} if matches else {412}
        if any(members.get(key, "") is None for key in self.required):
            statuses = {422} if statuses == {200} else statuses | {422}
        return Call("PATCH", f"/api/{self.path}/{name}", statuses, {**members, **tag}, headers,
                    self.learn_written(name, {**record.body, **members} if record else None))

    def delete(self, name, how):
        _, headers, matches = self.tag(name, how, may_have_body=False)
        statuses = {404} if self.present(name) is None else {204} if matches else {412}

        def learn(status, answer, headers):
            if status == 204:
                del self.records[name]
                self.changed(name)
        return Call("DELETE", f"/api/{self.path}/{name}", statuses, headers=headers, learn=learn)

    def get(self, name):
        record = self.present(name)
        return Call("GET", f"/api/{self.path}/{name}", {200} if record else {404},
                    learn=lambda status, answer, headers: status == 404 or self.show(name, record, answer, headers))

    def list(self, page):
        def learn(status, answer, headers):
            found = {one["id"]: one for one in answer}
            require(len(found) == len(answer), f"{self.path}: one is listed twice")
            require(found.keys() == self.records.keys(),
                    f"{self.path}: expected {sorted(self.records)}, found {sorted(found)}")
            for name, one in found.items():
                self.show(name, self.records[name], one)
        return Call("GET", f"/api/{self.path}{page_of(page)}", {200}, learn=learn, pages=True)


def page_of(page):
    return f"?maxpagesize={page}" if page else ""


# ---- a job ----

CLASSES = {"property": "PropertyJobData", "command": "CommandJobData", "cloudProperty": "CloudPropertyJobData"}
PATHS = {"property": ["level", "mode"], "command": ["reboot", "selfTest"], "cloudProperty": ["site"]}
SPELLINGS = ["plain", "class", "upper", "official", "reversed", "more"]

# How a device may end in a job, the status that is shown, and the calls it takes: by the gateway or inside the server.
ENDS = {"ok": "completed", "inside": "completed", "fail": "failed", "refused": "failed"}


def job_body(spec, spelling):
    """The body of a PUT. All spellings of one spec are one definition (6.10)."""
    kind = spec["kind"]
    word = {"class": CLASSES[kind], "upper": kind.upper()}.get(spelling, kind)
    body = {"displayName": spec["name"], "group": spec["group"],
            "data": [{"type": word, "target": TEMPLATES[0], "path": path, "value": spec["value"]}
                     for path in PATHS[kind][:spec["steps"]]]}
    if spec["batch"]:
        body["batch"] = {"type": spec["batch"][0], "value": spec["batch"][1]}
    if spec["threshold"]:
        amount, value, per_batch = spec["threshold"]
        body["cancellationThreshold"] = {"type": amount, "value": value, "batch": per_batch}
        if spelling == "official":  # what the official command line makes of it (4.2)
            body["cancellationThreshold"]["batch"] = "true" if per_batch else "number"
    if spelling == "more":  # read-only and unknown members do not count
        body.update(id="another", status="complete", progress={"total": 1}, colour="red")
    return dict(reversed(list(body.items()))) if spelling == "reversed" else body


def job_shown(name, spec, body):
    """What the server shows of the definition; `type` in the spelling of the client that made it."""
    shown = {"id": name, **{key: body[key] for key in ("displayName", "group", "batch", "data") if key in body}}
    if spec["threshold"]:
        amount, value, per_batch = spec["threshold"]
        shown["cancellationThreshold"] = {"type": amount, "value": value, "batch": per_batch}
    return shown


class Job:
    def __init__(self, name, spec, shown, window, origin=None):
        self.name, self.spec, self.shown, self.origin = name, spec, shown, origin
        self.window = window.get(spec["kind"], math.inf)  # devices that may be on their way at once
        self.states = {"pending"}
        self.rested = False          # nothing is in flight, as far as was seen since the last call that may change it
        self.frozen = False          # certainly
        self.group_gone = False      # while it may not have been frozen
        self.sure, self.possible = set(), set()   # bounds of the membership
        self.estimate = None         # total while it is not frozen
        self.ends, self.born = {}, {}             # of devices: all ends they may take; their generation at the start
        self.final = {}              # statuses seen that cannot change any more
        self.counts = {"completed": 0, "failed": 0}
        self.crashes = 0             # while it was not at rest
        self.lives = 1               # and one more with each resume
        self.origin_lives = origin.lives if origin else 0
        self.known = False           # it rested, and all its devices were seen then
        self.alone = True            # no other job has written values since it was known, or made

    kind = property(lambda self: self.spec["kind"])
    is_command = property(lambda self: self.kind == "command")
    members = property(lambda self: sorted(self.sure) if self.sure == self.possible else None)
    unknown_max = property(lambda self: self.crashes * self.window if self.is_command else 0)

    def batches(self):
        return cut(self.members, self.spec["batch"])

    def statuses_of(self, device):
        seen = self.final.get(device)
        return {seen} if seen else {ENDS[end] for end in self.ends[device]}

    def may_trip(self):
        if self.spec["threshold"] is None or self.members is None or self.unknown_max:
            return self.spec["threshold"] is not None
        failed = {device for device in self.members if "failed" in self.statuses_of(device)}
        return trip(self.spec["threshold"], self.batches(), failed) is not None

    def must_trip(self):
        if self.spec["threshold"] is None or self.members is None:
            return False
        failed = {device for device in self.members if self.statuses_of(device) == {"failed"}}
        return trip(self.spec["threshold"], self.batches(), failed) is not None

    def now(self):
        """All states it may be in by now."""
        if self.rested:
            return set(self.states)
        states = set(self.states)
        if "pending" in states:
            states |= {"running"} | ({"failed"} if self.group_gone else set())
        if "running" in states:
            states |= ({"complete"} if not self.must_trip() else set()) | ({"cancelled"} if self.may_trip() else set())
        if "stopped" in states and self.may_trip():
            states |= {"running", "cancelled"}  # by calls that were in flight; then it is being cancelled
        return states

    # -- what was seen --

    def check_sum(self, progress):
        require(progress["total"] == progress["pending"] + progress["completed"] + progress["failed"],
                f"{self.name}: {progress} does not add up")

    def see_created(self, answer, least, most):
        total = answer["progress"]["total"]
        require(answer["status"] in (("pending", "complete") if total == 0 and self.origin else ("pending",)),
                f"{self.name}: a new job is {answer['status']}")
        require(least <= total <= most, f"{self.name}: {total} devices, expected {least} to {most}")
        self.estimate = total
        self.see(answer)

    def see(self, answer):
        status, progress = answer["status"], answer["progress"]
        shown = {key: answer[key] for key in answer if key not in ("status", "progress", "start", "end")}
        require(shown == self.shown, f"{self.name}: expected {self.shown}, found {shown}")
        require(status in self.now(), f"{self.name}: {status}, expected one of {sorted(self.now())}")
        self.states = {status}
        self.rested = self.rested or status in OVER
        self.frozen = self.frozen or status in ("running", "complete", "cancelled")
        self.see_progress(status, progress)
        require(("end" in answer) == (status in OVER), f"{self.name}: {status}, but its end is {answer.get('end')}")
        require("start" in answer or status not in ("running", "complete", "cancelled"), f"{self.name}: {status} without start")
        require("start" not in answer or status != "pending" or self.lives > 1, f"{self.name}: pending, but has a start")

    def see_progress(self, status, progress):
        self.check_sum(progress)
        totals = range(len(self.sure), len(self.possible) + 1)
        require(progress["total"] in totals or (not self.frozen and progress["total"] == self.estimate),
                f"{self.name}: total {progress['total']}, expected {list(totals)}")
        for key, count in self.counts.items():
            most = sum(key in self.statuses_of(device) for device in self.possible)
            most += self.unknown_max if key == "failed" else 0
            require(count <= progress[key] <= most, f"{self.name}: {progress[key]} {key}, expected {count} to {most}")
            self.counts[key] = progress[key]
        begun = progress["completed"] + progress["failed"]
        require(status != "pending" or self.lives > 1 or begun == 0, f"{self.name}: pending with {progress}")

    def see_devices(self, listed):
        names = [one["id"] for one in listed]
        require(names == sorted(set(names)), f"{self.name}: not in order, or listed twice: {names}")
        if not names and not self.frozen and not self.final:
            return
        require(self.sure <= set(names) <= self.possible,
                f"{self.name}: lists {names}, expected {sorted(self.sure)} to {sorted(self.possible)}")
        self.sure, self.possible, self.frozen = set(names), set(names), True
        for one in listed:
            before, status = self.final.get(one["id"]), one["status"]
            require(before in (None, status), f"{self.name}: {one['id']} went from {before} to {status}")
            require(status in ("pending", "completed", "failed"), f"{self.name}: {one['id']} is {status}")
            if status != "pending":
                self.final[one["id"]] = status
        strange = [one for one, status in self.final.items() if status not in {ENDS[end] for end in self.ends[one]}]
        require(all(self.final[one] == "failed" for one in strange) and len(strange) <= self.unknown_max,
                f"{self.name}: not the gateway's words: {[(one, self.final[one], self.ends[one]) for one in strange]}")

    def see_rest(self, status, progress, listed):
        """Nothing is in flight any more: now all must fit."""
        self.rested = True
        self.see_devices(listed)
        for key in self.counts:
            count = sum(one["status"] == key for one in listed)
            require(count == progress[key], f"{self.name}: {count} devices {key}, progress says {progress}")
        require(progress["total"] == len(listed) or (not self.frozen and not listed), f"{self.name}: {progress} of {listed}")
        if not listed:
            require(status != "cancelled", f"{self.name}: cancelled without devices")
            return
        failed = {one for one, word in self.final.items() if word == "failed"}
        batches, threshold = self.batches(), self.spec["threshold"]
        begun = [index for index, batch in enumerate(batches) if any(one in self.final for one in batch)]
        last = begun[-1] if begun else 0
        for one in [one for batch in batches[:last] for one in batch] + (self.members if status == "complete" else []):
            require(one in self.final, f"{self.name}: {status}, batch {last} has begun, but {one} is pending")
        tripped = trip(threshold, batches, failed)
        require(tripped == (last if status == "cancelled" else None),
                f"{self.name}: {status} in batch {last}, threshold {threshold} exceeded in {tripped}; {self.final}")
        if status == "cancelled":
            base = len(batches[last]) if threshold[2] else len(self.members)
            count = len(failed & set(batches[last])) if threshold[2] else len(failed)
            require(count <= failures_allowed(threshold, base) + self.window, f"{self.name}: {count} failed, {threshold}")

    def see_calls(self, calls):
        """The gateway's log of this job, in order."""
        place = {one: index for index, batch in enumerate(self.batches() if self.members else []) for one in batch}
        by_device = {}
        for call in calls:
            require(call["device"] in place, f"{self.name}: {call['device']} was called and is no member")
            by_device.setdefault(call["device"], []).append(call)
        order = [place[call["device"]] for call in calls]
        require(order == sorted(order), f"{self.name}: batches were not one after the other: {order}")
        for device in place:
            self.see_calls_of(device, by_device.get(device, []))

    def see_calls_of(self, device, calls):
        paths, verdicts = [call["path"] for call in calls], [call["verdict"] for call in calls]
        require(not self.is_command or len(paths) == len(set(paths)), f"{self.name}: {device} got a command twice: {paths}")
        require(self.is_command or len(calls) <= 1 + self.crashes, f"{self.name}: {device} was called {len(calls)} times")
        if len(self.ends[device]) > 1 or self.crashes:
            return
        end, status, steps = next(iter(self.ends[device])), self.final.get(device), self.spec["steps"] if self.is_command else 1
        if end in ("inside", "refused"):
            right = not calls
        elif status is None:
            right = len(calls) < steps
        elif end == "ok":
            right = len(calls) == steps and set(verdicts) == {"ok"}
        else:
            right = len(calls) == 1 and verdicts != ["ok"]
        require(right, f"{self.name}: {device} is {status or 'pending'} by {end}, and was called {verdicts}")


# ---- the model: nouns, and what one does to another ----

class Model:
    """`words`: what the gateway says of each device, as {device: {"command": "ok" or "fail", "property": ...}}. `window`: how
    many devices of a job may be on their way at once, by kind; those of other kinds are not called."""

    def __init__(self, prefix, words, window):
        self.prefix, self.words, self.window = prefix, words, window
        self.devices = Registry("devices", {"enabled": True, "simulated": False}, [], self.device_changed)
        self.groups = Registry("deviceGroups", {}, ["displayName", "filter"], lambda name: self.bound())
        self.filters = {}  # the predicates of a filter's text
        self.jobs = {}     # in the order of their creation
        self.OPERATIONS = {
            "put device": self.devices.put, "patch device": self.devices.patch, "delete device": self.devices.delete,
            "get device": self.devices.get, "list devices": self.devices.list, "get properties": self.properties,
            "put group": lambda name, wanted, how: self.groups.put(name, self.group_body(wanted), how),
            "patch group": lambda name, wanted, how: self.groups.patch(name, self.group_body(wanted), how),
            "delete group": self.groups.delete, "get group": self.groups.get, "list groups": self.groups.list,
            "group devices": self.group_devices,
            "put job": self.put_job, "repeat job": self.repeat_job, "get job": self.get_job, "list jobs": self.list_jobs,
            "job devices": self.job_devices, "stop": self.stop, "resume": self.resume, "rerun": self.rerun,
            "refused": self.refused,
        }

    def call(self, operation):
        name, *arguments = operation
        return self.OPERATIONS[name](*arguments)

    def crashed(self):
        for job in self.jobs.values():
            job.crashes += not job.rested

    # -- groups and devices --

    def group_body(self, wanted):
        """In operations a filter is a list of predicates."""
        if wanted.get("filter") is None:
            return wanted
        text = filter_text(wanted["filter"])
        self.filters[text] = wanted["filter"]
        return {**wanted, "filter": text}

    def matching(self, group, listed=False):
        """(sure, possible): the devices of a group, for a job or to be `listed` and counted."""
        record = self.groups.present(group)
        if record is None:
            return set(), set()
        predicates, late = self.filters[record.body["filter"]], listed and "group by a fresh value" in EXCLUDED
        found = {name: may_match(predicates, device, late) for name, device in self.devices.records.items()}
        return {name for name in found if found[name][0]}, {name for name in found if found[name][1]}

    def group_devices(self, group, page):
        def learn(status, answer, headers):
            if status != 200:
                return
            sure, possible = self.matching(group, listed=True)
            names = {one["id"] for one in answer}
            require(len(names) == len(answer), f"group {group}: a device is listed twice")
            require(sure <= names <= possible,
                    f"group {group}: lists {sorted(names)}, expected {sorted(sure)} to {sorted(possible)}")
            for one in answer:
                self.devices.show(one["id"], self.devices.records[one["id"]], one)
        return Call("GET", f"/api/deviceGroups/{group}/devices{page_of(page)}",
                    {200} if self.groups.present(group) else {404}, learn=learn, pages=True)

    def properties(self, name):
        device = self.devices.present(name)

        def learn(status, answer, headers):
            if status != 200:
                return
            desired = {key: value.get("desiredValue") for key, value in answer.get("$metadata", {}).items()}
            for path, possible in device.values.items():
                found = answer.get(path) if path in PATHS["cloudProperty"] else desired.get(path)
                require(found in possible, f"{name}: {path} is {found!r}, expected one of {possible}")
                if not any(self.writes(job, name, path) for job in self.jobs.values() if not job.rested):
                    device.values[path] = {found}
        return Call("GET", f"/api/devices/{name}/properties", {200} if device else {404}, learn=learn)

    def device_changed(self, name):
        device = self.devices.present(name)
        for job in self.jobs.values():
            if name in job.possible and not (job.rested and (job.states <= OVER or name in job.final)):
                begun = not job.rested or (job.is_command and job.spec["steps"] > 1)  # with its first command, perhaps
                job.ends[name] = self.ends_of(job, name) | (job.ends[name] if begun else set())
                if device and not job.rested:
                    self.spread(job, name)
        self.bound()

    def ends_of(self, job, name):
        device = self.devices.present(name)
        if device is None:
            return {"refused"}
        if job.is_command and not device.body["enabled"]:
            end = "refused"
        elif job.kind == "cloudProperty" or device.body["simulated"]:
            end = "inside"
        else:
            end = self.words[name][job.kind]
        return {end} if job.born.get(name, device.generation) == device.generation else {end, "refused"}

    # -- what jobs write --

    def writes(self, job, name, path):
        return not job.is_command and name in job.possible and path in PATHS[job.kind][:job.spec["steps"]]

    def spread(self, job, name):
        """From now on the device may have the values that the job writes."""
        device = self.devices.present(name)
        if device and "completed" in job.statuses_of(name):
            for path, possible in device.values.items():
                if self.writes(job, name, path):
                    possible.add(job.spec["value"])
                    device.past[path].add(job.spec["value"])

    def begin(self, job):
        """A job begins, or goes on."""
        for other in self.jobs.values():
            if other is not job and not other.known:
                other.alone = False
                job.alone = job.alone and other.rested
        for name in job.possible - job.final.keys():
            self.spread(job, name)
        self.bound()

    def collapse(self, job, fresh):
        """The job rests: what it alone has written is known."""
        for name in fresh if job.alone else ():
            device = self.devices.present(name)
            for path in device.values if device and device.generation == job.born[name] else ():
                if self.writes(job, name, path):
                    device.values[path] = {job.spec["value"]}

    def bound(self):
        """Widens the bounds of memberships that may not be frozen yet."""
        for job in self.jobs.values():
            if job.frozen or job.origin is not None:
                continue
            job.group_gone |= self.groups.present(job.spec["group"]) is None
            sure, possible = self.matching(job.spec["group"])
            job.sure &= sure
            self.widen(job, possible)

    def widen(self, job, possible):
        for name in possible - job.possible:
            job.possible.add(name)
            job.born[name] = self.devices.records[name].generation
            job.ends[name] = self.ends_of(job, name)
            self.spread(job, name)

    # -- jobs --

    def job(self, short):
        return self.jobs.get(short)

    def path(self, short, rest=""):
        return f"/api/jobs/{self.prefix}{short}{rest}"

    def put_job(self, short, spec, spelling):
        job, group, body = self.job(short), self.groups.present(spec["group"]), job_body(spec, spelling)
        if job is None:
            statuses = {200} if group else {422}
        elif job.spec == spec:
            statuses = {200}
        else:
            statuses = {409} if group else {409, 422}

        def learn(status, answer, headers):
            if status != 200:
                return
            if job is not None:
                job.see(answer)
                return
            new = Job(self.prefix + short, spec, job_shown(self.prefix + short, spec, body), self.window)
            new.sure, possible = self.matching(spec["group"])
            least, most = self.matching(spec["group"], listed=True)
            self.widen(new, possible)
            self.add(short, new, answer, len(least), len(most))
        return Call("PUT", self.path(short), statuses, body, learn=learn)

    def add(self, short, job, answer, least, most):
        self.jobs[short] = job
        job.see_created(answer, least, most)
        self.begin(job)

    def repeat_job(self, short, spelling):
        """The PUT once more, as HTTP clients do it."""
        job = self.job(short)
        return self.put_job(short, job.spec, spelling) if job else self.get_job(short)

    def get_job(self, short):
        job = self.job(short)
        return Call("GET", self.path(short), {200} if job else {404},
                    learn=lambda status, answer, headers: status == 200 and job.see(answer))

    def list_jobs(self, page):
        """Newest first; those of earlier sequences follow."""
        def learn(status, answer, headers):
            mine = list(reversed(self.jobs.values()))[:len(answer)]
            found = [one["id"] for one in answer[:len(mine)]]
            require(found == [job.name for job in mine], f"jobs: expected {[job.name for job in mine]}, found {found}")
            require(len(answer) >= min(page or 100, len(self.jobs)), f"jobs: {len(answer)} listed, there are {len(self.jobs)}")
            for job, one in zip(mine, answer):
                job.see(one)
        return Call("GET", f"/api/jobs{page_of(page)}", {200}, learn=learn)

    def job_devices(self, short, page):
        job = self.job(short)
        return Call("GET", self.path(short, "/devices") + page_of(page), {200} if job else {404}, pages=True,
                    learn=lambda status, answer, headers: status == 200 and job.see_devices(answer))

    def rested(self, short, answer, listed):
        job = self.job(short)
        job.see(answer)
        require(answer["status"] in SETTLED, f"{job.name}: at rest, but {answer['status']}")
        before = set(job.final) if job.known else set()
        job.see_rest(answer["status"], answer["progress"], listed)
        job.known = True
        self.collapse(job, {name for name, status in job.final.items() if status == "completed" and name not in before})
        origin = job.origin
        if origin and origin.known and origin.lives == job.origin_lives and (origin.frozen or origin.states == {"failed"}):
            failed = {name for name, status in origin.final.items() if status == "failed"}
            require(job.possible == failed, f"{job.name}: reruns {sorted(job.possible)}, but {sorted(failed)} failed")

    def stop(self, short):
        job = self.job(short)
        states = job.now() if job else set()
        statuses = {204} if states - OVER else set()
        statuses |= {409} if states & OVER else set()

        def learn(status, answer, headers):
            if status == 204:
                job.rested = job.rested and states == {"stopped"}
                job.states = {"stopped"}
            elif status == 409:
                job.states, job.rested = states & OVER, True
        return Call("POST", self.path(short, "/stop"), statuses or {404}, learn=learn)

    def resume(self, short):
        job = self.job(short)
        states = job.now() if job else set()
        waits = "pending" in states and job.lives > 1 and "resume of a pending job" in EXCLUDED
        statuses = {204} if states & {"stopped", "running"} or waits else set()
        statuses |= {409} if states & (OVER | {"pending"}) else set()

        def learn(status, answer, headers):
            if status == 204 and states & {"stopped", "pending"}:
                job.states, job.rested, job.lives = {"pending", "running"}, False, job.lives + 1
                job.alone, job.known = job.alone or job.known, False
                self.begin(job)
            elif status == 204:
                job.states = {"running"}
            elif status == 409:
                job.states = states & (OVER | {"pending"})
        return Call("POST", self.path(short, "/resume"), statuses or {404}, learn=learn)

    def rerun(self, short, again):
        origin, job = self.job(short), self.job(again)
        states = origin.now() if origin else set()
        if origin is None:
            statuses = {404}
        elif job is not None:
            statuses = {200} if job.origin is origin else {409}
        else:
            statuses = ({200} if states & SETTLED else set()) | ({409} if states - SETTLED else set())
            if "stopped" in states and not origin.rested and "rerun while stopping" in EXCLUDED:
                statuses |= {409}

        def learn(status, answer, headers):
            if status == 409 and job is None and origin.rested is False:
                origin.states = states - OVER
            if status != 200:
                return
            if job is not None:
                job.see(answer)
                return
            origin.states = states & SETTLED
            new = Job(self.prefix + again, origin.spec, {**origin.shown, "id": self.prefix + again}, self.window, origin)
            new.sure = {name for name, found in origin.final.items() if found == "failed"}
            new.born = dict(origin.born)
            for name in origin.possible:
                if "failed" in origin.statuses_of(name) or (origin.unknown_max and name not in origin.final):
                    if name in new.sure or not origin.known:
                        new.possible.add(name)
                        new.ends[name] = self.ends_of(new, name)
            self.add(again, new, answer, len(new.sure), len(new.possible))
        return Call("PUT", self.path(short, f"/rerun/{self.prefix}{again}"), statuses, learn=learn)

    # -- requests that are wrong whatever there is --

    def refused(self, index):
        status, method, path, body = REFUSED[index]
        return Call(method, path, {status}, body)


def data(kind="command", **more):
    return {"type": kind, "target": "t", "path": "reboot", **more}


REFUSED = [
    (404, "GET", "/api/nothing", None),
    (405, "DELETE", "/api/jobs/x", None),
    (405, "PATCH", "/api/jobs/x", {}),
    (400, "PUT", "/api/jobs/x", b'{"group":'),
    (400, "PUT", "/api/jobs/x", b'{"group":"g0","group":"g0"}'),
    (422, "PUT", "/api/jobs/x.1", {"group": "g0", "data": [data()]}),
    (422, "PUT", "/api/jobs/x", {"data": [data()]}),
    (422, "PUT", "/api/jobs/x", {"group": "g0"}),
    (422, "PUT", "/api/jobs/x", {"group": "g0", "data": []}),
    (422, "PUT", "/api/jobs/x", {"group": "g0", "data": [data(), data("property")]}),
    (422, "PUT", "/api/jobs/x", {"group": "g0", "data": [data("walk")]}),
    (422, "PUT", "/api/jobs/x", {"group": "no-such-group", "data": [data()]}),
    (422, "PUT", "/api/jobs/x", {"group": "g0", "data": [data()], "organizations": ["a", "b"]}),
] + [(422, "PUT", "/api/jobs/x", {"group": "g0", "data": [data()], "batch": {"type": kind, "value": value}})
     for kind, value in (("percentage", 0), ("percentage", 100.5), ("number", 0), ("number", 2.5), ("share", 1))
] + [(422, "PUT", "/api/jobs/x", {"group": "g0", "data": [data()], "cancellationThreshold": threshold})
     for threshold in ({"type": "percentage", "value": 101}, {"type": "number", "value": -1},
                       {"type": "number", "value": 1, "batch": "perhaps"})
] + [
    (404, "POST", "/api/jobs/x.1/stop", None),
    (422, "PUT", "/api/deviceGroups/x", {"displayName": "x"}),
    (422, "PUT", "/api/deviceGroups/x", {"filter": "SELECT * FROM devices"}),
    (422, "PUT", "/api/deviceGroups/x", {"displayName": "x", "filter": "SELECT * FROM devices WHERE $template eq 1"}),
    (422, "PUT", "/api/deviceGroups/x.1", {"displayName": "x", "filter": "SELECT * FROM devices"}),
    (422, "GET", "/api/jobs?maxpagesize=0", None),
    (422, "GET", "/api/devices?$top=two", None),
]
