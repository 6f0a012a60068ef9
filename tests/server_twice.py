"""Was anything signed twice? server_twice.py ENTERPRISE-JOURNAL PEER-JOURNAL SESSIONS.

SESSIONS are files with the session of one call of the server each. Both sides write a presignature, the hash of the request
and the hash of the answer of each signature. Prints how many calls were answered by the peer."""
import sqlite3, sys

SIGN, COMPLETED = 4, 3
NOTHING = bytes(16)


def rows(path):
    with sqlite3.connect(path) as journal:
        return journal.execute("SELECT id, status, presignature, request, answer FROM session WHERE kind = ?", (SIGN,)).fetchall()


enterprise, peer = rows(sys.argv[1]), rows(sys.argv[2])
called = [open(name).read().strip() for name in sys.argv[3:]]
assert len(set(called)) == len(called) > 0, "two calls have the same session"
ours = {row[0].hex(): row for row in enterprise}
assert len(ours) == len(enterprise)

# At the peer: one presignature answers one request, once.
answered = {}
for _, _, presignature, request, answer in peer:
    if answer != NOTHING:
        assert presignature != NOTHING
        assert answered.setdefault(presignature, (request, answer)) == (request, answer), presignature.hex()

# Each answer of the peer belongs to one session of the server, so that no session was answered with two presignatures.
asked = {}
for row in enterprise:
    if row[2] != NOTHING:
        assert asked.setdefault(row[2], row) is row, "two sessions with the presignature %s" % row[2].hex()
for presignature, (request, answer) in answered.items():
    row = asked.get(presignature)
    assert row, "the peer answered %s, which no session of the server has" % presignature.hex()
    assert row[3] == request, "another request at each side"
    assert row[4] in (answer, NOTHING), "another answer at each side"  # nothing: it did not arrive

# What is completed here was answered there.
for row in enterprise:
    assert row[1] != COMPLETED or row[2] in answered, row[0].hex()
print(sum(1 for name in called if name in ours and ours[name][2] in answered))
