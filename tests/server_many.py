"""TOTAL signatures asked at once, each on its own connection, TWICE of the idempotency keys used twice: server_many.py ADDRESS KEY TOTAL TWICE.

Prints one line for each idempotency key: its name, the session and the signature; checks that all answers under it are the same."""
import concurrent.futures, http.client, json, ssl, sys, threading, time

address, key, total, twice = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
host, port = address.rsplit(":", 1)
context = ssl.create_default_context(cafile="server.pem")
patience = time.monotonic() + 500
together = threading.Barrier(total)  # all are connected before the first one asks


def ask(name):
    body = json.dumps({"key": key, "message": "letter " + name, "wait": 60})
    headers = {"Authorization": "Bearer alice-token", "Content-Type": "application/json", "Idempotency-Key": name}
    first = True
    while True:
        connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=300)
        try:
            connection.connect()
            if first:
                first = False
                together.wait(300)
            connection.request("POST", "/api/v1/sign/two-party", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            if first or time.monotonic() > patience:
                together.abort()
                raise
            continue  # under the same key it is never signed twice
        finally:
            connection.close()
        if answer.status in (202, 503) and time.monotonic() < patience:
            continue
        return name, answer.status, json.loads(text)


names = ["k%03d" % i for i in range(total - twice)]
names += names[:twice]
with concurrent.futures.ThreadPoolExecutor(total) as pool:
    answers = list(pool.map(ask, names))
seen = {}
for name, status, answer in answers:
    assert status == 201, (name, status, answer)
    assert seen.setdefault(name, answer) == answer, name
signatures = {answer["signature"]["raw"] for answer in seen.values()}
assert len(signatures) == len(seen) == total - twice
for name, answer in seen.items():
    print(name, answer["session_id"], answer["signature"]["der"])
