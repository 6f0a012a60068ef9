"""A TCP proxy that does to connections what networks do: from a seed, so that a run can be repeated.

One proxy stands between the module and the peer. Each connection gets its faults from a plan: at byte N of one direction
it is delayed, stalled, corrupted, cut, reset or half-opened. Everything else passes unchanged. Besides, all of the network
can be taken away and given back (Proxy.network).
"""
import collections
import multiprocessing
import random
import select
import socket
import threading
import time

TICK_S = 0.05
# The first of each direction. They would hardly ever come to an end with as many faults as there are later.
HANDSHAKE_RECORDS = 5
KINDS = ("delay", "stall", "corrupt", "cut", "reset", "half-open")


class Fault:
    """What happens at byte `at` of a direction: 0 towards the peer, 1 back."""

    def __init__(self, kind, at, direction, seconds=0.0):
        self.kind, self.at, self.direction, self.seconds = kind, at, direction, seconds

    def __repr__(self):
        return f"{self.kind} at byte {self.at} {'back' if self.direction else 'forth'}"


# The faults of a connection: those that are known before, and what is asked at each TLS record, by direction and number,
# whether it gets one. Either may be empty.
Plan = collections.namedtuple("Plan", "faults record", defaults=([], None))


class Records:
    """Where the TLS records of a stream lie (RFC 8446, 5.1): each is one message, or a part of the handshake."""

    HEAD = 5

    def __init__(self):
        self.head, self.left, self.count = b"", 0, 0

    def take(self, at, data):
        """`data` comes at byte `at`. Returns: (number, start, end) of each record whose head ends in it."""
        found = []
        place = 0
        while place < len(data):
            if self.left:
                step = min(self.left, len(data) - place)
                self.left -= step
            else:
                step = min(self.HEAD - len(self.head), len(data) - place)
                self.head += data[place: place + step]
            place += step
            if len(self.head) == self.HEAD:
                self.left = int.from_bytes(self.head[3:], "big")
                self.head = b""
                found.append((self.count, at + place, at + place + self.left))
                self.count += 1
        return found


