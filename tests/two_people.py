#!/usr/bin/env python3
"""Two people at two terminals: the device asks on its own, the server's person types in what the device shows."""
import os
import pty
import re
import select
import subprocess
import sys
import time

WORK = os.environ["WORK"]
PROGRAMS = os.environ["TALLYSTICK"], os.environ["TALLYSTICK_PEER"]
PATIENCE_S = 120


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, conf, *command):
        self.text = ""
        pid, self.fd = pty.fork()
        if pid == 0:
            os.environ["TALLYSTICK_CONF"] = conf
            os.execv(command[0], command)
        self.pid = pid

    def expect(self, pattern):
        """Read until the pattern appears; give its match and forget what came before."""
        end = time.monotonic() + PATIENCE_S
        while True:
            found = re.search(pattern, self.text)
            if found:
                self.text = self.text[found.end():]
                return found
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            try:
                more = os.read(self.fd, 4096) if ready else b""
            except OSError:
                more = b""
            if not more:
                sys.exit(f"{pattern!r} did not come; there was: {self.text[-2000:]!r}")
            self.text += more.decode(errors="replace")

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def main():
    conf = os.path.join(WORK, "second-peer.yaml")
    text = open(os.environ["PEER_CONF"]).read()
    text = re.sub(r"store: .*peer\.db", f"store: {WORK}/second-peer/peer.db", text)
    text = re.sub(r"listen: .*", "listen: 127.0.0.1:0", text).replace("name: phone", "name: tablet")
    open(conf, "w").write(text)
    tool, peer = PROGRAMS
    primes = os.environ["PRIMES"]
    subprocess.run([peer, "init", "--primes", primes + ":6"], check=True, env={**os.environ, "TALLYSTICK_CONF": conf})
    device = Terminal(conf, peer, "run", "--approval", "ask", "--log", "stderr")
    address = device.expect(r"127\.0\.0\.1:\d+").group()
    uri = subprocess.run([peer, "uri", "--address", address], check=True, capture_output=True, text=True,
                         env={**os.environ, "TALLYSTICK_CONF": conf}).stdout.strip()
    server = Terminal(os.environ["TALLYSTICK_CONF"], tool, "pair", uri, "--token", "second", "--pin-source",
                      f"file:{WORK}/pin", "--primes", primes + ":4")
    here = server.expect(r"the code is (\d{3}) (\d{3})").groups()
    there = device.expect(r"code +(\d{3}) (\d{3})").groups()
    if here != there:
        sys.exit(f"the codes differ: {here} and {there}")
    server.expect(r"\[y/N\] ")
    server.type("y\n")
    device.expect(r"\[y/N\] ")
    device.type("y\n")
    server.expect('paired with "tablet"')
    code = server.end()
    os.kill(device.pid, 15)
    device.expect("$")
    device.end()
    sys.exit(code)


main()
