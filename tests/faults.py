#!/usr/bin/env python3
"""Signatures and keys through a proxy that breaks connections, between real processes. Run inside tests/with-token.

faults.py [--seed N] [--signatures N] [--keys N] [--offsets N]

Every call must return a valid signature, or a key, or a documented error, within its deadline. Afterwards no key is locked,
no presignature was answered twice with different bytes (both journals), no half is left pending, every key that a caller
was told of signs, and this process has as many descriptors and as much memory as in the beginning. Prints TAP.
"""
import argparse
import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import PyKCS11

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fault_proxy  # noqa: E402

# What architecture.md names for a lost connection, an answer that does not come, and one that does not parse.
DOCUMENTED = {PyKCS11.CKR_DEVICE_ERROR, PyKCS11.CKR_FUNCTION_CANCELED}
# The configuration below allows less; the machine may be busy with other things.
DEADLINE_S = 90
WARM_UP = 20
SIGNATURES_PER_PEER = 100
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


class Peer:
    """The second device, started and stopped."""

    def __init__(self):
        self.process = None
        self.pid = int(os.environ["PEER_PID"])

    def stop(self, how):
        os.kill(self.pid, how)
        if self.process:
            self.process.wait()
        else:  # with-token's child, not ours
            while os.path.exists(f"/proc/{self.pid}") and open(f"/proc/{self.pid}/stat").read().split()[2] != "Z":
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


class Run:
    def __init__(self, seed):
        self.seed, self.count, self.failures = seed, 0, 0
        self.proxy = fault_proxy.Remote()
        self.signer, self.peer = Signer(), Peer()
        self.outcomes = {}

    def ok(self, name, good, words=""):
        self.count += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good and words:
            print("# " + str(words).replace("\n", "\n# "), flush=True)

    def attempt(self, what, call, *arguments):
        """Call, and judge how it ended. Returns: its value, or None after a documented error."""
        started = time.monotonic()
        value, outcome = None, "ok"
        try:
            value = call(*arguments)
        except PyKCS11.PyKCS11Error as error:
            outcome = PyKCS11.CKR.get(error.value, error.value)
            if error.value not in DOCUMENTED:
                self.ok(f"{what}: an error that is not documented", False, outcome)
        took = time.monotonic() - started
        if took > DEADLINE_S:
            self.ok(f"{what}: within its deadline", False, f"{took:.0f} s")
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        return value

    def sign(self, what, key, point):
        digest = hashlib.sha256(what.encode()).digest()
        signature = self.attempt(what, self.signer.sign, key, digest)
        if signature is not None and not valid(point, digest, signature):
            self.ok(f"{what}: a signature that is valid", False, signature.hex())
        return signature is not None

    def told(self):
        out = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()))
        self.outcomes = {}
        return out


def move_to(address):
    subprocess.run([os.environ["TALLYSTICK"], "address", "phone", address], check=True, stdout=subprocess.DEVNULL)


def dial_anew(run):
    """The module reads the address when it logs in; its connections end with that, too."""
    run.signer.session.logout()
    run.signer.session.login(os.environ["PIN"])


def through(run, *plan):
    host, port = os.environ["PEER_ADDRESS"].rsplit(":", 1)
    move_to(run.proxy.start((host, int(port)), *plan))
    dial_anew(run)


def measure(run, call):
    """How many bytes go forth and back for one call on a new connection."""
    through(run, "none")
    good = call()
    counted, _, _ = run.proxy.stop()
    if not good:
        run.ok("a call through the proxy without faults", False, run.told())
    return counted


def own_size():
    status = open("/proc/self/status").read()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return len(os.listdir("/proc/self/fd")), int(resident.split()[1])


def check_size(run, before):
    after = own_size()
    run.ok("as many descriptors as in the beginning", after[0] <= before[0] + 2, f"{before} {after}")
    run.ok("as much memory as in the beginning, within 5 %", after[1] <= before[1] * 1.05 + 1024, f"{before} {after}")


