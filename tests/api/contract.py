#!/usr/bin/env python3
"""Whether an answer keeps to the REST contract: IoT Central's, as iotcentral-2022-07-31.json beside this file tells it.

    contract.py EXCHANGES      checks what a test program has written to this file, an exchange a line, and removes it

That specification, Swagger 2.0, is our own re-expression of the structure of the published one (its `x-source`): paths,
methods, status codes, schemas, no prose. DIFFERENCES makes Tranche's contract of it. Beyond what a schema's words say, an
answer has no member that its schema does not know: `/api` is the contract and nothing else.
"""
import json
import os
import re
import sys
import urllib.parse

CODES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 408: "RequestTimeout", 409: "Conflict",
         412: "PreconditionFailed", 413: "PayloadTooLarge", 422: "UnprocessableEntity", 429: "TooManyRequests",
         500: "InternalServerError", 503: "ServiceUnavailable"}
PAGE_MAX = 100

# a definition, the place in it, what stands there for Tranche, and why; the numbers are those of api-contract.md
DIFFERENCES = [
    ("JobSchedule", "properties.recurrence.enum", ["daily", "weekly", "monthly", "yearly"], "4.5: yearly is an extension"),
    ("Job", "required", ["id", "group", "data", "progress", "status"], "4.1: progress always; id and status are the server's"),
    ("Job", "properties.status.enum", ["pending", "running", "complete", "failed", "stopped", "cancelled"], "6.1"),
    ("JobProgress", "required", ["total", "pending", "completed", "failed"], "4.1: clients read them unchecked"),
    ("JobProgress", "properties.pending.minimum", 0, "6.2"),
    ("JobDeviceStatus", "required", ["id", "status"], "4.4: exactly these"),
    ("JobDeviceStatus", "properties.status.enum", ["pending", "completed", "failed"], "6.2"),
    ("ScheduledJob", "required", ["etag", "id", "description", "group", "data", "schedule", "enabled", "completed"],
     "4.5, 14.9"),
    ("DeviceGroup", "required", ["id", "displayName", "filter", "etag"], "2.4, 14.15"),
    ("Device", "required", ["id", "etag", "displayName", "enabled", "provisioned", "simulated"], "2.4, 14.20"),
    ("ErrorDetails", "required", ["code", "message", "requestId", "time"], "2.6: Tranche keeps both"),
]

FORMATS = {
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "date": r"\d{4}-\d\d-\d\d",
    "date-time-rfc1123": r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
}
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


# ---- the specification ----

def load():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "iotcentral-2022-07-31.json"), encoding="utf-8") as file:
        spec = json.load(file)
    for definition, place, value, _ in DIFFERENCES:
        *path, last = place.split(".")
        schema = spec["definitions"][definition]
        for name in path:
            schema = schema[name]
        if schema.get(last) == value:
            raise ValueError(f"{definition}.{place} is no difference")
        schema[last] = value
    return spec


SPEC = load()


def find_operations(path):
    """The operations of a path by their methods in small letters. A name in braces is any segment."""
    segments = [urllib.parse.unquote(segment) for segment in path.split("/")]
    for pattern, methods in SPEC["paths"].items():
        pieces = (SPEC["basePath"] + pattern).split("/")
        if len(pieces) == len(segments) and all(piece == segment or (piece.startswith("{") and segment)
                                                for piece, segment in zip(pieces, segments)):
            return methods
    return {}


def whole_of(schema):
    """The schema with all that it inherits in it."""
    whole = dict(schema)
    for part in schema.get("allOf", []):
        inherited = whole_of(SPEC["definitions"][name_of(part)])
        whole["properties"] = {**inherited["properties"], **whole.get("properties", {})}
        whole["required"] = inherited.get("required", []) + whole.get("required", [])
        whole["type"] = "object"
    return whole


def name_of(reference):
    return reference["$ref"].rsplit("/", 1)[1]


def derived(reference):
    """The kinds of object that inherit from this one, by their short words and by their class names, in small letters."""
    return {word.lower(): kind for name, kind in SPEC["definitions"].items() if reference in kind.get("allOf", [])
            for word in (name, kind.get("x-ms-discriminator-value", name))}


# ---- values ----

def value_faults(schema, value, place):
    """What is wrong with a value, each as a line that begins with its place in the body."""
    if "$ref" in schema:
        return reference_faults(schema, value, place)
    schema = whole_of(schema)
    kind = KINDS.get(schema.get("type"))
    if kind and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        return [f"{place}: expected {schema['type']}, found {json.dumps(value)[:80]}"]
    faults = [f"{place}: {text}" for text in word_faults(schema, value)]
    if isinstance(value, list):
        items = schema.get("items", {})
        faults += [fault for i, item in enumerate(value) for fault in value_faults(items, item, f"{place}[{i}]")]
    if isinstance(value, dict) and "properties" in schema:
        faults += object_faults(schema, value, place)
    return faults


def reference_faults(reference, value, place):
    definition = SPEC["definitions"][name_of(reference)]
    kinds = derived(reference) if "discriminator" in definition else {}
    if not kinds or not isinstance(value, dict):
        return value_faults(definition, value, place)
    word = value.get(definition["discriminator"])
    kind = kinds.get(str(word).lower())
    return value_faults(kind, value, place) if kind else [f"{place}.{definition['discriminator']}: no kind is called {word!r}"]