class Flow:
    """One direction of one connection."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.records = Records()
        self.passed = 0  # bytes
        self.held = b""
        self.hold_until = 0.0
        self.open = True
        self.silent = False  # half-open: what comes is swallowed


class Connection(threading.Thread):
    def __init__(self, proxy, client, server, plan):
        super().__init__(daemon=True)
        self.proxy, self.sockets, self.faults, self.record = proxy, (client, server), list(plan.faults), plan.record
        self.flows = (Flow(client, server), Flow(server, client))

    def next_fault(self, direction):
        return next((fault for fault in self.faults if fault.direction == direction), None)

    def look_at_records(self, direction, data):
        flow = self.flows[direction]
        for number, start, end in flow.records.take(flow.passed, data):
            self.proxy.messages += number >= HANDSHAKE_RECORDS
            fault = self.record(direction, number, start, end) if self.record else None
            if fault:
                self.faults.append(fault)

    def strike(self, flow, fault, data):
        """`data` is what comes after the byte of the fault. Returns: what of it passes; None when all is over."""
        self.faults.remove(fault)
        self.proxy.struck.append(fault)
        if fault.kind in ("delay", "stall"):
            flow.hold_until = time.monotonic() + fault.seconds
        elif fault.kind == "corrupt" and data:
            return bytes([data[0] ^ 0x40]) + data[1:]
        elif fault.kind == "half-open":
            flow.silent = True
        elif fault.kind in ("cut", "reset"):
            if fault.kind == "reset":  # with a zero linger the close sends RST
                for end in self.sockets:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return None
        return data

    def carry(self, direction):
        """Returns: False when the connection is over."""
        flow = self.flows[direction]
        now = time.monotonic()
        if flow.held and now >= flow.hold_until:
            data, flow.held = flow.held, b""
        elif flow.held or now < flow.hold_until:
            return True
        else:
            data = flow.source.recv(65536)
            if not data:
                flow.open = False
                flow.sink.shutdown(socket.SHUT_WR)
                return any(other.open for other in self.flows)
            self.look_at_records(direction, data)
        fault = self.next_fault(direction)
        if fault and fault.at < flow.passed + len(data):
            before, after = data[: fault.at - flow.passed], data[fault.at - flow.passed:]
            self.pass_on(flow, before)
            after = self.strike(flow, fault, after)
            if after is None:
                return False
            flow.held = after
            return True
        self.pass_on(flow, data)
        return True

    def pass_on(self, flow, data):
        if data and not flow.silent:
            flow.sink.sendall(data)
        flow.passed += len(data)
        self.proxy.counted[self.flows.index(flow)] = flow.passed

    def run(self):
        try:
            going = True
            while going and not self.proxy.stopped and self.proxy.network != "cut":
                if self.proxy.network == "silent":  # what was sent comes later, as TCP would send it again
                    select.select([], [], [], TICK_S)
                    continue
                waiting = [flow.source for flow in self.flows if flow.open and not flow.held]
                ready, _, _ = select.select(waiting, [], [], TICK_S)
                for direction, flow in enumerate(self.flows):
                    if going and flow.open and (flow.held or flow.source in ready):
                        going = self.carry(direction)
        except OSError:
            pass
        for end in self.sockets:
            end.close()


class Proxy(threading.Thread):
    """plan(number) gives the Plan of the connection of that number, from 0. target: (host, port), may be changed."""

    def __init__(self, target, plan):
        super().__init__(daemon=True)
        self.target, self.plan = target, plan
        self.struck, self.counted, self.last = [], [0, 0], None
        self.connections = self.messages = 0
        self.stopped = False
        self.network = "up"  # "cut": connections break and none can be made; "silent": nothing passes any more
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(TICK_S)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def run(self):
        while not self.stopped:
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if self.network == "cut":
                client.close()
                continue
            plan = self.plan(self.connections)
            self.connections += 1
            try:
                server = socket.create_connection(self.target, timeout=5)
            except OSError:
                client.close()  # the peer is being restarted
                continue
            server.settimeout(None)
            client.settimeout(None)
            self.last = Connection(self, client, server, plan)
            self.last.start()

    def cut_soon(self, after, direction):
        """Cut the last connection when so many bytes more have passed."""
        if self.last:
            self.last.faults.append(Fault("cut", self.last.flows[direction].passed + after, direction))

    def stop(self):
        self.stopped = True
        self.listener.close()


# --- plans of the connection of a number, from 0 ---


def pick(chance, at, direction):
    kind = chance.choice(KINDS)
    return Fault(kind, at, direction, {"delay": 0.1, "stall": 3.0}.get(kind, 0.0))


def no_plan():
    return lambda number: Plan()


def one_plan(seed, lengths, share):
    """One fault in about `share` of the connections, somewhere in its first bytes, so many in each direction."""

    def plan(number):
        chance = random.Random(f"{seed}/{number}")
        direction = chance.randrange(2)
        at = chance.randrange(lengths[direction])
        return Plan([pick(chance, at, direction)] if chance.random() < share else [])

    return plan


def dense_plan(seed, share):
    """A fault in about `share` of the messages, in a fourth as many of the handshake's."""

    def plan(number):
        chances = [random.Random(f"{seed}/{number}/{direction}") for direction in range(2)]

        def record(direction, count, start, end):
            chance = chances[direction]
            at, strikes = chance.randrange(start, max(end, start + 1)), chance.random()
            return pick(chance, at, direction) if strikes < share / (4 if count < HANDSHAKE_RECORDS else 1) else None

        return Plan(record=record)

    return plan


PLANS = {"none": no_plan, "one": one_plan, "dense": dense_plan}


# Of the last connection the bytes forth and back; of all: how many faults struck, connections, messages after handshakes.
Seen = collections.namedtuple("Seen", "counted struck connections messages")

# --- in a process of its own: a caller that is inside the module does not let Python's other threads run ---


def serve(pipe, theirs):
    """Until told to end, or until the process that started it is gone."""
    theirs.close()
    proxy, cut = None, []
    while True:
        try:
            command, *arguments = pipe.recv()
        except EOFError:
            return
        if command == "start":
            target, name, *rest = arguments
            cut.clear()
            plan = (lambda number: Plan([cut.pop()] if cut else [])) if name == "cut" else PLANS[name](*rest)
            proxy = Proxy(target, plan)
            proxy.start()
            pipe.send(proxy.address)
        elif command == "cut":
            cut[:] = [Fault("cut", *arguments[:2])] * arguments[2]
            pipe.send(None)
        elif command == "cut soon":
            pipe.send(proxy.cut_soon(*arguments))
        elif command == "stop":
            proxy.stop()
            pipe.send(Seen(proxy.counted, len(proxy.struck), proxy.connections, proxy.messages))
        else:
            return


class Remote:
    """The proxy as its user has it. To be made before anything has threads."""

    def __init__(self):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=serve, args=(theirs, self.pipe), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, *command):
        self.pipe.send(command)
        return self.pipe.recv()

    def start(self, target, plan, *arguments):
        """Returns: the address to dial."""
        return self.ask("start", target, plan, *arguments)

    def cut(self, at, direction, times):
        """With the plan "cut": where so many connections from now on are cut."""
        self.ask("cut", at, direction, times)

    def cut_soon(self, after, direction):
        """With the plan "none": the last connection is cut, once, when so many bytes more have passed."""
        self.ask("cut soon", after, direction)

    def stop(self):
        """Returns: what was Seen."""
        return self.ask("stop")

    def end(self):
        self.pipe.send(("end",))
        self.process.join()
