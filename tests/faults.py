#!/usr/bin/env python3
"""Keys, presignatures, signatures and refreshes through a proxy that breaks connections, between real processes. Run
inside tests/with-token.

faults.py [--seed N] [--signatures N] [--steady N] [--keys N] [--refreshes N] [--offsets N] [--key-offsets N]
          [--batch-offsets N] [--refresh-offsets N]

Every call must return a valid signature, or a key, or a documented error, within its deadline. Afterwards no key is locked,
no presignature was used for two requests or answered twice with different bytes (both journals), no half is left pending,
both sides hold the same generation, every key that a caller was told of signs, and both processes have as many
descriptors and as much memory as before. Prints TAP.
"""
import argparse
import hashlib
import os
import random
import select
import signal
import subprocess
import sys
import time

import PyKCS11

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fault_parties as parties  # noqa: E402
import fault_proxy  # noqa: E402

# What architecture.md names for a lost connection, an answer that does not come, and one that does not parse.
DOCUMENTED = {PyKCS11.CKR_DEVICE_ERROR, PyKCS11.CKR_FUNCTION_CANCELED}
# The configuration allows less; the machine may be busy with other things.
DEADLINE_S = 90
# How long the peer keeps what a lost connection leaves: longer than e2e_faults.sh configures.
LEFT_OVER_S = 60
# Longer than a batch of presignatures may take.
BATCH_S = 15
TICK_S = 0.05
SIGNATURES_PER_PEER = 100
FAULTY_MESSAGES = 0.1
FAULTY_RUNS = 0.8  # of keys and refreshes
GROWTH = 1.05
ALL = 1000
# A short stretch may be unlucky with its pages.
STRETCH_MIN = 200


class Run:
    def __init__(self, seed):
        self.seed, self.count, self.failures = seed, 0, 0
        self.proxy = fault_proxy.Remote()
        self.signer, self.peer = parties.Signer(), parties.Peer()
        self.refresher = parties.Refresher(DEADLINE_S)
        self.key, self.point = self.signer.make_key(1)
        self.made = 0  # signatures
        self.outcomes = {}

    def ok(self, name, good, words=""):
        self.count += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good and words:
            print("# " + str(words).replace("\n", "\n# "), flush=True)

    def note(self, outcome):
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

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
        self.note(outcome)
        return value

    def sign(self, what, key=None, point=None):
        digest = hashlib.sha256(what.encode()).digest()
        signature = self.attempt(what, self.signer.sign, key or self.key, digest)
        if signature is not None and not parties.valid(point or self.point, digest, signature):
            self.ok(f"{what}: a signature that is valid", False, signature.hex())
        self.made += signature is not None
        return signature is not None

    def refresh(self, what):
        outcome = "no end"
        try:
            outcome = self.refresher.refresh("key 1")
        except (ValueError, subprocess.TimeoutExpired) as error:
            self.ok(f"{what}: a refresh or a documented error", False, error)
        self.note(outcome)
        return outcome == "ok"

    def told(self):
        out = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()))
        self.outcomes = {}
        return out


def through(run, *plan):
    host, port = os.environ["PEER_ADDRESS"].rsplit(":", 1)
    parties.ask("TALLYSTICK", "address", "phone", run.proxy.start((host, int(port)), *plan))
    run.signer.dial_anew()


def directly(run):
    parties.ask("TALLYSTICK", "address", "phone", os.environ["PEER_ADDRESS"])
    run.signer.dial_anew()


def restart(run, how):
    run.peer.stop(how)
    run.peer.start()


