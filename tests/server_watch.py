"""Wait for sessions by the stream of events: server_watch.py ADDRESS WORDS SESSION...

Ends when each of the sessions has had an event whose "STATUS STEP" matches the regular expression WORDS, however long ago;
prints those, one a line, in the order of the sessions."""
import http.client, json, re, ssl, sys

address, words, sessions = sys.argv[1], re.compile(sys.argv[2]), sys.argv[3:]
host, port = address.rsplit(":", 1)
context = ssl.create_default_context(cafile="server.pem")
connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=300)
connection.request("GET", "/api/v1/events?after=0", headers={"Authorization": "Bearer alice-token"})
stream = connection.getresponse()
assert stream.status == 200, stream.status
seen = {}
while len(seen) < len(set(sessions)):
    line = stream.readline()
    assert line, "the stream ended"
    if not line.startswith(b"data: "):
        continue
    event = json.loads(line[6:])
    text = "%s %s" % (event.get("status"), event.get("step"))
    if event.get("session_id") in sessions and words.search(text):
        seen.setdefault(event["session_id"], text)
for session in sessions:
    print(seen[session])
