"""The two sides of tests/faults.py: the module in this process, the second device as a process, and what both hold."""
import atexit
import json
import os
import signal
import sqlite3
import subprocess
import sys

import PyKCS11

# curve P-256 (SEC 2)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A, B = P - 3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
P256_OID = bytes.fromhex("06082a8648ce3d030107")


def add(one, two):
    if one is None or two is None:
        return one or two
    if one[0] == two[0]:
        if (one[1] + two[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P) % P
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def multiply(scalar, point):
    out = None
    while scalar:
        out = add(out, point) if scalar & 1 else out
        point, scalar = add(point, point), scalar >> 1
    return out


def valid(point, digest, signature):
    """ECDSA verification (SEC 1, 4.1.4), independent of the module and its libraries."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    if len(signature) != 64 or not (0 < r < N and 0 < s <= N // 2):
        return False
    inverse = pow(s, -1, N)
    sum_point = add(multiply(int.from_bytes(digest, "big") * inverse % N, G), multiply(r * inverse % N, point))
    return sum_point is not None and sum_point[0] % N == r


def is_running(pid):
    try:
        return open(f"/proc/{pid}/stat").read().split()[2] != "Z"
    except OSError:  # its parent has taken note of its end, perhaps while we read
        return False


class Peer:
    """The second device, started and stopped."""

    def __init__(self):
        self.process = None
        self.pid = int(os.environ["PEER_PID"])
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        atexit.register(lambda: self.process and self.process.kill())

    def stop(self, how):
        os.kill(self.pid, how)
        if self.process:
            self.process.wait()
        else:  # with-token's child, not ours
            while is_running(self.pid):
                os.sched_yield()
        self.process = None

    def start(self):
        reading, writing = os.pipe()
        environment = {**os.environ, "TALLYSTICK_CONF": os.environ["PEER_CONF"]}
        log = open(os.path.join(os.environ["WORK"], "peer.out.log"), "a")
        self.process = subprocess.Popen(
            [os.environ["TALLYSTICK_PEER"], "run", "--approval", "auto", "--ready-fd", str(writing)],
            pass_fds=[writing], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        os.close(writing)
        self.pid = self.process.pid
        with os.fdopen(reading) as ready:
            if not ready.readline():
                sys.exit("Bail out! the peer does not start")


class Signer:
    """The module in this process."""

    def __init__(self):
        self.library = PyKCS11.PyKCS11Lib()
        self.library.load(os.environ["MODULE"])
        slot = next(slot for slot in self.library.getSlotList(tokenPresent=True)
                    if self.library.getTokenInfo(slot).label.strip() == os.environ["TOKEN"])
        self.session = self.library.openSession(slot, PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION)
        self.session.login(os.environ["PIN"])

    def dial_anew(self):
        """The address is read at the login; the connections end with it, too."""
        self.session.logout()
        self.session.login(os.environ["PIN"])

    def make_key(self, number):
        identity = number.to_bytes(4, "big")
        common = [(PyKCS11.CKA_TOKEN, True), (PyKCS11.CKA_LABEL, f"key {number}"), (PyKCS11.CKA_ID, identity)]
        public, private = self.session.generateKeyPair(
            common + [(PyKCS11.CKA_EC_PARAMS, P256_OID), (PyKCS11.CKA_VERIFY, True)],
            common + [(PyKCS11.CKA_SIGN, True)], mecha=PyKCS11.Mechanism(PyKCS11.CKM_EC_KEY_PAIR_GEN, None))
        encoded = bytes(self.session.getAttributeValue(public, [PyKCS11.CKA_EC_POINT])[0])[-65:]
        return private, (int.from_bytes(encoded[1:33], "big"), int.from_bytes(encoded[33:], "big"))

    def sign(self, key, digest):
        return bytes(self.session.sign(key, digest, PyKCS11.Mechanism(PyKCS11.CKM_ECDSA, None)))


class Refresher:
    """`tallystick refresh`, a process of its own each time. Two sets of primes by turns: new ones must differ."""

    WORDS = ("the peer cannot be reached", "nobody decided at the peer in time")

    def __init__(self, deadline_s):
        self.deadline_s = deadline_s
        self.so_pin = "file:" + os.environ["WORK"] + "/so-pin"

    def put_primes(self, generation):
        place = 4 if generation % 2 == 0 else 0
        for database in ("/enterprise/token.db", "/peer/peer.db"):  # what an attempt before has left may be in use now
            with sqlite3.connect(os.environ["WORK"] + database, timeout=30) as connection:
                connection.execute("DELETE FROM primes")
            connection.close()
        ask("TALLYSTICK_PEER", "init", "--primes", f"{os.environ['PRIMES']}:{place + 2}")
        return f"{os.environ['PRIMES']}:{place}"

    def refresh(self, label):
        """Returns: "ok", or the words of a documented error. Raises ValueError on another."""
        held = next(key for key in keys_of("TALLYSTICK") if key["label"] == label)
        primes = self.put_primes(held["generation"])
        done = subprocess.run(
            [os.environ["TALLYSTICK"], "refresh", label, "--so-pin-source", self.so_pin, "--primes", primes],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=self.deadline_s)
        if done.returncode == 0:
            return "ok"
        for words in self.WORDS:
            if done.returncode == 1 and words in done.stderr:
                return words
        raise ValueError(f"exit status {done.returncode}: {done.stderr}")


# --- what each side holds ---


def ask(program, *arguments):
    """One of the programs, with the configuration of its side. Returns: what it prints."""
    conf = {"TALLYSTICK": "TALLYSTICK_CONF", "TALLYSTICK_PEER": "PEER_CONF"}[program]
    environment = {**os.environ, "TALLYSTICK_CONF": os.environ[conf]}
    return subprocess.run([os.environ[program], *arguments], check=True, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, env=environment).stdout


def keys_of(program):
    listed = json.loads(ask(program, "list", "--json"))
    return listed["keys"] if program == "TALLYSTICK_PEER" else [key for token in listed for key in token["keys"]]


def size_of(pid):
    """Returns: the descriptors of a process, and the memory that is its own, in KiB."""
    status = open(f"/proc/{pid}/status").read()
    private = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return len(os.listdir(f"/proc/{pid}/fd")), int(private.split()[1])


JOURNALS = ("/enterprise/token.db-sessions", "/peer/peer.db-sessions")
PRESIGN, COMPLETED = 3, 3


def journal(side, query, *values):
    """side: 0 of the module, 1 of the peer."""
    connection = sqlite3.connect(f"file:{os.environ['WORK']}{JOURNALS[side]}?mode=ro", uri=True, timeout=30)
    rows = connection.execute(query, values).fetchall()
    connection.close()
    return rows


def batches(side):
    """How many batches of presignatures have ended, well or not."""
    return journal(side, "SELECT count(*) FROM session WHERE kind = ? AND status >= ?", PRESIGN, COMPLETED)[0][0]


def used_presignatures(side):
    """Returns: {presignature: (its requests, its answers)} as a side has recorded them."""
    used = {}
    for presignature, request, answer in journal(
            side, "SELECT presignature, request, answer FROM session WHERE presignature != zeroblob(16)"):
        requests, answers = used.setdefault(presignature, (set(), set()))
        requests.add(request)
        if any(answer):
            answers.add(answer)
    return used


def judge_presignatures(ours, theirs):
    """Returns: those with two requests or two answers, on one side or between the two; and how many both have answered."""
    twice, both = [], 0
    for presignature in set(ours) | set(theirs):
        found = [used[presignature] for used in (ours, theirs) if presignature in used]
        if any(len(set().union(*kind)) > 1 for kind in zip(*found)):
            twice.append(presignature.hex())
        both += len(found) == 2 and all(answers for _, answers in found)
    return twice, both