def many_signatures(run, key, point, amount):
    forth, back = measure(run, lambda: run.sign("measured", key, point))
    print(f"# a signature and its connection: {forth} bytes forth, {back} back")

    # About every tenth message has a fault: one in five of the two or three of each direction.
    through(run, "dense", run.seed, 2.5 * max(forth, back), 40 * forth)
    before, good = None, 0
    for number in range(amount):
        if number == min(WARM_UP, amount // 2):
            before = own_size()
        if number and number % SIGNATURES_PER_PEER == 0:
            run.peer.stop(signal.SIGKILL if number // SIGNATURES_PER_PEER % 2 else signal.SIGTERM)
            run.peer.start()
        good += run.sign(f"signature {number}", key, point)
    _, struck, connections = run.proxy.stop()
    print(f"# {connections} connections, {struck} faults; {run.told()}", flush=True)
    run.ok(f"{amount} signatures under faults: {good} made, the rest documented errors", good > amount // 10)
    run.ok("faults struck", struck >= amount // 20, struck)
    check_size(run, before)


def many_keys(run, amount):
    through(run, "one", run.seed, 6000, 0.8)
    made = []
    for number in range(amount):
        made.append(run.attempt(f"key {number}", run.signer.make_key, 1000 + number))
        if number % 10 == 9:
            run.peer.stop(signal.SIGKILL)
            run.peer.start()
    _, struck, _ = run.proxy.stop()
    print(f"# keys: {struck} faults; {run.told()}", flush=True)
    return [one for one in made if one]


def cut_everywhere(run, what, call, counted, amount):
    """Cut the connection at a sample of the byte offsets of one run, forth and back, each on a connection of its own."""
    total = sum(counted)
    offsets = sorted(random.Random(f"{run.seed}/{what}").sample(range(total), min(amount, total)))
    through(run, "cut")
    good = 0
    for offset in offsets:
        direction = int(offset >= counted[0])
        run.proxy.cut(offset - counted[0] * direction, direction)
        dial_anew(run)
        good += call(offset) is True
    _, struck, _ = run.proxy.stop()
    print(f"# {what}: {struck} of {len(offsets)} cuts struck; {run.told()}", flush=True)
    run.ok(f"{what} cut at {len(offsets)} of {total} offsets: {good} went through, the rest documented errors",
           struck >= len(offsets) * 9 // 10, struck)


def listed(program, conf):
    environment = {**os.environ, "TALLYSTICK_CONF": os.environ[conf]}
    return json.loads(subprocess.run([os.environ[program], "list", "--json"], check=True, capture_output=True,
                                     env=environment).stdout)


def check_keys(run, keys):
    """On a good connection: what waited is told, every key signs, nothing is locked or left."""
    move_to(os.environ["PEER_ADDRESS"])
    dial_anew(run)
    bad = [number for number, (key, point) in enumerate(keys) if not run.sign(f"afterwards {number}", key, point)]
    run.ok(f"each of {len(keys)} keys that a caller was told of signs", not bad, bad)
    ours = [key for token in listed("TALLYSTICK", "TALLYSTICK_CONF") for key in token["keys"]]
    theirs = listed("TALLYSTICK_PEER", "PEER_CONF")["keys"]
    run.ok("no key is locked", not any(key["locked"] for key in ours + theirs))
    known = {key["id"] for key in ours}
    run.ok("the peer holds no half of a key that was never made", {key["id"] for key in theirs} == known,
           [key for key in theirs if key["id"] not in known])
    run.ok("and none that is pending", all(key["state"] == "active" for key in theirs))


def check_journals(run):
    answers = {}
    for path in (os.environ["WORK"] + "/enterprise/token.db-sessions", os.environ["WORK"] + "/peer/peer.db-sessions"):
        rows = sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute(
            "SELECT presignature, request, answer FROM session WHERE kind = 4 AND answer != zeroblob(16)").fetchall()
        for presignature, request, answer in rows:
            answers.setdefault(presignature, set()).add((request, answer))
    twice = [presignature.hex() for presignature, found in answers.items() if len(found) > 1]
    run.ok(f"none of {len(answers)} presignatures was answered twice with different bytes", not twice and answers, twice)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--signatures", type=int, default=30)
    parser.add_argument("--keys", type=int, default=6)
    parser.add_argument("--offsets", type=int, default=12)
    options = parser.parse_args()
    print(f"# seed {options.seed}", flush=True)
    run = Run(options.seed)
    key, point = run.signer.make_key(1)
    numbers = iter(range(100000, 10000000))
    many_signatures(run, key, point, options.signatures)
    keys = [(key, point)] + many_keys(run, options.keys)

    def one_key(_):
        made = run.attempt("a key", run.signer.make_key, next(numbers))
        if made:
            keys.append(made)
        return made is not None

    cut_everywhere(run, "a signature", lambda offset: run.sign(f"cut at {offset}", key, point),
                   measure(run, lambda: run.sign("measured", key, point)), options.offsets)
    cut_everywhere(run, "a new key", one_key, measure(run, lambda: one_key(0)), options.offsets)
    check_keys(run, keys)
    check_journals(run)
    run.peer.stop(signal.SIGTERM)
    run.proxy.end()
    print(f"1..{run.count}")
    sys.exit(run.failures > 0)


main()