def wait_until(condition, seconds):
    """Returns: whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], TICK_S)
    return True


def measure(run, call):
    """How many bytes go forth and back for a call on a new connection."""
    through(run, "none")
    good = call()
    seen = run.proxy.stop()
    if not good:
        run.ok("a call through the proxy without faults", False, run.told())
    return seen.counted


# --- what the processes hold ---


def at_rest(run, before=None):
    """Descriptors and memory of both with one good connection. before: what the peer had then, to which it comes back."""
    directly(run)
    if not run.sign("at rest"):
        run.ok("a signature on a good connection", False, run.told())
    wait_until(lambda: not before or parties.size_of(run.peer.pid)[0] <= before[1][0], LEFT_OVER_S)
    return parties.size_of(os.getpid()), parties.size_of(run.peer.pid)


def check_descriptors(run, before, after, names=("the module", "the peer")):
    for name, one, two in zip(names, before, after):
        run.ok(f"{name} has as many descriptors as before: {one[0]}, {two[0]}", two[0] <= one[0])


def check_memory(run, before, after, stretch, names=("the module", "the peer")):
    for name, one, two in zip(names, before, after):
        words = f"{one[1]} KiB, {two[1]} KiB"
        if stretch < STRETCH_MIN:
            print(f"# memory of {name} before and after {stretch} signatures: {words}", flush=True)
        else:
            run.ok(f"{name} has as much memory after {stretch} signatures as before, within 5 %: {words}",
                   two[1] <= one[1] * GROWTH)


# --- many calls under faults ---


def sign_under_faults(run, name, amount, each=lambda number: None):
    through(run, "dense", f"{run.seed}/{name}", FAULTY_MESSAGES)
    started, good = time.monotonic(), 0
    for number in range(amount):
        each(number)
        good += run.sign(f"{name} {number}")
    seen = run.proxy.stop()
    print(f"# {name}: {amount} signatures in {time.monotonic() - started:.0f} s, "
          f"{seen.struck} faults in {seen.messages} messages and {seen.connections} handshakes; {run.told()}", flush=True)
    run.ok(f"{name}: {good} of {amount} signatures made, the rest documented errors", good >= amount // 20)
    run.ok("faults struck", seen.struck >= amount // 20, seen)


def many_signatures(run, amount):
    def restart_at_times(number):
        if number and number % SIGNATURES_PER_PEER == 0:
            restart(run, signal.SIGKILL if number // SIGNATURES_PER_PEER % 2 else signal.SIGTERM)

    before = at_rest(run)
    sign_under_faults(run, "signatures", amount, restart_at_times)
    check_descriptors(run, before[:1], at_rest(run)[:1])


def steady_signatures(run, amount):
    """A stretch in which neither process is restarted."""
    restart(run, signal.SIGTERM)
    fresh = at_rest(run)
    sign_under_faults(run, "warming up", amount)  # until as much went on at once as ever does
    before = at_rest(run, fresh)
    sign_under_faults(run, "without a restart", amount)
    after = at_rest(run, fresh)
    check_descriptors(run, fresh, after)
    check_memory(run, before, after, amount)


def many_keys(run, amount):
    made = []
    lengths = measure(run, lambda: made.append(run.attempt("measured", run.signer.make_key, 2)) or made[-1])
    through(run, "one", f"{run.seed}/keys", lengths, FAULTY_RUNS)
    for number in range(amount):
        run.signer.dial_anew()
        made.append(run.attempt(f"key {number}", run.signer.make_key, 1000 + number))
        if number % 10 == 9:
            restart(run, signal.SIGKILL)
    seen = run.proxy.stop()
    print(f"# keys: {seen.struck} faults; {run.told()}", flush=True)
    return [one for one in made if one]


def many_refreshes(run, amount):
    lengths = measure(run, lambda: run.refresh("measured"))
    through(run, "one", f"{run.seed}/refreshes", lengths, FAULTY_RUNS)
    good = 0
    for number in range(amount):
        good += run.refresh(f"refresh {number}")
        if number % 10 == 9:
            restart(run, signal.SIGKILL)
    seen = run.proxy.stop()
    run.ok(f"{good} of {amount} refreshes done, the rest documented errors: {seen.struck} faults; {run.told()}",
           seen.struck >= amount // 4, seen)


# --- cuts at byte offsets ---


def cut_everywhere(run, what, call, counted, amount, times):
    """Cut the connection at a sample of the byte offsets of one run, forth and back, each on a connection of its own.
    times: how many of the connections that one run makes are cut there, by turns."""
    total = sum(counted)
    offsets = sorted(random.Random(f"{run.seed}/{what}").sample(range(total), min(amount, total)))
    through(run, "cut")
    good = 0
    for number, offset in enumerate(offsets):
        direction = int(offset >= counted[0])
        run.proxy.cut(offset - counted[0] * direction, direction, times[number % len(times)])
        run.signer.dial_anew()
        good += call(offset) is True
    seen = run.proxy.stop()
    run.ok(f"{what} cut at {len(offsets)} of {total} offsets: {good} went through, the rest documented errors; "
           f"{seen.struck} cuts; {run.told()}", seen.struck >= len(offsets) * 9 // 10, seen)


def sign_with_batch(run, what):
    """Two signatures, which make the module's thread make a batch ahead; the third uses it when it is there."""
    before = parties.batches(0)
    good = run.sign(f"{what}, first") and run.sign(f"{what}, second")
    # None is made when the connection is lost for good by then.
    if good and not wait_until(lambda: parties.batches(0) > before, BATCH_S):
        run.note("no batch")
    return run.sign(f"{what}, third") and good


