"""A device dials in through a proxy that cuts connections: every signature is made all the same. Run by e2e_dial_in.sh.

dial_in_cuts.py PORT [SEED]: the module listens on PORT. Prints lines for tap.sh's `ok`; the exit status tells.
"""
import hashlib
import os
import random
import re
import signal
import sys

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fault_parties as parties  # noqa: E402
import fault_proxy  # noqa: E402

SIGNATURES = 12
# Below the size of the shortest message, so that each cut strikes while a signature goes on.
BYTES = 150


def dial_through(address):
    path = os.environ["PEER_CONF"]
    text = re.sub(r"connect: \S+:\S+$", "connect: " + address, open(path).read(), flags=re.M)
    with open(path, "w") as file:
        file.write(text)


def main():
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    proxy = fault_proxy.Remote()
    signer, peer = parties.Signer(), parties.Peer()
    dial_through(proxy.start(("127.0.0.1", int(sys.argv[1])), "none"))
    peer.stop(signal.SIGTERM)
    peer.start()
    key, point = signer.make_key(2)
    for number in range(SIGNATURES):
        digest = hashlib.sha256(b"%d" % number).digest()
        proxy.cut_soon(chance.randrange(BYTES), chance.randrange(2))
        if not parties.valid(point, digest, signer.sign(key, digest)):
            sys.exit(f"signature {number} is not valid")
    seen = proxy.stop()
    log = open(os.environ["WORK"] + "/enterprise.log").read()
    resumed = len(re.findall(r"connection with a device that dialled in resumed with [1-9]", log))
    print(f"{seen.struck} cuts, {seen.connections} connections, {resumed} resumed in a session")
    peer.stop(signal.SIGTERM)
    proxy.end()
    sys.exit(seen.struck < SIGNATURES // 2 or resumed < SIGNATURES // 2)


main()
