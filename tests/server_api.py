"""Hold docs/api/openapi.yaml against a running server, in TAP: server_api.py ADDRESS OPENAPI PROBLEM_C KEY."""
import http.client, json, re, ssl, sys, urllib.parse, yaml

address, description, problem_c, key = sys.argv[1:5]
host, port = address.rsplit(":", 1)
context = ssl.create_default_context(cafile="server.pem")
api = yaml.safe_load(open(description))
METHODS = ["get", "post", "put", "delete", "patch"]
count = failures = 0


def ok(good, name, why=""):
    global count, failures
    count += 1
    failures += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good:
        print("# %s" % why)


def check(value, schema, place="$"):
    """What of JSON Schema the description uses; a word that is not known here is an error."""
    if "$ref" in schema:
        return check(value, api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], place)
    known = {"type", "properties", "required", "additionalProperties", "items", "enum", "pattern", "description"}
    assert set(schema) <= known, (place, set(schema) - known)
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    assert isinstance(value, kinds[schema["type"]]), (place, value)
    assert "enum" not in schema or value in schema["enum"], (place, value)
    assert "pattern" not in schema or re.search(schema["pattern"], value), (place, value)
    if schema["type"] == "array":
        for number, item in enumerate(value):
            check(item, schema["items"], "%s[%d]" % (place, number))
    if schema["type"] == "object" and "properties" in schema:
        for name in schema.get("required", []):
            assert name in value, (place, "lacks", name)
        for name, item in value.items():
            assert name in schema["properties"], (place, "has", name)
            check(item, schema["properties"][name], place + "." + name)


def call(method, path, body=None, token="alice-token", headers=()):
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=60)
    head = {"Authorization": "Bearer " + token, **dict(headers)}
    if body is not None:
        head["Content-Type"] = "application/json"
    connection.request(method.upper(), path, body, head)
    answer = connection.getresponse()
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    text = b"" if kind == "text/event-stream" else answer.read()
    connection.close()
    return answer.status, kind, text


def described(operation, status, kind, text):
    """Is the answer one that the operation lists? Returns: the parsed body."""
    response = operation["responses"][str(status)]
    schema = response["content"][kind]["schema"]
    if not kind.endswith("json"):
        return None
    value = json.loads(text)
    check(value, schema)
    if kind == "application/problem+json":
        name = value["type"].rsplit(":", 1)[1]
        assert api["x-problems"][name] == status == value["status"], value
        assert name in response["description"].split(", "), (name, response["description"])
    return value


def try_it(name, path, method, *arguments, wanted=None, **options):
    template, url = path if isinstance(path, tuple) else (path, path)
    try:
        status, kind, text = call(method, url, *arguments, **options)
        value = described(api["paths"][template][method], status, kind, text)
        ok(wanted is None or status == wanted, name, "status %d %r" % (status, text))
        return value
    except Exception as error:
        ok(False, name, "%s: %r" % (type(error).__name__, error))
    return None


# The problems of the program are those of the description.
table = dict((name, int(status)) for status, name in re.findall(r"= \{(\d+), \"([a-z-]+)\"", open(problem_c).read()))
ok(len(table) > 20 and table == api["x-problems"], "the problems and their statuses", "%r" % (set(table.items()) ^ set(api["x-problems"].items())))

# Each path is there with its methods, and with no other.
for path, operations in api["paths"].items():
    url = path.replace("{id}", "0" * 32)
    for method in METHODS:
        status, kind, text = call(method, url, token="wrong")
        if method not in operations:
            ok(status == 405 and b"problem:method" in text, "%s %s is not taken" % (method, path), "%d %r" % (status, text))
        elif operations[method].get("security") == []:
            ok(status in (200, 503), "%s %s is open" % (method, path), "%d %r" % (status, text))
        else:
            ok(status == 401 and b"problem:unauthenticated" in text, "%s %s is closed" % (method, path), "%d %r" % (status, text))

# Good answers, and refused ones, are as described.
sign = "/api/v1/sign/two-party"
made = try_it("a key is made", "/api/v1/keygen", "post", json.dumps({"label": "api"}), wanted=201)
begun = try_it("a key goes on", "/api/v1/keygen", "post", json.dumps({"label": "api", "wait": 0}), wanted=202)
signed = try_it("a signature", sign, "post", json.dumps({"key": key, "message": "x"}), wanted=201)
later = try_it("a signature goes on", sign, "post", json.dumps({"key": key, "message": "x", "wait": 0}), wanted=202)
for body in ({}, {"key": key}, {"key": key, "message": "x", "wait": 1000}, {"key": key, "message": "x", "deadline": 0}):
    try_it("malformed %s" % sorted(body), sign, "post", json.dumps(body), wanted=400)
try_it("a key is read", ("/api/v1/keys/{id}", "/api/v1/keys/" + key), "get", wanted=200)
try_it("an unknown key", ("/api/v1/keys/{id}", "/api/v1/keys/" + "0" * 32), "get", wanted=404)
try_it("keys", "/api/v1/keys", "get", wanted=200)
try_it("a session", ("/api/v1/sessions/{id}", "/api/v1/sessions/" + later["session_id"]), "get", wanted=200)
try_it("an unknown session", ("/api/v1/sessions/{id}", "/api/v1/sessions/x"), "get", wanted=404)
try_it("sessions", "/api/v1/sessions", "get", wanted=200)
for query in ("status=asleep", "kind=none", "limit=0", "limit=many", "after=x"):
    try_it("sessions?" + query, ("/api/v1/sessions", "/api/v1/sessions?" + query), "get", wanted=400)
try_it("cancel what has ended", ("/api/v1/sessions/{id}/cancel", "/api/v1/sessions/%s/cancel" % signed["session_id"]), "post", wanted=409)
try_it("partners", "/api/v1/partners", "get", wanted=200)
try_it("health", "/healthz", "get", wanted=200)
try_it("readiness", "/readyz", "get", wanted=200)
try_it("metrics", "/metrics", "get", wanted=200)
try_it("events", "/api/v1/events", "get", wanted=200)
try_it("events after what is no number", ("/api/v1/events", "/api/v1/events?after=x"), "get", wanted=400)
for path in ("/api/v1/keys/" + key, "/api/v1/sessions/" + signed["session_id"]):
    template = path.rsplit("/", 1)[0] + "/{id}"
    try_it("forbidden: " + template, (template, path), "get", token="nobody-token", wanted=403)
print("1..%d" % count)
sys.exit(failures != 0)