def cut_all(run, keys, options):
    numbers = iter(range(100000, 10000000))

    def one_key(_):
        made = run.attempt("a key", run.signer.make_key, next(numbers))
        if made:
            keys.append(made)
        return made is not None

    ever = (1, ALL)
    for what, call, count, times in (
            ("a signature", lambda offset: run.sign(f"cut at {offset}"), options.offsets, ever),
            ("a new key", one_key, options.key_offsets, ever),
            ("a batch", lambda offset: sign_with_batch(run, f"cut at {offset}"), options.batch_offsets, ever),
            # It has a quarter of an hour, for it may search primes.
            ("a refresh", lambda offset: run.refresh(f"cut at {offset}"), options.refresh_offsets, (1,))):
        if count:
            cut_everywhere(run, what, call, measure(run, lambda: call(0)), count, times)


# --- afterwards ---


def check_keys(run, keys):
    """On a good connection: what waited is told, every key signs, nothing is locked or left."""
    directly(run)
    bad = [number for number, (key, point) in enumerate(keys) if not run.sign(f"afterwards {number}", key, point)]
    run.ok(f"each of {len(keys)} keys that a caller was told of signs", not bad, bad)
    ours, theirs = (parties.keys_of(program) for program in ("TALLYSTICK", "TALLYSTICK_PEER"))
    run.ok("no key is locked", not any(key["locked"] for key in ours + theirs))
    held = [sorted((key["id"], key["generation"]) for key in keys) for keys in (ours, theirs)]
    run.ok("both sides hold the same generation of the same keys", held[0] == held[1],
           sorted(set(held[0]) ^ set(held[1])))
    run.ok("and none that is pending", all(key["state"] == "active" for key in theirs))


def check_journals(run):
    ours, theirs = (parties.used_presignatures(side) for side in (0, 1))
    twice, both = parties.judge_presignatures(ours, theirs)
    run.ok(f"none of {len(ours)} presignatures (the peer: {len(theirs)}) was used or answered twice with different bytes",
           not twice, twice)
    run.ok(f"of {both} both sides have the answer, for {run.made} signatures", both >= run.made)
    print("# batches made ahead: %d; at the peer: %d" % tuple(parties.batches(side) for side in (0, 1)), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    for name, few in (("signatures", 8), ("steady", 3), ("keys", 2), ("refreshes", 1), ("offsets", 3), ("key-offsets", 2),
                      ("batch-offsets", 1), ("refresh-offsets", 0)):
        parser.add_argument(f"--{name}", type=int, default=few)
    options = parser.parse_args()
    print(f"# seed {options.seed}", flush=True)
    run = Run(options.seed)
    keys = [(run.key, run.point)]
    if options.signatures:
        many_signatures(run, options.signatures)
    if options.steady:
        steady_signatures(run, options.steady)
    if options.keys:
        keys += many_keys(run, options.keys)
    if options.refreshes:
        many_refreshes(run, options.refreshes)
    cut_all(run, keys, options)
    check_keys(run, keys)
    check_journals(run)
    run.peer.stop(signal.SIGTERM)
    run.proxy.end()
    print(f"1..{run.count}")
    sys.exit(run.failures > 0)


main()
