"""The network between two programs, to be cut and restored: network.py HOST:PORT.

Prints the address to dial instead. Each line of standard input is what the network is from then on: up, cut (connections
break and none can be made) or silent (nothing passes); it is printed again when it holds. Ends with standard input."""
import sys

import fault_proxy

host, port = sys.argv[1].rsplit(":", 1)
proxy = fault_proxy.Proxy((host, int(port)), fault_proxy.no_plan())
proxy.start()
print(proxy.address, flush=True)
for line in sys.stdin:
    assert line.strip() in ("up", "cut", "silent"), line
    proxy.network = line.strip()
    print(proxy.network, flush=True)
proxy.stop()