def object_faults(schema, value, place):
    known = schema["properties"]
    faults = [f"{place}: the member {name} is missing" for name in schema.get("required", []) if name not in value]
    if not schema.get("additionalProperties"):
        faults += [f"{place}: the member {name} is not in the contract" for name in value if name not in known]
    return faults + [fault for name, item in value.items() if name in known
                     for fault in value_faults(known[name], item, f"{place}.{name}")]


def word_faults(schema, value):
    """Of the schema's words for one value, those that it breaks."""
    size = len(value) if isinstance(value, (str, list)) else None
    number = value if isinstance(value, (int, float)) else None
    limits = [("minimum", number, 1), ("maximum", number, -1), ("minLength", size, 1), ("maxLength", size, -1),
              ("minItems", size, 1), ("maxItems", size, -1)]
    faults = [f"{found} against {word} {schema[word]}" for word, found, sign in limits
              if word in schema and found is not None and sign * found < sign * schema[word]]
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{value!r} is not one of {schema['enum']}")
    patterns = [schema.get("pattern"), FORMATS.get(schema.get("format"))]
    faults += [f"{value!r} does not fit {pattern}" for pattern in patterns
               if pattern and isinstance(value, str) and not re.fullmatch(pattern, value)]
    if schema.get("format") == "int32" and not -1 << 31 <= value < 1 << 31:
        faults.append(f"{value} has more than 32 bits")
    return faults


# ---- answers ----

def check(method, path, status, headers, body):
    """What is wrong with the answer to a request on a path of `/api`, as a list of lines. Headers: any mapping; body: str."""
    headers = {name.lower(): value for name, value in headers.items()}
    operations = find_operations(urllib.parse.urlsplit(path).path)
    responses = operations[method.lower()]["responses"] if method.lower() in operations else {}
    success = responses.get(str(status))
    if success is None and status not in CODES:
        return [f"status {status} is neither one of {sorted(responses)} nor an error's"]
    if method == "HEAD" or (success is not None and "schema" not in success):
        return ["there is a body where none may be"] if body else []
    try:
        value = json.loads(body, object_pairs_hook=unique)
    except ValueError as trouble:
        return [f"the body is not JSON: {trouble}"]
    faults = [] if headers.get("content-type") == "application/json; charset=utf-8" else ["the content type is another"]
    if success is None:
        return faults + error_faults(method, operations, status, headers, value)
    faults += value_faults(success["schema"], value, "body")
    return faults or success_faults(SPEC["definitions"][name_of(success["schema"])], headers, value)


def unique(pairs):
    if len(dict(pairs)) < len(pairs):
        raise ValueError(f"a member is there twice: {[name for name, _ in pairs]}")
    return dict(pairs)


def error_faults(method, operations, status, headers, value):
    faults = value_faults({"$ref": "#/definitions/Error"}, value, "body")
    header = headers.get("x-ms-error-code")
    if not faults and not value["error"]["code"] == header == CODES[status]:
        faults = [f"code {value['error']['code']}, header {header}, expected {CODES[status]} for {status}"]
    for refusal, needed in ((405, "allow"), (429, "retry-after"), (503, "retry-after")):
        if status == refusal and not headers.get(needed):
            faults.append(f"{status} without {needed}")
    if status == 405 and method.isupper() and method.lower() in operations:
        faults.append(f"{method} is in the contract")
    return faults


def success_faults(schema, headers, value):
    """Rules that no schema can say: 2.4 of etags, 2.5 of pages."""
    faults = []
    if "etag" in schema.get("properties", {}) and value.get("etag") != headers.get("etag"):
        faults.append(f"body.etag is {value.get('etag')!r}, the header {headers.get('etag')!r}")
    if "nextLink" in schema.get("properties", {}):
        link = value.get("nextLink")
        if link is not None and not re.fullmatch(r"https?://[^/]+/api/.*[?&]api-version=.*", link):
            faults.append(f"body.nextLink is not complete: {link}")
        if len(value["value"]) > PAGE_MAX:
            faults.append(f"a page has {len(value['value'])} items")
    return faults


def is_contract(path):
    return path.split("?")[0].startswith(SPEC["basePath"] + "/")


def check_file(path):
    """Exchanges as tests/api/api_world.c writes them."""
    with open(path, encoding="utf-8") as file:
        exchanges = [json.loads(line) for line in file]
    os.remove(path)
    checked = [exchange for exchange in exchanges if is_contract(exchange["path"])]
    bad = 0
    for exchange in checked:
        head = [line.split(": ", 1) for line in exchange.pop("head").splitlines()[1:] if line]
        faults = check(headers=dict(head), **exchange)
        bad += bool(faults)
        for fault in faults:
            print(f"{exchange['method']} {exchange['path']}: {exchange['status']}: {fault}", file=sys.stderr)
    print(f"{len(checked) - bad} of {len(checked)} exchanges keep to the contract")
    sys.exit(1 if bad or not checked else 0)



if __name__ == "__main__":
    check_file(sys.argv[1])
